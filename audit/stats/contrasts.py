"""Two rates against each other: their ratio on the log scale, and their difference."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

from audit.stats.power import minimum_detectable_ratio

_LARGEST_LOG = 700.0
"""exp() of more is infinite in double precision."""


@dataclass(frozen=True, slots=True)
class RatioTest:
    """A ratio of two rates with all that a verdict on it needs; bounds are ratios."""

    ratio: float
    low: float
    high: float
    level: float
    p: float
    tost_low: float
    tost_high: float
    minimum_detectable: float


def ratio_test(log_ratio: float, variance: float, df: float, *, level: float = 0.95, alpha: float = 0.05) -> RatioTest:
    """Test a log ratio against 0 by Student's t, and give the bounds that an equivalence test needs.

    Parameters
    ----------
    log_ratio : float
        ln(pa/pb).
    variance : float
        Its variance by the delta method, positive: `Saa/pa^2 + Sbb/pb^2 - 2 Sab/(pa pb)`.
    df : float
        Degrees of freedom: the fewer subjects of the two cells, less one.
    level : float
        Level of the interval of the ratio.
    alpha : float
        Of the two one-sided tests, whose interval has level 1 - 2 alpha.

    Source
    ------
    Two one-sided tests: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657-680.
    """
    if not variance > 0 or not df > 0:
        raise ValueError(f"a test needs a variance and degrees of freedom above 0, found {variance} and {df}")
    error = math.sqrt(variance)
    half = error * float(stdtrit(df, (1 + level) / 2))
    half_tost = error * float(stdtrit(df, 1 - alpha))
    return RatioTest(
        ratio=_exp(log_ratio),
        low=_exp(log_ratio - half),
        high=_exp(log_ratio + half),
        level=level,
        p=min(1.0, 2 * float(stdtr(df, -abs(log_ratio) / error))),
        tost_low=_exp(log_ratio - half_tost),
        tost_high=_exp(log_ratio + half_tost),
        minimum_detectable=minimum_detectable_ratio(variance, alpha=alpha),
    )


def mover_difference(
    pa: float, bounds_a: tuple[float, float], pb: float, bounds_b: tuple[float, float], correlation: float = 0.0
) -> tuple[float, float]:
    """Interval of `pa - pb` recovered from the intervals of both (MOVER).

    Parameters
    ----------
    pa, pb : float
        Rates.
    bounds_a, bounds_b : (low, high)
        Their intervals, of the level that the difference shall have.
    correlation : float
        Of the two estimates.

    Source
    ------
    Zou & Donner (2008), Statistics in Medicine 27:1693-1702, with their term for dependent estimates.

    >>> low, high = mover_difference(0.5, (0.4, 0.6), 0.5, (0.4, 0.6))
    >>> round(low, 6), round(high, 6)
    (-0.141421, 0.141421)
    """
    (low_a, high_a), (low_b, high_b) = bounds_a, bounds_b
    below_a, above_a, below_b, above_b = pa - low_a, high_a - pa, pb - low_b, high_b - pb
    down = below_a**2 + above_b**2 - 2 * correlation * below_a * above_b
    up = above_a**2 + below_b**2 - 2 * correlation * above_a * below_b
    return pa - pb - math.sqrt(max(0.0, down)), pa - pb + math.sqrt(max(0.0, up))


def _exp(x: float) -> float:
    return math.exp(min(x, _LARGEST_LOG))
