"""Capture conditions by group, and how much of a gap goes with them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audit.domain import Support
from audit.record.part import Group, IntervalPart, Part, Unit


class MeasureGroup(Part):
    """A measure in the samples of a group; quantiles are null where few people stand behind them."""

    group: Group
    people: int
    samples: int
    missing: int
    quantiles: tuple[float, float, float, float, float] | None = Field(description="5, 25, 50, 75 and 95 per cent")


class CaptureMeasure(Part):
    """One capture condition: what the number is, and how it is distributed."""

    measure: str
    unit: str
    definition: str
    source: str
    scale: Literal["linear", "log2"] = Field(description="how it enters the model")
    failures: dict[str, int] = Field(description="why it is missing: stage and reason, with counts of samples")
    groups: list[MeasureGroup]


class ConditionGap(Part):
    """A group against another, as it is (`before`) and at the capture conditions of everybody (`after`).

    Rates: ratios; scores: differences. Only comparisons within a group whose conditions are known count. Null with a
    reason where it cannot be formed.
    """

    attribute: str
    group: Group
    against: Group
    quantity: str = Field(description="FMR, FNMR, mated score, non-mated score, or an error of single samples")
    operating_point: str | None
    people: tuple[int, int] = Field(description="of the group and of the other")
    errors: tuple[int, int] | None = Field(description="null for scores")
    comparisons: tuple[int, int] = Field(description="or samples, where one is tried at a time")
    missing: int = Field(description="comparisons of the two that are left out: a condition is not known")
    before: float | None
    before_interval: IntervalPart | None
    after: float | None
    after_interval: IntervalPart | None
    change: float | None = Field(description="after/before, for scores after - before: what goes with the conditions")
    change_interval: IntervalPart | None
    overlap: Unit | None = Field(description="share of the variance of belonging to a group that conditions explain")
    support: Support
    reason: str | None = None


class ConditionEffect(Part):
    """What goes with one more standard deviation of a column, groups and other columns being equal.

    Odds ratio of an error, or difference of scores.
    """

    attribute: str
    quantity: str = Field(description="FMR, FNMR, mated score, non-mated score, or an error of single samples")
    operating_point: str | None
    measure: str
    column: Literal["mean", "difference", "value"] = Field(
        description="of the two samples that are compared, or of the one that was tried"
    )
    deviation: float
    value: float
    interval: IntervalPart


class LeftOutMeasure(Part):
    """A measure that could not enter a model."""

    attribute: str
    quantity: str = Field(description="FMR, FNMR, mated score, non-mated score, or an error of single samples")
    operating_point: str | None
    measure: str
    reason: str


class Conditions(Part):
    """Where the plan asks for capture conditions: associations, not causes."""

    found: str = Field(description="whose faces were measured")
    measures: list[CaptureMeasure]
    gaps: list[ConditionGap]
    effects: list[ConditionEffect]
    left_out: list[LeftOutMeasure]
    several: dict[str, int] = Field(
        default_factory=dict, description="people who carry several values of an attribute: in no comparison here"
    )
    every: bool = Field(description="whether every comparison was a row; else non-errors are a sample with weights")
    rows: int = Field(description="comparisons that the models looked at, attribute by attribute")
    method: str
