"""The whole record."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from audit.domain import DURING
from audit.record.about import BenchmarkPart, Digests, ModelPart
from audit.record.attributes import AttributesPart
from audit.record.conditions import Conditions
from audit.record.detection import DetectionPart
from audit.record.differences import Contrast, Differential, ExperimentalIndex, GlobalTest
from audit.record.lists import Identification, ScenarioPart
from audit.record.part import Part
from audit.record.preregistration import Preregistration
from audit.record.rates import Acquisition, OperatingPoint, Rate, SamplesPart
from audit.record.sampled import Sampling
from audit.record.scores import (
    AnnotatorRatio,
    Covariance,
    Curve,
    DetCurve,
    Distribution,
    FoldsPart,
    LabelNoise,
    ScoreShift,
    StorageEffect,
    Summary,
)
from audit.record.series import Movement

SCHEMA: Literal["faceaudit/record-1"] = "faceaudit/record-1"


class EvaluationRecord(Part):
    """The saved product of an audit."""

    schema_: Literal["faceaudit/record-1"] = Field(SCHEMA, alias="schema")
    created: str
    software: dict[str, str]
    hardware: dict[str, str]
    timing: dict[str, float] = Field(default_factory=dict, description="seconds a stage; differs from run to run")
    seed: int
    digests: Digests
    benchmark: BenchmarkPart
    model: ModelPart
    plan: dict[str, Any]
    preregistration: Preregistration | None = Field(None, description="null: made before records said so")
    samples: SamplesPart
    acquisition: list[Acquisition]
    operating_points: list[OperatingPoint]
    rates: list[Rate]
    differentials: list[Differential]
    contrasts: list[Contrast]
    global_tests: list[GlobalTest] = Field([])
    distributions: list[Distribution]
    covariance: list[Covariance] = Field([])
    det: list[DetCurve] = Field([])
    score_shifts: list[ScoreShift] = Field([])
    label_noise: list[LabelNoise] = Field([])
    annotators: list[AnnotatorRatio] = Field([], description="where a benchmark gives labels by annotator")
    curves: list[Curve] = Field([])
    experimental: list[ExperimentalIndex] = Field([], description="where the plan asks for it")
    counterfactuals: list[Movement] = Field([])
    conditions: Conditions | None = Field(None, description="where the plan asks for capture conditions")
    identification: Identification | None = Field(None, description="where the task is identification")
    attributes: AttributesPart | None = Field(None, description="where the task is attributes")
    detection: DetectionPart | None = Field(None, description="where the task is detection")
    scenario: ScenarioPart | None = Field(None, description="where the plan asks for one")
    sampling: Sampling | None = Field(None, description="where the plan asks for a sample of comparisons")
    storage: list[StorageEffect] = Field([], description="where templates are kept in fewer bits than float32")
    folds: FoldsPart | None = Field(None, description="where the protocol has folds")
    summary: Summary
    warnings: list[str]
    limits: list[str]

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    @property
    def passing(self) -> bool:
        """Whether it counts failures that lie with the machine: the same command tries those images again."""
        return any(row.reason is not None and row.reason.endswith(DURING) for row in self.acquisition)
