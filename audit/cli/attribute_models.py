"""Attribute models in `faceaudit models list|show`: what each says of a face; nothing of it becomes a label."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import ModelError

if TYPE_CHECKING:
    from audit.models.attributes import AttributeCard, AttributeCardFile

NOTICE = "Their labels are assigned by the model; they are audited, and never used to label a benchmark."


def known(name: str, places: tuple[Path, ...]) -> bool:
    """Whether that is a name of the table of attribute models, or a card of one's own about one."""
    from audit.models import card_file, weights  # noqa: PLC0415 - the help text needs none of it
    from audit.models.attributes import ATTRIBUTE_MODELS  # noqa: PLC0415

    kind, _, file = name.partition(":")
    path = weights.find(file, places) if kind == "card" and file else None
    if path is None:
        return name in ATTRIBUTE_MODELS
    values = card_file.read(path)
    return "says" in values or values.get("like") in ATTRIBUTE_MODELS


def names() -> list[str]:
    """Names of the table."""
    from audit.models.attributes import ATTRIBUTE_MODELS  # noqa: PLC0415

    return list(ATTRIBUTE_MODELS)


def resolved(name: str, places: tuple[Path, ...]) -> tuple[AttributeCardFile | AttributeCard, ModelError | None]:
    """The card with its weights found, or as it stands in its file with what is missing."""
    from audit.models import attributes  # noqa: PLC0415
    from audit.plan import make  # noqa: PLC0415

    try:
        return attributes.describe(name, data=places, plan=make({"benchmark": "-", "model": "-"})), None
    except ModelError as error:
        return attributes.described(name, data=places), error


def sayings(card: AttributeCardFile | AttributeCard) -> list[dict[str, Any]]:
    """What a model says of a face: attribute, its labels (none: years), and what they mean."""
    return [
        {"attribute": one.attribute, "labels": list(one.labels), "meaning": one.meaning, "assigned_by": "the model"}
        for one in card.says
    ]


def words(card: AttributeCardFile | AttributeCard) -> Iterator[str]:
    """The same in lines for the terminal."""
    for one in card.says:
        yield f"Says of a face: {one.attribute} ({', '.join(one.labels) or 'years'}): {one.meaning}"
    yield NOTICE
