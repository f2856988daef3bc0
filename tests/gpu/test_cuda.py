"""On CUDA: the same faces, and templates within rounding of the CPU's. Skipped, and said so, without a device."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from audit import models
from audit.domain import Picture, Template
from audit.models.card import Detection
from audit.models.detect import Detector, Face
from audit.plan import make

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]
SETTINGS = Detection(working_size=682, smallest_face=40, several_faces="largest")


@pytest.fixture(scope="module")
def images(shared: Path) -> list[np.ndarray]:
    paths = sorted((shared / "benchmarks/cc0_fixture").glob("*.jpg"))
    found = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    return [*found, *(image[:, ::-1].copy() for image in found)]


def test_the_same_faces_are_found(images: list[np.ndarray]) -> None:
    models.require("cuda")  # as every load does: with TF32 the same faces lie up to a pixel away
    here, there = Detector(SETTINGS), Detector(SETTINGS, "cuda")
    for image in images:
        pixel = max(image.shape[:2]) / SETTINGS.working_size
        one, other = here.find(Picture(image)), there.find(Picture(image))
        assert isinstance(one, Face)
        assert isinstance(other, Face)
        assert one.seen == other.seen
        np.testing.assert_allclose(one.box, other.box, rtol=0, atol=1e-3 * pixel)
        np.testing.assert_allclose(one.points, other.points, rtol=0, atol=1e-3 * pixel)


def test_templates_are_the_cpus_and_repeat_bit_by_bit(
    images: list[np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    card = models.describe("dlib", plan=make({"benchmark": "b", "model": "dlib"}))
    here, there = models.load(card), models.load(card, device="cuda")
    there.extract(images)
    began = time.perf_counter()
    found = there.extract(images)
    on_gpu = time.perf_counter() - began
    began = time.perf_counter()
    expected = here.extract(images)
    on_cpu = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n{len(images)} images: CPU {on_cpu:.2f} s, CUDA {on_gpu:.2f} s; crops together: {there.together}")
    for one, other in zip(found, expected, strict=True):
        assert isinstance(one, Template)
        assert isinstance(other, Template)
        assert np.abs(one.vector - other.vector).max() <= 2e-3  # a landmark's last bit can move a chip by a little
    alone = [there.extract([image])[0] for image in images]
    assert [one.vector.tobytes() for one in alone] == [one.vector.tobytes() for one in found]
