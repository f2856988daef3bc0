"""A random sample of the non-mated comparisons, with all mated ones: where comparing everybody is not worth its cost.

Non-mated comparisons are drawn one by one without replacement, every one that the impostor policy admits with the same
chance. The design weight is then one number, N/n, in every cell: Horvitz and Thompson's estimate of a count is N/n
times the count, and of a rate the plain ratio, because the weights cancel. So counts stay the integers that were seen.

What sampling adds to the variance is already in the clustered variance of what was drawn (`audit.stats.clustered`): its
terms for two comparisons that share a person shrink with the square of the share drawn, those of a comparison with
itself with the share alone. That the drawing is without replacement makes it a little smaller than reckoned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.compare.blocks import Rows, Similarity
from audit.compare.counts import Ints, mask_cells
from audit.compare.design import pairs_of_atoms
from audit.compare.pairs import ListedPairs, scores_of


@dataclass(frozen=True, eq=False)
class Population:
    """All comparisons that there could be.

    Parameters
    ----------
    subject : (samples,) subject of each sample
    atom_of : (subjects,) atom of each subject
    allowed : (atoms, atoms), symmetric: whose non-mated comparisons may be drawn
    """

    subject: Ints
    atom_of: Ints
    allowed: NDArray[np.bool_]

    @property
    def by_cell(self) -> Ints:
        """Admitted non-mated comparisons of every non-mated cell, (cells,)."""
        sizes = np.bincount(self.subject, minlength=len(self.atom_of))
        every = pairs_of_atoms(sizes, self.atom_of, len(self.allowed))
        return np.asarray(every * mask_cells(self.allowed))

    def inside(self, mask: NDArray[np.bool_]) -> int:
        """Admitted non-mated comparisons in the cells of a mask (atoms, atoms)."""
        return int(self.by_cell[mask_cells(mask)].sum())


class Drawing:
    """Comparisons drawn so far, each at most once; what is drawn later joins what was drawn before.

    Parameters
    ----------
    rng : the generator; the sample depends on it, and on how many were asked for at a time
    """

    def __init__(self, population: Population, rng: np.random.Generator) -> None:
        self._population = population
        self._rng = rng
        self._keys = np.zeros(0, dtype=np.int64)

    @property
    def pairs(self) -> tuple[Ints, Ints]:
        """Samples (first, second) of every comparison drawn, (drawn,) each, first < second."""
        number = max(len(self._population.subject), 1)
        return self._keys // number, self._keys % number

    def up_to(self, total: int) -> None:
        """Draw until there are so many in all.

        Raises
        ------
        ValueError
            If there are not so many to draw.
        """
        if total > int(self._population.by_cell.sum()):
            raise ValueError(f"there are not {total:,} comparisons to draw")
        while len(self._keys) < total:
            self._keys = np.union1d(self._keys, self._candidates(total - len(self._keys)))

    def _candidates(self, most: int) -> Ints:
        """At most so many further comparisons, in the order in which they were drawn."""
        subject, atom_of = self._population.subject, self._population.atom_of
        number = len(subject)
        one, two = self._rng.integers(number, size=(2, most + most // 4 + 64))
        a, b = subject[one], subject[two]
        good = (a != b) & self._population.allowed[atom_of[a], atom_of[b]]
        keys = (np.minimum(one, two) * number + np.maximum(one, two))[good]
        keys = keys[np.sort(np.unique(keys, return_index=True)[1])]
        return np.asarray(keys[~np.isin(keys, self._keys)][:most])


def mated_pairs(subject: Ints) -> tuple[Ints, Ints]:
    """All pairs of two samples of one subject: (first, second), each pair once."""
    order = np.argsort(subject, kind="stable")
    _, starts, sizes = np.unique(subject[order], return_index=True, return_counts=True)
    first, second = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes[sizes > 1]):
        left, right = np.triu_indices(size, 1)
        begin = starts[sizes == size][:, None]
        first.append(order[begin + left].ravel())
        second.append(order[begin + right].ravel())
    return np.concatenate(first), np.concatenate(second)


def compare(
    rows: Rows,
    population: Population,
    similarity: Similarity,
    drawn: tuple[Ints, Ints],
    *,
    by_sample: bool = False,
) -> ListedPairs:
    """Make all mated comparisons and the non-mated ones that were drawn.

    Parameters
    ----------
    rows : templates of the samples; finite
    drawn : samples (first, second) of the non-mated comparisons
    by_sample : keep the samples of every comparison
    """
    probe, reference = (np.r_[own, other] for own, other in zip(mated_pairs(population.subject), drawn, strict=True))
    scores = scores_of(rows.take(np.arange(len(population.subject))), probe, reference, similarity)
    subject = population.subject
    kept = (probe, reference) if by_sample else None
    return ListedPairs(
        subject[probe], subject[reference], scores, population.atom_of, len(population.allowed), rows=kept
    )
