"""Any face model in an ONNX file, through onnxruntime; its card says what cannot be read from the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models import onnx_read, weights
from audit.models.card import ModelCard

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from audit.models.pipeline import Pipeline


def _providers(device: str, place: Path) -> list[str]:
    import onnxruntime  # noqa: PLC0415 - heavy

    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ModelError(
            str(place), "this onnxruntime has no CUDA", "Install onnxruntime-gpu in its place, or take --device cpu"
        )
    return ["CUDAExecutionProvider"]


def open_session(path: Path, content: bytes, device: str = "cpu") -> InferenceSession:
    """Make a session of onnxruntime from checked bytes; one thread an image, for images are worked on side by side.

    Parameters
    ----------
    path : Path
        For messages.
    content : bytes
        The checked bytes of the file.
    device : str
        "cpu" or "cuda".

    Raises
    ------
    ModelError
        If it is no model that onnxruntime can load, reaches beyond its file, or takes more than one input.
    """
    import onnxruntime  # noqa: PLC0415 - heavy

    content = onnx_read.checked(content, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # it is raised; what would be printed holds names of the file
    options.add_session_config_entry("session.load_model_format", "ONNX")  # what was checked, and not its own format
    try:
        session = onnxruntime.InferenceSession(content, options, providers=_providers(device, path))
    except Exception as error:  # onnxruntime's own exceptions share no public base
        raise ModelError(str(path), f"is no model that onnxruntime can load ({type(error).__name__})") from error
    inputs = len(session.get_inputs())
    if inputs != 1:
        raise ModelError(str(path), f"has {inputs} inputs", "Only models with one input, the face, can be run")
    return session


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline:
    """Load detector and network.

    Raises
    ------
    ModelError
        If the file is no ONNX model, or its shapes are not those of the card.
    """
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter, feed  # noqa: PLC0415 - loads torch

    session = open_session(card.weights, weights.read(card.weights, card.weights_sha256), device)
    output = session.get_outputs()[0].name
    name, spec = session.get_inputs()[0].name, card.input
    width, height = spec.shape

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Vectors of crops, each in a run of its own: many files fix the size of a batch."""
        runs = [session.run([output], {name: feed([crop], spec)})[0] for crop in crops]
        return np.stack([np.asarray(vector, np.float32).reshape(-1) for vector in runs])

    try:
        found = embed([np.zeros((height, width, 3), np.uint8)]).shape[1]
    except Exception as error:  # onnxruntime's own exceptions share no public base
        message = f"does not take {width} x {height} {spec.layout} input as its card says ({type(error).__name__})"
        raise ModelError(str(card.weights), message, "Mend the card's [input]") from error
    if found != card.dimension:
        raise ModelError(
            str(card.weights), f"gives {found} numbers, its card says {card.dimension}", "Mend the card's dimension"
        )
    return Pipeline(card, finder(card, device), cutter(card), embed, workers=workers)
