"""Pictures of one face against a list: rates by group, first candidates, and found over false alarms."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from audit.record import CmcCurve, Group, Identification, ListThresholdPart, ListTradeoff, Rate
from audit.report.parts import BandPanel, BandPicture, Cell, Figure, Line, RowMark, RowPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.pictures import rate_domain, rate_mark, rate_ticks, spoken
from audit.report.view.rates import name_cell, rate_cell, support_cell
from audit.report.view.scores import even_ticks
from audit.report.view.source import Source, key

MOST_PANELS = 9


def list_rate(source: Source, metric: str, group: Group, point: str, rank: int | None = None) -> Rate | None:
    """A conditional rate against the list."""
    return next(
        (
            rate
            for rate in source.record.rates
            if rate.metric == metric
            and rate.view == "conditional"
            and rate.operating_point == point
            and (metric == "FPIR" or rate.rank == rank)
            and key(rate.group) == key(group)
        ),
        None,
    )


def first_word(rank: int) -> str:
    """How far down the candidates somebody looks."""
    return say("list.first_one") if rank == 1 else say("list.first_some", n=rank)


def figures(source: Source, part: Identification, point: ListThresholdPart | None) -> Iterator[Figure]:
    """False alarms, misses, first candidates, and found over false alarms."""
    if point is not None:
        yield _rate_figure(source, "FPIR", point, None)
        yield _rate_figure(source, "FNIR", point, part.ranks[0])
    yield from _cmc_figure(source, part)
    yield from _tradeoff_figure(source, part)


def _rate_figure(source: Source, metric: str, point: ListThresholdPart, rank: int | None) -> Figure:
    """One kind of error by group with intervals, counts and support."""
    marks: list[RowMark] = []
    rows: list[tuple[Cell, ...]] = []
    for attributes in [(), *source.attribute_sets()]:
        if attributes:
            marks.append(RowMark(words.attributes_name(attributes), "", "none", heading=True))
        for group in source.groups(attributes) if attributes else [{}]:
            if source.banded(group):
                few = say("group.fewer_people", n=source.min_subjects)
                marks.append(RowMark(words.group_name(group), few, "none"))
                continue
            rate = list_rate(source, metric, group, point.id, rank)
            marks.append(_mark(source, rate, words.group_name(group)))
            rows.append((name_cell(group), rate_cell(rate), support_cell(rate.support) if rate else Cell("–")))
    name = metric.lower()
    target = words.tick(point.target_fpir)
    title = say(f"list.{name}_title", target=target)
    lines = (Line(point.target_fpir, say("list.target_line")),) if metric == "FPIR" else ()
    domain = rate_domain(marks, [line.x for line in lines], ceiling=1.0)
    columns = (say("groups.column_group"), say(f"metric.{metric}"), say("groups.column_support"))
    return Figure(
        id=name,
        title=title,
        caption=say(f"list.{name}_caption"),
        alt=say("figure.rows_alt", what=title, rows=spoken(marks)),
        picture=RowPicture(tuple(marks), rate_ticks(domain), domain, say(f"list.{name}_axis"), lines),
        table=Table(f"{name}-data", title, columns, tuple(rows)),
    )


def _mark(source: Source, rate: Rate | None, label: str) -> RowMark:
    """As `rate_mark`, with the people that were tested and not all of the group."""
    mark = rate_mark(source, rate, label)
    if rate is None or rate.value is None:
        return mark
    everybody = source.subjects(rate.group) if rate.group else source.record.samples.subjects
    detail = mark.detail.replace(words.people(everybody), words.people(rate.subjects), 1)
    return RowMark(mark.label, detail, mark.marker, x=mark.x, low=mark.low, high=mark.high)


def _drawn(source: Source) -> list[Group]:
    """Everyone and the groups of single attributes, as many as can be looked at together."""
    groups = [g for a in source.attribute_sets() if len(a) == 1 for g in source.groups(a) if not source.banded(g)]
    return [{}, *groups][:MOST_PANELS]


def _cmc_figure(source: Source, part: Identification) -> Iterator[Figure]:
    """Share found among the first candidates, by group."""
    curves = {key(curve.group): curve for curve in part.cmc if curve.found}
    shown = [(group, curves[key(group)]) for group in _drawn(source) if key(group) in curves]
    if not shown or len(shown[0][1].found) < 2:
        return
    depth = len(shown[0][1].found)
    bottom = math.floor(min(min(curve.low) for _, curve in shown) * 10) / 10
    panels = tuple(
        BandPanel(
            words.group_name(group),
            say("list.cmc_detail", found=words.percent(curve.found[0])),
            tuple(float(k) for k in range(1, len(curve.found) + 1)),
            tuple(curve.found),
            tuple(curve.low),
            tuple(curve.high),
            tuple(Line(t.x, words.tick(round(t.x, 9))) for t in even_ticks(bottom, 1.0)),
            (bottom, 1.0),
        )
        for group, curve in shown
    )
    title = say("list.cmc_title")
    ranks = [k for k in (1, 5, 10, 15, 20) if k <= depth]
    rows = tuple((name_cell(group), *_cmc_cells(curve, ranks)) for group, curve in shown)
    told = "; ".join(f"{row[0].text}: {row[1].text}" for row in rows)
    yield Figure(
        id="cmc",
        title=title,
        caption=say("list.cmc_caption"),
        alt=say("figure.rows_alt", what=title, rows=told),
        picture=BandPicture(
            panels, tuple(Line(float(k), str(k)) for k in ranks), (1.0, float(depth)), say("list.cmc_axis")
        ),
        table=Table(
            "cmc-data",
            title,
            (say("groups.column_group"), *(say("list.column_among", n=k) for k in ranks)),
            rows,
        ),
    )


def _cmc_cells(curve: CmcCurve, ranks: Sequence[int]) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            words.percent(curve.found[k - 1]),
            say("number.bounds", low=words.percent(curve.low[k - 1]), high=words.percent(curve.high[k - 1])),
            kind="number",
        )
        for k in ranks
    )


def _tradeoff_figure(source: Source, part: Identification) -> Iterator[Figure]:
    """Share found first over the share of false alarms, by group, at common thresholds; false alarms logarithmic."""
    curves = {key(curve.group): curve for curve in part.tradeoff}
    shown = [
        (group, points)
        for group in _drawn(source)
        if key(group) in curves and len(points := _places(curves[key(group)])) > 1
    ]
    if not shown:
        return
    left = math.floor(min(points[0][0] for _, points in shown) - 1e-9)
    panels = tuple(
        BandPanel(
            words.group_name(group),
            "",
            tuple(x for x, _ in points),
            tuple(y for _, y in points),
            tuple(y for _, y in points),
            tuple(y for _, y in points),
            tuple(Line(t.x, words.tick(round(t.x, 9))) for t in even_ticks(0.0, 1.0)),
            (0.0, 1.0),
        )
        for group, points in shown
    )
    title = say("list.dir_title")
    rows = tuple(
        (name_cell(group), Cell(words.percent(10**x), kind="number"), Cell(words.percent(y), kind="number"))
        for group, points in shown
        for x, y in points[:: max(1, len(points) // 8)]
    )
    told = "; ".join(
        say(
            "list.dir_spoken",
            group=words.group_name(g),
            found=words.percent(p[-1][1]),
            alarms=words.percent(10 ** p[-1][0]),
        )
        for g, p in shown
    )
    yield Figure(
        id="dir",
        title=title,
        caption=say("list.dir_caption"),
        alt=say("figure.rows_alt", what=title, rows=told),
        picture=BandPicture(
            panels,
            tuple(Line(float(k), words.tick(10.0**k)) for k in range(left, 1)),
            (float(left), 0.0),
            say("list.dir_axis"),
        ),
        table=Table(
            "dir-data", title, (say("groups.column_group"), say("metric.FPIR"), say("list.column_found")), rows
        ),
    )


def _places(curve: ListTradeoff) -> list[tuple[float, float]]:
    """Points with false alarms, from the fewest; of equal shares of false alarms the one that finds most."""
    pairs = sorted((fpir, found) for fpir, found in zip(curve.fpir, curve.dir, strict=True) if fpir > 0)
    return [(math.log10(x), max(y for _, y in same)) for x, same in itertools.groupby(pairs, key=lambda p: p[0])]
