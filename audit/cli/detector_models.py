"""Face detectors in `faceaudit models list|show|obtain`: what each says of a picture, and when that is a face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import ModelError

if TYPE_CHECKING:
    from audit.models.detection import DetectorCardFile, FaceDetectorCard

NOTICE = "They are audited with --task detection."


def known(name: str, places: tuple[Path, ...]) -> bool:
    """Whether that is a name of the table of detectors or of a plug-in, or a card of one's own about one."""
    from audit.models import card_file, weights  # noqa: PLC0415 - the help text needs none of it
    from audit.models.detection import DETECTION_MODELS, added  # noqa: PLC0415

    kind, _, file = name.partition(":")
    path = weights.find(file, places) if kind == "card" and file else None
    if path is None:
        return name in DETECTION_MODELS or name in added().entries
    return "confidence" in card_file.read(path)


def names() -> list[str]:
    """Names of the table and of plug-ins."""
    from audit.models.detection import DETECTION_MODELS, added  # noqa: PLC0415

    return [*DETECTION_MODELS, *added().entries]


def left_out() -> tuple[str, ...]:
    """A line for each plug-in that cannot be used."""
    from audit.models.detection import added  # noqa: PLC0415

    return added().left_out


def resolved(name: str, places: tuple[Path, ...]) -> tuple[DetectorCardFile | FaceDetectorCard, ModelError | None]:
    """The card with its weights found, or as it stands in its file with what is missing."""
    from audit.models import detection  # noqa: PLC0415
    from audit.plan import make  # noqa: PLC0415

    try:
        return detection.describe(name, data=places, plan=make({"benchmark": "-", "model": "-"})), None
    except ModelError as error:
        return detection.described(name, data=places), error


def words(card: DetectorCardFile | FaceDetectorCard) -> Iterator[str]:
    """What a detector says, in lines for the terminal."""
    yield f"A face counts as found from a confidence of {card.confidence:g}: {card.meaning}"
    yield f"Its box: {card.box}; landmarks: {'eyes, nose and mouth' if card.landmarks else 'none'}"
    yield NOTICE
