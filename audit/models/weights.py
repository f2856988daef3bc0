"""Weight files: where they are looked for, and the proof that they are what they are said to be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import platformdirs

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


def named(place: str, file: str, data: Sequence[Path]) -> Path:
    """Find a file that the user named.

    Raises
    ------
    ModelError
        If there is none, with the folders that were looked at.
    """
    path = find(file, data)
    if path is None:
        where = ", ".join(str(entry) for entry in data) or "no data folder given"
        raise ModelError(place, "there is no such file", f"Give its path, or put it into FACEAUDIT_DATA ({where})")
    return path


def obtained() -> Path:
    """Where `faceaudit models obtain` puts weights: in the cache."""
    named = os.environ.get("FACEAUDIT_CACHE")
    return (Path(named).expanduser() if named else platformdirs.user_cache_path("faceaudit")) / "models"


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
