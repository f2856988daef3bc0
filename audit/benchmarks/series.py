"""Read `series.csv`: pictures of a person in which one factor is changed at a time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.benchmarks import boxes, content, tables
from audit.benchmarks.descriptor import Descriptor
from audit.domain import Sample, SeriesLevel, Subject
from audit.errors import DataError

_DIGITS = 9
COLUMNS = ("sample_id", "path", "subject_id", "factor", "level", "position", "own")


def read(
    path: Path, descriptor: Descriptor, *, subjects: Sequence[Subject], samples: Sequence[Sample]
) -> tuple[SeriesLevel, ...]:
    """Read the table of series.

    Parameters
    ----------
    subjects, samples : of the benchmark
        Whose people these are, and pictures and ids that a series may not use.

    Raises
    ------
    DataError
        Naming row, column and value: an unknown person, a picture of the samples, a level at two positions, a person
        with a level twice or without exactly one own level.
    """
    frame = tables.read(path, required=COLUMNS)
    boxes.require_all_columns(frame.columns, path)
    rows = zip(frame.index, frame.to_dict("records"), strict=True)
    reader = _Reader(path, descriptor, subjects, samples)
    levels = tuple(reader.row(int(row), cells) for row, cells in rows)
    _check_own(path, levels)
    return levels


class _Reader:
    def __init__(
        self, path: Path, descriptor: Descriptor, subjects: Sequence[Subject], samples: Sequence[Sample]
    ) -> None:
        self._path, self._descriptor = path, descriptor
        self._people = {subject.subject_id for subject in subjects}
        self._taken = {sample.sample_id for sample in samples} | {str(content.real(sample.path)) for sample in samples}
        self._pictures: dict[str, Sample] = {}
        self._files: dict[Path, str] = {}
        self._positions: dict[tuple[str, str], int] = {}
        self._levels: dict[tuple[str, int], str] = {}
        self._seen: dict[tuple[str, str, str], int] = {}

    def row(self, row: int, cells: Mapping[Hashable, Any]) -> SeriesLevel:
        place = f"{self._path}, row {row}"
        subject, factor, level = (str(cells[name]) for name in ("subject_id", "factor", "level"))
        if subject not in self._people:
            raise DataError(
                f"{place}, column 'subject_id'", f"{subject!r} is not in subjects.csv", "Add that person there"
            )
        before = self._seen.setdefault((subject, factor, level), row)
        if before != row:
            raise DataError(
                place, f"{subject!r} has the level {level!r} of {factor!r} in row {before} too", "Remove one of them"
            )
        if cells["own"] not in ("yes", "no"):
            raise DataError(f"{place}, column 'own'", f"expected yes or no, found {cells['own']!r}", "Correct it")
        sample = self._sample(place, subject, cells)
        return SeriesLevel(sample, factor, level, self._position(place, factor, level, cells), cells["own"] == "yes")

    def _sample(self, place: str, subject: str, cells: Mapping[Hashable, Any]) -> Sample:
        name = str(cells["sample_id"])
        file = content.inside(self._path.parent, str(cells["path"]), place=f"{place}, column 'path'")
        real = content.real(file)
        if name in self._taken or str(real) in self._taken:
            raise DataError(
                place, f"{name!r} ({cells['path']}) is in samples.csv too", "A series has pictures of its own"
            )
        sha256 = content.declared(self._descriptor, cells, place=place)
        box = boxes.read(cells, place=place)
        sample = Sample(sample_id=name, subject_id=subject, path=file, sha256=sha256, box=box)
        if self._pictures.setdefault(name, sample) != sample or self._files.setdefault(real, name) != name:
            raise DataError(
                place,
                f"{name!r} stands in an earlier row with another picture, person or box",
                "Correct one of them",
            )
        return self._pictures[name]

    def _position(self, place: str, factor: str, level: str, cells: Mapping[Hashable, Any]) -> int:
        text = str(cells["position"])
        if not text.isdecimal() or len(text) > _DIGITS:
            raise DataError(f"{place}, column 'position'", f"expected 0, 1, 2, ..., found {text[:40]!r}", "Correct it")
        position = int(text)
        if (
            self._positions.setdefault((factor, level), position) != position
            or self._levels.setdefault((factor, position), level) != level
        ):
            raise DataError(
                f"{place}, column 'position'",
                f"the level {level!r} of {factor!r} has another position in an earlier row, or shares {position}",
                "A level has one position, the same for everyone",
            )
        return position


def _check_own(path: Path, levels: Sequence[SeriesLevel]) -> None:
    """Every person has exactly one own level of every factor that she has a series of."""
    owned: dict[tuple[str, str], int] = {}
    for level in levels:
        key = level.sample.subject_id, level.factor
        owned[key] = owned.get(key, 0) + level.own
    for (subject, factor), count in owned.items():
        if count != 1:
            raise DataError(
                str(path),
                f"{subject!r} has {count} own levels of {factor!r}",
                "Write own = yes in exactly one row of each",
            )
