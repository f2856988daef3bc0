"""Face detectors on their own: what each says about a picture, beside the model's own way to a template.

A new detector is one function that makes its card, and one line in the table. An outcome has the form of a template (a
vector of numbers) or of a failure, so that extraction, cache and resumption are those of every model.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.domain import FailureToAcquire, Picture, Template
from audit.models.card import DECODING, Detection

if TYPE_CHECKING:
    from audit.models.detect import Detector

Find = Callable[[NDArray[np.uint8]], NDArray[np.float64] | FailureToAcquire | None]
"""From an image to the numbers of its face, or a failure; None is the failure to find one."""


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """What decides a detector's outcome: weights, settings and versions; `dimension` numbers describe a face."""

    name: str
    words: str
    dimension: int
    weights_sha256: str
    preprocessing: str
    landmarks: bool
    """Whether the numbers are five landmarks (x, y): left eye, right eye, nose, corners of the mouth."""
    make: Callable[[], Find]

    @property
    def path(self) -> str:
        """For messages."""
        return self.name


class FaceFinder:
    """A detector that is run like a model: a found face is a vector of numbers, no face is a failure to detect."""

    def __init__(self, card: DetectorCard, *, workers: int = 0) -> None:
        self.card = card
        self.name = card.name
        self.revision = card.weights_sha256[:12]
        self._find = card.make()
        # Its threads live as long as it does: a detector may keep something for each.
        self._pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> list[Template | FailureToAcquire]:
        """Look for the face of every image, in order."""
        from audit.models.pipeline import one_thread_an_image  # noqa: PLC0415 - loads torch

        with one_thread_an_image():
            return list(self._pool.map(self._one, images))

    def _one(self, image: NDArray[np.uint8]) -> Template | FailureToAcquire:
        found = self._find(image)
        if found is None:
            return FailureToAcquire("detect", "no face")
        if isinstance(found, FailureToAcquire):
            return found
        return Template(np.asarray(found, np.float32).reshape(-1))


def mtcnn(settings: Detection) -> DetectorCard | None:
    """MTCNN as every model of this package uses it (Zhang et al. 2016), with five landmarks."""
    spec = find_spec("facenet_pytorch")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "data"
    weights = hashlib.sha256(b"".join((folder / f"{net}net.pt").read_bytes() for net in "pro")).hexdigest()
    shown = settings.model_dump(exclude={"detector"})  # this one is asked, whatever a model's detector is

    def make() -> Find:
        from audit.models.detect import Detector  # noqa: PLC0415 - loads torch

        return _landmarks_of(Detector(settings))

    return DetectorCard(
        "mtcnn",
        f"MTCNN of facenet-pytorch, smallest face {settings.smallest_face} pixels",
        10,
        weights,
        _id({"detector": "mtcnn", **shown}, "facenet-pytorch", "torch", "pillow"),
        True,
        make,
    )


def _landmarks_of(detector: Detector) -> Find:
    def find(image: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        face = detector.find(Picture(image))
        return None if isinstance(face, FailureToAcquire) else face.points

    return find


def dlib_hog(settings: Detection) -> DetectorCard | None:
    """Histograms of oriented gradients: the frontal face detector of dlib, after doubling the image once."""
    del settings
    try:
        build = version("dlib-bin")
    except PackageNotFoundError:
        return None

    def make() -> Find:
        import dlib  # noqa: PLC0415 - heavy, and an extra

        # One detector a thread: it keeps state while it looks, and making one takes ten times as long as looking.
        own = threading.local()

        def find(image: NDArray[np.uint8]) -> NDArray[np.float64] | None:
            if not hasattr(own, "detector"):
                own.detector = dlib.get_frontal_face_detector()
            boxes = own.detector(np.ascontiguousarray(image), 1)
            if not len(boxes):
                return None
            box = max(boxes, key=lambda one: one.area())
            return np.array([box.left(), box.top(), box.right(), box.bottom()], dtype=np.float64)

        return find

    return DetectorCard(
        "dlib-hog",
        "dlib's frontal face detector, image doubled once",
        4,
        hashlib.sha256(f"built into dlib-bin {build}".encode()).hexdigest(),
        _id({"detector": "dlib-hog", "doubled": 1}, "dlib-bin", "pillow"),
        False,
        make,
    )


DETECTORS: dict[str, Callable[[Detection], DetectorCard | None]] = {"mtcnn": mtcnn, "dlib-hog": dlib_hog}
"""Name to the function that makes its card, or None where it is not installed."""


def detectors(settings: Detection) -> list[DetectorCard]:
    """Cards of all installed detectors."""
    return [card for describe in DETECTORS.values() if (card := describe(settings)) is not None]


def _id(settings: dict[str, object], *packages: str) -> str:
    described = {"decoding": DECODING, **settings, "packages": {name: version(name) for name in packages}}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]
