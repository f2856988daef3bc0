"""What a design can show."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, nnls
from scipy.special import ndtri, stdtrit

_LARGEST_LOG = 700.0


def minimum_detectable_ratio(log_variance: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest ratio that a two-sided test at `alpha` finds with probability `power`.

    `exp((z_{1-alpha/2} + z_power) sqrt(Var))`, with the variance of the log ratio.

    >>> round(minimum_detectable_ratio(0.0625), 3)
    2.015
    """
    if not log_variance >= 0:
        raise ValueError(f"a variance is not negative, found {log_variance}")
    z = float(-ndtri(alpha / 2) + ndtri(power))
    return math.exp(min(z * math.sqrt(log_variance), _LARGEST_LOG))


@dataclass(frozen=True, slots=True)
class Design:
    """A rate to be estimated from trials that belong to units, or to pairs of units.

    Parameters
    ----------
    units : independent units behind the rate
    trials : trials of all units or pairs together
    a_cluster : trials that share all their units, on average (weighted by trials)
    within : intraclass correlation of such trials, 0 to 1
    between : variance of a unit's own proneness over its squared mean; 0 where a cluster is a unit
    units_a_trial : 1, or 2 for trials of pairs
    """

    units: int
    trials: float
    a_cluster: float
    within: float
    between: float = 0.0
    units_a_trial: int = 1

    def log_variance(self, rate: float) -> float:
        """Variance of the log of the estimated rate, by the delta method.

        `(1 - p) (1 + (c - 1) within) / (p M) + k^2 between / n`: what a cluster repeats, and what every unit brings
        into all of its k-fold trials (the leading term of Hoeffding's decomposition of a statistic of pairs). A rate
        near 1 is never known better than half a unit allows: `1 - p >= 0.5 / (n + 1)`.
        """
        unsure = max(1 - rate, 0.5 / (self.units + 1))
        repeated = unsure * (1 + (self.a_cluster - 1) * self.within) / (rate * self.trials)
        return repeated + self.units_a_trial**2 * self.between / self.units

    def design_effect(self, rate: float) -> float:
        """Variance over that of as many independent trials."""
        return self.log_variance(rate) * rate * self.trials / (1 - rate)


def detectable_ratio(
    group: Design, others: Design, rate: float, *, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """Smallest ratio to the others' rate that a test of a log ratio finds with probability `power`.

    As `minimum_detectable_ratio`, with the variance that the group has where its rate is that many times higher, and
    with Student's t at the smaller number of units less one, as contrasts are tested (`audit.stats.contrasts`).

    Returns
    -------
    float above 1; None where even a rate of 1 would not be told, and with fewer than two units
    """
    freedom = min(group.units, others.units) - 1
    if freedom < 1:
        return None
    z = float(stdtrit(freedom, 1 - alpha / 2) + ndtri(power))
    base = others.log_variance(rate)

    def excess(log_ratio: float) -> float:
        return log_ratio - z * math.sqrt(group.log_variance(rate * math.exp(log_ratio)) + base)

    most = -math.log(rate)
    if most <= 0 or excess(most) < 0:
        return None
    return math.exp(float(brentq(excess, 0.0, most, xtol=1e-9)))


def dependence(rates: ArrayLike, designs: list[Design], effects: ArrayLike) -> tuple[float, float]:
    """(within, between) that explain measured design effects best: non-negative least squares of relative deviations.

    Parameters
    ----------
    rates, effects : float arrays, shape (cells,): measured rates and design effects
    designs : of the same cells; their own `within` and `between` are not used

    Raises
    ------
    ValueError
        Without a cell.
    """
    p, deff = np.asarray(rates, np.float64), np.asarray(effects, np.float64)
    if not len(p):
        raise ValueError("no measured design effect")
    rows = [
        (one.a_cluster - 1, one.units_a_trial**2 * q * one.trials / ((1 - q) * one.units))
        for one, q in zip(designs, p, strict=True)
    ]
    found, _ = nnls(np.array(rows) / deff[:, None], np.maximum(deff - 1, 0) / deff)
    return min(float(found[0]), 1.0), float(found[1])
