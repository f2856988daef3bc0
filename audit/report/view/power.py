"""What these data could have shown: the smallest ratio to the other groups that would have been found."""

from __future__ import annotations

import math

from audit.record import Contrast
from audit.report.parts import Block, Cell, Figure, Line, Paragraph, RowMark, RowPicture, Section, Table
from audit.report.strings import say
from audit.report.view import background, words
from audit.report.view.findings import METRICS
from audit.report.view.pictures import ratio_ticks, spoken
from audit.report.view.rates import MARKERS, SIGNS
from audit.report.view.source import Source

WIDEST = 1000.0
"""Larger ratios are drawn at the edge."""


def power_section(source: Source) -> Section:
    """A picture a kind of error: every group against all others of its attribute."""
    blocks: list[Block] = []
    for metric in METRICS if source.headline is not None else ():
        blocks += _metric_blocks(source, metric)
    return Section(
        "power", say("section.power"), say("section.power_lead"), tuple(blocks), background.terms("ratio", "margin")
    )


def _metric_blocks(source: Source, metric: str) -> list[Block]:
    sets = [
        (attributes, [c for c in source.contrasts(metric, attributes, source.headline) if c.against == "rest"])
        for attributes in source.attribute_sets()
    ]
    asked = [c for _, found in sets for c in found]
    if not asked:
        return []
    known = [c.minimum_detectable_ratio for c in asked if c.minimum_detectable_ratio is not None]
    name, margin = say(f"metric.{metric}"), asked[0].margin
    if not known:
        return [Paragraph(say("detectable.none", metric=name), "note")]
    enough = sum(ratio <= margin for ratio in known)
    sentence = say(
        "detectable.enough", metric=name, n=words.number(enough), total=words.number(len(asked)),
        margin=words.exact(margin),
    )  # fmt: skip
    return [Paragraph(sentence), _figure(source, metric, [(a, found) for a, found in sets if found], margin)]


def _figure(source: Source, metric: str, sets: list[tuple[tuple[str, ...], list[Contrast]]], margin: float) -> Figure:
    marks: list[RowMark] = []
    rows: list[tuple[Cell, ...]] = []
    for attributes, found in sets:
        order = {words.group_name(g): n for n, g in enumerate(source.groups(attributes))}
        marks.append(RowMark(words.attributes_name(attributes), "", "none", heading=True))
        rows.append((Cell(words.attributes_name(attributes)),))
        for c in sorted(found, key=lambda c: order.get(words.group_name(c.group), len(order))):
            marks.append(_mark(source, c))
            rows.append(_row(source, c))
    most = max(mark.x for mark in marks if mark.x is not None)
    domain = (1.0, max(2.5, margin, most) * 1.15)
    title = say("detectable.title", metric=say(f"metric.{metric}"))
    columns = tuple(say(f"detectable.column_{name}") for name in ("group", "people", "ratio"))
    return Figure(
        id=f"power-{metric.lower()}",
        title=title,
        caption=say("detectable.caption", margin=words.exact(margin)),
        alt=say("figure.rows_alt", what=title, rows=spoken(marks)),
        picture=RowPicture(
            tuple(marks),
            ratio_ticks(domain),
            domain,
            say("detectable.axis"),
            (Line(margin, say("detectable.margin")),),
        ),
        table=Table(f"power-data-{metric.lower()}", title, columns, tuple(rows)),
    )


def _mark(source: Source, c: Contrast) -> RowMark:
    label, ratio = words.group_name(c.group), c.minimum_detectable_ratio
    if ratio is None or not math.isfinite(ratio):
        return RowMark(label, say("detectable.unknown"), "none")
    rate = source.rate(c.metric, c.group, source.headline)
    support = rate.support if rate else "count-only"
    detail = say("detectable.detail", sign=SIGNS[support], ratio=words.times(ratio),
                 people=words.people(source.subjects(c.group)))  # fmt: skip
    return RowMark(label, detail, MARKERS[support], x=min(ratio, WIDEST))


def _row(source: Source, c: Contrast) -> tuple[Cell, ...]:
    ratio = c.minimum_detectable_ratio
    people = Cell(words.number(source.subjects(c.group)), kind="number")
    if ratio is None:
        return (Cell(words.group_name(c.group), kind="name"), people, Cell("–", c.reason or "", kind="number"))
    return (Cell(words.group_name(c.group), kind="name"), people, Cell(words.times(ratio), kind="number"))
