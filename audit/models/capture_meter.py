"""The meter of capture conditions, run like a model: a face is found and aligned, and its numbers are `capture.FIELDS`.

The face is the one that MTCNN finds with the plan's settings, whatever model is audited, so that all models of a
benchmark share one measurement; with marked faces (`detector = "truth"`) it is the marked one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit import capture
from audit.domain import FailureToAcquire, Picture, Template
from audit.errors import ModelError
from audit.models.card import DECODING, Detection
from audit.models.detect import Detector, Face, Finder, Marked
from audit.models.detectors import DetectorCard, Find, mtcnn
from audit.models.guard import Outcome


@dataclass(frozen=True, slots=True)
class MeterCard(DetectorCard):
    """A detector's card that knows its settings."""

    settings: Detection


def card(settings: Detection) -> MeterCard:
    """Make the card of the meter; reads no image.

    Raises
    ------
    ModelError
        If facenet-pytorch is not installed.
    """
    found = mtcnn(settings)
    if found is None:
        raise ModelError("capture conditions", "facenet-pytorch is not installed", "pip install facenet-pytorch")
    marked = settings.detector == "truth"
    described = {
        "meter": "capture-1",
        "decoding": DECODING,
        "scaled": "a JPEG at a part of its size, where the eyes are at least as far apart there as in the aligned face",
        "found": "marked" if marked else found.preprocessing,
        "side": capture.SIDE,
        "ellipse": [*capture.CENTRE, *capture.RADII],
        "fields": capture.FIELDS,
    }
    return MeterCard(
        "capture",
        "faces that the benchmark has marked" if marked else f"faces of {found.words}",
        len(capture.FIELDS),
        found.weights_sha256,
        hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16],
        False,
        lambda: _find(CaptureMeter(settings)),
        settings,
    )


class CaptureMeter:
    """Measures pictures; a `PictureExtractor`, so that a JPEG is decoded no larger than needed."""

    def __init__(self, settings: Detection, *, workers: int = 0) -> None:
        self._settings = settings
        self._finder: Finder = Marked(landmarks=True) if settings.detector == "truth" else Detector(settings)
        self._workers = workers or os.cpu_count() or 1
        self.seconds: dict[str, float] = {}

    @property
    def working_size(self) -> int:
        """Longer side, in pixels, at which faces are looked for."""
        return self._settings.working_size

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> list[Outcome]:
        """Measure images of full size, in order."""
        with ThreadPoolExecutor(min(self._workers, max(1, len(images)))) as pool:
            return list(pool.map(lambda image: self._one(Picture(image)), images))

    def extract_pictures(self, pictures: Sequence[Picture]) -> list[Outcome]:
        """Measure pictures, in order, on the thread that asks for it."""
        from audit.models.pipeline import one_thread_an_image  # noqa: PLC0415 - loads torch

        with one_thread_an_image():
            return [self._one(picture) for picture in pictures]

    def _one(self, picture: Picture) -> Outcome:
        face = self._finder.find(picture)
        return face if isinstance(face, FailureToAcquire) else measured(picture, face)


def attach(model: object) -> None:
    """Have a model note the conditions of the faces that it finds, if it is one that finds them itself."""
    from audit.models.pipeline import Pipeline  # noqa: PLC0415 - loads torch

    if isinstance(model, Pipeline):
        model.note = measured


def measured(picture: Picture, face: Face) -> Outcome:
    """Measure a face that was found; the whole picture is decoded only where its aligned face would be enlarged."""
    from audit.models import align  # noqa: PLC0415 - with the detector

    pixels: NDArray[np.uint8] | FailureToAcquire = picture.pixels
    seen = face.reduced(picture.reduction)
    if picture.whole is not None and np.hypot(*(seen.points[1] - seen.points[0])) < capture.EYES_APART:
        pixels, seen = picture.whole(), face
    if isinstance(pixels, FailureToAcquire):
        return pixels
    try:
        numbers = capture.measure(align.crop(np.ascontiguousarray(pixels), seen.points, capture.SIDE), face.points)
    except ValueError:
        return FailureToAcquire("align", "landmarks define no crop")
    if isinstance(numbers, FailureToAcquire):
        return numbers
    return Template(np.asarray(numbers, np.float32), face.seen)


def _find(meter: CaptureMeter) -> Find:
    def find(image: NDArray[np.uint8]) -> NDArray[np.float64] | FailureToAcquire:
        outcome = meter.extract([image])[0]
        return outcome if isinstance(outcome, FailureToAcquire) else np.asarray(outcome.vector, np.float64)

    return find
