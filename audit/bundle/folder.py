"""The files of a bundle: a fixed set of names, listed without following links, read within limits."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from audit.errors import DataError

STATEMENT, ENVELOPE, SIGNER = "evidence.json", "evidence.dsse.json", "signer.pem"
"""The statement of an unsigned bundle; of a signed one the envelope, and the public key that belongs to it."""
SIGSTORE = "evidence.sigstore.json"
"""Beside a statement: who else signed it, in a public log."""
RECORD, MARKER = "record.json", "superseded.json"
OWN = (STATEMENT, ENVELOPE, SIGNER, SIGSTORE)
KNOWN = re.compile(
    r"record\.json|(counts|cells|covariance)\.parquet|(benchmark|card|plan|environment)\.json"
    r"|environment\.(txt|lock)|requirements\.(txt|lock)|report\.(html|pdf|md)|model_card\.md"
    r"|pictures/[A-Za-z0-9._-]{1,120}\.(svg|png)|tables/[A-Za-z0-9._-]{1,120}\.csv|notebook\.ipynb"
)
"""What may be published; a name that is not here is refused, so that nothing slips in unlooked at."""
MOST_FILES = 1000
LARGEST = 256 * 2**20
"""Bytes of a file."""


def listed(folder: Path) -> list[str]:
    """Names of all files below a folder, with '/', sorted; the seal itself and a marker `superseded.json` left out.

    Raises
    ------
    DataError
        For a link, a device, a file that is too large, too many files, or a name that cannot be written down.
    """
    if not folder.is_dir() or folder.is_symlink():
        raise DataError(str(folder), "is no folder", "Give the folder that holds record.json")
    found: list[str] = []
    try:
        _gather(folder, "", found)
    except OSError as error:
        raise DataError(str(folder), f"cannot be read: {error.strerror}", "Make it readable") from None
    return sorted(name for name in found if name not in {*OWN, MARKER})


def _gather(folder: Path, place: str, found: list[str]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{place}{entry.name}"
            about = entry.stat(follow_symlinks=False)
            if not entry.name.isprintable() or "\\" in entry.name:
                raise DataError(ascii(name), "is no name for a published file", "Rename it or move it out")
            if stat.S_ISDIR(about.st_mode):
                if place.count("/") > 2:
                    raise DataError(name, "lies too deep", "Move it out of the folder")
                _gather(folder / entry.name, f"{name}/", found)
                continue
            if not stat.S_ISREG(about.st_mode):
                raise DataError(name, "is a link or no regular file", "A bundle holds its files itself")
            if about.st_size > LARGEST:
                raise DataError(
                    name, f"has {about.st_size:,} bytes, more than {LARGEST:,}", "Move it out of the folder"
                )
            found.append(name)
            if len(found) > MOST_FILES:
                raise DataError(str(folder), f"holds more than {MOST_FILES} files", "Give one folder of results")


def content(folder: Path, name: str) -> bytes:
    """Read a file, not through a link, and never more than `LARGEST` bytes.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        handle = os.open(folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, "rb") as stream:
            found = stream.read(LARGEST + 1)
    except OSError as error:
        raise DataError(name, f"cannot be read: {error.strerror}", "A bundle holds its files itself") from None
    if len(found) > LARGEST:
        raise DataError(name, f"has more than {LARGEST:,} bytes", "Move it out of the folder")
    return found
