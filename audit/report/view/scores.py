"""Pictures of the scores themselves: distributions with thresholds, and error trade-offs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from audit.record import DetCurve, Distribution, Group
from audit.report.parts import (
    Block,
    Cell,
    CurvePanel,
    CurvePicture,
    Figure,
    Line,
    Paragraph,
    Ridge,
    RidgePicture,
    Table,
)
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.rates import every_group
from audit.report.view.source import Key, Source, key

BINS = 64
MOST_PANELS = 24
MOST_POINTS = 80
MANY_PANELS, FEWER_POINTS = 12, 40


def ridge_figure(source: Source) -> Figure | None:
    """Draw mated and non-mated scores of every group, thresholds marked."""
    found = {(key(d.group), d.mated): d for d in source.record.distributions if d.reference_group is None and d.edges}
    known = [g for g in _drawn_groups(source) if (key(g), False) in found or (key(g), True) in found]
    coarse = _coarse(known, found)
    groups = [g for g in known if g not in coarse][:MOST_PANELS]
    edges = [e for g in groups for m in (True, False) if (key(g), m) in found for e in _occupied(found[key(g), m])]
    if not edges:
        return None
    lines = tuple(
        Line(p.threshold, say("figure.threshold_line", target=words.target(p.target_fmr)))
        for p in source.shared
        if p.threshold is not None
    )
    inside = edges + [line.x for line in lines]
    low, high = min(inside), max(inside)
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    width = (high - low) / BINS
    ridges, rows = [], []
    for group in groups:
        mated, nonmated = found.get((key(group), True)), found.get((key(group), False))
        counts = (_total(mated), _total(nonmated))
        detail = say("figure.ridge_detail", mated=words.number(counts[0]), nonmated=words.number(counts[1]))
        ridges.append(
            Ridge(words.group_name(group), detail, _heights(mated, low, width), _heights(nonmated, low, width))
        )
        rows.append((Cell(words.group_name(group), kind="name"), *_range(mated), *_range(nonmated)))
    columns = tuple(say(f"figure.ridge_column_{n}") for n in ("group", "mated_n", "mated", "nonmated_n", "nonmated"))
    title = say("figure.ridge_title")
    return Figure(
        id="scores",
        title=title,
        caption=_ridge_caption(coarse),
        alt=say("figure.rows_alt", what=title, rows=_spoken(rows)),
        picture=RidgePicture(
            tuple(low + (k + 0.5) * width for k in range(BINS)),
            tuple(ridges),
            lines,
            even_ticks(low, high),
            say("figure.ridge_axis"),
            say("figure.ridge_mated"),
            say("figure.ridge_nonmated"),
        ),
        table=Table("scores-data", title, columns, tuple(rows), say("figure.ridge_note")),
    )


def _coarse(groups: Sequence[Group], found: Mapping[tuple[Key, bool], Distribution]) -> list[Group]:
    """Groups whose scores are counted between thresholds only: a histogram of these would be flat blocks."""
    most = max((len(d.counts) for d in found.values()), default=0)
    bins = {(key(g), m): len(found[key(g), m].counts) for g in groups for m in (True, False) if (key(g), m) in found}
    return [g for g in groups if all(4 * bins.get((key(g), m), 0) < most for m in (True, False))]


def _ridge_caption(coarse: Sequence[Group]) -> str:
    names = words.join([words.group_name(g) for g in coarse], most=99)
    return " ".join((say("figure.ridge_caption"), *((say("figure.ridge_coarse", groups=names),) if coarse else ())))


def _drawn_groups(source: Source) -> list[Group]:
    return [group for group in every_group(source) if not source.banded(group)]


def _occupied(d: Distribution) -> list[float]:
    used = [i for i, n in enumerate(d.counts) if n]
    return [d.edges[used[0]], d.edges[used[-1] + 1]] if used else []


def _total(d: Distribution | None) -> int:
    return sum(d.counts) if d else 0


def _heights(d: Distribution | None, low: float, width: float) -> tuple[float, ...]:
    """Share of comparisons in each drawn bin, the tallest scaled to 1."""
    heights = [0.0] * BINS
    if d is not None:
        for left, right, n in zip(d.edges, d.edges[1:], d.counts, strict=False):
            if n:
                _spill(heights, (left - low) / width, (right - low) / width, n)
    top = max(heights, default=0.0)
    return tuple(round(h / top, 4) for h in heights) if top else tuple(heights)


def _spill(heights: list[float], left: float, right: float, n: int) -> None:
    """Share a bin's count among the drawn bins that it overlaps; `left` and `right` are in drawn bins."""
    first, last = max(0, math.floor(left)), min(BINS - 1, math.ceil(right) - 1)
    for k in range(first, last + 1):
        heights[k] += n * (min(right, k + 1) - max(left, k)) / (right - left)


def _range(d: Distribution | None) -> tuple[Cell, Cell]:
    used = _occupied(d) if d is not None else []
    if not used:
        return Cell("0", kind="number"), Cell("–", kind="number")
    spread = say("number.bounds", low=f"{used[0]:.3g}", high=f"{used[1]:.3g}")
    return Cell(words.number(_total(d)), kind="number"), Cell(spread, kind="number")


def even_ticks(low: float, high: float) -> tuple[Line, ...]:
    """Label a linear axis at round numbers, at most seven."""
    step = 10.0 ** math.floor(math.log10((high - low) / 3))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= 6)
    first = math.ceil(low / step)
    return tuple(Line(k * step, f"{k * step:.6g}") for k in range(first, math.floor(high / step) + 1))


def _spoken(rows: Sequence[tuple[Cell, ...]]) -> str:
    return "; ".join(say("figure.ridge_spoken", group=r[0].text, mated=r[2].text, nonmated=r[4].text) for r in rows)


def curve_blocks(source: Source) -> tuple[Block, ...]:
    """Draw the error trade-offs that exist, and name the groups that have none."""
    curves = {key(curve.group): curve for curve in source.record.det if curve.fmr}
    known = [g for g in _drawn_groups(source) if key(g) in curves]
    drawn = [g for g in known if g and _inside(curves[key(g)])][:MOST_PANELS]
    if not known:
        return ()
    if not drawn:
        return (Paragraph(say("figure.det_none")),)
    left_out = [words.group_name(g) for g in known if not _inside(curves[key(g)])]
    line = say("figure.det_left_out", groups=words.join(left_out, most=99))
    return (_curve_figure(source, curves, drawn), *((Paragraph(line, "note"),) if left_out else ()))


def _inside(curve: DetCurve) -> bool:
    return any(x > 0 and y > 0 for x, y in zip(curve.fmr, curve.fnmr, strict=True))


def _curve_figure(source: Source, curves: dict[Key, DetCurve], groups: list[Group]) -> Figure:
    panels, rows = [], []
    most = MOST_POINTS if len(groups) <= MANY_PANELS else FEWER_POINTS
    for group in groups:
        curve = curves[key(group)]
        count = source.counts.get(key(group))
        detail = "" if count is None else words.people(count.subjects)
        panels.append(CurvePanel(words.group_name(group), detail, _thinned(curve, most)))
        rows.append((Cell(words.group_name(group), kind="name"), *_trade_offs(curve)))
    everyone = curves.get(frozenset())
    title = say("figure.det_title")
    columns = (say("groups.column_group"), *(say("figure.det_column", target=words.target(x)) for x in (1e-2, 1e-3)))
    spoken = "; ".join(f"{r[0].text}: {r[1].text}, {r[2].text}" for r in rows)
    ticks = tuple(Line(x, words.tick(x)) for x in (1e-4, 1e-3, 1e-2, 0.1, 0.3, 0.5))
    return Figure(
        id="det",
        title=title,
        caption=say("figure.det_caption"),
        alt=say("figure.rows_alt", what=title, rows=spoken),
        picture=CurvePicture(
            tuple(panels),
            _thinned(everyone, most) if everyone else (),
            ticks,
            say("figure.det_x"),
            say("figure.det_y"),
            say("figure.zero_seen"),
        ),
        table=Table("det-data", title, columns, tuple(rows)),
    )


def _thinned(curve: DetCurve, most: int = MOST_POINTS) -> tuple[tuple[float, float], ...]:
    """At most so many points, the ends and evenly many between; nothing is moved."""
    points = list(dict.fromkeys(zip(curve.fmr, curve.fnmr, strict=True)))
    if len(points) <= most:
        return tuple(points)
    step = (len(points) - 1) / (most - 1)
    return tuple(points[round(k * step)] for k in range(most))


def _trade_offs(curve: DetCurve) -> tuple[Cell, Cell]:
    cells = []
    for wanted in (1e-2, 1e-3):
        inside = [fnmr for fmr, fnmr in zip(curve.fmr, curve.fnmr, strict=True) if fmr <= wanted]
        text = "–" if not inside else words.percent(min(inside)) if min(inside) else say("figure.zero_seen")
        cells.append(Cell(text, kind="number"))
    return cells[0], cells[1]
