"""Explicit protocols: comparisons that are listed, with their scores.

The same counts as `all_pairs`, by sorting instead of tiling; each is a witness of the other in the tests.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from audit.compare.blocks import Similarity, unit
from audit.compare.counts import (
    Floats,
    Grid,
    Ints,
    OperatingCounts,
    Reach,
    ScoreCounts,
    pair_cell,
    pair_cells,
)

CHUNK = 1 << 14
"""Listed pairs that are compared at a time."""
ROWS = 1 << 19
"""Listed pairs that are counted at a time."""
Indices = NDArray[np.int64] | NDArray[np.int32]


class ListedPairs:
    """Comparisons given by the subjects of probe and reference, and a score.

    Parameters
    ----------
    probe, reference : int, shape (comparisons,): subject indices; equal means mated
    scores : float64, shape (comparisons,); finite
    atom_of : int, shape (subjects,)
    atoms : number of atoms
    fold : int, shape (comparisons,): fold of each comparison, 0, 1, ...; None: the protocol has no folds
    rows : int, shape (comparisons,) each: the two samples, where `by_sample` will be asked for them
    """

    def __init__(
        self,
        probe: Indices,
        reference: Indices,
        scores: Floats,
        atom_of: Ints,
        atoms: int,
        fold: Ints | None = None,
        rows: tuple[Ints, Ints] | None = None,
    ) -> None:
        self.samples: Ints | None = None
        self._atom_of = np.asarray(atom_of, dtype=np.int64)
        self._atoms = atoms
        first, second = np.minimum(probe, reference), np.maximum(probe, reference)
        key = first.astype(np.int64) * len(atom_of) + second
        order = np.argsort(key, kind="stable")
        key = key[order]
        self._first, self._second = first[order].astype(np.int32), second[order].astype(np.int32)
        self._scores = np.asarray(scores, dtype=np.float64)[order]
        self._fold = None if fold is None else np.asarray(fold, dtype=np.int64)[order]
        self._rows = None if rows is None else tuple(side[order] for side in rows)
        self.by_fold: Mapping[float, Floats] = {}
        # Comparisons of a pair of subjects stand together: a pair is a stretch of rows.
        self._starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
        low, high = float(self._scores.min(initial=0.0)), float(self._scores.max(initial=0.0))
        self._grid = Grid.over(low, high, atoms)
        self.held: Ints = np.zeros(pair_cells(atoms) + atoms, dtype=np.int64)

    def scores(self, kept: NDArray[np.bool_] | None = None, reach: Sequence[Reach] = ()) -> ScoreCounts:  # noqa: ARG002
        """Count scores by cell; all scores are at hand, whatever the reach."""
        total = ScoreCounts.empty(self._atoms, self._grid, kept)
        for part in self._parts():
            one, two = self._first[part], self._second[part]
            a, b = self._atom_of[one], self._atom_of[two]
            cell = np.where(one == two, pair_cells(self._atoms) + a, pair_cell(a, b, self._atoms))
            total = total.add(cell, self._scores[part])
        return total

    def chunks(self, above: float | None = None) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Give comparisons piece by piece; no pair of subjects is in two pieces."""
        for part in self._parts():
            first, second = self._first[part].astype(np.int64), self._second[part].astype(np.int64)
            scores = self._scores[part]
            keep = slice(None) if above is None else scores >= above
            yield first[keep], second[keep], scores[keep]

    def by_sample(self, above: float | None = None) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Samples (one, two) and scores, piece by piece: all mated comparisons, and non-mated ones from `above` on."""
        if self._rows is None:
            raise ValueError("these comparisons were made without their samples")
        for part in self._parts():
            scores = self._scores[part]
            own = self._first[part] == self._second[part]
            keep = slice(None) if above is None else own | (scores >= above)
            yield self._rows[0][part][keep], self._rows[1][part][keep], scores[keep]

    def _parts(self) -> Iterator[slice]:
        """Stretches of about `ROWS` rows that end where a pair of subjects ends."""
        start, size = 0, len(self._scores)
        while start < size:
            later = self._starts[np.searchsorted(self._starts, start + ROWS) :][:1]
            end = int(later[0]) if len(later) else size
            yield slice(start, end)
            start = end

    def at(
        self, thresholds: Floats, half: Ints, splits: int, cells: NDArray[np.bool_] | None = None
    ) -> OperatingCounts:
        """Count errors at ascending thresholds."""
        total = OperatingCounts.empty(thresholds, len(self._atom_of), self._atoms, splits)
        if not len(self._starts):
            return total
        i, j = self._first[self._starts], self._second[self._starts]
        size = np.diff(np.r_[self._starts, len(self._scores)])
        own = i == j
        np.add.at(total.mated, i[own], size[own])
        self._add_pairs(total, i[~own], j[~own], size[~own], half, splits)
        for t, threshold in enumerate(total.thresholds):
            accepted = np.add.reduceat(self._accepted(threshold), self._starts, dtype=np.int64)
            np.add.at(total.mated_errors[t], i[own], (size - accepted)[own])
            asked = ~own if cells is None else ~own & cells[t][self._atom_of[i], self._atom_of[j]]
            wrong = np.flatnonzero(asked & (accepted > 0))
            self._add_errors(total, t, i[wrong], j[wrong], accepted[wrong], size[wrong], half, splits)
        return total

    def at_own(self, limits: Floats, own_limits: Floats) -> OperatingCounts:
        """Count errors at thresholds of each cell's own; with folds, limits may have them as their second axis."""
        slots = len(limits)
        if limits.ndim == 3:
            limits, own_limits = limits[:, None], own_limits[:, None]
        nobody = np.zeros(len(self._atom_of), dtype=np.int64)
        total = self.at(np.zeros(0), nobody, 0)
        made = OperatingCounts.empty(np.arange(slots, dtype=np.float64), len(self._atom_of), self._atoms, 0)
        made.comparisons[:], made.mated[:], made.scc[:] = total.comparisons, total.mated, total.scc
        if not len(self._starts):
            return made
        i, j = self._first[self._starts], self._second[self._starts]
        size = np.diff(np.r_[self._starts, len(self._scores)])
        own, pair = i == j, np.repeat(np.arange(len(i)), size)
        for slot in range(slots):
            a, b = self._atom_of[i], self._atom_of[j]
            limit = np.where(own, own_limits[slot][:, a], limits[slot][:, a, b])
            fold = 0 if self._fold is None or len(limit) == 1 else self._fold
            accepted = np.add.reduceat(self._scores >= limit[fold, pair], self._starts, dtype=np.int64)
            np.add.at(made.mated_errors[slot], i[own], (size - accepted)[own])
            wrong = np.flatnonzero(~own & (accepted > 0))
            self._add_errors(made, slot, i[wrong], j[wrong], accepted[wrong], size[wrong], nobody, 0)
        return made

    @property
    def folds(self) -> int:
        """How many folds; 0: the protocol has none."""
        return 0 if self._fold is None else int(self._fold.max(initial=0)) + 1

    def judged_by_fold(self, by_fold: Mapping[float, Floats]) -> ListedPairs:
        """The same comparisons, decided in each fold at a threshold of its own.

        Parameters
        ----------
        by_fold : thresholds of the folds, (folds,), by the value that `at` and `pair_errors` know them under
        """
        made = copy.copy(self)
        made.by_fold = dict(by_fold)
        return made

    def _accepted(self, threshold: float) -> NDArray[np.bool_]:
        limits = self.by_fold.get(float(threshold))
        return np.asarray(self._scores >= (threshold if limits is None else limits[self._fold]), dtype=bool)

    def in_folds(self, mask: NDArray[np.bool_], *, mated: bool = False) -> tuple[Floats, Ints]:
        """Distinct scores, ascending, and how often each occurred in every fold, (scores, folds).

        Parameters
        ----------
        mask : (atoms, atoms) of non-mated comparisons, symmetric; (atoms,) of mated ones
        """
        own = self._first == self._second
        a, b = self._atom_of[self._first], self._atom_of[self._second]
        chosen = np.flatnonzero(own & mask[a] if mated else ~own & mask[a, b])
        fold = np.zeros(len(chosen), dtype=np.int64) if self._fold is None else self._fold[chosen]
        values, place = np.unique(self._scores[chosen], return_inverse=True)
        folds = max(self.folds, 1)
        counts = np.bincount(place * folds + fold, minlength=len(values) * folds)
        return values, counts.reshape(-1, folds).astype(np.int64)

    def people_in_folds(self) -> Ints:
        """In how many folds each subject stands, (subjects,)."""
        seen = np.zeros((len(self._atom_of), max(self.folds, 1)), dtype=bool)
        fold = np.zeros(len(self._scores), dtype=np.int64) if self._fold is None else self._fold
        seen[self._first, fold] = True
        seen[self._second, fold] = True
        return np.asarray(seen.sum(axis=1))

    def pair_errors(self, thresholds: Floats) -> tuple[Ints, Ints, Ints, Ints]:
        """False matches of every two subjects who were compared.

        Returns
        -------
        (first, second, errors, comparisons) : first < second; errors have shape (thresholds, pairs)
        """
        i, j = (side[self._starts].astype(np.int64) for side in (self._first, self._second))
        size = np.diff(np.r_[self._starts, len(self._scores)]).astype(np.int64)
        other = i != j
        errors = np.zeros((len(thresholds), len(i)), dtype=np.int64)
        for t, threshold in enumerate(thresholds if len(i) else ()):
            errors[t] = np.add.reduceat(self._accepted(float(threshold)), self._starts, dtype=np.int64)
        return i[other], j[other], errors[:, other], size[other]

    def _add_pairs(self, total: OperatingCounts, i: Indices, j: Indices, size: Ints, half: Ints, splits: int) -> None:
        a, b = self._atom_of[i], self._atom_of[j]
        cell = pair_cell(a, b, self._atoms)
        np.add.at(total.comparisons, (i, b), size)
        np.add.at(total.comparisons, (j, a), size)
        np.add.at(total.scc, cell, size * size)
        for split in range(splits):
            side = _same_half(half, i, j, split)
            for which in (0, 1):
                inside = side == which
                np.add.at(total.half_comparisons[split, which], cell[inside], size[inside])

    def _add_errors(
        self, total: OperatingCounts, t: int, i: Indices, j: Indices, e: Ints, size: Ints, half: Ints, splits: int
    ) -> None:
        a, b = self._atom_of[i], self._atom_of[j]
        cell = pair_cell(a, b, self._atoms)
        np.add.at(total.errors[t], (i, b), e)
        np.add.at(total.errors[t], (j, a), e)
        np.add.at(total.see[t], cell, e * e)
        np.add.at(total.sec[t], cell, e * size)
        for split in range(splits):
            side = _same_half(half, i, j, split)
            for which in (0, 1):
                inside = side == which
                np.add.at(total.half_errors[t, split, which], cell[inside], e[inside])


def listed(
    pairs: Sequence[tuple[str, str]],
    names: Sequence[str],
    vectors: NDArray[np.float32],
    subject: Ints,
    atom_of: Ints,
    atoms: int,
    similarity: Similarity,
    folds: Mapping[tuple[str, str], str] | None = None,
    *,
    by_sample: bool = False,
) -> ListedPairs:
    """Compare the listed pairs of samples; a pair of which a sample has no template was not compared, and is left out.

    Parameters
    ----------
    pairs : (probe, reference) sample ids
    names : sample id of each template
    vectors : float32, shape (templates, dimension)
    subject : int, shape (templates,)
    folds : fold of every pair, if the protocol has folds; those with a comparison are numbered, in the order of their
        names
    by_sample : keep the samples of every comparison
    """
    probe, reference = places(pairs, names)
    scores = scores_of(vectors, probe, reference, similarity)
    fold = None
    if folds:
        known = set(names)
        made = [folds[pair] for pair in pairs if known.issuperset(pair)]
        number = {name: k for k, name in enumerate(sorted(set(made), key=lambda name: (len(name), name)))}
        fold = np.array([number[name] for name in made], dtype=np.int64)
    rows = (probe, reference) if by_sample else None
    return ListedPairs(subject[probe], subject[reference], scores, atom_of, atoms, fold, rows)


def places(pairs: Sequence[tuple[str, str]], names: Sequence[str]) -> tuple[Ints, Ints]:
    """Places among `names` of the probe and the reference of every pair of which both are there."""
    place = {name: index for index, name in enumerate(names)}
    made = [(place[p], place[q]) for p, q in pairs if p in place and q in place]
    probe, reference = np.array(made, dtype=np.int64).reshape(-1, 2).T
    return probe, reference


def scores_of(vectors: NDArray[np.float32], probe: Ints, reference: Ints, similarity: Similarity) -> Floats:
    """Scores of pairs of templates, by their indices into `vectors` (templates, dimension); float64, shape (pairs,)."""
    if similarity == "cosine":
        vectors = unit(vectors)
    scores = np.zeros(len(probe), dtype=np.float32)
    for first in range(0, len(probe), CHUNK):
        part = slice(first, first + CHUNK)
        left, right = vectors[probe[part]], vectors[reference[part]]
        if similarity == "euclidean":
            scores[part] = -np.linalg.norm(left.astype(np.float64) - right, axis=1)
        else:
            scores[part] = np.einsum("ij,ij->i", left, right, dtype=np.float64)
    return scores.astype(np.float64)


def _same_half(half: Ints, i: Indices, j: Indices, split: int) -> Ints:
    """Half that both subjects are in, or -1."""
    one, two = (half[i] >> split) & 1, (half[j] >> split) & 1
    return np.where(one == two, one, -1)
