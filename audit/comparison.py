"""The comparison as frozen data: what compare.json holds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from audit.domain import Support
from audit.record import Group, IntervalPart

How = Literal["paired", "independent", "bounded"]
Word = Literal["differs", "no evidence that it differs", "cannot be told"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Compared(_Part):
    """One of the records; `label` is unique among them."""

    label: str
    model: str
    revision: str
    benchmark: str
    version: str
    created: str
    people: int
    samples: int
    plan: str = Field(description="digest of the plan")


class Remark(_Part):
    """Whether two records agree in something that a comparison rests on; `b` is compared with `a`, both are labels."""

    a: str
    b: str
    about: Literal["benchmark", "samples", "labels", "plan", "preprocessing", "model", "people", "code"]
    same: bool
    text: str


class Value(_Part):
    """A rate as the record has it."""

    errors: int
    trials: int
    people: int
    value: float | None
    interval: IntervalPart | None


class Difference(_Part):
    """A rate of record `b` against that of record `a`: ratio and difference are of b over, or less, a."""

    a: str
    b: str
    metric: str
    operating_point: str | None = Field(description="how the threshold was set: global, per-group, or given")
    group: Group
    first: Value
    second: Value
    how: How
    support: Support = Field(description="the lesser of the two")
    correlation: float | None = Field(None, description="of the two rates; null where it is only bounded")
    ratio: float | None = None
    ratio_interval: IntervalPart | None = None
    difference: float | None = None
    difference_interval: IntervalPart | None = None
    p: float | None = Field(None, ge=0, le=1)
    p_adjusted: float | None = Field(None, ge=0, le=1, description="Holm's, over the family")
    family: str
    verdict: Word = "cannot be told"
    minimum_detectable_ratio: float | None = None
    reason: str | None = None


class DisparityChange(_Part):
    """A disparity of record `b` over the same disparity of record `a`.

    `measure` is a disparity measure over the groups of `attributes`, or 'ratio': the rate of `group` over `against`.
    """

    a: str
    b: str
    metric: str
    operating_point: str | None
    measure: str
    attributes: list[str]
    group: Group | None = None
    against: Group | None = None
    first: float | None
    second: float | None
    change: float | None = Field(None, description="second over first")
    interval: IntervalPart | None = None
    how: How
    p: float | None = Field(None, ge=0, le=1)
    p_adjusted: float | None = Field(None, ge=0, le=1)
    family: str
    verdict: Word = "cannot be told"
    reason: str | None = None


class Split(_Part):
    """Where a change of a disparity comes from, where one model was run with two preparations of the same pictures.

    The disparity is a generalised rate of `group` less that of `against`; FRR = FTA + FNMR (1 - FTA), FAR = FMR (1 -
    FTA). `second - first` is `detection + templates`, exactly: what the failures to acquire moved, at the mean of the
    other rate, and what that moved, at the mean of the failures. Intervals take these means as known.
    """

    a: str
    b: str
    metric: Literal["FRR", "FAR"]
    operating_point: str
    group: Group
    against: Group
    first: float
    second: float
    detection: float
    detection_interval: IntervalPart | None
    templates: float
    templates_interval: IntervalPart | None


class FrontPoint(_Part):
    """Accuracy and disparity of a record: both smaller is better. `dominated`: another point is no worse in either."""

    label: str
    target_fmr: float
    attributes: list[str]
    measure: str
    fnmr: float | None
    fnmr_interval: IntervalPart | None
    disparity: float | None
    disparity_interval: IntervalPart | None
    dominated: bool | None = Field(description="by the values themselves, whatever their intervals; null: not formed")
    reason: str | None = None


class Comparison(_Part):
    """Everything that comparison.html shows."""

    schema_: Literal["faceaudit/compare-1"] = Field("faceaudit/compare-1", alias="schema")
    software: str
    level: float
    alpha: float
    records: list[Compared]
    remarks: list[Remark]
    differences: list[Difference]
    disparities: list[DisparityChange]
    front: list[FrontPoint]
    splits: list[Split] = []

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


def make_schema() -> dict[str, Any]:
    """JSON Schema of compare.json."""
    made = Comparison.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "compare-1.json", **made}
