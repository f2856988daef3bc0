"""From templates or scores to counts. No score matrix exists here: scores live for one tile and leave integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Floats, Ints, OperatingCounts, Reach, ScoreCounts


class Comparisons(Protocol):
    """A set of comparisons that can be counted: first their scores, then their errors at thresholds.

    `samples` is the number of samples of each subject if every sample was compared with every other; None otherwise.
    """

    samples: Ints | None

    @property
    def held(self) -> Ints:
        """Bin of each cell from which on exact scores are at hand, (cells,); those below cost a further pass."""
        ...

    def scores(self, kept: NDArray[np.bool_] | None = None, reach: Sequence[Reach] = ()) -> ScoreCounts:
        """Count scores by cell.

        Parameters
        ----------
        kept : (cells, bins) where scores are kept exactly; default: everywhere, if they are few enough
        reach : upper tails that will be asked for, the most important first; they are held if there is room
        """
        ...

    def at(
        self, thresholds: Floats, half: Ints, splits: int, cells: NDArray[np.bool_] | None = None
    ) -> OperatingCounts:
        """Count errors at ascending thresholds, by subject, and within the halves of `splits` random splits.

        `cells` (T, atoms, atoms) are those that each threshold is asked for; default: all.
        """
        ...

    def at_own(self, limits: Floats, own_limits: Floats) -> OperatingCounts:
        """Count errors at thresholds of each cell's own; slots stand in place of thresholds.

        Parameters
        ----------
        limits : (S, atoms, atoms) of non-mated comparisons, symmetric; infinite where none is asked for
        own_limits : (S, atoms) of mated ones; minus infinity where none is asked for
        """
        ...

    def chunks(self, above: float | None = None) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Give all comparisons (of scores not below `above`) once: subjects (first, second) and scores.

        No subject pair is in two chunks.
        """
        ...

    def by_sample(self, above: float | None = None) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Give samples (one, two) and scores once: of all mated comparisons, and of non-mated ones from `above` on."""
        ...


def halves(atom_of: Ints, splits: int, rng: np.random.Generator) -> Ints:
    """Split the subjects of every atom into random halves, several times.

    Parameters
    ----------
    atom_of : (subjects,) atom of each subject
    splits : how many times, at most 62
    rng : the generator; the split depends on nothing else

    Returns
    -------
    int array, shape (subjects,): bit s is the half of a subject in split s
    """
    if not 0 <= splits <= 62:
        raise ValueError(f"splits must lie in 0..62, found {splits}")
    bits = np.zeros(len(atom_of), dtype=np.int64)
    every = [np.flatnonzero(atom_of == atom) for atom in range(int(atom_of.max(initial=-1)) + 1)]
    for split in range(splits):
        for those in every:
            members = rng.permutation(those)
            first = (len(members) + int(rng.integers(2))) // 2
            bits[members[first:]] |= 1 << split
    return bits
