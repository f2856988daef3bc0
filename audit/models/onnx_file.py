"""Any face model in an ONNX file, through onnxruntime; its card says what cannot be read from the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from audit.errors import ModelError
from audit.models import weights
from audit.models.card import Detection, ModelCard
from audit.plan import AuditPlan

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from audit.models.pipeline import Pipeline

_KEYS = (
    "A card has the keys licence, training_data, training_consent, similarity (cosine, dot or euclidean), dimension, "
    "optionally name, source and sha256, and a table [input] with size, colour (RGB or BGR), mean, deviation, layout "
    "(NCHW or NHWC) and alignment (arcface or box)"
)
_GIVEN = {
    "name",
    "licence",
    "training_data",
    "training_consent",
    "source",
    "similarity",
    "dimension",
    "input",
    "sha256",
}


def describe(name: str, argument: str, *, data: Sequence[Path], plan: AuditPlan) -> ModelCard:
    """Make the card from the `.toml` beside the file, or else from the one shipped for a file of this digest.

    Raises
    ------
    ModelError
        If there is no such file, or no card, or the card is incomplete.
    """
    if not argument:
        raise ModelError(f"model {name}", "names no file", f"Write {name}:FILE")
    path = weights.find(argument, data)
    if path is None:
        where = ", ".join(str(entry) for entry in data) or "no data folder given"
        raise ModelError(
            f"model {name}:{argument}",
            "there is no such file",
            f"Give its path, or put it into FACEAUDIT_DATA ({where})",
        )
    sha256 = weights.digest(path)
    values = weights.sibling(path)
    place, origin = str(path.with_suffix(".toml")), "computed from the file; its card was given by the user"
    if values is None:
        values = shipped().get(sha256)
        place, origin = f"card shipped for {path.name}", "computed from the file; equal to that of the shipped card"
    if values is None:
        raise ModelError(str(path), f"has no card ({path.with_suffix('.toml').name} beside it, or one shipped)", _KEYS)
    return _card(values, place, path, sha256, origin, plan)


def shipped() -> dict[str, dict[str, Any]]:
    """Read the cards that come with the package, by the SHA-256 of their weights."""
    folder = resources.files("audit.models").joinpath("cards")
    cards = [tomllib.loads(f.read_text(encoding="utf-8")) for f in folder.iterdir() if f.name.endswith(".toml")]
    return {card["sha256"]: card for card in cards}


def _card(values: dict[str, Any], place: str, path: Path, sha256: str, origin: str, plan: AuditPlan) -> ModelCard:
    for key in values:
        if key not in _GIVEN:
            raise ModelError(f"{place}: {key}", "unknown key", _KEYS)
    if values.get("sha256", sha256) != sha256:
        raise ModelError(
            str(path),
            f"SHA-256 is {sha256}, but {place} says {values['sha256']}",
            "The file is damaged or another one: put the right file in its place, or mend the card",
        )
    given = {key: value for key, value in values.items() if key != "sha256"}
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip(".-") or "onnx"
    try:
        card = ModelCard.model_validate(
            {"name": stem, **given}
            | {
                "revision": sha256[:12],
                "weights_sha256": sha256,
                "digest_source": origin,
                "detection": Detection.of(plan),
                "packages": ("facenet-pytorch", "torch", "pillow", "onnxruntime"),
                "loader": "audit.models.onnx_file:load",
                "weights": path,
            }
        )
    except ValidationError as error:
        raise weights.explain(error, place, _KEYS) from None
    if card.input.alignment == "dlib":
        raise ModelError(f"{place}: input.alignment", "'dlib' belongs to dlib's own network", _KEYS)
    return card


def _providers(device: str, place: Path) -> list[str]:
    import onnxruntime  # noqa: PLC0415 - heavy

    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ModelError(
            str(place), "this onnxruntime has no CUDA", "Install onnxruntime-gpu in its place, or take --device cpu"
        )
    return ["CUDAExecutionProvider"]


def session(content: bytes, place: Path, device: str = "cpu") -> InferenceSession:
    """Start onnxruntime on a model; images are worked on side by side, so each has one thread.

    Raises
    ------
    ModelError
        If it is none that onnxruntime can load.
    """
    import onnxruntime  # noqa: PLC0415 - heavy

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=_providers(device, place))
    except Exception as error:  # onnxruntime's own exceptions share no public base
        raise ModelError(str(place), f"is no model that onnxruntime can load ({type(error).__name__})") from error


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline:
    """Load detector and network.

    Raises
    ------
    ModelError
        If the file is no ONNX model, or its shapes are not those of the card.
    """
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter, feed  # noqa: PLC0415 - loads torch

    running = session(weights.read(card.weights, card.weights_sha256), card.weights, device)
    inputs = running.get_inputs()
    if len(inputs) != 1:
        raise ModelError(
            str(card.weights), f"has {len(inputs)} inputs", "Only models with one input, the face, can be run"
        )
    output = running.get_outputs()[0].name
    name, spec = inputs[0].name, card.input

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Vectors of crops, each in a run of its own: many files fix the size of a batch."""
        runs = [running.run([output], {name: feed([crop], spec)})[0] for crop in crops]
        return np.stack([np.asarray(vector, np.float32).reshape(-1) for vector in runs])

    try:
        found = embed([np.zeros((spec.size, spec.size, 3), np.uint8)]).shape[1]
    except Exception as error:  # onnxruntime's own exceptions share no public base
        message = (
            f"does not take {spec.size} x {spec.size} {spec.layout} input as its card says ({type(error).__name__})"
        )
        raise ModelError(str(card.weights), message, "Mend the card's [input]") from error
    if found != card.dimension:
        raise ModelError(
            str(card.weights), f"gives {found} numbers, its card says {card.dimension}", "Mend the card's dimension"
        )
    return Pipeline(card, finder(card, device), cutter(card), embed, workers=workers)
