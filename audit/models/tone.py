"""The meter of skin tone, run like a detector: a face is found and aligned, and its numbers are those of `skin`."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from audit.domain import FailureToAcquire, Picture
from audit.errors import ModelError
from audit.models.card import DECODING, Detection
from audit.models.detectors import DetectorCard, Find, mtcnn
from audit.skin import ita, regions

FIELDS = ("degrees", "lightness", "a", "b", "spread", "sides", "regions", "pixels")
"""What the numbers of an outcome are, in order."""


def meter(settings: Detection) -> DetectorCard:
    """Make the card of the meter; loads no torch and reads no image.

    Raises
    ------
    ModelError
        If scikit-image or facenet-pytorch is not installed.
    """
    found = mtcnn(settings)
    try:
        library = version("scikit-image")
    except PackageNotFoundError:
        library = None
    if found is None or library is None:
        missing = "facenet-pytorch" if found is None else "scikit-image"
        raise ModelError("measured skin tone", f"{missing} is not installed", f"pip install 'faceaudit[{ita.EXTRA}]'")
    described = {
        "meter": "ita-1",
        "decoding": DECODING,
        "found": found.preprocessing,
        "regions": regions.REGIONS,
        "side": regions.SIDE,
        "rules": [regions.FARTHEST, regions.FOREHEAD_WITHIN, regions.LEAST],
        "scikit-image": library,
    }
    return DetectorCard(
        "ita",
        f"individual typology angle of cheeks and forehead, on faces of {found.words}",
        len(FIELDS),
        found.weights_sha256,
        hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16],
        False,
        lambda: _meter(settings),
    )


def _meter(settings: Detection) -> Find:
    from audit.models import align  # noqa: PLC0415 - with the detector, which loads torch
    from audit.models.detect import Detector  # noqa: PLC0415 - as above

    detector = Detector(settings)

    def find(image: NDArray[np.uint8]) -> NDArray[np.float64] | FailureToAcquire:
        face = detector.find(Picture(image))
        if isinstance(face, FailureToAcquire):
            return face
        try:
            tone = regions.measure(align.crop(image, face.points, regions.SIDE))
        except ValueError:
            return FailureToAcquire("align", "landmarks define no crop")
        if isinstance(tone, FailureToAcquire):
            return tone
        return np.array([tone.degrees, *tone.lab, tone.spread, tone.sides, tone.regions, tone.pixels])

    return find
