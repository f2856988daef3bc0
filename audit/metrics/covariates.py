"""Error rates and scores as smooth curves over a number that people carry (age, measured skin tone).

Bins hide what happens inside them and depend on their edges. A curve at x is a local linear regression over people:
subject i has weight `w_i = K((x_i - x)/h)` (Epanechnikov's kernel), `c_i` comparisons and `e_i` errors (or a sum of
scores); with `S_k = sum w_i c_i (x_i - x)^k` and `l_i = w_i (S_2 - S_1 (x_i - x))`, the curve is
`sum l_i e_i / sum l_i c_i`. The bandwidth is Silverman's rule over people.

A mated comparison belongs to its subject. A non-mated one is attributed to *both* of its subjects: the curve at x is
the rate of comparisons in which a person of x takes part, with anybody whom the impostor policy admits.

Bands are pointwise and clustered by subject. Mated: `sum (l_i r_i / (1 - h_i))^2` with residuals r and leverages h.
Non-mated: with `u_ij` the pair's share in the residual sum and `R_i = sum_j u_ij`, `R'R - sum u^2` as everywhere
(Fogliato et al. 2024), exact from the table of subject pairs; for scores counterparts are weighted by bins of the
covariate and `sum u^2` is not taken off, which errs on the wide side. Rates take the intervals of rates at the
effective size, means of scores Student's t. They cover the curve as far as the bandwidth resolves it.

Sources: Fan & Gijbels (1996), Local Polynomial Modelling, chapter 3; Silverman (1986), Density Estimation, eq. 3.31.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from audit.compare.by_subject import PairErrors, SubjectScores
from audit.compare.counts import Floats, Ints
from audit.domain import Subject
from audit.metrics.rates import interval

FEWEST = 30
"""People with a number, below whom no curve is drawn."""
FEWEST_LOCAL = 10.0
"""Effective people around a point, below whom it is left out."""
POINTS = 33
BINS = 32
"""Bins of counterparts for curves of non-mated scores."""
MOST_LEVERAGE = 0.9
METHOD = "local linear, Epanechnikov kernel; pointwise bands clustered by subject"


@dataclass(frozen=True, slots=True)
class Curve:
    """A smooth curve with its band.

    Parameters
    ----------
    quantity : FMR, FNMR, mated score or non-mated score
    bandwidth : half the width of the kernel, in the unit of the covariate
    x, value, low, high : points in that unit, and rates or scores
    people : effective people around each point
    subjects, missing : people with one number, and the others
    """

    attribute: str
    quantity: str
    operating_point: str | None
    bandwidth: float | None
    x: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    people: tuple[float, ...]
    subjects: int
    missing: int
    level: float
    reason: str | None


def numbers(subjects: Sequence[Subject], attribute: str) -> Floats:
    """The one finite number of every subject, NaN where there is none or several, shape (n,)."""
    return np.array([_number(subject.attributes.get(attribute, ())) for subject in subjects], dtype=np.float64)


def _number(values: Sequence[str]) -> float:
    if len(values) != 1:
        return math.nan
    try:
        found = float(values[0])
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def bins(values: Floats) -> Ints:
    """Bin of each subject as a counterpart, equally many people a bin; those without a number in the last."""
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    place = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), len(edges) + 1, place).astype(np.int64)


def bandwidth(values: Floats) -> float:
    """Silverman's rule for Epanechnikov's kernel: `2.34 min(sd, IQR/1.34) n^(-1/5)`; NaN are left out.

    >>> round(bandwidth(np.arange(100.0)), 1)
    27.0
    """
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, [0.25, 0.75])
    sizes = [size for size in (known.std(ddof=1), (high - low) / 1.34) if size > 0]
    return float(2.34 * min(sizes, default=0.0) * len(known) ** -0.2)


@dataclass(frozen=True, eq=False)
class _Local:
    """Local linear weights at one point, for trials c."""

    l: Floats  # noqa: E741 - the letter of the formula
    weight: Floats
    distance: Floats
    people: float
    trials: Floats

    @property
    def total(self) -> float:
        """Sum l c."""
        return float(self.l @ self.trials)

    def fit(self, sums: Floats) -> tuple[float, Floats]:
        """Value at the point, and the local line at every subject."""
        w, d, c = self.weight, self.distance, self.trials
        s0, s1, s2 = (float((w * c) @ d**k) for k in range(3))
        value = float(self.l @ sums) / self.total
        spread = s0 * s2 - s1 * s1
        slope = float((w * (s0 * d - s1)) @ sums) / spread if spread > 1e-9 * s0 * s2 else 0.0
        return value, value + slope * d


_At = Callable[[_Local], tuple[float, float, float]]
"""Value, variance, and variance of independent trials divided by p(1-p), at a point."""


def _local(values: Floats, trials: Floats, x: float, h: float) -> _Local | None:
    """Weights at a point; None where too few people are around."""
    distance = np.where(np.isnan(values), 0.0, values - x)
    near = ~np.isnan(values) & (np.abs(distance) < h) & (trials > 0)
    weight = np.where(near, 1 - (distance / h) ** 2, 0.0)
    if weight.sum() ** 2 < FEWEST_LOCAL * (weight**2).sum() or not near.any():
        return None
    s0, s1, s2 = (float((weight * trials) @ distance**k) for k in range(3))
    flat = not s0 * s2 - s1 * s1 > 1e-9 * s0 * s2
    made = weight if flat else weight * (s2 - s1 * distance)
    made /= np.abs(made).max()
    return _Local(made, weight, distance, float(weight.sum() ** 2 / (weight**2).sum()), trials)


def mated_curve(
    attribute: str, values: Floats, sums: Floats, counts: Ints, *, level: float, point: str | None
) -> Curve:
    """FNMR (`sums` are errors and `point` the operating point), or the mean mated score (`point` None).

    Parameters
    ----------
    values : (n,) covariate, NaN where missing
    sums, counts : (n,) errors or scores, and mated comparisons
    """

    def at(local: _Local) -> tuple[float, float, float]:
        value, line = local.fit(sums)
        total = local.total
        leverage = np.minimum(local.l * counts / total, MOST_LEVERAGE)
        parts = local.l * (sums - line * counts) / (1 - leverage)
        return value, float(parts @ parts) / total**2, float(local.l**2 @ counts) / total**2

    quantity = "mated score" if point is None else "FNMR"
    empty = blank(attribute, quantity, point, values, level)
    return _draw(empty, values, counts.astype(np.float64), at)


def nonmated_rate_curve(
    attribute: str, values: Floats, pairs: PairErrors, t: int, *, level: float, point: str
) -> Curve:
    """FMR at the threshold numbered t of `pairs`."""
    one = np.ones(len(values))
    sums, trials = pairs.errors_times(t, one), pairs.trials_times(one)

    def at(local: _Local) -> tuple[float, float, float]:
        value, line = local.fit(sums)
        weight, total = local.l, local.total
        shift = weight * line
        rows = weight * sums + pairs.errors_times(t, weight) - shift * trials - pairs.trials_times(shift)
        i, j, e, c = pairs.first, pairs.second, pairs.errors[t], pairs.trials
        both, expected = weight[i] + weight[j], shift[i] + shift[j]
        # (both e - expected c)^2 over all pairs: those without an error leave (expected c)^2 alone.
        squares = float(((both * e) ** 2 - 2 * both * e * expected * c).sum())
        squares += float(shift**2 @ pairs.trials_times(one, 2) + shift @ pairs.trials_times(shift, 2))
        variance = (float(rows @ rows) - squares) * _factor(local.people)
        apart = float(weight**2 @ trials + weight @ pairs.trials_times(weight)) / total**2
        return value, max(variance, squares) / total**2, apart

    return _draw(blank(attribute, "FMR", point, values, level), values, trials, at)


def nonmated_score_curve(attribute: str, values: Floats, scores: SubjectScores, *, level: float) -> Curve:
    """Mean score of the non-mated comparisons in which a person of x takes part.

    Parameters
    ----------
    scores : summed by `bins(values)` of the counterpart
    """
    counts = scores.nonmated_count.astype(np.float64)
    table = scores.scores(scores.nonmated.astype(np.float64), counts)
    own = bins(values)
    trials, sums = counts.sum(axis=1), table.sum(axis=1)

    def mean(vector: Floats) -> Floats:
        size = np.bincount(own, trials, counts.shape[1])
        return np.asarray(np.bincount(own, trials * vector, counts.shape[1]) / np.maximum(size, 1))

    def at(local: _Local) -> tuple[float, float, float]:
        value, line = local.fit(sums)
        shift = local.l * line
        rows = local.l * sums + table @ mean(local.l) - shift * trials - counts @ mean(shift)
        return value, float(rows @ rows) * _factor(local.people) / local.total**2, 0.0

    return _draw(blank(attribute, "non-mated score", None, values, level), values, trials, at)


def _factor(people: float) -> float:
    """Residual row sums of a pair statistic lose 4/n of its variance."""
    return people / (people - 4)


def blank(
    attribute: str, quantity: str, point: str | None, values: Floats, level: float, reason: str | None = None
) -> Curve:
    """A curve without points."""
    missing = int(np.isnan(values).sum())
    none: tuple[float, ...] = ()
    return Curve(
        attribute, quantity, point, None, none, none, none, none, none, len(values) - missing, missing, level, reason
    )


def _draw(empty: Curve, values: Floats, trials: Floats, at: _At) -> Curve:
    """Evaluate a curve where enough people are around."""
    counting = np.where(trials > 0, values, np.nan)
    known = counting[~np.isnan(counting)]
    if len(known) < FEWEST:
        return replace(empty, reason=f"{len(known)} people with a number and a comparison, fewer than {FEWEST}")
    h = bandwidth(known)
    if not h > 0:
        return replace(empty, reason="nearly everybody has the same number")
    rows = []
    for x in np.linspace(known.min(), known.max(), POINTS).tolist():
        local = _local(counting, trials, x, h)
        if local is not None and local.total > 0:
            value, variance, apart = at(local)
            rows.append((x, *_band(empty, value, variance, apart, local.people), local.people))
    if not rows:
        return replace(empty, reason=f"nowhere are {FEWEST_LOCAL:g} people close together")
    x_, value_, low, high, people = (tuple(float(v) for v in column) for column in zip(*rows, strict=True))
    return replace(empty, bandwidth=h, x=x_, value=value_, low=low, high=high, people=people)


def _band(empty: Curve, value: float, variance: float, apart: float, people: float) -> tuple[float, float, float]:
    """Value and bounds; rates stay in [0, 1], which a local line may leave."""
    if empty.operating_point is None:
        half = float(stdtrit(people - 1, (1 + empty.level) / 2)) * math.sqrt(variance)
        return value, value - half, value + half
    p = min(max(value, 0.0), 1.0)
    found = interval(p, max(variance, p * (1 - p) * apart), int(people), empty.level, paired=empty.quantity == "FMR")
    return p, min(found.low, p), max(found.high, p)
