"""How far the tail of a group's scores lies from that of the others: pictures around zero, and all shares as tables."""

from __future__ import annotations

from typing import Literal

from audit.record import Group, ScoreShift
from audit.report.parts import Block, Cell, Figure, Fold, Line, Paragraph, RowMark, RowPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.rates import MARKERS, SIGNS, name_cell, people_cell, support_cell
from audit.report.view.scores import even_ticks
from audit.report.view.source import Key, Source, key

_Rows = dict[tuple[Key, float], ScoreShift]
COLUMNS = ("group", "people", "comparisons", "shift", "support")


def shift_blocks(source: Source) -> tuple[Block, ...]:
    """Shifts of the tails where errors come from: of two people, then of one; nothing where none were measured."""
    made: list[Block] = []
    for tail, mated in (("nonmated", False), ("mated", True)):
        rows = {(key(s.group), s.share): s for s in source.record.score_shifts if s.mated is mated}
        if rows:
            made.append(_tail(source, tail, rows))
    return (Paragraph(say("shift.lead")), *made, Paragraph(say("shift.limit"), "note")) if made else ()


def _tail(source: Source, tail: str, rows: _Rows) -> Figure | Fold:
    """A picture of one share; a folded table alone where no shift could be formed."""
    share = _headline(source, rows)
    title = say(f"shift.{tail}_title", share=words.tick(share))
    table = _table(source, tail, rows)
    marks = _marks(source, rows, share)
    values = [v for mark in marks for v in (mark.x, mark.low, mark.high) if v is not None]
    if not values:
        return Fold(say(f"shift.{tail}_none"), (table,))
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.06 * (high - low) or 1.0
    domain = (low - room, high + room)
    spoken = "; ".join(f"{mark.label}: {mark.detail}" for mark in marks if not mark.heading)
    return Figure(
        id=f"shift-{tail}",
        title=title,
        caption=say(f"shift.{tail}_caption", share=words.tick(share)),
        alt=say("figure.rows_alt", what=title, rows=spoken),
        picture=RowPicture(
            marks,
            tuple(Line(t.x, _sign(t)) for t in even_ticks(*domain)),
            domain,
            say(f"shift.{tail}_axis"),
            (Line(0.0, say("shift.zero")),),
            linear=True,
        ),
        table=table,
    )


def _sign(tick: Line) -> str:
    return "+" + tick.label if tick.x > 0 else tick.label.replace("-", "−")


def _headline(source: Source, rows: _Rows) -> float:
    """Pick the share at which most groups have an interval, the outermost of several."""
    known: dict[float, int] = {}
    for (_, share), row in rows.items():
        known[share] = known.get(share, 0) + (row.interval is not None and not source.banded(row.group))
    return min(known, key=lambda share: (-known[share], share))


def _families(source: Source, rows: _Rows) -> list[tuple[tuple[str, ...], list[Group]]]:
    """Groups that have rows, by attribute set, in the order of the report."""
    known = {group for group, _ in rows}
    found = [(names, [g for g in source.groups(names) if key(g) in known]) for names in source.attribute_sets()]
    return [(names, groups) for names, groups in found if groups]


def _marks(source: Source, rows: _Rows, share: float) -> tuple[RowMark, ...]:
    marks: list[RowMark] = []
    for attributes, groups in _families(source, rows):
        marks.append(RowMark(words.attributes_name(attributes), "", "none", heading=True))
        marks += [_mark(source, group, rows.get((key(group), share))) for group in groups]
    return tuple(marks)


def _mark(source: Source, group: Group, row: ScoreShift | None) -> RowMark:
    label = words.group_name(group)
    if source.banded(group):
        return RowMark(label, say("group.fewer_people", n=source.min_subjects), "none")
    if row is None or row.shift is None:
        return RowMark(label, say("figure.not_measured"), "none")
    low, high = (row.interval.low, row.interval.high) if row.interval else (None, None)
    value, people = words.signed(row.shift), words.people(row.subjects)
    detail = say("shift.detail", sign=SIGNS[row.support], shift=value, people=people)
    return RowMark(label, detail, MARKERS[row.support], x=row.shift, low=low, high=high)


def _table(source: Source, tail: str, rows: _Rows) -> Table:
    """Every group at every share; a row without a number says why."""
    cells: list[tuple[Cell, ...]] = []
    for share in sorted({share for _, share in rows}, reverse=True):
        for attributes, groups in _families(source, rows):
            of = words.attributes_name(attributes)
            cells.append((Cell(say(f"shift.{tail}_heading", attributes=of, share=words.tick(share))),))
            cells += [_cells(source, group, rows[key(group), share]) for group in groups if (key(group), share) in rows]
    columns = tuple(say(f"shift.column_{name}") for name in COLUMNS)
    return Table(f"shift-{tail}-data", say(f"shift.{tail}_table"), columns, tuple(cells), say("shift.note"))


def _cells(source: Source, group: Group, row: ScoreShift) -> tuple[Cell, ...]:
    if source.banded(group):
        banded = Cell("–", say("group.withheld", n=source.min_subjects), kind="number")
        return (name_cell(group), people_cell(source, group), Cell("–"), banded, Cell("–"))
    trials = Cell(words.number(row.trials), kind="number")
    if row.shift is None:
        unknown = Cell("–", row.reason or "", kind="number")
        return (name_cell(group), people_cell(source, group), trials, unknown, Cell("–"))
    kind: Literal["rate", "number"] = "rate" if row.interval else "number"
    shown = Cell(words.signed(row.shift), row.reason or _bounds(row), kind=kind, mark=row.support)
    people = Cell(words.number(row.subjects), kind="number")
    return (name_cell(group), people, trials, shown, support_cell(row.support))


def _bounds(row: ScoreShift) -> str:
    if row.interval is None:
        return say("number.no_interval")
    return say("number.bounds", low=words.signed(row.interval.low), high=words.signed(row.interval.high))
