"""Accuracy against disparity: one picture for every target and set of attributes."""

from __future__ import annotations

from collections.abc import Sequence

from audit.comparison import FrontPoint
from audit.report.parts import Block, Cell, Figure, Line, Paragraph, ScatterMark, ScatterPicture, Table
from audit.report.strings import say
from audit.report.view import words

STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 300.0, 1000.0)


def front_blocks(points: Sequence[FrontPoint]) -> tuple[Block, ...]:
    """Draw what was formed, and say what was not."""
    families: dict[tuple[float, tuple[str, ...]], list[FrontPoint]] = {}
    for point in points:
        families.setdefault((point.target_fmr, tuple(point.attributes)), []).append(point)
    blocks: list[Block] = []
    for k, ((target, attributes), rows) in enumerate(families.items()):
        about = {"target": words.target(target), "attributes": words.attributes_name(attributes)}
        drawn = [row for row in rows if row.fnmr is not None and row.disparity]
        if len(drawn) > 1:
            blocks.append(_figure(rows, drawn, about, k))
        else:
            why = words.join((f"{row.label}: {row.reason}" for row in rows if row.reason), most=9)
            blocks.append(Paragraph(say("side.front_none", reason=why, **about), "note"))
    return tuple(blocks)


def _figure(rows: list[FrontPoint], drawn: list[FrontPoint], about: dict[str, str], k: int) -> Figure:
    marks = tuple(
        ScatterMark(
            row.label, row.fnmr or 0.0, row.disparity or 1.0,
            (row.fnmr_interval.low, row.fnmr_interval.high) if row.fnmr_interval else None,
            (row.disparity_interval.low, row.disparity_interval.high) if row.disparity_interval else None,
        )
        for row in drawn
    )  # fmt: skip
    right = max(max(m.x, m.x_bounds[1] if m.x_bounds else 0.0) for m in marks)
    top = max(max(m.y, m.y_bounds[1] if m.y_bounds else 0.0) for m in marks)
    step = next(s for s in (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if right <= 8 * s or s == 0.5)
    x_ticks = tuple(Line(n * step, words.tick(n * step)) for n in range(int(right / step) + 2))
    y_domain = (1.0, next((s for s in STEPS if s >= top and s > 1), STEPS[-1]))
    said = (
        say("side.figure_front_point", label=r.label, fnmr=words.percent(r.fnmr or 0.0),
            disparity=words.times(r.disparity or 1.0))
        for r in drawn
    )  # fmt: skip
    return Figure(
        id=f"front-{k}",
        title=say("side.figure_front", **about),
        caption=" ".join([say("side.figure_front_caption"), *_left_out(rows, drawn)]),
        alt=say("side.figure_front_alt", points="; ".join(said)),
        picture=ScatterPicture(
            marks, x_ticks, tuple(Line(s, words.exact(s)) for s in STEPS if s <= y_domain[1]),
            (0.0, x_ticks[-1].x), y_domain, say("side.column_fnmr"),
            say("side.column_spread", measure=drawn[0].measure), say("side.figure_better"),
        ),
        table=_table(rows, about, k),
    )  # fmt: skip


def _left_out(rows: list[FrontPoint], drawn: list[FrontPoint]) -> list[str]:
    """Name the audits that have no place in the picture, and why: absent is not better."""
    missing = [f"{row.label} ({row.reason or say('rate.unmeasured')})" for row in rows if row not in drawn]
    return [say("side.figure_front_missing", audits=words.join(missing, most=9))] if missing else []


def _table(rows: list[FrontPoint], about: dict[str, str], k: int) -> Table:
    columns = (
        say("side.column_audit"), say("side.column_fnmr"), say("side.column_spread", measure=rows[0].measure),
        say("side.column_front"),
    )  # fmt: skip
    body = tuple(
        (
            Cell(row.label, kind="name"),
            Cell("–" if row.fnmr is None else words.percent(row.fnmr), words.bounds(row.fnmr_interval), kind="number"),
            Cell(
                "–" if row.disparity is None else words.times(row.disparity),
                words.ratio_bounds(row.disparity_interval), kind="number",
            ),
            Cell(
                row.reason or "–" if row.dominated is None
                else say("side.dominated" if row.dominated else "side.yes")
            ),
        )
        for row in rows
    )  # fmt: skip
    return Table(f"front-data-{k}", say("side.caption_front", **about), columns, body)
