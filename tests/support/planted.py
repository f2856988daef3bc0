"""A sound collection of twelve rendered pictures, and one defect planted into a copy of it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from made_up import ROOT, attribute, describe
from PIL import Image

PICTURES = ROOT / "benchmarks" / "synthetic" / "images"
VIEWS = ("studio", "indoors")


@dataclass
class Copy:
    """Tables and files of a copy, before they are written; `changes` go into the descriptor."""

    root: Path
    subjects: list[list[str]]
    samples: list[list[str]]
    pairs: list[list[str]]
    changes: dict[str, Any] = field(default_factory=dict)
    after: list[Callable[[], object]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def image(self, number: int) -> Path:
        """The image of a row of samples.csv, 1 being the first."""
        return self.root / self.samples[number][1]

    def put(self, number: int, content: bytes) -> None:
        """Replace the bytes of an image."""
        self.image(number).write_bytes(content)

    def write(self) -> Path:
        """Write tables, digests and descriptor; then what is to be done after that."""
        for row in self.samples[1:]:
            file = self.root / row[1]
            if row[3] == "":
                row[3] = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "0" * 64
        for name in ("subjects", "samples", "pairs"):
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(getattr(self, name))
            (self.root / f"{name}.csv").write_text(text.getvalue(), encoding="utf-8")
        table = self.root / "subjects.csv"
        file = {
            "@type": "cr:FileObject", "@id": "subjects.csv", "name": "subjects.csv", "contentUrl": "subjects.csv",
            "encodingFormat": "text/csv", "sha256": hashlib.sha256(table.read_bytes()).hexdigest(),
        }  # fmt: skip
        self.changes.setdefault("distribution", [file])
        described = describe(self.root, **self.changes)
        (self.root / "croissant.json").write_text(json.dumps(described), encoding="utf-8")
        for action in self.after:
            action()
        return self.root


def sound(root: Path) -> Copy:
    """A collection without a defect: six people, two pictures each, upright, distinct, described."""
    (root / "images").mkdir(parents=True)
    subjects = [["subject_id", "gender", "age"]]
    samples = [["sample_id", "path", "subject_id", "sha256"]]
    for k in range(1, 7):
        subjects.append([f"p{k}", ("female", "male")[k % 2], str(20 + 5 * k)])
        for view in VIEWS:
            path = f"images/p{k}-{view}.webp"
            (root / path).write_bytes((PICTURES / f"p{k:03}-{view}.webp").read_bytes())
            samples.append([f"p{k}-{view}", path, f"p{k}", ""])
    (root / "README.md").write_text("6 people, 12 images.\nOf these, 3 people wear glasses.\n", encoding="utf-8")
    specs = [
        attribute("gender", values=["female", "male"]),
        attribute("age", kind="numeric", edges=[40], missingValues=["NA"], unit="years"),
    ]
    pairs = [["probe", "reference"], ["p1-studio", "p1-indoors"], ["p1-studio", "p2-studio"]]
    return Copy(root, subjects, samples, pairs, {"faceaudit__attribute": specs})


def encoded(source: Path, form: str, **how: Any) -> bytes:
    """An image encoded anew."""
    with Image.open(source) as picture:
        out = io.BytesIO()
        picture.convert("RGB").save(out, form, **how)
    return out.getvalue()


def exif(tag: int, value: object) -> Image.Exif:
    """EXIF data of one tag."""
    made = Image.Exif()
    made[tag] = value
    return made


def bomb() -> bytes:
    """A PNG of a few bytes that claims 30,000 x 30,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
