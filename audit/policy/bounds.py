"""Bounds of a rate or of a ratio at any confidence, from what a record carries.

A rate: the interval of `audit.stats.intervals.clustered_interval` again, from value, variance and people. It must first
give back the record's own interval at the record's own level: a record whose intervals were made otherwise is not
recomputed but refused. A rate without errors: the exact one-sided bound at the effective trials N0 that the record's
`upper_bound` rests on (`1 - alpha^(1/N0)`), or at the floor where it has none.

A ratio: Student's t on the log ratio with people - 1 degrees of freedom, as `audit.stats.contrasts`; zero rates stand
as `.5/(N0 + 1)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

from audit.record import Rate
from audit.recorded import LogRate, NotRecomputable, floor, paired, zero_size
from audit.stats.intervals import clustered_interval, zero_upper_bound

EXACT_BELOW = 10.0
"""Effective errors below which rates of single people take the Korn-Graubard interval, as in the record."""
RECORDED = "interval as recorded"
_SMALLEST, _LARGEST = 1e-12, 0.4999
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Bounds:
    """An estimate with one-sided bounds.

    Parameters
    ----------
    value : what is shown
    high, low : bounds at the tail probability asked for
    p : one-sided p-value of the hypothesis that the true value is at most the limit
    """

    value: float
    low: float
    high: float
    p: float
    method: str


def _interval(rate: Rate, tail: float) -> tuple[float, float]:
    if rate.value is None or rate.variance is None:
        raise NotRecomputable("the record has no variance of this rate")
    found = clustered_interval(
        rate.value, rate.variance, floor(rate), 1 - 2 * tail, exact_below=0.0 if paired(rate) else EXACT_BELOW
    )
    return found.low, found.high


def of_rate(rate: Rate, limit: float, tail: float) -> Bounds:
    """Bounds of a rate.

    Raises
    ------
    NotRecomputable
        If the interval does not follow from the record's own counts.
    """
    if rate.value is None or rate.interval is None:
        raise NotRecomputable("the record has no interval of this rate")
    if rate.value == 0 and rate.errors == 0:
        high = zero_upper_bound(zero_size(rate), tail)
        return Bounds(0.0, 0.0, high, 1.0, "no error seen: exact bound at the effective trials")
    again = _interval(rate, (1 - rate.interval.level) / 2)
    if any(abs(a - b) > _TOLERANCE for a, b in zip(again, (rate.interval.low, rate.interval.high), strict=True)):
        raise NotRecomputable(f"the record's interval ({rate.interval.method}) does not follow from its own variance")
    low, high = _interval(rate, tail)
    p = _smallest_tail(lambda t: _interval(rate, t)[0] > limit)
    return Bounds(rate.value, low, high, p, rate.interval.method)


def _smallest_tail(excludes: Callable[[float], bool]) -> float:
    """Smallest tail probability at which the lower bound still excludes the limit; 1 if none does."""
    if not excludes(_LARGEST):
        return 1.0
    low, high = math.log(_SMALLEST), math.log(_LARGEST)
    if excludes(_SMALLEST):
        return _SMALLEST
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if excludes(math.exp(middle)) else (middle, high)
    return math.exp(high)


def of_ratio(a: LogRate, b: LogRate, covariance: float | None, limit: float, tail: float, method: str) -> Bounds:
    """Bounds of the ratio of two rates.

    Parameters
    ----------
    covariance : of the log rates; None where it is not known: then the standard errors are added, which no covariance
        exceeds (Cauchy and Schwarz)

    Raises
    ------
    NotRecomputable
        With one person, or where both are the same comparisons.
    """
    worst = (a.deviation + b.deviation) ** 2
    variance = worst if covariance is None else min(worst, a.variance + b.variance - 2 * covariance)
    df = min(a.people, b.people) - 1
    if df < 1:
        raise NotRecomputable("one of the two rests on a single person")
    if not variance > 0:
        raise NotRecomputable("both are the same comparisons")
    error, ratio = math.sqrt(variance), a.log - b.log
    half = error * float(stdtrit(df, 1 - tail))
    p = float(stdtr(df, (math.log(limit) - ratio) / error))
    return Bounds(_exp(ratio), _exp(ratio - half), _exp(ratio + half), p, method)


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0))
