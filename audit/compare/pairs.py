"""Explicit protocols: comparisons that are listed, with their scores.

The same counts as `all_pairs`, by sorting instead of tiling; each is a witness of the other in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    """

    def __init__(self, probe: Indices, reference: Indices, scores: Floats, atom_of: Ints, atoms: int) -> None:
        self.samples: Ints | None = None
        self._atom_of = np.asarray(atom_of, dtype=np.int64)
        self._atoms = atoms
        first, second = np.minimum(probe, reference), np.maximum(probe, reference)
        key = first.astype(np.int64) * len(atom_of) + second
        order = np.argsort(key, kind="stable")
        key = key[order]
        self._first, self._second = first[order].astype(np.int32), second[order].astype(np.int32)
        self._scores = np.asarray(scores, dtype=np.float64)[order]
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
            accepted = np.add.reduceat(self._scores >= threshold, self._starts, dtype=np.int64)
            np.add.at(total.mated_errors[t], i[own], (size - accepted)[own])
            asked = ~own if cells is None else ~own & cells[t][self._atom_of[i], self._atom_of[j]]
            wrong = np.flatnonzero(asked & (accepted > 0))
            self._add_errors(total, t, i[wrong], j[wrong], accepted[wrong], size[wrong], half, splits)
        return total

    def at_own(self, limits: Floats, own_limits: Floats) -> OperatingCounts:
        """Count errors at thresholds of each cell's own."""
        slots = len(limits)
        nobody = np.zeros(len(self._atom_of), dtype=np.int64)
        total = self.at(np.zeros(0), nobody, 0)
        made = OperatingCounts.empty(np.arange(slots, dtype=np.float64), len(self._atom_of), self._atoms, 0)
        made.comparisons[:], made.mated[:], made.scc[:] = total.comparisons, total.mated, total.scc
        if not len(self._starts):
            return made
        i, j = self._first[self._starts], self._second[self._starts]
        size = np.diff(np.r_[self._starts, len(self._scores)])
        own = i == j
        for slot in range(slots):
            limit = np.where(own, own_limits[slot][self._atom_of[i]], limits[slot][self._atom_of[i], self._atom_of[j]])
            accepted = np.add.reduceat(self._scores >= np.repeat(limit, size), self._starts, dtype=np.int64)
            np.add.at(made.mated_errors[slot], i[own], (size - accepted)[own])
            wrong = np.flatnonzero(~own & (accepted > 0))
            self._add_errors(made, slot, i[wrong], j[wrong], accepted[wrong], size[wrong], nobody, 0)
        return made

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
) -> ListedPairs:
    """Compare the listed pairs of samples; a pair of which a sample has no template was not compared, and is left out.

    Parameters
    ----------
    pairs : (probe, reference) sample ids
    names : sample id of each template
    vectors : float32, shape (templates, dimension)
    subject : int, shape (templates,)
    """
    probe, reference = places(pairs, names)
    scores = scores_of(vectors, probe, reference, similarity)
    return ListedPairs(subject[probe], subject[reference], scores, atom_of, atoms)


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
