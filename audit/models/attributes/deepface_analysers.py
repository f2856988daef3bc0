"""deepface's analysers of age, gender and race: VGG-Face's trunk with a head each, built by deepface itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.models import deepface_networks, weights
from audit.models.attributes.analyser import Analyser
from audit.models.attributes.card import AttributeCard
from audit.models.deepface_networks import ANALYSERS


def load(card: AttributeCard, *, workers: int = 0, device: str = "cpu") -> Analyser:
    """Load detector and network.

    Raises
    ------
    ModelError
        If deepface is not installed, the card is not about one of its analysers, or the file is not its weights.
    """
    from audit.models.deepface_family import level_eyes, preparer  # noqa: PLC0415 - beside it
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter  # noqa: PLC0415 - loads torch

    deepface_networks.require(f"attribute model {card.name}")
    network = deepface_networks.named(ANALYSERS, card)
    client = deepface_networks.build(network, card.weights, weights.read(card.weights, card.weights_sha256), device)
    prepare = preparer(card.input)

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack([np.asarray(client.predict(prepare(crop)), np.float32).reshape(-1) for crop in crops])

    cut = level_eyes() if card.input.alignment == "deepface" else cutter(card)
    return Analyser(card, Pipeline(card, finder(card, device), cut, embed, workers=workers))
