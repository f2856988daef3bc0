"""Operating points: where each decision threshold is set.

Two views, always both: one global threshold for everyone (what people experience), and a threshold for each group at
the same FMR (how the score distributions differ). Thresholds are observed scores and never exceed their target.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.compare import Comparisons
from audit.compare.counts import Floats, OperatingCounts, Reach, ScoreCounts
from audit.domain import DemographicGroup, Policy, Threshold
from audit.groups import Grouping
from audit.metrics.thresholds import thresholds_of

MOST_ROWS = 1 << 18
"""Comparisons that may be kept exactly without being asked for."""


def exact_scores(
    comparisons: Comparisons,
    grouping: Grouping,
    targets: Sequence[float],
    thresholds: Sequence[float] = (),
    reach: Sequence[Reach] = (),
) -> ScoreCounts:
    """Count scores such that every threshold is exact: the bins in which thresholds lie are kept.

    Parameters
    ----------
    targets : target FMRs of which the thresholds are to be found, for everyone and for every group
    thresholds : thresholds that are known already
    reach : further tails that will be asked for
    """
    largest = max(targets, default=0.0)
    own = [Reach(grouping.within(position), largest) for position in range(len(grouping.groups))] if targets else []
    counts = comparisons.scores(None, [*own, *reach])
    if counts.exact:
        return counts
    kept = np.zeros(counts.histogram.shape, dtype=bool)
    kept[:, counts.grid.bins(np.asarray(thresholds, dtype=np.float64))] = True
    for position in range(len(grouping.groups)):
        chosen = counts.chosen(grouping.within(position), mated=False)
        accepted = np.cumsum(counts.summed(chosen)[::-1])[::-1]
        bins = sorted({bin_ for target in targets for bin_ in _bin_of_threshold(accepted, target)})
        cells = np.flatnonzero(chosen | counts.chosen(grouping.member[position], mated=True))
        kept[cells[:, None], np.array(bins, dtype=np.int64)] = True
    # Where it costs little, other groups' counts are exact at these thresholds too.
    columns = np.flatnonzero(kept.any(axis=0))
    more = kept[:, columns] | (columns >= comparisons.held[:, None])
    if counts.histogram[:, columns][more].sum() <= MOST_ROWS:
        kept[:, columns] = more
    return comparisons.scores(kept)


def common(points: Sequence[Threshold]) -> Floats:
    """Thresholds that hold for everyone, ascending, each once."""
    return np.unique([point.value for point in points if point.policy != "per-group" and point.value is not None])


def own_counts(
    comparisons: Comparisons, grouping: Grouping, points: Sequence[Threshold]
) -> tuple[OperatingCounts, dict[str, int]]:
    """Count errors at the groups' own thresholds, within each group.

    Groups of which no two share a comparison share a slot of the counts: as many as there are targets and families.

    Returns
    -------
    (counts, slots) : `slots` is the position of each point, by its id
    """
    limits: list[Floats] = []
    own_limits: list[Floats] = []
    taken: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]] = []
    slots: dict[str, int] = {}
    folds = max((len(point.by_fold) for point in points), default=1) or 1
    for point in points:
        if point.policy != "per-group" or point.value is None:
            continue
        position = grouping.index(point.group)
        mask, row = grouping.within(position), grouping.member[position]
        free = (k for k, (pairs, rows) in enumerate(taken) if not ((pairs & mask).any() or (rows & row).any()))
        slot = next(free, len(limits))
        if slot == len(limits):
            limits.append(np.full((folds, grouping.atoms, grouping.atoms), np.inf))
            own_limits.append(np.full((folds, grouping.atoms), -np.inf))
            taken.append((np.zeros_like(mask), np.zeros_like(row)))
        taken[slot][0][mask] = taken[slot][1][row] = True
        by_fold = np.array(point.by_fold or [point.value])[:, None]
        limits[slot][:, mask], own_limits[slot][:, row] = by_fold, by_fold
        slots[point.id] = slot
    shape = (len(limits), *((folds,) if folds > 1 else ()), grouping.atoms)
    return comparisons.at_own(
        np.array(limits).reshape(*shape, grouping.atoms), np.array(own_limits).reshape(shape)
    ), slots


def _bin_of_threshold(accepted: NDArray[np.int64], target: float) -> list[int]:
    """Bins that may hold the threshold: the first in which the target is kept from its edge on, and the one below."""
    size = len(accepted)
    allowed = np.floor(target * accepted[0] + 1e-9)
    first = int(np.count_nonzero(accepted > allowed))
    # The next bin that holds a score ends those of which as many scores are accepted.
    rest = accepted[first:]
    above = [first + int(np.count_nonzero(rest == rest[0])) - 1] if len(rest) and rest[0] else []
    return [*range(max(first - 1, 0), min(first, size - 1) + 1), *above]


def operating_points(
    counts: ScoreCounts, grouping: Grouping, targets: Sequence[float], where: str = "this benchmark"
) -> list[Threshold]:
    """Set the global threshold of every target, then each group's own.

    `where` says in words on whose comparisons.
    """
    made = []
    found_of = [
        thresholds_of(*counts.upper(counts.chosen(grouping.within(position), mated=False), max(targets)), targets)
        for position in range(len(grouping.groups) if targets else 0)
    ]
    for k, target in enumerate(targets):
        for position, group in enumerate(grouping.groups):
            policy: Policy = "per-group" if position else "global"
            found = found_of[position][k]
            name = f"{policy}-fmr-{target:g}"
            made.append(
                Threshold(
                    id=f"{name}:{group}" if position else name,
                    policy=policy,
                    group=group,
                    target_fmr=target,
                    value=found.value if found.estimable else None,
                    achieved_fmr=found.achieved if found.estimable else None,
                    set_on=f"{found.trials:,} non-mated comparisons of {where}, {whose(group)}",
                    reason=found.reason,
                )
            )
    return made


def in_scores(threshold: float, similarity: str) -> float:
    """A threshold of the model's own unit as one of scores: a distance is negated, so that larger means more alike."""
    return -threshold if similarity == "euclidean" else threshold


def given_points(
    counts: ScoreCounts,
    grouping: Grouping,
    thresholds: Sequence[float],
    similarity: str,
    giver: tuple[str, str] = ("given", "in the plan"),
) -> list[Threshold]:
    """Take thresholds as they are; the achieved FMR is that of all comparisons judged.

    `giver` says who gave them: a word for their ids, and where.
    """
    scores, numbers = counts.distribution(counts.chosen(grouping.within(0), mated=False))
    made = []
    for threshold in thresholds:
        value = in_scores(threshold, similarity)
        total = int(numbers.sum())
        accepted = int(numbers[scores >= value].sum())
        made.append(
            Threshold(
                id=f"{giver[0]}-{threshold:g}",
                policy="given",
                group=DemographicGroup(),
                target_fmr=None,
                value=value,
                achieved_fmr=accepted / total if total else None,
                set_on=f"given as {threshold:g} {giver[1]}, not set on these data",
            )
        )
    return made


def whose(group: DemographicGroup) -> str:
    """In words, of whom the comparisons are that set a threshold."""
    return f"within {group}" if group.items else "all groups together"
