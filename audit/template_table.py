"""Templates that somebody else extracted, as files: Parquet, or safetensors with a table of samples beside it.

- Parquet: `sample_id`, `subject_id`, and either numbers `t0`, `t1`, ... or one list column `template`.
- safetensors: one tensor of samples x dimension (float32, float16 or bfloat16), with FILE.csv beside FILE.safetensors
  holding `sample_id` and `subject_id` in the order of its rows. It is mapped into memory: templates are read when they
  are compared.

A template that is missing, not finite or all zeros is a failure of its sample, and counted; one of another length than
the rest is a mistake of the file. Both formats are read without running anything that stands in them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.compare.blocks import ArrayRows, Bfloat16Rows, Chosen, Rows
from audit.errors import DataError

NUMBERED = re.compile(r"t(0|[1-9]\d{0,4})")
LARGEST_HEADER = 100 << 20
CHUNK = 1 << 14
"""Templates that are looked at a time."""
MISSING, NOT_FINITE, ZERO = "no template", "a number is not finite", "all numbers are 0"
_SAFE: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}
_WORDS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, eq=False)
class TemplateTable:
    """Templates with whose they are.

    Parameters
    ----------
    samples, subjects : ids, one a row
    rows : the templates
    failed : row to why there is no template
    stored : the type of the numbers in the file
    digest : SHA-256 of everything that was read
    """

    samples: Sequence[str]
    subjects: Sequence[str]
    rows: Rows
    failed: Mapping[int, str]
    stored: str
    digest: str


def read(path: Path) -> TemplateTable:
    """Read a file of templates.

    Raises
    ------
    DataError
        Naming file, row or column, what was found and what is allowed.
    """
    if not path.is_file():
        raise DataError(
            str(path), "no such file", "Give the templates: templates:FILE.parquet or templates:FILE.safetensors"
        )
    if path.suffix == ".safetensors":
        return _safetensors(path)
    if path.suffix in {".parquet", ".pq"}:
        return _parquet(path)
    raise DataError(str(path), f"unknown kind of file {path.suffix!r}", "Give .parquet or .safetensors")


def without(table: TemplateTable, people: Collection[str]) -> TemplateTable:
    """Take people out: their samples, their templates, their failures."""
    kept = [row for row, subject in enumerate(table.subjects) if subject not in people]
    place = {row: k for k, row in enumerate(kept)}
    return replace(
        table,
        samples=[table.samples[row] for row in kept],
        subjects=[table.subjects[row] for row in kept],
        rows=Chosen(table.rows, np.array(kept, dtype=np.int64)),
        failed={place[row]: reason for row, reason in table.failed.items() if row in place},
    )


def _checked(
    path: Path,
    samples: Sequence[str],
    subjects: Sequence[str],
    rows: Rows,
    missing: NDArray[np.bool_],
    stored: str,
    digest: str,
) -> TemplateTable:
    """Find the templates that are none, and the samples that stand twice."""
    seen: dict[str, int] = {}
    for row, sample in enumerate(samples, start=1):
        if sample in seen:
            raise DataError(
                f"{path}, row {row}, column 'sample_id'",
                f"{sample!r} stands in row {seen[sample]} too",
                "Every row needs its own",
            )
        seen[sample] = row
    failed = dict.fromkeys(np.flatnonzero(missing).tolist(), MISSING)
    for first in range(0, len(samples), CHUNK):
        index = np.arange(first, min(first + CHUNK, len(samples)))
        values = rows.take(index)
        finite = np.isfinite(values).all(axis=1)
        zero = finite & ~values.any(axis=1)
        for bad, why in ((~finite, NOT_FINITE), (zero, ZERO)):
            for row in index[bad].tolist():
                failed.setdefault(row, why)
    return TemplateTable(samples, subjects, rows, failed, stored, digest)


def _parquet(path: Path) -> TemplateTable:
    import pyarrow as pa  # noqa: PLC0415 - only where a Parquet file is read
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        schema = pq.read_schema(path)
        numbered = sorted((name for name in schema.names if NUMBERED.fullmatch(name)), key=lambda name: int(name[1:]))
        wanted = ["sample_id", "subject_id", *(["template"] if "template" in schema.names else numbered)]
        lacking = [name for name in wanted[:2] if name not in schema.names]
        if lacking or len(wanted) == 2:
            raise DataError(
                str(path),
                f"the column {(lacking or ['template'])[0]!r} is missing",
                "Columns are sample_id, subject_id, and either t0, t1, ... or one list column template",
            )
        table = pq.read_table(path, columns=wanted)
        table.validate(full=True)  # texts that are no UTF-8
    except (pa.ArrowException, OSError, ValueError) as error:  # names that are no UTF-8, among others
        raise DataError(str(path), f"is not Parquet: {str(error)[:200]}", "Write it again") from None
    ids = [_ids(path, name, table.column(name).to_pylist()) for name in wanted[:2]]
    if table.num_rows == 0:
        raise DataError(str(path), "has no rows", "It needs at least one template")
    if wanted[2] == "template":
        values, missing = _lists(path, table.column("template").combine_chunks())
    else:
        values, missing = _columns(path, table, numbered), np.zeros(table.num_rows, dtype=bool)
    stored = "float16" if values.dtype == np.float16 else "float32"
    return _checked(path, ids[0], ids[1], ArrayRows(values), missing, stored, _digest(path))


def _ids(path: Path, column: str, cells: list[Any]) -> list[str]:
    for row, cell in enumerate(cells, start=1):
        if cell is None or not str(cell).strip():
            raise DataError(f"{path}, row {row}, column {column!r}", "is empty", "Fill it in, or remove the row")
    return [str(cell) for cell in cells]


def _columns(path: Path, table: Any, numbered: Sequence[str]) -> NDArray[Any]:
    """Columns t0, t1, ... side by side."""
    for place, name in enumerate(numbered):
        if name != f"t{place}":
            raise DataError(
                str(path), f"the column 't{place}' is missing, but {name!r} is there", "Number them from t0 on"
            )
    parts = [_numbers(path, name, table.column(name).to_numpy()) for name in numbered]
    return np.column_stack(parts)


def _lists(path: Path, column: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A list column as (templates, which are missing)."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise DataError(f"{path}, column 'template'", f"holds {kind}", "It must be a list of numbers a row")
    missing = column.is_null().to_numpy(zero_copy_only=False)
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)[~missing]
    if not len(lengths):
        raise DataError(f"{path}, column 'template'", "every template is missing", "Give at least one")
    other = np.flatnonzero(lengths != lengths[0])
    if len(other):
        rows = np.flatnonzero(~missing) + 1
        raise DataError(
            f"{path}, row {rows[other[0]]}, column 'template'",
            f"has {int(lengths[other[0]])} numbers, the one in row {rows[0]} has {int(lengths[0])}",
            "Templates of one model have one length",
        )
    flat = _numbers(path, "template", column.drop_null().flatten().to_numpy(zero_copy_only=False))
    values = np.zeros((len(missing), int(lengths[0])), dtype=flat.dtype)
    values[~missing] = flat.reshape(-1, values.shape[1])
    return values, missing


def _numbers(path: Path, column: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind not in "fiu":
        raise DataError(f"{path}, column {column!r}", f"holds {values.dtype}, no numbers", "Write float32 or float16")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is counted as a failure
        return values if values.dtype == np.float16 else values.astype(np.float32)


def _safetensors(path: Path) -> TemplateTable:
    from audit.benchmarks import tables  # noqa: PLC0415 - only here is a table of text read

    kind, shape, offset = _header(path)
    beside = path.with_suffix(".csv")
    if not beside.exists():
        raise DataError(
            str(beside), "no such table", f"{path.name} needs sample_id and subject_id of each row beside it"
        )
    names = ("sample_id", "subject_id")
    table = tables.read(beside, required=names, only=names)
    if len(table) != shape[0]:
        raise DataError(str(beside), f"has {len(table)} rows, {path.name} has {shape[0]}", "One row a template")
    values = np.memmap(path, dtype=_SAFE[kind], mode="r", offset=offset, shape=shape)
    rows: Rows = Bfloat16Rows(values) if kind == "BF16" else ArrayRows(values)
    ids = [table[name].tolist() for name in names]
    none = np.zeros(shape[0], dtype=bool)
    return _checked(path, ids[0], ids[1], rows, none, _WORDS[kind], _digest(path, beside))


def _header(path: Path) -> tuple[str, tuple[int, int], int]:
    """Type, shape and place of the one tensor of a safetensors file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(LARGEST_HEADER, size - 8):
                raise ValueError("its header is cut off")
            header = json.loads(stream.read(length))
        tensors = {name: part for name, part in header.items() if name != "__metadata__"}
        if len(tensors) != 1:
            raise ValueError(f"it holds {len(tensors)} tensors, one is wanted")
        (part,) = tensors.values()
        kind, shape = str(part["dtype"]), tuple(int(x) for x in part["shape"])
        begin, end = (int(x) for x in part["data_offsets"])
        if kind not in _SAFE:
            raise ValueError(f"it holds {kind}, allowed are {', '.join(_SAFE)}")
        if len(shape) != 2 or min(shape) < 1:
            raise ValueError(f"its shape is {list(shape)}, wanted is [samples, dimension]")
        if begin < 0 or end - begin != shape[0] * shape[1] * _SAFE[kind].itemsize or 8 + length + end > size:
            raise ValueError("its numbers are cut off")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(str(path), f"is not a safetensors file of templates: {error}", "Write it again") from None
    return kind, (shape[0], shape[1]), 8 + length + begin


def _digest(*paths: Path) -> str:
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
