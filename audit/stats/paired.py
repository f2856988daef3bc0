"""The same people under two conditions: how much a mean or a rate changes, with people as the unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from audit.stats.clustered import Floats, subject_covariance
from audit.stats.contrasts import mover_difference
from audit.stats.intervals import clustered_interval

MEAN_METHOD = "Student's t over people"
SHIFT_METHOD = "Student's t over people, Bonferroni over coordinates"
RATE_METHOD = "MOVER for paired rates, clustered by person"


@dataclass(frozen=True, slots=True)
class Change:
    """Values before and after, their difference (after less before), and its interval."""

    before: float
    after: float
    change: float
    low: float
    high: float
    level: float
    method: str
    people: int


def mean_change(before: ArrayLike, after: ArrayLike, level: float = 0.95) -> Change:
    """Change of a mean.

    Parameters
    ----------
    before, after : float arrays, shape (n,), n at least 2
        One value a person under each condition.
    level : float
        Of the two-sided interval.

    Raises
    ------
    ValueError
        For fewer than two people.

    >>> found = mean_change([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    >>> round(found.change, 6), round(found.low, 6), round(found.high, 6)
    (2.0, -0.484138, 4.484138)
    """
    one, two = np.asarray(before, np.float64), np.asarray(after, np.float64)
    count = len(one)
    if count < 2 or one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"two values each of at least 2 people are needed, found shapes {one.shape} and {two.shape}")
    moved = two - one
    half = float(stdtrit(count - 1, (1 + level) / 2)) * float(moved.std(ddof=1)) / math.sqrt(count)
    mean = float(moved.mean())
    return Change(float(one.mean()), float(two.mean()), mean, mean - half, mean + half, level, MEAN_METHOD, count)


def farthest_shift(moved: ArrayLike, level: float = 0.95) -> Change:
    """Mean shift of the coordinate that may have moved farthest; no other leaves the reach of its interval.

    Parameters
    ----------
    moved : float array, shape (n, k), n at least 2
        How far each of k coordinates of every person moved.
    level : float
        At which the intervals of all k coordinates hold together (Bonferroni).

    Returns
    -------
    Change
        Of the coordinate with the largest |bound|: `before` is 0, `after` and `change` are its mean shift. If |low| and
        |high| are below some margin, so are all mean shifts, at this level.

    Raises
    ------
    ValueError
        For fewer than two people.

    >>> found = farthest_shift([[0.0, 1.0], [0.0, 3.0]], level=0.5)
    >>> found.change, round(found.high, 6)
    (2.0, 4.414214)
    """
    shifts = np.asarray(moved, np.float64)
    if shifts.ndim != 2 or len(shifts) < 2:
        raise ValueError(f"shifts of at least 2 people are needed, found shape {shifts.shape}")
    count, coordinates = shifts.shape
    mean = shifts.mean(axis=0)
    quantile = float(stdtrit(count - 1, 1 - (1 - level) / (2 * coordinates)))
    half = quantile * shifts.std(axis=0, ddof=1) / math.sqrt(count)
    k = int(np.argmax(np.abs(mean) + half))
    at, by = float(mean[k]), float(half[k])
    return Change(0.0, at, at, at - by, at + by, level, SHIFT_METHOD, count)


def rate_change(errors: ArrayLike, trials: ArrayLike, level: float = 0.95, *, exact_below: float = 0.0) -> Change:
    """Change of a rate whose trials belong to people.

    Parameters
    ----------
    errors, trials : int arrays, shape (n, 2)
        Of every person before and after; a person without trials under either condition must be left out.
    level : float
        Of the two-sided interval.
    exact_below : float
        See `audit.stats.intervals.clustered_interval`, by which each of the rates is bounded.

    Raises
    ------
    ValueError
        For fewer than two people, or people without trials.

    Source
    ------
    Newcombe (1998), Statistics in Medicine 17:2635-2650 (method 10: score intervals, correlated by the observed
    correlation); its generalisation to any intervals: Zou & Donner (2008), Statistics in Medicine 27:1693-1702.
    """
    wrong, made = np.asarray(errors, np.float64), np.asarray(trials, np.float64)
    if wrong.shape != made.shape or wrong.ndim != 2 or wrong.shape[1] != 2 or len(wrong) < 2 or (made <= 0).any():
        raise ValueError("errors and trials of at least 2 people under two conditions are needed, none without trials")
    count, rates = len(wrong), wrong.sum(axis=0) / made.sum(axis=0)
    covariance = subject_covariance(wrong, made)
    bounds = [
        clustered_interval(float(p), float(covariance[k, k]), float(count), level, exact_below=exact_below)
        for k, p in enumerate(rates)
    ]
    low, high = mover_difference(
        float(rates[1]),
        (bounds[1].low, bounds[1].high),
        float(rates[0]),
        (bounds[0].low, bounds[0].high),
        _correlation(covariance),
    )
    first, second = (float(p) for p in rates)
    return Change(first, second, second - first, max(low, -1.0), min(high, 1.0), level, RATE_METHOD, count)


def _correlation(covariance: Floats) -> float:
    scale = math.sqrt(float(covariance[0, 0] * covariance[1, 1]))
    return float(np.clip(covariance[0, 1] / scale, -1, 1)) if scale > 0 else 0.0
