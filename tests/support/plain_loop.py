"""The documented ways to templates on full-size images: dlib's, which audits are timed against, and MobileFaceNet's."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import cv2
import dlib
import face_recognition_models
import numpy as np
import onnxruntime
import torch
from facenet_pytorch import MTCNN
from PIL import Image
from skimage.transform import SimilarityTransform

from audit.domain import Sample

ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
"""Where ArcFace's 112 x 112 pixels have eyes, nose and corners of the mouth."""
MEAN, DEVIATION = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


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
        return self.of_box(picture, boxes[0])

    def of_box(self, picture: Image.Image, box: np.ndarray) -> np.ndarray:
        image = np.asarray(picture)
        points = self.landmarks(image, dlib.rectangle(*(round(float(edge)) for edge in box)))
        return np.array(self.network.compute_face_descriptor(image, points))


class MobileFaceNet:
    """MTCNN's five points on the full-size image, OpenCV's warp to ArcFace's pixels, the network in onnxruntime.

    Before the warp Pillow averages whole squares of pixels: at a quarter of the size a bilinear warp would skip most.
    Without it, two errors of one group of the London Set come out otherwise.
    """

    def __init__(self, weights: Path) -> None:
        self.network = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])

    def of_points(self, picture: Image.Image, points: np.ndarray) -> np.ndarray:
        found = points.astype(float)
        side = max(1, int(1 / SimilarityTransform.from_estimate(found, ARCFACE).scale))
        turn = SimilarityTransform.from_estimate((found + 0.5) / side - 0.5, ARCFACE)
        crop = cv2.warpAffine(np.asarray(picture.reduce(side)), turn.params[:2], (112, 112), flags=cv2.INTER_LINEAR)
        pixels = ((crop - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)
        return self.network.run(None, {self.network.get_inputs()[0].name: pixels})[0][0]


def side_by_side(paths: Sequence[Path], weights: Path, processes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """dlib's and MobileFaceNet's templates of the same detections: for what they say, not for how long they take.

    Each is made by one of several processes.
    """
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        one, two = zip(*pool.map(_templates, paths, [weights] * len(paths), chunksize=8), strict=True)
    return np.array(one), np.array(two)


def _templates(path: Path, weights: Path) -> tuple[np.ndarray, np.ndarray]:
    loop, network = _loops(weights)
    picture = Image.open(path).convert("RGB")
    boxes, _, points = loop.detector.detect(picture, landmarks=True)
    return loop.of_box(picture, boxes[0]), network.of_points(picture, points[0])


@cache
def _loops(weights: Path) -> tuple[Loop, MobileFaceNet]:
    torch.set_num_threads(1)
    return Loop(), MobileFaceNet(weights)
