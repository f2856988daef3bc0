"""What kind of archive a file is, told from its table of contents alone: nothing in it is unpacked or unpickled."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Literal

from audit.errors import ModelError

Kind = Literal["export", "script"]

_ENTRIES = 50_000
_END = 22
"""Bytes of the record that ends an archive without a comment."""
_MORE, _SMALL = 2, 8 << 20
_EXPORT_AGAIN = (
    "Export the network with torch.export.save or torch.jit.save (or as ONNX), and give that file: it holds the "
    "network itself and needs none of your code"
)


def kind_of(content: bytes, place: str) -> Kind:
    """Tell an exported program (.pt2) from a TorchScript archive (.pt, .ts).

    Raises
    ------
    ModelError
        For anything else: pickled objects, a web page, a damaged archive, or one that is not as torch writes it.
    """
    damaged = ModelError(place, "is a damaged archive", "Put the whole file in its place")
    if not zipfile.is_zipfile(io.BytesIO(content)):
        if content.startswith(b"PK\x03\x04"):
            raise damaged
        raise ModelError(place, f"is no archive of torch, but {_instead(content)}", _EXPORT_AGAIN)
    if not content[-_END:].startswith(b"PK\x05\x06"):  # else the end of an archive inside it would be taken for its own
        raise damaged
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, EOFError):
        raise damaged from None
    _check(entries, len(content), place)
    inside = {entry.filename.partition("/")[2] or entry.filename for entry in entries}
    if "constants.pkl" in inside and any(name.startswith("code/") for name in inside):
        return "script"
    if inside & {"archive_format", "serialized_exported_program.json"}:
        return "export"
    if any(name.endswith(".pkl") for name in inside):
        raise ModelError(
            place,
            "holds pickled objects (torch.save), which run code when they are read; it is not opened",
            _EXPORT_AGAIN,
        )
    raise ModelError(place, "is a zip file, but no archive of torch", _EXPORT_AGAIN)


def _check(entries: list[zipfile.ZipInfo], size: int, place: str) -> None:
    """As torch writes them: hardly compressed, each name once, below one folder."""
    names = {entry.filename for entry in entries}
    if len(entries) > _ENTRIES:
        raise ModelError(place, f"has {len(entries):,} entries", f"At most {_ENTRIES:,} are read")
    if len(names) < len(entries):
        raise ModelError(place, "names an entry twice", _EXPORT_AGAIN)
    for name in names:
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise ModelError(place, f"has an entry that leaves its folder: {name[:60]!r}", _EXPORT_AGAIN)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _MORE * size + _SMALL:  # torch compresses code alone, never numbers
        raise ModelError(place, f"would unpack to {unpacked:,} bytes, from {size:,}", _EXPORT_AGAIN)


def _instead(content: bytes) -> str:
    start = content[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "a web page: often a login, or a form to fill in"
    if content[:1] == b"\x80":
        return "pickled objects, which run code when they are read; it is not opened"
    return "something else" if content else "empty"
