"""Make an own benchmark of a folder of images and a table: the general layout, and its descriptor.

Nothing about people is guessed: a column is an attribute only if somebody says so, and who assigned it stays to be
written until somebody says that too. Values are documented as the table has them.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from audit.benchmarks import catalogue, consent, content, descriptor, people, recognise, tables
from audit.benchmarks.archives.names import check_distinct, inside
from audit.benchmarks.own import OwnAttribute, own_descriptor, unfilled
from audit.benchmarks.schema import AttributeSpec
from audit.benchmarks.staging import staged
from audit.domain import Subject
from audit.errors import DataError

SEPARATOR = "|"
PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_file", "img")
SUBJECTS = ("subject_id", "subject", "person_id", "person", "participant_id", "participant", "identity", "face_id")
MOST_LEVELS = 12
"""A column of numbers with more distinct values than this is a quantity: it needs bin edges."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Picture:
    """One row: where the image lies, where it will, whose it is, and everything else that goes with it."""

    source: Path
    sample_id: str
    path: str
    subject_id: str
    more: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Collection:
    """What was read of images and tables; nothing is written yet."""

    pictures: tuple[Picture, ...]
    subjects: tuple[Subject, ...]
    attributes: tuple[OwnAttribute, ...]
    left_out: tuple[str, ...]
    """Columns that nobody asked for."""
    without_row: int
    """Image files that no row names."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is what; None is looked for by name."""

    path: str | None = None
    subject: str | None = None
    sample: str | None = None
    session: str | None = None
    conditions: tuple[str, ...] = ()


def gather(
    images: Path,
    table: Path,
    attributes: Sequence[OwnAttribute],
    *,
    people_table: Path | None = None,
    columns: Columns | None = None,
) -> Collection:
    """Read images and tables.

    Parameters
    ----------
    images : Path
        Folder that the paths of the table start from.
    table : Path
        A row for each image: path and subject, and attributes unless they stand in `people_table`.
    attributes : sequence of OwnAttribute
        `column` names the column; values of categories are filled in from the table.
    people_table : Path, optional
        A row for each person.
    columns : Columns, optional

    Raises
    ------
    DataError
        Naming file, row, column and value: a missing image, a person with two values, a number without bin edges, ...
    Refused
        If the images, or a table, are called or arranged like a set that the gate refuses.
    """
    wanted = columns or Columns()
    if not images.is_dir():
        raise DataError(
            str(images), "no such folder of images", "Name the folder that the paths of the table start from"
        )
    recognise.check_folder(images, place=str(images))
    for one in (table, people_table):
        if one is not None:
            recognise.check_file(one, place=str(one))
    frame = tables.read(table, required=[])
    path = _column(frame, table, wanted.path, PATHS, "--path-column")
    subject = _column(frame, table, wanted.subject, SUBJECTS, "--subject-column")
    frame = tables.read(table, required=[path, subject])
    whose, where = (frame, table) if people_table is None else (tables.read(people_table, required=[]), people_table)
    key = subject if people_table is None else _column(whose, where, None, (subject, *SUBJECTS), "subject_id there")
    whose = whose if people_table is None else tables.read(where, required=[key])
    subjects, filled = _subjects(whose, where, key, attributes)
    pictures = _pictures(frame, table, images, replace(wanted, path=path, subject=subject))
    known = {one.subject_id for one in subjects}
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        if cells[subject] not in known:
            raise DataError(
                f"{table}, row {row}", f"{cells[subject]!r} is not in {where.name}", "Add that person there"
            )
    recognise.check_samples((picture.source for picture in pictures), images, place=str(images))
    used = {path, subject, wanted.sample or "sample_id", wanted.session or "session", *wanted.conditions}
    used |= {attribute.column or attribute.name for attribute in filled} if people_table is None else set()
    named = {picture.source.resolve() for picture in pictures}
    others = (file for file in images.rglob("*") if file.suffix.lower() in content.IMAGE_SUFFIXES and file.is_file())
    return Collection(
        pictures,
        subjects,
        filled,
        tuple(str(column) for column in frame.columns if column not in used),
        sum(file.resolve() not in named for file in others),
    )


def write(
    folder: Path,
    collection: Collection,
    *,
    name: str,
    answers: Mapping[str, str],
    default_by: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[str]:
    """Copy the images into a new folder, and write tables and descriptor.

    Parameters
    ----------
    folder : Path
        It must not exist, or be empty.
    collection : Collection
    name : str
        Short name, as in results/NAME.
    answers : mapping
        Of `own.ANSWERS`, and `title` and `organisation`; what is not there is left to write.
    default_by : sequence of str
    progress : callable, optional
        Called with ("read", images done, images in all).

    Returns
    -------
    list of str
        Keys of the descriptor that are left to write.

    Raises
    ------
    DataError
        If the folder is there already, or an answer is not one that a descriptor can hold.
    Refused
        If the name or the title is one of a refused set, or the gate refuses what the answers say.
    """
    _check_name(name, answers)
    with staged(folder, size=sum(picture.source.stat().st_size for picture in collection.pictures)) as made:
        _write_tables(made, collection)
        files = {table: _digest((made / table).read_bytes()) for table in ("subjects.csv", "samples.csv")}
        for done, picture in enumerate(collection.pictures, start=1):
            copied = picture.source.read_bytes()
            place = made / picture.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(copied)
            files[picture.path] = _digest(copied)
            if progress is not None:
                progress("read", done, len(collection.pictures))
        described: dict[str, Any] = own_descriptor(
            name=name,
            attributes=collection.attributes,
            files=files,
            default_by=default_by,
            **_facts(collection),
            **answers,
        )
        text = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
        (made / descriptor.FILE_NAME).write_text(text, encoding="utf-8")
        left = unfilled(described)
        if not left:
            _check_whole(made, folder, name)
    return left


def _check_whole(made: Path, folder: Path, name: str) -> None:
    """Validate a descriptor with nothing left to write, and ask the gate, before it gets its place."""
    try:
        described = descriptor.read(made / descriptor.FILE_NAME)
    except DataError as error:
        raise DataError(error.place.replace(str(made), str(folder)), error.found, error.way_out) from None
    consent.gate(described.dataset, place=name)


def sizes(collection: Collection, attribute: OwnAttribute) -> str:
    """Say how many people have each value of an attribute, or between which two a number lies."""
    values = [value for one in collection.subjects for value in one.attributes[attribute.name] or ("",)]
    counted = sorted(Counter(values).items())
    if attribute.kind == "categorical":
        return ", ".join(f"{value or 'no value'} {count}" for value, count in counted)
    numbers = [float(value) for value in values if value]
    missing = f", no value {values.count('')}" if "" in values else ""
    return f"{len(numbers)} numbers, {min(numbers):g} to {max(numbers):g}{missing}" if numbers else "no value"


def _facts(collection: Collection) -> dict[str, str]:
    """What the tables themselves say of the collection."""
    told = [f"{one.name} ({sizes(collection, one)})" for one in collection.attributes]
    people_count = len(collection.subjects)
    return {
        "description": f"{len(collection.pictures)} pictures of {people_count} people.",
        "sensitive": f"Labels of {people_count} people: {'; '.join(told)}.",
        "biases": f"Groups are as large as the collection happens to have them: {'; '.join(told)}.",
        "limitations": "These people stand for themselves: how they were chosen decides whom else results hold for.",
    }


def _check_name(name: str, answers: Mapping[str, str]) -> None:
    if not _NAME.fullmatch(name):
        raise DataError(f"--name {name}", "is no short name", "Write small letters, digits, '_' and '-', at most 64")
    for entry in recognise.by_name([name, answers.get("title", "")]):
        consent.check_entry(entry, place=name)
    known = catalogue.find(name)
    if known is not None:
        raise DataError(f"--name {name}", f"is the name of {known.name} in the catalogue", "Give your own another name")


def _column(frame: pd.DataFrame, table: Path, named: str | None, usual: Sequence[str], option: str) -> str:
    """The column that was named, or the only one that is called so usually."""
    if named is not None:
        if named in frame.columns:
            return named
        raise DataError(str(table), f"has no column {named!r}", f"Columns are {', '.join(frame.columns)}")
    found = [str(column) for column in frame.columns if str(column).strip().lower() in usual]
    if len(frame.columns) == 1 and (other := re.search(r"[;\t|]", str(frame.columns[0]))):
        raise DataError(f"{table}, row 1", f"cells are parted by {other.group()!r}", "Save the table with commas")
    if len(found) != 1:
        text = f"could be any of {', '.join(found)}" if found else "has none of the usual names"
        raise DataError(
            str(table), f"the column for {option} {text}", f"Name it; columns are {', '.join(frame.columns)}"
        )
    return found[0]


def _subjects(
    frame: pd.DataFrame, table: Path, key: str, attributes: Sequence[OwnAttribute]
) -> tuple[tuple[Subject, ...], tuple[OwnAttribute, ...]]:
    if not attributes:
        raise DataError(
            str(table), "no column was named as an attribute", "Name at least one: --attribute gender=self-reported"
        )
    specs = [
        AttributeSpec.model_validate(one.to_json() | {"faceaudit:provenance": "undocumented"}) for one in attributes
    ]
    subjects, _ = people.subjects(frame, table, key=key, specs=specs, separator=SEPARATOR)
    filled = []
    for one in attributes:
        values = {value for subject in subjects for value in subject.attributes[one.name]}
        if one.kind == "categorical" and len(values) > MOST_LEVELS and all(people.is_number(value) for value in values):
            raise DataError(
                f"{table}, column {one.column or one.name!r}",
                f"holds {len(values)} different numbers",
                f"Give bin edges, for example --edges {one.name}=30,50; none are assumed",
            )
        filled.append(replace(one, values=tuple(sorted(values)) if one.kind == "categorical" else ()))
    return subjects, tuple(filled)


def _pictures(frame: pd.DataFrame, table: Path, images: Path, columns: Columns) -> tuple[Picture, ...]:
    for named in (columns.sample, columns.session, *columns.conditions):
        if named is not None and named not in frame.columns:
            raise DataError(str(table), f"has no column {named!r}", f"Columns are {', '.join(frame.columns)}")
    sample = columns.sample or ("sample_id" if "sample_id" in frame.columns else None)
    session = columns.session or ("session" if "session" in frame.columns else None)
    made: dict[str, Picture] = {}
    rows: dict[Path, int] = {}
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        place = f"{table}, row {row}"
        written = str(cells[columns.path]).strip()
        source = content.inside(images, written, place=place)
        if not source.is_file():
            raise DataError(
                place, f"no such image: {written!r}", f"It is looked for in {images}; mend or remove the row"
            )
        if source.suffix.lower() not in content.IMAGE_SUFFIXES:
            known = ", ".join(sorted(content.IMAGE_SUFFIXES))
            raise DataError(place, f"{written!r} has no image's name", f"Images end in {known}")
        if rows.setdefault(source.resolve(), row) != row:
            raise DataError(place, f"{written!r} stands in row {rows[source.resolve()]} too", "One image is one sample")
        path = f"images/{inside(table, written)}"
        name = str(cells[sample]) if sample else PurePosixPath(path).with_suffix("").as_posix().removeprefix("images/")
        if name in made:
            name = path.removeprefix("images/") if not sample else name
        if name in made:
            raise DataError(place, f"the sample id {name!r} stands twice", "Every sample needs its own")
        more = {"session": str(cells[session])} if session else {}
        more |= {condition: str(cells[condition]) for condition in columns.conditions}
        made[name] = Picture(source, name, path, str(cells[columns.subject]), more)
    check_distinct(table, [picture.path for picture in made.values()])
    return tuple(made.values())


def _write_tables(folder: Path, collection: Collection) -> None:
    names = [attribute.column or attribute.name for attribute in collection.attributes]
    _write(
        folder / "subjects.csv",
        ["subject_id", *names],
        [
            [one.subject_id, *(SEPARATOR.join(one.attributes[attribute.name]) for attribute in collection.attributes)]
            for one in collection.subjects
        ],
    )
    more = list(collection.pictures[0].more)
    _write(
        folder / "samples.csv",
        ["sample_id", "path", "subject_id", *more],
        [[one.sample_id, one.path, one.subject_id, *one.more.values()] for one in collection.pictures],
    )


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _digest(content_: bytes) -> str:
    return hashlib.sha256(content_).hexdigest()


def edges(text: str, place: str) -> tuple[float, ...]:
    """Read increasing bin edges of a numeric attribute, separated by commas."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)) or list(found) != sorted(set(found)):
        raise DataError(place, f"{text!r} are no increasing numbers", "Write them as 30,50")
    return found
