"""The layout of the Face Research Lab London Set.

`london_info.csv` (face_id, face_age, face_gender, face_eth), `neutral_front/{id}_03.jpg`, `smiling_front/{id}_08.jpg`.
Ids are zero-padded text.
"""

from __future__ import annotations

from pathlib import Path

from audit.benchmarks import content, people, tables
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor
from audit.domain import Sample

TABLE = "london_info.csv"
EXPRESSIONS = (("neutral", "neutral_front", "03"), ("smiling", "smiling_front", "08"))


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
            samples.append(
                Sample(
                    sample_id=f"{subject.subject_id}_{code}",
                    subject_id=subject.subject_id,
                    path=content.inside(root, name, place=f"{path}, row {row}"),
                    sha256=descriptor.declared(name),
                    conditions={"expression": expression},
                )
            )
    return Content(subjects, tuple(samples), None, (*notes, *content.file_notes(root, samples)))
