"""Face detectors that are audited on their own: whether a face is found, and for whom it is not.

A table one can read, as for face models. A detector of another package is an entry point of the group
`faceaudit.detectors` (see `audit.plugins`).
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import import_module, resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audit import plugins
from audit.domain import FaceDetector
from audit.errors import ModelError
from audit.models import adapters, card_file, plugged, resolve, weights
from audit.models.adapters import Adapter
from audit.models.card_file import Files
from audit.models.detection.card import DetectorCardFile, DetectorSettings, FaceDetectorCard
from audit.plan import AuditPlan

DETECTION_MODELS: dict[str, str] = {
    "mtcnn": "mtcnn.toml",
    "dlib-hog": "dlib-hog.toml",
    "dlib-cnn": "dlib-cnn.toml",
    "yunet": "yunet.toml",
}
"""Name to its card in `audit/models/detection/cards`."""

OWN = "card:FILE.toml"
"""How a detector is named that is not in the table."""

ADAPTERS: dict[str, Adapter] = {
    "mtcnn": Adapter("audit.models.detection.networks:mtcnn", ("facenet-pytorch", "torch", "pillow")),
    "dlib-hog": Adapter(
        "audit.models.detection.networks:dlib_hog", ("dlib-bin", "pillow"), extra="dlib", parts=("points",)
    ),
    "dlib-cnn": Adapter("audit.models.detection.networks:dlib_cnn", ("dlib-bin", "pillow"), extra="dlib"),
    "opencv-yunet": Adapter(
        "audit.models.detection.networks:yunet", ("opencv-contrib-python-headless", "pillow"), extra="opencv"
    ),
    "onnx": Adapter("audit.models.detection.onnx_boxes:load", ("onnxruntime", "pillow", "torchvision")),
}
"""Name to what runs it."""

KEYS = (
    "A card has the keys name, licence, training_sets (names of data sets) or else training_data and training_consent, "
    'confidence, lowest, meaning, box, landmarks, a table [weights] with file and sha256, and, for adapter = "onnx", '
    "tables [input] and [output]; docs/detection.md explains them"
)

__all__ = [
    "DETECTION_MODELS",
    "OWN",
    "DetectorCardFile",
    "FaceDetectorCard",
    "added",
    "describe",
    "described",
    "load",
    "published",
]


def describe(spec: str, *, data: Sequence[Path] = (), plan: AuditPlan) -> FaceDetectorCard:
    """Make the card of a detector; loads no torch and reads no image.

    Parameters
    ----------
    spec : str
        A name of the table or of a plug-in, or `card:FILE.toml`.
    data : sequence of folders
        Where weights are looked for, in order.
    plan : AuditPlan
        Its working size and smallest face are part of the preprocessing.

    Raises
    ------
    ModelError
        Unknown detector, missing extra, missing or wrong weights, incomplete card: with the way out.
    """
    kind, colon, argument = spec.partition(":")
    if colon and kind == "card":
        if not argument:
            raise ModelError(f"detector {spec}", "names no file", f"Write {OWN}")
        return _described_own(weights.named(f"detector {spec}", argument, data), data, plan)
    if spec in DETECTION_MODELS:
        file = published(spec)
        adapter = adapters.of(file.adapter, f"detector {spec}", ADAPTERS)
        return _card(file, adapter, _published_files(spec, file, data), plan, self_declared=False)
    entry = added().entries.get(spec)
    if entry is None:
        raise _unknown(spec)
    try:
        made = plugins.load(entry, Path, plugins.Model)
    except plugins.BrokenError as error:
        raise ModelError(f"detector {spec}", str(error), plugged.WAY_OUT) from None
    path = made if isinstance(made, Path) else made.card
    own = None if isinstance(made, Path) else Adapter(made.loader, made.packages)
    return _described_own(path, data, plan, own)


def described(spec: str, *, data: Sequence[Path] = ()) -> DetectorCardFile:
    """Read what a card says, whether or not its weights are here.

    Raises
    ------
    ModelError
        If there is no such detector, or its card has a mistake.
    """
    kind, colon, argument = spec.partition(":")
    if colon and kind == "card" and argument:
        return _own(weights.named(f"detector {spec}", argument, data))
    if spec not in DETECTION_MODELS:
        raise _unknown(spec)
    return published(spec)


def added() -> plugins.Found:
    """Detectors of other packages by name, and a line for each that is left out; nothing is imported."""
    return plugins.found(plugins.DETECTORS, DETECTION_MODELS)


def load(card: FaceDetectorCard) -> FaceDetector:
    """Load the detector of a card; this is the heavy part.

    Raises
    ------
    ModelError
        If the weights are not what the card says.
    """
    module, _, name = card.loader.partition(":")
    try:
        make = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        if module.startswith("audit."):
            raise
        raise ModelError(
            f"detector {card.name}", f"its plug-in is broken: {card.loader}: {error}", plugged.WAY_OUT
        ) from None
    detector = make(card)
    if not isinstance(detector, FaceDetector):
        raise TypeError(f"{card.loader} made a {type(detector).__name__}, not a FaceDetector")
    return detector


@cache
def published(name: str) -> DetectorCardFile:
    """Read a card that comes with the package."""
    file = DETECTION_MODELS[name]
    text = resources.files("audit.models.detection").joinpath("cards", file).read_text(encoding="utf-8")
    return card_file.hold(DetectorCardFile, tomllib.loads(text), f"shipped card {file}", KEYS)


def _unknown(spec: str) -> ModelError:
    near = difflib.get_close_matches(spec, DETECTION_MODELS, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    known = ", ".join((*DETECTION_MODELS, OWN))
    return ModelError("detector", f"unknown detector {spec!r}", f"{hint}Known detectors: {known}")


def _described_own(
    path: Path, data: Sequence[Path], plan: AuditPlan, adapter: Adapter | None = None
) -> FaceDetectorCard:
    file = _own(path)
    adapter = adapter or adapters.of(file.adapter, str(path), ADAPTERS)
    return _card(file, adapter, resolve.own_files(path, _files(file, str(path)), data), plan, self_declared=True)


def _own(path: Path) -> DetectorCardFile:
    values = card_file.read(path)
    card_file.credit(values, path)
    file = card_file.hold(DetectorCardFile, values, str(path), KEYS)
    card_file.require_own(_files(file, str(path)), path, DETECTION_MODELS)
    if file.adapter == "onnx" and (file.input is None or file.output is None):
        raise ModelError(str(path), "has no table [input] or [output]", KEYS)
    return file


def _files(file: DetectorCardFile, place: str) -> Files:
    """The card as one that has weights of its own."""
    if file.weights is None:
        raise ModelError(place, "names no file with weights", "Write a table [weights] with file and sha256")
    return file  # type: ignore[return-value]


def _published_files(name: str, file: DetectorCardFile, data: Sequence[Path]) -> dict[str, Path]:
    if file.weights is None:  # built into the package; what stands beside it is a file all the same
        first, *rest = file.parts
        alone = file.model_copy(
            update={"weights": file.parts[first], "parts": {part: file.parts[part] for part in rest}}
        )
        found = resolve.published_files(name, _files(alone, name), data)
        return {first: found.pop(""), **found}
    return resolve.published_files(name, _files(file, name), data)


def _card(
    file: DetectorCardFile, adapter: Adapter, found: dict[str, Path], plan: AuditPlan, *, self_declared: bool
) -> FaceDetectorCard:
    for part in adapter.parts:
        if part not in file.parts:
            raise ModelError(f"card {file.name}: parts.{part}", "is missing", f"Name it in a table [parts.{part}]")
    values: dict[str, Any] = file.model_dump(exclude={"adapter", "revision", "weights", "parts"})
    if file.weights is None:
        built = f"built into {adapter.packages[0]} {version(adapter.packages[0])}"
        digest, source = hashlib.sha256(built.encode()).hexdigest(), f"the weights are {built}: digest of these words"
    else:
        digest, source = file.weights.sha256, file.weights.digest_source
    return FaceDetectorCard(
        **values,
        revision=file.revision or digest[:12],
        weights_sha256=digest,
        digest_source=source,
        self_declared=self_declared,
        settings=DetectorSettings(working_size=plan.working_size, smallest_face=plan.smallest_face),
        packages=adapter.packages,
        loader=adapter.loader,
        weights=found.get(""),
        parts={name: path for name, path in found.items() if name},
        part_digests={name: part.sha256 for name, part in file.parts.items()},
    )
