"""What keeping templates in fewer bits changes: decisions that differ from those on float32, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.compare.blocks import Rows, Similarity, Storage, stored
from audit.compare.counts import Floats, Ints
from audit.compare.pairs import scores_of
from audit.compare.sampled import Drawing, Population, mated_pairs

MOST = 1 << 20
"""Non-mated comparisons, and mated ones, that are made in both ways; of more, so many are drawn."""


@dataclass(frozen=True, slots=True)
class Differing:
    """Decisions at a threshold that differ, of how many that were made in both ways."""

    threshold: float
    nonmated: int
    nonmated_of: int
    mated: int
    mated_of: int


@dataclass(frozen=True, eq=False)
class Lossy:
    """Comparisons that can be made in both ways.

    Parameters
    ----------
    rows : templates in float32
    listed : samples (probe, reference) of the comparisons of an explicit protocol; None: every sample with every other
    seed : of the comparisons that are drawn where there are too many
    """

    rows: Rows
    population: Population
    similarity: Similarity
    storage: Storage
    listed: tuple[Ints, Ints] | None
    seed: int

    def differing(self, thresholds: Sequence[float]) -> list[Differing]:
        """Decide both ways at every threshold (accept iff score >= threshold).

        A threshold is an observed score, and another order of summation gives a score another last bit: scores within
        four last bits below a threshold are taken to be at it, both ways.
        """
        probe, reference = self._pairs()
        whole = self.rows.take(np.arange(self.rows.shape[0]))
        few = stored(self.rows, self.storage).take(np.arange(self.rows.shape[0]))
        one, two = (scores_of(values, probe, reference, self.similarity) for values in (whole, few))
        mated = self.population.subject[probe] == self.population.subject[reference]
        return [_differing(threshold, one, two, mated) for threshold in thresholds]

    def _pairs(self) -> tuple[Ints, Ints]:
        """Samples (probe, reference) of the comparisons that are made in both ways."""
        rng = np.random.default_rng(self.seed)
        if self.listed is not None:
            probe, reference = self.listed
            own = self.population.subject[probe] == self.population.subject[reference]
            two = [_some(probe[chosen], reference[chosen], rng) for chosen in (own, ~own)]
        else:
            drawing = Drawing(self.population, rng)
            drawing.up_to(min(MOST, int(self.population.by_cell.sum())))
            two = [_some(*mated_pairs(self.population.subject), rng), drawing.pairs]
        return np.r_[two[0][0], two[1][0]], np.r_[two[0][1], two[1][1]]


def _some(first: Ints, second: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    if len(first) <= MOST:
        return first, second
    kept = np.sort(rng.choice(len(first), MOST, replace=False))
    return first[kept], second[kept]


def _differing(threshold: float, one: Floats, two: Floats, mated: NDArray[np.bool_]) -> Differing:
    limit = threshold - 4 * float(np.spacing(np.float32(abs(threshold))))
    changed = (one >= limit) != (two >= limit)
    return Differing(
        threshold, int((changed & ~mated).sum()), int((~mated).sum()), int((changed & mated).sum()), int(mated.sum())
    )
