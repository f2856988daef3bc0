"""Ids of a benchmark's people and samples, if it is at hand: what must not stand in anything published."""

from __future__ import annotations

from pathlib import Path

from audit.scan import Ids


def known_ids(folder: Path, data: Path | None) -> tuple[Ids | None, str]:
    """Load the benchmark of a record from the data entries; the gate is asked as in a run.

    Returns
    -------
    (ids or None, in words what was looked for)
    """
    from audit import benchmarks  # noqa: PLC0415 - loads pandas
    from audit import record as records  # noqa: PLC0415
    from audit.errors import AuditError  # noqa: PLC0415

    record = records.read(folder / "record.json")
    name = record.benchmark.name
    try:
        loaded = benchmarks.load(
            name, data=benchmarks.data_entries(() if data is None else (data,)), acknowledge=tuple(record.benchmark.acknowledged)
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
