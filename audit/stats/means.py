"""Means and quantiles of measurements of which several may belong to one person."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from audit.stats.intervals import effective_size, korn_graubard

Floats = NDArray[np.float64]
MEAN_METHOD = "subject-clustered mean, Student's t"
QUANTILE_METHOD = "subject-clustered Woodruff"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; `low` and `high` are None where one person alone was measured."""

    value: float
    variance: float | None
    low: float | None
    high: float | None
    level: float
    method: str


def clustered_mean(sums: ArrayLike, counts: ArrayLike, level: float = 0.95) -> Estimate | None:
    """Mean of all measurements, with Student's interval clustered by person.

    Parameters
    ----------
    sums, counts : arrays, n people
        Sum of the measurements of each person, and how many there are; people without any count for nothing.
    level : float
        Two-sided confidence level.

    Returns
    -------
    Estimate in the unit of the measurements, or None where there is none

    Notes
    -----
    Ratio of two sums over people: `m = sum s / sum c`, `Var = n/(n-1) sum (s - m c)^2 / (sum c)^2`, n - 1 degrees of
    freedom, n being the people with a measurement.

    Source
    ------
    Cochran (1977), Sampling Techniques, 3rd ed., section 6.4 (ratio estimates of clusters of unequal size).

    >>> found = clustered_mean([2.0, 4.0, 6.0], [1, 1, 1])
    >>> found.value, round(found.variance, 6)
    (4.0, 1.333333)
    """
    s, c = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    n, total = int((c > 0).sum()), float(c.sum())
    if not n:
        return None
    mean = float(s.sum() / total)
    if n == 1:
        return Estimate(mean, None, None, None, level, MEAN_METHOD)
    variance = float(((s - mean * c) ** 2).sum() * n / (n - 1) / total**2)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * math.sqrt(variance)
    return Estimate(mean, variance, mean - half, mean + half, level, MEAN_METHOD)


def clustered_quantile(values: ArrayLike, owner: ArrayLike, share: float, level: float = 0.95) -> Estimate | None:
    """Smallest measurement that at least `share` of all do not exceed, with Woodruff's interval clustered by person.

    Parameters
    ----------
    values : float array, m
    owner : int array, m
        The person whom each belongs to.
    share : float
        In (0, 1); .9 for P90. No interpolation: the quantile is a measurement.

    Returns
    -------
    Estimate in the unit of the measurements (no variance), or None where there is none

    Notes
    -----
    The interval of the proportion `share` at the quantile (Korn and Graubard's, from its clustered variance: few
    measurements lie beyond a high quantile) is carried over to the measurements: its two ends are the quantiles at
    these proportions.

    Source
    ------
    Woodruff (1952), JASA 47:635-646; `audit.stats.intervals.korn_graubard`.

    >>> clustered_quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], range(10), 0.9).value
    9.0
    """
    x, who = np.asarray(values, dtype=np.float64), np.asarray(owner, dtype=np.int64)
    if not 0 < share < 1:
        raise ValueError(f"a share lies in (0, 1), found {share}")
    if not len(x):
        return None
    ordered = np.sort(x)
    found = _at(ordered, share)
    counts = np.bincount(who)
    people = int((counts > 0).sum())
    if people == 1:
        return Estimate(found, None, None, None, level, QUANTILE_METHOD)
    below = np.bincount(who, weights=x <= found, minlength=len(counts))
    p = float((x <= found).mean())
    residuals = below - p * counts
    variance = float((residuals**2).sum() * people / (people - 1) / len(x) ** 2)
    size = effective_size(share, max(variance, share * (1 - share) / len(x)), float(people))
    low, high = korn_graubard(1 - share, size, level)
    return Estimate(found, None, _at(ordered, 1 - high), _at(ordered, 1 - low), level, QUANTILE_METHOD)


def _at(ordered: Floats, share: float) -> float:
    """Smallest of the ordered values that at least `share` of them do not exceed."""
    rank = math.ceil(share * len(ordered) - 1e-9)
    return float(ordered[min(max(rank, 1), len(ordered)) - 1])
