"""Models: a table one can read, cards that are cheap to make, and models that are loaded only when they are needed.

A new model is a card (`audit/models/cards`) and one line in the table; a new family also has an adapter
(`audit.models.adapters`). A card is made without torch: it proves that the extra is installed and that the weights are
the published ones, before any image is read.
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
from audit.models import card_file, hog, plugged, resolve, service_card, weights
from audit.models.card import ModelCard
from audit.models.card_file import CardFile
from audit.models.detectors import DetectorCard, FaceFinder, detectors
from audit.plan import AuditPlan

MODELS: dict[str, str] = {
    "dlib": "dlib.toml",
    "facenet-vggface2": "facenet-vggface2.toml",
    "facenet-casia-webface": "facenet-casia-webface.toml",
    "facenet512": "facenet512.toml",
    "arcface": "arcface.toml",
    "arcface-mobile": "arcface-mobile.toml",
    "sface": "sface.toml",
    "adaface": "adaface.toml",
    "edgeface": "edgeface.toml",
    "mobilefacenet": "mobilefacenet.toml",
    "faceplugin_feature": "faceplugin_feature.toml",
    "vgg-face": "vgg-face.toml",
    "openface": "openface.toml",
    "deepface": "deepface.toml",
    "deepid": "deepid.toml",
    "ghostfacenet": "ghostfacenet.toml",
}
"""Name to its card in `audit/models/cards`."""

KINDS: dict[str, str] = {
    "onnx": "onnx:FILE",
    "exported": "exported:FILE",
    "card": "card:FILE.toml",
    "http": "http:FILE.toml",
}
"""Ways to name a model that is not in the table: an ONNX file or an archive of torch with its card beside it, a card of
one's own, and the card of a service."""

__all__ = ["KINDS", "MODELS", "DetectorCard", "ModelCard", "describe", "described", "detectors", "load", "require"]


def describe(spec: str, *, data: Sequence[Path] = (), plan: AuditPlan) -> ModelCard:
    """Make the card of a model; loads no torch and reads no image.

    Parameters
    ----------
    spec : str
        A name of the table or of a plug-in, or one of `KINDS`.
    data : sequence of folders
        Where weights are looked for, in order.
    plan : AuditPlan
        Its detection settings are part of the preprocessing.

    Raises
    ------
    ModelError
        Unknown model, missing extra, missing or wrong weights, incomplete card: with the way out.
    """
    kind, colon, argument = spec.partition(":")
    if colon and kind in KINDS:
        if not argument:
            raise ModelError(f"model {spec}", "names no file", f"Write {KINDS[kind]}")
        card = _of_kind(kind, weights.named(f"model {spec}", argument, data), data, plan)
    elif spec in MODELS:
        card = resolve.published(spec, card_file.published(MODELS[spec]), data, plan)
    elif kind in MODELS:
        raise ModelError(f"model {spec}", "this model takes no argument", f"Write {kind}")
    else:
        added = plugged.describe(spec, taken(), data, plan)
        if added is None:
            raise _unknown(spec)
        card = added
    if card.check:
        _function(card.check)(card)
    return _as_planned(card, plan)


def described(spec: str, *, data: Sequence[Path] = ()) -> CardFile:
    """Read what a model's card says, whether or not its weights are here.

    Parameters
    ----------
    spec : str
        A name of the table, or `card:FILE.toml`.
    data : sequence of folders
        Where a card is looked for.

    Raises
    ------
    ModelError
        If there is no such model, or its card has a mistake.
    """
    kind, colon, argument = spec.partition(":")
    if colon and kind == "card" and argument:
        return card_file.own(weights.named(f"model {spec}", argument, data), MODELS)
    if colon and kind in KINDS and argument:
        raise ModelError(f"model {spec}", "has no card with an address of its weights", "Nothing of it is obtained")
    if spec not in MODELS:
        raise _unknown(spec)
    return card_file.published(MODELS[spec])


def taken() -> dict[str, str]:
    """Names that no plug-in and no user's own card may have, each with its card or its form."""
    return {**MODELS, **KINDS}


def _of_kind(kind: str, path: Path, data: Sequence[Path], plan: AuditPlan) -> ModelCard:
    if kind == "http":
        return service_card.own(path, MODELS, plan)
    return resolve.own(path, MODELS, data, plan) if kind == "card" else _of_file(path, kind, plan)


def _unknown(spec: str) -> ModelError:
    from audit.models.attributes import ATTRIBUTE_MODELS  # noqa: PLC0415 - which is made of this module

    if spec in ATTRIBUTE_MODELS:
        return ModelError(
            f"model {spec}",
            "is an attribute model: it makes no templates",
            "Take --task attributes; or a model that makes some (faceaudit models list)",
        )
    near = difflib.get_close_matches(spec, MODELS, n=1, cutoff=0.5)
    near = [
        f"{kind}:{spec}"
        for kind, end in (("onnx", ".onnx"), ("exported", ".pt2"), ("card", ".toml"))
        if spec.lower().endswith(end)
    ] or near
    hint = f"Did you mean {near[0]!r}? " if near else ""
    if spec.removesuffix(":") in KINDS:
        return ModelError(f"model {spec}", "names no file", f"Write {KINDS[spec.removesuffix(':')]}")
    return ModelError(
        "model", f"unknown model {spec!r}", f"{hint}Known models: {', '.join((*MODELS, *KINDS.values()))}"
    )


def _of_file(path: Path, kind: str, plan: AuditPlan) -> ModelCard:
    """The card of a file with a network: the one beside it, or the published one that has its digest."""
    card = resolve.beside(path, MODELS, plan, adapter=kind) or resolve.recognised(path, MODELS, plan)
    if card is None:
        beside = path.with_suffix(".toml").name
        raise ModelError(str(path), f"has no card ({beside} beside it, or one shipped)", card_file.KEYS)
    return card


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
        model = _loader(card)(card, workers=workers, device=device)
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


def _loader(card: ModelCard) -> Callable[..., Any]:
    try:
        return _function(card.loader)
    except (ImportError, AttributeError, ValueError) as error:
        if card.loader.startswith("audit."):
            raise
        raise plugged.broken(card, error) from None


def _function(where: str) -> Callable[..., Any]:
    module, _, name = where.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function
