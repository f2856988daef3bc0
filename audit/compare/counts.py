"""What comparisons leave behind: two monoids of integers, so that threads, restarts and machines are one code path.

`ScoreCounts` answers where a threshold lies and how scores are distributed; `OperatingCounts` answers, at given
thresholds, what errors each subject had a part in. Everything in both is an integer count, hence merging is exact,
associative and commutative, and nothing depends on the order of the work.

Cells are numbered by atom pair: the non-mated cell of atoms a <= b, then the mated cell of each atom.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EXACT_ROWS = 1 << 20
"""Up to so many distinct (cell, score) pairs are kept exactly."""
BINS = 1 << 14
"""Bins of the fine histogram."""


def pair_cell(first: Ints, second: Ints, atoms: int) -> Ints:
    """Index of the non-mated cell of two atoms, in either order.

    >>> pair_cell(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
    [0, 1, 2]
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.asarray(low * atoms - low * (low - 1) // 2 + (high - low), dtype=np.int64)


def pair_cells(atoms: int) -> int:
    """Number of non-mated cells."""
    return atoms * (atoms + 1) // 2


def mask_cells(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Flatten a symmetric atom mask to the non-mated cells, shape (cells,)."""
    return np.asarray(mask[np.triu_indices(len(mask))], dtype=bool)


@dataclass(frozen=True)
class Grid:
    """The fine histogram's grid: `BINS` bins of equal width from low to high; scores outside fall in the end bins."""

    low: float
    high: float

    @property
    def scale(self) -> float:
        """Bins per unit of score."""
        return BINS / (self.high - self.low)

    def bins(self, scores: Floats) -> Ints:
        """Bin of each score."""
        return np.asarray(np.clip((scores - self.low) * self.scale, 0, BINS - 1).astype(np.int64))

    def edges(self) -> Floats:
        """Edges of the bins, shape (BINS + 1,)."""
        return np.asarray(self.low + np.arange(BINS + 1) / self.scale)


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """Distribution of comparison scores by cell.

    Parameters
    ----------
    atoms : number of atoms
    grid : the grid of the fine histogram
    histogram : int array of shape (cells, BINS); cells are the non-mated ones, then the mated ones
    kept : bool array of shape (BINS,): bins in which every score is kept exactly. All of them, until more than
        `EXACT_ROWS` rows are needed; then none; a further pass may keep chosen ones
    cell, score, count : the exact rows of the kept bins, sorted by (cell, score)
    """

    atoms: int
    grid: Grid
    histogram: Ints
    kept: NDArray[np.bool_]
    cell: Ints
    score: Floats
    count: Ints

    @classmethod
    def empty(cls, atoms: int, grid: Grid, kept: NDArray[np.bool_] | None = None) -> Self:
        """The neutral element; with `kept`, that of a pass which keeps the scores of chosen bins only."""
        cells = pair_cells(atoms) + atoms
        every = np.ones(BINS, dtype=bool) if kept is None else kept
        none = np.zeros(0, dtype=np.int64)
        return cls(atoms, grid, np.zeros((cells, BINS), dtype=np.int64), every, none, np.zeros(0), none)

    def add(self, cell: Ints, score: Floats) -> ScoreCounts:
        """Count further scores, given the cell of each."""
        bins = self.grid.bins(score)
        size = self.histogram.size
        histogram = np.bincount(cell * BINS + bins, minlength=size).reshape(self.histogram.shape)
        keep = self.kept[bins]
        rows = _reduce(cell[keep], score[keep], np.ones(int(keep.sum()), dtype=np.int64))
        return self.merge(ScoreCounts(self.atoms, self.grid, histogram, self.kept, *rows))

    def merge(self, other: ScoreCounts) -> ScoreCounts:
        """Add what another set of comparisons left behind.

        Exact rows are dropped for good once their number passes `EXACT_ROWS`; as the number of distinct rows only
        grows, the outcome does not depend on the order of merging.
        """
        if self.atoms != other.atoms or self.grid != other.grid:
            raise ValueError("counts of different cells or grids cannot be merged")
        kept = self.kept & other.kept
        rows = _reduce(
            np.concatenate([self.cell, other.cell]),
            np.concatenate([self.score, other.score]),
            np.concatenate([self.count, other.count]),
        )
        if kept.all() and len(rows[0]) > EXACT_ROWS:
            kept = np.zeros(BINS, dtype=bool)
        if not kept.all():
            keep = kept[self.grid.bins(rows[1])]
            rows = (rows[0][keep], rows[1][keep], rows[2][keep])
        return ScoreCounts(self.atoms, self.grid, self.histogram + other.histogram, kept, *rows)

    @property
    def exact(self) -> bool:
        """Are all scores kept exactly."""
        return bool(self.kept.all())

    def chosen(self, mask: NDArray[np.bool_], *, mated: bool) -> NDArray[np.bool_]:
        """Cells that a mask stands for: (atoms, atoms) for non-mated, (atoms,) for mated; answer has shape (cells,)."""
        pairs = np.zeros(pair_cells(self.atoms), dtype=bool) if mated else mask_cells(mask)
        own = mask if mated else np.zeros(self.atoms, dtype=bool)
        return np.concatenate([pairs, own])

    def total(self, chosen: NDArray[np.bool_]) -> int:
        """Number of comparisons in the chosen cells."""
        return int(self.histogram[chosen].sum())

    def distribution(self, chosen: NDArray[np.bool_]) -> tuple[Floats, Ints]:
        """Distinct scores, ascending, and how often each occurred in the chosen cells.

        Scores of bins that are not kept exactly are given as the bin's centre.
        """
        keep = chosen[self.cell]
        scores, counts = weigh(self.score[keep], self.count[keep])
        if self.exact:
            return scores, counts
        binned = np.where(self.kept, 0, self.histogram[chosen].sum(axis=0))
        used = np.flatnonzero(binned)
        edges = self.grid.edges()
        return weigh(np.r_[scores, (edges[used] + edges[used + 1]) / 2], np.r_[counts, binned[used]])

    def binned(self, chosen: NDArray[np.bool_], edges: Floats) -> Ints:
        """Counts between edges (left-closed, the last bin closed on both sides), outer scores in the end bins."""
        scores, counts = self.distribution(chosen)
        place = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, len(edges) - 2)
        return _sum_at(place, counts, len(edges) - 1)


def weigh(scores: Floats, counts: Ints) -> tuple[Floats, Ints]:
    """Distinct scores, ascending, with their summed counts."""
    distinct, inverse = np.unique(scores, return_inverse=True)
    return distinct, _sum_at(inverse, counts, len(distinct))


def _sum_at(place: Ints, counts: Ints, size: int) -> Ints:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, place, counts)
    return total


def _reduce(cell: Ints, score: Floats, count: Ints) -> tuple[Ints, Floats, Ints]:
    """Sum the counts of equal (cell, score) rows, sorted."""
    if len(cell) == 0:
        return cell, score, count
    order = np.lexsort((score, cell))
    cell, score, count = cell[order], score[order], count[order]
    first = np.flatnonzero(np.r_[True, (cell[1:] != cell[:-1]) | (score[1:] != score[:-1])])
    return cell[first], score[first], np.add.reduceat(count, first)


@dataclass(frozen=True, eq=False)
class OperatingCounts:
    """Errors at thresholds, by subject: what the clustered variance and the cross-fit need.

    With T thresholds, n subjects, A atoms, P = A(A+1)/2 non-mated cells and S splits into halves:

    Parameters
    ----------
    thresholds : (T,) ascending; accept iff score >= threshold
    errors : (T, n, A) false matches of subject i with subjects of atom b
    comparisons : (n, A) non-mated comparisons of subject i with subjects of atom b
    see, sec : (T, P) sums over subject pairs of errors squared, and of errors times comparisons
    scc : (P,) sums over subject pairs of comparisons squared
    mated_errors : (T, n) false non-matches of a subject
    mated : (n,) mated comparisons of a subject
    half_errors : (T, S, 2, P) false matches between two subjects of one half
    half_comparisons : (S, 2, P)
    """

    thresholds: Floats
    errors: Ints
    comparisons: Ints
    see: Ints
    sec: Ints
    scc: Ints
    mated_errors: Ints
    mated: Ints
    half_errors: Ints
    half_comparisons: Ints

    @classmethod
    def empty(cls, thresholds: Floats, subjects: int, atoms: int, splits: int) -> Self:
        """The neutral element."""
        t, p = len(thresholds), pair_cells(atoms)
        if t and not (np.diff(thresholds) > 0).all():
            raise ValueError("thresholds must ascend")
        shapes = [(t, subjects, atoms), (subjects, atoms), (t, p), (t, p), (p,), (t, subjects), (subjects,)]
        shapes += [(t, splits, 2, p), (splits, 2, p)]
        return cls(np.asarray(thresholds, dtype=np.float64), *(np.zeros(shape, dtype=np.int64) for shape in shapes))

    def merge(self, other: OperatingCounts) -> OperatingCounts:
        """Add what another set of comparisons left behind. Subject pairs must not be split between the two."""
        if not np.array_equal(self.thresholds, other.thresholds):
            raise ValueError("counts at different thresholds cannot be merged")
        names = [field.name for field in fields(self)][1:]
        return OperatingCounts(self.thresholds, *(getattr(self, name) + getattr(other, name) for name in names))

    def at(self, threshold: float) -> int:
        """Index of a threshold."""
        found = int(np.searchsorted(self.thresholds, threshold))
        if found == len(self.thresholds) or self.thresholds[found] != threshold:
            raise KeyError(threshold)
        return found
