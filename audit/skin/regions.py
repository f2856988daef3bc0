"""Where skin is looked at in an aligned face, and what is left out there.

Regions are rectangles in the frame of five-point alignment (eyes, nose and corners of the mouth on the template of
Deng et al. 2019): both cheeks beside the nose and below the eyes, and the middle of the forehead. Inside them, clipped
pixels and those far from the region's own median are left out. No colour is expected beforehand: a rule for what skin
looks like would measure some people's skin better than others'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.domain import FailureToAcquire
from audit.skin.ita import Floats, angle, lab_of

SIDE = 224
"""Pixels of the aligned face."""
REGIONS = {"left cheek": (30, 66, 43, 80), "right cheek": (69, 66, 82, 80), "forehead": (44, 22, 68, 34)}
"""Left, top, right, bottom, in a frame of 112 x 112."""
FARTHEST = 3.0
"""Robust standard deviations of lightness and of b* from the region's median, beyond which a pixel is left out."""
FOREHEAD_WITHIN = 20.0
"""Degrees from the cheeks beyond which the forehead is taken for hair, a headscarf or a shadow, and left out."""
LEAST = 0.4
"""Share of a region's pixels that must be left for it to count."""
_DARKEST, _BRIGHTEST = 4, 250
_COLOURLESS = 1.0
_ROBUST = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""


@dataclass(frozen=True, slots=True)
class Tone:
    """What was measured in one picture.

    `degrees` is the ITA of the mean of the regions' median colours; `spread` is the robust standard deviation of single
    pixels' ITA; `sides` is the ITA of the left cheek minus that of the right: what uneven light does.
    """

    degrees: float
    lab: tuple[float, float, float]
    spread: float
    sides: float
    regions: int
    pixels: int


def measure(face: NDArray[np.uint8]) -> Tone | FailureToAcquire:
    """Measure an aligned face.

    Parameters
    ----------
    face : uint8, 224 x 224 x 3, sRGB

    Returns
    -------
    Tone, or FailureToAcquire of the stage "template"
    """
    if face.shape != (SIDE, SIDE, 3):
        raise ValueError(f"an aligned face is {SIDE} x {SIDE} x 3, found {face.shape}")
    kept = {name: _kept(face, box) for name, box in REGIONS.items()}
    cheeks = [kept[name] for name in ("left cheek", "right cheek")]
    if any(one is None for one in cheeks):
        return FailureToAcquire("template", "too little skin to measure in a cheek")
    used = [one for one in cheeks if one is not None]
    sides = [float(angle(np.median(one, axis=0))) for one in used]
    middle = angle(np.mean([np.median(one, axis=0) for one in used], axis=0))
    forehead = kept["forehead"]
    if forehead is not None and abs(float(angle(np.median(forehead, axis=0)) - middle)) <= FOREHEAD_WITHIN:
        used.append(forehead)
    colour = np.mean([np.median(one, axis=0) for one in used], axis=0)
    if np.abs(colour[1:]).max() < _COLOURLESS:
        return FailureToAcquire("template", "a picture without colour")
    pixels = np.concatenate(used)
    return Tone(
        degrees=float(angle(colour)),
        lab=(float(colour[0]), float(colour[1]), float(colour[2])),
        spread=_deviation(angle(pixels)),
        sides=sides[0] - sides[1],
        regions=len(used),
        pixels=len(pixels),
    )


def _kept(face: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Floats | None:
    """CIELAB colours of a region's pixels, n x 3, without the clipped and the outlying; None if few are left."""
    left, top, right, bottom = (edge * SIDE // 112 for edge in box)
    pixels = face[top:bottom, left:right].reshape(-1, 3)
    inside = (pixels.max(axis=1) <= _BRIGHTEST) & (pixels.max(axis=1) >= _DARKEST)
    if inside.mean() < LEAST:
        return None
    lab = lab_of(pixels[inside])
    near = np.ones(len(lab), dtype=bool)
    for axis in (0, 2):
        away = np.abs(lab[:, axis] - np.median(lab[:, axis]))
        near &= away <= FARTHEST * max(_ROBUST * float(np.median(away)), 0.5)
    return lab[near] if near.sum() >= LEAST * len(pixels) else None


def _deviation(values: Floats) -> float:
    return float(_ROBUST * np.median(np.abs(values - np.median(values))))
