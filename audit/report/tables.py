"""Every table as CSV (RFC 4180, UTF-8): those of the report as shown, and the record's frames as they are.

A spreadsheet reads a cell that begins with =, +, - or @ as a formula. Such a cell gets an apostrophe before it, unless
it is a number; a program that reads the files takes one leading apostrophe away.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import pandas as pd

from audit import frames
from audit.record import EvaluationRecord
from audit.report import parts, walk
from audit.report.strings import say
from audit.report.view.source import Source

FOLDER = "tables"
INDEX = "index"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula in a spreadsheet, full-width forms too."""
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


def files(record: EvaluationRecord, view: parts.ReportView) -> dict[str, str]:
    """Write every table of a report and the frames of its record.

    Returns
    -------
    name of a file -> its text. `index.csv` says what is what; `rates.csv`, `contrasts.csv` and `differentials.csv`
    are tidy, with full precision; the others are as the report shows them.
    """
    source = Source.of(record)
    made: dict[str, str] = {}
    listed: list[Sequence[object]] = [(say("csv.column_file"), say("csv.column_title"), say("csv.column_note"))]
    for name, rows in _frames(source).items():
        made[f"{name}.csv"] = text(rows)
        listed.append((f"{name}.csv", say(f"csv.{name}"), say("csv.tidy")))
    for table in walk.tables(view):
        name = f"{re.sub(r'[^a-z0-9-]', '-', table.id.lower())}.csv"
        if name in made or name == f"{INDEX}.csv":
            raise ValueError(f"two tables would be {name}")
        made[name] = text(shown(table))
        listed.append((name, table.caption, table.note))
    return {f"{INDEX}.csv": text(listed), **made}


def _frames(source: Source) -> dict[str, list[list[object]]]:
    record = source.record
    rates = _rows(frames.rates(record))
    counted = [rates[0].index(name) for name in ("errors", "trials", "subjects")]
    reason = rates[0].index("reason")
    for row, rate in zip(rates[1:], record.rates, strict=True):
        if source.banded(rate.group) or (rate.reference_group is not None and source.banded(rate.reference_group)):
            row[reason] = say("group.withheld", n=source.min_subjects)
            for place in counted:
                row[place] = None
    return {
        "rates": rates,
        "contrasts": _rows(frames.contrasts(record)),
        "differentials": _rows(frames.differentials(record)),
    }


def _rows(frame: pd.DataFrame) -> list[list[object]]:
    """Lay a frame out as rows of plain values."""
    held = frame.astype(object).where(frame.notna(), None)
    return [list(frame.columns), *held.to_numpy().tolist()]


def shown(table: parts.Table) -> list[list[str]]:
    """Lay a table out in a rectangle: second lines are columns of their own, headings over rows are a first column."""
    rows = list(walk.rows(table))
    headed = len(table.columns) > 1 and any(len(row) == 1 for row in rows)
    whole = [row for row in rows if not (headed and len(row) == 1)]
    noted = [any(row[k].note for row in whole) for k in range(len(table.columns))]
    header = [say("csv.column_part")] if headed else []
    for name, has_note in zip(table.columns, noted, strict=True):
        header += [name, say("csv.column_detail", name=name)] if has_note else [name]
    made, part = [header], ""
    for row in rows:
        if headed and len(row) == 1:
            part = row[0].text
            continue
        line = [part] if headed else []
        for cell, has_note in zip(row, noted, strict=True):
            line += [_number(cell), cell.note] if has_note else [_number(cell)]
        made.append(line)
    return made


def text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV, harmless to spreadsheets."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([[harmless(value) for value in row] for row in rows])
    return stream.getvalue()


def harmless(value: object) -> str:
    """Print a cell; a text that a spreadsheet would take for a formula gets an apostrophe before it.

    >>> [harmless(x) for x in ("=1+1", "-x", "-2.0", "+0.5", -0.25, True, None, "a")]
    ["'=1+1", "'-x", '-2.0', '+0.5', '-0.25', 'true', '', 'a']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    shown = str(value)
    formula = shown.lstrip(" \u2068").startswith(FORMULA) and not _NUMBER.fullmatch(shown)
    return f"'{shown}" if formula else shown


def _number(cell: parts.Cell) -> str:
    """Print a cell's text; a number as programs write it, without separators and with a plain minus.

    >>> _number(parts.Cell("20,604", kind="number")), _number(parts.Cell("\u22122.0")), _number(parts.Cell("1,2"))
    ('20604', '-2.0', '1,2')
    """
    plain = cell.text.replace("\u2212", "-")
    grouped = cell.kind != "name" and re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", plain)
    return plain.replace(",", "") if grouped else plain if _NUMBER.fullmatch(plain) else cell.text
