"""Differences between groups: differentials, contrasts, tests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from audit.domain import Verdict
from audit.record.part import Group, IntervalPart, Part, Unit


class GroupsPart(Part):
    """Worst and best group of a spread."""

    worst: Group | None
    best: Group | None


class Histogram(Part):
    """Counts between edges; `edges` has one number more than `counts`."""

    edges: list[float]
    counts: list[int]


class Differential(Part):
    """A disparity measure over the groups of an attribute or an intersection."""

    measure: str
    metric: str
    attributes: list[str]
    operating_point: str
    value: float | None
    interval: IntervalPart | None
    bootstrap: IntervalPart | None = Field(None, description="by the vertex bootstrap, where the plan asks for it")
    null_p: Unit | None
    null_median: float | None = Field(None, description="median of the measure if the rates were equal")
    null_high: float | None = Field(None, description="95 % point of the measure if the rates were equal")
    null_histogram: Histogram | None = Field(
        None, description="draws of the measure if the rates were equal; of max/geomean alone"
    )
    debiased: dict[str, float | None] = Field(description="cross_fit, tau")
    components: dict[str, float | None] = Field({})
    groups: GroupsPart
    zero_adjusted: list[Group]
    excluded: list[dict[str, Any]] = Field(description="groups left out, each with `group` and `reason`")
    included: list[Group] = Field([])
    verdict: Verdict
    margin: float | None
    minimum_detectable_ratio: float | None
    reason: str | None = None


class Contrast(Part):
    """Ratio of one group's rate to another's (`against` is a group, or 'rest': everyone else within the attribute)."""

    metric: str
    operating_point: str | None
    group: Group
    against: Group | Literal["rest"]
    ratio: float | None
    at_least: bool = Field(False, description="the denominator had no error: the ratio is at least this")
    interval: IntervalPart | None
    p: Unit | None
    p_adjusted: Unit | None = Field(description="Holm's, over the family")
    p_max_z: Unit | None = Field(
        None, description="by the largest |z| of the family, with the correlations of its tests"
    )
    family: str
    verdict: Verdict
    material: bool = False
    margin: float
    minimum_detectable_ratio: float | None
    difference: float | None = None
    difference_interval: IntervalPart | None = None
    reason: str | None = None


class GlobalTest(Part):
    """Wald's test that the groups of an attribute or intersection have one rate: F over K - 1."""

    metric: str
    attributes: list[str]
    operating_point: str | None
    included: list[Group]
    freedom: tuple[int, int] | None = Field(description="K - 1, and the fewest people of a group less one")
    p: Unit | None
    reason: str | None = None


class ExperimentalIndex(Part):
    """An index recalled from the literature: no interval, no verdict, never a headline."""

    measure: Literal["sfi", "cfi", "dfi", "cei", "mape"]
    attributes: list[str]
    operating_point: str | None
    value: float | None
    formula: str
    source: str
    reason: str | None = None
