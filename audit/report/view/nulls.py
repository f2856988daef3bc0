"""The headline ratio before what chance alone gives: the draws that it would have if all groups had equal rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from audit.record import Differential
from audit.report.parts import Cell, Figure, HistogramPicture, HistogramRow, RowMark, RowPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.findings import HEADLINE_MEASURE
from audit.report.view.pictures import ratio_ticks, spoken
from audit.report.view.source import Source

_Found = Sequence[tuple[tuple[str, ...], Differential]]
ROOM = 1.15


def spread_figure(source: Source, metric: str) -> Figure | None:
    """Draw the headline disparity measure before its null distribution, or before its 95 % point in older records."""
    found = [
        (attributes, d)
        for attributes in source.attribute_sets()
        for d in source.spreads(metric, attributes, source.headline)
        if d.measure == HEADLINE_MEASURE and d.value is not None and d.value > 0
    ]
    if not found:
        return None
    title = say("figure.spread_title", metric=say(f"metric.{metric}"))
    drawn = any(d.null_histogram is not None for _, d in found)
    picture = _histograms(found) if drawn else _bars(found)
    return Figure(
        id=f"spread-{metric.lower()}",
        title=title,
        caption=say("figure.spread_draws" if drawn else "figure.spread_caption"),
        alt=say("figure.rows_alt", what=title, rows=_spoken(picture)),
        picture=picture,
        table=_table(found, title, metric),
    )


def _spoken(picture: HistogramPicture | RowPicture) -> str:
    if isinstance(picture, RowPicture):
        return spoken(picture.rows)
    return "; ".join(f"{row.label}: {row.spoken}" for row in picture.rows)


def _domain(found: _Found) -> tuple[float, float]:
    tops = [x for _, d in found for x in (d.value, d.null_high, d.interval.high if d.interval else None) if x]
    return (0.95, max(*tops, 1.2) * ROOM)


def _detail(d: Differential) -> str:
    return say("figure.spread_detail", value=words.times(d.value or 0), p=words.p_value(d.null_p))


def _bars(found: _Found) -> RowPicture:
    """Rows before a bar that ends where 95 in 100 draws of equal rates end."""
    marks = []
    for attributes, d in found:
        low, high = (d.interval.low, d.interval.high) if d.interval else (None, None)
        band = (1.0, d.null_high) if d.null_high is not None else None
        marks.append(RowMark(words.attributes_name(attributes), _detail(d), "solid", d.value, low, high, band=band))
    domain = _domain(found)
    return RowPicture(tuple(marks), ratio_ticks(domain), domain, say("figure.spread_axis"))


def _histograms(found: _Found) -> HistogramPicture:
    """Rows of histograms; draws beyond the edge of the picture are not drawn."""
    domain = _domain(found)
    return HistogramPicture(
        tuple(_row(attributes, d, domain) for attributes, d in found),
        ratio_ticks(domain),
        domain,
        say("figure.spread_axis"),
        say("figure.spread_null"),
        say("figure.spread_measured"),
        say("figure.spread_high"),
    )


def _row(attributes: tuple[str, ...], d: Differential, domain: tuple[float, float]) -> HistogramRow:
    edges, counts = (d.null_histogram.edges, d.null_histogram.counts) if d.null_histogram else ([], [])
    low, high = (d.interval.low, d.interval.high) if d.interval else (d.value or 1.0, d.value or 1.0)
    shown = [(left, right, n) for left, right, n in zip(edges, edges[1:], counts, strict=False) if left < domain[1]]
    # A bin is drawn by its density along the logarithmic axis: equal areas are equally many draws.
    dense = [n / math.log(right / left) if right > left else 0.0 for left, right, n in shown]
    top = max(dense, default=0.0) or 1.0
    told = [_detail(d)]
    if d.null_median is not None and d.null_high is not None:
        told.append(say("figure.spread_spoken", median=words.times(d.null_median), high=words.times(d.null_high)))
    return HistogramRow(
        label=words.attributes_name(attributes),
        detail=_detail(d),
        spoken="; ".join(told),
        bins=tuple((left, min(right, domain[1]), h / top) for (left, right, _), h in zip(shown, dense, strict=True)),
        x=d.value or 0.0,
        low=low,
        high=high,
        line=d.null_high,
    )


def _table(found: _Found, title: str, metric: str) -> Table:
    names = ("attributes", "value", "chance", "beyond", "p")
    columns = tuple(say(f"spread.column_{name}") for name in names)
    rows = tuple(
        (
            Cell(words.attributes_name(attributes), kind="name"),
            Cell(words.times(d.value or 0.0), words.ratio_bounds(d.interval), kind="number"),
            Cell(_chance(d), kind="number"),
            Cell(_beyond(d), kind="number"),
            Cell(words.p_value(d.null_p), kind="number"),
        )
        for attributes, d in found
    )
    return Table(f"spread-data-{metric.lower()}", title, columns, rows, say("spread.draws_note"))


def _chance(d: Differential) -> str:
    if d.null_median is None or d.null_high is None:
        return "–"
    return say("spread.chance", median=words.times(d.null_median), high=words.times(d.null_high))


def _beyond(d: Differential) -> str:
    """How many draws reached the measured value: what the p-value counts."""
    if d.null_histogram is None or d.null_p is None:
        return "–"
    draws = sum(d.null_histogram.counts)
    return say("rate.counts", errors=words.number(round(d.null_p * (draws + 1)) - 1), trials=words.number(draws))
