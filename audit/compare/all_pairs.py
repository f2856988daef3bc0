"""Every sample with every other, by tiles, in one pass over the comparisons.

The pass counts all scores on a fine grid and holds the exact scores of the tail in which thresholds will lie: all that
is asked later (thresholds, errors by subject, errors by pair) is answered from what is held. Where the tail begins is
an estimate (`audit.compare.tail`). Where it falls short, or there was no room, a further pass answers instead: results
never depend on the estimate.

Cosine, dot product and (negated) Euclidean distance are all matrix products; scores are float32. Many are made by the
processor's matrix unit, where there is one (`audit.compare.bfloat16`).
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from audit.compare import bfloat16, counts, error_kernel, kernel, tail, threads, tiles
from audit.compare.blocks import ArrayRows, Block, Blocks, Rows, Similarity
from audit.compare.counts import (
    Floats,
    Grid,
    Ints,
    OperatingCounts,
    Reach,
    ScoreCounts,
    mask_cells,
    pair_cells,
)
from audit.compare.design import comparisons_of
from audit.compare.device import SIDE, DeviceCounter, require
from audit.compare.exact_rows import rows_of
from audit.compare.parts import Checkpoint, Part, Saver, merged
from audit.compare.sums import OwnSums, Sums
from audit.compare.tiles import Counter, Held, Wanted

T = TypeVar("T", Sums, OwnSums)


@dataclass(frozen=True, eq=False)
class _Pass:
    """What the first pass has left: counts, what is held of each tile, and from which bin on of each cell."""

    histogram: NDArray[np.integer]
    held: Sequence[Held]
    cut: Ints


class AllPairs:
    """All mated and non-mated comparisons of a set of templates.

    Parameters
    ----------
    vectors : float, shape (samples, dimension), or `Rows`; finite
    subject : int, shape (samples,): index of each sample's subject
    atom_of : int, shape (subjects,): atom of each subject
    atoms : number of atoms
    similarity : cosine, dot, or euclidean (the negated distance)
    progress : called with (tiles done, tiles in all), by one thread at a time
    workers : threads; 0 takes the number of cores
    checkpoint : where tiles that are counted are kept until all are
    device : where products are made: cpu, or cuda (`audit.compare.device`)
    cluster : Ray cluster that counts tiles (`audit.compare.distributed`); none: this process
    by_terms : multiply as the matrix unit does; None: where there is one, and enough to do
    """

    def __init__(
        self,
        vectors: NDArray[np.floating] | Rows,
        subject: Ints,
        atom_of: Ints,
        atoms: int,
        similarity: Similarity,
        progress: Callable[[int, int], None] | None = None,
        *,
        workers: int = 0,
        checkpoint: Checkpoint | None = None,
        device: str = "cpu",
        cluster: str = "",
        by_terms: bool | None = None,
    ) -> None:
        rows = ArrayRows(vectors) if isinstance(vectors, np.ndarray) else vectors
        self._atom_of = np.asarray(atom_of, dtype=np.int64)
        self._atoms = atoms
        self._workers = workers or threads.cores()
        self._device, self._cluster = device, cluster
        if device != "cpu":
            require(device)
        self._progress = progress
        side = 0 if device == "cpu" else SIDE
        self._blocks = Blocks(rows, np.asarray(subject, dtype=np.int64), self._atom_of, similarity, side)
        self._by_terms = self._worth_terms() if by_terms is None else by_terms
        longest = self._warm()
        if by_terms is None and longest < bfloat16.LEAST:
            self._by_terms = False
        # Both ways are exact to float32, and differ in last bits: their tiles are kept apart.
        self._checkpoint = checkpoint.within("terms") if checkpoint is not None and self._by_terms else checkpoint
        self._grid = self._make_grid(longest)
        self._pass: _Pass | None = None
        self.samples: Ints | None = np.bincount(self._blocks.subject, minlength=len(self._atom_of))

    @property
    def held(self) -> Ints:
        """Bin of each cell from which on every score is held, (cells,)."""
        return self._first().cut

    def scores(self, kept: NDArray[np.bool_] | None = None, reach: Sequence[Reach] = ()) -> ScoreCounts:
        """Count scores by cell; a further pass is made for kept bins that are not held."""
        first = self._first(reach)
        if kept is None:
            kept = np.full(first.histogram.shape, fill_value=not first.cut.any())
        held = first.held
        lowest = np.where(kept.any(axis=1), np.argmax(kept, axis=1), self._grid.size)
        if not _covers(first, lowest, kept):
            held = self._sweep(Wanted(lowest, kept)).held
        rows = rows_of(held, self._blocks.cut, self._atoms, self._grid, kept, self._workers)
        if kept.all() and len(rows[0]) > counts.EXACT_ROWS:
            kept, rows = np.zeros_like(kept), (rows[0][:0], rows[1][:0], rows[2][:0])
        return ScoreCounts(self._atoms, self._grid, first.histogram, kept, *rows)

    def at(
        self, thresholds: Floats, half: Ints, splits: int, cells: NDArray[np.bool_] | None = None
    ) -> OperatingCounts:
        """Count errors at ascending thresholds, from what is held or else by a further pass."""
        thresholds = np.asarray(thresholds, dtype=np.float64)
        asked = np.ones((len(thresholds), pair_cells(self._atoms)), dtype=bool)
        if cells is not None and len(thresholds):
            asked = np.array([mask_cells(mask) for mask in cells])
        sizes = self._sizes()

        def start() -> Sums:
            return Sums(thresholds, sizes, self._atom_of, self._atoms, half, splits, asked)

        total = comparisons_of(sizes, self._atom_of, self._atoms, thresholds, half, splits)
        if len(thresholds):
            parts = self._errors(start, self._lowest(thresholds, asked))
            total = total.merge(functools.reduce(Sums.merge, parts).made())
        return total

    def at_own(self, limits: Floats, own_limits: Floats) -> OperatingCounts:
        """Count errors at thresholds of each cell's own, from what is held or else by a further pass."""
        sizes = self._sizes()
        slots, people = len(limits), len(self._atom_of)
        nobody = np.zeros(people, dtype=np.int64)
        total = comparisons_of(sizes, self._atom_of, self._atoms, np.arange(slots, dtype=np.float64), nobody, 0)
        lowest = np.min(limits, axis=0, initial=np.inf)[np.triu_indices(self._atoms)]
        asked = np.isfinite(lowest)
        bins = np.where(asked, self._grid.bins(np.where(asked, lowest, 0.0)), self._grid.size)
        cut = np.r_[bins, np.zeros(self._atoms, dtype=np.int64)]
        parts = self._errors(lambda: OwnSums(limits, own_limits, sizes, self._atom_of), cut)
        return total.merge(functools.reduce(OwnSums.merge, parts).made())

    def chunks(self, above: float | None = None) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Give the comparisons of one tile after the other, from what is held or else by a further pass."""
        low = 0 if above is None else int(self._grid.bins(np.array([above]))[0])
        blocks = self._blocks.cut
        for held in self._each_held(np.full(pair_cells(self._atoms) + self._atoms, low)):
            rows, columns = blocks[held.tile[0]], blocks[held.tile[1]]
            own = rows.subjects[rows.owner[held.own_place >> kernel.SHIFT]]
            first = np.r_[rows.subjects[rows.owner[held.place >> kernel.SHIFT]], own]
            second = np.r_[columns.subjects[columns.owner[held.place & kernel.LARGEST]], own]
            score = np.r_[held.score, held.own_score].astype(np.float64)
            keep = slice(None) if above is None else score >= above
            yield first[keep], second[keep], score[keep]

    def by_sample(self, above: float | None = None) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Samples (one, two) and scores, tile by tile: all mated comparisons, and non-mated ones from `above` on."""
        low = 0 if above is None else int(self._grid.bins(np.array([above]))[0])
        cut = np.full(pair_cells(self._atoms) + self._atoms, low)
        cut[pair_cells(self._atoms) :] = 0
        order = self._blocks.order
        for held in self._each_held(cut):
            rows, columns = (self._blocks.cut[number].samples.start for number in held.tile)
            keep = slice(None) if above is None else held.score >= above
            place = held.place[keep]
            one = np.r_[rows + (place >> kernel.SHIFT), rows + (held.own_place >> kernel.SHIFT)]
            two = np.r_[columns + (place & kernel.LARGEST), columns + (held.own_place & kernel.LARGEST)]
            yield order[one], order[two], np.r_[held.score[keep], held.own_score].astype(np.float64)

    def wrong_pairs(self, thresholds: Floats) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Give the subject pairs that have a non-mated comparison at or above the first of ascending thresholds.

        Yields
        ------
        (first, second, errors) : (pairs,), (pairs,), (T, pairs), tile by tile; no pair twice
        """
        limits = np.asarray(thresholds, dtype=np.float64)
        cut = np.full(pair_cells(self._atoms) + self._atoms, self._grid.bins(limits[:1])[0])
        cut[pair_cells(self._atoms) :] = self._grid.size
        blocks = self._blocks.cut
        for held in self._each_held(cut):
            rows, columns = blocks[held.tile[0]], blocks[held.tile[1]]
            pairs = np.empty((len(held.place), 2), dtype=np.int32)
            errors = np.empty((len(limits), len(held.place)), dtype=np.int32)
            made = error_kernel.list_errors(
                held.place, held.score, rows.owner, columns.owner, rows.subjects, columns.subjects, limits,
                pairs, errors,
            )  # fmt: skip
            two = pairs[:made].astype(np.int64)
            yield two[:, 0], two[:, 1], errors[:, :made].astype(np.int64)

    def _errors(self, start: Callable[[], T], cut: Ints) -> list[T]:
        """Errors from the cuts on, in parts: of what is held, or tile by tile, holding nothing longer."""
        first, blocks = self._pass, self._blocks.cut
        if first is not None and _covers(first, cut):

            def add(sums: T, held: Held) -> None:
                sums.add(blocks[held.tile[0]], blocks[held.tile[1]], held)

            return threads.each(first.held, self._workers, start, add)
        report = self._reporter()

        def count(state: tuple[Counter | DeviceCounter, T], tile: tuple[Block, Block]) -> None:
            state[1].add(*tile, state[0].count(*tile, Wanted(cut)))
            report()

        with threads.one_thread_each():
            states = threads.each(tiles.order(blocks), self._hands, lambda: (self._counter(), start()), count)
        return [sums for _, sums in states]

    def _each_held(self, cut: Ints) -> Iterator[Held]:
        """What is held of tile after tile, at least from the cuts on."""
        first = self._pass
        if first is not None and _covers(first, cut):
            yield from first.held
            return
        with threads.one_thread_each():
            counter = self._counter()
            for rows, columns in tiles.order(self._blocks.cut):
                yield counter.count(rows, columns, Wanted(cut))

    def _first(self, reach: Sequence[Reach] = ()) -> _Pass:
        """The first pass, made once."""
        if self._pass is None:
            number = len(self._blocks.subject)
            if number * (number - 1) // 2 <= counts.EXACT_ROWS:
                cut = np.zeros(pair_cells(self._atoms) + self._atoms, dtype=np.int64)
            else:
                cut = tail.cuts(self._blocks, self._atoms, self._grid, self._sizes(), reach)
            self._pass = self._sweep(Wanted(cut), self._checkpoint)
        return self._pass

    def _sweep(self, wanted: Wanted, checkpoint: Checkpoint | None = None) -> _Pass:
        """Count every tile that the checkpoint does not have."""
        shape = (pair_cells(self._atoms) + self._atoms, self._grid.size)
        known = Part.empty(shape) if checkpoint is None else checkpoint.load(shape, wanted.cut)
        done = {(int(one), int(two)) for one, two in known.tiles}
        if self._cluster:
            parts = self._elsewhere(wanted, checkpoint, done)
        else:
            parts = self._here(wanted, checkpoint, done, shape)
        total = merged([known, *parts], shape)
        return _Pass(total.histogram, total.held, wanted.cut)

    def _here(
        self, wanted: Wanted, checkpoint: Checkpoint | None, done: set[tuple[int, int]], shape: tuple[int, int]
    ) -> list[Part]:
        """Count with the threads of this process."""
        report = self._reporter(len(done))

        def count(state: tuple[Counter | DeviceCounter, Saver], tile: tuple[Block, Block]) -> None:
            state[1].add(state[0].count(*tile, wanted), state[0].finish)
            report()

        with threads.one_thread_each():
            states = threads.each(
                (tile for tile in tiles.order(self._blocks.cut) if (tile[0].number, tile[1].number) not in done),
                self._hands,
                lambda: (self._counter(), Saver(shape, wanted.cut, checkpoint)),
                count,
            )
        for counter, saver in states:
            saver.finish(counter.finish)
        return [part for _, saver in states for part in saver.parts]

    def _elsewhere(self, wanted: Wanted, checkpoint: Checkpoint | None, done: set[tuple[int, int]]) -> list[Part]:
        """Count on the cluster."""
        from audit.compare import distributed  # noqa: PLC0415 - most runs need no cluster

        blocks = self._blocks
        report = self._reporter(len(done))

        def keep(part: Part) -> None:
            if checkpoint is not None:
                checkpoint.save(part, wanted.cut)
            for _ in part.tiles:
                report()

        job = distributed.Job(
            uuid.uuid4().hex,
            blocks.subject,
            self._atom_of,
            self._atoms,
            blocks.similarity,
            blocks.side,
            self._grid,
            wanted,
            self._by_terms,
        )
        return distributed.sweep(self._cluster, blocks, job, done, keep)

    def _counter(self) -> Counter | DeviceCounter:
        if self._device != "cpu":
            return DeviceCounter(self._blocks, self._atoms, self._grid, self._device)
        return Counter(self._blocks, self._atoms, self._grid, by_terms=self._by_terms)

    def _warm(self) -> float:
        """Make blocks ready, as they will be multiplied here; the largest squared length, which of cosines is 1."""
        blocks, cosine = self._blocks, self._blocks.similarity == "cosine"
        take = blocks.terms if cosine and self._by_terms and not self._cluster else blocks.load

        def make(_: None, block: Block) -> None:
            take(block)

        with threads.one_thread_each():
            threads.each(blocks.cut, self._workers, lambda: None, make)
        return 1.0 if cosine else blocks.longest()

    def _worth_terms(self) -> bool:
        """Whether the processors that multiply have a matrix unit, and enough to do."""
        blocks = self._blocks
        if len(blocks.subject) < bfloat16.MANY or blocks.side % bfloat16.PANEL or self._device != "cpu":
            return False
        if not self._cluster:
            return bfloat16.available()
        from audit.compare import distributed  # noqa: PLC0415 - most runs need no cluster

        return bfloat16.available() and distributed.have_matrix_units(self._cluster)

    @property
    def _hands(self) -> int:
        """Threads that count tiles: an accelerator has one queue."""
        return self._workers if self._device == "cpu" else 1

    def _reporter(self, done: int = 0) -> Callable[[], None]:
        number = len(self._blocks.cut)
        return threads.counted(number * (number + 1) // 2, self._progress, done)

    def _sizes(self) -> Ints:
        return np.asarray(np.bincount(self._blocks.subject, minlength=len(self._atom_of)), dtype=np.int64)

    def _lowest(self, thresholds: Floats, asked: NDArray[np.bool_]) -> Ints:
        """Bin of the lowest threshold that is asked for in each cell; mated comparisons are needed from below."""
        bins = np.where(asked, self._grid.bins(thresholds)[:, None], self._grid.size)
        return np.asarray(np.r_[bins.min(axis=0), np.zeros(self._atoms, dtype=np.int64)], dtype=np.int64)

    def _make_grid(self, longest: float) -> Grid:
        size = Grid.over(0.0, 1.0, self._atoms).size
        if self._blocks.similarity == "cosine":
            return Grid(-1.0, 1.0, size)
        largest = longest or 1.0
        distance = self._blocks.similarity == "euclidean"
        reach = float(2.0 ** np.ceil(np.log2(2 * np.sqrt(largest) if distance else largest)))
        return Grid(-reach, 0.0 if distance else reach, size)


def _covers(first: _Pass, cut: Ints, kept: NDArray[np.bool_] | None = None) -> bool:
    """Whether everything from the cuts on is held, in all bins or in those that are kept."""
    short = np.flatnonzero(cut < first.cut)
    bins = np.arange(first.histogram.shape[1])
    lacking = (bins >= cut[short, None]) & (bins < first.cut[short, None])
    if kept is not None:
        lacking &= kept[short]
    return not (first.histogram[short][lacking] > 0).any()
