"""Weight files: where they are looked for, and the proof that they are what they are said to be.

A digest is looked at twice: when the card is made, before any image is read; and again on the very bytes that a library
is given. So a file that is swapped in between never runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from audit.cache_root import cache_root
from audit.errors import ModelError

LARGEST = 2 << 30
"""Bytes of a file of weights at most: what a protocol buffer can hold."""
_SIGNS = (
    (b"", "it is empty"),
    (b"version https://git-lfs", "it is a pointer of Git LFS in place of the file: git lfs pull fetches that"),
    (b"<!doctype", "it is a web page"),
    (b"<html", "it is a web page"),
    (b"pk\x03\x04", "it is a ZIP archive"),
    (b"\x80\x02", "it is a pickle"),
    (b"\x80\x03", "it is a pickle"),
    (b"\x80\x04", "it is a pickle"),
    (b"\x80\x05", "it is a pickle"),
)
"""How files begin that are often taken for weights."""


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises
    ------
    ModelError
        If it cannot be read, or is too large to be weights.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ModelError(str(path), f"has {size >> 20} MiB", f"Weights have at most {LARGEST >> 20} MiB")
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(str(path), f"cannot be read: {error.strerror}", "Give a readable file of weights") from None


def find(file: str, data: Sequence[Path]) -> Path | None:
    """Find a file that somebody named: a path as it stands, or a name in one of the data folders, in their order."""
    given = Path(file).expanduser()
    return given if given.is_file() else look(file, data)


def look(file: str, folders: Sequence[Path]) -> Path | None:
    """Find a file that a card names, in one of the folders, in their order."""
    return next((folder / file for folder in folders if (folder / file).is_file()), None)


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
    return cache_root() / "models"


def fetched(file: str) -> Path | None:
    """Find a file that was obtained; whatever path a card has for it, it lies there under its name alone."""
    return look(Path(file).name, (obtained(),))


def seems(start: bytes) -> str:
    r"""Say what a file is that begins like this, if it is something that is often taken for weights; else "".

    >>> seems(b"<!DOCTYPE html><html>"), seems(b"\x08\x07")
    ('it is a web page', '')
    """
    lower = start.lstrip()[:32].lower() if start[:1] != b"\x80" else start
    return next((said for sign, said in _SIGNS if (lower.startswith(sign) if sign else not start)), "")


def check(path: Path, expected: str, source: str, size: int | None = None) -> None:
    """Hold a file against its digest.

    Parameters
    ----------
    path : Path
    expected : str
        SHA-256, hexadecimal.
    source : str
        Who says so.
    size : int, optional
        Bytes that it should have, where that is known.

    Raises
    ------
    ModelError
        Naming the file and both digests.
    """
    found = digest(path)
    if found == expected:
        return
    with path.open("rb") as stream:
        what = seems(stream.read(64))
    there = path.stat().st_size
    if not what and size is not None and there < size:
        what = f"it has only {there} of {size} bytes"
    raise ModelError(
        str(path),
        f"SHA-256 is {found}, and not {expected} ({source}){'; ' * bool(what)}{what}",
        "The file is damaged or another one: put the right file in its place",
        missing="right weights",
    )


def read(path: Path, expected: str) -> bytes:
    """Read weights into memory and check the very bytes that will be used.

    Raises
    ------
    ModelError
        If the file cannot be read or has changed since its card was made.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise ModelError(str(path), f"cannot be read: {error.strerror}", "Give a readable file of weights") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(str(path), "has changed since its digest was checked", "Run again when the file is at rest")
    return content


@contextlib.contextmanager
def held(path: Path, expected: str) -> Iterator[str]:
    """Give the name of a private copy of checked bytes, for libraries that read a file by its name alone.

    On Linux it lies in memory; elsewhere it is a temporary file. It is gone when the block ends.

    Raises
    ------
    ModelError
        As `read`.
    """
    content = read(path, expected)
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create(path.name[:200])
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            yield f"/proc/self/fd/{descriptor}"
        return
    with tempfile.TemporaryDirectory(prefix="faceaudit-") as folder:
        copy = Path(folder, path.name)
        copy.write_bytes(content)
        yield str(copy)
