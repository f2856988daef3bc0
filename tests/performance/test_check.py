"""What a check of 10,000 images costs, beside reading, SHA-256 and scaled decoding of the same files.

FACEAUDIT_LONG=1 takes so many; otherwise 2,000.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from made_up import attribute, describe
from PIL import Image

from audit.benchmarks import checks

pytestmark = pytest.mark.performance
COUNT = 10_000 if os.environ.get("FACEAUDIT_LONG") == "1" else 2_000
MOST = 4.0
"""Times as long as the plain work; measured 1.2 (copies of London images) and 2.6 (small distinct images)."""


def build(root: Path, sources: list[bytes], *, masses: bool) -> list[Path]:
    """Files, two of each person: London bytes with unique trailing bytes, or distinct noise of 224 pixels."""
    import json  # noqa: PLC0415

    (root / "images").mkdir(parents=True)
    noise = np.random.default_rng(1).integers(256, size=(COUNT, 12, 12, 3), dtype=np.uint8)
    paths = [root / "images" / f"i{k}.jpg" for k in range(COUNT)]

    def written(k: int) -> str:
        """Its SHA-256."""
        if masses:
            content = sources[k % len(sources)] + f"{k}".encode()
        else:
            out = io.BytesIO()
            Image.fromarray(noise[k]).resize((640, 640), Image.Resampling.BICUBIC).save(out, "JPEG")
            content = out.getvalue()
        paths[k].write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    samples = [["sample_id", "path", "subject_id", "sha256"]]
    with ThreadPoolExecutor(2) as pool:
        for k, digest in enumerate(pool.map(written, range(COUNT))):
            samples.append([f"i{k}", f"images/i{k}.jpg", f"s{k // 2}", digest])
    with (root / "samples.csv").open("w", newline="") as file:
        csv.writer(file).writerows(samples)
    people = "".join(f"s{k},{'female' if k % 2 else 'male'}\n" for k in range(COUNT // 2))
    (root / "subjects.csv").write_text("subject_id,gender\n" + people)
    table = {
        "@type": "cr:FileObject",
        "@id": "subjects.csv",
        "name": "t",
        "contentUrl": "t",
        "encodingFormat": "text/csv",
    }
    table["sha256"] = hashlib.sha256((root / "subjects.csv").read_bytes()).hexdigest()
    described = describe(root, distribution=[table], faceaudit__attribute=[attribute("gender")])
    (root / "croissant.json").write_text(json.dumps(described))
    return paths


def plain(path: Path) -> str:
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        picture.draft("L", (128, 128))
        picture.load()
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("masses", [True, False], ids=["masses of copies", "distinct"])
def test_many_images(masses: bool, tmp_path: Path, london: Path) -> None:
    sources = [path.read_bytes() for path in sorted(london.glob("*_front/*.jpg"))]
    paths = build(tmp_path / "many", sources, masses=masses)
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(plain, paths))
    alone = time.perf_counter() - began
    began = time.perf_counter()
    outcome = checks.check(str(tmp_path / "many"))
    took = time.perf_counter() - began
    print(f"\n{COUNT} images: check {took:.1f} s, reading, SHA-256 and scaled decoding alone {alone:.1f} s")
    near = sum(finding.check == "near-duplicate" for finding in outcome.findings)
    assert outcome.images == COUNT
    assert near == (COUNT - len(sources) if masses else 0)
    assert took <= MOST * alone
