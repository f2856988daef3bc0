"""Tiles of scores: made by matrix products, counted while they are in cache, several at a time.

Every thread takes the next tile, multiplies with one thread of its own and counts: products and counting overlap, and
nothing is shared but the list of tiles. What a tile leaves behind are integers and the scores of its tail, so that the
outcome does not depend on who counted what, or when.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from audit.compare import kernel
from audit.compare.blocks import Block, Blocks, Scores
from audit.compare.counts import Floats, Grid, Ints, OperatingCounts, pair_cells

NEAR = 1e-3
"""Squared distances below this part of the squared norms are computed again in float64: the product form cancels."""
SQUARE = 4
"""Tiles follow each other in squares of so many blocks: few blocks are read again and again."""
S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Wanted:
    """Which scores of a tile are held.

    Parameters
    ----------
    cut : (cells,) the bin from which they are; the number of bins: none
    kept : (cells, bins) among these, the ones that are; None: all
    """

    cut: Ints
    kept: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class Held:
    """Scores held of one tile; a place is row << 16 | column.

    Comparisons of one row subject stand together.
    """

    tile: tuple[int, int]
    place: NDArray[np.uint32]
    score: Scores
    own_place: NDArray[np.uint32]
    own_score: Scores

    @property
    def size(self) -> int:
        """How many are held."""
        return len(self.place) + len(self.own_place)


class Counter:
    """Counts tiles on a processor core, with buffers that are used again and again.

    Parameters
    ----------
    blocks : templates
    atoms : number of atoms
    grid : of the histogram
    """

    def __init__(self, blocks: Blocks, atoms: int, grid: Grid) -> None:
        import torch  # noqa: PLC0415 - loads in seconds, and listed pairs never need it

        side = blocks.side
        self._torch, self._blocks, self._atoms = torch, blocks, atoms
        self._product = torch.zeros((side, side), dtype=torch.float32)
        self._scores = self._product.numpy()
        self._place, self._score = np.empty(side**2, np.uint32), np.empty(side**2, np.float32)
        self._own_place, self._own_score = np.empty(side**2, np.uint32), np.empty(side**2, np.float32)
        self._scale, self._low = np.float32(grid.scale), np.int32(grid.first)
        self._none = np.zeros((1, 1), dtype=bool)
        self.histogram = np.zeros((pair_cells(atoms) + atoms, grid.size), dtype=np.uint32)
        self._total: Ints | None = None
        self._counted = 0

    def count(self, rows: Block, columns: Block, wanted: Wanted) -> Held:
        """Count one tile into `histogram`, and give what is held of it."""
        side = self._blocks.side
        left, right = self._blocks.load(rows), self._blocks.load(columns)
        parts = []
        for r in range(0, rows.size, side):
            for c in range(r if rows is columns else 0, columns.size, side):
                window = np.array([r, min(r + side, rows.size), c, min(c + side, columns.size)], dtype=np.int64)
                self._multiply(left, right, window)
                parts.append(self._window(rows, columns, window, wanted))
        self._spill(rows.size * columns.size)
        if len(parts) == 1:
            return Held((rows.number, columns.number), *parts[0])
        place, score, own_place, own_score = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(place, kind="stable")
        return Held((rows.number, columns.number), place[order], score[order], own_place, own_score)

    def finish(self) -> Ints:
        """All counts since the last time, (cells, bins)."""
        self._spill(1 << 32)
        made, self._total = self._total, None
        return np.zeros(self.histogram.shape, dtype=np.int64) if made is None else made

    def _spill(self, comparisons: int) -> None:
        """Empty the 32-bit counts before they could run over."""
        self._counted += comparisons
        if self._counted >= 1 << 31:
            counts = self.histogram.astype(np.int64)
            self._total = counts if self._total is None else self._total + counts
            self.histogram[:] = 0
            self._counted = 0

    def _multiply(self, left: tuple[Any, Scores], right: tuple[Any, Scores], window: Ints) -> None:
        side, (r, r_end, c, c_end) = self._blocks.side, window.tolist()
        one, two = left[0][r : r + side], right[0][c : c + side]
        self._torch.mm(one, two.T, out=self._product)
        if self._blocks.similarity == "euclidean":
            norms = left[1][r : r + side], right[1][c : c + side]
            sizes = np.array([r_end - r, c_end - c], dtype=np.int64)
            kernel.to_distances(self._scores, one.numpy(), two.numpy(), *norms, sizes, np.float32(NEAR))

    def _window(self, rows: Block, columns: Block, window: Ints, wanted: Wanted) -> tuple[NDArray[Any], ...]:
        runs = columns.runs
        held, owned = kernel.count_tile(
            self._scores,
            window,
            rows.atoms,
            rows.ends if rows is columns else np.zeros(rows.size, dtype=np.int64),
            runs[0],
            runs[1],
            self._atoms,
            self._scale,
            self._low,
            wanted.cut,
            wanted.kept is not None,
            self._none if wanted.kept is None else wanted.kept,
            self.histogram,
            self._place,
            self._score,
            self._own_place,
            self._own_score,
        )
        return (
            self._place[:held].copy(),
            self._score[:held].copy(),
            self._own_place[:owned].copy(),
            self._own_score[:owned].copy(),
        )


class Sums:
    """Where errors at thresholds are added up.

    Parameters
    ----------
    thresholds : (T,) ascending
    samples, atom_of : (subjects,) samples and atom of each
    atoms : number of atoms
    half, splits : as for `Comparisons.at`
    asked : (T, pair cells) the cells that each threshold is asked for
    """

    def __init__(
        self,
        thresholds: Floats,
        samples: Ints,
        atom_of: Ints,
        atoms: int,
        half: Ints,
        splits: int,
        asked: NDArray[np.bool_],
    ) -> None:
        self._thresholds, self._samples, self._atom_of = thresholds, samples, atom_of
        self._atoms, self._half, self._splits, self._asked = atoms, half, splits, asked
        # Some thresholds are asked for mated comparisons only.
        self._some = np.flatnonzero(asked.any(axis=1))
        self._limits = thresholds[self._some]
        limits, cells = len(self._some), pair_cells(atoms)
        self._errors = np.zeros((len(samples), atoms, limits), dtype=np.int64)
        self._squares = np.zeros((cells, limits), dtype=np.int64)
        self._products = np.zeros((cells, limits), dtype=np.int64)
        self._by_half = np.zeros((cells, limits, 2, splits), dtype=np.int64)
        self._own = np.zeros((len(thresholds), len(samples)), dtype=np.int64)

    def add(self, rows: Block, columns: Block, held: Held) -> None:
        """Add the errors among what is held of a tile."""
        if len(self._limits):
            kernel.add_errors(
                held.place,
                held.score,
                rows.owner,
                columns.owner,
                rows.subjects,
                columns.subjects,
                self._samples,
                self._atom_of,
                self._limits,
                self._half,
                self._splits,
                self._errors,
                self._squares,
                self._products,
                self._by_half,
            )
        kernel.add_own_errors(held.own_place, held.own_score, rows.owner, rows.subjects, self._thresholds, self._own)

    def merge(self, other: Sums) -> Sums:
        """Take in what another thread has added up."""
        for mine, theirs in zip(self._sums(), other._sums(), strict=True):
            np.add(mine, theirs, out=mine)
        return self

    def _sums(self) -> tuple[Ints, ...]:
        return self._errors, self._squares, self._products, self._by_half, self._own

    def made(self) -> OperatingCounts:
        """The errors, in the cells that each threshold is asked for."""
        empty = OperatingCounts.empty(self._thresholds, len(self._samples), self._atoms, self._splits)
        asked = self._asked[self._some]
        table = np.zeros((len(asked), self._atoms, self._atoms), dtype=bool)
        upper = np.triu_indices(self._atoms)
        table[:, upper[0], upper[1]] = table[:, upper[1], upper[0]] = asked
        empty.errors[self._some] = np.where(table[:, self._atom_of], self._errors.transpose(2, 0, 1), 0)
        empty.see[self._some] = np.where(asked, self._squares.T, 0)
        empty.sec[self._some] = np.where(asked, self._products.T, 0)
        empty.half_errors[self._some] = np.where(asked[:, None, None], self._by_half.transpose(1, 3, 2, 0), 0)
        empty.mated_errors[:] = self._own
        return empty


class OwnSums:
    """Where errors at thresholds of each cell's own are added up.

    Parameters
    ----------
    limits : (S, atoms, atoms) thresholds of non-mated comparisons, symmetric; infinite where none is asked for
    own_limits : (S, atoms) thresholds of mated ones; minus infinity where none is asked for
    samples, atom_of : as for `Sums`
    """

    def __init__(self, limits: Floats, own_limits: Floats, samples: Ints, atom_of: Ints) -> None:
        slots, atoms = own_limits.shape
        upper = np.triu_indices(atoms)
        self._limits = np.ascontiguousarray(limits[:, upper[0], upper[1]].T)
        self._own_limits, self._samples, self._atom_of = own_limits, samples, atom_of
        self._asked = np.isfinite(limits).any(axis=0)
        self._errors = np.zeros((len(samples), atoms, slots), dtype=np.int64)
        self._squares = np.zeros((pair_cells(atoms), slots), dtype=np.int64)
        self._products = np.zeros((pair_cells(atoms), slots), dtype=np.int64)
        self._own = np.zeros((slots, len(samples)), dtype=np.int64)

    def add(self, rows: Block, columns: Block, held: Held) -> None:
        """Add the errors among what is held of a tile."""
        kernel.add_own_group_errors(
            held.place, held.score, rows.owner, columns.owner, rows.subjects, columns.subjects, self._samples,
            self._atom_of, self._limits, self._asked, self._errors, self._squares, self._products,
        )  # fmt: skip
        who = rows.subjects[rows.owner[held.own_place >> kernel.SHIFT]]
        for slot, limits in enumerate(self._own_limits):
            wrong = held.own_score < limits[self._atom_of[who]]
            self._own[slot] += np.bincount(who[wrong], minlength=self._own.shape[1])

    def merge(self, other: OwnSums) -> OwnSums:
        """Take in what another thread has added up."""
        for mine, theirs in zip(self._sums(), other._sums(), strict=True):
            np.add(mine, theirs, out=mine)
        return self

    def _sums(self) -> tuple[Ints, ...]:
        return self._errors, self._squares, self._products, self._own

    def made(self) -> OperatingCounts:
        """The errors; slots stand in place of thresholds."""
        slots, people = self._own.shape
        empty = OperatingCounts.empty(np.arange(slots, dtype=np.float64), people, self._errors.shape[1], 0)
        empty.errors[:] = self._errors.transpose(2, 0, 1)
        empty.see[:], empty.sec[:] = self._squares.T, self._products.T
        empty.mated_errors[:] = self._own
        return empty


def order(blocks: Sequence[Block]) -> Iterator[tuple[Block, Block]]:
    """All tiles of the upper triangle, square after square."""
    count = len(blocks)
    for top in range(0, count, SQUARE):
        for left in range(top, count, SQUARE):
            for rows in blocks[top : top + SQUARE]:
                yield from ((rows, columns) for columns in blocks[max(left, rows.number) : left + SQUARE])


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(items: Iterable[Any], workers: int, start: Callable[[], S], step: Callable[[S, Any], None]) -> list[S]:
    """Give every item to one of several threads, each with a state of its own; give the states.

    The first failure stops all, and is raised.
    """
    source = iter(items)
    lock, stop = threading.Lock(), threading.Event()

    def work() -> S:
        state = start()
        while not stop.is_set():
            with lock:
                item = next(source, None)
            if item is None:
                break
            step(state, item)
        return state

    if workers == 1:
        return [work()]
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work) for _ in range(workers)]
        try:
            done, _ = wait(futures, return_when="FIRST_EXCEPTION")
            for future in done:
                future.result()
        except BaseException:
            stop.set()
            raise
        return [future.result() for future in futures]


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Within, every product runs on the thread that asks for it."""
    import torch  # noqa: PLC0415 - loads in seconds, and listed pairs never need it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def counted(total: int, progress: Callable[[int, int], None] | None, done: int = 0) -> Callable[[], None]:
    """Something to call once a tile: it reports how many are done, from one thread at a time."""
    lock = threading.Lock()

    def one_more() -> None:
        nonlocal done
        if progress is not None:
            with lock:
                done += 1
                progress(done, total)

    return one_more
