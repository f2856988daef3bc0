"""Explicit protocols: comparisons that are listed, with their scores.

The same counts as `all_pairs`, by sorting instead of tiling; each is a witness of the other in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from audit.compare.all_pairs import Similarity, unit
from audit.compare.counts import Floats, Grid, Ints, OperatingCounts, ScoreCounts, pair_cell, pair_cells

CHUNK = 1 << 14
"""Listed pairs that are compared at a time."""


class ListedPairs:
    """Comparisons given by the subjects of probe and reference, and a score.

    Parameters
    ----------
    probe, reference : int, shape (comparisons,): subject indices; equal means mated
    scores : float64, shape (comparisons,); finite
    atom_of : int, shape (subjects,)
    atoms : number of atoms
    """

    def __init__(self, probe: Ints, reference: Ints, scores: Floats, atom_of: Ints, atoms: int) -> None:
        self.samples: Ints | None = None
        self._first = np.minimum(probe, reference)
        self._second = np.maximum(probe, reference)
        self._scores = np.asarray(scores, dtype=np.float64)
        self._atom_of = atom_of
        self._atoms = atoms
        low, high = float(self._scores.min(initial=0.0)), float(self._scores.max(initial=0.0))
        self._grid = Grid(low, high if high > low else low + 1.0)
        self._mated = self._first == self._second
        cell = pair_cell(atom_of[self._first], atom_of[self._second], atoms)
        self._cell = np.where(self._mated, pair_cells(atoms) + atom_of[self._first], cell)

    def scores(self, kept: NDArray[np.bool_] | None = None) -> ScoreCounts:
        """Count scores by cell."""
        return ScoreCounts.empty(self._atoms, self._grid, kept).add(self._cell, self._scores)

    def chunks(self) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Give all comparisons at once."""
        yield self._first, self._second, self._scores

    def at(self, thresholds: Floats, half: Ints, splits: int) -> OperatingCounts:
        """Count errors at ascending thresholds."""
        total = OperatingCounts.empty(thresholds, len(self._atom_of), self._atoms, splits)
        self._count_mated(total)
        subjects = len(self._atom_of)
        use = ~self._mated
        key = self._first[use] * subjects + self._second[use]
        pairs, inverse = np.unique(key, return_inverse=True)
        i, j = pairs // max(subjects, 1), pairs % max(subjects, 1)
        size = np.bincount(inverse, minlength=len(pairs)).astype(np.int64)
        a, b = self._atom_of[i], self._atom_of[j]
        cell = pair_cell(a, b, self._atoms)
        inside = [(s, side, _same_half(half, i, j, s) == side) for s in range(splits) for side in (0, 1)]
        np.add.at(total.comparisons, (i, b), size)
        np.add.at(total.comparisons, (j, a), size)
        np.add.at(total.scc, cell, size * size)
        for split, side, chosen in inside:
            np.add.at(total.half_comparisons[split, side], cell[chosen], size[chosen])
        for t, threshold in enumerate(total.thresholds):
            e = np.bincount(inverse[self._scores[use] >= threshold], minlength=len(pairs)).astype(np.int64)
            np.add.at(total.errors[t], (i, b), e)
            np.add.at(total.errors[t], (j, a), e)
            np.add.at(total.see[t], cell, e * e)
            np.add.at(total.sec[t], cell, e * size)
            for split, side, chosen in inside:
                np.add.at(total.half_errors[t, split, side], cell[chosen], e[chosen])
        return total

    def _count_mated(self, total: OperatingCounts) -> None:
        subjects = len(self._atom_of)
        who = self._first[self._mated]
        total.mated[:] = np.bincount(who, minlength=subjects)
        for t, threshold in enumerate(total.thresholds):
            wrong = self._scores[self._mated] < threshold
            total.mated_errors[t] = np.bincount(who[wrong], minlength=subjects)


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
    place = {name: index for index, name in enumerate(names)}
    made = [(place[p], place[q]) for p, q in pairs if p in place and q in place]
    probe, reference = np.array(made, dtype=np.int64).reshape(-1, 2).T
    scores = scores_of(vectors, probe, reference, similarity)
    return ListedPairs(subject[probe], subject[reference], scores, atom_of, atoms)


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


def _same_half(half: Ints, i: Ints, j: Ints, split: int) -> Ints:
    """Half that both subjects are in, or -1."""
    one, two = (half[i] >> split) & 1, (half[j] >> split) & 1
    return np.where(one == two, one, -1)
