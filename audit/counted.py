"""What is published beside a record so that its numbers can be computed again: three tables of counts.

- `counts.parquet`: comparison scores of every cell, counted between edges, every decision threshold an edge. A cell is
  a group, the rest of a group's family, or two groups across; only large groups have narrow bins.
- `cells.parquet`: errors, trials and people of every cell that a rate is of, by metric, operating point and setting.
- `covariance.parquet`: variances of their rates, and covariances of cells whose groups are compared with each other.

Where nobody is compared (detection, attributes) there are no scores, and the first table is left out.

No row is of a person, a sample or a comparison. A number is stored as it was computed, bit for bit.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from audit import parquet_size
from audit.cell_table import CELLS, COVARIANCE, Look, Role, from_columns, to_columns
from audit.errors import DataError

__all__ = [
    "CELLS", "COUNTS", "COVARIANCE", "SCHEMAS", "Binned", "Counted", "Look", "Role", "named", "unpacked",
]  # fmt: skip
COUNTS = "counts.parquet"
MOST_ROWS = {COUNTS: 1 << 23, CELLS: 1 << 19, COVARIANCE: 1 << 23}
"""Rows of a table that are read; a file that says more is refused before it is unpacked."""
MOST_POINTS = 1 << 12
"""Operating points."""
MOST_CELLS = 1 << 17
"""Cells whose scores are counted."""

_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float64()
SCHEMAS = {
    COUNTS: pa.schema(
        [
            pa.field("role", _TEXT, nullable=False),
            pa.field("group", _TEXT, nullable=False),
            pa.field("against", _TEXT),
            pa.field("mated", pa.bool_(), nullable=False),
            pa.field("low", _REAL, nullable=False),
            pa.field("high", _REAL, nullable=False),
            pa.field("count", _WHOLE, nullable=False),
        ]
    ),
    CELLS: pa.schema(
        [
            pa.field("operating_point", _TEXT, nullable=False),
            pa.field("setting", _TEXT, nullable=False),
            pa.field("metric", _TEXT, nullable=False),
            pa.field("role", _TEXT, nullable=False),
            pa.field("group", _TEXT, nullable=False),
            pa.field("against", _TEXT),
            pa.field("people", _WHOLE),
            pa.field("errors", _WHOLE, nullable=False),
            pa.field("trials", _WHOLE, nullable=False),
            pa.field("subjects", _WHOLE, nullable=False),
        ]
    ),
    COVARIANCE: pa.schema(
        [
            pa.field("operating_point", _TEXT, nullable=False),
            pa.field("row", pa.int32(), nullable=False),
            pa.field("column", pa.int32(), nullable=False),
            pa.field("value", _REAL, nullable=False),
        ]
    ),
}
EARLIER = pa.schema([field for field in SCHEMAS[CELLS] if field.name not in {"setting", "against", "people"}])
"""The cells that earlier runs wrote: groups and rests alone."""


def named(group: Mapping[str, str]) -> str:
    """Write a group as it stands in these tables.

    >>> named({"gender": "female"}), named({})
    ('{"gender":"female"}', '{}')
    """
    return json.dumps(dict(group), ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """Scores of a cell, mated or not, between edges: `counts` has one number less than `edges`."""

    role: Role
    group: str
    against: str | None
    mated: bool
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    def below(self, threshold: float) -> int | None:
        """Count scores below a threshold; None where it cuts a bin that is not empty."""
        place = int(np.searchsorted(self.edges, threshold))
        inside = 0 < place < len(self.edges) and self.edges[place] != threshold and self.counts[place - 1] > 0
        return None if inside else int(self.counts[: min(place, len(self.counts))].sum())


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The tables. `complete` is false of those of an earlier run, which lack the cells of some rates."""

    scores: tuple[Binned, ...]
    looks: tuple[Look, ...]
    complete: bool = True

    def files(self) -> dict[str, bytes]:
        """The tables as files; equal tables give equal bytes with one version of pyarrow."""
        cells, covariance = to_columns(self.looks)
        scores = {COUNTS: _packed(COUNTS, self._rows())} if self.scores else {}
        return {**scores, CELLS: _packed(CELLS, cells), COVARIANCE: _packed(COVARIANCE, covariance)}

    def and_looks(self, more: Sequence[Look]) -> Self:
        """The same with more cells."""
        return replace(self, looks=(*self.looks, *more))

    def _rows(self) -> dict[str, Any]:
        """One row a bin: bins without a score keep their place, so that edges are told as well."""
        sizes = [len(one.counts) for one in self.scores]
        empty = np.zeros(0)
        return {
            **{
                name: [getattr(one, name) for one, n in zip(self.scores, sizes, strict=True) for _ in range(n)]
                for name in ("role", "group", "against", "mated")
            },
            "low": np.concatenate([empty, *(one.edges[:-1] for one in self.scores)]),
            "high": np.concatenate([empty, *(one.edges[1:] for one in self.scores)]),
            "count": np.concatenate([empty.astype(np.int64), *(one.counts for one in self.scores)]),
        }

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the tables of a folder.

        Raises
        ------
        DataError
            If one is missing, is no such table, or holds what cannot be counts.
        """
        cells, covariance = (unpacked((folder / name).read_bytes(), name) for name in (CELLS, COVARIANCE))
        scores = _binned(unpacked((folder / COUNTS).read_bytes(), COUNTS)) if (folder / COUNTS).exists() else ()
        columns = {name: cells.column(name).to_pylist() for name in cells.column_names}
        complete = "setting" in columns
        if not complete:
            columns |= {"setting": [""] * len(cells), "against": [None] * len(cells), "people": [None] * len(cells)}
        numbers = {name: covariance.column(name).to_numpy() for name in ("row", "column", "value")}
        entries = {"operating_point": _words(covariance.column("operating_point")), **numbers}
        return cls(scores, from_columns(columns, entries), complete)


def _words(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """A column of text in which equal cells are one object: a small file may have millions of them."""
    encoded = column.combine_chunks().dictionary_encode()
    if len(encoded.dictionary) > MOST_POINTS:
        found = f"names {len(encoded.dictionary):,} operating points, more than {MOST_POINTS:,}"
        raise DataError(COVARIANCE, found, "Give the file of a run")
    words: NDArray[np.object_] = np.array(encoded.dictionary.to_pylist(), dtype=object)[encoded.indices.to_numpy()]
    return words


def _packed(name: str, columns: Mapping[str, Any]) -> bytes:
    table = pa.table({field.name: pa.array(columns[field.name], field.type) for field in SCHEMAS[name]}, SCHEMAS[name])
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", store_schema=False, write_statistics=False)
    return out.getvalue()


def unpacked(content: bytes, name: str) -> pa.Table:
    """Read one of the tables; nothing but its own columns, of their types, is taken.

    Raises
    ------
    DataError
        For anything else.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        rows, found = file.metadata.num_rows, file.schema_arrow
        if rows > MOST_ROWS[name]:
            raise DataError(
                name, f"holds {rows:,} rows, more than {MOST_ROWS[name]:,}", "It is not a table of this kind"
            )
        earlier = name == CELLS and found.equals(EARLIER)
        if not (earlier or found.equals(SCHEMAS[name])) or file.metadata.metadata:
            raise DataError(name, f"has the columns {', '.join(found.names)[:200]}", "Columns and types are fixed")
        if parquet_size.too_large(content):
            raise DataError(name, f"unpacks to more than {parquet_size.MOST:,} bytes", "It is not a table of this kind")
        table = file.read()
        table.validate(full=True)  # texts that are no UTF-8
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(name, f"cannot be read ({type(error).__name__})", "Give the file that a run wrote") from None
    for field in found:
        column = table.column(field.name)
        if not field.nullable and column.null_count:
            raise DataError(name, f"the column {field.name!r} has empty cells", "Give the file that a run wrote")
        if field.type == _REAL and not np.isfinite(column.to_numpy()).all():
            raise DataError(
                name, f"the column {field.name!r} is not finite everywhere", "Give the file that a run wrote"
            )
        if field.type == _WHOLE and any(value < 0 for value in column.drop_null().unique().to_pylist()):
            raise DataError(name, f"the column {field.name!r} has a negative count", "Give the file that a run wrote")
    return table


def _binned(table: pa.Table) -> tuple[Binned, ...]:
    """Rows to cells: rows of a cell stand together, and their bins touch."""
    low, high, count = (table.column(n).to_numpy() for n in ("low", "high", "count"))
    encoded = [table.column(n).combine_chunks().dictionary_encode() for n in ("role", "group", "against", "mated")]
    codes = np.array([part.indices.fill_null(-1).to_numpy(zero_copy_only=False) for part in encoded])
    rows = codes.shape[1]
    starts = [0, *(np.flatnonzero((np.diff(codes) != 0).any(axis=0)) + 1).tolist()] if rows else []
    if len(starts) > MOST_CELLS:
        raise DataError(COUNTS, f"holds {len(starts):,} cells, more than {MOST_CELLS:,}", "Give the file of a run")
    made = []
    for start, end in itertools.pairwise([*starts, rows]):
        role, group, against, mated = (part[start].as_py() for part in encoded)
        edges = np.append(low[start:end], high[end - 1])
        if not (np.diff(edges) > 0).all() or not np.array_equal(edges[1:], high[start:end]):
            raise DataError(COUNTS, f"bins of {group} do not follow each other", "Give the file of a run")
        made.append(Binned(role, group, against, mated, edges, count[start:end]))
    if len({(one.role, one.group, one.against, one.mated) for one in made}) < len(made):
        raise DataError(COUNTS, "a cell stands in it twice", "Give the file that a run wrote")
    return tuple(made)
