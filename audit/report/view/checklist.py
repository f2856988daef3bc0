"""What the published scope of ISO/IEC 19795-10 names, and whether this record reports it.

The scope (ISO/IEC 19795-10:2024, abstract) speaks of failures to enrol and to acquire, shifts in comparison scores,
recognition error rates, response and processing times, group membership, phenotypic measures, reporting, uncertainty,
thresholds and equitability. The text of the standard was not at hand: rows are in our own words, and claim no
conformance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from audit.report.parts import Cell, Section, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.source import Source, key

Status = Literal["reported", "partly", "not_reported"]
Row = tuple[str, Status, str]


def checklist_section(source: Source) -> Section:
    """One row a quantity; status and reason come from the record."""
    rows = tuple(
        (Cell(say(f"checklist.{name}"), kind="name"), Cell(say(f"checklist.{status}")), Cell(why))
        for name, status, why in (*_membership(source), *_errors(source), *_judgement(source))
    )
    columns = tuple(say(f"checklist.column_{name}") for name in ("quantity", "status", "where"))
    table = Table("checklist", say("checklist.caption"), columns, rows)
    return Section("checklist", say("checklist.title"), say("checklist.lead"), (table,))


def _membership(source: Source) -> Iterator[Row]:
    record = source.record
    pictures = record.samples.unit == "image"
    yield "kind", "reported", say("checklist.kind_pictures" if pictures else "checklist.kind_scores")
    sets = source.attribute_sets()
    used = list(dict.fromkeys(name for names in sets for name in names))
    groups = _groups(source)
    if not used:
        yield "groups", "not_reported", say("checklist.groups_none")
        yield "labels", "not_reported", say("checklist.groups_none")
    else:
        about = words.join(map(words.plain, used), most=9)
        section = say("section.groups")
        yield "groups", "reported", say("checklist.groups_where", n=len(groups), attributes=about, section=section)
        yield _labels(source, used)
    measured = [name for name in used if _provenance(source, name) == "measured"]
    if measured:
        text = say("checklist.phenotype_where", attributes=words.join(map(words.plain, measured), most=9))
        yield "phenotype", "reported", text
    else:
        yield "phenotype", "not_reported", say("checklist.phenotype_none")
    crossed = [words.attributes_name(names) for names in sets if len(names) > 1]
    if crossed:
        where = say("checklist.crossed_where", attributes=words.join(crossed), section=say("section.groups"))
        yield "crossed", "reported", where
    else:
        yield "crossed", "not_reported", say("checklist.crossed_none")
    where = say("checklist.sizes_where", section=say("section.groups"), n=source.min_subjects)
    yield ("sizes", "reported", where) if used else ("sizes", "not_reported", say("checklist.groups_none"))


def _labels(source: Source, used: list[str]) -> Row:
    kinds = {name: _provenance(source, name) for name in used}
    said = words.join(
        (f"{words.plain(n)}: {words.key_word('provenance', k)}" for n, k in kinds.items() if k != "undocumented"),
        most=9,
    )
    unknown = [name for name, kind in kinds.items() if kind == "undocumented"]
    if not unknown:
        return "labels", "reported", say("checklist.labels_where", labels=said, section=say("consent.title"))
    text = say(
        "checklist.labels_open",
        attributes=words.join(map(words.plain, unknown), most=9),
        labels=said or say("word.none"),
    )
    return "labels", "partly" if said else "not_reported", text


def _provenance(source: Source, name: str) -> str:
    part = source.record.benchmark.attributes.get(name)
    return part.provenance if part else "undocumented"


def _errors(source: Source) -> Iterator[Row]:
    record = source.record
    yield "enrol", "not_reported", say("checklist.enrol_why")
    whole = next((row for row in record.acquisition if row.stage is None and not row.group), None)
    if whole is None:
        yield "acquire", "not_reported", say("checklist.acquire_none")
    else:
        said = {"failures": words.number(whole.failures), "total": words.number(whole.samples)}
        yield "acquire", "reported", say("checklist.acquire_where", section=say("section.groups"), **said)
    yield _rate(source, "FMR")
    yield _rate(source, "FNMR")
    pairs = [
        rate
        for rate in record.rates
        if rate.reference_group is not None
        and rate.value is not None
        and source.headline is not None
        and rate.operating_point == source.headline.id
    ]
    where = say("checklist.across_where", n=words.number(len(pairs)), section=say("section.between"))
    yield ("across", "reported", where) if pairs else ("across", "not_reported", say("checklist.across_none"))
    counted = any(rate.view == "generalised" and rate.value is not None for rate in record.rates)
    name = "generalised_where" if counted else "generalised_none"
    yield (
        "generalised",
        "reported" if counted else "not_reported",
        say(f"checklist.{name}", section=say("section.groups")),
    )
    shifted = any(shift.shift is not None for shift in record.score_shifts)
    name = "shift_where" if shifted else "shift_none"
    yield "shift", "reported" if shifted else "not_reported", say(f"checklist.{name}", section=say("section.scores"))
    yield "times", "not_reported", say("checklist.times_why")


def _rate(source: Source, metric: str) -> Row:
    groups = _groups(source) or [{}]
    rates = [source.rate(metric, group, source.headline) for group in groups]
    known = sum(rate is not None and rate.value is not None for rate in rates)
    if source.headline is None or not known:
        return metric.lower(), "not_reported", say("checklist.rate_none")
    where = say("checklist.rate_where", n=known, total=len(groups), section=say("section.groups"))
    return metric.lower(), "reported" if known == len(groups) else "partly", where


def _judgement(source: Source) -> Iterator[Row]:
    record = source.record
    usable = sum(point.threshold is not None for point in source.shared)
    unset = len(source.shared) - usable
    if not usable:
        yield "thresholds", "not_reported", say("checklist.thresholds_none")
    elif unset:
        yield "thresholds", "partly", say("checklist.thresholds_unset", n=usable, unset=unset)
    else:
        own = say("checklist.thresholds_own") if source.own else ""
        where = say("checklist.thresholds_where", n=usable, own=own, section=say("section.thresholds"))
        yield "thresholds", "reported", where
    yield _uncertainty(source)
    formed = sum(contrast.ratio is not None for contrast in record.contrasts)
    total = len(record.contrasts)
    if not formed:
        yield "equity", "not_reported", say("checklist.equity_none")
    elif formed < total:
        yield "equity", "partly", say("checklist.equity_part", n=words.number(formed), total=words.number(total))
    else:
        where = say("checklist.equity_where", n=words.number(formed), section=say("section.differences"))
        yield "equity", "reported", where
    yield "repeat", "reported", say("checklist.repeat_where", section=say("provenance.title"))


def _uncertainty(source: Source) -> Row:
    rates = [rate for rate in source.record.rates if rate.value is not None]
    with_interval = [rate for rate in rates if rate.interval is not None]
    if not with_interval:
        return "uncertainty", "not_reported", say("checklist.uncertainty_none")
    without = len(rates) - len(with_interval)
    if without:
        text = say("checklist.uncertainty_part", n=words.number(without), total=words.number(len(rates)))
        return "uncertainty", "partly", text
    first = with_interval[0].interval
    level, method = (first.level, first.method) if first else (0.95, "")
    return "uncertainty", "reported", say("checklist.uncertainty_where", level=words.tick(level), method=method)


def _groups(source: Source) -> list[dict[str, str]]:
    found = {key(count.group): count.group for count in source.record.samples.by_group if count.group}
    return list(found.values())
