"""The layout of FHIBE's faces (Fair Human-Centric Image Benchmark, Sony AI), as its downsampled release unpacks.

`fhibe.{version}_downsampled_public/data/processed/fhibe_face_crop_align/fhibe_face_crop_align.csv` has a row a face;
pictures lie under `data/raw/fhibe_downsampled/{subject}/{image}/`. The folder given may hold that folder, or be it.

**Samples** are the pictures that the column `filepath` of that table names: the face of one person, cropped and aligned
by annotated landmarks, 512 x 512. The whole pictures (`main_*.png`) show one or two people in a scene: which of them is
meant would be left to a detector. In `faces_crop_only_*.png` the size of a face varies tenfold with the camera's
distance. Rows with `multiple_subjects` are left out and counted, as in the publisher's own verification task. What this
chooses is said in the descriptor: how often a model finds no face in a *scene* is not measured.

**Cells** of labels are Python literals (`literals`): a selection of several values puts a person into several groups,
and "N. " prefixes are taken off. `ancestry_region` is made of `ancestry`: the region (Africa, Americas, Asia, Europe,
Oceania) of every subregion chosen. Skin colours are RGB codes of six tones; the publisher's evaluation code gives them
the Fitzpatrick types VI to I. "Prefer not to say" is a value. Free text (`location_country`) is a condition.

Of a person whose age grew from picture to picture the lowest is taken, and counted; any other label that differs
between rows of a person is an error. Sessions are not known: pictures of a person are of different times as far as
their folders differ.

**People who revoked** have no row in later releases. Their pictures, left over from an earlier one, have no row: they
are left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from audit.benchmarks import content, literals, people, tables
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.schema import AttributeSpec
from audit.domain import Sample
from audit.errors import DataError

TABLE = "data/processed/fhibe_face_crop_align/fhibe_face_crop_align.csv"
RAW = "data/raw/fhibe_downsampled"
REGIONS: dict[str, tuple[str, ...]] = {
    "Africa": ("Northern Africa", "Eastern Africa", "Middle Africa", "Southern Africa", "Western Africa"),
    "Americas": ("Caribbean", "Central America", "South America", "Northern America"),
    "Asia": ("Central Asia", "Eastern Asia", "South-eastern Asia", "Southern Asia", "Western Asia"),
    "Europe": ("Eastern Europe", "Northern Europe", "Southern Europe", "Western Europe"),
    "Oceania": ("Australia and New Zealand", "Melanesia", "Micronesia", "Polynesia"),
}
"""Regions of ancestry and their subregions: fhibe_evaluation_api, evaluate/constants.py."""
FITZPATRICK = {
    "102,78,65": "VI",
    "136,105,81": "V",
    "164,131,103": "IV",
    "175,148,120": "III",
    "189,163,137": "II",
    "198,180,157": "I",
}
"""RGB codes of skin colours: fhibe_evaluation_api, evaluate/constants.py."""
CONDITIONS = (
    "lighting", "scene", "weather", "camera_distance", "camera_position", "head_pose", "apparent_skin_color",
    "location_country", "user_hour_captured", "is_primary",
)  # fmt: skip
MOST_YEARS = 3
"""By how much ages of a person may differ between pictures."""
LONGEST_CELL = 1 << 24
"""Characters of a cell: columns that are not read here hold outlines of bodies."""
_SEPARATOR = "\x1f"
_FOLDER = re.compile(r"fhibe\.(?P<version>.+)_downsampled_public")
_REGION_OF = {sub: region for region, subs in REGIONS.items() for sub in (region, *subs)}


def read(root: Path, descriptor: Descriptor) -> Content:
    """Read a folder in the layout of FHIBE.

    Raises
    ------
    DataError
        Naming file, row, column and value.
    """
    home = _home(root)
    path = home / TABLE
    specs = descriptor.dataset.attributes
    columns = {spec.column or spec.name for spec in specs} - {"ancestry_region"}
    wanted = [*columns, "ancestry"] if "ancestry_region" in {spec.column or spec.name for spec in specs} else columns
    required = ["filepath", "subject_id", *sorted(set(wanted))]
    frame = tables.read(
        path,
        required=["filepath", "subject_id"],
        key="filepath",
        only=[*required, "multiple_subjects", *CONDITIONS],
        longest=LONGEST_CELL,
    )
    for column in required:
        tables.require(map(str, frame.columns), path, column)
    frame, notes = _single(frame, path)
    labels = _labels(frame, path, specs)
    labels, aged = _steady_ages(labels, specs)
    subjects, noticed = people.subjects(
        labels.drop_duplicates(), path, key="subject_id", specs=specs, separator=_SEPARATOR
    )
    rows = zip(frame.index, frame.to_dict("records"), strict=True)
    samples = tuple(_sample(home, f"{path}, row {row}", cells) for row, cells in rows)
    if not any(sample.path.is_file() for sample in samples):
        raise DataError(str(path), f"none of the {len(samples)} pictures that it names is there", f"Unpack {RAW} too")
    strangers = _strangers(home, {subject.subject_id for subject in subjects})
    notes = (*notes, *noticed, *aged, *strangers, *_missing(samples))
    return Content(subjects, samples, None, notes, version=_version(home))


def left_out(root: Path, made: Content) -> set[str]:
    """Other pictures of people who have a sample (whole scenes, crops, pictures of two), as relative paths."""
    used = {sample.path for sample in made.samples}
    found = (
        path
        for subject in made.subjects
        for path in content.inside(_home(root) / RAW, subject.subject_id, place=str(root)).rglob("*")
    )
    return {
        path.relative_to(root).as_posix()
        for path in found
        if path.suffix.lower() in content.IMAGE_SUFFIXES and path not in used
    }


def _home(root: Path) -> Path:
    """The folder that holds `data/`: the one given, or the one release in it."""
    if (root / TABLE).is_file():
        return root
    found = sorted(path for path in root.iterdir() if path.is_dir() and _FOLDER.fullmatch(path.name))
    if len(found) > 1:
        raise DataError(
            str(root),
            f"holds {len(found)} releases: {', '.join(path.name for path in found)}",
            "Keep the latest and delete the others: people may have left the set since",
        )
    return content.inside(root, found[0].name, place=str(found[0])) if found else root


def _version(home: Path) -> str:
    match = _FOLDER.fullmatch(home.resolve().name)
    return match["version"] if match else "not told by the name of its folder"


def _single(frame: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out faces of pictures with two people."""
    if "multiple_subjects" not in frame.columns:
        return frame, ()
    said = frame["multiple_subjects"].str.strip().str.lower()
    for row, word in said.items():
        if word not in ("true", "false"):
            raise DataError(
                f"{path}, row {row}, column 'multiple_subjects'", f"{word!r} is neither True nor False", "Correct it"
            )
    several = int((said == "true").sum())
    if several == len(frame):
        raise DataError(str(path), "every picture shows several people", "Give the table as it was published")
    note = f"{several} of {len(frame)} faces are of pictures with two people; they are left out."
    return frame[said == "false"], (note,) if several else ()


def _labels(frame: pd.DataFrame, path: Path, specs: Sequence[AttributeSpec]) -> pd.DataFrame:
    """Table of people: a row a picture, cells as text, selections joined."""
    made: dict[str, list[str]] = {"subject_id": [str(cell) for cell in frame["subject_id"]]}
    for column in {spec.column or spec.name for spec in specs}:
        source = "ancestry" if column == "ancestry_region" else column
        held = []
        for row, cell in frame[source].items():
            try:
                found = literals.values(str(cell))
            except ValueError as error:
                raise DataError(f"{path}, row {row}, column {source!r}", str(error), "Correct that cell") from None
            if column == "ancestry_region":
                found = tuple(dict.fromkeys(_REGION_OF.get(value, value) for value in found))
            held.append(_SEPARATOR.join(FITZPATRICK.get(value, value) for value in found))
        made[column] = held
    return pd.DataFrame(made, index=frame.index, dtype=str)


def _steady_ages(labels: pd.DataFrame, specs: Sequence[AttributeSpec]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Give every row of a person the lowest age, where ages differ by a few years."""
    notes = []
    for spec in specs:
        column = spec.column or spec.name
        if spec.kind != "numeric":
            continue
        ages = pd.to_numeric(labels[column], errors="coerce")
        lowest, highest = (ages.groupby(labels["subject_id"]).transform(how) for how in ("min", "max"))
        grown = (highest > lowest) & (highest - lowest <= MOST_YEARS) & ages.notna()
        labels.loc[grown, column] = [f"{value:g}" for value in lowest[grown]]
        count = labels.loc[grown, "subject_id"].nunique()
        if count:
            notes.append(f"{column}: {count} person(s) are of another age in another picture; the lowest is taken.")
    return labels, tuple(notes)


def _sample(home: Path, place: str, cells: Mapping[Hashable, Any]) -> Sample:
    relative = str(cells["filepath"])
    found = {name: str(cells[name]) for name in CONDITIONS if str(cells.get(name, "")).strip()}
    return Sample(
        sample_id=relative,
        subject_id=str(cells["subject_id"]),
        path=content.inside(home, relative, place=f"{place}, column 'filepath'"),
        conditions={name: _shown(text) for name, text in found.items()},
    )


def _shown(cell: str) -> str:
    """A condition in words; one that cannot be read stays as written, since no number rests on it."""
    try:
        return " and ".join(FITZPATRICK.get(value, value) for value in literals.values(cell))
    except ValueError:
        return cell


def _strangers(home: Path, known: set[str]) -> tuple[str, ...]:
    """Count people who have pictures but no row."""
    folder = home / RAW
    if not folder.is_dir():
        return ()
    extra = sum(path.is_dir() and path.name not in known for path in folder.iterdir())
    text = "people have pictures but no row: they left the set, or are only in pictures with two people. Not used."
    return (f"{extra} {text}",) if extra else ()


def _missing(samples: Sequence[Sample]) -> tuple[str, ...]:
    missing = sum(not sample.path.is_file() for sample in samples)
    text = f"{missing} of {len(samples)} image files are missing; they count as failures to read."
    return (text,) if missing else ()
