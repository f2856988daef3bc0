"""The detectors that come with other libraries: MTCNN, dlib's two, and OpenCV's YuNet. One picture at a time.

What a detector finds in a picture does not depend on the pictures beside it. Every function may be called from several
threads.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from audit.domain import Detections
from audit.errors import ModelError
from audit.models import weights
from audit.models.detection.card import FaceDetectorCard

Image = NDArray[np.uint8]
Look = Callable[[Image], Detections]
Kept = TypeVar("Kept")


class Looking:
    """A `FaceDetector` made of a function."""

    def __init__(self, card: FaceDetectorCard, look: Look) -> None:
        self.card, self.name, self.revision = card, card.name, card.revision
        self._look = look

    def detect(self, image: Image) -> Detections:
        """Find faces."""
        return self._look(image)


class Lent(Generic[Kept]):
    """Things that keep a state while they work, one for each thread that works; made as they are needed."""

    def __init__(self, make: Callable[[], Kept]) -> None:
        self._make = make
        self._idle: queue.LifoQueue[Kept] = queue.LifoQueue()

    @contextmanager
    def one(self) -> Iterator[Kept]:
        """One that nobody else uses meanwhile."""
        try:
            kept = self._idle.get_nowait()
        except queue.Empty:
            kept = self._make()
        try:
            yield kept
        finally:
            self._idle.put(kept)


def mtcnn(card: FaceDetectorCard) -> Looking:
    """MTCNN (Zhang et al. 2016) on facenet-pytorch's weights, with five landmarks."""
    from audit.models.mtcnn import Cascade  # noqa: PLC0415 - loads torch

    cascade = Cascade(card.settings.smallest_face)

    def look(image: Image) -> Detections:
        boxes, points = cascade.find(image)
        return Detections(boxes.astype(np.float64), points.astype(np.float64))

    return Looking(card, look)


def dlib_hog(card: FaceDetectorCard) -> Looking:
    """Dlib's frontal face detector, with five points out of its 68 landmarks."""
    from audit.models.hog import Hog  # noqa: PLC0415 - loads dlib when it is made

    hog = Hog(card.parts["points"], card.settings.smallest_face)
    return Looking(card, lambda image: Detections(*hog.find(image)))


def dlib_cnn(card: FaceDetectorCard) -> Looking:
    """Dlib's convolutional detector (max-margin object detection, King 2015): boxes alone."""
    import dlib  # noqa: PLC0415 - heavy, and an extra

    from audit.models.hog import SMALLEST  # noqa: PLC0415 - beside it

    path = _weights(card)
    doubled = int(card.settings.smallest_face < SMALLEST)

    def make() -> Any:
        with weights.held(path, card.weights_sha256) as file:
            return dlib.cnn_face_detection_model_v1(file)

    lent = Lent(make)

    def look(image: Image) -> Detections:
        with lent.one() as network:
            found = network(np.ascontiguousarray(image), doubled)
        rows = [[one.rect.left(), one.rect.top(), one.rect.right(), one.rect.bottom(), one.confidence] for one in found]
        return Detections(np.array(rows, np.float64).reshape(-1, 5))

    return Looking(card, look)


def yunet(card: FaceDetectorCard) -> Looking:
    """YuNet (Wu, Peng & Yu 2023) through OpenCV's own class for it, with five landmarks."""
    import cv2  # noqa: PLC0415 - heavy, and an extra

    path = _weights(card)
    content = np.frombuffer(weights.read(path, card.weights_sha256), np.uint8)
    none = np.zeros(0, np.uint8)

    def make() -> Any:
        try:
            return cv2.FaceDetectorYN.create("onnx", content, none, (320, 320), float(card.lowest), 0.3, 5000)
        except cv2.error as error:
            raise ModelError(str(path), f"is no model that OpenCV can load: {error.err}", "Obtain it again") from None

    lent = Lent(make)
    lent.one().__enter__()  # loaded before the first image is read

    def look(image: Image) -> Detections:
        with lent.one() as network:
            network.setInputSize((image.shape[1], image.shape[0]))
            _, found = network.detect(np.ascontiguousarray(image[:, :, ::-1]))
        rows = np.zeros((0, 15)) if found is None else np.asarray(found, np.float64)
        boxes = np.column_stack([rows[:, :2], rows[:, :2] + rows[:, 2:4], rows[:, 14]])
        return Detections(boxes, rows[:, 4:14].reshape(-1, 5, 2))

    return Looking(card, look)


def _weights(card: FaceDetectorCard) -> Any:
    if card.weights is None:
        raise ModelError(f"detector {card.name}", "names no file with weights", "Mend its card")
    return card.weights
