"""What detection and what the templates add to a disparity, as it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table as RichTable
from rich.text import Text

from audit.comparison import Difference, Split
from audit.record import IntervalPart
from audit.report.parts import Block, Cell, Table
from audit.report.strings import say
from audit.report.view import words

COLUMNS = ("split", "first", "second", "detection", "templates")
Named = Callable[[str | None], str]


def split_blocks(splits: Sequence[Split], point: Named) -> tuple[Block, ...]:
    """A table for every pair of audits, rate and threshold; `point` names a threshold."""
    columns = tuple(say(f"side.column_{name}") for name in COLUMNS)
    return tuple(
        Table(f"split-{k}", heading, columns, tuple(_cells(row) for row in rows))
        for k, (heading, rows) in enumerate(_families(splits, point).items())
    )


def split_rows(splits: Sequence[Split], differences: Sequence[Difference], point: Named) -> RichTable | None:
    """The same for a terminal, below what was lost in each group; None where nothing was split."""
    if not splits:
        return None
    table = RichTable(title=Text(say("side.split")), title_justify="left")
    for name in COLUMNS:
        table.add_column(Text(say(f"side.column_{name}")), justify="left" if name == "split" else "right")
    table.add_row(Text(words.key_word("metric", "FTA"), style="bold"))
    for d in differences:
        if d.metric == "FTA" and d.difference is not None:
            counts = (f"{v.errors:,} / {v.trials:,}" for v in (d.first, d.second))
            moved = Cell(_signed(d.difference), _bounds(d.difference_interval))
            table.add_row(*map(Text, (words.group_name(d.group), *counts, _line(moved))))
    for heading, rows in _families(splits, point).items():
        table.add_section()
        table.add_row(Text(heading, style="bold"))
        for row in rows:
            table.add_row(*(Text(_line(c)) for c in _cells(row)))
    return table


def _line(cell: Cell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text


def _families(splits: Sequence[Split], point: Named) -> dict[str, list[Split]]:
    found: dict[str, list[Split]] = {}
    for row in splits:
        heading = say(
            "side.caption_split", metric=words.key_word("side", row.metric), point=point(row.operating_point),
            a=row.a, b=row.b,
        )  # fmt: skip
        found.setdefault(heading, []).append(row)
    return found


def _cells(row: Split) -> tuple[Cell, ...]:
    names = say("side.split_of", group=words.group_name(row.group), against=words.group_name(row.against))
    return (
        Cell(names, kind="name"),
        Cell(_signed(row.first), kind="number"),
        Cell(_signed(row.second), kind="number"),
        Cell(_signed(row.detection), _bounds(row.detection_interval), kind="number"),
        Cell(_signed(row.templates), _bounds(row.templates_interval), kind="number"),
    )


def _signed(value: float) -> str:
    return f"{words.signed(100 * value)}%"


def _bounds(interval: IntervalPart | None) -> str:
    return "" if interval is None else say("number.bounds", low=_signed(interval.low), high=_signed(interval.high))
