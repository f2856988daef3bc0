"""Read CSV tables that may be broken: everything wrong is a finding, and what can be read is given back."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.benchmarks.checks.table import Finding
from audit.benchmarks.tables import MOST_COLUMNS


@dataclass(frozen=True, slots=True)
class Row:
    """A row of text; `whole` unless it had more or fewer cells than the header.

    Where labels are not written in rows (in file names, in JSON), `number` is None and `who` says whose they are.
    """

    file: str
    number: int | None
    cells: dict[str, str]
    whole: bool = True
    who: str = ""

    @property
    def place(self) -> str:
        """File and row in words."""
        return self.file if self.number is None else f"{self.file}, row {self.number}"

    def finding(self, check: str, column: str | None = None, text: str = "", value: str | None = None) -> Finding:
        """Make a finding about this row; its value is the cell unless told otherwise."""
        shown = value if value is not None else self.cells.get(column or "", "")
        return Finding(check, f"{self.file} {self.who}".rstrip(), self.number, column, shown, text)


@dataclass(slots=True)
class Table:
    """What could be read of a table."""

    file: str
    header: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)


def read(root: Path, name: str, *, required: Sequence[str], findings: list[Finding]) -> Table:
    """Read a table as far as possible.

    Parameters
    ----------
    root, name : Path, str
        Folder, and the table in it.
    required : sequence of str
        Columns that must be there and filled.
    findings : list
        Extended by what is wrong.
    """
    table = Table(name)
    try:
        content = (root / name).read_bytes()
    except FileNotFoundError:
        findings.append(Finding("table-missing", name))
        return table
    except OSError as error:
        findings.append(Finding("unreadable-file", name, text=str(error.strerror)))
        return table
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        findings.append(Finding("not-utf8", name, line, text=f"byte {error.start}"))
        text = content.decode("latin-1")
    lines = _lines(text, name, findings)
    if not lines:
        findings.append(Finding("table-unreadable", name, text="it has no header"))
        return table
    header, rows = lines[0][1], lines[1:]
    if len(header) > MOST_COLUMNS:
        findings.append(Finding("table-unreadable", name, text=f"its header has {len(header):,} columns"))
        return table
    findings += [
        Finding("duplicate-column", name, 1, column, column) for column, count in Counter(header).items() if count > 1
    ]
    table.header = tuple(dict.fromkeys(header))
    findings += [Finding("missing-column", name, 1, column) for column in required if column not in header]
    for number, cells in rows:
        fitted = _fit(cells, len(header))
        named = dict(zip(reversed(header), reversed(fitted), strict=True))  # of two columns of a name, the first
        row = Row(name, number, named, whole=len(cells) == len(header))
        if not row.whole:
            findings.append(row.finding("ragged-row", text=f"{len(cells)} cells, the header has {len(header)}"))
        table.rows.append(row)
        _cells(row, table.header, required, findings)
    return table


def _fit(cells: list[str], width: int) -> list[str]:
    return [*cells[:width], *[""] * (width - len(cells))]


def _lines(text: str, name: str, findings: list[Finding]) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    while True:
        try:
            line = next(reader, None)
        except csv.Error as error:
            findings.append(Finding("table-unreadable", name, reader.line_num, text=str(error)))
            continue
        if line is None:
            return lines
        if line:
            lines.append((reader.line_num, line))


def _cells(row: Row, header: Sequence[str], required: Sequence[str], findings: list[Finding]) -> None:
    for column in header:
        cell = row.cells[column]
        if not cell.strip() and column in required and row.whole:
            findings.append(row.finding("empty-cell", column))
        if cell.startswith(("=", "@")) or (cell.startswith(("+", "-")) and not _number(cell) and len(cell) > 1):
            findings.append(row.finding("formula-cell", column))


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
