"""The vertex bootstrap beside the draws: a second interval for every disparity measure, where the plan asks for it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audit import record as r
from audit.assemble import interval
from audit.compare import Comparisons, by_subject
from audit.compare.counts import ScoreCounts
from audit.domain import DemographicGroup, Threshold
from audit.groups import Grouping
from audit.metrics import vertex_bootstrap
from audit.metrics.evaluation import Measured, Metric
from audit.plan import AuditPlan

NOT_HELD = "no bootstrap: thresholds of replicates lie beyond the comparisons that are held"


def bootstrapped(
    comparisons: Comparisons,
    scores: ScoreCounts,
    grouping: Grouping,
    measured: Sequence[Measured],
    differentials: Sequence[r.Differential],
    plan: AuditPlan,
    *,
    own_threshold: bool,
) -> tuple[list[r.Differential], list[str]]:
    """Give disparity measures their bootstrap interval, and say why where there is none.

    Parameters
    ----------
    own_threshold : thresholds were set on these comparisons, and are set anew in every replicate
    """
    if not plan.bootstrap or not differentials:
        return list(differentials), []
    points = [one.point for one in measured]
    held = vertex_bootstrap.tail(comparisons, grouping, _lowest(scores, grouping, points))
    none = np.zeros(0)
    everybody = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
    allowed = everybody if grouping.allowed is None else grouping.allowed
    pairs, _ = by_subject.collect(comparisons, none, grouping.atom_of, allowed, scores.grid, [])
    if held is None or pairs is None:
        return list(differentials), [f"No vertex bootstrap: {vertex_bootstrap.TOO_MANY}."]
    said = []
    found = list(differentials)
    for one in measured:
        point: Threshold = one.point if own_threshold else replace(one.point, policy="given")
        rng = np.random.default_rng([plan.seed, zlib.crc32(f"bootstrap|{point.id}".encode())])
        drawn = vertex_bootstrap.resample(held, pairs, grouping, point, plan.bootstrap, rng)
        if drawn is None:
            said.append(f"{point.id}: {NOT_HELD}.")
            continue
        for k, part in enumerate(found):
            if part.operating_point == one.point.id and part.value is not None and part.metric != "FTA":
                found[k] = part.model_copy(update={"bootstrap": _interval(part, one, drawn, grouping, plan.level)})
    return found, said


def _interval(
    part: r.Differential, one: Measured, drawn: vertex_bootstrap.Resampled, grouping: Grouping, level: float
) -> r.IntervalPart | None:
    chosen = [grouping.index(DemographicGroup.of(group)) for group in part.included]
    both: tuple[Metric, ...] = ("FMR", "FNMR")
    metrics = [name for name in both if name in part.metric.split("+")]
    sizes = np.concatenate([one.zero_sizes[name][chosen] for name in metrics])
    return interval(vertex_bootstrap.interval(part.measure, part.metric, drawn, chosen, sizes, level))


def _lowest(scores: ScoreCounts, grouping: Grouping, points: Sequence[Threshold]) -> float:
    """The score from which the observed FMR is `REACH` times the largest target, or below every threshold given."""
    values, numbers = scores.distribution(scores.chosen(grouping.within(0), mated=False))
    targets = [point.target_fmr for point in points if point.target_fmr is not None]
    lowest = min((point.value for point in points if point.value is not None), default=np.inf)
    if targets and len(values):
        above = np.cumsum(numbers[::-1])[::-1] / numbers.sum()
        inside = values[above <= min(1.0, vertex_bootstrap.REACH * max(targets))]
        lowest = min(lowest, float(inside[0]) if len(inside) else lowest)
    return float(lowest)
