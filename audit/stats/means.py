"""The mean of a number that several observations of one subject share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """A mean over observations with Student's interval, its variance clustered by subject."""

    mean: float
    low: float
    high: float
    variance: float
    observations: int
    subjects: int


def clustered_mean(sums: ArrayLike, counts: ArrayLike, level: float = 0.95) -> ClusteredMean | None:
    """Mean of all observations; None for fewer than two subjects with one.

    The variance is `n/(n-1) sum_i (s_i - m c_i)^2 / N^2` over n subjects with N observations together.

    Parameters
    ----------
    sums, counts : arrays, subjects
        Of the observations of each subject.
    level : float
        Two-sided confidence level; n - 1 degrees of freedom.

    >>> found = clustered_mean([1.0, 2.0, 3.0], [1, 1, 1])
    >>> round(found.mean, 6), round(found.variance, 6)
    (2.0, 0.333333)
    """
    total, made = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    there = made > 0
    n, number = int(there.sum()), float(made.sum())
    if n < 2:
        return None
    mean = float(total.sum() / number)
    residuals = (total - mean * made)[there]
    variance = float(residuals @ residuals) / number**2 * n / (n - 1)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * math.sqrt(variance)
    return ClusteredMean(mean, mean - half, mean + half, variance, int(number), n)
