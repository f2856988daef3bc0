"""The record as it is shown: order, rounding and wording happen here and nowhere else.

`make` turns a record into frozen data that every format renders; `terminal_table` is the same for a terminal. Which
page a record gets is decided by its task (`PAGES`).
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from rich.console import RenderableType

from audit.record import EvaluationRecord, making_sense
from audit.report.parts import Block, Figure, Fold, Listing, Opening, ReportView, Section
from audit.report.strings import say, spoken
from audit.report.view import (
    background,
    by_attribute,
    checklist,
    conditions,
    differences,
    findings,
    identification,
    nulls,
    pictures,
    power,
    rates,
    scenario,
    scores,
    series,
    shifts,
    smooth,
    summary,
    vendor,
    words,
    wrong_labels,
)
from audit.report.view.source import Source
from audit.report.view.terminal import comparisons_table

__all__ = ["Opening", "make", "opening", "terminal_table"]

PAGES: dict[str, str] = {
    "detection": "audit.report.view.detection",
    "attributes": "audit.report.view.attributes",
}
"""Tasks without comparisons, and the module that shows their records: `make`, `terminal_table` and `opening`."""


@making_sense("record")
def make(record: EvaluationRecord) -> ReportView:
    """Turn a record into what is shown."""
    page = _page(record)
    made: ReportView = page.make(record) if page else _comparisons(record)
    return made


@making_sense("record")
def terminal_table(record: EvaluationRecord) -> RenderableType:
    """Groups with their rates, and what they show, for a terminal.

    Returns
    -------
    rich renderable; names are plain text, so markup or escapes in them do nothing
    """
    page = _page(record)
    made: RenderableType = page.terminal_table(record) if page else comparisons_table(record)
    return made


def opening(source: Source) -> Opening:
    """What a record is called and what it says first, wherever many are listed."""
    page = _page(source.record)
    if page:
        made: Opening = page.opening(source)
        return made
    point = source.headline
    headline, evidence = summary.headline(source)
    return Opening(
        summary.naming(source),
        summary.overall(source),
        headline,
        evidence,
        ("FMR", "FNMR"),
        say("publish.no_target") if point is None else words.target(point.target_fmr),
        rates.group_table(source),
    )


def _page(record: EvaluationRecord) -> Any:
    """The module of the record's task; None where people were compared. Unlike a plan, a record may say anything."""
    task = record.plan.get("task")
    return import_module(PAGES[task]) if isinstance(task, str) and task in PAGES else None


def _comparisons(record: EvaluationRecord) -> ReportView:
    source = Source.of(record)
    headline, evidence = summary.headline(source)
    found = summary.overall(source)
    benchmark, model, samples = source.record.benchmark, source.record.model, source.record.samples
    return ReportView(
        language=spoken(),
        title=summary.title(source, model.name, benchmark.title or benchmark.name),
        subtitle=say(
            "page.subtitle" if benchmark.version else "page.subtitle_unversioned",
            version=benchmark.version,
            people=words.people(samples.subjects),
            tried=words.tried(samples),
            day=source.record.created[:10],
        ),
        consent=say("page.consent", tier=benchmark.consent_tier, text=words.key_word("tier", benchmark.consent_tier)),
        verdict=found,
        verdict_label=say(f"verdict.{found}"),
        headline=headline,
        evidence=evidence,
        alerts=summary.alerts(source),
        answers=summary.answers(source),
        sections=_sections(source),
        footer=say("page.footer", schema=source.record.schema_, digest=source.record.digests.plan[:12]),
        verdicts=by_attribute.verdict_table(source),
    )


def _sections(source: Source) -> tuple[Section, ...]:
    """Evidence, then method, then appendix; a section without content is left out."""
    parts = {
        "evidence": (
            _findings_section(source),
            _groups_section(source),
            vendor.vendor_section(source),
            _differences_section(source),
            _between_section(source),
            identification.identification_section(source),
            scenario.scenario_section(source),
            smooth.curves_section(source),
            conditions.conditions_section(source),
            series.series_section(source),
            _scores_section(source),
            background.failure_section(source),
            power.power_section(source),
        ),
        "method": (
            background.limits_section(source),
            background.consent_section(source),
            background.model_section(source),
            _thresholds_section(source),
        ),
        "appendix": (
            background.provenance_section(source),
            checklist.checklist_section(source),
            background.glossary_section(),
        ),
    }
    return tuple(
        replace(section, part=say(f"part.{part}"))
        for part, sections in parts.items()
        for section in sections
        if section.blocks or section.id == "glossary"
    )


def _present(*blocks: Block | None) -> tuple[Block, ...]:
    return tuple(block for block in blocks if block is not None)


def _findings_section(source: Source) -> Section:
    return Section(
        "findings",
        say("section.findings"),
        say("section.findings_lead"),
        findings.all_findings(source),
        background.terms("verdicts", "fmr", "fnmr", "margin"),
    )


def _groups_section(source: Source) -> Section:
    point = source.headline
    blocks: list[Block] = []
    if point is not None:
        blocks += [pictures.rate_figure(source, "FMR", point), rates.group_table(source)]
        fnmr = pictures.rate_figure(source, "FNMR", point)
        seen = any(
            rate.errors for rate in source.record.rates if rate.metric == "FNMR" and rate.operating_point == point.id
        )
        blocks.append(fnmr if seen else Fold(say("figure.fnmr_fold"), (fnmr,)))
    for shared in source.shared:
        if shared.threshold is not None:
            title = say("points.fold", target=words.target(shared.target_fmr))
            blocks.append(Fold(title, rates.point_blocks(source, shared)))
    how = "section.groups_lead" if source.record.folds is None else "section.groups_lead_in_folds"
    lead = "" if point is None else say(how, target=words.target(point.target_fmr))
    return Section(
        "groups", say("section.groups"), lead, tuple(blocks), background.terms("interval", "support", "bound")
    )


def _differences_section(source: Source) -> Section:
    blocks: list[Block] = [*_present(*(nulls.spread_figure(source, metric) for metric in ("FMR", "FNMR")))]
    unformed: list[str] = []
    counted = 0
    for metric in ("FMR", "FNMR"):
        for number, attributes in enumerate(source.attribute_sets()):
            unformed += differences.unformed_ratios(source, metric, attributes)
            counted += sum(c.ratio is None for c in source.contrasts(metric, attributes, source.headline))
            table = differences.contrast_table(source, metric, attributes)
            if table is not None:
                name = say(f"metric.{metric}")
                title = say("contrast.fold", metric=name, attributes=words.attributes_name(attributes))
                figure = pictures.contrast_figure(source, metric, attributes, number)
                blocks.append(Fold(title, _present(figure, table)))
    if unformed:
        blocks.append(Fold(say("contrast.unformed_fold", n=counted), (Listing(tuple(unformed)),)))
    spreads = differences.spread_blocks(source)
    if spreads:
        blocks.append(Fold(say("spread.fold"), spreads))
    left_out = differences.excluded_lines(source)
    if left_out:
        blocks.append(Fold(say("spread.excluded_fold"), (Listing(left_out),)))
    blocks += wrong_labels.label_blocks(source)
    terms = background.terms("ratio", "chance", "holm")
    return Section("differences", say("section.differences"), say("section.differences_lead"), tuple(blocks), terms)


def _between_section(source: Source) -> Section:
    figures: list[Figure | None] = []
    if source.headline is not None:
        for number, attributes in enumerate(source.attribute_sets()):
            figures.append(pictures.heat_figure(source, attributes, source.headline, number))
    return Section("between", say("section.between"), say("section.between_lead"), _present(*figures))


def _thresholds_section(source: Source) -> Section:
    table, unset = rates.own_thresholds(source)
    folds = rates.fold_lines(source)
    blocks: list[Block] = [rates.threshold_table(source), *((Listing(folds),) if folds else ())]
    if table is not None:
        blocks.append(Fold(say("thresholds.own_fold"), (table, *((Listing(unset),) if unset else ()))))
    elif unset:
        blocks.append(Listing(unset))
    terms = background.terms("threshold", "views")
    return Section("thresholds", say("section.thresholds"), say("section.thresholds_lead"), tuple(blocks), terms)


def _scores_section(source: Source) -> Section:
    blocks = (*_present(scores.ridge_figure(source)), *scores.curve_blocks(source), *shifts.shift_blocks(source))
    terms = background.terms("score", "det")
    return Section("scores-section", say("section.scores"), say("section.scores_lead"), blocks, terms)
