"""What a face detector finds: how pictures were made worse, misses by group and condition, false detections."""

from __future__ import annotations

from pydantic import Field

from audit.domain import Support
from audit.record.part import Group, IntervalPart, Part, Unit


class DegradationPart(Part):
    """How pictures were made worse: the number behind every severity that was used."""

    name: str
    words: str
    parameter: str = Field(description="what the numbers are")
    severities: list[int]
    values: list[float] = Field(description="of each severity")


class TruthPart(Part):
    """Pictures by how their face is known."""

    box: int
    landmarks: int
    present: int = Field(description="nothing is marked, but the picture shows a face: any detection finds it")
    none: int = Field(description="left out: nothing is marked, and the plan asks for marks")


class DetectionCell(Part):
    """A group's pictures under one condition; `severity` 0 with no degradation: as they were taken."""

    group: Group
    degradation: str | None
    severity: int = Field(ge=0, le=5)
    misses: int
    pictures: int
    subjects: int
    value: Unit | None = Field(description="misses over pictures")
    interval: IntervalPart | None
    upper_bound: Unit | None = Field(None, description="one-sided 95 % bound where nothing was missed")
    support: Support
    false_detections: int | None
    false_pictures: int | None = Field(description="pictures with a false detection")
    reason: str | None = None


class LandmarkPart(Part):
    """Mean error of landmarks of faces that were found, over the distance of the pupils."""

    group: Group
    degradation: str | None
    severity: int = Field(ge=0, le=5)
    faces: int
    subjects: int
    mean: float | None
    interval: IntervalPart | None
    reason: str | None = None


class OddsPart(Part):
    """Odds of a miss in a group over those in the group it is compared with, at the same severity of a degradation."""

    group: Group
    against: Group
    degradation: str
    ratio: float | None
    interval: IntervalPart | None
    p: Unit | None
    reason: str | None = None


class StepPart(Part):
    """By what factor a group's odds of a miss grow from one severity to the next, over that of the reference."""

    group: Group
    ratio: float
    interval: IntervalPart


class InteractionPart(Part):
    """Whether the odds of a miss grow with severity alike in all groups of a family: Wald's test.

    `p_adjusted` is Holm's over the degradations of a family.
    """

    attributes: list[str]
    degradation: str
    against: Group
    freedom: int
    p: Unit | None
    p_adjusted: Unit | None
    steps: list[StepPart]
    reason: str | None = None


class DetectionPart(Part):
    """The detection task: what counted as found, and what was found."""

    confidence: float = Field(description="from which a face counts as found, in the detector's own unit")
    confidence_meaning: str
    box: str = Field(description="what the detector's box is drawn round")
    iou: float = Field(description="overlap from which a box counts as the marked face")
    truth: TruthPart
    working_size: int
    images_drawn: int | None = Field(description="pictures that the plan draws; null: all")
    degradations: list[DegradationPart]
    cells: list[DetectionCell]
    landmarks: list[LandmarkPart] = Field(description="empty: the detector gives none, or none are marked")
    odds: list[OddsPart]
    interactions: list[InteractionPart]
    broken: dict[str, int] = Field(description="outcomes in which the detector failed, by reason")
