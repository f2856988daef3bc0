"""What a design can show."""

from __future__ import annotations

import math

from scipy.special import ndtri

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
