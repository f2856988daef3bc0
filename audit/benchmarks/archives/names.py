"""Names of members: inside the folder, and one file each on every system."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from audit.benchmarks.schema import safe_path
from audit.errors import DataError

_NAME = 255
_DEEPEST = 32
_JUNK = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{k}" for kind in ("com", "lpt") for k in range(1, 10))}


def inside(path: Path, name: str) -> str:
    """Path of a member inside the folder, without "." parts.

    Raises
    ------
    DataError
        If it leaves the folder, or is no name that every system can hold.
    """
    try:
        safe_path(name)
    except ValueError:
        raise refused(path, name, "does not stay inside the folder") from None
    parts = PurePosixPath(name).parts
    if len(parts) > _DEEPEST:
        raise refused(path, name, f"lies more than {_DEEPEST} folders deep")
    for part in parts:
        try:
            length = len(part.encode())
        except UnicodeEncodeError:
            raise refused(path, name, "has a name that is not UTF-8") from None
        if length > _NAME:
            raise refused(path, name, f"has a name of more than {_NAME} bytes")
        if not part.isprintable() or set(part) & set('<>:"|?*') or part[-1] in ". ":
            raise refused(path, name, "has a name that some systems cannot hold")
        if part.split(".", maxsplit=1)[0].strip().lower() in _RESERVED:
            raise refused(path, name, "has a name that is reserved for a device")
    return "/".join(parts)


def check_distinct(path: Path, names: Sequence[str]) -> None:
    """Make sure that members stay apart on a system that ignores case or the Unicode form of names.

    Raises
    ------
    DataError
        If two are one file there, or one is a folder of another.
    """
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        folded = _folded(name)
        if folded in seen:
            raise refused(path, name, f"takes the name of {seen[folded]!r}")
        seen[folded] = name
        for parent in PurePosixPath(name).parents:
            written = str(parent)
            if folders.setdefault(_folded(written), written) != written:
                raise refused(path, name, f"lies in a folder that takes the name of {folders[_folded(written)]!r}")
    for folded, name in seen.items():
        if folded in folders:
            raise refused(path, name, "is a file and a folder")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_litter(name: str) -> bool:
    """Say whether a file manager left it there: macOS and Windows put such files into archives."""
    parts = PurePosixPath(name).parts
    return parts[0].lower() in _JUNK or parts[-1].lower() in _JUNK or parts[-1].startswith("._")


def refused(path: Path, name: str, why: str) -> DataError:
    """Make the refusal of an archive for one member."""
    shown = name if len(name) <= 120 else f"{name[:117]}..."
    return DataError(str(path), f"its member {shown!r} {why}", "Nothing of it was unpacked: ask its publisher")
