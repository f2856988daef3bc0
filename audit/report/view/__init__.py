"""The record as it is shown: order, rounding and wording happen here and nowhere else.

`make` turns a record into frozen data that every format renders; `terminal_table` is the same for a terminal.
"""

from __future__ import annotations

from audit.record import EvaluationRecord
from audit.report.parts import Block, Figure, Fold, Listing, Paragraph, ReportView, Section
from audit.report.strings import LANGUAGE, say
from audit.report.view import background, differences, findings, pictures, rates, scores, summary, words
from audit.report.view.source import Source
from audit.report.view.terminal import terminal_table

__all__ = ["make", "terminal_table"]


def make(record: EvaluationRecord) -> ReportView:
    """Turn a record into what is shown."""
    source = Source.of(record)
    sections = (
        _findings_section(source),
        _groups_section(source),
        _differences_section(source),
        _between_section(source),
        background.failure_section(source),
        background.limits_section(source),
        background.consent_section(source),
        background.model_section(source),
        _thresholds_section(source),
        _scores_section(source),
        background.provenance_section(source),
        background.glossary_section(),
    )
    headline, evidence = summary.headline(source)
    found = summary.overall(source)
    benchmark, model, samples = source.record.benchmark, source.record.model, source.record.samples
    return ReportView(
        language=LANGUAGE,
        title=say("page.title", model=model.name, benchmark=benchmark.title or benchmark.name),
        subtitle=say(
            "page.subtitle",
            version=benchmark.version,
            people=words.people(samples.subjects),
            images=words.images(samples.total),
            day=source.record.created[:10],
            tier=benchmark.consent_tier,
        ),
        verdict=found,
        verdict_label=say(f"verdict.{found}"),
        headline=headline,
        evidence=evidence,
        alerts=summary.alerts(source),
        answers=summary.answers(source),
        sections=tuple(section for section in sections if section.blocks or section.terms),
        footer=say("page.footer", schema=source.record.schema_, digest=source.record.digests.plan[:12]),
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
    blocks: list[Block] = []
    if source.headline is not None:
        blocks += [pictures.rate_figure(source, metric, source.headline) for metric in ("FMR", "FNMR")]
    blocks.append(rates.group_table(source))
    for point in source.shared:
        if point.threshold is not None:
            title = say("points.fold", target=words.target(point.target_fmr))
            blocks.append(Fold(title, (Paragraph(say("points.lead")), rates.point_table(source, point))))
    lead = say("section.groups_lead", target=words.target(source.headline.target_fmr if source.headline else None))
    return Section(
        "groups", say("section.groups"), lead, tuple(blocks), background.terms("interval", "support", "bound")
    )


def _differences_section(source: Source) -> Section:
    blocks: list[Block] = []
    for metric in ("FMR", "FNMR"):
        for number, attributes in enumerate(source.attribute_sets()):
            table = differences.contrast_table(source, metric, attributes)
            if table is None:
                continue
            title = say("contrast.fold", metric=say(f"metric.{metric}"), attributes=words.attributes_name(attributes))
            figure = pictures.contrast_figure(source, metric, attributes, number)
            blocks.append(Fold(title, _present(figure, table)))
    figures = [pictures.spread_figure(source, metric) for metric in ("FMR", "FNMR")]
    blocks += _present(*figures)
    tables: tuple[Block, ...] = tuple(differences.spread_tables(source))
    if tables:
        blocks.append(Fold(say("spread.fold"), tables))
    left_out = differences.excluded_lines(source)
    if left_out:
        blocks.append(Fold(say("spread.excluded_fold", n=len(left_out)), (Listing(left_out),)))
    return Section(
        "differences",
        say("section.differences"),
        say("section.differences_lead"),
        tuple(blocks),
        background.terms("ratio", "chance", "holm"),
    )


def _between_section(source: Source) -> Section:
    figures: list[Figure | None] = []
    if source.headline is not None:
        for number, attributes in enumerate(source.attribute_sets()):
            figures.append(pictures.heat_figure(source, attributes, source.headline, number))
    return Section("between", say("section.between"), say("section.between_lead"), _present(*figures))


def _thresholds_section(source: Source) -> Section:
    blocks = _present(rates.threshold_table(source), rates.own_threshold_table(source))
    return Section(
        "thresholds",
        say("section.thresholds"),
        say("section.thresholds_lead"),
        blocks,
        background.terms("threshold", "views"),
    )


def _scores_section(source: Source) -> Section:
    blocks = _present(scores.ridge_figure(source), scores.curve_figure(source))
    return Section(
        "scores-section", say("section.scores"), say("section.scores_lead"), blocks, background.terms("score", "det")
    )
