"""Write a file whole: readers see the old one or the new one, never half of it, whenever the process is killed."""

from __future__ import annotations

import glob
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_LEFT_BEHIND = 3600.0
"""Seconds after which a file that was being written was left by a process that died."""


def write(path: Path, content: bytes, *, mode: int = 0o644, durable: bool = True, keep: bool = False) -> None:
    """Write a file as `put` does; what a killed process left beside it an hour ago goes.

    For folders of few files: every one of them is looked at.

    Raises
    ------
    OSError
        Naming `path`, if it cannot be written; nothing is changed then.
    """
    put(path, content, mode=mode, durable=durable, keep=keep, prefix=f".{path.name}.")
    sweep(path)


def put(
    path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True, keep: bool = False, prefix: str = ".new-"
) -> None:
    """Write beside the place, then take its name.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    mode : int
        Who may read it.
    durable : bool
        Whether the disk must have it before it gets its name: then it also outlives a loss of power.
    keep : bool
        Whether a file that is there stays: of two processes at once, the first one wins.
    prefix : str
        How the name begins that the file has until it is whole; whoever owns the folder sweeps such names.

    Raises
    ------
    OSError
        Naming `path`, if it cannot be written; nothing is changed then.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                if durable:
                    stream.flush()
                    os.fsync(stream.fileno())
            if mode != 0o600:  # what mkstemp gives
                os.chmod(name, mode)  # noqa: PTH101 - mkstemp returns a name
            if keep:
                _link(name, path)
            else:
                os.replace(name, path)  # noqa: PTH105 - as above
        finally:
            with suppress(OSError):  # what went wrong first is what is said
                Path(name).unlink(missing_ok=True)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _link(name: str, path: Path) -> None:
    try:
        os.link(name, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            os.replace(name, path)  # noqa: PTH105 - see above


def sweep(path: Path) -> None:
    """Remove what processes that were killed while they wrote a file left beside it, once it is an hour old."""
    with suppress(OSError):
        for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND:
                left.unlink(missing_ok=True)
