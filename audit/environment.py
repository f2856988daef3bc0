"""The environment of a record: what decides numbers besides the plan, in a small file beside it that may be published.

Python, every package that faceaudit and its plug-ins need, the processor with its vector instructions, the linear
algebra behind numpy and scipy, and how many threads were asked for. No path, no name of a machine or of a person.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit import plugins, provenance
from audit.errors import DataError
from audit.record import write_text

FILE = "environment.json"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_OWN, _UNKNOWN = "faceaudit", "unknown"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*", re.ASCII)
_FOR_TESTS = {"test"}
"""Extras whose packages decide no number."""


class Environment(BaseModel):
    """What a record was made in; frozen, and every value is a text."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["faceaudit/environment-1"] = Field("faceaudit/environment-1", alias="schema")
    python: str = Field(description="implementation and version")
    system: str = Field(description="operating system, machine, C library")
    processor: str
    cores: str = Field(description="that this process might use")
    vectors: str = Field(description="vector instructions that numpy found")
    device: str = Field(description="where networks and comparisons ran")
    blas: dict[str, str] = Field(description="linear algebra that a package was built with")
    threads: dict[str, str] = Field(description="numbers of threads that were asked for")
    code: str = Field(description="SHA-256 of the package's own source files")
    packages: dict[str, str] = Field(description="name to version, of everything that is installed and needed")


def make_schema() -> dict[str, Any]:
    """JSON Schema of environment.json."""
    made = Environment.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "environment-1.json", **made}


def now(device: str) -> Environment:
    """Look at this process; nothing heavy is imported that a measurement has not imported already."""
    hardware = provenance.hardware(device)
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=" ".join(part for part in (hardware["system"], *platform.libc_ver()) if part),
        processor=hardware["processor"],
        cores=hardware["cores"],
        vectors=_vectors(),
        device=device,
        blas=_blas(),
        threads={name: value for name in THREADS if (value := os.environ.get(name)) and re.fullmatch(r"[\d,]+", value)},
        code=provenance.code_digest(),
        packages=dict(sorted(_needed())),
    )


def write(device: str, folder: Path) -> None:
    """Write what this process runs in beside a record."""
    write_text(folder / FILE, now(device).model_dump_json(by_alias=True, indent=1) + "\n")


def read(folder: Path) -> Environment | None:
    """Read the file beside a record; None where there is none.

    Raises
    ------
    DataError
        If it is none of this kind.
    """
    path = folder / FILE
    try:
        return Environment.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Make it readable, or delete it") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"])[:200] or "(document)"
        raise DataError(f"{path}#/{where}", first["msg"], "Take the file that was written with the record") from None


def requirements(packages: Mapping[str, str], place: str) -> str:
    """Write packages as lines for `pip install -r`; faceaudit itself is a comment: a clone has no version of its own.

    Parameters
    ----------
    place : where the packages stand, for messages

    Raises
    ------
    DataError
        For a name or a version that is none: pip takes options and addresses from such a file.

    Examples
    --------
    >>> print(requirements({"faceaudit": "0.1.0", "numpy": "2.4.6"}, "environment.json"), end="")
    # faceaudit 0.1.0
    numpy==2.4.6
    """
    lines = []
    for name, version in packages.items():
        if not (_NAME.fullmatch(name) and _VERSION.fullmatch(version)):
            raise DataError(
                f"{place}#/packages",
                f"{name[:60]!r} {version[:60]!r} is no package with its version",
                "Take another file",
            )
        lines.append(f"# {name} {version}" if name == _OWN or version == _UNKNOWN else f"{name}=={version}")
    return "".join(f"{line}\n" for line in lines)


def _vectors() -> str:
    import numpy as np  # noqa: PLC0415 - a command that only reads a record needs none

    found: Any = np.show_config(mode="dicts")
    said = found.get("SIMD Extensions", {})
    return " ".join([*said.get("baseline", ()), *said.get("found", ())]) or _UNKNOWN


def _blas() -> dict[str, str]:
    """Name, version and kind of the linear algebra; of what is said of it, nothing that is a path."""
    import numpy as np  # noqa: PLC0415
    import scipy  # noqa: PLC0415

    made = {}
    for name, package in (("numpy", np), ("scipy", scipy)):
        said: Any = package.show_config(mode="dicts")
        blas = said.get("Build Dependencies", {}).get("blas", {})
        made[name] = f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    return made


def _needed() -> Iterator[tuple[str, str]]:
    """Every distribution that is installed and needed by faceaudit, by its extras, or by a plug-in."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - only where a record is written

    owners = {
        entry.dist.name
        for group in (plugins.MODELS, plugins.BENCHMARKS)
        for entry in metadata.entry_points(group=group)
        if entry.dist is not None
    }
    asked: list[tuple[str, frozenset[str]]] = [(name, frozenset()) for name in (_OWN, *sorted(owners))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while asked:
        name, extras = asked.pop()
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        yield name, found.version or _UNKNOWN
        if name == _OWN:
            extras = frozenset(found.metadata.get_all("Provides-Extra") or ()) - _FOR_TESTS
        for text in found.requires or ():
            try:
                wanted = Requirement(text)
            except InvalidRequirement:  # of a package made before names of this form were agreed on
                continue
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                asked.append((re.sub(r"[-_.]+", "-", wanted.name).lower(), frozenset(wanted.extras)))
