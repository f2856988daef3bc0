"""Detection: what is found, what is a failure, and which of several faces is taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.domain import FailureToAcquire, Picture
from audit.models.card import Detection
from audit.models.detect import Detector, Face

SETTINGS = Detection(working_size=682, smallest_face=40, several_faces="largest")


@pytest.fixture(scope="module")
def head(shared: Path) -> Image.Image:
    return Image.open(shared / "benchmarks/cc0_fixture/lisa_lisa1.jpg").convert("RGB")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(SETTINGS)


def find(detector: Detector, picture: Image.Image) -> Face:
    face = detector.find(Picture(np.asarray(picture)))
    assert isinstance(face, Face)
    return face


def test_a_face_is_found_in_pixels_of_the_full_image(detector: Detector, head: Image.Image) -> None:
    large = find(detector, head)
    small = find(detector, head.resize((head.width // 2, head.height // 2), Image.Resampling.BOX))
    eyes = np.linalg.norm(large.points[0] - large.points[1])
    assert np.abs(large.points - 2 * small.points).max() < 0.1 * eyes
    left, top, right, bottom = large.box
    assert 0 <= left < large.points[0, 0] < large.points[1, 0] < right <= head.width
    assert 0 <= top < large.points[0, 1] < large.points[2, 1] < large.points[3, 1] < bottom <= head.height


def test_the_same_image_gives_the_same_numbers(detector: Detector, head: Image.Image) -> None:
    first, second = find(detector, head), find(Detector(SETTINGS), head)
    assert first.box.tolist() == second.box.tolist()
    assert first.points.tolist() == second.points.tolist()


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((300, 400, 3), 127, np.uint8), "no face"),
        (np.zeros((39, 400, 3), np.uint8), "image is smaller than the smallest face"),
        (np.zeros((1, 1, 3), np.uint8), "image is smaller than the smallest face"),
        (np.zeros((40, 20000, 3), np.uint8), "image is smaller than the smallest face"),
    ],
)
def test_no_face_is_a_failure(detector: Detector, image: np.ndarray, reason: str) -> None:
    assert detector.find(Picture(image)) == FailureToAcquire("detect", reason)


def test_noise_is_no_face(detector: Detector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    assert detector.find(Picture(noise)) == FailureToAcquire("detect", "no face")


def test_a_face_below_the_limit_is_a_failure(head: Image.Image) -> None:
    wide = Image.new("RGB", (4 * head.width, 2 * head.height), (120, 120, 120))
    wide.paste(head, (head.width, head.height // 2))
    face = find(Detector(SETTINGS), wide)
    side = max(face.box[2:] - face.box[:2]) * 682 / max(wide.size)
    seen_larger = Detector(SETTINGS.model_copy(update={"smallest_face": int(side * 1.1)})).find(
        Picture(np.asarray(wide))
    )
    assert isinstance(seen_larger, FailureToAcquire)
    assert seen_larger.reason in {"face too small", "no face"}
    assert isinstance(
        Detector(SETTINGS.model_copy(update={"smallest_face": int(side * 0.8)})).find(Picture(np.asarray(wide))), Face
    )


def two_faces(head: Image.Image) -> Image.Image:
    """A large face on the left, the same at half its size in the middle."""
    picture = Image.new("RGB", (1600, 800), (120, 120, 120))
    picture.paste(head.resize((600, round(600 * head.height / head.width))).crop((0, 0, 600, 800)), (0, 0))
    picture.paste(head.resize((300, round(300 * head.height / head.width))), (650, 200))
    return picture


def test_the_declared_policy_chooses_among_several_faces(head: Image.Image) -> None:
    picture = two_faces(head)
    chosen = {
        policy: find(Detector(SETTINGS.model_copy(update={"several_faces": policy})), picture)
        for policy in ("largest", "most-central", "most-confident")
    }
    assert {face.seen for face in chosen.values()} == {2}
    assert chosen["largest"].box[2] < 620
    assert 640 < chosen["most-central"].box[0] < chosen["most-central"].box[2] < 960
    assert chosen["most-confident"].confidence >= max(face.confidence for face in chosen.values())


def test_boxes_below_the_limit_are_not_chosen(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = np.array([[10.0, 10, 40, 45, 0.99], [100, 100, 160, 170, 0.8]])
    monkeypatch.setattr(detector._faces, "find", lambda _: (boxes[:count], np.zeros((count, 5, 2))))
    count = 2
    face = detector.find(Picture(np.zeros((300, 300, 3), np.uint8)))
    assert isinstance(face, Face)
    assert (face.seen, face.box.tolist()) == (1, [100, 100, 160, 170])
    count = 1
    assert detector.find(Picture(np.zeros((300, 300, 3), np.uint8))) == FailureToAcquire("detect", "face too small")
