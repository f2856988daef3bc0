"""Turn the rows of a table of people into subjects with labels: kept as written, never imputed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from audit.benchmarks import content
from audit.benchmarks.descriptor import annotator
from audit.benchmarks.schema import AttributeSpec
from audit.domain import Subject
from audit.errors import DataError


def subjects(
    frame: pd.DataFrame, path: Path, *, key: str, specs: Sequence[AttributeSpec], separator: str | None = None
) -> tuple[tuple[Subject, ...], tuple[str, ...]]:
    """Make subjects of a table.

    Parameters
    ----------
    frame : DataFrame
        Columns of str, index of row numbers, as `tables.read` gives it.
    path : Path
        For messages.
    key : str
        Column of subject ids.
    specs : sequence of AttributeSpec
        Attributes that the descriptor declares.
    separator : str, optional
        Splits a cell into several values.

    Returns
    -------
    (subjects, notes)
        A missing label is an empty tuple. Notes count what was noticed.

    Raises
    ------
    DataError
        If a person has two values of an attribute in two rows, or a numeric label is no number.
    """
    made: dict[str, Subject] = {}
    rows: dict[str, int] = {}
    repeated = 0
    columns = {spec.name: spec.column or spec.name for spec in specs}
    kinds = {spec.name: spec for spec in specs}
    for spec in specs:
        for number, column in enumerate(spec.annotators):
            columns[annotator(spec.name, number)] = column
            kinds[annotator(spec.name, number)] = spec
    for column in columns.values():
        if column not in frame.columns:
            raise DataError(
                str(path),
                f"the column {column!r} is missing, but the descriptor declares it",
                f"Columns are {', '.join(frame.columns)}",
            )
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        labels = {name: _values(str(cells[columns[name]]), spec, path, row, separator) for name, spec in kinds.items()}
        subject = Subject(str(cells[key]), labels)
        before = made.get(subject.subject_id)
        if before is None:
            made[subject.subject_id], rows[subject.subject_id] = subject, row
            continue
        repeated += 1
        for name, values in labels.items():
            if values != before.attributes[name]:
                raise DataError(
                    f"{path}, row {row}, column {columns[name]!r}",
                    f"{subject.subject_id!r} has {_show(values)} here and {_show(before.attributes[name])} "
                    f"in row {rows[subject.subject_id]}",
                    "A person has one set of values of an attribute: correct one of the rows",
                )
    noticed = content.label_notes(list(made.values()), specs)
    if repeated:
        noticed.append(f"{repeated} row(s) of the table of people repeat an earlier row.")
    return tuple(made.values()), tuple(noticed)


def _values(cell: str, spec: AttributeSpec, path: Path, row: int, separator: str | None) -> tuple[str, ...]:
    parts = cell.split(separator) if separator else [cell]
    values = tuple(dict.fromkeys(part for part in parts if part.strip() and part not in spec.missing_values))
    if spec.kind == "numeric":
        place = f"{path}, row {row}, column {spec.column or spec.name!r}"
        if len(values) > 1:
            raise DataError(place, f"{cell!r} holds several values of a numeric attribute", "Keep one number")
        if values and values[0] not in spec.words and not is_number(values[0]):
            raise DataError(
                place,
                f"{cell!r} is no number",
                "Correct it, or declare it in faceaudit:words (a value) or faceaudit:missingValues (no value)",
            )
    return values


def is_number(text: str) -> bool:
    """Say whether a cell holds a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _show(values: tuple[str, ...]) -> str:
    return " and ".join(repr(value) for value in values) or "no value"
