"""How narrow the intervals of a set of comparisons are: whether enough were drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from audit.compare import Comparisons
from audit.groups import Grouping
from audit.metrics import points
from audit.metrics.rates import interval, joint_covariance, nonmated


def widest(
    comparisons: Comparisons, grouping: Grouping, targets: Sequence[float], level: float, positions: Sequence[int]
) -> tuple[float, int]:
    """Find the widest interval of the FMR within a group at the global thresholds, relative to its rate.

    Parameters
    ----------
    targets : target FMRs
    positions : groups of which an interval is asked for; there is at least one

    Returns
    -------
    (half width over rate, position of the group); infinite where a threshold cannot be set or no error was seen
    """
    scores = points.exact_scores(comparisons, grouping, targets)
    placed = [point for point in points.operating_points(scores, grouping, targets) if point.policy == "global"]
    if any(point.value is None for point in placed):
        return math.inf, 0
    counts = comparisons.at(points.common(placed), np.zeros(len(grouping.atom_of), dtype=np.int64), 0)
    masks = np.array([grouping.within(position) for position in positions])
    worst, where = 0.0, positions[0]
    for point in placed:
        tally = nonmated(counts, grouping.atom_of, masks, point.value or 0.0)
        variance = np.diag(joint_covariance(tally))
        for k, position in enumerate(positions):
            half = math.inf
            if tally.errors[k]:
                rate = float(tally.rates[k])
                found = interval(rate, float(variance[k]), int(tally.subjects[k]), level, paired=True)
                half = (found.high - found.low) / 2 / rate
            if half > worst:
                worst, where = half, position
    return worst, where
