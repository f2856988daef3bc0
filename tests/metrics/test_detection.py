"""Matching of boxes with faces, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audit.domain import Detections
from audit.metrics.detection import Truth, holds, landmark_error, match, overlap

FACE = (10.0, 10.0, 30.0, 30.0)
POINTS = ((15.0, 15.0), (25.0, 15.0), (20.0, 20.0), (16.0, 26.0), (24.0, 26.0))


def boxes(*rows: tuple[float, ...]) -> Detections:
    return Detections(np.array(rows, dtype=np.float64).reshape(-1, 5))


def test_overlap_is_intersection_over_union() -> None:
    rows = np.array([[10, 10, 30, 30], [20, 10, 40, 30], [30, 30, 40, 40], [0, 0, 40, 40], [12, 12, 12, 12]], float)
    # the same; half beside it: 200 / 600; a corner touches; 400 of 1600 around it; no area
    assert overlap(rows, FACE).tolist() == pytest.approx([1.0, 1 / 3, 0.0, 0.25, 0.0])


def test_a_box_is_the_face_from_the_declared_overlap_on() -> None:
    half = boxes((20, 10, 40, 30, 0.9))
    assert match(half, Truth("box", FACE), confidence=0.5, iou=1 / 3).found
    missed = match(half, Truth("box", FACE), confidence=0.5, iou=0.34)
    assert (missed.found, missed.false, missed.kept) == (False, 1, 1)


def test_a_second_box_round_the_face_is_a_false_detection_and_so_is_one_elsewhere() -> None:
    seen = boxes((10, 10, 30, 31, 0.8), (10, 10, 30, 30, 0.7), (60, 60, 80, 80, 0.99))
    found = match(seen, Truth("box", FACE), confidence=0.5, iou=0.5)
    assert (found.found, found.false, found.kept) == (True, 2, 3)


def test_confidence_counts_from_the_declared_one_on() -> None:
    seen = boxes((10, 10, 30, 30, 0.7))
    assert match(seen, Truth("box", FACE), confidence=0.7, iou=0.5).found
    below = match(seen, Truth("box", FACE), confidence=np.nextafter(0.7, 1), iou=0.5)
    assert (below.found, below.kept) == (False, 0)


def test_what_is_no_number_is_no_detection() -> None:
    seen = boxes((10, 10, 30, math.nan, 0.9), (10, 10, 30, 30, math.inf))
    assert match(seen, Truth("box", FACE), confidence=0.5, iou=0.1) == match(
        boxes(), Truth("box", FACE), confidence=0.5, iou=0.1
    )


def test_landmarks_alone_ask_for_a_box_that_holds_them_all() -> None:
    assert holds(np.array([[15, 15, 25, 26], [16, 15, 25, 26]], float), POINTS).tolist() == [1.0, 0.8]
    truth = Truth("landmarks", None, POINTS)
    assert match(boxes((0, 0, 40, 40, 0.9)), truth, confidence=0, iou=0.9).found
    assert not match(boxes((16, 15, 25, 26, 0.9)), truth, confidence=0, iou=0.9).found


def test_where_only_a_face_is_known_to_be_any_box_finds_it_and_the_others_are_false() -> None:
    seen = boxes((0, 0, 4, 4, 0.6), (90, 90, 99, 99, 0.8))
    found = match(seen, Truth("present"), confidence=0.5, iou=0.5)
    assert (found.found, found.false) == (True, 1)
    assert not match(boxes(), Truth("present"), confidence=0.5, iou=0.5).found


def test_nothing_is_matched_with_nothing_known() -> None:
    with pytest.raises(ValueError, match="nothing is known"):
        match(boxes(), Truth("none"), confidence=0.5, iou=0.5)


def test_landmark_error_is_over_the_distance_of_the_pupils() -> None:
    moved = np.add(POINTS, [3.0, 4.0])  # each five pixels away, the pupils ten apart
    assert landmark_error(moved, POINTS) == pytest.approx(0.5)
    assert landmark_error(moved, None) is None
    assert landmark_error(np.full((5, 2), np.nan), POINTS) is None
    assert landmark_error(moved, ((1.0, 1.0),) * 5) is None


def test_landmarks_are_those_of_the_box_that_fits_best() -> None:
    near, far = np.array(POINTS), np.array(POINTS) + 50
    seen = Detections(np.array([[10, 10, 30, 40, 0.9], [10, 10, 30, 30, 0.8]], float), np.array([far, near]))
    assert match(seen, Truth("box", FACE, POINTS), confidence=0.5, iou=0.5).landmark_error == 0.0


def test_scaling_both_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        low = rng.uniform(0, 20, (4, 2))
        seen = Detections(np.column_stack([low, low + rng.uniform(1, 30, (4, 2)), rng.uniform(size=4)]))
        grown = seen.scaled(np.array([3.0, 3.0]))
        truth, large = Truth("box", FACE), Truth("box", tuple(3 * x for x in FACE))  # type: ignore[arg-type]
        assert match(seen, truth, confidence=0.3, iou=0.3) == match(grown, large, confidence=0.3, iou=0.3)
