"""Face detection on a reduced image, one image at a time: MTCNN (Zhang et al. 2016, as in facenet-pytorch), or dlib's.

One at a time, because then an image's result does not depend on what else was worked on: results are the same
whatever was cached, and on two processors two threads with one image each are as fast as batches (measured).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.domain import FailureToAcquire, Picture
from audit.models import hog
from audit.models.card import BY_LANDMARKS, Detection, Prepared
from audit.models.mtcnn import Cascade


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """The face chosen in an image, in pixels of the full-size image.

    `box` is (left, top, right, bottom); `points`, 5 x 2, are left eye, right eye, nose, left and right corner of
    the mouth as seen in the picture; `seen` counts the faces that were found.
    """

    box: NDArray[np.float64]
    points: NDArray[np.float64]
    confidence: float
    seen: int

    def reduced(self, reduction: int) -> Face:
        """The same face in pixels of an image that is reduced by a whole number."""
        return self if reduction == 1 else replace(self, box=self.box / reduction, points=self.points / reduction)


class Faces(Protocol):
    """What finds all faces of an image."""

    def find(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Boxes with confidence, n x 5, and five points each, n x 5 x 2."""
        ...


class Detector:
    """Faces at a working size, with a declared policy for several faces. Safe to call from several threads.

    Parameters
    ----------
    settings : Detection
    device : str
        Where MTCNN runs.
    faces : Faces or None
        What looks for faces; None is MTCNN, whatever `settings.detector` says.
    """

    def __init__(self, settings: Detection, device: str = "cpu", faces: Faces | None = None) -> None:
        self._settings = settings
        self._faces = faces or Cascade(settings.smallest_face, device)

    def find(self, picture: Picture) -> Face | FailureToAcquire:
        """Find the face of a picture.

        Parameters
        ----------
        picture : Picture

        Returns
        -------
        Face, or FailureToAcquire of the stage "detect"
        """
        image = picture.pixels
        height, width = image.shape[:2]
        scale = min(1.0, self._settings.working_size / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if min(size) < self._settings.smallest_face:
            return FailureToAcquire("detect", "image is smaller than the smallest face")
        reduced = image if scale == 1.0 else np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
        boxes, points = (found.astype(np.float64) for found in self._faces.find(reduced))
        if len(boxes) == 0:
            return FailureToAcquire("detect", "no face")
        large = np.max(boxes[:, 2:4] - boxes[:, :2], axis=1) >= self._settings.smallest_face
        if not large.any():
            return FailureToAcquire("detect", "face too small")
        boxes, points = boxes[large], points[large]
        chosen = self._choose(boxes, size)
        back = np.array([width / size[0], height / size[1]]) * picture.reduction
        return Face(
            boxes[chosen, :4] * np.tile(back, 2), points[chosen] * back, float(boxes[chosen, 4]), int(large.sum())
        )

    def _choose(self, boxes: NDArray[np.float64], size: tuple[int, int]) -> int:
        if self._settings.several_faces == "most-confident":
            return int(np.argmax(boxes[:, 4]))
        if self._settings.several_faces == "most-central":
            middle = (boxes[:, :2] + boxes[:, 2:4]) / 2 - np.array(size) / 2
            return int(np.argmin((middle**2).sum(axis=1)))
        return int(np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])))


class Finder(Protocol):
    """What finds the face of a picture."""

    def find(self, picture: Picture) -> Face | FailureToAcquire:
        """Find the face, or say why there is none."""
        ...


class Marked:
    """Takes what the benchmark has marked: a box, and five landmarks where `landmarks` are needed."""

    def __init__(self, *, landmarks: bool = False) -> None:
        self._landmarks = landmarks

    def find(self, picture: Picture) -> Face | FailureToAcquire:
        """The marked face, or a failure of the stage "detect" where none is marked."""
        if picture.box is None:
            return FailureToAcquire("detect", "no box is marked")
        if self._landmarks and picture.points is None:
            return FailureToAcquire("detect", "no landmarks are marked")
        points = np.zeros((0, 2)) if picture.points is None else np.array(picture.points, np.float64)
        return Face(np.array(picture.box, np.float64), points, 1.0, 1)


def finder(card: Prepared, device: str = "cpu") -> Finder:
    """The detector that a model's card names.

    Raises
    ------
    ModelError
        If a file of it is not the published one.
    """
    if card.detection.detector == "truth":
        return Marked(landmarks=card.input.alignment in BY_LANDMARKS)
    if card.detection.detector == "mtcnn":
        return Detector(card.detection, device)
    return Detector(card.detection, device, hog.Hog(card.parts[hog.PART], card.detection.smallest_face))
