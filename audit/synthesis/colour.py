"""Colour: CIELAB (D65), linear light and sRGB; the individual typology angle (ITA) of skin.

ITA = arctan((L* - 50) / b*), in degrees (Chardon, Cretois and Hourseau 1991).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WHITE = np.array([0.95047, 1.0, 1.08883])
_TO_RGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def ita(lab: Floats) -> Floats:
    """Individual typology angle, in degrees, of ... x 3 CIELAB colours."""
    return np.degrees(np.arctan2(lab[..., 0] - 50, lab[..., 2]))


def skin_lab(angle: float) -> Floats:
    """A plausible CIELAB colour of skin of a given ITA (degrees): a smooth path, our choice, not measured."""
    b = np.interp(angle, [-60, -30, 10, 28, 41, 55, 70], [12.7, 18, 19, 18.8, 17.3, 14, 9.5])
    a = np.interp(angle, [-60, 0, 30, 60], [9, 12, 11, 10])
    return np.array([50 + b * np.tan(np.radians(angle)), a, b])


def lab_to_linear(lab: Floats) -> Floats:
    """CIELAB to linear light in [0.002, 1], ... x 3 RGB."""
    y = (lab[..., 0] + 16) / 116
    roots = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
    xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * _WHITE
    return np.asarray(np.clip(xyz @ _TO_RGB.T, 0.002, 1))


def linear_to_srgb(light: Floats) -> Floats:
    """Linear light to sRGB, 0 to 1 (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def srgb_to_lab(pixels: Floats) -> Floats:
    """SRGB values, 0 to 1, ... x 3, to CIELAB."""
    return linear_to_lab(np.where(pixels > 0.04045, ((pixels + 0.055) / 1.055) ** 2.4, pixels / 12.92))


def linear_to_lab(light: Floats) -> Floats:
    """Linear light, ... x 3 RGB, to CIELAB."""
    xyz = light @ _TO_XYZ.T / _WHITE
    roots = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = roots[..., 0], roots[..., 1], roots[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)
