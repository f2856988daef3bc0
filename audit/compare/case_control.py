"""Comparisons within groups by their two samples: errors in full, the others as a sample with weights.

Errors are rare and comparisons many. A regression needs a row a comparison, but what it learns lies in the errors: so a
stratum (a group, mated or not, between two thresholds) that has more than `MOST` comparisons gives that many, each
standing for as many as there are (a case-control sample; Horvitz and Thompson's weights). Which ones is decided by a
hash of the two samples' numbers and the seed: neither the order of tiles nor the number of threads matters.

Where all comparisons are few, every one is listed and looked at; else those below the lowest threshold are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.compare import Comparisons
from audit.compare.blocks import Rows, Similarity
from audit.compare.counts import Floats, Ints
from audit.compare.pairs import scores_of
from audit.compare.sampled import Drawing, Population

MOST = 20_000
"""Comparisons of a stratum."""
EVERY = 2_000_000
"""Comparisons in all, up to which every one is looked at."""
PRUNED = 1 << 22
"""Comparisons that are held before those beyond `MOST` of a stratum are dropped."""


@dataclass(frozen=True, eq=False)
class Listed:
    """Comparisons, one a row.

    Parameters
    ----------
    one, two : (rows,) samples
    score : (rows,)
    band : (rows,) how many of the thresholds the score reaches
    mated : (rows,) whether both samples are of one subject
    group : (rows,) the group that both subjects are in
    weight : (rows,) how many comparisons each stands for
    every : whether no comparison was left out
    """

    one: Ints
    two: Ints
    score: Floats
    band: Ints
    mated: NDArray[np.bool_]
    group: Ints
    weight: Floats
    every: bool


@dataclass(frozen=True, eq=False)
class Within:
    """Whose comparisons are wanted.

    Parameters
    ----------
    subject : (samples,) subject of each
    group_of : (subjects,) group of each, -1: none, or several
    atom_of : (subjects,), and `allowed` (atoms, atoms): which non-mated comparisons the impostor policy admits
    """

    subject: Ints
    group_of: Ints
    atom_of: Ints
    allowed: NDArray[np.bool_]

    def keeps(self, one: Ints, two: Ints) -> NDArray[np.bool_]:
        """Whether comparisons are wanted."""
        i, j = self.subject[one], self.subject[two]
        inside = (self.group_of[i] >= 0) & (self.group_of[i] == self.group_of[j])
        return np.asarray(inside & ((i == j) | self.allowed[self.atom_of[i], self.atom_of[j]]))


def listed(
    comparisons: Comparisons,
    within: Within,
    thresholds: Floats,
    *,
    all_pairs: tuple[Rows, Similarity] | None,
    seed: int,
    most: int = MOST,
    every: int = EVERY,
) -> Listed:
    """List comparisons within groups.

    Parameters
    ----------
    comparisons : all pairs of the samples, or some that were listed or drawn
    thresholds : (T,) ascending
    all_pairs : templates and similarity where every sample was compared with every other: below the lowest threshold
        comparisons can then be drawn; None: those there are, are all looked at
    most, every : as the constants of this module
    """
    samples = len(within.subject)
    looked_at = all_pairs is None or samples * (samples - 1) // 2 <= every or not len(thresholds)
    strata = _Strata(within, thresholds, seed, most)
    for one, two, score in comparisons.by_sample(None if looked_at else float(thresholds[0])):
        strata.add(one, two, score)
    if not looked_at and all_pairs is not None:
        for group in range(int(within.group_of.max(initial=-1)) + 1):
            _draw(strata, within, group, all_pairs, np.random.default_rng([seed, 2, group]), most)
    return strata.made()


class _Strata:
    """Rows while they are gathered."""

    def __init__(self, within: Within, thresholds: Floats, seed: int, most: int) -> None:
        self._within, self._thresholds, self._most = within, thresholds, most
        self._seed = np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
        self._bands = len(thresholds) + 1
        self._groups = int(within.group_of.max(initial=-1)) + 1
        self.size = np.zeros(self._groups * 2 * self._bands, dtype=np.int64)
        none = np.zeros(0, dtype=np.int64)
        self._held: list[tuple[Ints, Ints, Floats, Ints]] = [(none, none, np.zeros(0), none)]
        self._rows = 0

    def add(self, one: Ints, two: Ints, score: Floats) -> None:
        """Add comparisons that were made."""
        keep = self._within.keeps(one, two)
        one, two, score = one[keep], two[keep], score[keep]
        band = np.searchsorted(self._thresholds, score, side="right")
        self._put(one, two, score, band)
        self.size += np.bincount(self._stratum(one, two, band), minlength=len(self.size))

    def add_drawn(self, one: Ints, two: Ints, score: Floats, group: int, total: int) -> None:
        """Add comparisons below all thresholds that stand for `total` of a group."""
        self._put(one, two, score, np.zeros(len(one), dtype=np.int64))
        self.size[group * 2 * self._bands] = total

    @property
    def lowest(self) -> float:
        """The lowest threshold."""
        return float(self._thresholds[0])

    def wrong(self, group: int) -> Ints:
        """Non-mated comparisons at or above the lowest threshold, as keys; those of a group that are held."""
        one, two, _, band = (np.concatenate(column) for column in zip(*self._held, strict=True))
        subject = self._within.subject
        mine = (self._within.group_of[subject[one]] == group) & (subject[one] != subject[two]) & (band > 0)
        return self._key(one[mine], two[mine])

    def errors(self, group: int) -> int:
        """How many there are, held or not."""
        first = group * 2 * self._bands
        return int(self.size[first + 1 : first + self._bands].sum())

    def made(self) -> Listed:
        """All rows with their weights, in the order of their samples."""
        self._prune()
        one, two, score, band = self._held[0]
        stratum = self._stratum(one, two, band)
        kept = np.bincount(stratum, minlength=len(self.size))
        weight = self.size[stratum] / kept[stratum]
        order = np.argsort(self._key(one, two), kind="stable")
        subject = self._within.subject
        found = Listed(
            one, two, score, band, subject[one] == subject[two], self._within.group_of[subject[one]], weight,
            bool((self.size == kept).all()),
        )  # fmt: skip
        return replace(found, **{
            name: getattr(found, name)[order] for name in ("one", "two", "score", "band", "mated", "group", "weight")
        })  # fmt: skip

    def _put(self, one: Ints, two: Ints, score: Floats, band: Ints) -> None:
        self._held.append((one, two, score, band))
        self._rows += len(one)
        if self._rows > PRUNED:
            self._prune()

    def _prune(self) -> None:
        """Keep the first of every stratum, by their hash."""
        one, two, score, band = (np.concatenate(column) for column in zip(*self._held, strict=True))
        stratum, rank = self._stratum(one, two, band), _hash(self._key(one, two), self._seed)
        order = np.lexsort((rank, stratum))
        starts = np.searchsorted(stratum[order], np.arange(len(self.size)))
        keep = order[np.arange(len(order)) - starts[stratum[order]] < self._most]
        self._held = [(one[keep], two[keep], score[keep], band[keep])]
        self._rows = len(keep)

    def _stratum(self, one: Ints, two: Ints, band: Ints) -> Ints:
        i, j = self._within.subject[one], self._within.subject[two]
        return np.asarray((self._within.group_of[i] * 2 + (i == j)) * self._bands + band, dtype=np.int64)

    def _key(self, one: Ints, two: Ints) -> Ints:
        return np.minimum(one, two) * len(self._within.subject) + np.maximum(one, two)


def _draw(
    strata: _Strata,
    within: Within,
    group: int,
    all_pairs: tuple[Rows, Similarity],
    rng: np.random.Generator,
    most: int,
) -> None:
    """Draw a group's comparisons below the lowest threshold: those drawn that are not errors are such a sample."""
    own = np.flatnonzero(within.group_of[within.subject] == group)
    population = Population(within.subject[own], within.atom_of, within.allowed)
    total, wrong = int(population.by_cell.sum()), strata.errors(group)
    drawing = Drawing(population, rng)
    drawing.up_to(min(total, most + most * wrong // max(total, 1) + 1))
    one, two = (own[side] for side in drawing.pairs)
    keep = ~np.isin(np.minimum(one, two) * len(within.subject) + np.maximum(one, two), strata.wrong(group))
    one, two = one[keep], two[keep]
    used, place = np.unique(np.r_[one, two], return_inverse=True)
    rows, similarity = all_pairs
    score = scores_of(rows.take(used), place[: len(one)], place[len(one) :], similarity)
    below = score < strata.lowest  # of errors that are no longer held, only the score tells
    strata.add_drawn(one[below], two[below], score[below], group, total - wrong)


def _hash(key: Ints, seed: np.uint64) -> NDArray[np.uint64]:
    """A number that looks random for every key (splitmix64; Steele, Lea & Flood 2014)."""
    mixed = key.astype(np.uint64) + seed
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
