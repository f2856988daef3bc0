"""Protocols in folds: the threshold of each fold is set on the other folds, and decides in that one alone.

So no comparison has a part in the threshold that it is judged at. Errors are summed over the folds, each at its own
threshold, and intervals are for the rate at these thresholds, as everywhere. What is left in common are people who
stand in several folds; they are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit.compare.counts import Floats, Ints
from audit.compare.pairs import ListedPairs
from audit.domain import DemographicGroup, Policy, Threshold
from audit.groups import Grouping
from audit.metrics.points import whose
from audit.metrics.thresholds import FmrThreshold, threshold_at_fmr

Known = dict[float, tuple[float, ...]]
"""Thresholds of the folds by the one number that they go by."""


@dataclass(frozen=True, eq=False)
class Folds:
    """What a record says of a protocol's folds.

    Parameters
    ----------
    people, several : people who were compared, and those of them who stand in more than one fold
    comparisons, right : (folds,) comparisons, and right decisions at the threshold with most right ones in the others
    """

    people: int
    several: int
    comparisons: Ints
    right: Ints

    @property
    def accuracy(self) -> tuple[float, float] | None:
        """Mean over folds of the share of right decisions, and its standard error, `sd / sqrt(folds)` with ddof 1.

        As Labeled Faces in the Wild has it (Huang et al. 2007); None where a fold has no comparison.
        """
        if not (self.comparisons > 0).all():
            return None
        shares = self.right / self.comparisons
        return float(shares.mean()), float(shares.std(ddof=1) / np.sqrt(len(shares)))


def operating_points(
    pairs: ListedPairs, grouping: Grouping, targets: Sequence[float], given: Sequence[float] = ()
) -> list[Threshold]:
    """Set the global threshold of every target in each fold, then each group's own.

    Parameters
    ----------
    given : thresholds that are known already and hold in every fold
    """
    known: Known = {value: (value,) * pairs.folds for value in given}
    found = [pairs.in_folds(grouping.within(position)) for position in range(len(grouping.groups))]
    return [
        _point(*found[position], target, group, "per-group" if position else "global", known)
        for target in targets
        for position, group in enumerate(grouping.groups)
    ]


def _point(
    scores: Floats, counts: Ints, target: float, group: DemographicGroup, policy: Policy, known: Known
) -> Threshold:
    total = counts.sum(axis=1)
    folds = [threshold_at_fmr(scores, total - own, target) for own in counts.T]
    few = [one.trials for one in folds if not one.estimable]
    by_fold = () if few else tuple(one.value for one in folds if one.value is not None)
    name = f"{policy}-fmr-{target:g}"
    low, high = min(one.trials for one in folds), max(one.trials for one in folds)
    number = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    why = f"not estimable: {min(few, default=0):,} comparisons outside a fold, fewer than one error expected"
    return Threshold(
        id=name if policy == "global" else f"{name}:{group}",
        policy=policy,
        group=group,
        target_fmr=target,
        value=_name(by_fold, known) if by_fold else None,
        achieved_fmr=_achieved(folds) if by_fold else None,
        set_on=f"for each of {len(folds)} folds {number} non-mated comparisons of the others, {whose(group)}",
        reason=why if few else None,
        by_fold=by_fold,
    )


def _name(by_fold: tuple[float, ...], known: Known) -> float:
    """The mean of the folds' thresholds, moved by last bits while other thresholds go by it."""
    value = by_fold[0] if len(set(by_fold)) == 1 else float(np.mean(by_fold))
    while known.setdefault(value, by_fold) != by_fold:
        value = float(np.nextafter(value, np.inf))
    return value


def _achieved(folds: Sequence[FmrThreshold]) -> float:
    """FMR of the comparisons that set the thresholds, all folds together."""
    return sum(one.errors for one in folds) / sum(one.trials for one in folds)


def judged(pairs: ListedPairs, points: Sequence[Threshold]) -> ListedPairs:
    """The comparisons, decided at the thresholds of their folds."""
    return pairs.judged_by_fold(
        {point.value: np.array(point.by_fold) for point in points if point.by_fold and point.value is not None}
    )


def summary(pairs: ListedPairs, grouping: Grouping) -> Folds:
    """Count people in several folds, and right decisions at the threshold that has most of them in the other folds.

    Of several such thresholds the lowest score that the other folds have is taken.
    """
    other = pairs.in_folds(grouping.within(0))
    own = pairs.in_folds(np.ones(grouping.atoms, dtype=bool), mated=True)
    scores = np.union1d(other[0], own[0])
    right = _below(*other, scores) + own[1].sum(axis=0) - _below(*own, scores)
    seen_in = _at(*other, scores) + _at(*own, scores)
    elsewhere = seen_in.sum(axis=1, keepdims=True) > seen_in
    best = np.where(elsewhere, right.sum(axis=1, keepdims=True) - right, -1).argmax(axis=0)
    seen = pairs.people_in_folds()
    return Folds(
        people=int((seen > 0).sum()),
        several=int((seen > 1).sum()),
        comparisons=other[1].sum(axis=0) + own[1].sum(axis=0),
        right=right[best, np.arange(right.shape[1])],
    )


def _at(values: Floats, counts: Ints, scores: Floats) -> Ints:
    """How many comparisons of every fold have each score, (scores, folds)."""
    made = np.zeros((len(scores), counts.shape[1]), dtype=np.int64)
    made[np.searchsorted(scores, values)] = counts
    return made


def _below(values: Floats, counts: Ints, scores: Floats) -> Ints:
    """How many comparisons of every fold lie below each score, (scores, folds)."""
    upto = np.vstack([np.zeros((1, counts.shape[1]), dtype=np.int64), np.cumsum(counts, axis=0)])
    return np.asarray(upto[np.searchsorted(values, scores, side="left")])
