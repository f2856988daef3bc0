"""What a layout gives back, and what holds for the files of every layout."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.schema import AttributeSpec, file_path
from audit.domain import Sample, SeriesLevel, Subject
from audit.errors import DataError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".gif"})

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Content:
    """Subjects, samples and, where the set prescribes them, comparisons."""

    subjects: tuple[Subject, ...]
    samples: tuple[Sample, ...]
    pairs: tuple[tuple[str, str], ...] | None = None
    notes: tuple[str, ...] = ()
    series: tuple[SeriesLevel, ...] = ()
    version: str | None = None
    """Version of the copy, where the layout tells it."""
    folds: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Fold of every pair, where the protocol has folds."""


def real(path: Path) -> Path:
    """Where a path leads; of links that run in a circle the path itself, for which `Path.resolve` raises."""
    return Path(os.path.realpath(path))


def inside(root: Path, relative: str, *, place: str) -> Path:
    """Resolve a relative path and make sure that it stays inside the folder, symbolic links included.

    Raises
    ------
    DataError
        If it does not.
    """
    try:
        file_path(relative)
    except ValueError as error:
        raise DataError(place, str(error)) from None
    path = root / relative
    if not real(path).is_relative_to(real(root)):
        raise DataError(place, f"{relative!r} is a link to outside the folder", "Copy the file into the folder")
    return path


def declared(descriptor: Descriptor, cells: Mapping[Hashable, Any], *, place: str) -> str | None:
    """SHA-256 that is declared for the image of a row: by the descriptor, or in the table's column `sha256`.

    Raises
    ------
    DataError
        If the cell is no SHA-256, or says something else than the descriptor.
    """
    described, written = descriptor.declared(str(cells["path"])), str(cells.get("sha256", ""))
    if not written:
        return described
    where = f"{place}, column 'sha256'"
    if not _SHA256.fullmatch(written):
        raise DataError(
            where, f"{written!r} is no SHA-256 in lower case", "Write 64 hexadecimal digits, or leave it empty"
        )
    if described not in (None, "unknown", written):
        raise DataError(where, "differs from what the descriptor declares for this image", "Correct one of them")
    return written


def file_notes(root: Path, samples: Sequence[Sample], *, known: Collection[Path] = ()) -> tuple[str, ...]:
    """Count image files without a row, and rows without an image file; `known` files are in neither count."""
    named = {sample.path for sample in samples}
    missing = sum(not path.is_file() for path in named)
    extra = sum(path not in named and path not in known for path in _images(root))
    notes = []
    if missing:
        notes.append(f"{missing} of {len(named)} image files are missing; they count as failures to read.")
    if extra:
        notes.append(f"{extra} image file(s) have no row and are left out.")
    return tuple(notes)


def label_notes(people: Sequence[Subject], specs: Sequence[AttributeSpec]) -> list[str]:
    """Count missing labels and values that the descriptor does not document."""
    notes = []
    for spec in specs:
        held = [subject.attributes[spec.name] for subject in people]
        missing = sum(not values for values in held)
        if missing:
            notes.append(f"{spec.name}: {missing} of {len(held)} people have no label; they form a group of their own.")
        if not spec.documented:
            continue
        for value in sorted({value for values in held for value in values} - set(spec.documented)):
            count = sum(value in values for values in held)
            notes.append(f"{spec.name}: {value!r} is no documented value; {count} of {len(held)} people have it. Kept.")
    return notes


def silent_notes(subjects: Sequence[Subject], samples: Sequence[Sample]) -> tuple[str, ...]:
    """Count people without a sample."""
    silent = len(subjects) - len({sample.subject_id for sample in samples})
    return (f"{silent} of {len(subjects)} people have no sample.",) if silent else ()


def check_declared(samples: Sequence[Sample], descriptor: Descriptor) -> None:
    """Make sure that every image has a declared digest, unless the set is live.

    Raises
    ------
    DataError
        Counting the files without one.
    """
    if descriptor.dataset.live:
        return
    without = [sample for sample in samples if sample.sha256 is None or sample.sha256 == "unknown"]
    if without:
        raise DataError(
            str(descriptor.path),
            f"{len(without)} of {len(samples)} images have no known SHA-256, the first is {without[0].path.name!r}",
            "Give the sha256 of each of your files: in 'distribution', in the column sha256 of its table, or in "
            "SHA256SUMS in its folder (find . -type f ! -name SHA256SUMS -exec sha256sum {} + > SHA256SUMS)",
        )


def _images(root: Path) -> Iterable[Path]:
    return (path for path in root.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
