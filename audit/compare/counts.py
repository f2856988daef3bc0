"""What comparisons leave behind: two monoids of integers, so that threads, restarts and machines are one code path.

`ScoreCounts` answers where a threshold lies and how scores are distributed; `OperatingCounts` answers, at given
thresholds, what errors each subject had a part in. Everything in both is an integer count, hence merging is exact,
associative and commutative, and nothing depends on the order of the work.

Cells are numbered by atom pair: the non-mated cell of atoms a <= b, then the mated cell of each atom.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EXACT_ROWS = 1 << 20
"""Up to so many distinct (cell, score) pairs are kept exactly."""
BINS = 1 << 14
"""Bins of the fine histogram."""
MOST_COUNTS = 1 << 22
"""Counts that the histograms of all cells may take together (32 MB); beyond, bins are wider."""


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
    return np.asarray(mask[upper(len(mask))], dtype=bool)


@cache
def upper(atoms: int) -> tuple[Ints, Ints]:
    """Both atoms of every non-mated cell."""
    one, two = np.triu_indices(atoms)
    return one, two


@dataclass(frozen=True)
class Grid:
    """The fine histogram's grid: `size` bins of equal width from low to high; scores outside fall in the end bins.

    The width is a power of two and `low` a multiple of it (`Grid.over` makes them so): every edge is then a number that
    scores can equal, and a score lies in its bin exactly, in float32 as in float64.
    """

    low: float
    high: float
    size: int = BINS

    @classmethod
    def over(cls, low: float, high: float, atoms: int = 1) -> Self:
        """Make the finest grid that holds all scores from low to high, for so many atoms.

        >>> Grid.over(0.0, 100.0).edges()[:3].tolist()
        [0.0, 0.0078125, 0.015625]
        """
        size = BINS
        while size > 1024 and size * (pair_cells(atoms) + atoms) > MOST_COUNTS:
            size //= 2
        reach = max(high - low, float(np.spacing(max(abs(low), abs(high)))), 1e-300)
        width = 2.0 ** np.ceil(np.log2(reach / (size - 1)))
        start = float(np.floor(low / width) * width)
        return cls(start, start + float(width) * size, size)

    @property
    def scale(self) -> float:
        """Bins per unit of score."""
        return self.size / (self.high - self.low)

    @property
    def first(self) -> float:
        """Number of the lowest bin, counted from a score of 0."""
        return float(np.floor(self.low * self.scale))

    def bins(self, scores: Floats) -> Ints:
        """Bin of each score."""
        return np.asarray(np.clip(np.floor(scores * self.scale) - self.first, 0, self.size - 1).astype(np.int64))

    def edges(self) -> Floats:
        """Edges of the bins, shape (size + 1,)."""
        return np.asarray(self.low + np.arange(self.size + 1) / self.scale)


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """Distribution of comparison scores by cell.

    Parameters
    ----------
    atoms : number of atoms
    grid : the grid of the fine histogram
    histogram : of whole numbers, shape (cells, bins); cells are the non-mated ones, then the mated ones
    kept : bool array of shape (cells, bins): where every score is kept exactly. All of them, until more than
        `EXACT_ROWS` rows are needed; then none; chosen ones may be asked for
    cell, score, count : the exact rows of the kept bins, sorted by (cell, score)
    """

    atoms: int
    grid: Grid
    histogram: NDArray[np.integer]
    kept: NDArray[np.bool_]
    cell: Ints
    score: Floats
    count: Ints

    @classmethod
    def empty(cls, atoms: int, grid: Grid, kept: NDArray[np.bool_] | None = None) -> Self:
        """The neutral element; with `kept`, that of a pass which keeps the scores of chosen bins only."""
        shape = (pair_cells(atoms) + atoms, grid.size)
        every = np.ones(shape, dtype=bool) if kept is None else kept
        none = np.zeros(0, dtype=np.int64)
        return cls(atoms, grid, np.zeros(shape, dtype=np.int64), every, none, np.zeros(0), none)

    def add(self, cell: Ints, score: Floats) -> ScoreCounts:
        """Count further scores, given the cell of each."""
        bins = self.grid.bins(score)
        size = self.histogram.size
        histogram = np.bincount(cell * self.grid.size + bins, minlength=size).reshape(self.histogram.shape)
        keep = self.kept[cell, bins]
        rows = tally(cell[keep], score[keep], np.ones(int(keep.sum()), dtype=np.int64))
        return self.merge(ScoreCounts(self.atoms, self.grid, histogram, self.kept, *rows))

    def merge(self, other: ScoreCounts) -> ScoreCounts:
        """Add what another set of comparisons left behind.

        Exact rows are dropped for good once their number passes `EXACT_ROWS`; as the number of distinct rows only
        grows, the outcome does not depend on the order of merging.
        """
        if self.atoms != other.atoms or self.grid != other.grid:
            raise ValueError("counts of different cells or grids cannot be merged")
        kept = self.kept & other.kept
        rows = tally(
            np.concatenate([self.cell, other.cell]),
            np.concatenate([self.score, other.score]),
            np.concatenate([self.count, other.count]),
        )
        if kept.all() and len(rows[0]) > EXACT_ROWS:
            kept = np.zeros_like(kept)
        if not kept.all():
            keep = kept[rows[0], self.grid.bins(rows[1])]
            rows = (rows[0][keep], rows[1][keep], rows[2][keep])
        histogram = np.add(self.histogram, other.histogram, dtype=np.int64)
        return ScoreCounts(self.atoms, self.grid, histogram, kept, *rows)

    @property
    def exact(self) -> bool:
        """Are all scores kept exactly."""
        return bool(self.kept.all())

    @cached_property
    def _starts(self) -> Ints:
        """Where the exact rows of each cell begin, and the end."""
        return np.searchsorted(self.cell, np.arange(len(self.histogram) + 1))

    def exact_at(self, chosen: NDArray[np.bool_], scores: Floats) -> NDArray[np.bool_]:
        """Whether the chosen cells' numbers of scores below each of these scores are exact."""
        bins = self.grid.bins(scores)
        on_edge = scores == self.grid.edges()[bins]
        coarse = np.where(self.kept[chosen][:, bins], 0, self.histogram[chosen][:, bins])
        return np.asarray(on_edge | (coarse == 0).all(axis=0))

    def chosen(self, mask: NDArray[np.bool_], *, mated: bool) -> NDArray[np.bool_]:
        """Cells that a mask stands for: (atoms, atoms) for non-mated, (atoms,) for mated; answer has shape (cells,)."""
        pairs = np.zeros(pair_cells(self.atoms), dtype=bool) if mated else mask_cells(mask)
        own = mask if mated else np.zeros(self.atoms, dtype=bool)
        return np.concatenate([pairs, own])

    def total(self, chosen: NDArray[np.bool_]) -> int:
        """Number of comparisons in the chosen cells."""
        return int(self.histogram[chosen].sum(dtype=np.int64))

    def summed(self, chosen: NDArray[np.bool_]) -> Ints:
        """Histogram of the chosen cells together, (bins,)."""
        cells = np.flatnonzero(chosen)
        if len(cells) and cells[-1] - cells[0] == len(cells) - 1:  # they stand together: no copy
            return np.asarray(self.histogram[cells[0] : cells[-1] + 1].sum(axis=0, dtype=np.int64))
        return np.asarray(self.histogram[cells].sum(axis=0, dtype=np.int64))

    def distribution(self, chosen: NDArray[np.bool_]) -> tuple[Floats, Ints]:
        """Distinct scores, ascending, and how often each occurred in the chosen cells.

        Scores of bins that are not kept exactly are given as the bin's centre.
        """
        scores, counts = self._rows(chosen)
        if self.exact:
            return weigh(scores, counts)
        return self._with_bins(scores, counts, self.summed(chosen))

    def upper(self, chosen: NDArray[np.bool_], share: float) -> tuple[Floats, Ints]:
        """As `distribution`, to find the smallest score that no more than a share of the comparisons reaches.

        All comparisons that are surely below it are given one score, below all others.
        """
        binned = self.summed(chosen)
        accepted = np.cumsum(binned[::-1])[::-1]
        first = int(np.count_nonzero(accepted > share * accepted[0] + 1)) - 1  # one more, whatever is rounded
        if self.exact or first < 1:
            return self.distribution(chosen)
        scores, counts = self._rows(chosen)
        edge, rest = self.grid.edges()[first], accepted[0] - accepted[first]
        tail = scores >= edge
        scores, counts = self._with_bins(scores[tail], counts[tail], binned[first:], first)
        below = np.nextafter(edge, -np.inf)
        return (np.insert(scores, 0, below), np.insert(counts, 0, rest)) if rest else (scores, counts)

    def _rows(self, chosen: NDArray[np.bool_]) -> tuple[Floats, Ints]:
        """Exact scores of the chosen cells, and their counts."""
        cells = np.flatnonzero(chosen)
        some = cells[self._starts[cells + 1] > self._starts[cells]]
        rows = [slice(*self._starts[cell : cell + 2]) for cell in some]
        scores, counts = (np.concatenate([of[:0], *(of[some] for some in rows)]) for of in (self.score, self.count))
        return scores, counts

    def _with_bins(self, scores: Floats, counts: Ints, binned: Ints, first: int = 0) -> tuple[Floats, Ints]:
        """Exact scores, and the centres of bins, from a first one on, for all that is counted there beyond them."""
        over = np.bincount(self.grid.bins(scores) - first, weights=counts, minlength=len(binned)).astype(np.int64)
        used = np.flatnonzero(binned - over)
        edges = self.grid.edges()[first:]
        centres, rest = (edges[used] + edges[used + 1]) / 2, (binned - over)[used]
        scores, counts = weigh(scores, counts)
        place = np.searchsorted(scores, centres)
        if (np.append(scores, np.inf)[place] == centres).any():
            return weigh(np.r_[scores, centres], np.r_[counts, rest])
        return np.insert(scores, place, centres), np.insert(counts, place, rest)

    def binned(self, chosen: NDArray[np.bool_], edges: Floats) -> Ints:
        """Counts between edges (left-closed, the last bin closed on both sides), outer scores in the end bins."""
        scores, counts = self.distribution(chosen)
        place = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, len(edges) - 2)
        return _sum_at(place, counts, len(edges) - 1)

    def binned_by_cell(self, edges: Floats) -> Ints:
        """As `binned`, of every cell by itself, shape (cells, bins)."""
        left = self.histogram.astype(np.int64)
        np.subtract.at(left, (self.cell, self.grid.bins(self.score)), self.count)
        grid, last = self.grid.edges(), len(edges) - 2
        made = np.zeros((len(left), last + 1), dtype=np.int64)
        exact, coarse = (
            np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, last)
            for scores in (self.score, (grid[:-1] + grid[1:]) / 2)
        )
        np.add.at(made, (self.cell, exact), self.count)
        np.add.at(made.T, coarse, left.T)
        return made


def weigh(scores: Floats, counts: Ints) -> tuple[Floats, Ints]:
    """Distinct scores, ascending, with their summed counts."""
    if len(scores) == 0:
        return scores, counts
    if counts.sum() <= 2 * len(counts):  # most occurred once: numbers alone are sorted sooner
        ordered = np.sort(np.repeat(scores, counts))
        first = _firsts(ordered)
        return ordered[first], np.diff(np.append(first, len(ordered)))
    order = np.argsort(scores)
    ordered = scores[order]
    first = _firsts(ordered)
    return ordered[first], np.add.reduceat(counts[order], first)


def _firsts(ordered: Floats) -> Ints:
    """Where each distinct score begins."""
    return np.append(0, 1 + np.flatnonzero(ordered[1:] != ordered[:-1]))


def _sum_at(place: Ints, counts: Ints, size: int) -> Ints:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, place, counts)
    return total


def tally(cell: Ints, score: Floats, count: Ints) -> tuple[Ints, Floats, Ints]:
    """Sum the counts of equal (cell, score) rows, sorted."""
    if len(cell) == 0:
        return cell, score, count
    order = np.lexsort((score, cell))
    cell, score, count = cell[order], score[order], count[order]
    first = np.flatnonzero(np.r_[True, (cell[1:] != cell[:-1]) | (score[1:] != score[:-1])])
    return cell[first], score[first], np.add.reduceat(count, first)


@dataclass(frozen=True, eq=False)
class Reach:
    """A tail that will be asked for: the largest `share` of the scores of non-mated comparisons.

    Parameters
    ----------
    mask : (atoms, atoms), symmetric: whose
    share : of these comparisons
    """

    mask: NDArray[np.bool_]
    share: float


@dataclass(frozen=True, eq=False)
class OperatingCounts:
    """Errors at thresholds, by subject: what the clustered variance and the cross-fit need.

    A threshold may be asked for in some cells only; errors in the others are then not counted, and stand as 0.

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
