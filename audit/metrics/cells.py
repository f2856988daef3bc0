"""Rates of K groups at one threshold with their joint covariance, and what stands for a rate of zero.

A zero stays a zero where it is shown. Two things may stand for it, and neither is hidden:

- in denominators and logarithms of a measure, `min(u, smallest rate above zero)`, u being the one-sided 95 % bound
  `1 - .05^(1/N0)`; the group is flagged as zero-adjusted;
- in tests, `p~ = .5/(N0 + 1)`, whose logarithm has variance `(1 - p~)/(p~ (N0 + 1))`.

`N0` is the effective number of trials: M over the design effect of the groups that have errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.stats.intervals import zero_upper_bound

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """K rates; for a composite measure, K false match rates followed by K false non-match rates (`blocks` is 2)."""

    errors: Floats
    totals: Floats
    subjects: NDArray[np.int64]
    covariance: Floats
    zero_sizes: Floats
    """N0 of every cell, used where its rate is 0 (or 1)."""
    blocks: int = 1

    def __post_init__(self) -> None:
        k = self.errors.size
        if not self.totals.size == self.subjects.size == self.zero_sizes.size == k or self.covariance.shape != (k, k):
            raise ValueError(f"{k} errors need as many totals, subjects and sizes, and a {k} x {k} covariance")
        if k % self.blocks or not np.all(self.totals > 0):
            raise ValueError("every group of a measure needs at least one comparison: leave out the others, and say so")

    @property
    def rates(self) -> Floats:
        """Errors per trial."""
        return self.errors / self.totals

    @property
    def groups(self) -> int:
        """How many groups."""
        return self.errors.size // self.blocks


def make_cells(
    errors: ArrayLike,
    totals: ArrayLike,
    subjects: ArrayLike,
    covariance: ArrayLike,
    zero_sizes: ArrayLike | None = None,
) -> Cells:
    """Put K rates of one metric at one threshold together.

    Parameters
    ----------
    errors, totals, subjects : arrays, K
        Counts of every group; totals above 0.
    covariance : float array, K x K
        Of the rates (`audit.stats.clustered`).
    zero_sizes : float array, K, optional
        N0 where it was computed over more groups than these; default: over these.
    """
    e, m = np.asarray(errors, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    n, sigma = np.asarray(subjects, dtype=np.int64), np.asarray(covariance, dtype=np.float64)
    sizes = effective_zero_sizes(e, m, n, np.diag(sigma)) if zero_sizes is None else np.asarray(zero_sizes, np.float64)
    return Cells(e, m, n, sigma, sizes)


def join(fmr: Cells, fnmr: Cells, covariance: ArrayLike) -> Cells:
    """Put the two error rates of the same K groups side by side, with their joint 2K x 2K covariance, FMR first."""
    if fmr.groups != fnmr.groups:
        raise ValueError(f"{fmr.groups} and {fnmr.groups} groups cannot be joined")
    return Cells(
        np.concatenate([fmr.errors, fnmr.errors]),
        np.concatenate([fmr.totals, fnmr.totals]),
        np.concatenate([fmr.subjects, fnmr.subjects]),
        np.asarray(covariance, dtype=np.float64),
        np.concatenate([fmr.zero_sizes, fnmr.zero_sizes]),
        blocks=2,
    )


def pooled_design_effect(errors: ArrayLike, totals: ArrayLike, variances: ArrayLike) -> float | None:
    """Design effect of the cells with errors: `sum Sigma_kk / sum p(1-p)/M`; None where no rate lies inside (0, 1)."""
    e, m = np.asarray(errors, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    inside = (e > 0) & (e < m)
    if not inside.any():
        return None
    p = e[inside] / m[inside]
    return float(np.asarray(variances, dtype=np.float64)[inside].sum() / (p * (1 - p) / m[inside]).sum())


def effective_zero_sizes(errors: ArrayLike, totals: ArrayLike, subjects: ArrayLike, variances: ArrayLike) -> Floats:
    """Effective trials N0 behind a rate of zero: `M/deff`, or half the subjects where no cell has errors.

    Parameters
    ----------
    errors, totals, subjects, variances : arrays, K
        Of all cells of one metric at one threshold.
    """
    deff = pooled_design_effect(errors, totals, variances)
    if deff is None:
        return np.asarray(subjects, dtype=np.float64) / 2
    return np.asarray(totals, dtype=np.float64) / deff


def adjusted_rates(cells: Cells) -> tuple[Floats, NDArray[np.bool_]]:
    """Rates for denominators and logarithms, and which of them are not the observed ones.

    Each block (FMR, FNMR) by itself. A block without any error is left at zero: no measure with logarithms can be
    formed.
    """
    rates = cells.rates.copy()
    flags = np.zeros(rates.size, dtype=np.bool_)
    for block in np.split(np.arange(rates.size), cells.blocks):
        zero = block[rates[block] == 0]
        if 0 < zero.size < block.size:
            smallest = rates[block][rates[block] > 0].min()
            rates[zero] = [min(zero_upper_bound(float(cells.zero_sizes[k])), smallest) for k in zero]
            flags[zero] = True
    return rates, flags


def log_rates(cells: Cells) -> tuple[Floats, Floats]:
    """Log rates and their covariance for tests and draws.

    Returns
    -------
    (log rates, covariance), K and K x K

    Notes
    -----
    `Sigma_log = Sigma / (p p')`, with `p~` and its variance where the rate is 0. A rate of 1 has plug-in variance 0,
    which is as wrong as at 0: the log rate stays 0 and has the variance of `1 - p~`.
    """
    p, n0 = cells.rates, cells.zero_sizes
    edge = (p == 0) | (p == 1)
    tilde = 0.5 / (n0 + 1)
    logs = np.log(np.where(p == 0, tilde, p))
    scale = np.where(edge, 1.0, p)
    sigma = cells.covariance / np.outer(scale, scale)
    sigma[edge, :] = 0.0
    sigma[:, edge] = 0.0
    variance = np.where(p == 0, (1 - tilde) / (tilde * (n0 + 1)), tilde / ((1 - tilde) * (n0 + 1)))
    sigma[edge, edge] = variance[edge]
    return logs, sigma
