"""The compiled part of errors: what the held comparisons of one tile add to sums by subject and by subject pair."""

# numba compiles these with its own rules of mixed arithmetic, which numpy's stubs do not know.
# mypy: disable-error-code="arg-type,index,assignment"

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from audit.compare.kernel import LARGEST, SHIFT, Ints, Places, Scores, cell_of

Signs = NDArray[np.int8]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_errors(
    place: Places,
    score: Scores,
    row_owner: Ints,
    column_owner: Ints,
    row_subject: Ints,
    column_subject: Ints,
    samples: Ints,
    atom_of: Ints,
    thresholds: NDArray[np.float64],
    half: Signs,
    errors: Ints,
    see: Ints,
    sec: Ints,
    half_errors: Ints,
) -> None:
    """Add the false matches among held comparisons of one tile to sums by threshold, in place.

    Errors are first gathered by subject pair, then by row subject and atom, then added: a pair costs one addition for
    every split, whatever its halves.

    Parameters
    ----------
    place, score : held comparisons; those of one row subject stand together
    row_owner, column_owner : for each row and column the number of its subject in the tile
    row_subject, column_subject : subjects of the tile
    samples : (subjects,) samples of each
    thresholds : (T,) ascending, at least one
    half : (subjects, splits): -1 where a subject is in the second half, else 0
    errors : (subjects, atoms, T) of subject i with subjects of atom b
    see, sec : (pair cells, T) sums over subject pairs of errors squared, and of errors times comparisons
    half_errors : (pair cells, T, 2, splits)
    """
    limits, atoms, splits = len(thresholds), errors.shape[1], half.shape[1]
    found = np.zeros((len(column_subject), limits), dtype=np.int64)
    reached = np.zeros(len(column_subject), dtype=np.int64)
    touched = np.empty(len(column_subject), dtype=np.int64)
    total = np.zeros((atoms, limits), dtype=np.int64)
    second = np.zeros((atoms, limits, splits), dtype=np.int64)
    k = 0
    while k < len(place):
        p = row_owner[place[k] >> SHIFT]
        number = 0
        while k < len(place) and row_owner[place[k] >> SHIFT] == p:
            value = np.float64(score[k])
            if value >= thresholds[0]:
                t = 1
                while t < limits and value >= thresholds[t]:
                    t += 1
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
            cell = cell_of(a, b, atoms)
            size, theirs = samples[i] * samples[j], half[j]
            e = 0
            for t in range(reached[q] - 1, -1, -1):
                e += found[q, t]
                found[q, t] = 0
                total[b, t] += e
                errors[j, a, t] += e
                see[cell, t] += e * e
                sec[cell, t] += e * size
                line = second[b, t]
                for s in range(splits):
                    line[s] += e & np.int64(theirs[s])
            reached[q] = 0
        if number > 0:
            _fold(total, second, half[i], i, a, errors, half_errors)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fold(total: Ints, second: Ints, mine: Signs, i: int, a: int, errors: Ints, half_errors: Ints) -> None:
    """Add the errors of a row subject, gathered by atom, and leave zeros: (atoms, T), (atoms, T, splits)."""
    atoms, limits = total.shape
    for b in range(atoms):
        cell = cell_of(a, b, atoms)
        for t in range(limits):
            e = total[b, t]
            if e == 0:
                break
            total[b, t] = 0
            errors[i, b, t] += e
            neither, both, line = half_errors[cell, t, 0], half_errors[cell, t, 1], second[b, t]
            for s in range(len(mine)):
                neither[s] += (e - line[s]) & ~np.int64(mine[s])
                both[s] += line[s] & np.int64(mine[s])
                line[s] = 0


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
    column_atom: Ints,
    limits: NDArray[np.float64],
    lowest: NDArray[np.float64],
    errors: Ints,
    see: Ints,
    sec: Ints,
) -> None:
    """As `add_errors`, with thresholds of each cell's own: limits (pair cells, S), infinite where none is asked for.

    `lowest` (atoms, atoms) are the least of each cell, `column_atom` is the atom of each column; sums have S for T.
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
        least = lowest[a]
        number = 0
        while k < len(place) and row_owner[place[k] >> SHIFT] == p:
            c = place[k] & LARGEST
            value = np.float64(score[k])
            if value >= least[column_atom[c]]:
                q = column_owner[c]
                own = limits[cell_of(a, column_atom[c], atoms)]
                if not seen[q]:
                    seen[q] = True
                    touched[number] = q
                    number += 1
                for s in range(slots):
                    found[q, s] += value >= own[s]
            k += 1
        for n in range(number):
            q = touched[n]
            seen[q] = False
            j = column_subject[q]
            b = atom_of[j]
            cell = cell_of(a, b, atoms)
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
