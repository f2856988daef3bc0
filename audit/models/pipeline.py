"""Image to template: detect, align, embed; the same path for every model."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from audit.domain import FailureToAcquire, Picture, Template
from audit.models.card import InputSpec, ModelCard
from audit.models.detect import Detector, Face

Align = Callable[[NDArray[np.uint8], Face], NDArray[np.uint8]]
Embed = Callable[[NDArray[np.uint8]], NDArray[np.floating]]


@contextmanager
def one_thread_an_image() -> Iterator[None]:
    """One image a thread, and one thread an image: sums are then in the same order on every machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Pipeline:
    """A `FaceModel` made of three parts.

    Parameters
    ----------
    card : ModelCard
    detector : Detector
    align : callable
        (image, face) to a crop, uint8, size x size x 3, RGB; ValueError where no crop can be made.
    embed : callable
        Crop to a vector of the card's dimension; safe to call from several threads.
    workers : int
        Images worked on at the same time; 0 is the number of processors.
    """

    def __init__(self, card: ModelCard, detector: Detector, align: Align, embed: Embed, *, workers: int = 0) -> None:
        self.card = card
        self.name = card.name
        self.revision = card.revision
        self._detector = detector
        self._align = align
        self._embed = embed
        self._workers = workers or os.cpu_count() or 1
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = Lock()

    @property
    def seconds(self) -> dict[str, float]:
        """Time spent in each stage so far, all threads together."""
        with self._lock:
            return dict(self._seconds)

    @property
    def working_size(self) -> int:
        """Longer side, in pixels, at which faces are looked for."""
        return self.card.detection.working_size

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> list[Template | FailureToAcquire]:
        """Extract a template or a failure from every image, in order; see `audit.domain.FaceModel`."""
        return self.extract_pictures([Picture(image) for image in images])

    def extract_pictures(self, pictures: Sequence[Picture]) -> list[Template | FailureToAcquire]:
        """Extract a template or a failure from every picture, in order."""
        with one_thread_an_image(), ThreadPoolExecutor(min(self._workers, max(1, len(pictures)))) as pool:
            return list(pool.map(self._one, pictures))

    def crop(self, picture: Picture) -> tuple[NDArray[np.uint8], Face] | FailureToAcquire:
        """Find and align the face of a picture: what the network would see.

        Cut out of the whole image, unless the face is at least as wide in the reduced one as the network's input.
        """
        with self._timed("detect"):
            face = self._detector.find(picture)
        if isinstance(face, FailureToAcquire):
            return face
        with self._timed("align"):
            return self._cut(picture, face)

    def _cut(self, picture: Picture, face: Face) -> tuple[NDArray[np.uint8], Face] | FailureToAcquire:
        pixels: NDArray[np.uint8] | FailureToAcquire = picture.pixels
        seen = face.reduced(picture.reduction)
        if picture.whole is not None and min(seen.box[2:] - seen.box[:2]) < self.card.input.size:
            pixels, seen = picture.whole(), face
        if isinstance(pixels, FailureToAcquire):
            return pixels
        try:
            return self._align(np.ascontiguousarray(pixels), seen), face
        except ValueError:
            return FailureToAcquire("align", "landmarks define no crop")

    def _one(self, picture: Picture) -> Template | FailureToAcquire:
        found = self.crop(picture)
        if isinstance(found, FailureToAcquire):
            return found
        crop, face = found
        with self._timed("template"):
            return Template(np.asarray(self._embed(crop), np.float32).reshape(-1), face.seen)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[stage] += time.perf_counter() - began


def feed(crop: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.float32]:
    """Turn a crop, uint8, size x size x 3, RGB, into the network's input of batch size one."""
    pixels = crop if spec.colour == "RGB" else crop[:, :, ::-1]
    values = (pixels.astype(np.float32) - np.asarray(spec.mean, np.float32)) / np.asarray(spec.deviation, np.float32)
    if spec.layout == "NCHW":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values[np.newaxis], np.float32)
