"""The compiled part of comparison: what one tile of scores leaves behind.

A tile is counted while it is in cache: every score becomes the number of its bin and is counted; the few that lie in
the tail are found thirty-two at a time, and held (`error_kernel` counts the errors among these). While the bins of one
row are counted, one store each, those of the next row are made: the processor does both at once.
"""

# numba compiles these with its own rules of mixed arithmetic, which numpy's stubs do not know.
# mypy: disable-error-code="arg-type,index,assignment,return-value"

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from audit.compare.lanes import LANES, WIDE, bins_of, lowest_bit, reached

Ints = NDArray[np.int64]
Places = NDArray[np.uint32]
Scores = NDArray[np.float32]
Index = np.uint64
"""Type of indices in inner loops: of an unsigned one the compiler need not ask whether it counts from the end."""

SHIFT = 16
"""A place in a tile is row << SHIFT | column."""
LARGEST = (1 << SHIFT) - 1
"""Largest row or column that a place can hold."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def cell_of(a: int, b: int, atoms: int) -> int:
    """As `counts.pair_cell`."""
    low, high = min(a, b), max(a, b)
    return low * atoms - low * (low - 1) // 2 + (high - low)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _bin(score: np.float32, scale: np.float32, low: np.float32, top: np.float32) -> int:
    """As `Grid.bins`. Scales are powers of two and bins small whole numbers: all of it is exact in float32."""
    bin_ = np.floor(score * scale) - low
    bin_ = bin_ if bin_ > np.float32(0) else np.float32(0)
    return np.uint16(np.int32(bin_ if bin_ < top else top))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_tile(
    scores: Scores,
    window: Ints,
    row_atom: Ints,
    row_end: Ints,
    run_start: Ints,
    run_atom: Ints,
    atoms: int,
    scale: np.float32,
    low: np.float32,
    cut: Ints,
    banded: bool,
    kept: NDArray[np.bool_],
    histogram: NDArray[np.uint32],
    place: Places,
    score: Scores,
    own_place: Places,
    own_score: Scores,
) -> tuple[int, int]:
    """Count the scores of a tile by cell, and hold those of the tail.

    Parameters
    ----------
    scores : float32, C order; the part that `window` names is used, and `WIDE` numbers beyond it can be read
    window : first row, end of rows, first column, end of columns, in the tile; `scores` begins at the first ones
    row_atom : atom of each row of the tile
    row_end : in a tile of a block with itself, where the samples of the row's subject end; else 0
    run_start, run_atom : stretches of columns of one atom; the last start is the end
    scale, low : bins per unit of score, and the number of the lowest bin
    cut : (cells,) bin from which scores are held
    banded, kept : hold only scores of the bins that `kept` (cells, bins) names
    histogram : (cells, bins), added to
    place, score : where non-mated comparisons are held, room for every one
    own_place, own_score : where mated comparisons are held

    Returns
    -------
    how many non-mated and how many mated ones are held
    """
    top = np.float32(histogram.shape[1] - 1)
    first_row, end_row, first_column, end_column = window
    width = end_column - first_column
    both = np.empty((2, width + WIDE), dtype=np.uint16)
    most = width // WIDE + len(run_atom) + 1
    some, which, whose = np.empty(most, np.uint32), np.empty(most, np.uint32), np.empty(most, np.int64)
    pairs = atoms * (atoms + 1) // 2
    held = 0
    owned = 0
    for c in range(0, width, LANES):
        bins_of(scores[0], c, scale, low, top, both[first_row & 1])
    for r in range(first_row, end_row):
        row, bins = scores[r - first_row], both[r & 1]
        ahead, later = scores[min(r + 1, end_row - 1) - first_row], both[(r + 1) & 1]
        a = row_atom[r]
        for c in range(max(r + 1, first_column), min(row_end[r], end_column)):
            bin_ = _bin(row[c - first_column], scale, low, top)
            histogram[pairs + a, bin_] += np.uint32(1)
            own_place[owned], own_score[owned] = (r << SHIFT) | c, row[c - first_column]
            owned += bin_ >= cut[pairs + a] and (not banded or kept[pairs + a, bin_])
        # Bins of the next row are made from here on: it needs none of those before.
        begin, groups = max(row_end[r], first_column), 0
        for k in range(len(run_atom)):
            start, end = max(begin, run_start[k]) - first_column, min(run_start[k + 1], end_column) - first_column
            if start >= end:
                continue
            cell = cell_of(a, run_atom[k], atoms)
            counts, limit = histogram[cell], np.uint16(cut[cell])
            for c in range(start, end, WIDE):
                bins_of(ahead, c, scale, low, top, later)
                if end - c > LANES:
                    bins_of(ahead, c + LANES, scale, low, top, later)
                found = reached(bins, c, limit)
                if end - c < WIDE:
                    found &= np.uint32((1 << (end - c)) - 1)
                # Whether a score lies in the tail cannot be foreseen: nothing here waits to know.
                some[Index(groups)], which[Index(groups)], whose[Index(groups)] = c, found, cell
                groups += found != np.uint32(0)
                if end - c < WIDE:
                    for n in range(c, end):
                        counts[bins[Index(n)]] += np.uint32(1)
                else:
                    for n in range(WIDE):
                        counts[bins[Index(c + n)]] += np.uint32(1)
        held = _hold(
            some[:groups], which, whose, row, bins, (r << SHIFT) | first_column, banded, kept, place, score, held
        )
    return held, owned


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _hold(  # inlined: handing over so many arrays takes as long
    some: Places, which: Places, whose: Ints, row: Scores, bins: NDArray[np.uint16], start: int, banded: bool,
    kept: NDArray[np.bool_], place: Places, score: Scores, held: int,
) -> int:  # fmt: skip
    """Hold the scores of a row that `which` names, by bits, after columns `some`; `start` is the place of the first."""
    for n in range(len(some)):
        left, cell = which[Index(n)], whose[Index(n)]
        while left:
            c = some[Index(n)] + lowest_bit(left)
            left &= left - np.uint32(1)
            if not banded or kept[Index(cell), bins[Index(c)]]:
                place[Index(held)], score[Index(held)] = np.uint32(start) + c, row[Index(c)]
                held += 1
    return held


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def kept_rows(
    place: Places,
    score: Scores,
    mated: bool,
    row_atom: Ints,
    column_atom: Ints,
    atoms: int,
    scale: np.float32,
    low: np.float32,
    kept: NDArray[np.bool_],
    likely: NDArray[np.bool_],
    made: NDArray[np.uint64],
) -> int:
    """Cell and score, as one number that sorts like the two, of the held comparisons that lie in kept bins.

    Parameters
    ----------
    place, score, mated : the held comparisons of one kind of a tile
    row_atom, column_atom : atom of each row and column of the tile
    kept, likely : (cells, bins); (bins,) kept of some cell
    made : filled: cell << 32, and the bits of the float32, turned so that they ascend

    Returns
    -------
    how many
    """
    top = np.float32(len(likely) - 1)
    pairs = atoms * (atoms + 1) // 2
    found = np.empty(len(place), dtype=np.uint32)
    some = 0
    for k in range(len(place)):  # most are not: no branch that would be foreseen wrongly
        found[Index(some)] = k
        some += likely[_bin(score[k], scale, low, top)]
    number = 0
    for n in range(some):
        k = Index(found[n])
        a = row_atom[place[k] >> SHIFT]
        cell = pairs + a if mated else cell_of(a, column_atom[place[k] & LARGEST], atoms)
        if kept[cell, _bin(score[k], scale, low, top)]:
            bits = np.float32(score[k] + np.float32(0)).view(np.uint32)  # one zero: -0 becomes 0
            turned = ~bits if bits >> np.uint32(31) else bits | np.uint32(1 << 31)
            made[number] = np.uint64(cell) << np.uint64(32) | np.uint64(np.uint32(turned))
            number += 1
    return number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_rows(rows: NDArray[np.uint64], cell: Ints, score: NDArray[np.float64], count: Ints) -> int:
    """Cell, score and number of equal rows among sorted ones, as `kept_rows` makes them; gives how many differ."""
    made = -1
    for k in range(len(rows)):
        if k == 0 or rows[k] != rows[k - 1]:
            made += 1
            turned = np.uint32(rows[k] & np.uint64(0xFFFFFFFF))
            bits = turned ^ np.uint32(1 << 31) if turned >> np.uint32(31) else ~turned
            cell[made], score[made], count[made] = rows[k] >> np.uint64(32), np.uint32(bits).view(np.float32), 0
        count[made] += 1
    return made + 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def to_distances(
    product: Scores, rows: Scores, columns: Scores, row_norm: Scores, column_norm: Scores, sizes: Ints, near: np.float32
) -> None:
    """Turn a tile of dot products into negated distances, in place.

    Parameters
    ----------
    rows, columns : the templates
    row_norm, column_norm : their squared lengths
    sizes : rows and columns that are used
    near : squared distances below this part of the squared norms are computed again in float64
    """
    for r in range(sizes[0]):
        line = product[r]
        for c in range(sizes[1]):
            norms = row_norm[r] + column_norm[c]
            squared = norms - np.float32(2) * line[c]
            if squared < near * norms:
                apart = 0.0
                for k in range(rows.shape[1]):
                    gap = np.float64(rows[r, k]) - np.float64(columns[c, k])
                    apart += gap * gap
                squared = np.float32(apart)
            line[c] = -np.sqrt(squared)


@njit(cache=True, nogil=True, fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def scaled(rows: Scores, to_unit: bool, made: Scores) -> int:
    """Copy templates into a block, scaled to length 1 (in float64) where asked.

    The compiler may add up squares several at a time, in an order that depends on the processor: in float64 the
    difference is lost when the result becomes float32.

    Returns
    -------
    0; 1 where a number is not finite; 2 where a template without length was to be scaled
    """
    wrong = 0
    for r in range(rows.shape[0]):
        square = 0.0
        for k in range(rows.shape[1]):
            square += np.float64(rows[r, k]) * np.float64(rows[r, k])
        if not np.isfinite(square):
            wrong = 1
        elif square == 0.0 and to_unit and wrong == 0:
            wrong = 2
        length = math.sqrt(square) if to_unit and square > 0.0 else 1.0
        for k in range(rows.shape[1]):
            made[r, k] = np.float32(np.float64(rows[r, k]) / length)
    return wrong
