"""Content-addressed cache of templates and failures.

An outcome is filed under what decided it: the image's digest, the weights' digest and the preprocessing id. So
nothing in the cache is ever stale, and names, labels and paths of people do not appear in it. One small file an
outcome: written whole or not at all, and a damaged one costs one recomputation. Templates are biometric data:
folders are 0700, files 0600.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import numpy as np

from audit import whole_file
from audit.cache_root import cache_root
from audit.domain import FailureToAcquire, Stage, Template
from audit.errors import DataError

_MAGIC = b"faceaudit-outcome-1\n"
_TEMPLATE, _FAILURE = b"T", b"F"
_LEFT_OVER = 60.0
"""Seconds after which a file that is being written was left behind by a process that died."""
_WAY_OUT = "Set FACEAUDIT_CACHE to a folder that can be written and has room"

COMPARISONS = "comparisons"
"""Folder of the cache in which comparisons that are under way are kept, part by part."""


def default_root() -> Path:
    """Where the cache lies unless a caller names another folder."""
    return cache_root()


@dataclass(frozen=True, slots=True)
class Key:
    """What decides an outcome: three digests, hexadecimal."""

    image: str
    weights: str
    preprocessing: str

    def bytes(self) -> bytes:
        """Canonical form, part of what an entry's checksum covers: an entry under a wrong name is a damaged one."""
        return f"{self.image}\0{self.weights}\0{self.preprocessing}\0".encode()


class TemplateStore:
    """A folder of outcomes. Any number of processes may use it at the same time.

    Parameters
    ----------
    root : Path or None
        The cache folder; None takes `default_root()`. Nothing is created before the first write.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or default_root()) / "templates"

    def get(self, key: Key) -> Template | FailureToAcquire | None:
        """Return the outcome, or None if it is unknown or its entry is damaged. Using it makes it young again."""
        path = self._path(key)
        try:
            with path.open("rb") as stream:
                content = stream.read()
                unused = time.time() - os.fstat(stream.fileno()).st_mtime
        except OSError:
            return None
        if unused > _LEFT_OVER:
            with contextlib.suppress(OSError):
                os.utime(path)
        return _parse(content, key)

    def put(self, key: Key, outcome: Template | FailureToAcquire) -> None:
        """File an outcome, atomically, in place of any other.

        Raises
        ------
        DataError
            If the folder cannot be written.
        """
        path = self._path(key)
        try:
            self._folder(path.parent)
            whole_file.put(path, _format(outcome, key), durable=False)  # a damaged entry is known by its digest
        except OSError as error:
            raise DataError(str(self.root), f"cache cannot be written: {error.strerror}", _WAY_OUT) from error

    def prepare(self) -> None:
        """Prove that the cache can be written, before work is done whose result would be lost.

        Raises
        ------
        DataError
            If it cannot.
        """
        try:
            self._folder(self.root)
            handle, name = tempfile.mkstemp(dir=self.root, prefix=".new-")
            os.close(handle)
            Path(name).unlink()
        except OSError as error:
            raise DataError(str(self.root), f"cache cannot be written: {error.strerror}", _WAY_OUT) from error

    def forget(self, images: Iterable[str]) -> int:
        """Delete the outcomes of images for every model and preprocessing; nothing of them can be read afterwards.

        Parameters
        ----------
        images : iterable of str
            SHA-256 of image files, hexadecimal. What an interrupted write left beside their outcomes goes too.

        Returns
        -------
        int
            Outcomes that were deleted.

        Raises
        ------
        DataError
            If one cannot be deleted: a withdrawn person's template must not stay unnoticed.
        """
        wanted = sorted(set(images))
        deleted = 0
        try:
            for setting in sorted(self.root.glob("*-*")):
                for image in wanted:
                    path = setting / image[:2] / f"{image}.outcome"
                    if path.is_file():
                        path.unlink()
                        deleted += 1
                for shelf in {image[:2] for image in wanted}:
                    for left in (setting / shelf).glob(".new-*"):
                        if left.stat().st_mtime < time.time() - _LEFT_OVER:
                            left.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                str(error.filename or self.root),
                f"the template of a withdrawn person cannot be deleted: {error.strerror}",
                "Make the cache writable, or delete this file yourself",
            ) from error
        return deleted

    def _path(self, key: Key) -> Path:
        return self.root / f"{key.weights[:16]}-{key.preprocessing}" / key.image[:2] / f"{key.image}.outcome"

    def _folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        # mkdir gives its mode to the last folder only: the ones above are made one by one.
        if folder != self.root:
            self._folder(folder.parent)
        else:
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def _format(outcome: Template | FailureToAcquire, key: Key) -> bytes:
    if isinstance(outcome, Template):
        body = _TEMPLATE + struct.pack("<I", outcome.faces) + np.asarray(outcome.vector, "<f4").tobytes()
    else:
        body = _FAILURE + json.dumps({"stage": outcome.stage, "reason": outcome.reason}).encode()
    return _MAGIC + hashlib.sha256(key.bytes() + body).digest() + body


def _parse(content: bytes, key: Key) -> Template | FailureToAcquire | None:
    start = len(_MAGIC) + 32
    body = content[start:]
    if not content.startswith(_MAGIC) or content[len(_MAGIC) : start] != hashlib.sha256(key.bytes() + body).digest():
        return None
    if body[:1] == _TEMPLATE:
        (faces,) = struct.unpack_from("<I", body, 1)
        return Template(np.frombuffer(body, "<f4", offset=5).astype(np.float32), faces)
    said = json.loads(body[1:])
    if said["stage"] not in get_args(Stage):
        return None
    return FailureToAcquire(cast("Stage", said["stage"]), said["reason"])
