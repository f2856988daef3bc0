"""Write a folder beside its place, and give it its name only when it is whole."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.errors import DataError

_SPARE = 64 << 20
"""Bytes that are left free on the disk."""


def require_free(target: Path) -> None:
    """Make sure that a folder can be made without writing over anything.

    Raises
    ------
    DataError
        If something is there already; an empty folder is nothing.
    """
    try:
        if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
            raise DataError(str(target), "is there already", "Nothing is overwritten: remove it, or name another place")
    except OSError as error:
        raise DataError(str(target), f"cannot be read: {error.strerror}", "Name another place") from None


@contextmanager
def staged(target: Path, *, size: int = 0) -> Iterator[Path]:
    """Give an empty folder beside `target`, which takes its name when the block ends well and goes when it does not.

    Parameters
    ----------
    target : Path
        Where the folder will be; nothing, or an empty folder.
    size : int
        Bytes that will be written, if known: looked for on the disk first.

    Raises
    ------
    DataError
        If something is there already, or the disk has no room or cannot be written.
    """
    require_free(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
        if size + _SPARE > free:
            text = f"has {free >> 20} MiB left, and {size >> 20} MiB will be written"
            raise DataError(str(target.parent), text, "Make room, or name a place on another disk")
        made, lock = _begun(target)
    except OSError as error:
        raise DataError(str(target), f"cannot be written: {error.strerror}", "Name another place") from None
    try:
        yield made
        made.chmod(0o777 & ~_umask())
        if target.exists():
            target.rmdir()
        made.rename(target)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        text = "the disk is full" if full else f"cannot be written: {error.strerror or error}"
        raise DataError(
            str(target), f"{text}; nothing was kept", "Make room and try again" if full else "Name another place"
        ) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
        _unlock(lock)


def _begun(target: Path) -> tuple[Path, int | None]:
    """Make the folder, locked as long as this process lives; remove those that killed processes left.

    There are pictures of people in them. While the folder above is locked, nobody is between making and locking.
    """
    above = _lock(target.parent, wait=True)
    try:
        for left in target.parent.glob(f".{glob.escape(target.name)}.unfinished-*"):
            dead = _lock(left)
            if dead is not None:
                shutil.rmtree(left, ignore_errors=True)
            _unlock(dead)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}.unfinished-", dir=target.parent))
        return made, _lock(made)
    finally:
        _unlock(above)


def _lock(folder: Path, *, wait: bool = False) -> int | None:
    """Lock a folder; None if it cannot be: another process has it, or there are no locks on this system."""
    try:
        import fcntl  # noqa: PLC0415 - of Unix alone

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _unlock(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now
