"""The individual typology angle (ITA), and its published bands.

ITA = arctan((L* - 50) / b*), in degrees, of a colour in CIELAB under D65 (Chardon, Cretois and Hourseau 1991). Bands:
Del Bino and Bernerd (2013).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError

Floats = NDArray[np.float64]
EDGES = (-30.0, 10.0, 28.0, 41.0, 55.0)
"""Degrees between the bands."""
BANDS = ("dark", "brown", "tan", "intermediate", "light", "very light")
EXTRA = "skin"


def angle(lab: Floats) -> Floats:
    """Individual typology angle.

    Parameters
    ----------
    lab : float, ... x 3
        CIELAB colours (L*, a*, b*).

    Returns
    -------
    float, ..., degrees
        Between -90 and 90 where b* is positive, as it is for skin in neutral light.

    Examples
    --------
    >>> angle(np.array([65.0, 12.0, 15.0])).round(6).item()
    45.0
    """
    return np.asarray(np.degrees(np.arctan2(lab[..., 0] - 50, lab[..., 2])))


def band(degrees: float) -> str:
    """Name the band of an angle; each begins at its edge.

    >>> [band(x) for x in (-31, -30, 27.9, 55)]
    ['dark', 'brown', 'tan', 'very light']
    """
    return BANDS[int(np.searchsorted(EDGES, degrees, side="right"))]


def lab_of(pixels: NDArray[np.uint8]) -> Floats:
    """Convert sRGB pixels, uint8, ... x 3, to CIELAB under D65 (2-degree observer).

    Raises
    ------
    ModelError
        If scikit-image is not installed.
    """
    try:
        from skimage.color import rgb2lab  # noqa: PLC0415 - an extra
    except ImportError:
        raise ModelError(
            "measured skin tone", "scikit-image is not installed", f"pip install 'faceaudit[{EXTRA}]'"
        ) from None
    return np.asarray(rgb2lab(pixels, illuminant="D65", observer="2"), np.float64)
