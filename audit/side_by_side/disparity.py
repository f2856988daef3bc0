"""How much a disparity itself differs between two records."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.comparison import DisparityChange, How
from audit.metrics.differentials import MEASURES
from audit.record import Contrast, Differential, EvaluationRecord, Group, IntervalPart, Rate
from audit.recorded import NotRecomputable, log_rate
from audit.side_by_side.differences import METHODS, SAME
from audit.side_by_side.pair import ONE_TO_MANY, Pair, point_name
from audit.stats.clustered import without_negative_eigenvalues
from audit.stats.contrasts import ratio_test

Floats = NDArray[np.float64]
SPREADS = ("max/geomean", "max/min")
DRAWS = 20_000


class _Rates:
    """Rates of a record with the covariances that it carries."""

    def __init__(self, record: EvaluationRecord) -> None:
        self.record = record
        self._at: dict[tuple[str, str | None, frozenset[tuple[str, str]]], int] = {
            (r.metric, r.operating_point, _key(r.group)): k
            for k, r in enumerate(record.rates) if r.reference_group is None
        }  # fmt: skip
        self._joint = {
            (c.cells[i], c.cells[j]): value
            for c in record.covariance for i, row in enumerate(c.matrix) for j, value in enumerate(row)
        }  # fmt: skip

    def rate(self, metric: str, point: str | None, group: Group) -> Rate | None:
        k = self._at.get((metric, point, _key(group)))
        return None if k is None or self.record.rates[k].value is None else self.record.rates[k]

    def log_covariance(self, rates: Sequence[Rate]) -> Floats | None:
        """Covariance of log rates of one operating point; None where the record has none."""
        logs = [log_rate(rate) for rate in rates]
        made = np.diag([one.variance for one in logs])
        at = [self._at[r.metric, r.operating_point, _key(r.group)] for r in rates]
        for i, a in enumerate(rates):
            for j, b in enumerate(rates):
                if i != j and _inside(a) and _inside(b):
                    if (at[i], at[j]) not in self._joint:
                        return None
                    made[i, j] = self._joint[at[i], at[j]] / ((a.value or 1) * (b.value or 1))
        return made


def _key(group: Group) -> frozenset[tuple[str, str]]:
    return frozenset(group.items())


def _inside(rate: Rate) -> bool:
    return rate.value is not None and 0 < rate.value < 1


def changes(pair: Pair, level: float, seed: int) -> list[DisparityChange]:
    """Compare the ratios between two groups, and the spreads, that both records have."""
    here, there = _Rates(pair.first), _Rates(pair.second)
    names = [{p.id: point_name(p) for p in record.operating_points} for record in (pair.first, pair.second)]
    ratios = {
        _ratio_key(c, names[1]): c
        for c in pair.second.contrasts
        if isinstance(c.against, dict) and c.metric not in ONE_TO_MANY
    }
    found = []
    for contrast in pair.first.contrasts:
        other = ratios.get(_ratio_key(contrast, names[0])) if isinstance(contrast.against, dict) else None
        if other is not None:
            found.append(_ratio(pair, here, there, contrast, other, names[0], level))
    spreads = {
        _spread_key(d, names[1]): d
        for d in pair.second.differentials
        if d.measure in SPREADS and d.metric not in ONE_TO_MANY
    }
    for differential in pair.first.differentials:
        other_spread = spreads.get(_spread_key(differential, names[0]))
        if differential.measure in SPREADS and differential.metric != "FTA" and other_spread is not None:
            found.append(_spread(pair, here, there, differential, other_spread, names[0], level, seed))
    return found


def _ratio_key(c: Contrast, names: dict[str, str]) -> tuple[object, ...]:
    against = _key(c.against) if isinstance(c.against, dict) else c.against
    return c.metric, names.get(c.operating_point or ""), _key(c.group), against


def _spread_key(d: Differential, names: dict[str, str]) -> tuple[object, ...]:
    return d.measure, d.metric, names.get(d.operating_point), frozenset(d.attributes)


def _cross(pair: Pair, ours: Sequence[Rate], theirs: Sequence[Rate]) -> tuple[Floats | None, How]:
    """Covariance of the log rates of the one record with those of the other."""
    made = np.zeros((len(ours), len(theirs)))
    hows: set[How] = set()
    for i, a in enumerate(ours):
        for j, b in enumerate(theirs):
            covariance, how = pair.covariance(a, b)
            hows.add(how)
            if covariance is not None and _inside(a) and _inside(b):
                made[i, j] = covariance / ((a.value or 1) * (b.value or 1))
    if "bounded" in hows:
        return None, "bounded"
    return made, hows.pop()


def _ratio(
    pair: Pair, here: _Rates, there: _Rates, one: Contrast, two: Contrast, names: dict[str, str], level: float
) -> DisparityChange:
    against = one.against if isinstance(one.against, dict) else {}
    name = names.get(one.operating_point or "")
    ours = [r for g in (one.group, against) if (r := here.rate(one.metric, one.operating_point, g))]
    theirs = [r for g in (one.group, against) if (r := there.rate(two.metric, two.operating_point, g))]
    whole = len(ours) == len(theirs) == 2
    cross, how = _cross(pair, ours, theirs) if whole else (None, "bounded")
    base = DisparityChange(
        a=pair.a.label, b=pair.b.label, metric=one.metric, operating_point=name, measure="ratio",
        attributes=list(one.group), group=one.group, against=against, first=one.ratio, second=two.ratio, how=how,
        family=f"{pair.b.label} against {pair.a.label} | ratio | {one.metric} | {name or 'no threshold'}",
    )  # fmt: skip
    if not whole or not any(r.errors for r in ours) or not any(r.errors for r in theirs):
        return base.model_copy(update={"reason": one.reason or two.reason or "no error in either group"})
    try:
        variances = [_contrast_variance(rates, of) for rates, of in ((ours, here), (theirs, there))]
        logs = [log_rate(r).log for r in (*ours, *theirs)]
    except NotRecomputable as error:
        return base.model_copy(update={"reason": str(error)})
    worst = (math.sqrt(variances[0]) + math.sqrt(variances[1])) ** 2
    sign = np.array([1.0, -1.0])
    least = sum(pair.log_floor(a, b) for a, b in zip(ours, theirs, strict=True))
    variance = worst if cross is None else min(worst, max(sum(variances) - 2 * float(sign @ cross @ sign), least))
    df = min(r.subjects for r in (*ours, *theirs)) - 1
    if df < 1 or not variance > 1e-9 * worst:
        return base.model_copy(update={"reason": SAME if df >= 1 else "a group of a single person"})
    test = ratio_test((logs[2] - logs[3]) - (logs[0] - logs[1]), variance, float(df), level=level)
    return base.model_copy(
        update={
            "change": test.ratio,
            "interval": IntervalPart(
                low=test.low, high=test.high, level=level, method=f"log ratio of ratios, {METHODS[how]}"
            ),
            "p": test.p,
        }
    )


def _contrast_variance(rates: Sequence[Rate], of: _Rates) -> float:
    """Variance of the log ratio of two rates of one record; standard errors are added where it has no covariance."""
    sigma = of.log_covariance(rates)
    a, b = (log_rate(rate) for rate in rates)
    if sigma is None:
        return float((a.deviation + b.deviation) ** 2)
    return max(0.0, float(sigma[0, 0] + sigma[1, 1] - 2 * sigma[0, 1]))


def _spread(
    pair: Pair, here: _Rates, there: _Rates, one: Differential, two: Differential, names: dict[str, str], level: float,
    seed: int,
) -> DisparityChange:  # fmt: skip
    groups = [g for g in one.included if _key(g) in {_key(x) for x in two.included}]
    ours = [r for g in groups if (r := here.rate(one.metric, one.operating_point, g))]
    theirs = [r for g in groups if (r := there.rate(two.metric, two.operating_point, g))]
    cross, how = _cross(pair, ours, theirs) if ours and theirs else (None, "bounded")
    name = names.get(one.operating_point)
    base = DisparityChange(
        a=pair.a.label, b=pair.b.label, metric=one.metric, operating_point=name, measure=one.measure,
        attributes=one.attributes, first=one.value, second=two.value, how=how,
        family=f"{pair.b.label} against {pair.a.label} | {one.measure} | {one.metric} | {name}",
    )  # fmt: skip
    if one.value is None or two.value is None:
        return base.model_copy(update={"reason": one.reason or two.reason or "not formed in one of the two"})
    if not len(groups) == len(one.included) == len(two.included) == len(ours) == len(theirs):
        return base.model_copy(update={"reason": "not over the same groups in both"})
    sigmas = here.log_covariance(ours), there.log_covariance(theirs)
    if cross is None or sigmas[0] is None or sigmas[1] is None:
        return base.model_copy(update={"reason": "how the two depend on each other is not known"})
    joint = without_negative_eigenvalues(np.block([[sigmas[0], cross], [cross.T, sigmas[1]]]))
    logs = np.array([log_rate(r).log for r in (*ours, *theirs)])
    rng = np.random.default_rng([seed, zlib.crc32(base.family.encode())])
    drawn = rng.multivariate_normal(logs, joint, DRAWS, method="eigh")
    measure = MEASURES[one.measure]
    values = [np.log(measure(x, x)) for x in (np.exp(half) for half in np.split(drawn, 2, axis=1))]
    moved = values[1] - values[0]
    centre = math.log(two.value / one.value)
    noise = moved - moved.mean()
    low, high = np.quantile(noise, [(1 - level) / 2, (1 + level) / 2])
    p = float((1 + (np.abs(noise) >= abs(centre)).sum()) / (DRAWS + 1))
    if not high - low > 1e-9:
        return base.model_copy(update={"reason": SAME})
    interval = IntervalPart(
        low=math.exp(centre + low), high=math.exp(centre + high), level=level,
        method=f"joint draws of log rates, centred; {METHODS[how]}",
    )  # fmt: skip
    return base.model_copy(update={"change": math.exp(centre), "interval": interval, "p": p})
