"""Figures and tables of a report in the order of reading, folded ones too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audit.report.parts import Block, Cell, Figure, Fold, ReportView, Table


def figures(view: ReportView) -> Iterator[Figure]:
    """Every figure."""
    return (block for block in _all(view) if isinstance(block, Figure))


def tables(view: ReportView) -> Iterator[Table]:
    """Every table, those behind figures too."""
    for block in _all(view):
        if isinstance(block, Table):
            yield block
        elif isinstance(block, Figure):
            yield block.table


def rows(table: Table) -> Iterator[tuple[Cell, ...]]:
    """Every row as wide as the table, or one cell that heads the rows below: a record may lack what ends a row."""
    width = len(table.columns)
    for row in table.rows:
        yield row if len(row) == 1 else (*row, *(Cell(""),) * (width - len(row)))[:width]


def _all(view: ReportView) -> Iterator[Block]:
    if view.verdicts is not None:
        yield view.verdicts
    for section in view.sections:
        yield from _unfolded(section.blocks)


def _unfolded(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from _unfolded(block.blocks)
