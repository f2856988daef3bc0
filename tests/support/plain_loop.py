"""The documented way to dlib's templates, that audits are timed against."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from audit.domain import Sample


class Loop:
    """The documented way: MTCNN on the full-size image, then dlib on its largest box, one image at a time."""

    def __init__(self) -> None:
        self.detector = MTCNN()
        self.landmarks = dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())
        self.network = dlib.face_recognition_model_v1(face_recognition_models.face_recognition_model_location())

    def run(self, samples: Sequence[Sample]) -> np.ndarray:
        return np.array([self.template(sample.path) for sample in samples])

    def template(self, path: Path) -> np.ndarray:
        picture = Image.open(path).convert("RGB")
        boxes, _ = self.detector.detect(picture)
        image = np.asarray(picture)
        points = self.landmarks(image, dlib.rectangle(*(round(float(edge)) for edge in boxes[0])))
        return np.array(self.network.compute_face_descriptor(image, points))


def side_by_side(paths: Sequence[Path], processes: int = 2) -> np.ndarray:
    """The same templates, each from one of several processes: for what they say, not for how long they take."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        return np.array(list(pool.map(_template, paths, chunksize=8)))


def _template(path: Path) -> np.ndarray:
    return _loop().template(path)


@cache
def _loop() -> Loop:
    torch.set_num_threads(1)
    return Loop()
