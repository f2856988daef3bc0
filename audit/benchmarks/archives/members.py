"""The members of an archive, each looked at; nothing is written here.

Archives are untrusted: a list is read within bounds, and what libraries raise on damaged bytes becomes one line.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from audit.benchmarks.archives.names import inside, refused
from audit.errors import DataError

Archive: TypeAlias = "zipfile.ZipFile | tarfile.TarFile"
_GIB = 1 << 30
BLOCK = 1 << 20
_HEADER = 1 << 20
"""Bytes of one header at most: a tar's long names and attributes are read into memory."""
_END = struct.Struct("<4s4H2LH")
"""End of a zip's list of members: signature, three numbers, entries, bytes of the list, its offset, comment."""
_LISTED = 1 << 10
"""Bytes that a zip's list has for one member at most, on average."""
_PADDING = 32 << 20
"""Bytes behind the end of a tar at most: tapes were filled up to a block of some size."""
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, struct.error, RecursionError)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may claim.

    `ratio` is unpacked bytes for each packed one: pictures hardly shrink, so that a high one is a bomb.
    """

    entries: int = 50_000
    size: int = 8 * _GIB
    ratio: float = 100.0


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its path in the folder, its bytes, and what opens it."""

    path: str
    size: int
    key: zipfile.ZipInfo | tarfile.TarInfo


def read(path: Path, limits: Limits) -> list[Member]:
    """List the files of an archive.

    Raises
    ------
    DataError
        If it is damaged, claims more than it may, or holds what may not be written.
    """
    _check_directory(path, limits)
    with opened(path) as archive:
        found = list(
            _zip(path, archive, limits) if isinstance(archive, zipfile.ZipFile) else _tar(path, archive, limits)
        )
    _check_bulk(path, sum(member.size for member in found), limits)
    return found


def content(path: Path, archive: Archive, member: Member, folder: Path) -> IO[bytes]:
    """Open one file of an open archive; `folder` is where it will be written."""
    if isinstance(archive, zipfile.ZipFile):
        return archive.open(cast("zipfile.ZipInfo", member.key))
    # A second opinion of the standard library, after our own.
    info = tarfile.data_filter(cast("tarfile.TarInfo", member.key), str(folder))
    cast("_Bounded", archive.fileobj).left = 2 * member.size + 2 * _HEADER  # what is buffered counts too
    stream = archive.extractfile(info)
    if stream is None:
        raise refused(path, member.path, "is no file")
    return stream


def kind(path: Path) -> str | None:
    """How an archive is packed, by its first bytes."""
    try:
        with path.open("rb") as stream:
            start = stream.read(512)
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Give a readable file") from None
    magic = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}
    for signature, packed in magic.items():
        if start.startswith(signature):
            return packed
    return "tar" if start[257:262] == b"ustar" else None


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open an archive; damage that is found while it is open becomes one line."""
    with _damage(path), _unguarded(path) as archive:
        yield archive


@contextmanager
def _unguarded(path: Path) -> Iterator[Archive]:
    packed = kind(path)
    if packed is None:
        raise DataError(str(path), "is no archive that can be read", "Give a zip, tar, tar.gz, tar.bz2 or tar.xz")
    if packed == "zip":
        with zipfile.ZipFile(path) as archive:
            yield archive
        return
    opener: dict[str, Callable[[Path], Any]] = {
        "tar": lambda file: file.open("rb"),
        "gz": gzip.GzipFile,
        "bz2": bz2.BZ2File,
        "xz": lzma.LZMAFile,
    }
    with opener[packed](path) as stream, tarfile.open(fileobj=cast("IO[bytes]", _Bounded(stream)), mode="r:") as tar:
        yield tar


class _Bounded(io.RawIOBase):
    """A stream that hands out at most `left` bytes: a header that claims more would be read into memory whole."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.left = 2 * _HEADER

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= self.left:
            raise tarfile.ReadError("a header claims more bytes than a header has")
        self.left -= size
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _check_directory(path: Path, limits: Limits) -> None:
    """Make sure that the list of a zip's members is not too long to be read into memory."""
    if kind(path) != "zip":
        return
    with path.open("rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        start = stream.seek(max(0, end - (1 << 16) - _END.size))
        tail = stream.read(end - start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise DataError(str(path), "is damaged or cut off: its list of members is missing", "Download it again")
    entries, length = _END.unpack_from(tail, at)[4:6]
    # A count of 65,535 says "or more"; a length of that kind is too long anyway.
    check_count(path, max(entries if entries < 0xFFFF else 0, length // _LISTED), limits)


def _zip(path: Path, archive: zipfile.ZipFile, limits: Limits) -> Iterator[Member]:
    for count, info in enumerate(archive.infolist(), start=1):
        check_count(path, count, limits)
        name = inside(path, info.orig_filename)
        if info.is_dir() and info.file_size == 0:
            continue
        if info.is_dir() or not name:
            raise refused(path, info.orig_filename, "is a file with the name of a folder")
        mode = (info.external_attr >> 16) & 0o170000
        if mode not in (0, 0o100000):
            raise refused(path, name, "is a link" if mode == 0o120000 else "is no plain file")
        if info.flag_bits & 0x1:
            raise DataError(
                str(path), "is locked with a password", "Unpack it with the one you were given, and name the folder"
            )
        if info.compress_type not in _METHODS:
            raise DataError(str(path), f"{name!r} is packed by an unknown method", "Unpack it, and name the folder")
        yield Member(name, info.file_size, info)


def _tar(path: Path, archive: tarfile.TarFile, limits: Limits) -> Iterator[Member]:
    if not hasattr(tarfile, "data_filter"):
        raise DataError(str(path), "this Python unpacks no tar safely", "Take Python 3.11.4 or later")
    total = count = 0
    while (info := _next(archive)) is not None:
        count += 1
        check_count(path, count, limits)
        name = inside(path, info.name)
        if info.isdir():
            continue
        if not name:
            raise refused(path, info.name, "is a file with the name of a folder")
        if info.issym() or info.islnk():
            raise refused(path, name, "is a link")
        if not info.isreg() or info.issparse():
            raise refused(path, name, "is no plain file")
        total += info.size
        _check_bulk(path, total, limits)  # before it is skipped, which unpacks it
        yield Member(name, info.size, info)
    _to_the_end(archive)


def _to_the_end(archive: tarfile.TarFile) -> None:
    """Read what lies behind the last member (zeros): the check sum of a packed stream stands at its end."""
    stream = cast("_Bounded", archive.fileobj)
    stream.left = _PADDING + BLOCK
    while stream.read(BLOCK):
        if stream.left < BLOCK:
            raise tarfile.ReadError("more lies behind its end than a tar is padded with")


def _next(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    cast("_Bounded", archive.fileobj).left = 2 * _HEADER
    return archive.next()


def check_count(path: Path, count: int, limits: Limits) -> None:
    """Refuse more entries than may be."""
    if count > limits.entries:
        raise DataError(
            str(path),
            f"holds more than {limits.entries:,} entries",
            "If its publisher says that many, raise the limit: --most-entries",
        )


def check_size(path: Path, size: int, limits: Limits) -> None:
    """Refuse more bytes than may be."""
    if size > limits.size:
        raise DataError(
            str(path),
            f"unpacks to more than {limits.size / _GIB:g} GiB",
            "If its publisher says that much, raise the limit: --most-gib",
        )


def _check_bulk(path: Path, size: int, limits: Limits) -> None:
    check_size(path, size, limits)
    packed = max(path.stat().st_size, 1)
    if size > _HEADER and size > limits.ratio * packed:
        raise DataError(
            str(path), f"unpacks to more than {limits.ratio:g} times its size", "No collection of pictures does: a bomb"
        )


def _text(error: Exception) -> str:
    """What a library says, without a stop at its end."""
    return str(error).rstrip(".")


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn what the libraries raise on damaged or hostile bytes into one line."""
    try:
        yield
    except tarfile.FilterError as error:
        raise refused(path, error.tarinfo.name, "would not stay inside the folder as a plain file") from None
    except _DAMAGED as error:
        raise DataError(str(path), f"is damaged or cut off: {_text(error)}", "Download it again") from None
    except (NotImplementedError, UnicodeDecodeError) as error:
        raise DataError(str(path), f"cannot be read: {error}", "Unpack it, and name the folder") from None
    except OSError as error:
        if error.errno is not None:  # the disk's, not the archive's
            raise
        raise DataError(str(path), f"is damaged or cut off: {_text(error)}", "Download it again") from None
