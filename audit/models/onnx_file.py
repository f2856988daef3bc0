"""Any face model in an ONNX file, through onnxruntime; its card says what cannot be read from the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models import onnx_network, weights
from audit.models.card import ModelCard

if TYPE_CHECKING:
    from audit.models.pipeline import Pipeline


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline:
    """Load detector and network.

    Raises
    ------
    ModelError
        If the file is no ONNX model, or its shapes are not those of the card.
    """
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter, feed  # noqa: PLC0415 - loads torch

    content, spec = weights.read(card.weights, card.weights_sha256), card.input
    network = onnx_network.load(card.weights, content, device=device, lanes=workers)
    width, height = spec.shape

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Vectors of crops, each in a run of its own: many files fix the size of a batch."""
        return np.stack([_vector(network.run(feed([crop], spec))) for crop in crops])

    black = feed([np.zeros((height, width, 3), np.uint8)], spec)
    found = len(_vector(network.tried(black, f"{width} x {height} {spec.layout} input as its card says")))
    if found != card.dimension:
        raise ModelError(
            str(card.weights), f"gives {found} numbers, its card says {card.dimension}", "Mend the card's dimension"
        )
    return Pipeline(card, finder(card, device), cutter(card), embed, workers=workers)


def _vector(outputs: Sequence[NDArray[np.generic]]) -> NDArray[np.float32]:
    return np.asarray(outputs[0], np.float32).reshape(-1)
