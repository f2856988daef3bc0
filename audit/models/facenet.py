"""InceptionResnetV1 of facenet-pytorch, with weights from a checked file and never with others.

No digest of the two release files is published by their authors. So none is made up: whoever has a file states its
digest in a card of their own, and the record says that it is self-declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models import weights
from audit.models.card import ModelCard
from audit.models.tensors import read_state
from audit.sandbox import onnx_session

if TYPE_CHECKING:
    import torch

    from audit.models.pipeline import Embed, Pipeline


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline:
    """Load detector and network.

    Raises
    ------
    ModelError
        If the file is damaged, carries code, or is not this network's.
    """
    from facenet_pytorch import InceptionResnetV1  # noqa: PLC0415 - loads torch

    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter  # noqa: PLC0415 - loads torch

    state = read_state(card.weights, weights.read(card.weights, card.weights_sha256))
    network = InceptionResnetV1(pretrained=None, classify=False).eval()
    try:
        network.load_state_dict({key: value for key, value in state.items() if not key.startswith("logits.")})
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelError(
            str(card.weights), "does not hold the weights of InceptionResnetV1", "Put the published file in its place"
        ) from error
    embed = _onnx(network, card) if (device, card.precision) == ("cpu", "float32") else _torch(network, card, device)
    return Pipeline(card, finder(card, device), cutter(card), embed, workers=workers, together=8)


def _onnx(network: torch.nn.Module, card: ModelCard) -> Embed:
    """In onnxruntime: on the CPU and in float32 it is nearly twice as fast as torch.

    In this process, where networks of strangers have one of their own: the graph is written here, and of the file it
    holds numbers alone.
    """
    from audit.models import onnx_graph  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import feed  # noqa: PLC0415 - loads torch

    session = onnx_session.make(onnx_graph.write(network, card.input.shape[0]))

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        made: list[NDArray[np.float32]] = session.run([onnx_graph.OUTPUT], {onnx_graph.INPUT: feed(crops, card.input)})
        return made[0]

    return embed


def _torch(network: torch.nn.Module, card: ModelCard, device: str) -> Embed:
    import torch  # noqa: PLC0415 - heavy

    from audit.models.pipeline import feed  # noqa: PLC0415 - loads torch

    kind = torch.bfloat16 if card.precision == "bfloat16" else torch.float32
    network = network.to(device, kind).to(memory_format=torch.channels_last)

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = torch.from_numpy(feed(crops, card.input)).to(device, kind, memory_format=torch.channels_last)
            vectors: NDArray[np.float32] = network(pixels).float().cpu().numpy()
        return vectors

    return embed
