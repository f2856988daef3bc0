"""Capture measures: closed forms, invariances, and that degrading a face moves what it should."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image, ImageFilter

from audit import benchmarks, capture
from audit.domain import FailureToAcquire, Picture
from audit.models import capture_meter
from audit.models.card import Detection
from audit.plan import Covariate

USUAL = Detection(working_size=682, smallest_face=40, several_faces="largest")
FRONTAL = np.array([[76.59, 103.2], [147.06, 103.2], [112.0, 143.5], [83.1, 184.5], [141.5, 184.5]])


def face(values: np.ndarray) -> np.ndarray:
    """A grey face."""
    return np.repeat(np.clip(values, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def measured(pixels: np.ndarray, points: np.ndarray = FRONTAL) -> dict[str, float]:
    found = capture.measure(pixels, points)
    assert not isinstance(found, FailureToAcquire)
    return dict(zip(capture.FIELDS, found.tolist(), strict=True))


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 200, (capture.SIDE, capture.SIDE)).astype(float)


def test_the_plan_names_what_is_measured() -> None:
    assert set(get_args(Covariate)) == set(capture.MEASURES) == {*capture.FIELDS, capture.SKIN}


def test_luminance_is_that_of_srgb() -> None:
    """IEC 61966-2-1: the middle grey 188 is half of the light of white, and green gives most of it."""
    grey = capture.luminance(np.full((1, 3), 188, np.uint8))
    assert grey[0] == pytest.approx(0.5029, abs=1e-4)
    assert capture.luminance(np.array([[255, 0, 0]], np.uint8))[0] == pytest.approx(0.2126)


def test_exposure_is_counted_by_hand() -> None:
    """A left half of 80 is a luminance of 0.080 or 20 of 255: under; a right half of 253 is 0.982 or 250: over."""
    values = np.full((capture.SIDE, capture.SIDE), 80.0)
    values[:, 112:] = 253
    found = measured(face(values))
    assert found["underexposed"] == pytest.approx(0.5, abs=1e-9)
    assert found["overexposed"] == pytest.approx(0.5, abs=1e-9)
    low, high = ((v / 255 + 0.055) / 1.055 for v in (80, 253))
    assert found["brightness"] == pytest.approx((low**2.4 + high**2.4) / 2, abs=1e-9)
    assert found["contrast"] == pytest.approx((high**2.4 - low**2.4) / 2, abs=1e-9)
    assert found["uniformity"] == 0
    even = np.full((capture.SIDE, capture.SIDE), 120.0)
    even[140:, :] = 130
    assert measured(face(even))["uniformity"] == 1


def test_sharpness_follows_blur_and_not_exposure() -> None:
    """The response of the Laplacian to a wave of frequency w along x is (2 cos w - 2)^2 of its variance."""
    x = np.arange(capture.SIDE)
    wave = np.tile(128 + 100 * np.cos(2 * np.pi * x / 8), (capture.SIDE, 1))
    found = measured(face(wave))["sharpness"]
    assert found == pytest.approx(np.log10((2 * np.cos(2 * np.pi / 8) - 2) ** 2), abs=0.02)
    # Squares of 16 pixels: of finer noise blur leaves so little that the rounding to 8 bits would count as sharp.
    picture = Image.fromarray(face(np.kron(noise()[:14, :14], np.ones((16, 16)))))
    blurred = [np.asarray(picture.filter(ImageFilter.GaussianBlur(r))) for r in (0, 1, 2, 4)]
    sharp = [measured(one)["sharpness"] for one in blurred]
    assert sharp == sorted(sharp, reverse=True)
    assert len(set(sharp)) == 4
    smooth = np.asarray(picture.filter(ImageFilter.GaussianBlur(1))).astype(float)
    assert measured((smooth * 0.5).round().astype(np.uint8))["sharpness"] == pytest.approx(sharp[1], abs=0.02)


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points - 100) @ turn.T + 100


def test_pose_is_read_from_points() -> None:
    pixels = face(noise())
    still = measured(pixels)
    assert still["roll"] == pytest.approx(0, abs=1e-9)
    assert still["yaw"] < 0.01
    assert still["pitch"] < 0.01
    assert still["size"] == pytest.approx(70.47)
    for degrees in (-20, 10):
        rolled = measured(pixels, turned(FRONTAL, degrees))
        assert rolled["roll"] == pytest.approx(abs(degrees))
        assert rolled["yaw"] == pytest.approx(still["yaw"])
        assert rolled["pitch"] == pytest.approx(still["pitch"])
    aside = FRONTAL + np.array([[0, 0], [0, 0], [14.094, 0], [0, 0], [0, 0]])
    assert measured(pixels, aside)["yaw"] == pytest.approx(0.2, abs=0.005)
    nod = FRONTAL + np.array([[0, 0], [0, 0], [0, 16.26], [0, 0], [0, 0]])
    assert measured(pixels, nod)["pitch"] == pytest.approx(0.2, abs=0.005)
    assert measured(pixels, 3 * FRONTAL)["size"] == pytest.approx(3 * 70.47)


@pytest.mark.parametrize(
    "points",
    [np.zeros((5, 2)), np.full((5, 2), np.nan), np.column_stack([np.arange(5.0), np.zeros(5)])],
    ids=["one point", "not a number", "one line"],
)
def test_points_without_shape_are_a_failure(points: np.ndarray) -> None:
    found = capture.measure(face(noise()), points)
    assert isinstance(found, FailureToAcquire)
    assert found.reason == "landmarks have no shape"


def test_a_face_without_contrast_is_a_failure() -> None:
    found = capture.measure(face(np.full((capture.SIDE, capture.SIDE), 90.0)), FRONTAL)
    assert isinstance(found, FailureToAcquire)
    assert found.reason == "a face without contrast"


def test_the_meter_measures_rendered_people() -> None:
    """Blur, darkness, a turn and a smaller picture move their own measure; a picture without a face has none."""
    sample = next(s for s in benchmarks.load("synthetic").samples if s.conditions["view"] == "studio")
    picture = Image.open(sample.path).convert("RGB")
    meter = capture_meter.CaptureMeter(USUAL, workers=1)

    def of(image: Image.Image) -> dict[str, float]:
        (outcome,) = meter.extract([np.asarray(image)])
        assert not isinstance(outcome, FailureToAcquire)
        return dict(zip(capture.FIELDS, outcome.vector.tolist(), strict=True))

    plain = of(picture)
    assert of(picture.filter(ImageFilter.GaussianBlur(3)))["sharpness"] < plain["sharpness"] - 0.5
    assert of(picture.point(lambda v: int(v * 0.6)))["brightness"] < 0.6 * plain["brightness"]
    assert of(picture.rotate(12))["roll"] == pytest.approx(12, abs=4)
    half = picture.resize((picture.width // 2, picture.height // 2))
    assert of(half)["size"] == pytest.approx(plain["size"] / 2, rel=0.1)
    (nothing,) = meter.extract([np.full((200, 200, 3), 128, np.uint8)])
    assert isinstance(nothing, FailureToAcquire)
    assert nothing.stage == "detect"


def test_marked_faces_are_measured_where_they_are_marked(tmp_path: Path) -> None:
    """With `detector = "truth"` no detector looks: the marks are the face, and where they lack it is a failure."""
    truth = USUAL.model_copy(update={"detector": "truth"})
    meter = capture_meter.CaptureMeter(truth)
    pixels = face(noise())
    points = tuple((float(x), float(y)) for x, y in FRONTAL)
    found = meter.extract_pictures([
        Picture(pixels, box=(40.0, 60.0, 180.0, 220.0), points=points),
        Picture(pixels, box=(40.0, 60.0, 180.0, 220.0)),
    ])  # fmt: skip
    assert not isinstance(found[0], FailureToAcquire)
    assert found[0].vector[capture.FIELDS.index("size")] == pytest.approx(70.47)
    assert isinstance(found[1], FailureToAcquire)
    assert capture_meter.card(truth).preprocessing != capture_meter.card(USUAL).preprocessing
