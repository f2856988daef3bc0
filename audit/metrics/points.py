"""Operating points: where each decision threshold is set.

Two views, always both: one global threshold for everyone (what people experience), and a threshold for each group at
the same FMR (how the score distributions differ). Thresholds are observed scores and never exceed their target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.compare import Comparisons
from audit.compare.counts import BINS, ScoreCounts
from audit.domain import DemographicGroup
from audit.groups import Grouping
from audit.metrics.thresholds import threshold_at_fmr

Policy = Literal["global", "per-group"]


@dataclass(frozen=True, slots=True)
class Point:
    """An operating point; `threshold` is None where the target cannot be estimated, and `reason` says why."""

    id: str
    policy: Policy
    group: DemographicGroup
    target: float
    threshold: float | None
    achieved: float | None
    set_on: str
    reason: str | None = None


def exact_scores(comparisons: Comparisons, grouping: Grouping, targets: Sequence[float]) -> ScoreCounts:
    """Count scores such that every threshold is exact: a second pass keeps the bins in which thresholds lie."""
    counts = comparisons.scores()
    if counts.exact:
        return counts
    kept = np.zeros(BINS, dtype=bool)
    for position in range(len(grouping.groups)):
        chosen = counts.chosen(grouping.within(position), mated=False)
        accepted = np.cumsum(counts.histogram[chosen].sum(axis=0)[::-1])[::-1]
        for target in targets:
            kept[_bin_of_threshold(accepted, target)] = True
    return comparisons.scores(kept)


def _bin_of_threshold(accepted: NDArray[np.int64], target: float) -> list[int]:
    """Bins that may hold the threshold: the first in which the target is kept from its edge on, and the one below."""
    allowed = np.floor(target * accepted[0] + 1e-9)
    first = int(np.argmax(accepted <= allowed)) if (accepted <= allowed).any() else BINS
    occupied = np.flatnonzero(-np.diff(np.r_[accepted, 0]))
    above = occupied[occupied >= first][:1]
    return [*range(max(first - 1, 0), min(first, BINS - 1) + 1), *(int(bin_) for bin_ in above)]


def operating_points(counts: ScoreCounts, grouping: Grouping, targets: Sequence[float]) -> list[Point]:
    """Set the global threshold of every target, then each group's own."""
    made = []
    for target in targets:
        for position, group in enumerate(grouping.groups):
            policy: Policy = "per-group" if position else "global"
            found = threshold_at_fmr(
                *counts.distribution(counts.chosen(grouping.within(position), mated=False)), target
            )
            name = f"{policy}-fmr-{target:g}"
            made.append(
                Point(
                    id=f"{name}:{group}" if position else name,
                    policy=policy,
                    group=group,
                    target=target,
                    threshold=found.value if found.estimable else None,
                    achieved=found.achieved if found.estimable else None,
                    set_on=f"{found.trials:,} non-mated comparisons of this benchmark, {_whose(group)}",
                    reason=found.reason,
                )
            )
    return made


def _whose(group: DemographicGroup) -> str:
    return f"within {group}" if group.items else "all groups together"
