"""The compiled part of comparison: what one tile of scores leaves behind.

A tile is counted while it is in cache: every score becomes the number of its bin, in one vectorised sweep of a row, and
is counted; the few that lie in the tail are held. Errors of subject pairs are then counted from what is held alone.
"""

# numba compiles these with its own rules of mixed arithmetic, which numpy's stubs do not know.
# mypy: disable-error-code="arg-type,index,assignment"

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Places = NDArray[np.uint32]
Scores = NDArray[np.float32]

SHIFT = 16
"""A place in a tile is row << SHIFT | column."""
LARGEST = (1 << SHIFT) - 1
"""Largest row or column that a place can hold."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _bins(row: Scores, scale: np.float32, low: np.int32, top: np.int32, made: NDArray[np.uint16]) -> None:
    """Bin of each score. Scales are powers of two, so that the product is exact, and so is every edge."""
    for c in range(len(row)):
        made[c] = np.uint16(min(max(np.int32(np.floor(row[c] * scale)) - low, 0), top))


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
    low: np.int32,
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
    scores : float32, C order; the part that `window` names is used
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
    top = np.int32(histogram.shape[1] - 1)
    first_row, end_row, first_column, end_column = window
    bins = np.empty(end_column - first_column, dtype=np.uint16)
    pairs = atoms * (atoms + 1) // 2
    held = 0
    owned = 0
    for r in range(first_row, end_row):
        row = scores[r - first_row]
        a = row_atom[r]
        for c in range(max(r + 1, first_column), min(row_end[r], end_column)):
            bin_ = min(max(np.int32(np.floor(row[c - first_column] * scale)) - low, 0), top)
            histogram[pairs + a, bin_] += np.uint32(1)
            if bin_ >= cut[pairs + a] and (not banded or kept[pairs + a, bin_]):
                own_place[owned] = (r << SHIFT) | c
                own_score[owned] = row[c - first_column]
                owned += 1
        begin = max(row_end[r], first_column)
        for k in range(len(run_atom)):
            start, end = max(begin, run_start[k]), min(run_start[k + 1], end_column)
            if start >= end:
                continue
            smaller, larger = min(a, run_atom[k]), max(a, run_atom[k])
            cell = smaller * atoms - smaller * (smaller - 1) // 2 + (larger - smaller)
            counts, limit = histogram[cell], cut[cell]
            length = end - start
            part = row[start - first_column : end - first_column]
            _bins(part, scale, low, top, bins[:length])
            for c in range(length):
                bin_ = bins[c]
                counts[bin_] += np.uint32(1)
                if bin_ >= limit and (not banded or kept[cell, bin_]):
                    place[held] = (r << SHIFT) | (start + c)
                    score[held] = part[c]
                    held += 1
    return held, owned


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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def scaled(rows: Scores, to_unit: bool, made: Scores) -> int:
    """Copy templates into a block, scaled to length 1 (in float64) where asked.

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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_errors(  # noqa: PLR0912 - one loop nest: numba compiles it as a whole
    place: Places,
    score: Scores,
    row_owner: Ints,
    column_owner: Ints,
    row_subject: Ints,
    column_subject: Ints,
    samples: Ints,
    atom_of: Ints,
    thresholds: NDArray[np.float64],
    half: Ints,
    splits: int,
    errors: Ints,
    see: Ints,
    sec: Ints,
    half_errors: Ints,
) -> None:
    """Add the false matches among held comparisons of one tile to sums by threshold, in place.

    Thresholds come last in the sums, so that those of one subject pair lie side by side.

    Parameters
    ----------
    place, score : held comparisons; those of one row subject stand together
    row_owner, column_owner : for each row and column the number of its subject in the tile
    row_subject, column_subject : subjects of the tile
    samples : (subjects,) samples of each
    thresholds : (T,) ascending
    half : (subjects,) bit s says in which half a subject is in split s
    errors : (subjects, atoms, T) of subject i with subjects of atom b
    see, sec : (pair cells, T) sums over subject pairs of errors squared, and of errors times comparisons
    half_errors : (pair cells, T, 2, splits)
    """
    limits, atoms = len(thresholds), errors.shape[1]
    found = np.zeros((len(column_subject), limits), dtype=np.int64)
    reached = np.zeros(len(column_subject), dtype=np.int64)
    touched = np.empty(len(column_subject), dtype=np.int64)
    sums = np.empty(limits, dtype=np.int64)
    k = 0
    while k < len(place):
        p = row_owner[place[k] >> SHIFT]
        number = 0
        while k < len(place) and row_owner[place[k] >> SHIFT] == p:
            t = np.searchsorted(thresholds, np.float64(score[k]), side="right")
            if t > 0:
                q = column_owner[place[k] & LARGEST]
                if reached[q] == 0:
                    touched[number] = q
                    number += 1
                found[q, t - 1] += 1
                reached[q] = max(reached[q], t)
            k += 1
        i = row_subject[p]
        a = atom_of[i]
        for n in range(number):
            q = touched[n]
            j = column_subject[q]
            b = atom_of[j]
            low, high = min(a, b), max(a, b)
            cell = low * atoms - low * (low - 1) // 2 + (high - low)
            size = samples[i] * samples[j]
            top = reached[q]
            reached[q] = 0
            e = 0
            for t in range(top - 1, -1, -1):
                e += found[q, t]
                found[q, t] = 0
                sums[t] = e
            mine, theirs, squares, products = errors[i, b], errors[j, a], see[cell], sec[cell]
            for t in range(top):
                mine[t] += sums[t]
            for t in range(top):
                theirs[t] += sums[t]
            for t in range(top):
                squares[t] += sums[t] * sums[t]
            for t in range(top):
                products[t] += sums[t] * size
            if splits > 0:
                both, neither = half[i] & half[j], ~(half[i] | half[j])
                for t in range(top):
                    line = half_errors[cell, t]
                    for s in range(splits):
                        line[0, s] += sums[t] * ((neither >> s) & 1)
                    for s in range(splits):
                        line[1, s] += sums[t] * ((both >> s) & 1)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_own_errors(
    place: Places,
    score: Scores,
    row_owner: Ints,
    row_subject: Ints,
    thresholds: NDArray[np.float64],
    mated_errors: Ints,
) -> None:
    """Add the false non-matches among the mated comparisons of a tile, by threshold and subject, in place."""
    for k in range(len(place)):
        i = row_subject[row_owner[place[k] >> SHIFT]]
        for t in range(len(thresholds) - 1, -1, -1):
            if np.float64(score[k]) >= thresholds[t]:
                break
            mated_errors[t, i] += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_own_group_errors(
    place: Places,
    score: Scores,
    row_owner: Ints,
    column_owner: Ints,
    row_subject: Ints,
    column_subject: Ints,
    samples: Ints,
    atom_of: Ints,
    limits: NDArray[np.float64],
    asked: NDArray[np.bool_],
    errors: Ints,
    see: Ints,
    sec: Ints,
) -> None:
    """As `add_errors`, with thresholds of each cell's own: limits (pair cells, S), infinite where none is asked for.

    `asked` (atoms, atoms) are the cells with a threshold; sums have S in place of T.
    """
    atoms, slots = errors.shape[1], limits.shape[1]
    found = np.zeros((len(column_subject), slots), dtype=np.int64)
    touched = np.empty(len(column_subject), dtype=np.int64)
    seen = np.zeros(len(column_subject), dtype=np.bool_)
    k = 0
    while k < len(place):
        p = row_owner[place[k] >> SHIFT]
        i = row_subject[p]
        a = atom_of[i]
        number = 0
        while k < len(place) and row_owner[place[k] >> SHIFT] == p:
            q = column_owner[place[k] & LARGEST]
            b = atom_of[column_subject[q]]
            if asked[a, b]:
                low, high = min(a, b), max(a, b)
                cell = low * atoms - low * (low - 1) // 2 + (high - low)
                if not seen[q]:
                    seen[q] = True
                    touched[number] = q
                    number += 1
                for s in range(slots):
                    found[q, s] += np.float64(score[k]) >= limits[cell, s]
            k += 1
        for n in range(number):
            q = touched[n]
            seen[q] = False
            j = column_subject[q]
            b = atom_of[j]
            low, high = min(a, b), max(a, b)
            cell = low * atoms - low * (low - 1) // 2 + (high - low)
            size = samples[i] * samples[j]
            for s in range(slots):
                e = found[q, s]
                found[q, s] = 0
                errors[i, b, s] += e
                errors[j, a, s] += e
                see[cell, s] += e * e
                sec[cell, s] += e * size


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def list_errors(
    place: Places,
    score: Scores,
    row_owner: Ints,
    column_owner: Ints,
    row_subject: Ints,
    column_subject: Ints,
    thresholds: NDArray[np.float64],
    pairs: NDArray[np.int32],
    errors: NDArray[np.int32],
) -> int:
    """List the subject pairs of a tile that have a false match.

    Parameters
    ----------
    pairs : (room, 2) subjects, filled
    errors : (T, room) false matches of each at each threshold, filled

    Returns
    -------
    number of pairs
    """
    limits = len(thresholds)
    at = np.full(len(column_subject), -1, dtype=np.int64)
    made = 0
    k = 0
    while k < len(place):
        p = row_owner[place[k] >> SHIFT]
        first = made
        while k < len(place) and row_owner[place[k] >> SHIFT] == p:
            reached = np.searchsorted(thresholds, np.float64(score[k]), side="right")
            if reached > 0:
                q = column_owner[place[k] & LARGEST]
                if at[q] < 0:
                    at[q] = made
                    pairs[made, 0], pairs[made, 1] = row_subject[p], column_subject[q]
                    errors[:, made] = 0
                    made += 1
                errors[reached - 1, at[q]] += 1
            k += 1
        for n in range(first, made):
            for t in range(limits - 1, 0, -1):
                errors[t - 1, n] += errors[t, n]
        at[:] = -1
    return made


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def sum_between(first: Places, second: Places, values: Ints, label: Places, made: Ints) -> None:
    """Add the value of each pair of subjects at the labels of the two, in one of four tables: (4, labels, labels).

    Neighbours mostly have the same labels; in tables of their own they need not wait for each other.
    """
    labels = np.uint64(made.shape[1])
    one, two, three, four = made[0].reshape(-1), made[1].reshape(-1), made[2].reshape(-1), made[3].reshape(-1)
    whole = len(values) // 4 * 4
    for k in range(0, whole, 4):
        one[np.uint64(label[first[k]]) * labels + np.uint64(label[second[k]])] += values[k]
        two[np.uint64(label[first[k + 1]]) * labels + np.uint64(label[second[k + 1]])] += values[k + 1]
        three[np.uint64(label[first[k + 2]]) * labels + np.uint64(label[second[k + 2]])] += values[k + 2]
        four[np.uint64(label[first[k + 3]]) * labels + np.uint64(label[second[k + 3]])] += values[k + 3]
    for k in range(whole, len(values)):
        one[np.uint64(label[first[k]]) * labels + np.uint64(label[second[k]])] += values[k]
