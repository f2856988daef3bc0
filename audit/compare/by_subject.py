"""Errors by pair of subjects, and sums of scores by subject: what relabelling people and smoothing over them need.

In memory only, while an audit runs; nothing of it is written. The table of pairs is sparse where every sample is
compared with every other: comparisons of a pair are then a product of two numbers of samples, and only pairs with an
error take a row. Sums of scores are sums of the fine histogram's bin numbers, hence integers, hence exact to merge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.compare import Comparisons
from audit.compare.all_pairs import AllPairs
from audit.compare.counts import Floats, Grid, Ints
from audit.compare.error_kernel import sum_between
from audit.compare.pairs import ListedPairs

MOST_ROWS = 1 << 22
"""Subject pairs that a table may hold."""


@dataclass(frozen=True, eq=False)
class PairErrors:
    """False matches by pair of subjects, for the non-mated comparisons that the impostor policy admits.

    Parameters
    ----------
    thresholds : (T,) ascending
    first, second : (R,) subjects, first < second
    errors : (T, R) false matches of the pair
    trials : (R,) comparisons of the pair
    samples : (n,) samples of each subject, if pairs without errors are left out; None if every pair compared has a row
    atom_of : (n,) atom of each subject
    allowed : (A, A) which atoms are compared
    """

    thresholds: Floats
    first: Ints
    second: Ints
    errors: Ints
    trials: Ints
    samples: Ints | None
    atom_of: Ints
    allowed: NDArray[np.bool_]

    def errors_times(self, t: int, vector: Floats) -> Floats:
        """Sum over j of e_ij v_j at the threshold numbered t, shape (n,)."""
        return self._rows_times(self.errors[t], vector)

    def trials_times(self, vector: Floats, power: int = 1) -> Floats:
        """Sum over j of c_ij^power v_j, shape (n,)."""
        if self.samples is None:
            return self._rows_times(self.trials**power, vector)
        own = self.samples.astype(np.float64) ** power
        by_atom = np.bincount(self.atom_of, own * vector, len(self.allowed))
        reach = self.allowed.astype(np.float64)
        return np.asarray(own * ((reach @ by_atom)[self.atom_of] - reach.diagonal()[self.atom_of] * own * vector))

    def errors_between(self, t: int, label: Ints, labels: int) -> Floats:
        """Sum e_ij over ordered pairs with labels (p, q), shape (labels, labels)."""
        return self._rows_between(*self._wrong[t], label, labels)

    def trials_between(self, label: Ints, labels: int) -> Floats:
        """Sum c_ij over ordered pairs with labels (p, q), shape (labels, labels)."""
        if self.samples is None:
            return self._rows_between(self.first, self.second, self.trials, label, labels)
        atoms = len(self.allowed)
        place = label * atoms + self.atom_of
        size = self.samples.astype(np.float64)
        sums = np.bincount(place, size, labels * atoms).reshape(labels, atoms)
        squares = np.bincount(place, size**2, labels * atoms).reshape(labels, atoms)
        reach = self.allowed.astype(np.float64)
        return np.asarray(sums @ reach @ sums.T - np.diag(squares @ reach.diagonal()))

    def _rows_times(self, values: Ints, vector: Floats) -> Floats:
        size = len(self.atom_of)
        return np.asarray(
            np.bincount(self.first, values * vector[self.second], size)
            + np.bincount(self.second, values * vector[self.first], size)
        )

    @cached_property
    def _wrong(self) -> list[tuple[NDArray[np.uint32], NDArray[np.uint32], Ints]]:
        """For every threshold the pairs that have errors: first, second, errors."""
        made = []
        for errors in self.errors:
            some = np.flatnonzero(errors)
            made.append((self.first[some].astype(np.uint32), self.second[some].astype(np.uint32), errors[some]))
        return made

    def _rows_between(
        self, first: NDArray[Any], second: NDArray[Any], values: Ints, label: Ints, labels: int
    ) -> Floats:
        lanes = np.zeros((4, labels, labels), dtype=np.int64)
        sum_between(
            *(np.asarray(column, dtype=np.uint32) for column in (first, second)), values, label.astype(np.uint32), lanes
        )
        half = lanes.sum(axis=0)
        return np.asarray(half + half.T, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class SubjectScores:
    """Sums of scores by subject, in numbers of fine bins.

    Parameters
    ----------
    mated, mated_count : (n,) sums over the mated comparisons of a subject, and how many
    nonmated, nonmated_count : (n, B) over the admitted non-mated comparisons of subject i with subjects of bin b
    """

    grid: Grid
    mated: Ints
    mated_count: Ints
    nonmated: Ints
    nonmated_count: Ints

    def scores(self, sums: Floats, counts: Floats) -> Floats:
        """Sums of scores from sums of bin numbers: a bin counts as its centre."""
        return np.asarray(self.grid.low * counts + (sums + counts / 2) / self.grid.scale)


def collect(
    comparisons: Comparisons,
    thresholds: Floats,
    atom_of: Ints,
    allowed: NDArray[np.bool_],
    grid: Grid,
    bins: Sequence[Ints],
) -> tuple[PairErrors | None, list[SubjectScores]]:
    """Count by pair of subjects and sum scores, in one pass.

    Parameters
    ----------
    thresholds : (T,) ascending
    allowed : (A, A) which atoms the impostor policy compares
    bins : for every covariate the bin of each subject, shape (n,)

    Returns
    -------
    (pairs, sums); pairs is None where more than `MOST_ROWS` would have to be held
    """
    if isinstance(comparisons, AllPairs) and not bins:
        return _wrong_alone(comparisons, thresholds, atom_of, allowed), []
    people = len(atom_of)
    listed = isinstance(comparisons, ListedPairs)
    tables: list[tuple[Ints, Ints, Ints]] | None = None if listed else []
    rows = 0
    sums = [_Sums(people, own, grid) for own in bins]
    for first, second, scores in comparisons.chunks() if bins or not listed else ():
        mated = first == second
        admitted = ~mated if allowed.all() else ~mated & allowed[atom_of[first], atom_of[second]]
        if sums:
            place = grid.bins(scores)
            for one in sums:
                one.add(first, second, place, mated, admitted)
        if tables is not None:
            keep = admitted
            if comparisons.samples is not None:
                keep = admitted & (scores >= thresholds[0]) if len(thresholds) else np.zeros_like(admitted)
            made = _reduce(first[keep], second[keep], scores[keep], thresholds, people)
            rows += len(made[0])
            tables = [*tables, made] if rows <= MOST_ROWS else None
    if isinstance(comparisons, ListedPairs):
        return _listed(comparisons, thresholds, atom_of, allowed), [one.made() for one in sums]
    return _join(tables, comparisons.samples, thresholds, atom_of, allowed), [one.made() for one in sums]


def _listed(
    comparisons: ListedPairs, thresholds: Floats, atom_of: Ints, allowed: NDArray[np.bool_]
) -> PairErrors | None:
    """The table of all pairs that were compared, where comparisons are listed."""
    first, second, errors, trials = comparisons.pair_errors(thresholds)
    keep = allowed[atom_of[first], atom_of[second]]
    if keep.sum() > MOST_ROWS:
        return None
    return PairErrors(thresholds, first[keep], second[keep], errors[:, keep], trials[keep], None, atom_of, allowed)


def _wrong_alone(
    comparisons: AllPairs, thresholds: Floats, atom_of: Ints, allowed: NDArray[np.bool_]
) -> PairErrors | None:
    """The table of pairs that have an error, where every sample was compared with every other."""
    tables: list[tuple[Ints, Ints, Ints]] = []
    rows = 0
    for first, second, errors in comparisons.wrong_pairs(thresholds) if len(thresholds) else ():
        keep = allowed[atom_of[first], atom_of[second]]
        low, high = np.minimum(first, second)[keep], np.maximum(first, second)[keep]
        tables.append((low * len(atom_of) + high, errors[:, keep], np.zeros(0, dtype=np.int64)))
        rows += len(low)
        if rows > MOST_ROWS:
            return None
    return _join(tables, comparisons.samples, thresholds, atom_of, allowed)


def _reduce(first: Ints, second: Ints, scores: Floats, thresholds: Floats, people: int) -> tuple[Ints, Ints, Ints]:
    """Pairs as low x people + high, their errors (T, R) and their comparisons among those given."""
    key = np.minimum(first, second) * people + np.maximum(first, second)
    pairs, inverse = np.unique(key, return_inverse=True)
    errors = [np.bincount(inverse[scores >= threshold], minlength=len(pairs)) for threshold in thresholds]
    shape = (len(thresholds), len(pairs))
    return pairs, np.array(errors, dtype=np.int64).reshape(shape), np.bincount(inverse, minlength=len(pairs))


def _join(
    tables: list[tuple[Ints, Ints, Ints]] | None,
    samples: Ints | None,
    thresholds: Floats,
    atom_of: Ints,
    allowed: NDArray[np.bool_],
) -> PairErrors | None:
    if tables is None:
        return None
    none = np.zeros(0, dtype=np.int64)
    pairs = np.concatenate([none, *(table[0] for table in tables)])
    errors = np.concatenate([np.zeros((len(thresholds), 0), dtype=np.int64), *(table[1] for table in tables)], axis=1)
    trials = np.concatenate([none, *(table[2] for table in tables)])
    first, second = pairs // max(len(atom_of), 1), pairs % max(len(atom_of), 1)
    if samples is not None:
        trials = samples[first] * samples[second]
    return PairErrors(thresholds, first, second, errors, trials, samples, atom_of, allowed)


class _Sums:
    """Sums of bin numbers by subject and bin of the counterpart, while they grow."""

    def __init__(self, people: int, own: Ints, grid: Grid) -> None:
        self._own, self._grid = own, grid
        self._width = int(own.max(initial=0)) + 1
        self._mated = np.zeros((2, people), dtype=np.int64)
        self._nonmated = np.zeros((2, people * self._width), dtype=np.int64)

    def add(
        self, first: Ints, second: Ints, place: Ints, mated: NDArray[np.bool_], admitted: NDArray[np.bool_]
    ) -> None:
        """Add comparisons; sums of integers are exact in float64 far beyond the size of a chunk."""
        who = first[mated]
        self._mated[0] += np.bincount(who, place[mated], self._mated.shape[1]).astype(np.int64)
        self._mated[1] += np.bincount(who, minlength=self._mated.shape[1])
        first, second, place = first[admitted], second[admitted], place[admitted]
        for subject, other in ((first, second), (second, first)):
            cell = subject * self._width + self._own[other]
            self._nonmated[0] += np.bincount(cell, place, self._nonmated.shape[1]).astype(np.int64)
            self._nonmated[1] += np.bincount(cell, minlength=self._nonmated.shape[1])

    def made(self) -> SubjectScores:
        """The sums."""
        sums, counts = self._nonmated.reshape(2, self._mated.shape[1], self._width)
        return SubjectScores(self._grid, self._mated[0], self._mated[1], sums, counts)
