"""People of a table that nobody has described: labels as written, consent undocumented."""

from __future__ import annotations

from pathlib import Path

from audit.benchmarks import people, tables
from audit.benchmarks.people import is_number
from audit.benchmarks.schema import AttributeSpec
from audit.domain import Attribute, Subject
from audit.errors import DataError

SEPARATOR = "|"
KEY, IMAGES = "subject_id", "images"
MOST_LEVELS = 12
"""A column of numbers with more distinct values than this is a quantity: it is not grouped by without declared bins."""


def read(path: Path) -> tuple[tuple[Subject, ...], dict[str, Attribute], tuple[int, ...] | None]:
    """Read a table of people: `subject_id`, attributes, and optionally `images`, how many there are of each.

    Returns
    -------
    (subjects, attributes by name, images of each subject)

    Raises
    ------
    DataError
        Naming file, row, column and value.
    """
    frame = tables.read(path, required=[KEY], key=KEY)
    names = [name for name in frame.columns if name not in (KEY, IMAGES)]
    blank = [number for number, name in enumerate(frame.columns, start=1) if not name.strip()]
    if blank:
        raise DataError(f"{path}, row 1", f"the column {blank[0]} has no name", "Name it, or remove it")
    specs = [
        AttributeSpec.model_validate(
            {
                "@type": "faceaudit:Attribute",
                "faceaudit:name": f"a{number}",
                "faceaudit:column": name,
                "faceaudit:provenance": "undocumented",
                "faceaudit:kind": "categorical",
            }
        )
        for number, name in enumerate(names)
    ]
    found, _ = people.subjects(frame, path, key=KEY, specs=specs, separator=SEPARATOR)
    columns = {spec.name: spec.column or spec.name for spec in specs}
    subjects = tuple(Subject(s.subject_id, {columns[n]: values for n, values in s.attributes.items()}) for s in found)
    attributes = {name: _attribute(name, subjects) for name in names}
    if IMAGES not in frame.columns:
        return subjects, attributes, None
    counts = [_count(str(cell), f"{path}, row {row}, column {IMAGES!r}") for row, cell in frame[IMAGES].items()]
    return subjects, attributes, tuple(counts)


def _attribute(name: str, subjects: tuple[Subject, ...]) -> Attribute:
    values = {value for subject in subjects for value in subject.attributes[name]}
    quantity = len(values) > MOST_LEVELS and all(is_number(value) for value in values)
    return Attribute(name, "undocumented", "numeric" if quantity else "categorical")


def _count(cell: str, place: str) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) < 10):
        raise DataError(place, f"{cell!r} is no number of images", "Write 0, 1, 2, ...")
    return int(cell)
