"""Read CSV tables as text: every cell stays what is written there ("001", "NA", "east_asian/white").

Types are never guessed. Rows are numbered by the line that they end on: the header is row 1.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from audit.errors import DataError

MOST_COLUMNS = 10_000


def read(
    path: Path,
    *,
    required: Sequence[str],
    key: str | None = None,
    only: Sequence[str] | None = None,
    longest: int | None = None,
) -> pd.DataFrame:
    """Read a table of text.

    Parameters
    ----------
    path : Path
        UTF-8, comma-separated, with a header.
    required : sequence of str
        Columns that must be there, with a value in every row.
    key : str, optional
        A required column whose values must be unique.
    only : sequence of str, optional
        Columns to keep; others are read past.
    longest : int, optional
        Most characters of a cell; default: what the csv module allows.

    Returns
    -------
    DataFrame
        Columns of str; an empty cell is "". The index is the row number.

    Raises
    ------
    DataError
        Naming file, row, column and value.
    """
    header, rows = _rows(path, only, longest)
    for column in required:
        require(header, path, column)
    numbers, cells = zip(*rows, strict=True)
    frame = pd.DataFrame(list(cells), columns=header, index=list(numbers), dtype=str)
    _check(frame, path, required=required, key=key)
    return frame


def require(columns: Iterable[str], path: Path, column: str) -> None:
    """Make sure that a table has a column.

    Raises
    ------
    DataError
        Naming the nearest column that it has.
    """
    header = list(columns)
    if column not in header:
        near = difflib.get_close_matches(column, header, n=1)
        hint = f"Is it the one called {near[0]!r}?" if near else f"Columns are {', '.join(header)}"
        raise DataError(str(path), f"the column {column!r} is missing", hint)


def check_digest(path: Path, declared: str | None) -> None:
    """Check a table against the SHA-256 that the descriptor declares, where it declares one.

    Raises
    ------
    DataError
        If the table was changed since it was described.
    """
    if declared is None or declared == "unknown":
        return
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(
            str(path), f"cannot be read: {error.strerror}", "Restore the file, or run again with --obtain"
        ) from None
    if found != declared:
        raise DataError(
            str(path),
            f"has SHA-256 {found}, but the descriptor declares {declared}",
            "Restore the described file, or put a croissant.json that describes the changed one beside it",
        )


def _rows(path: Path, only: Sequence[str] | None, longest: int | None) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        lines = _lines(path, longest)
        _, header = next(lines, (0, []))
        if len(header) > MOST_COLUMNS:
            raise DataError(
                f"{path}, row 1", f"has {len(header):,} columns", f"At most {MOST_COLUMNS:,} are read: is it a table?"
            )
        doubled = sorted(column for column, count in Counter(header).items() if count > 1)
        if doubled:
            raise DataError(f"{path}, row 1", f"the column {doubled[0]!r} stands twice", "Rename or remove one")
        kept = [k for k, column in enumerate(header) if only is None or column in only]
        rows = []
        for number, row in lines:
            if len(row) != len(header):
                raise DataError(
                    f"{path}, row {number}",
                    f"has {len(row)} cells, the header has {len(header)}",
                    "Quote cells with commas",
                )
            rows.append((number, [row[k] for k in kept]))
    except FileNotFoundError:
        raise DataError(str(path), "no such table", "The layout needs it in this folder") from None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Give a readable file") from None
    if not rows:
        raise DataError(str(path), "has no rows", "It needs a header and at least one row")
    return [header[k] for k in kept], rows


def _lines(path: Path, longest: int | None) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the number of the line that it ends on."""
    before = csv.field_size_limit()
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        try:
            csv.field_size_limit(longest or before)
            yield from ((reader.line_num, line) for line in reader if line)
        except csv.Error as error:
            raise DataError(f"{path}, row {reader.line_num}", f"is not CSV: {error}", "Mend that row") from None
        except UnicodeDecodeError:
            raise DataError(str(path), f"is not UTF-8 (byte {_bad_byte(path)})", "Save it as UTF-8") from None
        finally:
            csv.field_size_limit(before)


def _bad_byte(path: Path) -> int:
    """Position of the first byte that is not UTF-8; a reader in blocks knows it within its block alone."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _check(frame: pd.DataFrame, path: Path, *, required: Sequence[str], key: str | None) -> None:
    filled = pa.Check.str_matches(r"\S", error="is empty")
    schema = pa.DataFrameSchema(
        {
            column: pa.Column(str, filled, unique=column == key, report_duplicates="exclude_first")
            for column in required
        },
        strict=False,
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        first = error.failure_cases.sort_values("index", kind="stable").iloc[0]
        row, column, value = int(first["index"]), str(first["column"]), str(first["failure_case"])
        place = f"{path}, row {row}, column {column!r}"
        if value.strip():
            before = frame.index[frame[column] == value][0]
            raise DataError(place, f"{value!r} stands in row {before} too", "Every row needs its own") from None
        raise DataError(place, "is empty", "Fill it in, or remove the row") from None
