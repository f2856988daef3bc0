"""Weights of a model: from the address that its card names, or from a copy that somebody brought along.

Nothing is fetched without a digest that somebody published or stated, and a file appears under its name only when it
has that digest. A download that breaks goes on where it broke, in the next command too.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from audit.cache_root import cache_root
from audit.download import Wanted, download
from audit.errors import ModelError
from audit.models import weights
from audit.models.card_file import UNKNOWN, CardFile, WeightFile

_BLOCK = 1 << 20


def wanted(card: CardFile) -> list[WeightFile]:
    """Files of a model that do not come with an installed package.

    Raises
    ------
    ModelError
        If there are none, or the digest of one is unknown.
    """
    files = [file for file in (card.weights, *card.parts.values()) if not file.package]
    if not files:
        raise ModelError(
            card.name,
            f"its weights come with the package {card.weights.package.partition('/')[0]}",
            "There is nothing to obtain; 'faceaudit models list' says what to install",
        )
    for file in files:
        if file.sha256 == UNKNOWN:
            raise ModelError(
                card.name,
                f"no digest of its weights {file.file} is published, so that nothing can be checked",
                f"{f'They are said to be at {file.url}. ' if file.url else ''}Make sure where your copy comes from, "
                f"and write a card of your own: like = {card.name!r}, [weights] with file and sha256",
                missing="digest",
            )
    return files


def fetch(file: WeightFile, folder: Path, *, received: Callable[[int], None], stop: threading.Event) -> Path:
    """Fetch a file of weights unless it is there and right.

    Parameters
    ----------
    file : WeightFile
        With a known digest.
    folder : Path
        Where to; made if needed.
    received : callable
        Called with numbers of bytes as they arrive.
    stop : Event
        Set to give up soon.

    Raises
    ------
    ModelError
        If its card names no address, or the folder cannot be written.
    DataError
        If it cannot be fetched, or is another one.
    """
    if not file.url:
        raise ModelError(file.file, "has no public address in its card", "Give your own copy with --from FILE")
    target = folder / Path(file.file).name
    _make(folder)
    if target.is_file() and weights.digest(target) == file.sha256:
        return target
    wanted_file = Wanted(target.name, file.sha256, file.bytes, file.hosts)
    kept = cache_root() / "partial" / file.sha256
    download(wanted_file, file.url, folder, kept, received=received, stop=stop)
    return target


def take(file: WeightFile, source: Path, folder: Path) -> Path:
    """Take a copy that somebody brought along; it gets its name only if it has the digest of the card.

    Raises
    ------
    ModelError
        If it cannot be read, is another file, or the folder has no room.
    """
    if not source.is_file():
        raise ModelError(str(source), "there is no such file", "Give the path of a file of weights with --from")
    weights.check(source, file.sha256, file.digest_source, file.bytes)
    target = folder / Path(file.file).name
    _make(folder)
    if target.exists() and target.samefile(source):
        return target
    part = None
    try:
        handle, name = tempfile.mkstemp(prefix=".unfinished-", dir=folder)
        part = Path(name)
        with os.fdopen(handle, "wb") as stream, source.open("rb") as content:
            shutil.copyfileobj(content, stream, _BLOCK)
        if hashlib.sha256(part.read_bytes()).hexdigest() != file.sha256:
            raise ModelError(str(source), "changed while it was copied", "Try again when the file is at rest")
        part.chmod(0o644)
        part.replace(target)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        found = "the disk is full" if full else f"cannot be written: {error.strerror}"
        raise ModelError(str(folder), found, "Make room, or name another place with --into") from None
    finally:
        if part is not None:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    return target


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(str(folder), f"cannot be written: {error.strerror}", "Name another place: --into") from None
