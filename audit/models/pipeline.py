"""Image to template: detect, align, embed; the same path for every model."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.domain import FailureToAcquire, Picture, Template
from audit.models import align
from audit.models.card import InputSpec, Prepared
from audit.models.detect import Face, Finder
from audit.models.guard import NoTemplateError, Outcome

Align = Callable[[NDArray[np.uint8], Face], NDArray[np.uint8]]
Note = Callable[[Picture, Face], Outcome]
"""Measures a face that was found (`audit.models.capture_meter`)."""
Embed = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.floating]]


class _OneThread:
    """How many are inside `one_thread_an_image`, and torch's threads before the first came."""

    lock = Lock()
    inside = 0
    before = 1


@contextmanager
def one_thread_an_image() -> Iterator[None]:
    """One image a thread, and one thread an image: sums are then in the same order on every machine.

    The setting is the whole process's: whoever leaves last restores it.
    """
    with _OneThread.lock:
        if _OneThread.inside == 0:
            _OneThread.before = torch.get_num_threads()
        _OneThread.inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _OneThread.lock:
            _OneThread.inside -= 1
            if _OneThread.inside == 0:
                torch.set_num_threads(_OneThread.before)


class Pipeline:
    """A `FaceModel` made of three parts.

    Parameters
    ----------
    card : Prepared
        A model's card, of whatever kind.
    detector : Finder
    cut : callable
        (image, face) to a crop, uint8, height x width x 3, RGB; ValueError where no crop can be made.
    embed : callable
        Crops to vectors of the card's dimension; safe to call from several threads.
    workers : int
        Images that `extract` works on at the same time; 0 is the number of processors.
    together : int
        Crops given to `embed` at a time, always as many: what is lacking is filled up with black ones. A template must
        not depend on its neighbours, to the last bit; that is tried out here, and where it fails crops go one by one.
    """

    def __init__(
        self,
        card: Prepared,
        detector: Finder,
        cut: Align,
        embed: Embed,
        *,
        workers: int = 0,
        together: int = 1,
    ) -> None:
        self.card = card
        self.name = card.name
        self.revision = card.revision
        self._detector = detector
        self._align = cut
        self._embed = embed
        self._workers = workers or os.cpu_count() or 1
        self.note: Note | None = None
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = Lock()
        self.together = together if together > 1 and self._independent(together) else 1

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
        with ThreadPoolExecutor(min(self._workers, max(1, len(images)))) as pool:
            return self._extracted([Picture(image) for image in images], pool.map)

    def extract_pictures(self, pictures: Sequence[Picture]) -> list[Template | FailureToAcquire]:
        """Extract a template or a failure from every picture, in order, on the thread that asks for it."""
        return self._extracted(pictures, map)

    def _extracted(self, pictures: Sequence[Picture], each: Callable[..., Any]) -> list[Template | FailureToAcquire]:
        with one_thread_an_image():
            found = list(each(self.crop, pictures))
            crops = [one for one in found if not isinstance(one, FailureToAcquire)]
            groups = [crops[first : first + self.together] for first in range(0, len(crops), self.together)]
            templates = iter([template for group in each(self._templates, groups) for template in group])
            made = [one if isinstance(one, FailureToAcquire) else next(templates) for one in found]
            return made if self.note is None else list(each(self._with_note, made, pictures, found))

    def _with_note(
        self, made: Outcome, picture: Picture, found: tuple[NDArray[np.uint8], Face] | FailureToAcquire
    ) -> Outcome:
        """The same template with what `note` measures of its face, so that nobody has to look for the face again."""
        if self.note is None or isinstance(made, FailureToAcquire) or isinstance(found, FailureToAcquire):
            return made
        with self._timed("note"):
            noted = self.note(picture, found[1])
        return made if isinstance(noted, FailureToAcquire) else replace(made, noted=noted.vector)

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
        if picture.whole is not None and np.any(seen.box[2:] - seen.box[:2] < self.card.input.shape):
            pixels, seen = picture.whole(), face
        if isinstance(pixels, FailureToAcquire):
            return pixels
        try:
            return self._align(np.ascontiguousarray(pixels), seen), face
        except ValueError:
            return FailureToAcquire("align", "landmarks define no crop")

    def _templates(self, group: Sequence[tuple[NDArray[np.uint8], Face]]) -> list[Outcome]:
        with self._timed("template"):
            try:
                vectors = self._embed_filled([crop for crop, _ in group], self.together)
            except NoTemplateError as error:
                if len(group) > 1:
                    raise
                return [error.failure]
        return [Template(vector, face.seen) for vector, (_, face) in zip(vectors, group, strict=True)]

    def _embed_filled(self, crops: list[NDArray[np.uint8]], size: int) -> list[NDArray[np.float32]]:
        width, height = self.card.input.shape
        black = np.zeros((height, width, 3), np.uint8)
        made = np.asarray(self._embed([*crops, *[black] * (size - len(crops))]), np.float32)
        return [vector.reshape(-1).copy() for vector in made[: len(crops)]]

    def _independent(self, size: int) -> bool:
        """Whether a crop has the same template, bit by bit, at every place and beside every neighbour."""
        width, height = self.card.input.shape
        crops = list(np.random.default_rng(0).integers(0, 256, (size, height, width, 3), dtype=np.uint8))
        with one_thread_an_image():
            first = self._embed_filled(crops, size)
            turned = self._embed_filled([*crops[1:], crops[0]], size)
            alone = self._embed_filled(crops[:1], size)
        same = [*zip(first, [turned[-1], *turned[:-1]], strict=True), (first[0], alone[0])]
        return all(one.tobytes() == other.tobytes() for one, other in same)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[stage] += time.perf_counter() - began


def cutter(card: Prepared) -> Align:
    """The alignment of a card: by five landmarks, or by the face's box."""
    size, margin = card.input.shape, card.detection.margin

    def by_points(image: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        return align.crop(image, face.points, size)

    def by_box(image: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        return align.box_crop(image, face.box, size, margin)

    return by_points if card.input.alignment == "arcface" else by_box


def feed(crops: Sequence[NDArray[np.uint8]], spec: InputSpec) -> NDArray[np.float32]:
    """Turn crops, uint8, height x width x 3, RGB, into the network's input."""
    pixels = np.stack(crops)
    if spec.colour == "BGR":
        pixels = pixels[..., ::-1]
    values = (pixels.astype(np.float32) - np.asarray(spec.mean, np.float32)) / np.asarray(spec.deviation, np.float32)
    if spec.layout == "NCHW":
        values = values.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(values, np.float32)
