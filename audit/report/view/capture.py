"""Capture conditions by group: how each is distributed, and how it was measured."""

from __future__ import annotations

from audit.record import CaptureMeasure, Conditions, Group, MeasureGroup
from audit.report.parts import Block, Cell, Facts, Figure, Fold, Paragraph, RowMark, RowPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.pictures import spoken
from audit.report.view.rates import name_cell
from audit.report.view.scores import even_ticks
from audit.report.view.source import Source, key


def distributions(source: Source, part: Conditions) -> list[Block]:
    """A picture for every measure, folded."""
    made = [figure for measure in part.measures if (figure := _distribution(source, measure)) is not None]
    return [Fold(say("conditions.spread_fold"), tuple(made))] if made else []


def _distribution(source: Source, measure: CaptureMeasure) -> Figure | None:
    """Median with the middle half of every group's samples; the band is that of everyone."""
    known = [row for row in measure.groups if row.quantiles is not None and not source.banded(row.group)]
    if not known:
        return None
    name = words.key_word("capture", measure.measure)
    marks: list[RowMark] = []
    for attributes in dict.fromkeys(tuple(row.group) for row in known):
        if attributes:
            marks.append(RowMark(words.attributes_name(attributes), "", "none", heading=True))
        marks += [_middle(row) for row in known if tuple(row.group) == attributes]
    values = [x for row in known for x in (row.quantiles or ())[1:4]]
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.5
    domain = (low - room, high + room)
    everyone = next((row.quantiles for row in known if not row.group), None)
    title = say("conditions.spread_title", measure=name)
    unit = say("smooth.axis", attribute=name, unit=measure.unit) if measure.unit else name
    failed = sum(measure.failures.values())
    return Figure(
        id=f"capture-{measure.measure.replace('_', '-')}",
        title=title,
        caption=say("conditions.spread_caption")
        + (f" {say('conditions.spread_missing', n=words.number(failed))}" if failed else ""),
        alt=say("figure.rows_alt", what=title, rows=spoken(marks)),
        picture=RowPicture(
            tuple(marks),
            even_ticks(*domain),
            domain,
            unit,
            band=(everyone[1], everyone[3]) if everyone else None,
            linear=True,
        ),
        table=_spread_table(source, measure, title),
    )


def _middle(row: MeasureGroup) -> RowMark:
    quantiles = row.quantiles or (0.0,) * 5
    detail = say(
        "conditions.spread_detail",
        median=_number(quantiles[2]),
        people=words.people(row.people),
    )
    return RowMark(words.group_name(row.group), detail, "solid", x=quantiles[2], low=quantiles[1], high=quantiles[3])


def _spread_table(source: Source, measure: CaptureMeasure, title: str) -> Table:
    rows = []
    for row in measure.groups:
        if source.banded(row.group):
            continue
        told = say("conditions.few") if row.quantiles is None else words.join(map(_number, row.quantiles), most=5)
        rows.append((_name(row.group), Cell(words.number(row.people), kind="number"),
                     Cell(words.number(row.missing), kind="number"), Cell(told)))  # fmt: skip
    columns = tuple(say(f"conditions.spread_column_{c}") for c in ("group", "people", "missing", "quantiles"))
    return Table(f"capture-{measure.measure.replace('_', '-')}-data", title, columns, tuple(rows))


def _name(group: Group) -> Cell:
    return name_cell(group) if key(group) else Cell(say("word.everyone"), kind="name")


def _number(x: float) -> str:
    return f"{x:.3g}".replace("-", "−")


def definitions(part: Conditions) -> Block:
    """What each number is, and what was weighed."""
    facts = tuple(
        (
            words.key_word("capture", one.measure),
            say("conditions.definition", definition=one.definition, source=one.source),
        )
        for one in part.measures
    )
    rows = say("conditions.every" if part.every else "conditions.sampled", rows=words.number(part.rows))
    return Fold(
        say("conditions.definitions_fold"),
        (Facts(facts), Paragraph(say("conditions.how", found=part.found, rows=rows), "note")),
    )
