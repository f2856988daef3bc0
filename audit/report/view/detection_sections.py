"""The sections of a detector's page."""

from __future__ import annotations

from dataclasses import replace

from audit.record import DetectionPart, Group, OperatingPoint
from audit.report.parts import Block, Cell, Facts, Findings, Fold, Listing, Section, Table
from audit.report.strings import say
from audit.report.view import background, detection_cells, words
from audit.report.view.differences import contrast_table
from audit.report.view.findings import finding
from audit.report.view.rates import failure_rate, name_cell, people_cell, rate_cell, support_cell, withheld
from audit.report.view.source import Source

AS_TAKEN, DEGRADED = "as-taken", "degraded"


def point_of(source: Source, name: str) -> OperatingPoint | None:
    """The operating point of a name."""
    return next((point for point in source.shared if point.id == name), None)


def word_of(point: OperatingPoint) -> str:
    """The word of a setting in names of sentences."""
    return "taken" if point.id == AS_TAKEN else "degraded"


def sections(source: Source, part: DetectionPart) -> tuple[Section, ...]:
    """Evidence, then method, then appendix; a section without content is left out."""
    parts = {
        "evidence": (
            _findings(source),
            _breaks(source, part),
            _groups(source, part),
            _differences(source, part),
            background.failure_section(source),
        ),
        "method": (
            background.limits_section(source),
            _how(part),
            background.consent_section(source),
            background.model_section(source),
        ),
        "appendix": (background.provenance_section(source), background.glossary_section()),
    }
    return tuple(
        replace(section, part=say(f"part.{name}"))
        for name, sections in parts.items()
        for section in sections
        if section.blocks or section.id == "glossary"
    )


def _findings(source: Source) -> Section:
    items = tuple(finding(source, "MISS", attributes) for attributes in source.attribute_sets())
    blocks: tuple[Block, ...] = ()
    if items and source.headline is not None:
        blocks = (Findings(say("metric.MISS_title"), say("metric.MISS_plain"), items),)
    lead = say("detection.findings_lead")
    return Section("findings", say("section.findings"), lead, blocks, background.terms("verdicts", "margin"))


def _breaks(source: Source, part: DetectionPart) -> Section:
    blocks: list[Block] = []
    if part.degradations:
        everyone = detection_cells.figure(source, part, ())
        blocks += [] if everyone is None else [everyone]
        for attributes in source.attribute_sets():
            shown = detection_cells.figure(source, part, attributes)
            blocks.append(shown if shown is not None else detection_cells.fold(source, part, attributes))
    return Section("breaks", say("detection.breaks"), say("detection.breaks_lead"), tuple(blocks))


def _groups(source: Source, part: DetectionPart) -> Section:
    terms = background.terms("interval", "support", "bound")
    table = group_table(source, part)
    return Section("groups", say("section.groups"), say("detection.groups_lead"), (table,), terms)


def group_table(source: Source, part: DetectionPart) -> Table:
    """Every group with its people, misses, false detections and landmark error."""
    points = [point for point in (point_of(source, AS_TAKEN), point_of(source, DEGRADED)) if point is not None]
    columns = [say("groups.column_group"), say("groups.column_people")]
    columns += [say(f"detection.column_miss_{word_of(point)}") for point in points]
    columns += [say(f"detection.column_false_{word_of(point)}") for point in points]
    columns += [say("detection.column_landmarks")] if part.landmarks else []
    columns += [say("groups.column_fta_image"), say("groups.column_support")]
    rows: list[tuple[Cell, ...]] = [_row(source, part, {}, points)]
    for attributes in source.attribute_sets():
        rows.append((Cell(words.attributes_name(attributes), kind="name"),))
        rows += [_row(source, part, group, points) for group in source.groups(attributes)]
    return Table("groups", say("detection.groups"), tuple(columns), tuple(rows), say("detection.groups_note"))


def _row(source: Source, part: DetectionPart, group: Group, points: list[OperatingPoint]) -> tuple[Cell, ...]:
    width = 2 * len(points) + bool(part.landmarks) + 2
    if group and source.banded(group):
        return (name_cell(group), people_cell(source, group), *withheld(source, width))
    people = source.record.samples.subjects if not group else source.subjects(group)
    last = source.rate("MISS", group, points[-1]) if points else None
    return (
        name_cell(group),
        Cell(words.number(people), kind="number"),
        *(rate_cell(source.rate("MISS", group, point)) for point in points),
        *(rate_cell(source.rate("FDET", group, point)) for point in points),
        *((detection_cells.landmark_cell(part, group),) if part.landmarks else ()),
        rate_cell(failure_rate(source, group)),
        support_cell(last.support if last is not None else "count-only"),
    )


def _differences(source: Source, part: DetectionPart) -> Section:
    blocks: list[Block] = []
    for attributes in source.attribute_sets():
        name = words.attributes_name(attributes)
        inside = [contrast_table(source, "MISS", attributes), detection_cells.odds_table(source, part, attributes)]
        inside.append(detection_cells.interaction_table(source, part, attributes))
        tables = tuple(table for table in inside if table is not None)
        if tables:
            blocks.append(Fold(say("detection.differences_fold", attributes=name), tables))
    lines = detection_cells.unformed(source, part)
    if lines:
        blocks.append(Fold(say("detection.unformed_fold", n=len(lines)), (Listing(lines),)))
    terms = background.terms("ratio", "holm")
    return Section("differences", say("section.differences"), say("detection.differences_lead"), tuple(blocks), terms)


def _how(part: DetectionPart) -> Section:
    drawn = say("detection.all") if part.images_drawn is None else words.images(part.images_drawn)
    facts = (
        (say("detection.confidence"), f"{part.confidence:g}: {part.confidence_meaning}"),
        (say("detection.rule"), say("detection.rule_text", iou=f"{part.iou:g}", box=part.box)),
        (say("detection.truth"), " ".join(detection_cells.truth_lines(part))),
        (say("detection.size"), say("detection.size_text", pixels=part.working_size)),
        (say("detection.drawn"), drawn),
    )
    blocks: list[Block] = [Facts(facts)]
    if part.degradations:
        rows = tuple(
            (
                Cell(words.key_word("degradation", one.name), kind="name"),
                Cell(one.words, one.parameter),
                Cell("; ".join(f"{s}: {v:.3g}" for s, v in zip(one.severities, one.values, strict=True))),
            )
            for one in part.degradations
        )
        columns = tuple(say(f"detection.how_{name}") for name in ("name", "what", "severities"))
        blocks.append(Table("degradations", say("detection.how_caption"), columns, rows))
    return Section("how", say("detection.how"), say("detection.how_lead"), tuple(blocks))
