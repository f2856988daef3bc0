"""Several tests at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from audit.stats.nulls import draw


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust the p-values of one family by Holm's step-down method.

    Parameters
    ----------
    p_values : float array, m
        In any order, no NaN: a test that could not be made is not part of the family.

    Returns
    -------
    float array, m, in the order given; rejecting where it is at most alpha keeps the family-wise error at alpha

    Source
    ------
    Holm (1979), Scandinavian Journal of Statistics 6:65-70.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p-values are a list of numbers in [0, 1]")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)) if p.size else p
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def max_z(p_values: ArrayLike, covariance: ArrayLike, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Adjust the p-values of one family by the distribution of the largest |z| among tests that depend on each other.

    Parameters
    ----------
    p_values : float array, m
        Two-sided, of tests of contrasts whose estimates have the covariance below.
    covariance : float array, m x m
        Positive diagonal; only the correlations count.
    draws : int
    rng : numpy Generator

    Returns
    -------
    float array, m: `(1 + #{max |z*| >= |z|}) / (B + 1)` with z* ~ N(0, correlations), never below the unadjusted one

    Notes
    -----
    Single-step and strong for the family. With independent tests it is Sidak's method; the more alike the tests, the
    less it takes away. |z| is the normal quantile of the p-value, so that tests by Student's t keep their own.

    Source
    ------
    Hothorn, Bretz & Westfall (2008), Biometrical Journal 50:346-363.
    """
    p, sigma = np.asarray(p_values, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if p.ndim != 1 or sigma.shape != (p.size, p.size) or not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"{p.shape} p-values in [0, 1] need as many rows and columns, found {sigma.shape}")
    if not p.size:
        return p
    scale = np.sqrt(np.diag(sigma))
    largest = np.sort(np.abs(draw(np.zeros(p.size), sigma / np.outer(scale, scale), draws, rng)).max(axis=1))
    z = -ndtri(np.maximum(p, np.finfo(np.float64).tiny) / 2)
    beyond = draws - np.searchsorted(largest, z - 1e-12)
    return np.asarray(np.maximum((1 + beyond) / (draws + 1), p), dtype=np.float64)
