"""Ids of a benchmark's people and samples, if it is at hand: what must not stand in anything published."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from audit.errors import DataError
from audit.scan import Ids

COLUMNS = ("subject_id", "sample_id")


def from_tables(paths: Sequence[Path]) -> Ids:
    """Read ids from the columns `subject_id` and `sample_id` of tables.

    Raises
    ------
    DataError
        If a table cannot be read or has neither.
    """
    names: set[str] = set()
    for path in paths:
        try:
            with path.open(newline="", encoding="utf-8-sig") as stream:
                rows = csv.DictReader(stream)
                there = [name for name in COLUMNS if name in (rows.fieldnames or ())]
                names |= {row[name] for row in rows for name in there if row[name]}
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(str(path), f"cannot be read as CSV ({type(error).__name__})", "Give a table") from None
        if not there:
            raise DataError(str(path), "has neither subject_id nor sample_id", "Give a table of people or samples")
    return Ids(frozenset(names))


def known_ids(folder: Path, data: Path | None) -> tuple[Ids | None, str]:
    """Load the benchmark of a record from the data entries; the gate is asked as in a run.

    Returns
    -------
    (ids or None, in words what was looked for)
    """
    from audit import benchmarks  # noqa: PLC0415 - loads pandas
    from audit import record as records  # noqa: PLC0415 - as above
    from audit.errors import AuditError  # noqa: PLC0415 - as above

    record = records.read(folder / "record.json")
    name = record.benchmark.name
    try:
        loaded = benchmarks.load(
            name,
            data=benchmarks.data_entries(() if data is None else (data,)),
            acknowledge=tuple(record.benchmark.acknowledged),
        )
    except AuditError as error:
        return None, f"ids of {name} are not at hand ({error.found}): none of them was looked for"
    pictures = (*loaded.samples, *(row.sample for row in loaded.series))
    names = {
        *(subject.subject_id for subject in loaded.subjects),
        *(sample.sample_id for sample in pictures),
        *(sample.path.name for sample in pictures),
    }
    return Ids(frozenset(names)), f"{len(names):,} ids and file names of {name} were looked for"
