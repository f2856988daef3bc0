"""One group's rate against another's: ratio, difference and a three-way verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from audit.domain import Interval, Verdict
from audit.metrics.cells import Cells, log_rates
from audit.stats.contrasts import RatioTest, mover_difference, ratio_test
from audit.stats.intervals import zero_upper_bound

RATIO_METHOD = "log ratio, Student's t"
DIFFERENCE_METHOD = "MOVER"
SAME = 1e-9
"""Share of the variances below which that of a difference is rounding: both sides are the same comparisons."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two rates compared. `at_least`: the denominator had no error, and the ratio is at least this."""

    ratio: float | None
    at_least: bool
    interval: Interval | None
    p: float | None
    verdict: Verdict
    material: bool
    margin: float
    minimum_detectable_ratio: float | None
    difference: float
    difference_interval: Interval
    reason: str | None


def contrast(
    cells: Cells,
    a: int,
    b: int,
    *,
    margin: float,
    intervals: tuple[Interval, Interval],
    alpha: float = 0.05,
) -> Contrast:
    """Compare cell `a` with cell `b`.

    Parameters
    ----------
    cells : Cells
        Rates of one metric at one threshold; whether the two cells overlap is in their covariance.
    a, b : int
        Numerator and denominator.
    margin : float
        Ratio rho that counts as a disparity, in either direction.
    intervals : (of a, of b)
        Intervals of the two rates, for the difference; their level is that of the contrast.
    alpha : float
        Of the two one-sided tests of equivalence.

    Notes
    -----
    A zero denominator is replaced by its one-sided bound, not above the numerator; tests use `p~`
    (`audit.metrics.cells`). Verdict: DISPARITY if the interval excludes 1 and the ratio is at least rho (or at most
    1/rho), *material* if it excludes [1/rho, rho]; EQUIVALENT if the 1 - 2 alpha interval lies inside [1/rho, rho];
    otherwise INCONCLUSIVE.
    """
    level = intervals[0].level
    pa, pb = float(cells.rates[a]), float(cells.rates[b])
    logs, sigma = log_rates(cells)
    variance = float(sigma[a, a] + sigma[b, b] - 2 * sigma[a, b])
    spread = math.sqrt(cells.covariance[a, a] * cells.covariance[b, b])
    correlation = float(cells.covariance[a, b] / spread) if spread > 0 else 0.0
    bounds = [(interval.low, interval.high) for interval in intervals]
    difference = Interval(*mover_difference(pa, bounds[0], pb, bounds[1], correlation), level, DIFFERENCE_METHOD)
    result = Contrast(None, False, None, None, "INCONCLUSIVE", False, margin, None, pa - pb, difference, None)
    if pa == 0 and pb == 0:
        return replace(result, reason="no error in either group")
    shown, judged = _ratios(cells, a, b)
    result = replace(result, ratio=shown, at_least=pb == 0)
    df = float(min(cells.subjects[a], cells.subjects[b]) - 1)
    if not df > 0 or not variance > SAME * float(sigma[a, a] + sigma[b, b]):
        return replace(result, reason="no test: one subject, or the same comparisons on both sides")
    test = ratio_test(float(logs[a] - logs[b]), variance, df, level=level, alpha=alpha)
    # A zero numerator has no bound below, and a value shown beside an interval lies inside it.
    interval = Interval(min(test.low, shown), max(test.high, shown), level, RATIO_METHOD)
    verdict, material = _verdict(test, judged, margin)
    return replace(
        result,
        interval=interval,
        p=test.p,
        verdict=verdict,
        material=material,
        minimum_detectable_ratio=test.minimum_detectable,
    )


def _ratios(cells: Cells, a: int, b: int) -> tuple[float, float]:
    """Ratio to show, and the more cautious one that a verdict is about where a rate is 0."""
    pa, pb = float(cells.rates[a]), float(cells.rates[b])
    if pb == 0:
        ratio = pa / min(zero_upper_bound(float(cells.zero_sizes[b])), pa)
        return ratio, ratio
    if pa == 0:
        return 0.0, min(zero_upper_bound(float(cells.zero_sizes[a])), pb) / pb
    return pa / pb, pa / pb


def _verdict(test: RatioTest, ratio: float, margin: float) -> tuple[Verdict, bool]:
    slack = 1 + 8 * np.finfo(np.float64).eps  # a ratio of exactly rho counts
    if (test.low > 1 or test.high < 1) and max(ratio, 1 / ratio) * slack >= margin:
        return "DISPARITY", test.low > margin or test.high < 1 / margin
    if test.tost_low >= 1 / margin and test.tost_high <= margin:
        return "EQUIVALENT", False
    return "INCONCLUSIVE", False
