"""The second detector: it finds the same faces as the first, by other means, and cards say which was used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit import models
from audit.domain import FailureToAcquire, Picture
from audit.errors import ModelError, PlanError
from audit.models import hog
from audit.models.card import ModelCard
from audit.models.detect import Face, finder
from audit.plan import make


def card(**settings: object) -> ModelCard:
    return models.describe("dlib", plan=make({"benchmark": "b", "model": "dlib", **settings}))


@pytest.fixture(scope="module")
def pictures(shared: Path) -> list[Picture]:
    paths = sorted((shared / "benchmarks/cc0_fixture").glob("lisa_*.jpg"))[:3]
    return [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in paths]


def test_both_detectors_point_at_the_same_face(pictures: list[Picture]) -> None:
    """Eyes, nose and mouth of two independent detectors, in shares of the distance of the eyes."""
    mtcnn, other = finder(card()), finder(card(detector="dlib-hog"))
    for picture in pictures:
        one, two = mtcnn.find(picture), other.find(picture)
        assert isinstance(one, Face)
        assert isinstance(two, Face)
        eyes = np.linalg.norm(one.points[0] - one.points[1])
        assert np.linalg.norm(one.points - two.points, axis=1).max() < 0.15 * eyes
        assert (two.points.min(axis=0) > two.box[:2]).all()
        assert (two.points.max(axis=0) < two.box[2:]).all()
        assert two.seen == 1


def test_threads_share_it(pictures: list[Picture]) -> None:
    detector = finder(card(detector="dlib-hog"))
    alone = [detector.find(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        for one, two in zip(alone * 4, pool.map(detector.find, pictures * 4), strict=True):
            assert isinstance(one, Face)
            assert isinstance(two, Face)
            assert one.points.tolist() == two.points.tolist()


def test_no_face_is_a_failure() -> None:
    grey = Picture(np.full((300, 400, 3), 127, np.uint8))
    assert finder(card(detector="dlib-hog")).find(grey) == FailureToAcquire("detect", "no face")


def test_five_points_are_the_middle_of_the_eyes_the_nose_and_the_mouth() -> None:
    points = np.stack([np.arange(68.0), np.zeros(68)], axis=1)
    assert hog.five(points)[:, 0].tolist() == [38.5, 44.5, 30, 48, 54]


def test_the_detector_is_part_of_the_preprocessing_and_nothing_else_is_touched() -> None:
    one, two = card(), card(detector="dlib-hog")
    assert one.preprocessing != two.preprocessing
    assert "MTCNN" in one.preprocessing_text
    assert "MTCNN" not in two.preprocessing_text
    assert [c.preprocessing for c in models.detectors(one.detection)] == [
        c.preprocessing for c in models.detectors(two.detection)
    ]


def test_an_unknown_detector_and_a_damaged_landmark_model_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PlanError, match=r"detector: .*'mtcnn', 'dlib-hog' or 'truth'"):
        card(detector="dlip")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / hog.FILE).write_bytes(b"damaged")
    (tmp_path / "__init__.py").touch()
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr(hog, "find_spec", lambda _: spec)
    with pytest.raises(ModelError, match="SHA-256 is"):
        card(detector="dlib-hog")
    monkeypatch.setattr(hog, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"faceaudit\[dlib\]"):
        card(detector="dlib-hog")
