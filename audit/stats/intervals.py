"""Intervals of one proportion, with real-valued sizes so that an *effective* size can stand for the trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy.special import betaincinv, ndtri

Method = Literal["subject-clustered Wilson", "subject-clustered Korn-Graubard"]


@dataclass(frozen=True, slots=True)
class ClusteredInterval:
    """Bounds of a proportion, the effective size that gave them, and how."""

    low: float
    high: float
    size: float
    level: float
    method: Method


def wilson(p: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval.

    Parameters
    ----------
    p : float
        Observed proportion, in [0, 1].
    n : float
        Number of independent trials, or the effective number; positive, not necessarily whole.
    level : float
        Two-sided confidence level.

    Returns
    -------
    (low, high), within [0, 1]

    Source
    ------
    Wilson (1927), JASA 22:209-212.

    >>> low, high = wilson(0.5, 100)
    >>> round(low, 6), round(high, 6)
    (0.403832, 0.596168)
    """
    _check(p, n, level)
    if p > 0.5:
        low, high = wilson(1 - p, n, level)
        return 1 - high, 1 - low
    z = -float(ndtri((1 - level) / 2))
    widened = 1 + z * z / n
    high = (p + z * z / (2 * n) + z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / widened
    # The bounds are the roots of a quadratic whose product is p^2/widened; their difference would cancel near 0.
    return p * (p / (widened * high)), high


def clopper_pearson(errors: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Give the Clopper-Pearson interval by beta quantiles, which real-valued errors and trials extend.

    Source
    ------
    Clopper & Pearson (1934), Biometrika 26:404-413.

    >>> low, high = clopper_pearson(1, 3000, 0.90)
    >>> round(high, 12)
    0.001580301827
    """
    if not 0 <= errors <= n:
        raise ValueError(f"errors must lie in [0, trials], found {errors} of {n}")
    _check(errors / n if n else math.nan, n, level)
    tail = (1 - level) / 2
    low = 0.0 if errors == 0 else float(betaincinv(errors, n - errors + 1, tail))
    high = 1.0 if errors == n else float(betaincinv(errors + 1, n - errors, 1 - tail))
    return low, high


def korn_graubard(p: float, size: float, level: float = 0.95) -> tuple[float, float]:
    """Give the Korn-Graubard interval: Clopper-Pearson on an effective size.

    Source
    ------
    Korn & Graubard (1998), Survey Methodology 24:193-201, without their correction for survey strata.
    """
    return clopper_pearson(min(p * size, size), size, level)


def zero_upper_bound(size: float, alpha: float = 0.05) -> float:
    """Bound a proportion from above, one-sided at 1 - alpha, where no error was seen in `size` (effective) trials.

    It is Clopper-Pearson's: `u = 1 - alpha^(1/size)`.

    >>> round(zero_upper_bound(3000), 10)
    0.000998079
    """
    if not size > 0 or not 0 < alpha < 1:
        raise ValueError(f"a positive size and a level in (0, 1) are needed, found {size} and {alpha}")
    return -math.expm1(math.log(alpha) / size)


def effective_size(p: float, variance: float, floor: float = 0.0) -> float:
    """Give the number of independent trials with the same variance, `max(p(1-p)/variance, floor)`.

    At p = 0 and p = 1 the plug-in variance is 0 and says nothing: the floor stands.

    Source
    ------
    Fogliato, Patil & Perona (2024), IJCV, Wilson intervals with an effective sample size.
    """
    if not 0 < p < 1 or not variance > 0:
        return floor
    return max(p * (1 - p) / variance, floor)


def effective_errors(p: float, variance: float) -> float | None:
    """Give `p N*` without any floor: 0 at p = 0, None at p = 1, where the variance says nothing."""
    if p == 0:
        return 0.0
    if not variance > 0:
        return None
    return p * effective_size(p, variance)


def clustered_interval(
    p: float, variance: float, floor: float, level: float = 0.95, *, exact_below: float = 0.0
) -> ClusteredInterval:
    """Interval of a rate from its subject-clustered variance.

    Parameters
    ----------
    p : float
        Observed rate.
    variance : float
        Its variance, `Sigma_kk` of `audit.stats.clustered`.
    floor : float
        Least effective size: half the subjects for pairs of subjects, the subjects for trials of one subject.
    level : float
        Two-sided confidence level.
    exact_below : float
        Below so many effective errors the Korn-Graubard interval is given, which covers where Wilson's falls short; 0:
        never.
    """
    size = effective_size(p, variance, floor)
    errors = effective_errors(p, variance)
    if errors is not None and errors < exact_below:
        low, high = korn_graubard(p, size, level)
        return ClusteredInterval(low, high, size, level, "subject-clustered Korn-Graubard")
    low, high = wilson(p, size, level)
    return ClusteredInterval(low, high, size, level, "subject-clustered Wilson")


def _check(p: float, n: float, level: float) -> None:
    if not n > 0:
        raise ValueError(f"an interval needs a positive number of trials, found {n}")
    if not 0 <= p <= 1:
        raise ValueError(f"a proportion lies in [0, 1], found {p}")
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies in (0, 1), found {level}")
