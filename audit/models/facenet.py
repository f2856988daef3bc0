"""InceptionResnetV1 of facenet-pytorch, with weights from a checked file and never with others.

No digest of the two release files is published by their authors. So none is made up: whoever places a file states
its digest beside it, and the record says that it is self-declared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models import weights
from audit.models.card import Detection, InputSpec, ModelCard
from audit.models.tensors import read_state
from audit.plan import AuditPlan

if TYPE_CHECKING:
    from audit.models.pipeline import Pipeline

_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
_STEMS = {"facenet-vggface2": "20180402-114759-vggface2", "facenet-casia-webface": "20180408-102900-casia-webface"}
_TRAINING = {
    "facenet-vggface2": (
        "VGGFace2 (withdrawn by its authors): about 3.3 million images of 9,131 people",
        "collected from the web without consent of the people shown; the data set has been withdrawn",
    ),
    "facenet-casia-webface": (
        "CASIA-WebFace: images of 10,575 people",
        "collected from the web without consent of the people shown",
    ),
}


def describe(name: str, argument: str, *, data: Sequence[Path], plan: AuditPlan) -> ModelCard:
    """Make the card: find the weights in the data folders and check them against the digest stated beside them.

    Raises
    ------
    ModelError
        If there is no file, no digest, or the wrong one.
    """
    if argument:
        raise ModelError(f"model {name}:{argument}", "this model takes no argument", f"Write {name}")
    stem = _STEMS[name]
    found = [weights.find(f"{stem}{suffix}", data) for suffix in (".safetensors", ".pt")]
    path = next((candidate for candidate in found if candidate is not None), None)
    if path is None:
        raise ModelError(
            f"model {name}",
            f"weights {stem}.pt are in none of the data folders",
            f"Download {_RELEASE}{stem}.pt into a folder of FACEAUDIT_DATA, with {stem}.toml beside it that says "
            'sha256 = "..."',
        )
    return ModelCard(
        name=name,
        revision=(sha256 := _declared(path))[:12],
        weights_sha256=sha256,
        digest_source="self-declared in the file beside the weights",
        licence="MIT (facenet-pytorch); no separate licence of the weights is stated",
        training_data=_TRAINING[name][0],
        training_consent=_TRAINING[name][1],
        source=f"{_RELEASE}{stem}.pt",
        similarity="cosine",
        dimension=512,
        input=InputSpec(size=160, mean=(127.5, 127.5, 127.5), deviation=(128, 128, 128), alignment="box"),
        detection=Detection.of(plan),
        packages=("facenet-pytorch", "torch", "pillow"),
        precisions=("float32", "bfloat16"),
        loader="audit.models.facenet:load",
        weights=path,
    )


def _declared(path: Path) -> str:
    beside = path.with_suffix(".toml")
    sha256 = (weights.sibling(path) or {}).get("sha256")
    if not isinstance(sha256, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ModelError(
            str(path),
            "no digest of these weights is published, and none is stated beside them",
            f'Check where the file comes from, then write sha256 = "{64 * "."}" into {beside.name}',
        )
    weights.check(path, sha256.lower(), f"stated in {beside.name}")
    return sha256.lower()


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline:
    """Load detector and network.

    Raises
    ------
    ModelError
        If the file is damaged, carries code, or is not this network's.
    """
    import torch  # noqa: PLC0415 - heavy
    from facenet_pytorch import InceptionResnetV1  # noqa: PLC0415 - loads torch

    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter, feed  # noqa: PLC0415 - loads torch

    state = read_state(card.weights, weights.read(card.weights, card.weights_sha256))
    network = InceptionResnetV1(pretrained=None, classify=False).eval()
    try:
        network.load_state_dict({key: value for key, value in state.items() if not key.startswith("logits.")})
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelError(
            str(card.weights), "does not hold the weights of InceptionResnetV1", "Put the published file in its place"
        ) from error
    kind = torch.bfloat16 if card.precision == "bfloat16" else torch.float32
    network = network.to(device, kind, memory_format=torch.channels_last)

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = torch.from_numpy(feed(crops, card.input)).to(device, kind, memory_format=torch.channels_last)
            vectors: NDArray[np.float32] = network(pixels).float().cpu().numpy()
        return vectors

    return Pipeline(card, finder(card, device), cutter(card), embed, workers=workers, together=8)

