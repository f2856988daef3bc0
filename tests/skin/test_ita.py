"""The angle of skin tone: by hand, by another implementation, and on faces that are painted here."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audit.domain import FailureToAcquire
from audit.groups import bin_names
from audit.skin import ita, regions
from audit.synthesis import colour


def test_one_pixel_by_hand() -> None:
    """sRGB (200, 150, 120): the steps of IEC 61966-2-1 and CIE 15, written out with numbers."""
    linear = [((value / 255 + 0.055) / 1.055) ** 2.4 for value in (200, 150, 120)]
    x = (0.412453 * linear[0] + 0.357580 * linear[1] + 0.180423 * linear[2]) / 0.95047
    y = 0.212671 * linear[0] + 0.715160 * linear[1] + 0.072169 * linear[2]
    z = (0.019334 * linear[0] + 0.119193 * linear[1] + 0.950227 * linear[2]) / 1.08883
    lightness = 116 * y ** (1 / 3) - 16
    b = 200 * (y ** (1 / 3) - z ** (1 / 3))
    lab = ita.lab_of(np.array([200, 150, 120], np.uint8))
    assert lab == pytest.approx([lightness, 500 * (x ** (1 / 3) - y ** (1 / 3)), b], abs=1e-3)
    assert float(ita.angle(lab)) == pytest.approx(math.degrees(math.atan((lightness - 50) / b)), abs=1e-3)
    assert float(ita.angle(lab)) == pytest.approx(34.83, abs=0.01)


def test_it_agrees_with_the_meter_of_the_renderer() -> None:
    pixels = np.random.default_rng(7).integers(5, 251, (500, 3), dtype=np.uint8)
    assert ita.lab_of(pixels) == pytest.approx(colour.srgb_to_lab(pixels / 255), abs=0.03)


def test_bands_are_the_published_ones_and_those_of_reports() -> None:
    assert ita.EDGES == (-30, 10, 28, 41, 55)
    assert [ita.band(x) for x in (-90, -30, 9.99, 10, 28, 41, 55, 90)] == [
        "dark", "brown", "brown", "tan", "intermediate", "light", "very light", "very light",
    ]  # fmt: skip
    assert len(bin_names(ita.EDGES)) == len(ita.BANDS)


def face(left: float, right: float, forehead: float, noise: float = 0.0) -> np.ndarray:
    """An aligned face whose regions have chosen angles."""
    rng = np.random.default_rng(3)
    lab = np.tile(colour.skin_lab(20.0), (regions.SIDE, regions.SIDE, 1))
    for name, degrees in (("left cheek", left), ("right cheek", right), ("forehead", forehead)):
        x0, y0, x1, y1 = (edge * regions.SIDE // 112 for edge in regions.REGIONS[name])
        lab[y0:y1, x0:x1] = colour.skin_lab(degrees)
    lab = lab + rng.normal(0, noise, lab.shape)
    return np.round(255 * colour.linear_to_srgb(colour.lab_to_linear(lab))).astype(np.uint8)


@pytest.mark.parametrize("degrees", [-55, -30, 0, 25, 50, 65])
def test_a_painted_face_has_the_angle_that_it_was_painted_with(degrees: float) -> None:
    tone = regions.measure(face(degrees, degrees, degrees, noise=1.0))
    assert isinstance(tone, regions.Tone)
    assert tone.degrees == pytest.approx(degrees, abs=1.0)
    assert tone.regions == 3
    assert tone.sides == pytest.approx(0, abs=1.5)
    assert 1 < tone.spread < 6


def test_light_from_one_side_shows_in_the_sides_and_hair_on_the_forehead_is_left_out() -> None:
    tone = regions.measure(face(40, 20, 30))
    assert isinstance(tone, regions.Tone)
    assert tone.sides == pytest.approx(20, abs=1)
    assert tone.degrees == pytest.approx(30, abs=1.5)
    covered = regions.measure(face(40, 40, -60))
    assert isinstance(covered, regions.Tone)
    assert covered.regions == 2
    assert covered.degrees == pytest.approx(40, abs=1)


def test_a_mole_and_a_highlight_change_little() -> None:
    clean, marked = face(30, 30, 30, noise=1.0), face(30, 30, 30, noise=1.0)
    x0, y0, *_ = (2 * edge for edge in regions.REGIONS["left cheek"])
    marked[y0 : y0 + 8, x0 : x0 + 8] = (40, 25, 20)
    marked[y0 + 12 : y0 + 20, x0 : x0 + 8] = 255
    one, other = regions.measure(clean), regions.measure(marked)
    assert isinstance(one, regions.Tone)
    assert isinstance(other, regions.Tone)
    assert other.degrees == pytest.approx(one.degrees, abs=0.3)


def test_what_cannot_be_measured_is_a_failure() -> None:
    grey = np.full((regions.SIDE, regions.SIDE, 3), 120, np.uint8)
    assert regions.measure(grey) == FailureToAcquire("template", "a picture without colour")
    for value in (0, 255):
        clipped = np.full((regions.SIDE, regions.SIDE, 3), value, np.uint8)
        assert regions.measure(clipped) == FailureToAcquire("template", "too little skin to measure in a cheek")
    with pytest.raises(ValueError, match="an aligned face is"):
        regions.measure(grey[:100])
