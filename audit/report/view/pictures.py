"""Pictures of rates and ratios: one row a group, on a logarithmic axis; no error seen is a bound, never a point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from audit.record import Contrast, Group, OperatingPoint, Rate
from audit.report.parts import Cell, Figure, HeatCell, HeatPicture, Line, RowMark, RowPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.differences import VERDICT_SIGNS
from audit.report.view.rates import MARKERS, SIGNS, name_cell, of_counts, rate_cell, support_cell, value_text
from audit.report.view.source import Source

MOST_HEAT = 16
"""A larger square of groups is unreadable: those with the highest rate in any pair are drawn, the rest is counted."""
RATIO_STEPS = (
    (2.5, (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 2.0, 5.0, 7.0, 8.0, 9.0)),
    (5.0, (1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)),
    (300.0, (1.0, 2.0, 5.0)),
    (math.inf, (1.0,)),
)
LEVELS = (1e-4, 1e-3, 1e-2, 1e-1)


def rate_figure(source: Source, metric: str, point: OperatingPoint) -> Figure:
    """Draw a rate by group with intervals, counts, people and support."""
    marks: list[RowMark] = []
    rows: list[tuple[Cell, ...]] = []
    for attributes in [(), *source.attribute_sets()]:
        if attributes:
            marks.append(RowMark(words.attributes_name(attributes), "", "none", heading=True))
        for group in source.groups(attributes) if attributes else [{}]:
            rate = source.rate(metric, group, point)
            if source.banded(group):
                detail = say("group.fewer_people", n=source.min_subjects)
                marks.append(RowMark(words.group_name(group), detail, "none"))
            else:
                marks.append(rate_mark(source, rate, words.group_name(group)))
                rows.append((name_cell(group), rate_cell(rate), support_cell(rate.support) if rate else Cell("–")))
    name = metric.lower()
    columns = (say("groups.column_group"), say(f"metric.{metric}"), say("groups.column_support"))
    target = words.target(point.target_fmr)
    table = Table(f"{name}-data", say(f"figure.{name}_title", target=target), columns, tuple(rows))
    lines: tuple[Line, ...] = ()
    if metric == "FMR" and point.target_fmr is not None:
        lines = (Line(point.target_fmr, say("figure.target_line")),)
    domain = rate_domain(marks, [line.x for line in lines], ceiling=1.0)
    return Figure(
        id=name,
        title=say(f"figure.{name}_title", target=target),
        caption=say(f"figure.{name}_caption"),
        alt=say("figure.rows_alt", what=say(f"figure.{name}_title", target=target), rows=spoken(marks)),
        picture=RowPicture(tuple(marks), rate_ticks(domain), domain, say(f"figure.{name}_axis"), lines),
        table=table,
    )


def rate_mark(source: Source, rate: Rate | None, label: str) -> RowMark:
    """One rate as a row: how it is marked says what may be quoted."""
    if rate is None or rate.value is None:
        return RowMark(label, say("figure.not_measured"), "none")
    people = source.subjects(rate.group) if rate.group else source.record.samples.subjects
    detail = say("figure.detail", counts=of_counts(rate), people=words.people(people), sign=SIGNS[rate.support])
    low, high = (rate.interval.low, rate.interval.high) if rate.interval else (None, None)
    if rate.zero_errors:
        bound = rate.upper_bound if rate.upper_bound is not None else high
        return RowMark(label, detail, "bound", x=bound, low=None, high=bound)
    return RowMark(label, detail, MARKERS[rate.support], x=rate.value, low=low, high=high)


def rate_domain(marks: Iterable[RowMark], others: Iterable[float], *, ceiling: float) -> tuple[float, float]:
    """Whole decades around all values; an interval that reaches further down is cut at the edge."""
    points = [m.x for m in marks if m.x] + [x for x in others if x]
    tops = [m.high for m in marks if m.high] + points
    if not points:
        return (1e-3 * ceiling, ceiling)
    low = 10.0 ** math.floor(math.log10(min(points)) - 1e-9)
    high = min(ceiling, 10.0 ** math.ceil(math.log10(max(tops)) - 1e-9))
    return (max(low, 1e-8), max(high, low * 10))


def rate_ticks(domain: tuple[float, float]) -> tuple[Line, ...]:
    """A tick a decade, and two between where there are at most two decades."""
    first, last = round(math.log10(domain[0])), round(math.log10(domain[1]))
    steps = (1.0, 2.0, 5.0) if last - first <= 2 else (1.0,)
    values = [m * 10.0**k for k in range(first, last + 1) for m in steps]
    return tuple(Line(x, words.tick(x)) for x in values if x <= domain[1] * (1 + 1e-9))


def spoken(marks: Iterable[RowMark]) -> str:
    """The rows of a picture in words."""
    return "; ".join(f"{m.label}: {m.detail}" for m in marks if not m.heading)


def contrast_figure(source: Source, metric: str, attributes: tuple[str, ...], number: int) -> Figure | None:
    """Draw the ratios of one attribute set before the margin that was declared."""
    contrasts = [
        c for c in source.contrasts(metric, attributes, source.headline) if c.ratio is not None and c.ratio > 0
    ]
    if not contrasts or len(contrasts) > 40:
        return None
    margin = contrasts[0].margin
    marks = tuple(_ratio_mark(c) for c in contrasts)
    values = [x for m in marks for x in (m.x, m.low, m.high) if x and math.isfinite(x)]
    domain = (min(1 / margin, *values) / 1.15, max(margin, *values) * 1.15)
    domain = (max(domain[0], 1e-3), min(domain[1], 1e4))
    title = say("figure.contrast_title", metric=say(f"metric.{metric}"), attributes=words.attributes_name(attributes))
    table = Table(
        f"ratio-data-{metric.lower()}-{number}",
        title,
        (say("contrast.column_group"), say("contrast.column_ratio"), say("contrast.column_verdict")),
        tuple(
            (Cell(m.label, kind="name"), Cell(_ratio_text(c), kind="number"), Cell(say(f"verdict.{c.verdict}")))
            for m, c in zip(marks, contrasts, strict=True)
        ),
    )
    return Figure(
        id=f"ratio-{metric.lower()}-{number}",
        title=title,
        caption=say("figure.contrast_caption", margin=words.exact(margin), inverse=words.exact(round(1 / margin, 3))),
        alt=say("figure.rows_alt", what=title, rows=spoken(marks)),
        picture=RowPicture(
            marks,
            ratio_ticks(domain),
            domain,
            say("figure.contrast_axis"),
            (Line(1.0, say("figure.equal")),),
            (1 / margin, margin),
        ),
        table=table,
    )


def _ratio_text(c: Contrast) -> str:
    text = words.times(c.ratio or 0.0)
    text = say("contrast.at_least", ratio=text) if c.at_least else text
    return say("rate.value", value=text, bounds=words.ratio_bounds(c.interval))


def _ratio_mark(c: Contrast) -> RowMark:
    against = words.side_name(c.against)
    low, high = (c.interval.low, c.interval.high) if c.interval else (None, None)
    marker = "hollow" if c.verdict == "INCONCLUSIVE" else "solid"
    label = say("figure.versus", group=words.group_name(c.group), against=against)
    detail = say("figure.ratio_detail", ratio=_short(c), sign=VERDICT_SIGNS[c.verdict])
    return RowMark(label, detail, marker, x=c.ratio, low=low, high=high)  # type: ignore[arg-type]


def _short(c: Contrast) -> str:
    text = words.times(c.ratio or 0.0)
    return say("contrast.at_least", ratio=text) if c.at_least else say("figure.factor", ratio=text)


def ratio_ticks(domain: tuple[float, float]) -> tuple[Line, ...]:
    """Ticks of a logarithmic axis of ratios, the closer the less of it is shown."""
    reach = domain[1] / domain[0]
    steps = next(steps for most, steps in RATIO_STEPS if reach <= most)
    values = [m * 10.0**k for k in range(-4, 5) for m in steps]
    return tuple(Line(x, say("figure.factor", ratio=f"{x:,.10g}")) for x in values if domain[0] <= x <= domain[1])


def heat_figure(source: Source, attributes: tuple[str, ...], point: OperatingPoint, number: int) -> Figure | None:
    """Draw false match rates within and between groups as a square with counts."""
    known = [g for g in source.groups(attributes) if not source.banded(g)]
    if len(known) < 2:
        return None
    groups = known if len(known) <= MOST_HEAT else _most_mistaken(source, known, point)
    cells, rows = [], []
    for i, first in enumerate(groups):
        row = [name_cell(first)]
        for j, second in enumerate(groups):
            rate = _pair(source, first, second, point)
            cells.append(HeatCell(i, j, "–" if rate is None or not rate.trials else of_short(rate), _level(rate)))
            row.append(
                Cell("–", kind="number")
                if rate is None or rate.value is None
                else Cell(of_counts(rate), value_text(rate), kind="number")
            )
        rows.append(tuple(row))
    if all(cell.level is None for cell in cells if cell.row != cell.column):
        return None
    labels = tuple(words.group_name(g) for g in groups)
    title = say(
        "figure.heat_title", attributes=words.attributes_name(attributes), target=words.target(point.target_fmr)
    )
    bands = [say("figure.level_low", high=words.tick(LEVELS[0]))]
    bands += [say("figure.level", low=words.tick(a), high=words.tick(b)) for a, b in itertools.pairwise(LEVELS)]
    legend = (say("figure.level_zero"), *bands, say("figure.level_high", low=words.tick(LEVELS[-1])))
    spoken = "; ".join(
        say("figure.heat_cell", first=labels[c.row], second=labels[c.column], text=c.text)
        for c in cells
        if c.column >= c.row
    )
    return Figure(
        id=f"heat-{number}",
        title=title,
        caption=say("figure.heat_caption")
        if groups is known
        else say("figure.heat_some", n=len(groups), total=len(known), caption=say("figure.heat_caption")),
        alt=say("figure.rows_alt", what=title, rows=spoken),
        picture=HeatPicture(labels, tuple(cells), legend, say("figure.not_measured")),
        table=Table(f"heat-data-{number}", title, (say("groups.column_group"), *labels), tuple(rows)),
    )


def _pair(source: Source, first: Group, second: Group, point: OperatingPoint) -> Rate | None:
    """The false match rate within a group, or between two."""
    if first == second:
        return source.rate("FMR", first, point)
    return source.rate("FMR", first, point, against=second) or source.rate("FMR", second, point, against=first)


def _most_mistaken(source: Source, groups: list[Group], point: OperatingPoint) -> list[Group]:
    """Groups with the highest rate in any pair, in the order of the report."""
    highest = [0.0] * len(groups)
    for (i, first), (j, second) in itertools.combinations_with_replacement(enumerate(groups), 2):
        rate = _pair(source, first, second, point)
        if rate is not None and rate.value is not None:
            highest[i], highest[j] = max(highest[i], rate.value), max(highest[j], rate.value)
    chosen = sorted(range(len(groups)), key=lambda k: -highest[k])[:MOST_HEAT]
    return [groups[k] for k in sorted(chosen)]


def of_short(rate: Rate) -> str:
    """Print `9/40`."""
    return f"{words.number(rate.errors)} / {words.number(rate.trials)}"


def _level(rate: Rate | None) -> int | None:
    if rate is None or rate.value is None:
        return None
    if rate.errors == 0:
        return 0
    return 1 + sum(rate.value >= edge for edge in LEVELS)
