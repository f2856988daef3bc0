"""Alignment: the transform is the least-squares one, and landmarks land on the template with their colours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.models import align

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]


@given(
    angle=st.floats(-math.pi, math.pi),
    scale=st.floats(0.05, 20),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_known_similarity_is_recovered(angle: float, scale: float, shift: tuple[float, float]) -> None:
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = align.similarity(align.ARCFACE, align.ARCFACE @ turn.T + np.array(shift))
    assert np.allclose(found, np.column_stack([turn, shift]), atol=1e-6 * max(1, scale))


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    found = align.similarity(align.ARCFACE * [-1, 1], align.ARCFACE)
    assert np.linalg.det(found[:, :2]) > 0


def test_it_is_the_least_squares_solution() -> None:
    rng = np.random.default_rng(7)
    source = align.ARCFACE + rng.normal(0, 3, (5, 2))
    # Witness: in complex numbers, target ~ a source + b is an ordinary linear regression.
    z, w = source @ [1, 1j], align.ARCFACE @ [1, 1j]
    a, b = np.linalg.lstsq(np.column_stack([z, np.ones(5)]), w, rcond=None)[0]
    assert np.allclose(align.similarity(source, align.ARCFACE), [[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan)])
def test_points_without_extent_or_number_are_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="landmark"):
        align.crop(np.zeros((50, 50, 3), np.uint8), points, 112)


@pytest.mark.parametrize(("angle", "scale"), [(0, 1), (30, 2), (-75, 3.7), (180, 5.5), (10, 0.6)])
def test_landmarks_land_on_the_template(angle: float, scale: float) -> None:
    a = math.radians(angle)
    turn = scale * np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    points = (align.ARCFACE - 56) @ turn.T + 500
    rows, columns = np.mgrid[:1000, :1000]
    picture = np.zeros((1000, 1000, 3))
    for (x, y), colour in zip(points, COLOURS, strict=True):
        spread = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (2.5 * scale) ** 2))
        picture += spread[:, :, np.newaxis] * colour
    out = align.crop(np.round(picture.clip(0, 255)).astype(np.uint8), points, 112).astype(float)
    rows, columns = np.mgrid[:112, :112]
    for wanted, colour in zip(align.ARCFACE, COLOURS, strict=True):
        near = np.hypot(columns - wanted[0], rows - wanted[1]) < 8
        weight = np.where(near, out.sum(axis=2), 0)
        middle = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
        assert np.abs(middle - wanted).max() < 0.1
        shade = out[round(wanted[1]), round(wanted[0])]
        assert np.array_equal(shade > 120, np.array(colour) > 120)


def test_what_lies_outside_is_black() -> None:
    out = align.crop(np.full((60, 60, 3), 200, np.uint8), align.ARCFACE, 112)
    assert out[10, 10].tolist() == [200, 200, 200]
    assert not out[80:, 80:].any()


def test_a_margin_is_added_around_a_box_as_far_as_the_image_goes() -> None:
    """A white square of 40 in black: half a margin on each side, so 1/3 of the crop's sides is black at margin 0.5."""
    image = np.zeros((100, 100, 3), np.uint8)
    image[30:70, 30:70] = 255
    box = np.array([30.0, 30, 70, 70])
    assert align.box_crop(image, box, 60).mean() == 255
    share = align.box_crop(image, box, 60, 0.5).mean() / 255
    assert abs(share - (40 / 60) ** 2) < 0.01
    assert align.box_crop(image[30:70, 30:70], box - 30, 60, 0.5).mean() == 255
