"""Networks exported by torch, a `torch.export` archive (.pt2) or a TorchScript one, run in a sandbox and nowhere else.

Such a file is a program: reading it can run code (`torch.export.load` unpickles), and so can the network itself (an
operator of TorchScript opens files). `audit.sandbox` says what it is kept from. It computes on the CPU, with one thread
an image, and crops are given to it one by one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.domain import FailureToAcquire
from audit.errors import ModelError
from audit.models import weights
from audit.models.card import ModelCard
from audit.models.guard import NoTemplateError
from audit.sandbox import archive, seal
from audit.sandbox.child import WAY_OUT
from audit.sandbox.lane import NoAnswerError
from audit.sandbox.pool import Sandbox

if TYPE_CHECKING:
    from audit.models.pipeline import Pipeline

_log = logging.getLogger(__name__)


def check(card: ModelCard) -> None:
    """Refuse what cannot be run here, before any image is read.

    Raises
    ------
    ModelError
        If the file is no archive of torch, or this machine has no sandbox.
    """
    archive.kind_of(weights.read(card.weights, card.weights_sha256), str(card.weights))
    lacking = seal.missing()
    if lacking is not None:
        raise ModelError(str(card.weights), f"is a program, and runs only in a sandbox: {lacking}", WAY_OUT)


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline:
    """Load the detector, and start the network in its sandbox.

    Raises
    ------
    ModelError
        If it does not run there, or its shapes are not those of the card.
    """
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter, feed  # noqa: PLC0415 - loads torch

    place, spec = str(card.weights), card.input
    if device != "cpu":
        raise ModelError(place, "computes on the CPU alone, in a sandbox without devices", "Take --device cpu")
    content = weights.read(card.weights, card.weights_sha256)
    kind = archive.kind_of(content, place)
    sandbox = Sandbox(content, kind, place, processes=workers or os.cpu_count() or 1)

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        try:
            return _vectors(sandbox.ask(feed(crops, spec)), len(crops))
        except NoAnswerError as error:
            _log.info("no answer from the sandbox: %s", error)
            raise NoTemplateError(FailureToAcquire("template", "the model failed in its sandbox")) from error

    width, height = spec.shape
    try:
        black = feed([np.zeros((height, width, 3), np.uint8)], spec)
        found = _vectors(sandbox.ask(black), 1).shape[1]
    except NoAnswerError as error:
        message = f"does not take {width} x {height} {spec.layout} input as its card says ({error})"
        raise ModelError(place, message, "Mend the card's [input]") from None
    if found != card.dimension:
        raise ModelError(place, f"gives {found} numbers, its card says {card.dimension}", "Mend the card's dimension")
    return Pipeline(card, finder(card, device), cutter(card), embed, workers=workers)


def _vectors(answer: Sequence[NDArray[Any]], faces: int) -> NDArray[np.float32]:
    """One vector a face, float32; what arrives is not believed."""
    (vectors,) = answer if len(answer) == 1 else (np.zeros(0),)
    if vectors.ndim != 2 or len(vectors) != faces or not vectors.size:
        raise NoAnswerError("it answered with something that is no vector")
    return vectors.astype(np.float32)
