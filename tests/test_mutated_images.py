"""500 images with flipped bits, cut ends, huge sizes and wrong beginnings: nothing crashes, each is an outcome."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from audit import models
from audit.domain import Sample
from audit.extract import extract, hash_samples
from audit.plan import make
from audit.store import TemplateStore

EACH = 125
KINDS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
MAGIC = (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP", b"BM", b"II*\x00", b"GIF89a", b"P6\n")
HUGE = (b"\xff\xff", b"\x7f\xff", b"\xff\xfe")


def stored(picture: Image.Image) -> dict[str, bytes]:
    found = {}
    for kind in KINDS:
        stream = io.BytesIO()
        picture.save(stream, kind)
        found[kind] = stream.getvalue()
    return found


def flipped(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(0, len(content), int(rng.integers(1, 40))):
        changed[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(changed)


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(0, len(content)))]


def huge(content: bytes, rng: np.random.Generator) -> bytes:
    """Large numbers somewhere in the first 200 bytes, where the sizes stand."""
    changed = bytearray(content)
    for place in rng.integers(2, min(200, len(content) - 2), 6):
        changed[place : place + 2] = HUGE[int(rng.integers(0, len(HUGE)))]
    return bytes(changed)


def disguised(content: bytes, rng: np.random.Generator) -> bytes:
    magic = MAGIC[int(rng.integers(0, len(MAGIC)))]
    return magic + content[len(magic) :]


def test_every_mutated_image_is_an_outcome(shared: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    face = Image.open(shared / "benchmarks/cc0_fixture/lisa_lisa1.jpg").convert("RGB")
    face.thumbnail((160, 160))
    sound = stored(face)
    samples = []
    for mutate in (flipped, cut, huge, disguised):
        for number in range(EACH):
            path = tmp_path / f"{mutate.__name__}{number}"
            path.write_bytes(mutate(sound[KINDS[number % len(KINDS)]], rng))
            samples.append(Sample(path.name, f"p{number}", path))
    card = models.describe("dlib", plan=make({"benchmark": "b", "model": "dlib"}))
    store = TemplateStore(tmp_path / "cache")
    digests = hash_samples(samples)
    found = extract(samples, card, lambda: models.load(card), store, digests=digests)
    assert len(found.template_index) + len(found.failures) == len(samples) == 500
    assert {samples[k].sample_id for k in found.template_index}.isdisjoint(found.failures)
    assert np.isfinite(found.templates).all()
    stages = Counter(failure.stage for failure in found.failures.values())
    assert set(stages) <= {"read", "decode", "detect", "align"}
    assert stages["decode"] > 100
    assert len(found.template_index) > 50
    again = extract(samples, card, lambda: models.load(card), store, digests=digests)
    assert again.failures == found.failures
    assert again.templates.tobytes() == found.templates.tobytes()
