"""Descriptors: read and validate `croissant.json`, and find the ones that are shipped with the package."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

import audit
from audit.benchmarks import json_file, schema
from audit.domain import Attribute
from audit.errors import DataError

FILE_NAME = "croissant.json"


@dataclass(frozen=True)
class Descriptor:
    """A validated descriptor, where it was read, and the SHA-256 of its canonical form (sorted keys, no spaces)."""

    path: Path
    digest: str
    dataset: schema.Dataset
    published: str = ""
    """The canonical form without files of single people: their names are ids."""

    @cached_property
    def files(self) -> dict[str, schema.FileObject]:
        """Path inside the folder to declared file."""
        return {file.path: file for file in self.dataset.distribution if isinstance(file, schema.FileObject)}

    def declared(self, path: str) -> str | None:
        """SHA-256 that is declared for a file, or None."""
        file = self.files.get(path)
        return file.sha256 if file is not None else None

    @property
    def attributes(self) -> dict[str, Attribute]:
        """Attributes by name, as the domain knows them."""
        made = {}
        for spec in self.dataset.attributes:
            note = spec.note
            if spec.provenance in ("annotated", "derived-by-model"):
                note = f"Perceived, not the person's own statement. {note}".strip()
            made[spec.name] = Attribute(
                name=spec.name,
                provenance=spec.provenance,
                kind=spec.kind,
                values=spec.documented,
                edges=spec.edges,
                unit=spec.unit,
                note=note,
                annotators=tuple(annotator(spec.name, number) for number in range(len(spec.annotators))),
            )
        return made


def annotator(attribute: str, number: int) -> str:
    """Name under which a subject carries what one annotator said of an attribute."""
    return f"{attribute}@{number + 1}"


def read(path: Path) -> Descriptor:
    """Read and validate a descriptor.

    Raises
    ------
    DataError
        Naming the file, the key inside it, and the nearest known key where one is misspelt.
    """
    raw = _json(path)
    try:
        dataset = schema.Dataset.model_validate(raw)
    except ValidationError as error:
        raise _explain(path, error) from None
    canonical = ""
    try:
        canonical = json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
    except RecursionError:
        raise DataError(str(path), "is nested too deeply", "A descriptor has a few levels") from None
    except UnicodeEncodeError as error:
        half = repr(canonical[error.start])
        raise DataError(str(path), f"holds half a character, {half}", "Write that text again") from None
    return Descriptor(path, digest, dataset, _published(raw))


def _published(raw: dict[str, Any]) -> str:
    raw = {key: value for key, value in raw.items() if key != "faceaudit:recognisedBy"}  # names of files
    listed = raw.get("distribution")
    if isinstance(listed, list):
        raw = {**raw, "distribution": [file for file in listed if not _of_a_person(file)]}
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _of_a_person(file: Any) -> bool:
    """Whether an entry names a single picture or what belongs to one: a picture, or a file inside a folder."""
    if not isinstance(file, dict) or file.get("@type") != "cr:FileObject":
        return False
    return "/" in str(file.get("name", "")) or str(file.get("encodingFormat", "")).startswith("image/")


def shipped_folder() -> Path:
    """Find the folder of shipped descriptors: inside an installed wheel, else beside the package in a clone.

    Raises
    ------
    DataError
        If neither is there.
    """
    package = Path(audit.__file__).resolve().parent
    for folder in (package / "_data" / "benchmarks", package.parent / "benchmarks"):
        if any(folder.glob(f"*/{FILE_NAME}")):
            return folder
    raise DataError(str(package), "the shipped descriptors are missing", "Install faceaudit again")


@cache
def shipped() -> dict[str, Descriptor]:
    """Read all shipped descriptors: short name to descriptor."""
    found = (read(path) for path in sorted(shipped_folder().glob(f"*/{FILE_NAME}")))
    return {descriptor.dataset.name: descriptor for descriptor in found}


def _json(path: Path) -> dict[str, Any]:
    raw = json_file.read(path, way_out="Give a readable croissant.json, saved as UTF-8")
    if not isinstance(raw, dict):
        raise DataError(str(path), "is not a JSON object", "A descriptor is one Croissant data set")
    return raw


def _explain(path: Path, error: ValidationError) -> DataError:
    """Turn the first finding into one line; a misspelt key comes before the missing one that it caused."""
    findings = sorted(error.errors(), key=lambda finding: finding["type"] != "extra_forbidden")
    first = findings[0]
    where = [str(part) for part in first["loc"] if not _is_branch(part)]
    more = f" ({len(findings)} findings in all)" if len(findings) > 1 else ""
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(where[-1], _KEYS, n=1, cutoff=0.7)
        way_out = f"Did you mean {near[0]!r}?" if near else "Remove it, or spell it as the specification does"
        return DataError(f"{path}#/{'/'.join(where)}", f"unknown key{more}", way_out)
    if first["type"] == "missing":
        return DataError(f"{path}#/{'/'.join(where)}", f"is missing{more}", _KEYS.get(where[-1], ""))
    if first["type"] == "faceaudit":
        where.append(str(first["ctx"]["key"]))
    message = first["msg"].removeprefix("Value error, ")
    found = first["input"] if isinstance(first["input"], str | int | float | bool) else type(first["input"]).__name__
    shown = "" if first["type"] in ("faceaudit", "value_error") else f", found {found!r}"
    key = where[-1] if where else ""  # none: it is of the whole document
    return DataError(f"{path}#/{'/'.join(where)}", f"{message}{shown}{more}", _KEYS.get(key, ""))


def _is_branch(part: str | int) -> bool:
    """Say whether a part of a place names a branch of the schema, and no key of the file."""
    return part in ("cr:FileObject", "cr:FileSet", "Licence") or str(part).startswith(("function-", "constrained-"))


def _keys(models: tuple[type[BaseModel], ...]) -> Iterator[tuple[str, str]]:
    for model in models:
        for name, field in model.model_fields.items():
            yield field.alias or name, (field.description or "").capitalize()


_KEYS = dict(_keys((schema.FileObject, schema.FileSet, schema.AttributeSpec, schema.Dataset)))
