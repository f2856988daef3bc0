"""Capture conditions of a face in a picture: numbers with a formula, none of which says who somebody is.

Light and sharpness are measured on a face aligned by five landmarks (`SIDE` pixels square, the eyes about 70 apart),
inside an ellipse over eyes, cheeks, nose and mouth. Luminance Y is relative, linear, of sRGB (IEC 61966-2-1). Measures
named after ISO/IEC 29794-5 are native values of that standard's definitions as the reference implementation has them
(BSI OFIQ), not its 0..100 scales; regions differ, as this face is a fixed ellipse and OFIQ's follows 98 landmarks.

Pose is a proxy from five landmarks, not an angle of the head; noise looks sharp; and what light there is on a face and
what the face reflects cannot be told apart in a picture: brightness contains skin tone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.domain import FailureToAcquire

Floats = NDArray[np.float64]
SIDE = 224
"""Of the aligned face in pixels."""
CENTRE, RADII = (111.5, 139.5), (66.0, 83.0)
"""x and y of the ellipse in it."""
EYES = ((76.5892, 103.3926), (147.0636, 103.0028))
"""Left and right eye as seen in the picture; the template of ArcFace at `SIDE`."""
EYES_APART = EYES[1][0] - EYES[0][0]
MOUTH = 184.57
"""Its y."""
FRONTAL_PITCH = 0.4956
"""Where the nose lies between eyes and mouth in that template."""
_BT709 = np.array([0.2126, 0.7152, 0.0722])
_DARK, _BRIGHT = 25, 247
_LINEAR = np.where(
    np.arange(256) / 255 > 0.04045, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4, np.arange(256) / 255 / 12.92
)
"""Linear light of an 8-bit value of sRGB."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number is; `scale` is how it enters a model."""

    name: str
    unit: str
    definition: str
    source: str
    scale: Literal["linear", "log2"] = "linear"


_OWN = "defined here"
_ISO = "ISO/IEC 29794-5:2025, {}; BSI OFIQ"
MEASURES: dict[str, Measure] = {
    one.name: one
    for one in (
        Measure(
            "sharpness",
            "",
            "log10 of the variance of the Laplacian of the picture's luma over the variance of luma; noise counts as "
            "sharp, light does not count",
            "variance of the Laplacian: Pech-Pacheco et al. (2000), ICPR; divided by the variance here",
        ),
        Measure("brightness", "", "mean luminance of the face, 0 to 1", _ISO.format("luminance mean")),
        Measure(
            "contrast", "", "standard deviation of luminance in the face", _ISO.format("root of the luminance variance")
        ),
        Measure(
            "underexposed",
            "",
            "share of the face with a luminance of at most 25 of 255",
            _ISO.format("under-exposure prevention"),
        ),
        Measure(
            "overexposed",
            "",
            "share of the face with a luminance of at least 247 of 255",
            _ISO.format("over-exposure prevention"),
        ),
        Measure(
            "uniformity",
            "",
            "sum of the smaller of two luminance histograms (256 bins), of squares under the eyes; 1 is light from the "
            "front",
            _ISO.format("illumination uniformity"),
        ),
        Measure("roll", "degrees", "how far the line between the eyes is from level, without its sign", _OWN),
        Measure(
            "yaw",
            "eye distances",
            "how far the nose is from the middle of eyes and mouth, along the line of the eyes, over the distance of "
            "the eyes; without its sign; a proxy",
            _OWN,
        ),
        Measure(
            "pitch",
            "",
            "how far the nose is, between the eyes (0) and the mouth (1), from where it is in a frontal face; without "
            "its sign; a proxy",
            _OWN,
        ),
        Measure(
            "size",
            "pixels",
            "distance of the eyes in the whole picture",
            _ISO.format("inter-eye distance, without its correction for yaw"),
            "log2",
        ),
        Measure(
            "skin_tone",
            "degrees",
            "individual typology angle of cheeks and forehead in this picture",
            "Chardon et al. (1991); Del Bino and Bernerd (2013)",
        ),
    )
}
"""Every measure by its name."""
SKIN = "skin_tone"
"""Measured by the meter of skin tone (`audit.skin`)."""
FIELDS = tuple(name for name in MEASURES if name != SKIN)
"""The others, in the order of `measure`."""


def luminance(pixels: NDArray[np.uint8]) -> Floats:
    """Relative luminance of sRGB pixels, ... x 3, in [0, 1].

    >>> luminance(np.array([[255, 255, 255], [0, 0, 0], [0, 255, 0]], np.uint8)).round(4).tolist()
    [1.0, 0.0, 0.7152]
    """
    return np.asarray(_LINEAR[pixels] @ _BT709)


def measure(face: NDArray[np.uint8], points: Floats) -> Floats | FailureToAcquire:
    """Measure a face.

    Parameters
    ----------
    face : uint8, 224 x 224 x 3, sRGB, aligned
    points : float, 5 x 2
        Landmarks in pixels of the whole picture: eyes, nose, corners of the mouth, left first as seen.

    Returns
    -------
    float64, one number for each of `FIELDS`; or FailureToAcquire where a face has no contrast or its landmarks no shape
    """
    if face.shape != (SIDE, SIDE, 3):
        raise ValueError(f"an aligned face is {SIDE} x {SIDE} x 3, found {face.shape}")
    pose = _pose(np.asarray(points, dtype=np.float64))
    sharp = sharpness(face)
    if pose is None or sharp is None:
        why = "landmarks have no shape" if pose is None else "a face without contrast"
        return FailureToAcquire("align", why)
    light = luminance(face)
    level = np.floor(light[_INSIDE] * 255 + 0.5)
    return np.array([
        sharp,
        light[_INSIDE].mean(),
        light[_INSIDE].std(),
        (level <= _DARK).mean(),
        (level >= _BRIGHT).mean(),
        _uniformity(light),
        *pose,
    ])  # fmt: skip


def sharpness(face: NDArray[np.uint8]) -> float | None:
    """log10 of var(Laplacian) / var(luma) inside the face; None where either is 0.

    The luma is that of the encoded values, so that a change of exposure (a factor) changes neither number.
    """
    luma = face @ _BT709 / 255
    edges = np.zeros_like(luma)
    edges[1:-1, 1:-1] = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    spread, detail = float(luma[_INSIDE].var()), float(edges[_INSIDE].var())
    return math.log10(detail / spread) if spread > 0 and detail > 0 else None


def _uniformity(light: Floats) -> float:
    """Histograms of two squares of 0.3 eye distances, outwards of the eyes and half-way down to the mouth."""
    (left, y), (right, _) = EYES
    side = int(0.3 * (right - left))
    top = int(y) + int((MOUTH - y) / 2)
    shares = []
    for begin in (int(left) - side, int(right)):
        level = np.floor(light[top : top + side, begin : begin + side] * 255 + 0.5).astype(np.int64)
        shares.append(np.bincount(level.ravel(), minlength=256) / level.size)
    return float(np.minimum(*shares).sum())


def _pose(points: Floats) -> tuple[float, float, float, float] | None:
    """Roll, yaw, pitch and the distance of the eyes; None where eyes fall together, or mouth and eyes on one line."""
    left, right, nose = points[:3]
    line = right - left
    apart = float(np.hypot(*line))
    if not np.isfinite(points).all() or apart <= 0:
        return None
    along, down = line / apart, np.array([-line[1], line[0]]) / apart
    eyes, mouth = (left + right) / 2, points[3:].mean(axis=0)
    height = float((mouth - eyes) @ down)
    if abs(height) < 1e-6 * apart:
        return None
    yaw = abs(float((nose - (eyes + mouth) / 2) @ along)) / apart
    pitch = abs(float((nose - eyes) @ down) / height - FRONTAL_PITCH)
    return abs(math.degrees(math.atan2(line[1], line[0]))), yaw, pitch, apart


def _ellipse() -> NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.asarray(((x - CENTRE[0]) / RADII[0]) ** 2 + ((y - CENTRE[1]) / RADII[1]) ** 2 <= 1)


_INSIDE = _ellipse()
