"""A scenario's arithmetic as part of the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audit import assemble
from audit import record as r
from audit.compare.counts import OperatingCounts
from audit.domain import DemographicGroup, Threshold
from audit.groups import Grouping
from audit.metrics import scenario as arithmetic
from audit.metrics.scenario import Face
from audit.plan import AuditPlan, Scenario

Pair = tuple[float, float]
Bands = Callable[[float, float], Pair]
"""From a false match rate and its variance between people to the band of the probability of a false alarm."""


def part(
    counts: OperatingCounts, grouping: Grouping, placed: Sequence[Threshold], plan: AuditPlan
) -> r.ScenarioPart | None:
    """What the plan's scenario would come to; None without one, or where its threshold could not be set."""
    asked = plan.scenario
    if asked is None:
        return None
    point = _point(placed, asked)
    if point is None or point.value is None:
        return None
    who = arithmetic.passers(grouping, asked.by, asked.passers_by, asked.on_list)
    found = arithmetic.faces(
        counts, grouping, point.value, who, level=plan.level, min_subjects=plan.min_subjects
    )  # fmt: skip
    size = asked.list_size

    def band(rate: float, spread: float) -> Pair:
        return arithmetic.alarm_between(rate, spread, size), arithmetic.alarm(rate, size)

    rows = [
        _row(face, share, listed, asked, band)
        for face, share, listed in zip(found, who.shares, who.on_list, strict=True)
    ]
    compared = max(face.compared for face in found)
    return r.ScenarioPart(
        by=asked.by,
        operating_point=point.id,
        searches_per_day=asked.searches_per_day,
        list_size=size,
        listed=asked.listed,
        band_method="between-people",
        compared=compared,
        extrapolated=size > compared,
        rows=[_everybody(rows), *rows],
    )


def _point(placed: Sequence[Threshold], asked: Scenario) -> Threshold | None:
    """The threshold that the plan names, or the strictest one for everyone that could be set."""
    shared = [point for point in placed if point.policy != "per-group"]
    if asked.operating_point is not None:
        return next((point for point in shared if _named(point.id, asked.operating_point)), None)
    usable = [point for point in shared if point.value is not None and point.target_fmr is not None]
    return min(usable, key=lambda point: point.target_fmr or 0.0, default=None)


def _named(point: str, asked: str) -> bool:
    """Whether that is the point's id; of the threshold that comes with a model, a plan cannot know the number."""
    return point == asked or (asked == "vendor" and point.startswith("vendor-"))


def _row(face: Face, share: float, on_list: float, asked: Scenario, band: Bands) -> r.ScenarioRow:
    """One group: probabilities of an alarm, then alarms a day."""
    shape = {"group": face.group.as_dict(), "share": share, "on_list": on_list}
    if face.rate is None or face.interval is None:
        return _unknown(shape, face.reason)
    size, strangers = asked.list_size, asked.searches_per_day * share * (1 - asked.listed)
    alarm = arithmetic.alarm(face.rate, size)
    low, high = (arithmetic.alarm(x, size) for x in (face.interval.low, face.interval.high))
    inside = band(face.rate, face.spread)
    found = asked.searches_per_day * share * asked.listed
    right = None if face.missed is None else found * (1 - face.missed)
    bounds = face.missed_interval
    rights = None if bounds is None else (found * (1 - bounds.high), found * (1 - bounds.low))
    return r.ScenarioRow(
        **shape,
        errors=face.errors,
        trials=face.trials,
        rate=face.rate,
        interval=assemble.interval(face.interval),
        upper_bound=face.upper_bound,
        spread=face.spread,
        candidates=size * face.rate,
        alarm=alarm,
        alarm_interval=r.IntervalPart(low=low, high=high, level=face.interval.level, method=face.interval.method),
        band=(min(inside), max(inside)),
        false_alarms=strangers * alarm,
        false_interval=(strangers * low, strangers * high),
        false_band=(strangers * min(inside), strangers * max(inside)),
        right_alarms=right,
        right_interval=rights,
        **_wrong(strangers * alarm, (strangers * low, strangers * high), right, rights),
    )


def _wrong(false: float, falses: Pair, right: float | None, rights: Pair | None) -> dict[str, float | Pair | None]:
    """Share of alarms that are wrong, and its bounds where both kinds of alarm lie at theirs."""
    if right is None or rights is None:
        return {"wrong_share": None, "wrong_interval": None}
    low, high = arithmetic.wrong_share(falses[0], rights[1]), arithmetic.wrong_share(falses[1], rights[0])
    both = None if low is None or high is None else (low, high)
    return {"wrong_share": arithmetic.wrong_share(false, right), "wrong_interval": both}


def _unknown(shape: dict[str, object], reason: str | None) -> r.ScenarioRow:
    names = [name for name in r.ScenarioRow.model_fields if name not in {*shape, "reason"}]
    return r.ScenarioRow.model_validate({**shape, **dict.fromkeys(names), "reason": reason})


def _everybody(rows: Sequence[r.ScenarioRow]) -> r.ScenarioRow:
    """All groups together: sums, with bounds added (each group at its own bound at once, which is wide)."""
    shape: dict[str, object] = {"group": DemographicGroup().as_dict(), "share": 1.0, "on_list": 1.0}
    passing = [row for row in rows if row.share > 0]
    missing = [row for row in passing if row.false_alarms is None]
    if missing:
        return _unknown(shape, f"{len(missing)} of the groups that pass could not be measured")
    false = sum(row.false_alarms or 0.0 for row in passing)
    falses = _added([row.false_interval for row in passing])
    known = [row for row in passing if row.right_alarms is not None]
    right = sum(row.right_alarms or 0.0 for row in known) if len(known) == len(passing) else None
    rights = None if right is None else _added([row.right_interval for row in passing])
    rate = sum(row.share * (row.rate or 0.0) for row in passing)
    return r.ScenarioRow.model_validate(
        {
            **dict.fromkeys(r.ScenarioRow.model_fields),
            **shape,
            "errors": sum(row.errors or 0 for row in passing),
            "trials": sum(row.trials or 0 for row in passing),
            "rate": rate,
            "candidates": sum(row.share * (row.candidates or 0.0) for row in passing),
            "alarm": sum(row.share * (row.alarm or 0.0) for row in passing),
            "false_alarms": false,
            "false_interval": falses,
            "false_band": _added([row.false_band for row in passing]),
            "right_alarms": right,
            "right_interval": rights,
            **_wrong(false, falses, right, rights),
        }
    )


def _added(pairs: Sequence[Pair | None]) -> Pair:
    return sum(pair[0] for pair in pairs if pair), sum(pair[1] for pair in pairs if pair)


def with_growth(record: r.EvaluationRecord) -> r.EvaluationRecord:
    """The same record, its scenario's band from how false alarms grew with the list that was tried.

    The part of the list that counts there, at the scenario's threshold, is taken for the part that counts of any list.
    """
    old, tried = record.scenario, record.identification
    if old is None or tried is None:
        return record
    grown = [row for row in tried.growth if row.operating_point == old.operating_point]
    everyone = next(
        (x.value for x in record.rates if x.metric == "FMR" and not x.group and x.view == "conditional"
         and x.operating_point == old.operating_point and x.reference_group is None),
        None,
    )  # fmt: skip
    if not grown or everyone is None or grown[-1].value is None:
        return record
    share = arithmetic.effective_size(everyone, grown[-1].people, grown[-1].value)
    if share is None:
        return record
    rows = [_regrown(row, old, share) for row in old.rows[1:]]
    whole = old.rows[0].model_copy(update={"false_band": _added([row.false_band for row in rows if row.share > 0])})
    update = {
        "band_method": "measured-growth", "effective_share": share, "tried_size": grown[-1].people,
        "rows": [whole if old.rows[0].false_alarms is not None else old.rows[0], *rows],
    }  # fmt: skip
    return record.model_copy(update={"scenario": old.model_copy(update=update)})


def _regrown(row: r.ScenarioRow, old: r.ScenarioPart, share: float) -> r.ScenarioRow:
    if row.rate is None or row.alarm is None:
        return row
    ends = sorted((arithmetic.alarm(row.rate, share * old.list_size), row.alarm))
    strangers = old.searches_per_day * row.share * (1 - old.listed)
    false = (strangers * ends[0], strangers * ends[1])
    return row.model_copy(update={"band": (ends[0], ends[1]), "false_band": false})
