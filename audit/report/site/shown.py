"""An evaluation as the site shows it: words and rounding of the report, one line a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from audit.domain import Verdict
from audit.report.parts import Table
from audit.report.site.gather import Evaluation
from audit.report.site.names import shown, slug
from audit.report.site.status import State, Status
from audit.report.strings import say
from audit.report.view import findings, opening, summary, words
from audit.report.view.clean import clean

ORDER: tuple[Verdict, ...] = ("DISPARITY", "EQUIVALENT", "INCONCLUSIVE")


@dataclass(frozen=True, slots=True)
class Line:
    """What was found with one verdict: of which errors by which attributes, and what that says."""

    verdict: Verdict
    label: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One evaluation, worded. Addresses are relative to the site's root."""

    place: str
    name: str
    title: str
    model: str
    model_page: str
    revision: str
    benchmark: str
    benchmark_page: str
    version: str
    tier: str
    tier_text: str
    alerts: tuple[str, ...]
    notes: tuple[str, ...]
    day: str
    moment: str
    people: int
    people_text: str
    verdict: Verdict
    verdict_label: str
    headline: str
    evidence: str
    lines: tuple[Line, ...]
    target: str
    target_value: float
    seal: str
    state: State
    state_text: str
    state_reason: str
    by: str | None
    page: str
    report: str
    record: str
    digest: str
    search: str


def model_page(name: str) -> str:
    """Address of a model's page."""
    return f"models/{slug(name)}.html"


def benchmark_page(name: str) -> str:
    """Address of a benchmark's page."""
    return f"benchmarks/{slug(name)}.html"


def folder(e: Evaluation) -> str:
    """Address of an evaluation's folder."""
    return f"evaluations/{e.name}"


def show(e: Evaluation, status: Status) -> Shown:
    """Word an evaluation."""
    record, source = e.record, e.source
    point = source.headline
    first = opening(source)
    verdict = first.verdict
    benchmark = shown(source.record.benchmark.title or source.record.benchmark.name)
    model, tier = shown(record.model.name), shown(record.benchmark.consent_tier)
    target = first.target
    revision = shown(record.model.revision)
    return Shown(
        place=shown(e.place),
        name=e.name,
        title=say(first.naming, model=model, benchmark=benchmark),
        model=model,
        model_page=model_page(record.model.name),
        revision=revision,
        benchmark=benchmark,
        benchmark_page=benchmark_page(record.benchmark.name),
        version=shown(record.benchmark.version),
        tier=tier,
        tier_text=words.key_word("tier", tier),
        alerts=summary.alerts(source),
        notes=_notes(e),
        day=e.created.strftime("%Y-%m-%d"),
        moment=e.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        people=record.samples.subjects,
        people_text=words.number(record.samples.subjects),
        verdict=verdict,
        verdict_label=say(f"verdict.{verdict}"),
        headline=first.headline,
        evidence=first.evidence,
        lines=_lines(e),
        target=target,
        target_value=(point.target_fmr or point.achieved_fmr or 0.0) if point is not None else 0.0,
        seal=words.key_word("publish_seal", e.seal),
        state=status.state,
        state_text=say(f"publish_state.{status.state}"),
        state_reason=_reason(e, status),
        by=None if status.by is None else f"{folder(status.by)}/index.html",
        page=f"{folder(e)}/index.html",
        report=f"{folder(e)}/report.html",
        record=f"{folder(e)}/record.json",
        digest=e.digest,
        search=f"{model} {revision} {benchmark} {target}".lower(),
    )


def _notes(e: Evaluation) -> tuple[str, ...]:
    """The report's alerts in few words, for a row."""
    tier = e.record.benchmark.consent_tier
    made = [say("publish.note_undocumented")] if tier == "undocumented" else []
    made += [say("publish.note_synthetic")] if tier in summary.SYNTHETIC else []
    made += [say("publish.note_series")] if summary.changes_a_thing(e.record) else []
    return tuple([*made, say("publish.note_trial")] if e.record.plan.get("limit") is not None else made)


def _lines(e: Evaluation) -> tuple[Line, ...]:
    """Disparities and equivalences one by one, what cannot be told together."""
    source, first = e.source, opening(e.source)
    if first.verdicts is not None:
        return _verdicts(first.verdicts)
    made: list[Line] = []
    dark: list[str] = []
    for metric in first.metrics if source.headline is not None else ():
        for attributes in source.attribute_sets():
            one = findings.finding(source, metric, attributes)
            about = say("publish.about", metric=say(f"metric.{metric}"), attributes=one.title)
            if one.verdict == "INCONCLUSIVE":
                dark.append(about)
            elif made and (made[-1].verdict, made[-1].text) == (one.verdict, one.text):
                made[-1] = replace(made[-1], about=words.join([made[-1].about, about]))
            else:
                made.append(Line(one.verdict, one.label, about, one.text))
    made.sort(key=lambda line: ORDER.index(line.verdict))
    if dark:
        made.append(Line("INCONCLUSIVE", say("verdict.INCONCLUSIVE"), words.join(dark, most=6), ""))
    if not made:
        key = "publish.nothing_measured" if source.headline is None else "publish.nothing_compared"
        made.append(Line("INCONCLUSIVE", say("verdict.INCONCLUSIVE"), say(key), ""))
    return tuple(made)


def _verdicts(table: Table) -> tuple[Line, ...]:
    """What a table of verdicts says, those of one kind together."""
    found: dict[Verdict, list[str]] = {}
    for row in table.rows:
        for name, cell in zip(table.columns[1:], row[1:], strict=False):
            verdict = next((word for word in ORDER if word.lower() == cell.mark), None)
            if verdict is not None:
                found.setdefault(verdict, []).append(say("publish.about", metric=name, attributes=row[0].text))
    lines = [Line(v, say(f"verdict.{v}"), words.join(found[v], most=6), "") for v in ORDER if v in found]
    return tuple(lines) or (Line("INCONCLUSIVE", say("verdict.INCONCLUSIVE"), say("publish.nothing_compared"), ""),)


def _reason(e: Evaluation, status: Status) -> str:
    """Say why an evaluation no longer stands."""
    if status.state == "current":
        return ""
    if status.state == "stale":
        return say("publish.stale")
    if e.marked is None and status.by is not None:
        return say("publish.superseded_later", day=status.by.created.strftime("%Y-%m-%d"))
    on, reason = (shown(e.marked.on, empty=""), _sentence(e.marked.reason)) if e.marked else ("", "")
    if not on or not reason:
        return say("publish.superseded_unsaid")
    return say("publish.superseded_marked", day=on, reason=reason)


def _sentence(text: str) -> str:
    """A sentence from outside: cleaned, at most 300 characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= 300 else f"{line[:299]}…"


def latest(evaluations: Sequence[Evaluation], states: dict[str, Status]) -> Evaluation:
    """The evaluation that speaks for its model or benchmark: current, of most people, of most groups, the newest."""

    def rank(e: Evaluation) -> tuple[bool, int, int, datetime, str]:
        samples = e.record.samples
        return states[e.place].state == "current", samples.subjects, len(samples.by_group), e.created, e.place

    return max(evaluations, key=rank)
