"""Covariance of error rates whose trials share subjects, for all cells at once.

Two kinds of cell. A *pair cell* holds trials between two different subjects, aggregated to unordered subject pairs (i,
j) with `e` errors in `c` trials. A *subject cell* holds trials of one subject with herself, `e_i` errors in `c_i`
trials. With the rate p = sum e / sum c and the residual y = e - p c (per pair, or per subject) the plug-in variance of
a pair cell is that of a sum of which two terms are dependent only if they share a subject::

    R[i, k] = sum of y over the pairs of cell k in which i takes part
    V       = R'R - Y'Y          (a pair shares *two* subjects with itself and would be counted twice)
    Sigma   = V / (M M')

`Y'Y` holds, for two cells, the sum over the pairs that lie in both of the product of their residuals: its diagonal is
`D_k = sum y^2`, and off the diagonal it is zero unless cells overlap (everyone and a group). From sums of errors and
counts alone, with E and C the subject-level sums: `R = E - C p` and `(Y'Y)_kl = sum e e - p_l sum e c - p_k sum e c +
p_k p_l sum c c`, over pairs in both cells.

Source: Fogliato, Patil & Perona (2024), "Confidence intervals for error rates in 1:1 matching tasks", IJCV.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def pair_covariance(
    row_sums: ArrayLike,
    cross: ArrayLike,
    totals: ArrayLike,
    rates: ArrayLike,
    contributors: ArrayLike,
    *,
    small_sample: bool = True,
) -> Floats:
    """Covariance of the rates of K pair cells.

    Parameters
    ----------
    row_sums : float array, n subjects x K
        Residual row sums R.
    cross : float array, K x K
        Y'Y; the diagonal is D.
    totals : array, K
        Trials M.
    rates : float array, K
        Observed rates p (ignored where M is 0).
    contributors : array, K
        Subjects n_k that take part in a trial of the cell.
    small_sample : bool
        Multiply V by n_k/(n_k-4) (where n_k > 4), off the diagonal by the geometric mean of the two factors: residual
        row sums of a pair statistic lose 4/n of its variance.

    Returns
    -------
    float array, K x K, symmetric, without negative eigenvalues; NaN in the rows and columns of cells without trials
    """
    none = np.zeros((np.asarray(row_sums).shape[0], 0))
    return joint_covariance(row_sums, cross, none, totals, rates, contributors, small_sample=small_sample)


def subject_covariance(errors: ArrayLike, counts: ArrayLike, *, small_sample: bool = True) -> Floats:
    """Covariance of the rates of K subject cells.

    Parameters
    ----------
    errors, counts : arrays, n subjects x K
        Errors and trials of every subject in every cell.
    small_sample : bool
        Multiply by n_k/(n_k-1), n_k being the subjects with a trial in the cell.

    Returns
    -------
    float array, K x K, as `pair_covariance`
    """
    e, c = np.asarray(errors, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    totals = c.sum(axis=0)
    rates = np.divide(e.sum(axis=0), totals, out=np.zeros_like(totals), where=totals > 0)
    nothing = np.zeros((e.shape[0], 0))
    residuals = e - rates * c
    return joint_covariance(
        nothing, np.zeros((0, 0)), residuals, totals, rates, (c > 0).sum(axis=0), small_sample=small_sample
    )


def joint_covariance(
    row_sums: ArrayLike,
    cross: ArrayLike,
    residuals: ArrayLike,
    totals: ArrayLike,
    rates: ArrayLike,
    contributors: ArrayLike,
    *,
    small_sample: bool = True,
) -> Floats:
    """Joint covariance of the rates of Kp pair cells followed by Ks subject cells.

    Parameters
    ----------
    row_sums : float array, n x Kp
        As `pair_covariance`.
    cross : float array, Kp x Kp
        As `pair_covariance`.
    residuals : float array, n x Ks
        `e_i - p c_i` of every subject in every subject cell; rows are the same subjects as those of `row_sums`.
    totals, rates, contributors : arrays, Kp + Ks
        Trials, rates and contributing subjects, pair cells first.
    small_sample : bool
        As `pair_covariance`; factors are n_k/(n_k-4) for pair cells, n_k/(n_k-1) for subject cells.

    Returns
    -------
    float array, (Kp + Ks) x (Kp + Ks)

    Notes
    -----
    Diagonals are not below `D_k/M_k^2` (pair cells) and `p_k(1-p_k)/M_k`. Floors may leave a matrix with negative
    eigenvalues. They are clipped on the scale of *correlations* and the diagonal is put back, so that the variance of a
    rate depends neither on the units of the others nor on which others stand beside it.
    """
    pairs, own = np.asarray(row_sums, dtype=np.float64), np.asarray(residuals, dtype=np.float64)
    shared = np.asarray(cross, dtype=np.float64)
    m, p = np.asarray(totals, dtype=np.float64), np.asarray(rates, dtype=np.float64)
    n = np.asarray(contributors, dtype=np.float64)
    kp, k = pairs.shape[1], pairs.shape[1] + own.shape[1]
    if pairs.shape[0] != own.shape[0] or shared.shape != (kp, kp) or not m.shape == p.shape == n.shape == (k,):
        raise ValueError(
            f"shapes do not agree: row_sums {pairs.shape}, cross {shared.shape}, residuals {own.shape}, "
            f"totals {m.shape}, rates {p.shape}, contributors {n.shape}"
        )
    columns = np.hstack([pairs, own])
    v = columns.T @ columns
    v[:kp, :kp] -= shared
    floor = np.zeros(k)
    filled = m > 0
    safe = np.where(filled, m, 1.0)
    p = np.where(filled, p, 0.0)
    floor[:kp] = np.diag(shared) / safe[:kp] ** 2
    floor = np.maximum(floor, p * (1 - p) / safe)
    if small_sample:
        lost = np.where(np.arange(k) < kp, 4.0, 1.0)
        root = np.sqrt(np.divide(n, n - lost, out=np.ones(k), where=n > lost))
        v *= np.outer(root, root)
    sigma = v / np.outer(safe, safe)
    sigma = (sigma + sigma.T) / 2
    np.fill_diagonal(sigma, np.maximum(np.diag(sigma), floor))
    sigma = without_negative_eigenvalues(sigma)
    sigma[~filled, :] = np.nan
    sigma[:, ~filled] = np.nan
    return sigma


def without_negative_eigenvalues(sigma: Floats) -> Floats:
    """Clip negative eigenvalues of the correlations; the diagonal stays as it was, exactly.

    Parameters
    ----------
    sigma : float array, K x K, symmetric, diagonal not negative
    """
    variance = np.diag(sigma).copy()
    scale = np.sqrt(variance)
    live = scale > 0
    if not live.any():
        return np.zeros_like(sigma)
    scale = scale[live]
    correlation = sigma[np.ix_(live, live)] / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    if values[0] < 0:
        correlation = (vectors * np.maximum(values, 0)) @ vectors.T
        unit = np.sqrt(np.diag(correlation))
        correlation = correlation / np.outer(unit, unit)
    result = np.zeros_like(sigma)
    result[np.ix_(live, live)] = correlation * np.outer(scale, scale)
    result = (result + result.T) / 2
    np.fill_diagonal(result, variance)
    return result


def design_effect(variance: float, p: float, total: float) -> float | None:
    """Give `Sigma_kk / (p(1-p)/M)`: how much the variance exceeds that of independent trials; None at p = 0 or 1.

    >>> design_effect(0.0005, 0.5, 1000)
    2.0
    """
    if not 0 < p < 1 or not total > 0:
        return None
    return variance / (p * (1 - p) / total)
