"""Folders in the layouts of published sets, generated: their schema, pictures of the bundled set, no person's data."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "benchmarks" / "synthetic" / "images"
VIEWS = ("studio", "indoors", "outdoors", "turned")


def picture(person: int, view: int, suffix: str) -> bytes:
    """A picture of the bundled set, re-encoded: people are numbered from 1."""
    path = BUNDLED / f"p{person:03d}-{VIEWS[view % len(VIEWS)]}.webp"
    out = io.BytesIO()
    kind = {"jpg": "JPEG", "png": "PNG", "bmp": "BMP"}[suffix]
    Image.open(path).convert("RGB").save(out, kind)
    return out.getvalue()


def put(root: Path, relative: str, content: bytes) -> None:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def sums(root: Path) -> None:
    """Write SHA256SUMS of every file, as the documentation tells a user to."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(root).as_posix()}"
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    (root / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="utf-8")


def face_place(root: Path) -> Path:
    """Three people, the first in two sessions."""
    for race in ("africanamerican", "caucasian", "hispanic", "multiracial", "asian"):
        (root / race).mkdir(parents=True)
    put(root, "asian/AF0001_1000_00F.jpg", picture(1, 0, "jpg"))
    put(root, "asian/AF0001_2000_30L.jpg", picture(1, 1, "jpg"))
    put(root, "caucasian/CM0007_1000_00F.jpg", picture(2, 0, "jpg"))
    put(root, "caucasian/CM0007_1000_HA.jpg", picture(2, 1, "jpg"))
    put(root, "hispanic/HF0003_1000_00F.jpg", picture(3, 0, "jpg"))
    sums(root)
    return root


def cfd(root: Path) -> Path:
    """Three people, one of CFD-MR; the owner states that people under 18 are out."""
    put(root, "Images/CFD/AF-200/CFD-AF-200-228-N.jpg", picture(4, 0, "jpg"))
    put(root, "Images/CFD/AF-200/CFD-AF-200-229-HO.jpg", picture(4, 1, "jpg"))
    put(root, "Images/CFD/WM-001/CFD-WM-001-014-N.jpg", picture(5, 0, "jpg"))
    put(root, "Images/CFD-MR/MF-300/CFD-MF-300-002-N.jpg", picture(6, 0, "jpg"))
    (root / "copy.toml").write_text('people_under_18 = "removed"\n', encoding="utf-8")
    sums(root)
    return root


def radiate(root: Path) -> Path:
    """Two people with two expressions each."""
    put(root, "RADIATE_450_COLOR_BMP/BF/BF01/BF01_NC.bmp", picture(7, 0, "bmp"))
    put(root, "RADIATE_450_COLOR_BMP/BF/BF01/BF01_SUR.bmp", picture(7, 1, "bmp"))
    put(root, "RADIATE_450_COLOR_BMP/RADIATE_COLOR_2/OM12/OM12_HO.bmp", picture(8, 0, "bmp"))
    put(root, "RADIATE_450_COLOR_BMP/RADIATE_COLOR_2/OM12/OM12_NC.bmp", picture(8, 1, "bmp"))
    sums(root)
    return root


def video(subject: str, number: int, **changes: Any) -> dict[str, Any]:
    """An entry of the annotations; `changes` replace keys."""
    return {
        "video_name": f"{subject}_portuguese_nonscripted_{number}.mp4",
        "subject_id": subject,
        "age": 34,
        "gender": "cis woman",
        "geo_location": {"country": "brazil"},
        "monk_skin_tone": {"scale": "scale 5", "confidence": "medium"},
        "fitzpatrick_skin_tone": {"type": "type iii", "confidence": "high"},
    } | changes


def ccv2(root: Path, videos: Sequence[Any] | None = None) -> Path:
    """Two people with two videos each, three frames a video."""
    other = {"age": "prefer not to say", "gender": "prefer not to say"}
    made = videos or [video("0000", 1), video("0000", 2), video("0001", 1, **other), video("0001", 2, **other)]
    (root / "annotations").mkdir(parents=True)
    (root / "annotations" / "CasualConversationsV2.json").write_text(json.dumps(made), encoding="utf-8")
    for person, name in enumerate(("0000", "0001")):
        for number in (1, 2):
            for k, frame in enumerate((381, 425, 1007)):
                stem = f"{name}_portuguese_nonscripted_{number}_raw_frame{frame:08d}"
                path = f"ccv2-frames-part-{person + 1}/{name}/{stem}.jpg"
                put(root, path, picture(9 + person, 2 * number + k, "jpg") + f"{number}{k}".encode())
    sums(root)
    return root


COLUMNS = (
    "image_id", "filepath", "json_path", "subject_id", "is_primary", "multiple_subjects", "age", "nationality",
    "ancestry", "pronoun", "natural_skin_color", "apparent_skin_color", "lighting", "keypoints", "location_country",
)  # fmt: skip
RELEASE = "fhibe.20250708.x_downsampled_public"
TABLE = f"{RELEASE}/data/processed/fhibe_face_crop_align/fhibe_face_crop_align.csv"


@dataclass
class Fhibe:
    """A release of FHIBE: rows a test may change before it is written."""

    root: Path
    rows: list[dict[str, str]] = field(default_factory=list)
    columns: tuple[str, ...] = COLUMNS

    def add(self, person: int, view: int, **changes: str) -> dict[str, str]:
        """Add a picture of a person of the bundled set."""
        subject, image = f"s-{person:04d}", f"i-{person:04d}{view}"
        path = f"data/raw/fhibe_downsampled/{subject}/{image}/faces_crop_and_align_{image}_{subject}.png"
        row = {
            "image_id": image,
            "filepath": path,
            "json_path": path.replace(".png", ".json"),
            "subject_id": subject,
            "is_primary": "True",
            "multiple_subjects": "False",
            "age": "31",
            "nationality": "['26. Brazilian']",
            "ancestry": "['0. Africa']",
            "pronoun": "['0. She/her/hers']",
            "natural_skin_color": "[102, 78, 65]",
            "apparent_skin_color": "[136, 105, 81]",
            "lighting": "['2. Lighting from in front of the head/face', '4. Lighting from the left of the head/face']",
            "keypoints": "{'0': [1.0, 2.0]}",
            "location_country": "Brasil",
        } | changes
        put(self.root / RELEASE, path, picture(person, view, "png"))
        self.rows.append(row)
        return row

    def write(self, last_checked: str | None) -> Path:
        """Write the table, and when the copy was last checked."""
        path = self.root / TABLE
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, self.columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        if last_checked:
            (self.root / "copy.toml").write_text(f"last_checked = {last_checked}\n", encoding="utf-8")
        return self.root
