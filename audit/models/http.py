"""A vendor's black box behind an HTTP address: an image goes there, a template comes back. Nothing else is known of it.

What is sent is pixels alone, encoded here: a file's own metadata (place, time, camera) stay behind, and so does its
name. Whether anything may be sent at all is decided before this module is reached (`audit.sending`).
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.domain import FaceModel, FailureToAcquire, Picture, Template
from audit.errors import ModelError
from audit.models import service as services
from audit.models.card import ModelCard
from audit.models.guard import NoTemplateError, Outcome
from audit.models.service import Service
from audit.models.service_client import Client

if TYPE_CHECKING:
    from audit.models.pipeline import Pipeline

_QUALITY = 95
_LOSSLESS = 3


def check(card: ModelCard) -> None:
    """Refuse a card that says no service.

    Raises
    ------
    ModelError
        With the way to name one.
    """
    if card.service is None:
        raise ModelError(f"card {card.name}: adapter", "'http' is for a service", "Name its card as http:FILE.toml")


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline | WholePictures:
    """Make the model: with our own detector and alignment, or of whole pictures, as the card says.

    Raises
    ------
    ModelError
        If nobody allowed images to be sent, or the credentials are missing.
    """
    service = _allowed(card)
    client = Client(service, card.revision)
    if service.picture == "whole":
        return WholePictures(card, client)
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter  # noqa: PLC0415 - loads torch

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack([_asked(client, crop, card.dimension) for crop in crops])

    return Pipeline(card, finder(card, device), cutter(card), embed, workers=max(workers, service.at_once))


def encoded(pixels: NDArray[np.uint8], service: Service) -> bytes:
    """An image, uint8, height x width x 3, RGB, as it is sent."""
    made = io.BytesIO()
    if service.format == "png":
        Image.fromarray(pixels).save(made, "PNG", compress_level=_LOSSLESS)
    else:
        Image.fromarray(pixels).save(made, "JPEG", quality=_QUALITY, subsampling=0)
    return made.getvalue()


def _allowed(card: ModelCard) -> Service:
    if card.service is None:
        raise TypeError(f"the card of {card.name} describes no service")
    if not set(card.service.hosts) <= set(card.may_send_to):
        raise ModelError(f"model {card.name}", f"may not send images to {card.service.host}", "Allow it for the run")
    return card.service


def _asked(client: Client, pixels: NDArray[np.uint8], dimension: int) -> NDArray[np.float32]:
    service = client.service
    answer = client.ask(encoded(pixels, service))
    return services.template_of(answer, service, dimension)


class Comparer:
    """A service that compares two pictures.

    Parameters
    ----------
    card : ModelCard
        It says where images may go.

    Raises
    ------
    ModelError
        If nobody allowed images to be sent, or the credentials are missing.
    """

    def __init__(self, card: ModelCard) -> None:
        self._service = _allowed(card)
        self._client = Client(self._service, card.revision)
        self._cut: Callable[[Picture], NDArray[np.uint8] | FailureToAcquire] = _whole
        self.working_size: int | None = None
        if self._service.picture == "crop":
            self._cut, self.working_size = _cropper(card), card.detection.working_size

    def encode(self, picture: Picture) -> bytes | FailureToAcquire:
        """What is sent of a picture."""
        pixels = self._cut(picture)
        return pixels if isinstance(pixels, FailureToAcquire) else encoded(pixels, self._service)

    def score(self, one: bytes, other: bytes) -> float | FailureToAcquire:
        """Score of two pictures that were encoded; larger means more alike."""
        try:
            return services.score_of(self._client.ask(one, other), self._service)
        except NoTemplateError as error:
            return error.failure


def _whole(picture: Picture) -> NDArray[np.uint8] | FailureToAcquire:
    return picture.pixels


def _cropper(card: ModelCard) -> Callable[[Picture], NDArray[np.uint8] | FailureToAcquire]:
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter  # noqa: PLC0415 - loads torch

    def nothing(_: object) -> NDArray[np.float32]:
        return np.zeros((1, 1), np.float32)

    pipeline = Pipeline(card, finder(card, "cpu"), cutter(card), nothing, workers=1)

    def cut(picture: Picture) -> NDArray[np.uint8] | FailureToAcquire:
        found = pipeline.crop(picture)
        return found if isinstance(found, FailureToAcquire) else found[0]

    return cut


class WholePictures(FaceModel):
    """A service that finds the face itself.

    Parameters
    ----------
    card : ModelCard
    client : Client
    """

    def __init__(self, card: ModelCard, client: Client) -> None:
        self.card, self.name, self.revision = card, card.name, card.revision
        self._client = client

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> list[Template | FailureToAcquire]:
        """Extract a template or a failure from every image, in order; see `audit.domain.FaceModel`."""
        with ThreadPoolExecutor(min(self._client.service.at_once, os.cpu_count() or 1)) as pool:
            return list(pool.map(self._one, images))

    def _one(self, image: NDArray[np.uint8]) -> Outcome:
        try:
            return Template(_asked(self._client, image, self.card.dimension))
        except NoTemplateError as error:
            return error.failure
