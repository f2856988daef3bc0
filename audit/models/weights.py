"""Weight files: where they are looked for, and the proof that they are what they are said to be."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from audit.errors import ModelError


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises
    ------
    ModelError
        If it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(str(path), f"cannot be read: {error.strerror}", "Give a readable file of weights") from None


def find(file: str, data: Sequence[Path]) -> Path | None:
    """Find a weight file: a path as it stands, or a name in one of the data folders, in their order."""
    for candidate in (Path(file).expanduser(), *(entry / file for entry in data)):
        if candidate.is_file():
            return candidate
    return None


def check(path: Path, expected: str, source: str) -> None:
    """Hold a file against its published digest.

    Raises
    ------
    ModelError
        Naming the file and both digests.
    """
    found = digest(path)
    if found != expected:
        raise ModelError(
            str(path),
            f"SHA-256 is {found}, but the published weights have {expected} ({source})",
            "The file is damaged or another one: put the published file in its place",
        )


def read(path: Path, expected: str) -> bytes:
    """Read weights into memory and check the very bytes that will be used.

    Raises
    ------
    ModelError
        If the file cannot be read or has changed since its card was made.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(str(path), f"cannot be read: {error.strerror}", "Give a readable file of weights") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(str(path), "has changed since its digest was checked", "Run again when the file is at rest")
    return content


def sibling(path: Path) -> dict[str, Any] | None:
    """Read the `.toml` beside a weight file, if there is one.

    Raises
    ------
    ModelError
        If it is not valid TOML.
    """
    beside = path.with_suffix(".toml")
    if not beside.is_file():
        return None
    try:
        return tomllib.loads(beside.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(str(beside), f"not valid TOML: {error}", "Mend that line") from None
    except OSError as error:
        raise ModelError(str(beside), f"cannot be read: {error.strerror}", "Give a readable card") from None


def explain(error: ValidationError, place: str, keys: str) -> ModelError:
    """Turn the first complaint about a card into one line that names the key."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "(card)"
    return ModelError(f"{place}: {key}", f"{first['msg'].lower()} ({error.error_count()} key(s) do not fit)", keys)
