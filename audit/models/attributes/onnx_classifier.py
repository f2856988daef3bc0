"""Any attribute classifier in an ONNX file; its card says which columns of which output hold what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models import onnx_network, weights
from audit.models.attributes.analyser import Analyser
from audit.models.attributes.card import AttributeCard, Says


def load(card: AttributeCard, *, workers: int = 0, device: str = "cpu") -> Analyser:
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
    wanted = tuple(range(min(len(network.outputs), 1 + max(one.output for one in card.says))))

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack([numbers(network.run(feed([crop], spec), wanted), card.says) for crop in crops])

    width, height = spec.shape
    black = feed([np.zeros((height, width, 3), np.uint8)], spec)
    numbers(network.tried(black, f"{width} x {height} {spec.layout} input as its card says", wanted), card.says)
    return Analyser(card, Pipeline(card, finder(card, device), cutter(card), embed, workers=workers))


def numbers(outputs: Sequence[Any], says: Sequence[Says]) -> NDArray[np.float32]:
    """Take what the card names out of a network's outputs for one face.

    Parameters
    ----------
    outputs : sequence of arrays, each of one face
    says : sequence of Says

    Returns
    -------
    float32, one vector: years, and probabilities (of logits the softmax), in the order of `says`

    Raises
    ------
    ModelError
        If an output or a column that the card names is not there.

    Examples
    --------
    >>> gender = Says(attribute="gender", labels=("a", "b"), meaning="any", scale="logits")
    >>> age = Says(attribute="age", meaning="any", first=2, times=100)
    >>> numbers([np.array([[0.0, 0.0, 0.25]])], [age, gender]).tolist()
    [25.0, 0.5, 0.5]
    """
    found = []
    for one in says:
        flat = np.asarray(outputs[one.output], np.float64).reshape(-1) if one.output < len(outputs) else np.zeros(0)
        part = flat[one.first : one.first + one.width]
        if len(part) < one.width:
            raise ModelError(
                f"card: says {one.attribute}",
                f"output {one.output} has {len(flat)} columns, and {one.first + one.width} are named",
                "Mend output and first in the card",
            )
        found.append(part * one.times if not one.labels else _probabilities(part, one.scale))
    return np.concatenate(found).astype(np.float32)


def _probabilities(values: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    if scale == "probabilities":
        return values
    powers = np.exp(values - values.max())
    shares: NDArray[np.float64] = powers / powers.sum()
    return shares
