"""The formulas of disparity measures over K rates.

Every one is a function `part(choose, rates)`: the groups (worst, best, order, signs) are chosen by `choose` and the
measure is evaluated on `rates`. With both the same it is the measure; with two halves of the subjects it is its
cross-fit, which choosing cannot inflate. Arrays are ... x K: vectorised over leading axes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Part = Callable[[Floats, Floats], Floats]


def max_min(choose: Floats, rates: Floats) -> Floats:
    """Largest rate over the smallest; rates above 0."""
    return np.exp(_dot(_worst(choose) - _best(choose), np.log(rates)))


def max_mean(choose: Floats, rates: Floats) -> Floats:
    """Largest rate over the arithmetic mean; not all 0."""
    return _dot(_worst(choose), rates) / _mean(rates)


def max_geomean(choose: Floats, rates: Floats) -> Floats:
    """Largest rate over the geometric mean; rates above 0."""
    logs = np.log(rates)
    return np.exp(_dot(_worst(choose), logs) - _mean(logs))


def mean_abs_log10(choose: Floats, rates: Floats) -> Floats:
    """Mean distance to the geometric mean, in powers of ten; rates above 0."""
    with np.errstate(divide="ignore"):  # a half without errors has geomean 0: the others are above it
        level = np.exp(_mean(np.log(choose)))
    sign = np.where(choose > level[..., None], 1.0, -1.0)
    logs = np.log10(rates)
    return _mean(sign * (logs - _mean(logs)[..., None]))


def gini(choose: Floats, rates: Floats) -> Floats:
    """Gini coefficient with the factor K/(K-1): one group with all the errors scores 1; 0 where there are none."""
    # sum_ij |x_i - x_j| = 2 sum_i (2 rank_i - K - 1) x_i; with K/(K-1) the factors leave K (K-1) mean.
    k = rates.shape[-1]
    from scipy.stats import rankdata  # noqa: PLC0415 - a second of start-up that a finished run does not need

    ranked = _dot(2 * rankdata(choose, axis=-1) - k - 1, rates)
    size = k * (k - 1) * _mean(rates)
    return np.asarray(np.divide(ranked, size, out=np.zeros_like(ranked), where=size > 0))


def max_difference(choose: Floats, rates: Floats) -> Floats:
    """Largest rate less the smallest."""
    return _dot(_worst(choose) - _best(choose), rates)


def std(choose: Floats, rates: Floats) -> Floats:
    """Standard deviation, ddof 1: the deviation along the direction in which the groups were found to lie."""
    away = choose - _mean(choose)[..., None]
    length = np.sqrt(_dot(away, away))
    along = _dot(away, rates - _mean(rates)[..., None])
    spread = np.divide(along, length, out=np.zeros_like(along), where=length > 0)
    return np.asarray(spread / np.sqrt(rates.shape[-1] - 1))


def _dot(weights: Floats, values: Floats) -> Floats:
    return np.asarray((weights * values).sum(axis=-1))


def _mean(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=-1))


def _worst(choose: Floats) -> Floats:
    return _share(choose, choose.max(axis=-1, keepdims=True))


def _best(choose: Floats) -> Floats:
    return _share(choose, choose.min(axis=-1, keepdims=True))


def _share(choose: Floats, extreme: Floats) -> Floats:
    """Weights of the chosen group; groups that tie share them, so that their order never matters."""
    chosen = choose == extreme
    return np.asarray(chosen / chosen.sum(axis=-1, keepdims=True))
