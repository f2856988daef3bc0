"""The same rate in two records: ratio and difference with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from audit.comparison import Difference, DisparityChange, How, Value
from audit.domain import Support
from audit.record import IntervalPart, Rate
from audit.recorded import NotRecomputable, log_rate
from audit.side_by_side.pair import Pair, cells
from audit.stats.contrasts import mover_difference, ratio_test
from audit.stats.multiplicity import holm

METHODS: dict[How, str] = {
    "paired": "paired, clustered by person",
    "independent": "independent benchmarks",
    "bounded": "bound: standard errors added",
}
SUPPORTS: tuple[Support, ...] = ("count-only", "low-precision", "sufficient")
SAME = "the same errors on the same comparisons: there is nothing to test"


def differences(pair: Pair, level: float) -> list[Difference]:
    """Compare every rate that both records have, in the order of the first."""
    other = cells(pair.second)
    return [_difference(pair, name, rate, other[key], level) for key, rate in cells(pair.first).items()
            if key in other for name in (key[1],)]  # fmt: skip


def _difference(pair: Pair, point: str | None, a: Rate, b: Rate, level: float) -> Difference:
    covariance, how = pair.covariance(a, b)
    base = Difference(
        a=pair.a.label, b=pair.b.label, metric=a.metric, operating_point=point, group=a.group,
        first=_value(a), second=_value(b), how=how, support=min(a.support, b.support, key=SUPPORTS.index),
        family=f"{pair.b.label} against {pair.a.label} | {a.metric} | {point or 'no threshold'}",
    )  # fmt: skip
    if a.value is None or b.value is None or a.interval is None or b.interval is None:
        why = (a.reason if a.value is None else b.reason) or "one of the two has no value"
        return base.model_copy(update={"reason": why})
    found = {**_subtracted(a, b, covariance, level), "difference": b.value - a.value}
    if a.value == 0 and b.value == 0:
        return base.model_copy(update={**found, "reason": "no error in either"})
    try:
        return base.model_copy(update={**found, **_divided(pair, a, b, covariance, how, level)})
    except NotRecomputable as error:
        return base.model_copy(update={**found, "reason": str(error)})


def _value(rate: Rate) -> Value:
    return Value(
        errors=rate.errors, trials=rate.trials, people=rate.subjects, value=rate.value, interval=rate.interval
    )  # fmt: skip


def _subtracted(a: Rate, b: Rate, covariance: float | None, level: float) -> dict[str, object]:
    """Difference by MOVER on the recorded intervals, if they have the level; a bound correlates them by -1."""
    if a.interval is None or b.interval is None or a.value is None or b.value is None:
        return {}
    spread = math.sqrt((a.variance or 0.0) * (b.variance or 0.0))
    correlation = -1.0 if covariance is None else max(-1.0, min(1.0, covariance / spread)) if spread > 0 else 0.0
    made: dict[str, object] = {"correlation": None if covariance is None else correlation}
    if a.interval.level == b.interval.level == level:
        low, high = mover_difference(
            b.value, (b.interval.low, b.interval.high), a.value, (a.interval.low, a.interval.high), correlation
        )
        if low < high:
            made["difference_interval"] = IntervalPart(
                low=max(low, -1.0), high=min(high, 1.0), level=level, method="MOVER"
            )
    return made


def _divided(pair: Pair, a: Rate, b: Rate, covariance: float | None, how: How, level: float) -> dict[str, object]:
    first, second = log_rate(a), log_rate(b)
    worst = (first.deviation + second.deviation) ** 2
    variance = worst
    if covariance is not None:
        inside = bool(a.value and b.value and a.value < 1 and b.value < 1)
        logs = covariance / (a.value * b.value) if inside and a.value and b.value else 0.0
        variance = min(worst, max(first.variance + second.variance - 2 * logs, pair.log_floor(a, b)))
    df = min(a.subjects, b.subjects) - 1
    if df < 1:
        raise NotRecomputable("one of the two rests on a single person")
    if not variance > 1e-9 * worst:
        raise NotRecomputable(SAME)
    test = ratio_test(second.log - first.log, variance, float(df), level=level)
    shown = b.value / a.value if a.value and b.value is not None else None
    made: dict[str, object] = {"p": test.p, "minimum_detectable_ratio": test.minimum_detectable}
    low, high = (test.low, test.high) if shown is None else (min(test.low, shown), max(test.high, shown))
    made["ratio_interval"] = IntervalPart(low=low, high=high, level=level, method=f"log ratio, {METHODS[how]}")
    made["ratio"] = shown
    if shown is None:
        made["reason"] = "no error in the first: the ratio has no value, its interval stands"
    return made


Tested = TypeVar("Tested", Difference, DisparityChange)


def judged(found: Sequence[Tested], alpha: float) -> list[Tested]:
    """Adjust the p-values of every family by Holm's method, and give the words."""
    families: dict[str, list[int]] = {}
    for k, one in enumerate(found):
        if one.p is not None:
            families.setdefault(one.family, []).append(k)
    made = list(found)
    for members in families.values():
        adjusted = holm([p for k in members if (p := found[k].p) is not None]).tolist()
        for k, p in zip(members, adjusted, strict=True):
            word = "differs" if p <= alpha else "no evidence that it differs"
            made[k] = found[k].model_copy(update={"p_adjusted": p, "verdict": word})
    return made
