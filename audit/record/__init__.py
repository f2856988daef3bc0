"""The evaluation record: everything needed to print the report, or to doubt it.

One versioned JSON document; its schema is `audit/schemas/record-1.json`, made from the classes here. Rates are numbers
in [0, 1] or null with a reason, never NaN. No image, template, path, subject or sample id appears in it.
"""

from __future__ import annotations

from audit.record.about import (
    AttributePart,
    BenchmarkPart,
    Digests,
    MeasurementPart,
    ModelPart,
    PaperPart,
    TrainingSet,
    VendorThresholdPart,
    WithdrawnPart,
)
from audit.record.conditions import (
    CaptureMeasure,
    ConditionEffect,
    ConditionGap,
    Conditions,
    LeftOutMeasure,
    MeasureGroup,
)
from audit.record.differences import Contrast, Differential, ExperimentalIndex, GlobalTest, GroupsPart, Histogram
from audit.record.evaluation import SCHEMA, EvaluationRecord
from audit.record.file import dumps, make_schema, read, schema, write, write_bytes, write_text
from audit.record.lists import (
    CmcCurve,
    Confusion,
    Identification,
    ListGroup,
    ListGrowth,
    ListThresholdPart,
    ListTradeoff,
    ScenarioPart,
    ScenarioRow,
)
from audit.record.part import Group, IntervalPart, group_text
from audit.record.preregistration import ChangedSetting, Preregistration
from audit.record.rates import Acquisition, GroupCount, OperatingPoint, Rate, SamplesPart
from audit.record.sampled import Sampling, SamplingGroup, SamplingRound
from audit.record.scores import (
    AnnotatorRatio,
    Covariance,
    Curve,
    DetCurve,
    Distribution,
    FnmrAtFmr,
    FoldsPart,
    LabelNoise,
    ScoreShift,
    StorageEffect,
    Summary,
)
from audit.record.sense import making_sense
from audit.record.series import Movement

__all__ = [
    "SCHEMA",
    "Acquisition",
    "AnnotatorRatio",
    "AttributePart",
    "BenchmarkPart",
    "CaptureMeasure",
    "ChangedSetting",
    "CmcCurve",
    "ConditionEffect",
    "ConditionGap",
    "Conditions",
    "Confusion",
    "Contrast",
    "Covariance",
    "Curve",
    "DetCurve",
    "Differential",
    "Digests",
    "Distribution",
    "EvaluationRecord",
    "ExperimentalIndex",
    "FnmrAtFmr",
    "FoldsPart",
    "GlobalTest",
    "Group",
    "GroupCount",
    "GroupsPart",
    "Histogram",
    "Identification",
    "IntervalPart",
    "LabelNoise",
    "LeftOutMeasure",
    "ListGroup",
    "ListGrowth",
    "ListThresholdPart",
    "ListTradeoff",
    "MeasureGroup",
    "MeasurementPart",
    "ModelPart",
    "Movement",
    "OperatingPoint",
    "PaperPart",
    "Preregistration",
    "Rate",
    "SamplesPart",
    "Sampling",
    "SamplingGroup",
    "SamplingRound",
    "ScenarioPart",
    "ScenarioRow",
    "ScoreShift",
    "StorageEffect",
    "Summary",
    "TrainingSet",
    "VendorThresholdPart",
    "WithdrawnPart",
    "dumps",
    "group_text",
    "make_schema",
    "making_sense",
    "read",
    "schema",
    "write",
    "write_bytes",
    "write_text",
]
