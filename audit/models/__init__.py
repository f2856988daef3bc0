"""Models: a table one can read, cards that are cheap to make, and models that are loaded only when they are needed.

A new model is one module with a function that makes its card, and one line in the table. The card is made without
torch: it proves that the extra is installed and that the weights are the published ones, before any image is read.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from audit.domain import FaceModel
from audit.errors import ModelError
from audit.models import hog
from audit.models.card import ModelCard
from audit.models.detectors import DetectorCard, FaceFinder, detectors
from audit.plan import AuditPlan

MODELS: dict[str, str] = {
    "dlib": "audit.models.dlib_resnet:describe",
    "onnx": "audit.models.onnx_file:describe",
    "facenet-vggface2": "audit.models.facenet:describe",
    "facenet-casia-webface": "audit.models.facenet:describe",
}
"""Name to the function that makes its card."""

__all__ = ["MODELS", "DetectorCard", "ModelCard", "describe", "detectors", "load", "require"]


def describe(spec: str, *, data: Sequence[Path] = (), plan: AuditPlan) -> ModelCard:
    """Make the card of a model; loads no torch and reads no image.

    Parameters
    ----------
    spec : str
        A name of the table, or `onnx:FILE`.
    data : sequence of folders
        Where weights are looked for, in order.
    plan : AuditPlan
        Its detection settings are part of the preprocessing.

    Raises
    ------
    ModelError
        Unknown model, missing extra, missing or wrong weights, incomplete card: with the way out.
    """
    name, _, argument = spec.partition(":")
    if name not in MODELS:
        near = difflib.get_close_matches(name, MODELS, n=1, cutoff=0.5)
        known = ", ".join("onnx:FILE" if key == "onnx" else key for key in MODELS)
        if spec.lower().endswith(".onnx"):
            near = [f"onnx:{spec}"]
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise ModelError("model", f"unknown model {spec!r}", f"{hint}Known models: {known}")
    card = _function(MODELS[name])(name, argument, data=data, plan=plan)
    if not isinstance(card, ModelCard):
        raise TypeError(f"{MODELS[name]} made a {type(card).__name__}, not a ModelCard")
    return _as_planned(card, plan)


def _as_planned(card: ModelCard, plan: AuditPlan) -> ModelCard:
    """What a plan changes on the way to the network."""
    if plan.arithmetic not in card.precisions:
        raise ModelError(
            f"arithmetic {plan.arithmetic}", f"{card.name} computes in float32 alone", 'Take arithmetic = "float32"'
        )
    changed: dict[str, Any] = {"precision": plan.arithmetic}
    if plan.alignment != "model":
        changed["input"] = card.input.model_copy(update={"alignment": plan.alignment})
    if plan.detector == "dlib-hog":
        changed["parts"] = {**card.parts, hog.PART: hog.require()}
        changed["packages"] = tuple(dict.fromkeys((*card.packages, *hog.PACKAGES)))
    return card.model_copy(update=changed)


def load(card: ModelCard | DetectorCard, *, workers: int = 0, device: str = "cpu") -> FaceModel | FaceFinder:
    """Load the model or the detector of a card; this is the heavy part.

    Parameters
    ----------
    card : ModelCard or DetectorCard
    workers : int
        Images worked on at the same time; 0 is the number of processors. It changes no number.
    device : str
        "cpu", or "cuda": where the networks run. Detectors on their own always run on the CPU.

    Raises
    ------
    ModelError
        If the weights are not what the card says.
    """
    with warnings.catch_warnings():  # in a notebook facenet-pytorch asks for a progress bar that it never shows
        warnings.filterwarnings("ignore", message="IProgress not found")
        if isinstance(card, DetectorCard):
            return FaceFinder(card, workers=workers)
        require(device)
        model = _function(card.loader)(card, workers=workers, device=device)
    if not isinstance(model, FaceModel):
        raise TypeError(f"{card.loader} made a {type(model).__name__}, not a FaceModel")
    return model


def require(device: str) -> None:
    """Refuse CUDA on a machine without it; float32 stays float32 on one that has it.

    Raises
    ------
    ModelError
        If torch sees no such device.
    """
    if device == "cpu":
        return
    import torch  # noqa: PLC0415 - heavy

    if not torch.cuda.is_available():
        raise ModelError("--device cuda", "torch sees no CUDA device here", "Take --device cpu")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cuda.matmul.allow_tf32 = False


def _function(where: str) -> Callable[..., Any]:
    module, _, name = where.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function
