"""The page of a face detector: whose faces are not found, in pictures as they were taken and made worse in steps."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table as Rows
from rich.text import Text

from audit.domain import Verdict
from audit.record import DetectionPart, EvaluationRecord
from audit.report.parts import Answer, Cell, Opening, ReportView, Table
from audit.report.strings import say, spoken
from audit.report.view import detection_cells, words
from audit.report.view.detection_sections import AS_TAKEN, DEGRADED, group_table, point_of, sections, word_of
from audit.report.view.differences import VERDICT_SIGNS, verdict_cell
from audit.report.view.findings import disparity_text, finding, side_text, verdict
from audit.report.view.rates import of_counts, rate_cell, value_text
from audit.report.view.source import Source, pronounced
from audit.report.view.summary import alerts


def make(record: EvaluationRecord) -> ReportView:
    """Turn the record of a detector into what is shown."""
    source = Source.of(record)
    part = _part(source)
    benchmark, model, samples = source.record.benchmark, source.record.model, source.record.samples
    found = _overall(source)
    headline, evidence = _headline(source)
    return ReportView(
        language=spoken(),
        title=say("detection.title", model=model.name, benchmark=benchmark.title or benchmark.name),
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
        alerts=alerts(source),
        answers=_answers(source, part),
        sections=sections(source, part),
        footer=say("page.footer", schema=source.record.schema_, digest=source.record.digests.plan[:12]),
        verdicts=_verdicts(source),
    )


def opening(source: Source) -> Opening:
    """What stands first, wherever many records are listed."""
    headline, evidence = _headline(source)
    return Opening(
        "detection.title",
        _overall(source),
        headline,
        evidence,
        ("MISS",),
        say("detection.target"),
        group_table(source, _part(source)),
    )


def terminal_table(record: EvaluationRecord) -> RenderableType:
    """Groups with people, misses as taken and made worse, false detections; and the verdicts below."""
    source = Source.of(record)
    title = say("detection.title", model=source.record.model.name, benchmark=source.record.benchmark.title)
    table = Rows(title=Text(title), title_justify="left")
    points = [point for point in (point_of(source, AS_TAKEN), point_of(source, DEGRADED)) if point is not None]
    table.add_column(Text(say("groups.column_group")))
    table.add_column(Text(say("terminal.column_people")), justify="right")
    for point in points:
        table.add_column(Text(say(f"detection.column_miss_{word_of(point)}")), justify="right")
    for point in points:
        table.add_column(Text(say(f"detection.column_false_{word_of(point)}")), justify="right")
    for attributes in [(), *source.attribute_sets()]:
        for group in source.groups(attributes) if attributes else [{}]:
            if group and source.banded(group):
                dashes = [Text("–")] * (2 * len(points))
                table.add_row(Text(words.group_name(group)), Text(say("group.fewer", n=source.min_subjects)), *dashes)
                continue
            cells = [_text(rate_cell(source.rate("MISS", group, point))) for point in points]
            cells += [_text(rate_cell(source.rate("FDET", group, point))) for point in points]
            people = source.record.samples.subjects if not group else source.subjects(group)
            table.add_row(Text(words.group_name(group)), words.number(people), *cells)
        table.add_section()
    lines = [
        Text(f"{VERDICT_SIGNS[found]} {say('verdict.' + found)}  {words.attributes_name(attributes)}")
        for attributes in source.attribute_sets()
        for found in (verdict(source, "MISS", attributes),)
    ]
    headline, evidence = _headline(source)
    heads = [Text(line, style="bold") for line in alerts(source)]
    return Stack(*heads, table, *lines, Text(headline, style="bold"), Text(evidence))


def _text(cell: Cell) -> Text:
    return Text(cell.text).append(f"\n{cell.note}", style="dim") if cell.note else Text(cell.text)


def _part(source: Source) -> DetectionPart:
    part = source.record.detection
    if part is None:  # a record says its task, and may lack what belongs to it
        return DetectionPart.model_validate({
            "confidence": 0, "confidence_meaning": "", "box": "", "iou": 0, "working_size": 0, "images_drawn": None,
            "truth": {"box": 0, "landmarks": 0, "present": 0, "none": 0}, "degradations": [], "cells": [],
            "landmarks": [], "odds": [], "interactions": [], "broken": {},
        })  # fmt: skip
    return part


def _overall(source: Source) -> Verdict:
    found = {verdict(source, "MISS", attributes) for attributes in source.attribute_sets()}
    if "DISPARITY" in found:
        return "DISPARITY"
    return "EQUIVALENT" if found == {"EQUIVALENT"} else "INCONCLUSIVE"


def _headline(source: Source) -> tuple[str, str]:
    """The sentence to take home, and the counts under it."""
    point = source.headline
    if point is None:
        return say("detection.nothing"), ""
    where = say(f"detection.where_{word_of(point)}")
    contrasts = [c for a in source.attribute_sets() for c in source.contrasts("MISS", a, point)]
    leading = max((c for c in contrasts if c.verdict == "DISPARITY"), key=pronounced, default=None)
    if leading is not None:
        return disparity_text(source, leading), f"{side_text(source, leading)} {where}"
    everyone = source.rate("MISS", {}, point)
    counts = "" if everyone is None else say("detection.missed", value=value_text(everyone), counts=of_counts(everyone))
    if not source.attribute_sets():
        return say("headline.ungrouped"), f"{counts} {where}"
    key = "detection.equivalent" if _overall(source) == "EQUIVALENT" else "detection.untold"
    return say(key), f"{counts} {where}"


def _answers(source: Source, part: DetectionPart) -> tuple[Answer, ...]:
    made = []
    taken = point_of(source, AS_TAKEN)
    if taken is not None:
        rate, false = source.rate("MISS", {}, taken), source.rate("FDET", {}, taken)
        if rate is not None and false is not None:
            text = say("detection.answer_taken", counts=of_counts(rate), value=value_text(rate))
            extra = say("detection.answer_false", counts=of_counts(false), value=value_text(false))
            made.append(Answer(say("detection.question_taken"), text, (extra,)))
    breaks = detection_cells.breaking(part)
    if part.degradations:
        made.append(Answer(say("detection.question_breaks"), breaks[0], tuple(breaks[1:])))
    if part.landmarks:
        made.append(Answer(say("detection.question_landmarks"), detection_cells.landmark_sentence(part)))
    made.append(Answer(say("question.many"), _how_many(source), detection_cells.truth_lines(part)))
    unknown = tuple(source.record.limits[:2])
    made.append(Answer(say("question.unknown"), say("detection.answer_unknown"), unknown))
    return tuple(made)


def _how_many(source: Source) -> str:
    samples = source.record.samples
    return say("answer.many", people=words.people(samples.subjects), tried=words.tried(samples))


def _verdicts(source: Source) -> Table | None:
    sets = source.attribute_sets()
    if source.headline is None or not sets:
        return None
    rows = []
    for attributes in sets:
        found = finding(source, "MISS", attributes)
        note = " ".join((found.text, *found.evidence[:1]))
        rows.append(
            (Cell(words.attributes_name(attributes), kind="name"), replace(verdict_cell(found.verdict), note=note))
        )
    columns = (say("spread.column_attributes"), say("detection.column_verdict"))
    return Table("verdicts", say("detection.verdicts"), columns, tuple(rows), say("detection.verdicts_note"))
