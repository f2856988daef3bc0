"""What counting some tiles leaves behind, and where it is kept until all are counted.

Parts are a monoid: whoever counted a tile, a thread, an earlier run or another machine, its part is merged in the same
way, and tiles are counted once. A checkpoint is a folder of parts, each written whole or not at all: after a run was
killed, the same command counts only the tiles that no part holds.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit import whole_file
from audit.compare.counts import Ints
from audit.compare.tiles import LARGEST_COUNT, Held

INTERVAL = 20.0
"""Seconds of work of a thread between two parts that it writes."""


@dataclass(frozen=True, eq=False)
class Part:
    """Counts of some tiles.

    Parameters
    ----------
    tiles : (k, 2) row and column block of each tile counted
    histogram : (cells, bins), of 32 or 64 bits
    held : what is held of them, by tile
    """

    tiles: Ints
    histogram: NDArray[np.integer]
    held: tuple[Held, ...]

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Part:
        """The neutral element."""
        return cls(np.zeros((0, 2), dtype=np.int64), np.zeros(shape, dtype=np.uint32), ())

    def merge(self, other: Part) -> Part:
        """Add another part; a tile must not be in both.

        Raises
        ------
        ValueError
            If a tile is: its comparisons would count twice.
        """
        tiles = np.concatenate([self.tiles, other.tiles])
        order = np.lexsort((tiles[:, 1], tiles[:, 0]))
        tiles = tiles[order]
        if len(tiles) > 1 and (np.diff(tiles, axis=0) == 0).all(axis=1).any():
            raise ValueError("a tile is in both parts")
        held = sorted((*self.held, *other.held), key=lambda one: one.tile)
        return Part(tiles, _added(self.histogram, other.histogram), tuple(held))


def _added(one: NDArray[np.integer], two: NDArray[np.integer]) -> NDArray[np.integer]:
    """Sum of counts, of 32 bits where they suffice: half the memory."""
    small = one.dtype == two.dtype == np.uint32 and int(one.max(initial=0)) + int(two.max(initial=0)) <= LARGEST_COUNT
    made: NDArray[np.integer] = np.add(one, two, dtype=np.uint32 if small else np.int64)
    return made


def pack(part: Part) -> bytes:
    """A part as the bytes of a .npz file; nothing in it is a Python object."""
    sizes = np.array([[*one.tile, len(one.place), len(one.own_place)] for one in part.held], dtype=np.int64)
    columns: dict[str, Any] = {
        name: np.concatenate([np.zeros(0, kind), *(getattr(one, name) for one in part.held)]).astype(kind)
        for name, kind in _COLUMNS
    }
    used = np.flatnonzero(part.histogram)
    stream = io.BytesIO()
    np.savez(
        stream, tiles=part.tiles, shape=np.array(part.histogram.shape), used=used, counts=part.histogram.ravel()[used],
        sizes=sizes.reshape(-1, 4), **columns,
    )  # fmt: skip
    return stream.getvalue()


_COLUMNS = (("place", np.uint32), ("score", np.float32), ("own_place", np.uint32), ("own_score", np.float32))


def unpack(content: bytes) -> Part:
    """The part that `pack` made."""
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        if found["counts"].dtype not in (np.uint32, np.int64):
            raise ValueError("counts are whole numbers of 32 or 64 bits")
        kind = found["counts"].dtype
        histogram: NDArray[np.integer] = np.zeros(int(np.prod(found["shape"])), dtype=kind)
        histogram[found["used"]] = found["counts"]
        sizes = found["sizes"]
        ends = np.cumsum(sizes[:, 2:], axis=0)
        columns = [found[name] for name, _ in _COLUMNS]
        held = []
        for row, (end, own_end) in zip(sizes.tolist(), ends.tolist(), strict=True):
            some, own = slice(end - row[2], end), slice(own_end - row[3], own_end)
            held.append(
                Held((row[0], row[1]), columns[0][some], columns[1][some], columns[2][own], columns[3][own])
            )  # fmt: skip
        return Part(found["tiles"], histogram.reshape(found["shape"]), tuple(held))


class Checkpoint:
    """A folder of parts.

    Parameters
    ----------
    folder : of these comparisons: its name must say everything that decides a count
    notice : called, once, with a sentence if a part cannot be written; the run goes on without
    """

    def __init__(self, folder: Path, notice: Callable[[str], None]) -> None:
        self._folder, self._notice = folder, notice
        self._off = False
        self._lock = threading.Lock()

    def load(self, shape: tuple[int, int], cut: Ints) -> Part:
        """All parts that fit these cells, bins and cuts, merged; one that is damaged is left out."""
        total = Part.empty(shape)
        for path in sorted(self._place(cut).glob("*.npz")):
            try:
                content = path.read_bytes()
                if hashlib.sha256(content).hexdigest() != path.stem:
                    continue
                total = total.merge(unpack(content))
            except (OSError, ValueError, KeyError):
                continue
        return total

    def save(self, part: Part, cut: Ints) -> None:
        """Write a part, whole or not at all."""
        if self._off:
            return
        content = pack(part)
        place = self._place(cut)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            whole_file.put(place / f"{hashlib.sha256(content).hexdigest()}.npz", content)
        except OSError as error:
            with self._lock:
                if not self._off:
                    self._off = True
                    self._notice(f"{self._folder}: finished comparisons cannot be kept ({error.strerror}); going on")

    def within(self, name: str) -> Checkpoint:
        """A folder in this one, for parts that must not be mixed with others."""
        return Checkpoint(self._folder / name, self._notice)

    def clear(self) -> None:
        """Remove everything: it is not needed any more."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _place(self, cut: Ints) -> Path:
        return self._folder / hashlib.sha256(np.ascontiguousarray(cut, dtype=np.int64).tobytes()).hexdigest()[:32]


class Saver:
    """One thread's tiles, on their way into parts.

    Parameters
    ----------
    shape : of the histogram
    cut : bins from which scores are held
    checkpoint : where parts are kept as well; None: nowhere
    """

    def __init__(self, shape: tuple[int, int], cut: Ints, checkpoint: Checkpoint | None) -> None:
        self._shape, self._cut, self._checkpoint = shape, cut, checkpoint
        self.parts: list[Part] = []
        self._tiles: list[tuple[int, int]] = []
        self._held: list[Held] = []
        self._since = time.monotonic()

    def add(self, held: Held, counts: Callable[[], NDArray[np.integer]]) -> None:
        """Take what one tile has left; `counts` empties the histogram."""
        self._tiles.append(held.tile)
        if held.size:
            self._held.append(held)
        if self._checkpoint is not None and time.monotonic() - self._since >= INTERVAL:
            self._checkpoint.save(self.finish(counts), self._cut)

    def finish(self, counts: Callable[[], NDArray[np.integer]]) -> Part:
        """Make a part of what has come since the last."""
        tiles = np.array(self._tiles, dtype=np.int64).reshape(-1, 2)
        part = Part(tiles, counts(), tuple(self._held))
        self.parts.append(part)
        self._tiles, self._held, self._since = [], [], time.monotonic()
        return part


def merged(parts: Sequence[Part], shape: tuple[int, int]) -> Part:
    """Merge parts, two by two; the order of the tiles is that of their numbers, also in one part alone."""
    level = [part for part in parts if len(part.tiles)]
    if len(level) < 2:
        level = [Part.empty(shape), *level]
    while len(level) > 1:
        level = [level[k].merge(level[k + 1]) if k + 1 < len(level) else level[k] for k in range(0, len(level), 2)]
    return level[0]
