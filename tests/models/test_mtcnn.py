"""The cascade against facenet-pytorch's own: the same faces, the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.utils.detect_face import detect_face
from PIL import Image

from audit.models import mtcnn
from audit.models.mtcnn import Cascade

SMALLEST = 40


@pytest.fixture(scope="module")
def library() -> MTCNN:
    return MTCNN(min_face_size=SMALLEST, keep_all=True).eval()


def pictures(shared: Path) -> list[np.ndarray]:
    faces = sorted((shared / "benchmarks/cc0_fixture").glob("*.jpg"))
    small = [np.asarray(Image.open(path).convert("RGB").resize((521, 480))) for path in faces]
    two = np.concatenate(small[:2], axis=1)
    rng = np.random.default_rng(7)
    noise = [rng.integers(0, 256, (190, 260, 3), dtype=np.uint8), rng.integers(0, 256, (41, 300, 3), dtype=np.uint8)]
    return [*small, two, two[:, ::-1], small[0][60:200, 100:300], *noise]


def test_it_finds_what_the_library_finds(shared: Path, library: MTCNN) -> None:
    """Faces of several sizes, two in one picture, cut ones, and pictures with none."""
    ours = Cascade(SMALLEST)
    found = []
    for image in pictures(shared):
        boxes, points = ours.find(image)
        with torch.inference_mode():
            (theirs,), (places,) = detect_face(
                image[np.newaxis].copy(), SMALLEST, library.pnet, library.rnet, library.onet,
                library.thresholds, library.factor, library.device,
            )  # fmt: skip
        found.append(len(boxes))
        np.testing.assert_allclose(boxes, theirs.reshape(-1, 5).astype(float), atol=2e-3)
        np.testing.assert_allclose(points, places.reshape(-1, 5, 2).astype(float), atol=2e-3)
    assert 2 in found
    assert 0 in found


def test_suppression_by_hand() -> None:
    """Boxes of 10 x 10 that share 9 x 10 (9/11 of the union), and one that lies inside another."""
    boxes = np.array([[0, 0, 10, 10, 0.8], [1, 0, 11, 10, 0.9], [50, 50, 60, 60, 0.7], [52, 52, 56, 56, 0.6]], "f4")
    assert mtcnn._suppress(boxes, 0.7).tolist() == [1, 2, 3]
    assert mtcnn._suppress(boxes, 0.85).tolist() == [1, 0, 2, 3]
    assert mtcnn._suppress(boxes, 0.7, of_smaller=True).tolist() == [1, 2]
    assert mtcnn._suppress(boxes[:0], 0.7).tolist() == []
