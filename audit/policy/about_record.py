"""Rules about the record itself: consent, benchmark, age, and whether a later one lies beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from audit.errors import AuditError
from audit.policy.outcome import Finding, Word
from audit.policy.rules import RecordRules
from audit.record import EvaluationRecord, read


def findings(rules: RecordRules, record: EvaluationRecord, path: Path | None, now: dt.datetime) -> Iterator[Finding]:
    """Judge what the record says of itself; no confidence is involved."""
    tier, name = record.benchmark.consent_tier, record.benchmark.name
    if rules.consent_tiers:
        allowed = ", ".join(rules.consent_tiers)
        yield _made("consent tier", tier in rules.consent_tiers, f"tier {tier}; the policy accepts {allowed}")
    if rules.benchmarks:
        allowed = ", ".join(rules.benchmarks)
        yield _made("benchmark", name in rules.benchmarks, f"measured on {name}; the policy accepts {allowed}")
    if rules.maximum_age_days is not None:
        yield _age(rules.maximum_age_days, record, now)
    if rules.refuse_superseded:
        yield _superseded(record, path)


def _made(quantity: str, kept: bool, reason: str) -> Finding:
    verdict: Word = "PASSED" if kept else "VIOLATED"
    return Finding(rule=quantity, group="record", quantity=quantity, verdict=verdict, reason=reason)


def _age(limit: float, record: EvaluationRecord, now: dt.datetime) -> Finding:
    made = _moment(record.created)
    shape = {"rule": "age of the record", "group": "record", "quantity": "age in days", "limit": limit}
    if made is None or made > now + dt.timedelta(days=1):
        return Finding(**shape, verdict="INCONCLUSIVE", reason=f"the record's date is of no use: {record.created!r}")
    age = max(0.0, (now - made).total_seconds() / 86_400)
    return Finding(
        **shape, value=round(age, 2), verdict="PASSED" if age <= limit else "VIOLATED",
        reason=f"{age:.1f} days old; the policy accepts {limit:g}",
    )  # fmt: skip


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _superseded(record: EvaluationRecord, path: Path | None) -> Finding:
    """Look among the results of the same benchmark: `<benchmark>/<model>@<revision>/<plan digest>/record.json`."""
    shape = {"rule": "no later record", "group": "record", "quantity": "later records of the same model"}
    if path is None or len(path.resolve().parents) < 3:
        return Finding(**shape, verdict="INCONCLUSIVE", reason="it is not known where the record lies")
    mine = _moment(record.created)
    later = 0
    for other in path.resolve().parents[2].glob("*@*/*/record.json"):
        if other == path.resolve():
            continue
        try:
            found = read(other)
        except AuditError:
            continue
        when = _moment(found.created)
        same = (found.model.name, found.benchmark.name) == (record.model.name, record.benchmark.name)
        later += same and found.plan == record.plan and mine is not None and when is not None and when > mine
    reason = f"{later} later record(s) of this model under the same plan lie beside it" if later else "none beside it"
    return Finding(**shape, value=later, verdict="VIOLATED" if later else "PASSED", reason=reason)
