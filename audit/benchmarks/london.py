"""The layout of the Face Research Lab London Set.

`london_info.csv` (face_id, face_age, face_gender, face_eth), `neutral_front/{id}_03.jpg`, `smiling_front/{id}_08.jpg`.
Ids are zero-padded text. The neutral pictures have landmarks beside them, `neutral_front/{id}_03.tem`: the 189 points
of the Face Research Lab's template, whose meaning its authors give with the R package webmorphR (FRL.csv).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.benchmarks import content, people, tables, tem
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor
from audit.domain import Box, Points, Sample
from audit.errors import DataError

TABLE = "london_info.csv"
EXPRESSIONS = (("neutral", "neutral_front", "03"), ("smiling", "smiling_front", "08"))

POINTS = 189
FACE = (*range(109, 115), *range(125, 145), *range(185, 189))
"""The template's outline of the face: where the ears meet the head, the jaw, the chin, and the hairline."""
EYES, NOSE, MOUTH = (0, 1), (54, 55, 60), (87, 93)
"""Pupils; the tip of the nose (its left and right side and its bottom: their middle); corners of the mouth."""


def read(root: Path, descriptor: Descriptor) -> Content:
    """Read a folder in the London layout: every person has a neutral and a smiling sample, there or missing.

    Raises
    ------
    DataError
        Naming file, row, column and value.
    """
    path = root / TABLE
    tables.check_digest(path, descriptor.declared(TABLE))
    specs = descriptor.dataset.attributes
    columns = [spec.column or spec.name for spec in specs]
    frame = tables.read(path, required=["face_id", *columns], key="face_id")
    subjects, notes = people.subjects(frame, path, key="face_id", specs=specs)
    samples = []
    for row, subject in zip(frame.index, subjects, strict=True):
        for expression, folder, code in EXPRESSIONS:
            name = f"{folder}/{subject.subject_id}_{code}.jpg"
            place = content.inside(root, name, place=f"{path}, row {row}")
            box, points = _marked(place.with_suffix(tem.SUFFIX), root, descriptor)
            samples.append(
                Sample(
                    sample_id=f"{subject.subject_id}_{code}",
                    subject_id=subject.subject_id,
                    path=place,
                    sha256=descriptor.declared(name),
                    conditions={"expression": expression},
                    box=box,
                    points=points,
                )
            )
    return Content(subjects, tuple(samples), None, (*notes, *content.file_notes(root, samples)))


def _marked(path: Path, root: Path, descriptor: Descriptor) -> tuple[Box | None, Points | None]:
    """Box and five points of a picture from the landmarks beside it; None and None where there are none."""
    if not path.is_file():
        return None, None
    name = path.relative_to(root).as_posix()
    content.inside(root, name, place=str(path))
    tables.check_digest(path, descriptor.declared(name))
    landmarks = tem.read(path)
    if len(landmarks) != POINTS:
        raise DataError(
            str(path), f"has {len(landmarks)} points, the template {POINTS}", "Restore the published file, or remove it"
        )
    return face_box(landmarks), five(landmarks)


def face_box(landmarks: NDArray[np.float64]) -> Box:
    """Left, top, right and bottom of the smallest upright box round the outline of the face, without a margin.

    Parameters
    ----------
    landmarks : float, 189 x 2
    """
    outline = landmarks[list(FACE)]
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def five(landmarks: NDArray[np.float64]) -> Points:
    """Both eyes, the tip of the nose and both corners of the mouth, as `audit.models.detect.Face` has them.

    Parameters
    ----------
    landmarks : float, 189 x 2
    """
    nose = landmarks[list(NOSE)].mean(axis=0)
    return tuple((float(x), float(y)) for x, y in (*landmarks[list(EYES)], nose, *landmarks[list(MOUTH)]))
