"""Tables: CSV and Parquet."""

from __future__ import annotations

import csv
import io
import re

from audit.scan.found import Ids
from audit.scan.texts import of_text

OF_PEOPLE = re.compile(
    r"(?:\w+_)?(?:subject|sample|person|probe|reference|image|template|embedding)(?:_?(?:id|name|path|file))?"
    r"|(?:\w+_)?(?:filename|path|photo|picture)"
)
"""Columns of single people, samples and files; counts of them are in the plural."""
WIDEST = 64
MOST_VALUES = 100_000
MOST_ROWS = 1 << 23


def _columns(names: list[str]) -> list[str]:
    found = [f"has a column {name[:40]!r}" for name in names if OF_PEOPLE.fullmatch(name)]
    return [*found, *(["has more columns than a table of results"] if len(names) > WIDEST else [])]


def of_csv(content: bytes, ids: Ids) -> list[str]:
    """A table as text."""
    found = of_text(content, ids)
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8", "replace"))))
    except csv.Error:
        return [*found, "is no CSV"]
    if ids.names and any(ids.is_value(cell) for row in rows for cell in row if not cell.isdigit()):
        found.append("holds an id of the benchmark")
    return [*found, *_columns(rows[0] if rows else [])]


def of_parquet(content: bytes, ids: Ids) -> list[str]:
    """A table: no column may hold lists, bytes or nested values, and texts are looked at one by one."""
    import pyarrow as pa  # noqa: PLC0415 - only where there is such a table
    import pyarrow.parquet as pq  # noqa: PLC0415

    from audit import parquet_size  # noqa: PLC0415 - as above

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > MOST_ROWS:
            return ["has more rows than can be looked at"]
        if parquet_size.too_large(content):
            return ["has more texts than can be looked at"]
        table = file.read()
        table.validate(full=True)  # texts that are no UTF-8
    except (pa.ArrowException, OSError, ValueError):
        return ["is no Parquet table"]
    found = _columns(table.column_names)
    if file.metadata.metadata:
        said = [k + b" " + v for k, v in file.metadata.metadata.items() if k != b"ARROW:schema"]  # read as columns
        found += of_text(b"\n".join(said), ids)
    for column in table.itercolumns():
        kind = column.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            values = [value for value in column.unique().to_pylist() if value is not None]
            if len(values) > MOST_VALUES:
                found.append("has a column with more texts than there are groups")
            found += of_text("\n".join(values[:MOST_VALUES]).encode(), ids)
            found += ["holds an id of the benchmark"] if any(ids.is_value(value) for value in values) else []
        elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
            found.append(f"has a column of {str(kind)[:40]}, as templates and pictures are kept")
    return found
