"""Draws of log rates: what a spread statistic looks like under equal rates, and around the observed ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtrc

Floats = NDArray[np.float64]
RANK_TOLERANCE = 1e-9
"""Eigenvalues below this share of the largest are rounding."""
Statistic = Callable[[Floats], Floats]
"""From log rates, draws x K, to values, one a draw; larger means further from equal."""


@dataclass(frozen=True, slots=True)
class NullDistribution:
    """What a statistic does if all rates were equal, beside what it did."""

    p: float
    median: float
    high: float
    """95 % point under equal rates."""
    values: Floats = field(repr=False, compare=False)
    """The statistic of every draw under equal rates."""


def draw(centre: ArrayLike, covariance: ArrayLike, draws: int, rng: np.random.Generator) -> Floats:
    """Draw from N(centre, covariance).

    Parameters
    ----------
    centre : float array, K
    covariance : float array, K x K
        Symmetric; eigenvalues negative by rounding count as 0.
    draws : int
    rng : numpy Generator

    Returns
    -------
    float array, draws x K

    Notes
    -----
    The factor is the symmetric square root: the only one that is unique where eigenvalues coincide or vanish, so that
    draws depend on the seed and not on how a linear algebra library orders eigenvectors.
    """
    values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=np.float64))
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    mean = np.asarray(centre, dtype=np.float64)
    return np.asarray(mean + rng.standard_normal((draws, mean.size)) @ root)


def null_distribution(
    statistic: Statistic,
    observed: float,
    covariance: ArrayLike,
    draws: int,
    rng: np.random.Generator,
    *,
    centre: ArrayLike | None = None,
) -> NullDistribution:
    """Compare a spread statistic with its distribution under equal rates and the same covariance.

    `p = (1 + #{h(l*) >= h(l)}) / (B + 1)`, `l* ~ N(centre, covariance)`; the centre is 0, which only statistics that do
    not depend on the common level may leave out.
    """
    sigma = np.asarray(covariance, dtype=np.float64)
    values = statistic(draw(np.zeros(sigma.shape[0]) if centre is None else centre, sigma, draws, rng))
    # Equal up to rounding is equal: without it a tie would count or not by the last bit.
    tolerance = 1e-12 * max(1.0, abs(observed))
    p = (1 + int(np.count_nonzero(values >= observed - tolerance))) / (draws + 1)
    median, high = (float(x) for x in np.quantile(values, [0.5, 0.95]))
    return NullDistribution(p, median, high, values)


def percentile_interval(
    statistic: Statistic,
    log_rates: ArrayLike,
    covariance: ArrayLike,
    draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentiles of a statistic over draws around the observed log rates.

    The upper one bounds a spread statistic, which noise only inflates; the lower one alone does *not* bound it from
    below.
    """
    values = statistic(draw(log_rates, covariance, draws, rng))
    low, high = (float(x) for x in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))
    return low, high


def wald_equality(log_rates: ArrayLike, covariance: ArrayLike, df: float) -> float:
    """Test that K log rates are equal: Wald's statistic over its rank r, against F(r, df).

    r is K - 1, and less where groups of the same people make rates move as one.

    Parameters
    ----------
    log_rates : float array, K
    covariance : float array, K x K
    df : float
        Denominator degrees of freedom: the fewest subjects of a cell, less one.

    Returns
    -------
    p-value
    """
    x, sigma = np.asarray(log_rates, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if x.size < 2 or not df > 0:
        raise ValueError(f"equality needs two rates and a degree of freedom, found {x.size} and {df}")
    contrast = np.eye(x.size)[1:] - np.eye(x.size)[0]
    difference = contrast @ x
    spread = contrast @ sigma @ contrast.T
    rank = int(np.linalg.matrix_rank(spread, hermitian=True, rtol=RANK_TOLERANCE))
    if rank == 0:
        return 1.0
    wald = float(difference @ np.linalg.pinv(spread, hermitian=True, rtol=RANK_TOLERANCE) @ difference)
    return float(fdtrc(rank, df, wald / rank))
