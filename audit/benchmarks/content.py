"""What a layout gives back, and what holds for the files of every layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.schema import safe_path
from audit.domain import Sample, Subject
from audit.errors import DataError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".gif"})


@dataclass(frozen=True, slots=True)
class Content:
    """Subjects, samples and, where the set prescribes them, comparisons."""

    subjects: tuple[Subject, ...]
    samples: tuple[Sample, ...]
    pairs: tuple[tuple[str, str], ...] | None = None
    notes: tuple[str, ...] = ()


def inside(root: Path, relative: str, *, place: str) -> Path:
    """Resolve a relative path and make sure that it stays inside the folder, symbolic links included.

    Raises
    ------
    DataError
        If it does not.
    """
    try:
        safe_path(relative)
    except ValueError as error:
        raise DataError(place, str(error)) from None
    path = root / relative
    if not path.resolve().is_relative_to(root.resolve()):
        raise DataError(place, f"{relative!r} is a link to outside the folder", "Copy the file into the folder")
    return path


def file_notes(root: Path, samples: Sequence[Sample]) -> tuple[str, ...]:
    """Count image files without a row, and rows without an image file."""
    named = {sample.path for sample in samples}
    missing = sum(not path.is_file() for path in named)
    extra = sum(path not in named for path in _images(root))
    notes = []
    if missing:
        notes.append(f"{missing} of {len(named)} image files are missing; they count as failures to read.")
    if extra:
        notes.append(f"{extra} image file(s) have no row and are left out.")
    return tuple(notes)


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
            "List each in 'distribution' with the sha256 of your file; it is then self-declared",
        )


def _images(root: Path) -> Iterable[Path]:
    return (path for path in root.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
