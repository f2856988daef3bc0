"""Scores: distributions, curves, shifts, how labels and storage move rates."""

from __future__ import annotations

from pydantic import Field

from audit.domain import Provenance, Support
from audit.record.part import Group, IntervalPart, Part, Unit


class Distribution(Part):
    """Histogram of the scores of a cell: `edges` has one number more than `counts`; every threshold is an edge.

    Of groups of fewer than ten people, and of others from which theirs could be worked out, thresholds alone are edges.
    """

    group: Group
    reference_group: Group | None
    mated: bool
    edges: list[float]
    counts: list[int]
    reason: str | None = None


class Covariance(Part):
    """Joint covariance of the rates at an operating point; `cells` are indices into `rates`."""

    operating_point: str
    cells: list[int]
    matrix: list[list[float]]


class FnmrAtFmr(Part):
    """Overall FNMR at a target FMR."""

    target_fmr: float
    achieved_fmr: float
    fnmr: Unit


class Summary(Part):
    """One line about separation. EER is of the ROC convex hull; d' uses ddof 0; AUC is Mann-Whitney with ties 1/2."""

    eer_rocch: Unit | None
    auc: Unit | None
    d_prime: float | None
    fnmr_at_fmr: list[FnmrAtFmr]
    exact: bool = Field(description="from exact scores; otherwise from a fine histogram")


class DetCurve(Part):
    """Points of a detection error trade-off: (fmr, fnmr) at decreasing thresholds, at most 512."""

    group: Group
    fmr: list[Unit]
    fnmr: list[Unit]


class ScoreShift(Part):
    """Tail quantile of a group's scores against that of the pooled rest of its family.

    Non-mated comparisons from above (`score >= value` has the share), mated ones from below (`score < value`).
    """

    attributes: list[str]
    group: Group
    mated: bool
    share: Unit = Field(description="share of comparisons beyond the quantile")
    value: float | None = Field(description="the group's quantile, a score")
    rest: float | None = Field(description="the rest's quantile, a score")
    deviation: float | None = Field(description="pooled standard deviation of the scores")
    shift: float | None = Field(description="(value - rest) / deviation: above 0, the group's scores lie higher")
    interval: IntervalPart | None = Field(description="of the shift")
    subjects: int
    rest_subjects: int
    trials: int
    support: Support
    reason: str | None = None


class LabelNoise(Part):
    """A ratio of error rates if a share of an attribute's labels is wrong.

    `group` null: max/geomean of the groups that enter that spread; else the group's rate over that of the pooled rest.
    """

    attribute: str
    provenance: Provenance
    share: Unit = Field(description="of the labels that are wrong")
    metric: str
    operating_point: str
    group: Group | None
    observed: float | None = Field(description="with the labels as they are")
    expected: float | None = Field(description="of expected counts, if so many more labels were wrong")
    median: float | None = Field(description="over draws of so many more wrong labels")
    interval: IntervalPart | None = Field(description="percentiles of these draws")
    draws: int = Field(description="draws in which the ratio is defined")
    corrected: float | None = Field(description="behind the observed one, if so many of the labels are wrong")
    reason: str | None = None


class AnnotatorRatio(Part):
    """A ratio of error rates with one annotator's labels; `group` null: max/geomean of the groups that enter it."""

    attribute: str
    annotator: int = Field(description="1, 2, ...: in the order of the descriptor; no name")
    metric: str
    operating_point: str
    group: Group | None
    used: float | None = Field(description="with the labels that were used")
    ratio: float | None = Field(description="with this annotator's; null: undefined, or too few people")
    agreeing: int = Field(description="people whose label by this annotator is the one that was used")
    people: int = Field(description="people whom this annotator labelled")


class Curve(Part):
    """A smooth curve over a number that people carry, with its pointwise band; lists are of one length."""

    attribute: str
    provenance: Provenance
    unit: str
    quantity: str = Field(description="FMR, FNMR, mated score or non-mated score")
    operating_point: str | None
    bandwidth: float | None = Field(description="half the kernel's width, in the unit")
    x: list[float]
    value: list[float]
    low: list[float]
    high: list[float]
    people: list[float] = Field(description="effective people around each point")
    subjects: int
    missing: int = Field(description="people without exactly one number")
    level: float
    method: str
    reason: str | None = None


class FoldsPart(Part):
    """A protocol in folds: the threshold of each fold is set on the others.

    `accuracy` is known from such protocols: of each fold the share of right decisions, mated and non-mated together, at
    the threshold that has most of them in the other folds; then the mean over folds. It tells no group from another.
    """

    number: int = Field(description="folds with a comparison")
    comparisons: list[int] = Field(description="of each fold, mated and non-mated")
    people: int = Field(description="people who were compared")
    several: int = Field(description="of them, those who stand in more than one fold")
    right: list[int] = Field(description="right decisions of each fold")
    accuracy: Unit | None = Field(description="mean over folds; null where a fold has no comparison left")
    standard_error: float | None = Field(description="standard deviation over folds / sqrt(folds)")


class StorageEffect(Part):
    """Decisions at an operating point that keeping templates in fewer bits than float32 changes.

    `mated_of` and `nonmated_of` comparisons were made in both ways: all, or a million of each drawn at random.
    """

    operating_point: str
    kept_in: str
    nonmated: int
    nonmated_of: int
    mated: int
    mated_of: int
