"""The general layout, which any collection can be brought into.

- `samples.csv`: `sample_id`, `path`, `subject_id`; optionally `session`, `sha256` (of the image), and `box_left`,
  `box_top`, `box_width`, `box_height` (of the face, in pixels of the upright picture; empty where none was marked);
  every other column is a capture condition.
- `subjects.csv`: `subject_id` and a column for each attribute of the descriptor; `|` separates several values.
- `pairs.csv`, optional: `probe`, `reference` (sample ids), and optionally `fold`; without it every sample is compared
  with every other.
- `series.csv`, optional: pictures of a person with one factor changed: `sample_id`, `path`, `subject_id`, `factor`,
  `level`, `position` (0, 1, ... in the order of levels), `own` (yes or no: once a person and factor it is yes), and
  optionally `sha256` and the four columns of a box. The own picture may stand in several rows, once a factor.
"""

from __future__ import annotations

from pathlib import Path

from audit.benchmarks import boxes, content, people, protocol, series, tables
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor
from audit.domain import Sample, SeriesLevel
from audit.errors import DataError

SEPARATOR = "|"
_NO_CONDITION = ("sample_id", "path", "subject_id", "session", "sha256", *boxes.COLUMNS)


def tables_folder(root: Path, descriptor: Descriptor) -> Path:
    """Where the tables lie: with the data, or beside the descriptor of a set that was published without tables."""
    shipped = descriptor.path.parent
    return shipped if not (root / "samples.csv").exists() and (shipped / "samples.csv").exists() else root


def read(root: Path, descriptor: Descriptor) -> Content:
    """Read a folder in the general layout.

    Raises
    ------
    DataError
        Naming file, row, column and value.
    """
    home = tables_folder(root, descriptor)
    for name in ("samples.csv", "subjects.csv", "pairs.csv", "series.csv"):
        if (home / name).exists() or name in ("samples.csv", "subjects.csv"):
            tables.check_digest(home / name, descriptor.declared(name))
    specs = descriptor.dataset.attributes
    columns = [name for spec in specs for name in (spec.column or spec.name, *spec.annotators)]
    frame = tables.read(home / "subjects.csv", required=["subject_id"])
    subjects, notes = people.subjects(frame, home / "subjects.csv", key="subject_id", specs=specs, separator=SEPARATOR)
    undescribed = [column for column in frame.columns if column not in ("subject_id", *columns)]
    if undescribed:
        notes = (*notes, f"Columns without a description are left out: {', '.join(undescribed)}.")
    samples = _samples(root, home / "samples.csv", descriptor, known={subject.subject_id for subject in subjects})
    notes = (*notes, *content.silent_notes(subjects, samples))
    pairs, folds = protocol.read(root / "pairs.csv", samples) if (root / "pairs.csv").exists() else (None, {})
    changed: tuple[SeriesLevel, ...] = ()
    if (root / "series.csv").exists():
        changed = series.read(root / "series.csv", descriptor, subjects=subjects, samples=samples)
    pictures = (*samples, *(level.sample for level in changed))
    return Content(subjects, samples, pairs, (*notes, *content.file_notes(root, pictures)), changed, folds=folds)


def _samples(root: Path, path: Path, descriptor: Descriptor, *, known: set[str]) -> tuple[Sample, ...]:
    frame = tables.read(path, required=["sample_id", "path", "subject_id"], key="sample_id")
    conditions = [name for name in frame.columns if name not in _NO_CONDITION]
    boxes.require_all_columns(frame.columns, path)
    seen: dict[Path, int] = {}
    samples = []
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        place = f"{path}, row {row}"
        if cells["subject_id"] not in known:
            raise DataError(
                f"{place}, column 'subject_id'",
                f"{cells['subject_id']!r} is not in subjects.csv",
                "Add that person there, with labels or empty cells",
            )
        file = content.inside(root, str(cells["path"]), place=f"{place}, column 'path'")
        real = content.real(file)
        if real in seen:
            raise DataError(
                f"{place}, column 'path'",
                f"{cells['path']!r} is the image of row {seen[real]} too",
                "One image is one sample: comparing it with itself would count as a match",
            )
        seen[real] = row
        samples.append(
            Sample(
                sample_id=str(cells["sample_id"]),
                subject_id=str(cells["subject_id"]),
                path=file,
                sha256=content.declared(descriptor, cells, place=place),
                session=str(cells["session"]) or None if "session" in frame.columns else None,
                conditions={str(name): str(cells[name]) for name in conditions},
                box=boxes.read(cells, place=place),
            )
        )
    return tuple(samples)
