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
ROW = 1 << 40
"""More than a pair of subjects has comparisons."""


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
    half: Words,
    errors: Ints,
    see: Ints,
    sec: Ints,
    both: Ints,
) -> None:
    """Add the false matches among held comparisons of one tile to sums by threshold, in place.

    All sums but one are linear in errors, so that each error is added where it is met: the sum of squares grows by
    2 e - 1 with the e-th error of a pair. An error is added to small tables of the tile; these are added to the sums
    when the comparisons of a row subject, or those of its atom, end.

    Parameters
    ----------
    place, score : held comparisons; those of one row subject stand together
    row_owner, column_owner : for each row and column the number of its subject in the tile
    row_subject, column_subject : subjects of the tile, sorted by atom
    samples : (subjects,) samples of each
    thresholds : (T,) ascending, at least one
    half : (subjects, words) in which half a subject is in each split: 0 or 1, a byte each
    errors : (subjects, atoms, T) of subject i with subjects of atom b
    see, sec : (pair cells, T) sums over subject pairs of errors squared, and of errors times comparisons
    both : (pair cells, T, splits) errors of two subjects of the second half
    """
    limits, atoms, words, columns = len(thresholds), errors.shape[1], half.shape[1], len(column_subject)
    atom, size = atom_of[column_subject], samples[column_subject]
    halves = np.empty((columns, words), dtype=np.uint64)
    for column in range(columns):
        for w in range(words):
            halves[column, w] = half[column_subject[column], w]
    found = np.zeros((columns, limits), dtype=np.int64)
    hits = np.zeros((columns, limits), dtype=np.int64)
    table = np.zeros((atoms, limits, 3), dtype=np.int64)  # errors, what they add to `see`, comparisons of these pairs
    second = np.zeros((atoms, limits, words), dtype=np.uint64)
    theirs, mine = second.view(np.uint8), half.view(np.uint8)
    wrong = np.empty(len(place), dtype=np.uint32)
    end = _at_least(score, thresholds[0], wrong)
    n, before, a = 0, np.int64(0), np.int64(-1)
    while n < end:
        p = row_owner[Index(place[wrong[n]] >> SHIFT)]
        i = Index(row_subject[p])
        if atom_of[i] != a:
            _end_atom(hits, column_subject, errors, a)
            a = atom_of[i]
        before += ROW
        while n < end and row_owner[Index(place[wrong[n]] >> SHIFT)] == p:
            value, q = np.float64(score[wrong[n]]), Index(column_owner[Index(place[wrong[n]] & LARGEST)])
            n += 1
            b = Index(atom[q])
            t = Index(0)
            while True:
                # A number of an earlier row subject is smaller, and means none so far.
                errors_of_pair = max(found[q, t], before) + 1
                found[q, t] = errors_of_pair
                number = table[b, t, 0] + 1
                table[b, t, 0] = number
                table[b, t, 1] += 2 * (errors_of_pair - before) - 1
                table[b, t, 2] += size[q]
                hits[q, t] += 1
                for w in range(words):
                    second[b, t, Index(w)] += halves[q, Index(w)]
                if number == MOST:
                    _end_row(table, second, theirs, mine, b, t, i, samples[i], errors, see, sec, both, a)
                t += Index(1)
                if t == limits or value < thresholds[t]:
                    break
        for other in range(atom[0], atom[columns - 1] + 1):
            b = Index(other)
            for slot in range(limits):
                t = Index(slot)
                if table[b, t, 0] > 0:
                    _end_row(table, second, theirs, mine, b, t, i, samples[i], errors, see, sec, both, a)
    _end_atom(hits, column_subject, errors, a)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _at_least(score: Scores, lowest: np.float64, made: Places) -> int:
    """Which scores are not below the lowest threshold, without a branch that is wrong half of the time."""
    number = 0
    for k in range(len(score)):
        made[number] = k
        number += np.float64(score[k]) >= lowest
    return number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _at_least_own(
    place: Places, score: Scores, row_atom: Ints, column_atom: Ints, lowest: NDArray[np.float64], made: Places
) -> int:
    """As `_at_least`, with the lowest threshold of each cell."""
    number = 0
    for k in range(len(score)):
        made[number] = k
        limit = lowest[Index(row_atom[Index(place[k] >> SHIFT)]), Index(column_atom[Index(place[k] & LARGEST)])]
        number += np.float64(score[k]) >= limit
    return number


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _end_row(  # inlined: it is short, and handing over so many arrays takes as long
    table: Ints, second: Words, theirs: Bytes, mine: Bytes, b: int, t: int, i: int, size: int, errors: Ints, see: Ints,
    sec: Ints, both: Ints, a: int,
) -> None:  # fmt: skip
    """Add what row subject i has gathered with atom b, and leave zeros; `theirs` are the bytes of `second`."""
    cell = cell_of(a, b, errors.shape[1])
    errors[i, b, t] += table[b, t, 0]
    see[cell, t] += table[b, t, 1]
    sec[cell, t] += table[b, t, 2] * size
    table[b, t, 0] = table[b, t, 1] = table[b, t, 2] = 0
    for s in range(both.shape[2]):
        both[cell, t, s] += np.int64(theirs[b, t, s]) & -np.int64(mine[i, s])
    for w in range(second.shape[2]):
        second[b, t, w] = 0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _end_atom(hits: Ints, column_subject: Ints, errors: Ints, a: int) -> None:
    """Add the errors that column subjects have with subjects of atom a, and leave zeros."""
    for q in range(len(hits)):
        for t in range(hits.shape[1]):
            if hits[q, t] > 0:
                errors[column_subject[q], a, t] += hits[q, t]
                hits[q, t] = 0


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
    row_atom: Ints,
    column_atom: Ints,
    limits: NDArray[np.float64],
    lowest: NDArray[np.float64],
    errors: Ints,
    see: Ints,
    sec: Ints,
) -> None:
    """As `add_errors`, with thresholds of each cell's own: limits (pair cells, S), infinite where none is asked for.

    `lowest` (atoms, atoms) are the least of each cell, `row_atom` and `column_atom` the atoms of rows and columns; sums
    have S for T.
    """
    atoms, slots = errors.shape[1], limits.shape[1]
    found = np.zeros((len(column_subject), slots), dtype=np.int64)
    touched = np.empty(len(column_subject), dtype=np.int64)
    seen = np.zeros(len(column_subject), dtype=np.bool_)
    wrong = np.empty(len(place), dtype=np.uint32)
    end = _at_least_own(place, score, row_atom, column_atom, lowest, wrong)
    k = 0
    while k < end:
        p = row_owner[Index(place[wrong[k]] >> SHIFT)]
        i = row_subject[p]
        a = atom_of[i]
        number = 0
        while k < end and row_owner[Index(place[wrong[k]] >> SHIFT)] == p:
            c, value = Index(place[wrong[k]] & LARGEST), np.float64(score[wrong[k]])
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
