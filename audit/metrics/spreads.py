"""What a disparity measure is worth: its null distribution, interval, de-biased companions and verdict.

Noise alone makes a spread: the largest of eight equal rates with ten errors each is expected to be 2.8 times the
smallest. No spread is therefore given without the distribution that it would have under equal rates and the same
covariance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.domain import Interval, Verdict
from audit.metrics.cells import Cells, log_rates
from audit.metrics.cross_fit import cross_fit
from audit.metrics.differentials import MEASURES, Measure, evaluate
from audit.metrics.support import MAX_MIN_EFFECTIVE_ERRORS, MAX_MIN_GROUPS
from audit.stats.intervals import effective_errors
from audit.stats.nulls import NullDistribution, null_distribution, percentile_interval, wald_equality
from audit.stats.power import minimum_detectable_ratio

Floats = NDArray[np.float64]
NULL_BINS = 40
METHOD = "draws of log rates: percentile above, below equality or (where that is rejected) reflected"


@dataclass(frozen=True, slots=True)
class Spread:
    """A disparity measure with all that is needed to believe it; groups are indices."""

    measure: str
    value: float | None
    interval: Interval | None
    null_p: float | None
    null_median: float | None
    null_high: float | None
    cross_fit: float | None
    tau: float | None
    wald_p: float | None
    components: Mapping[str, float | None]
    zero_adjusted: tuple[int, ...]
    worst: int | None
    best: int | None
    margin: float | None
    minimum_detectable_ratio: float | None
    verdict: Verdict
    reason: str | None
    null_histogram: tuple[tuple[float, ...], tuple[int, ...]] | None = None
    """Edges and counts of the draws under equal rates; only of measures that are ratios."""


def spread(
    measure_id: str,
    cells: Cells,
    *,
    margins: tuple[float, ...],
    rng: np.random.Generator,
    halves: tuple[ArrayLike, ArrayLike] | None = None,
    fitted: float | None = None,
    draws: int = 4000,
    level: float = 0.95,
    alpha: float = 0.05,
) -> Spread:
    """Evaluate a disparity measure with its uncertainty.

    Parameters
    ----------
    measure_id : str
        Key of `MEASURES`.
    cells : Cells
        The groups that enter (`audit.metrics.support.excluded` says which do not); for composites
        `audit.metrics.cells.join`.
    margins : (rho,) or, for composites, (rho of FMR, rho of FNMR)
        Ratios that count as a disparity, declared beforehand.
    rng : numpy Generator
        For this measure alone, so that no measure's draws depend on another's.
    halves : (errors, totals), optional
        For the cross-fit, each S x 2 x K.
    fitted : float, optional
        The cross-fit itself, where it was computed before and there are no halves.
    draws : int
    level : float
        Of the interval.
    alpha : float
        Of the test of equal rates.

    Returns
    -------
    Spread; where the measure cannot be formed the value is None, with a reason, INCONCLUSIVE

    Notes
    -----
    The upper bound is the percentile of draws around the observed log rates: noise inflates it, which is the safe side.
    The plain lower percentile is inflated too: it lies above equality even where nothing differs. The lower bound is
    therefore equality itself, unless the test of equal rates rejects it at 1 - level; then it is the reflected
    percentile `2h - upper` (in logarithms for ratios).
    """
    measure = MEASURES[measure_id]
    found = evaluate(measure, cells)
    margin = measure.margin(margins)
    result = Spread(
        measure_id, found.value, None, None, None, None, None, None, None, found.components, found.zero_adjusted,
        found.worst, found.best, margin, None, "INCONCLUSIVE", found.reason,
    )  # fmt: skip
    if found.value is None:
        return result
    fitted = cross_fit(*halves, measure) if halves is not None else fitted
    blocks = np.split(cells.errors, cells.blocks)
    if not all(block.any() for block in blocks):
        return replace(result, cross_fit=fitted, reason="no error in any group: equality cannot be tested")
    null, interval = _draws(measure, cells, found.value, draws, level, rng)
    verdict, reason = _verdict(measure, cells, null.p, fitted, interval.high, margin, alpha)
    tau, wald, detectable = (None, None, None) if measure.composite else _companions(measure, cells, alpha)
    return replace(
        result,
        interval=interval,
        null_p=null.p,
        null_median=null.median,
        null_high=null.high,
        null_histogram=_histogram(null.values) if measure.scale == "ratio" else None,
        cross_fit=fitted,
        tau=tau,
        wald_p=wald,
        minimum_detectable_ratio=detectable,
        verdict=verdict,
        reason=reason,
    )


def tau(cells: Cells) -> float:
    """Debiased dispersion of log rates: `tau^2 = max(0, S^2 - mean Var(l_g) + mean Cov(l_g, l_h))`, S^2 with K - 1.

    What overlapping groups share moves them together and adds nothing to S^2; of disjoint groups the covariance is 0.
    """
    logs, sigma = log_rates(cells)
    apart = np.trace(sigma) / logs.size - (sigma.sum() - np.trace(sigma)) / (logs.size * (logs.size - 1))
    return float(np.sqrt(max(0.0, logs.var(ddof=1) - apart)))


def _draws(
    measure: Measure, cells: Cells, value: float, draws: int, level: float, rng: np.random.Generator
) -> tuple[NullDistribution, Interval]:
    sign = -1.0 if measure.scale == "score" else 1.0

    def statistic(logs: Floats) -> Floats:
        rates = np.exp(logs)
        # A difference of rates has a scale, on which a draw above 1 is no rate.
        rates = rates if measure.scale_free else np.minimum(rates, 1.0)
        return sign * measure(rates, rates)

    logs, sigma = log_rates(cells)
    pooled = [
        e.sum() / m.sum()
        for e, m in zip(*(np.split(x, cells.blocks) for x in (cells.errors, cells.totals)), strict=True)
    ]
    centre = np.zeros(logs.size) if measure.scale_free else np.repeat(np.log(pooled), cells.groups)
    observed = float(statistic(logs[None, :])[0])
    null = null_distribution(statistic, observed, sigma, draws, rng, centre=centre)
    high = percentile_interval(statistic, logs, sigma, draws, rng, level)[1]
    equal, shown = sign * measure.equal, sign * value
    reflected = observed**2 / high if measure.scale == "ratio" else 2 * observed - high
    low = max(equal, min(reflected, shown)) if null.p < 1 - level else equal
    high = max(high, shown)
    if sign < 0:
        null = NullDistribution(null.p, -null.median, -null.high, -null.values)
        low, high = -high, -low
    return null, Interval(low, high, level, METHOD)


def _histogram(ratios: Floats) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Count ratios in bins of equal width on a logarithmic scale, from the lowest to the highest of them."""
    logs = np.log(ratios)
    counts, edges = np.histogram(logs, bins=NULL_BINS, range=(min(0.0, logs.min()), max(logs.max(), 1e-9)))
    return tuple(float(x) for x in np.exp(edges)), tuple(int(n) for n in counts)


def _companions(measure: Measure, cells: Cells, alpha: float) -> tuple[float, float | None, float]:
    logs, sigma = log_rates(cells)
    k = cells.groups
    df = float(cells.subjects.min() - 1)
    wald = wald_equality(logs, sigma, df) if df > 0 else None
    pairwise = measure.id in {"max/min", "ser"}
    away = np.eye(k)[:, None, :] - (np.eye(k)[None, :, :] if pairwise else np.full((1, 1, k), 1 / k))
    variance = np.einsum("abk,kl,abl->ab", away, sigma, away)
    return tau(cells), wald, minimum_detectable_ratio(max(0.0, float(variance.max())), alpha=alpha)


def _verdict(
    measure: Measure, cells: Cells, null_p: float, fitted: float | None, high: float, margin: float | None, alpha: float
) -> tuple[Verdict, str | None]:
    """Decide; DISPARITY is asked first, as both rules can hold."""
    if margin is None:
        return "INCONCLUSIVE", "a difference of rates has no margin that is a ratio"
    if measure.id == "max/min" and cells.groups >= MAX_MIN_GROUPS:
        numbers = [effective_errors(p, v) for p, v in zip(cells.rates, np.diag(cells.covariance), strict=True)]
        if min(x or 0.0 for x in numbers) < MAX_MIN_EFFECTIVE_ERRORS:
            return "INCONCLUSIVE", (
                f"max/min over {MAX_MIN_GROUPS} groups or more needs "
                f"{MAX_MIN_EFFECTIVE_ERRORS:.0f} effective errors in each"
            )
    if null_p < alpha and fitted is not None and fitted >= margin:
        return "DISPARITY", None
    if high < margin:
        return "EQUIVALENT", None
    if fitted is None:
        return "INCONCLUSIVE", "no cross-fit: a half of the subjects holds no comparison of some group"
    return "INCONCLUSIVE", None
