"""dlib's ResNet (King 2017): 128 numbers, Euclidean distance.

Landmarks and the aligned chip are dlib's own, from the wheel dlib-bin; its published weights run in torch
(`audit.models.dlib_net`), six times as fast and equal to dlib's own output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.models import weights
from audit.models.card import ModelCard

if TYPE_CHECKING:
    from audit.models.detect import Face
    from audit.models.pipeline import Pipeline


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline:
    """Load detector, landmarks and network.

    Raises
    ------
    ModelError
        If a file has changed since the card was made.
    """
    import dlib  # noqa: PLC0415 - heavy, and an extra
    import torch  # noqa: PLC0415 - heavy

    from audit.models import dlib_net  # noqa: PLC0415 - loads torch
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter, feed  # noqa: PLC0415 - loads torch

    with weights.held(card.parts["landmarks"], card.part_digests["landmarks"]) as file:
        predictor = dlib.shape_predictor(file)
    network = dlib_net.read(weights.read(card.weights, card.weights_sha256), card.weights).to(device)

    def align(image: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        left, top, right, bottom = (round(float(edge)) for edge in face.box)
        points = predictor(image, dlib.rectangle(left, top, right, bottom))
        chip: NDArray[np.uint8] = dlib.get_face_chip(image, points, size=card.input.shape[0], padding=0.25)
        return chip

    chosen = align if card.input.alignment == "dlib" else cutter(card)

    def embed(chips: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = torch.from_numpy(feed(chips, card.input)).to(device, memory_format=torch.channels_last)
            vectors: NDArray[np.float32] = network(pixels).cpu().numpy()
        return vectors

    return Pipeline(card, finder(card, device), chosen, embed, workers=workers, together=8)
