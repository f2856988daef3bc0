"""Which groups' scores may be told finely: no difference of what is published leaves the scores of a few people.

A histogram with narrow bins of a group of three people is nearly a list of their scores. Leaving it out is not enough:
where everyone and all other groups are told finely, it is what remains. So every sum and difference of histograms that
are told finely has to rest on `FEWEST` people or more; the other groups' scores are counted between decision thresholds
only, which says no more than their error rates do. Cell suppression with complements, as statistical offices do it:
Hundepool et al. (2012), Statistical Disclosure Control, chapter 4.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from audit.groups import Grouping

FEWEST = 10
"""People behind anything that narrow bins tell."""
MOST_TRIED = 12
"""Up to so many small combinations of labels, all sets of them are tried; beyond, single ones, pairs, differences."""
_ONE = 1 - 1e-9

Floats = NDArray[np.float64]


def told_finely(grouping: Grouping, fewest: int = FEWEST) -> NDArray[np.bool_]:
    """Say of every group whether its scores may be counted in narrow bins, shape (groups,).

    Groups of fewer people than `fewest` may not; nor may others from which theirs could be worked out: of those that
    such a combination takes, the smallest gives way, and everyone last.
    """
    sizes = np.bincount(grouping.atom_of, minlength=grouping.atoms)
    people = grouping.subjects
    chosen = people >= fewest
    while chosen.any():
        alone = told_apart(grouping.member[chosen], sizes, fewest)
        if alone is None:
            break
        there = np.flatnonzero(chosen)
        taken = there[_weights(grouping.member[there], alone)]
        chosen[min(taken, key=lambda k: (k == 0, people[k], -k))] = False
    return np.asarray(chosen, dtype=bool)


def _weights(members: NDArray[np.bool_], alone: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which groups enter a combination that rests on these atoms alone."""
    matrix = members.astype(np.float64)
    inverse = np.linalg.pinv(matrix, rtol=1e-10)
    values, vectors = np.linalg.eigh((inverse @ matrix)[np.ix_(alone, alone)])
    shares = np.abs(vectors[:, np.argmax(values)] @ inverse[alone])
    return np.asarray(shares > 1e-6 * shares.max())


def told_apart(members: NDArray[np.bool_], sizes: NDArray[np.int64], fewest: int) -> NDArray[np.int64] | None:
    """Find a set of atoms with fewer than `fewest` people on which some combination of the groups rests alone.

    Parameters
    ----------
    members : bool, shape (groups, atoms)
    sizes : people of each atom

    Notes
    -----
    With P the projector on the span of the groups, a set S holds a vector of that span iff the largest eigenvalue of
    `P[S, S]` is 1.
    """
    matrix = members.astype(np.float64)
    projector = np.linalg.pinv(matrix, rtol=1e-10) @ matrix
    small = np.flatnonzero((sizes < fewest) & (sizes > 0))
    pair = _pair(projector, small, sizes, fewest)
    if pair is not None:
        return pair
    for some in _sets(members, small, sizes, fewest):
        if len(some) and np.linalg.eigvalsh(projector[np.ix_(some, some)])[-1] > _ONE:
            return some
    return None


def _pair(
    projector: Floats, small: NDArray[np.int64], sizes: NDArray[np.int64], fewest: int
) -> NDArray[np.int64] | None:
    """A single small atom, or two of them, all at once."""
    if not len(small):
        return None
    part = projector[np.ix_(small, small)]
    own = np.diag(part)
    if own.max() > _ONE:
        return small[[int(own.argmax())]]
    largest = (own[:, None] + own) / 2 + np.sqrt(((own[:, None] - own) / 2) ** 2 + part**2)
    few = sizes[small][:, None] + sizes[small] < fewest
    np.fill_diagonal(few, val=False)
    if not few.any():
        return None
    one, two = np.unravel_index(int(np.where(few, largest, 0.0).argmax()), largest.shape)
    return small[[int(one), int(two)]] if largest[one, two] > _ONE else None


def _sets(
    members: NDArray[np.bool_], small: NDArray[np.int64], sizes: NDArray[np.int64], fewest: int
) -> Iterator[NDArray[np.int64]]:
    """Sets of atoms with too few people that groups differ by; all such sets where they are few."""
    if len(small) <= MOST_TRIED:
        for number in range(3, len(small) + 1):
            for some in itertools.combinations(small.tolist(), number):
                if _people(sizes, some) < fewest:
                    yield np.array(some)
        return
    for one, two in itertools.permutations(members, 2):
        apart = np.flatnonzero(one & ~two & (sizes > 0))
        if _people(sizes, apart.tolist()) < fewest:
            yield apart
    for one in members:
        left = np.flatnonzero(members.any(axis=0) & ~one & (sizes > 0))
        if _people(sizes, left.tolist()) < fewest:
            yield left


def _people(sizes: NDArray[np.int64], some: Sequence[int]) -> int:
    return int(sizes[list(some)].sum())
