"""The compiled part of errors: what the held comparisons of one tile add to sums by subject and by subject pair."""

# numba compiles these with its own rules of mixed arithmetic, which numpy's stubs do not know.
# mypy: disable-error-code="arg-type,index,assignment"

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from audit.compare.kernel import LARGEST, SHIFT, Ints, Places, Scores, cell_of

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Index = np.uint32
"""Type of indices: of an unsigned one the compiler need not ask whether it counts from the end."""
LANES = 8
"""Bytes of a word: so many splits are counted by one addition."""
MOST = 255
"""Errors that a byte counts."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_errors(
    place: Places,
    score: Scores,
    row_owner: Ints,
    column_owner: Ints,
    row_subject: Ints,
    column_subject: Ints,
    column_atom: Ints,
    samples: Ints,
    atom_of: Ints,
    thresholds: NDArray[np.float64],
    half: Words,
    errors: Ints,
    see: Ints,
    sec: Ints,
    both: Ints,
) -> None:
    """Add the false matches among held comparisons of one tile to sums by threshold, in place.

    All sums but one are linear in errors, so that each error is added where it is met: the sum of squares grows by
    2 e - 1 with the e-th error of a pair. What depends on the row subject is added when its comparisons end.

    Parameters
    ----------
    place, score : held comparisons; those of one row subject stand together
    row_owner, column_owner : for each row and column the number of its subject in the tile
    row_subject, column_subject : subjects of the tile
    column_atom : atom of each column
    samples : (subjects,) samples of each
    thresholds : (T,) ascending, at least one
    half : (subjects, words) in which half a subject is in each split: 0 or 1, a byte each
    errors : (subjects, atoms, T) of subject i with subjects of atom b
    see, sec : (pair cells, T) sums over subject pairs of errors squared, and of errors times comparisons
    both : (pair cells, T, splits) errors of two subjects of the second half
    """
    limits, atoms, words = len(thresholds), errors.shape[1], half.shape[1]
    row_of = np.full(len(column_subject), -1, dtype=np.int64)
    found = np.zeros((len(column_subject), limits), dtype=np.int64)
    number = np.zeros((atoms, limits), dtype=np.int64)
    second = np.zeros((atoms, limits, words), dtype=np.uint64)
    theirs, mine = second.view(np.uint8), half.view(np.uint8)
    wrong = np.empty(len(place), dtype=np.uint32)
    end = _at_least(score, thresholds[0], wrong)
    n = 0
    while n < end:
        p = row_owner[Index(place[wrong[n]] >> SHIFT)]
        i = Index(row_subject[p])
        a = Index(atom_of[i])
        while n < end and row_owner[Index(place[wrong[n]] >> SHIFT)] == p:
            value, c = np.float64(score[wrong[n]]), Index(place[wrong[n]] & LARGEST)
            n += 1
            b, q = Index(column_atom[c]), Index(column_owner[c])
            j = Index(column_subject[q])
            cell = Index(cell_of(a, b, atoms))
            if row_of[q] != p:
                row_of[q] = p
                for t in range(limits):
                    found[q, t] = 0
            t = 0
            while t < limits and value >= thresholds[t]:
                found[q, t] += 1
                errors[j, a, t] += 1
                see[cell, t] += 2 * found[q, t] - 1
                sec[cell, t] += samples[i] * samples[j]
                number[b, t] += 1
                for w in range(words):
                    second[b, t, w] += half[j, w]
                if number[b, t] == MOST:
                    _end_row(number, second, theirs, mine, b, t, i, errors, both, cell)
                t += 1
        for other in range(atoms):
            b = Index(other)
            for t in range(limits):
                if number[b, t] > 0:
                    _end_row(number, second, theirs, mine, b, t, i, errors, both, Index(cell_of(a, b, atoms)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _at_least(score: Scores, lowest: np.float64, made: Places) -> int:
    """Which scores are not below the lowest threshold, without a branch that is wrong half of the time."""
    number = 0
    for k in range(len(score)):
        made[number] = k
        number += np.float64(score[k]) >= lowest
    return number


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _end_row(  # inlined: it is short, and handing over so many arrays takes as long
    number: Ints, second: Words, theirs: Bytes, mine: Bytes, b: int, t: int, i: int, errors: Ints, both: Ints, cell: int
) -> None:
    """Add what row subject i has gathered with atom b, and leave zeros; `theirs` are the bytes of `second`."""
    errors[i, b, t] += number[b, t]
    number[b, t] = 0
    for s in range(both.shape[2]):
        both[cell, t, s] += np.int64(theirs[b, t, s]) & -np.int64(mine[i, s])
    for w in range(second.shape[2]):
        second[b, t, w] = 0


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
        while k < len(place) and row_owner[Index(place[k] >> SHIFT)] == p:
            c = Index(place[k] & LARGEST)
            value = np.float64(score[k])
            if value >= least[Index(column_atom[c])]:
                q = Index(column_owner[c])
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
