"""A policy and a record in, findings out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.errors import PlanError
from audit.policy import about_record
from audit.policy.bounds import RECORDED, Bounds, of_rate, of_ratio
from audit.policy.evidence import Evidence, key, words
from audit.policy.outcome import Finding, Outcome, Word, overall
from audit.policy.rules import BOTH_WAYS, BY_PERSON, Policy, Rule
from audit.record import EvaluationRecord, Group, IntervalPart, Rate, making_sense
from audit.recorded import NotRecomputable, log_rate
from audit.stats.multiplicity import holm

ADDED = "standard errors added: the covariance is not recorded"


@dataclass(frozen=True, slots=True)
class _Judged:
    """What there is to hold against the limit for one group; `bounds` None: nothing, and `reason` says why."""

    group: str
    bounds: Bounds | None
    people: int | None = None
    trials: int | None = None
    reason: str = ""
    missing: bool = False


@making_sense("record")
def judge(
    policy: Policy,
    record: EvaluationRecord,
    against: EvaluationRecord | None = None,
    *,
    path: Path | None = None,
    now: dt.datetime | None = None,
) -> Outcome:
    """Judge a record.

    Parameters
    ----------
    against : the earlier record that rules with `maximum_increase` compare with
    path : where the record lies, for `refuse_superseded`
    now : for `maximum_age_days`; None is the present

    Raises
    ------
    PlanError
        If a rule asks for what the record cannot have: an unknown attribute or operating point, more confidence than
        a recorded interval has, an earlier record that is not given or of another benchmark.
    """
    if policy.compares and against is None:
        rule = next(rule for rule in policy.rules if rule.maximum_increase is not None)
        raise PlanError(
            f"rule {rule.name!r}", "maximum_increase needs an earlier record", "Give it with --against RECORD"
        )
    if policy.compares and against is not None and against.benchmark.name != record.benchmark.name:
        raise PlanError(
            "--against", f"measured on {against.benchmark.name!r}, RECORD on {record.benchmark.name!r}",
            "An increase is judged on one benchmark",
        )  # fmt: skip
    found = list(about_record.findings(policy.record, record, path, now or dt.datetime.now(dt.UTC)))
    evidence = Evidence(record)
    earlier = None if against is None else Evidence(against, "--against")
    for rule in policy.rules:
        found += _rule(rule, evidence, earlier)
    return Outcome(
        policy=policy.name, model=f"{record.model.name}@{record.model.revision}", benchmark=record.benchmark.name,
        plan=record.digests.plan, verdict=overall(found), findings=found,
    )  # fmt: skip


def _rule(rule: Rule, evidence: Evidence, earlier: Evidence | None) -> list[Finding]:
    if rule.measure is not None:
        judged = [_measure(rule, evidence, attributes) for attributes in evidence.families(rule)]
    else:
        judged = [_group(rule, evidence, earlier, group) for group in evidence.groups(rule)]
    tested = [k for k, one in enumerate(judged) if one.bounds is not None and not one.reason]
    p = [b.p for k in tested if (b := judged[k].bounds) is not None]
    adjusted = dict(zip(tested, holm(p).tolist(), strict=True)) if p else {}
    return [_finding(rule, one, adjusted.get(k), len(tested)) for k, one in enumerate(judged)]


def _finding(rule: Rule, one: _Judged, adjusted: float | None, family: int) -> Finding:
    bounds = one.bounds
    verdict, reason = _verdict(rule, one, adjusted, family)
    return Finding(
        rule=rule.name,
        group=one.group,
        quantity=quantity(rule),
        verdict=verdict,
        value=None if bounds is None else bounds.value,
        low=None if bounds is None else bounds.low,
        high=None if bounds is None else bounds.high,
        limit=rule.limit,
        confidence=rule.confidence,
        p=None if bounds is None else bounds.p,
        p_adjusted=adjusted,
        people=one.people,
        trials=one.trials,
        method="" if bounds is None else bounds.method,
        reason=reason,
    )


def _verdict(rule: Rule, one: _Judged, adjusted: float | None, family: int) -> tuple[Word, str]:
    if one.bounds is None or adjusted is None:
        missing: dict[str, Word] = {"inconclusive": "INCONCLUSIVE", "violated": "VIOLATED", "ignored": "IGNORED"}
        return (missing[rule.on_missing] if one.missing else "INCONCLUSIVE"), one.reason
    if one.bounds.high <= rule.limit:
        return "PASSED", ""
    slack = 1e-9 * rule.tail
    if one.bounds.low > rule.limit and adjusted <= rule.tail + slack:
        return "VIOLATED", ""
    if one.bounds.low > rule.limit:
        return "INCONCLUSIVE", f"above the limit by itself, but not after adjusting for {family} groups (Holm)"
    return "INCONCLUSIVE", "the interval holds the limit"


def quantity(rule: Rule) -> str:
    """What a rule judges, in words."""
    metric: str = rule.metric or "FMR+FNMR"
    if rule.metric in BOTH_WAYS and rule.way == "generalised":
        metric = f"{metric} with what was not processed"
    at = f" at {rule.operating_point or f'{rule.threshold} FMR {rule.target_fmr:g}'}" if metric != "FTA" else ""
    if rule.measure is not None:
        return f"{rule.measure} of {metric}{at}"
    if rule.maximum_ratio is not None:
        to = {"best": "the best group", "everyone": "everyone"}.get(str(rule.to)) or words(dict(rule.to))  # type: ignore[arg-type]
        return f"{metric}{at}, ratio to {to}"
    return f"{metric}{at}" + (", ratio to the earlier record" if rule.maximum_increase is not None else "")


def _group(rule: Rule, evidence: Evidence, earlier: Evidence | None, group: Group) -> _Judged:
    rate = _rate(rule, evidence, group)
    if isinstance(rate, str):
        return _Judged(words(group), None, reason=rate, missing=True)
    few = _too_few(rule, rate)
    if few:
        return _Judged(words(group), None, rate.subjects, rate.trials, few)
    try:
        bounds = _bounds(rule, evidence, earlier, group, rate)
    except NotRecomputable as error:
        return _Judged(words(group), None, rate.subjects, rate.trials, str(error))
    if isinstance(bounds, str):
        return _Judged(words(group), None, rate.subjects, rate.trials, bounds, missing=True)
    return _Judged(words(group), bounds, rate.subjects, rate.trials)


def _rate(rule: Rule, evidence: Evidence, group: Group) -> Rate | str:
    """The rate, or why there is none."""
    point = evidence.points(rule, group)
    rate = evidence.rate(rule, point, group)
    if rate is None:
        at = next((x for x in evidence.record.operating_points if x.id == point), None)
        return (at and at.reason) or f"{evidence.place} has no such rate"
    return rate if rate.value is not None else rate.reason or "no value"


def _too_few(rule: Rule, rate: Rate) -> str:
    least = rule.minimum_support
    if rate.subjects < least.people:
        return f"rests on {rate.subjects:,} people; the policy asks for {least.people:,}"
    if rate.trials < least.trials:
        return f"rests on {rate.trials:,} trials; the policy asks for {least.trials:,}"
    return ""


def _bounds(rule: Rule, evidence: Evidence, earlier: Evidence | None, group: Group, rate: Rate) -> Bounds | str:
    if rule.maximum_rate is not None:
        return _absolute(rule, rate)
    if rule.maximum_increase is not None:
        then = "no earlier record" if earlier is None else _rate(rule, earlier, group)
        if isinstance(then, str):
            return f"earlier record: {then}"
        few = _too_few(rule, then)
        if few:
            raise NotRecomputable(f"earlier record: {few}")
        return _ratio(rate, then, None, rule.limit, rule.tail)
    if rule.to == "best":
        return _to_best(rule, evidence, group, rate)
    other: Group = {} if rule.to == "everyone" else dict(rule.to)
    against = _rate(rule, evidence, other)
    if isinstance(against, str):
        return f"{words(other)}: {against}"
    if key(other) == key(group):
        raise NotRecomputable("a group is not compared with itself")
    few = _too_few(rule, against)
    if few:
        raise NotRecomputable(f"{words(other)}: {few}")
    return _ratio(rate, against, evidence.log_covariance(rate, against), rule.limit, rule.tail)


def _absolute(rule: Rule, rate: Rate) -> Bounds:
    """Bounds of a rate; of one whose interval cannot be recomputed, those recorded, if they are sure enough."""
    try:
        return of_rate(rate, rule.limit, rule.tail)
    except NotRecomputable as error:
        if rate.interval is None or rate.value is None:
            raise
        return _recorded(rule, rate.value, rate.interval, str(error))


def _recorded(rule: Rule, value: float, interval: IntervalPart, why: str) -> Bounds:
    tail = (1 - interval.level) / 2
    if rule.tail < tail - 1e-12:
        sure = 1 - tail if rule.sides == "one" else interval.level
        raise PlanError(
            f"rule {rule.name!r}: confidence", f"found {rule.confidence:g}, and {why}",
            f"It is known at {sure:g} ({rule.sides}-sided) at most",
        )  # fmt: skip
    p = tail if interval.low > rule.limit else 1.0
    return Bounds(value, interval.low, interval.high, p, f"{RECORDED}, {interval.level:.0%} two-sided")


def _ratio(a: Rate, b: Rate, covariance: float | None, limit: float, tail: float) -> Bounds:
    if a.value == 0 and b.value == 0:
        raise NotRecomputable("no error in either: a ratio cannot be told")
    method = "log ratio, Student's t"
    return of_ratio(
        log_rate(a), log_rate(b), covariance, limit, tail, method if covariance is not None else f"{method}, {ADDED}"
    )


def _to_best(rule: Rule, evidence: Evidence, group: Group, rate: Rate) -> Bounds:
    """Bounds of the largest ratio to another group of the family: some, for a violation; all, for a pass."""
    others = [
        other for one in evidence.family(tuple(group)) if key(one) != key(group)
        and not isinstance(other := _rate(rule, evidence, one), str) and not _too_few(rule, other)
    ]  # fmt: skip
    if not group or not others:
        raise NotRecomputable("no other group of the family has a number and enough support")
    if rate.value == 0 and all(other.value == 0 for other in others):
        raise NotRecomputable("no error in any group: a ratio cannot be told")

    def over(tail: float) -> list[Bounds]:
        return [
            _ratio(rate, o, evidence.log_covariance(rate, o), rule.limit, tail) for o in others if rate.value or o.value
        ]

    each, strict = over(rule.tail), over(rule.tail / len(others))
    return Bounds(
        max(b.value for b in each),
        max(b.low for b in strict),
        max(b.high for b in each),
        min(1.0, len(others) * min(b.p for b in each)),
        f"largest of the ratios to {len(others)} others; {each[0].method}",
    )


def _measure(rule: Rule, evidence: Evidence, attributes: Sequence[str]) -> _Judged:
    name = " & ".join(attributes)
    found = evidence.measures(rule, tuple(attributes))
    if found is None:
        return _Judged(name, None, reason=f"{evidence.place} has no such measure", missing=True)
    counts = list(evidence.counts(found.included))
    people = min((row.subjects for row in counts), default=None)
    trials = min((_trials(found.metric)(row) for row in counts), default=None)
    if found.value is None or found.interval is None:
        return _Judged(name, None, people, trials, found.reason or "the record has no interval of it", missing=True)
    least = rule.minimum_support
    if (people or 0) < least.people or (trials or 0) < least.trials:
        why = f"its smallest group has {people or 0:,} people and {trials or 0:,} trials; the policy asks for "
        return _Judged(name, None, people, trials, f"{why}{least.people:,} and {least.trials:,}")
    why = "intervals of measures are taken as recorded"
    return _Judged(name, _recorded(rule, found.value, found.interval, why), people, trials)


def _trials(metric: str) -> Callable[..., int]:
    """Trials of a group; of a composite, the fewer of its two kinds of comparisons."""
    own = dict.fromkeys(("FTA", *BY_PERSON), ("samples",))
    kinds = {"FMR": ("nonmated",), "FNMR": ("mated",), **own}.get(metric, ("nonmated", "mated"))
    return lambda row: min(getattr(row, kind) for kind in kinds)
