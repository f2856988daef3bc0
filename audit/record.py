"""The evaluation record: everything needed to print the report, or to doubt it.

One versioned JSON document; its schema is `audit/schemas/record-1.json`, made from the classes here. Rates are numbers
in [0, 1] or null with a reason, never NaN. No image, template, path, subject or sample id appears in it.
"""

from __future__ import annotations

import json
import os
import tempfile
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.domain import Provenance, Support, Verdict
from audit.errors import DataError

SCHEMA: Literal["faceaudit/record-1"] = "faceaudit/record-1"
Unit = Annotated[float, Field(ge=0, le=1)]
Group = dict[str, str]
"""Attribute to value; {} is everyone."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class IntervalPart(_Part):
    """Confidence interval."""

    low: float
    high: float
    level: float
    method: str


class Digests(_Part):
    """SHA-256 digests, hexadecimal."""

    benchmark: str = Field(description="canonical descriptor")
    samples: str = Field(description="all image files with their sample rows")
    weights: str
    plan: str
    code: str = Field(description="the package's own source files")


class MeasurementPart(_Part):
    """How sure a measured attribute is; medians over people, in the attribute's unit."""

    people: int
    without: int = Field(description="people of whom nothing could be measured: they have no label")
    images: int
    pixel_spread: float | None = Field(description="within a picture: robust standard deviation over pixels")
    sides: float | None = Field(description="between the two sides of a face: what uneven light does")
    image_spread: float | None = Field(description="between a person's pictures: standard deviation")
    several_bands: int = Field(description="people whose own pictures fall into more than one group")


class AttributePart(_Part):
    """An attribute, who assigned it, and its values."""

    provenance: Provenance
    values: list[str]
    note: str = ""
    measurement: MeasurementPart | None = None


class WithdrawnPart(_Part):
    """People who were left out because they withdrew: what a comparison of before and after needs, naming nobody."""

    listed: int = Field(ge=0, description="people on the list")
    people: int = Field(ge=0, description="of them, those whom the benchmark's tables still hold")
    date: str = Field(description="latest day on the list")
    digest: str = Field(description="SHA-256 of the list")


class BenchmarkPart(_Part):
    """What it was measured on."""

    name: str
    title: str
    version: str
    consent_tier: str
    consent_statement: str
    consent_source: str
    licence: str
    purposes: dict[str, str]
    citation: str
    live: bool
    notices: list[str] = Field(description="what the consent gate demands to be said")
    acknowledged: list[str] = []
    withdrawn: WithdrawnPart | None = Field(None, description="null: there is no list of withdrawals")
    attributes: dict[str, AttributePart]


class TrainingSet(_Part):
    """A data set that a model was trained on, as the catalogue knows it."""

    name: str
    tier: str = Field("", description="consent tier; empty: the catalogue does not have it")
    meaning: str = Field("", description="of the tier")
    consent: str = Field("", description="what is known of the people's consent, and how far that was checked")
    status: str


class VendorThresholdPart(_Part):
    """The threshold that a vendor or a library delivers with its model."""

    value: float
    unit: str
    meaning: str = Field(description="what it is said to be for")
    source: str
    threshold: float | None = Field(
        None, description="the same in the model's own unit; null: it is none of its scores"
    )
    operating_point: str | None = Field(None, description="where it was judged as given; null: it was not")


class PaperPart(_Part):
    """Where the model is described."""

    title: str
    year: int
    link: str


class ModelPart(_Part):
    """What was measured."""

    name: str
    revision: str
    weights_sha256: str
    digest_source: str = Field("", description="who says that this is the digest of the weights")
    self_declared: bool = Field(False, description="weights and card are the user's own word, not a published model's")
    licence: str
    weights_licence: str = Field("", description="empty: not stated apart from that of the code")
    research_only: bool = Field(False, description="the weights may be used for research alone")
    training_data: str
    training_consent: str = Field(description="what is known of the consent of the people it was trained on")
    training_sets: list[TrainingSet] = []
    vendor_threshold: VendorThresholdPart | None = Field(None, description="null: none is stated")
    paper: PaperPart | None = None
    source: str = ""
    similarity: str
    dimension: int
    preprocessing: str = Field(description="id of detector, alignment and their settings")
    preprocessing_text: str = Field(description="the same in words")


class GroupCount(_Part):
    """People and images of a group."""

    group: Group
    subjects: int
    samples: int
    mated: int = Field(description="mated comparisons")
    nonmated: int = Field(description="non-mated comparisons within the group")


class SamplesPart(_Part):
    """How much was measured."""

    total: int
    unit: Literal["image", "sample", "side"] = Field(
        "image", description="what is counted: images; of scores that were given, samples or sides of comparisons"
    )
    subjects: int
    mated: int
    nonmated: int
    by_group: list[GroupCount]
    several_faces: int = Field(0, description="images in which more than one face was seen")


class Acquisition(_Part):
    """Failures to acquire of one group: a row per (stage, reason), and a row with both null for all of them."""

    group: Group
    stage: str | None
    reason: str | None
    failures: int
    samples: int
    subjects: int
    value: Unit | None
    interval: IntervalPart | None
    support: Support


class OperatingPoint(_Part):
    """A decision threshold and where it was set. `threshold` null: not estimable, and `reason` says why.

    Where the protocol has folds, errors in each fold are those at its own threshold of `by_fold`, and `threshold` is
    their mean.
    """

    id: str
    policy: Literal["global", "per-group", "given"]
    group: Group
    target_fmr: float | None
    achieved_fmr: float | None
    threshold: float | None
    set_on: str
    reason: str | None = None
    by_fold: list[float] = Field([], description="threshold of each fold, set on the other folds")


class Rate(_Part):
    """One error rate with its counts."""

    metric: Literal["FMR", "FNMR", "FTA", "FAR", "FRR", "FPIR", "FNIR"]
    view: Literal["conditional", "generalised"]
    group: Group
    reference_group: Group | None = None
    operating_point: str | None = Field(description="of `operating_points`; of FPIR and FNIR also of `identification`")
    rank: int | None = Field(None, description="of FNIR: mates beyond it are missed")
    errors: int
    trials: int
    subjects: int
    value: Unit | None
    interval: IntervalPart | None
    variance: float | None = None
    design_effect: float | None = None
    effective_errors: float | None = None
    support: Support
    zero_errors: bool
    upper_bound: Unit | None = Field(None, description="one-sided 95 % bound where no error was seen")
    reason: str | None = None


class GroupsPart(_Part):
    """Worst and best group of a spread."""

    worst: Group | None
    best: Group | None


class Histogram(_Part):
    """Counts between edges; `edges` has one number more than `counts`."""

    edges: list[float]
    counts: list[int]


class Differential(_Part):
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
    components: dict[str, float | None] = {}
    groups: GroupsPart
    zero_adjusted: list[Group]
    excluded: list[dict[str, Any]] = Field(description="groups left out, each with `group` and `reason`")
    included: list[Group] = []
    verdict: Verdict
    margin: float | None
    minimum_detectable_ratio: float | None
    reason: str | None = None


class Contrast(_Part):
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


class GlobalTest(_Part):
    """Wald's test that the groups of an attribute or intersection have one rate: F over K - 1."""

    metric: str
    attributes: list[str]
    operating_point: str | None
    included: list[Group]
    freedom: tuple[int, int] | None = Field(description="K - 1, and the fewest people of a group less one")
    p: Unit | None
    reason: str | None = None


class ExperimentalIndex(_Part):
    """An index recalled from the literature: no interval, no verdict, never a headline."""

    measure: Literal["sfi", "cfi", "dfi", "cei", "mape"]
    attributes: list[str]
    operating_point: str | None
    value: float | None
    formula: str
    source: str
    reason: str | None = None


class Distribution(_Part):
    """Histogram of the scores of a cell: `edges` has one number more than `counts`; every threshold is an edge."""

    group: Group
    reference_group: Group | None
    mated: bool
    edges: list[float]
    counts: list[int]
    reason: str | None = None


class Covariance(_Part):
    """Joint covariance of the rates at an operating point; `cells` are indices into `rates`."""

    operating_point: str
    cells: list[int]
    matrix: list[list[float]]


class FnmrAtFmr(_Part):
    """Overall FNMR at a target FMR."""

    target_fmr: float
    achieved_fmr: float
    fnmr: Unit


class Summary(_Part):
    """One line about separation. EER is of the ROC convex hull; d' uses ddof 0; AUC is Mann-Whitney with ties 1/2."""

    eer_rocch: Unit | None
    auc: Unit | None
    d_prime: float | None
    fnmr_at_fmr: list[FnmrAtFmr]
    exact: bool = Field(description="from exact scores; otherwise from a fine histogram")


class DetCurve(_Part):
    """Points of a detection error trade-off: (fmr, fnmr) at decreasing thresholds, at most 512."""

    group: Group
    fmr: list[Unit]
    fnmr: list[Unit]


class ScoreShift(_Part):
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


class LabelNoise(_Part):
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


class AnnotatorRatio(_Part):
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


class Curve(_Part):
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


class Movement(_Part):
    """What changes when one factor of a person's picture changes; the same people under both levels.

    Quantities: the mean score with the person's own other samples; FNMR with them (and FRR, in which a picture without
    a template is rejected); the share of pictures in which a detector, or the model, finds no usable face ("miss"); the
    mean shift of that coordinate of five landmarks which may have moved farthest, in percent of the distance of the
    eyes, with an interval that holds for all coordinates together; its `before` is 0.
    """

    factor: str
    level: str
    position: int
    against: str = Field(description="'own': the level that the person's other samples show; else a level")
    quantity: Literal["score", "FNMR", "FRR", "miss", "landmarks"]
    operating_point: str | None
    detector: str | None = Field(description="of a miss: the detector, or 'model' for the model's own way")
    people: int
    before: float | None
    after: float | None
    change: float | None = Field(description="after - before")
    interval: IntervalPart | None = Field(description="of the change")
    errors: list[int] | None = Field(None, description="before and after; null for means")
    trials: list[int] | None = Field(None, description="before and after; null for means")
    reason: str | None = None


class ListGroup(_Part):
    """People of a group: on the list, tested and on it (mated), tested and not on it (non-mated), and probes of these.

    Null where so few people stand behind a number that it is not given.
    """

    group: Group
    people: int | None = Field(description="on the list")
    share: Unit | None = Field(description="of the people on the list")
    mated_people: int | None
    mated: int | None
    nonmated_people: int | None
    nonmated: int | None
    reason: str | None = None


class ListThresholdPart(_Part):
    """A threshold set at a target FPIR; `threshold` null: not estimable, and `reason` says why."""

    id: str
    target_fpir: float
    achieved_fpir: float | None
    threshold: float | None
    set_on: str
    reason: str | None = None


class CmcCurve(_Part):
    """Share of mated probes whose mate is among the first 1, 2, ... candidates, with pointwise intervals."""

    group: Group
    found: list[Unit]
    low: list[Unit]
    high: list[Unit]
    reason: str | None = None


class ListTradeoff(_Part):
    """Detection and identification rate (mate first, and at or above the threshold) over FPIR, at common thresholds."""

    group: Group
    fpir: list[Unit]
    dir: list[Unit]
    reason: str | None = None


class Confusion(_Part):
    """In whose group a wrong candidate lies: errors of probes of `group` whose first candidate is of `candidate`.

    `share` is what the list's composition alone would give. Null where fewer than the plan's people stand behind it.
    """

    attributes: list[str]
    group: Group
    candidate: Group
    operating_point: str = Field(description="'rank-only': wrong first candidates of mated probes; else false alarms")
    errors: int | None
    of: int | None
    share: Unit | None
    reason: str | None = None


class ListGrowth(_Part):
    """False alarms of everyone against the first part of the list, at a threshold."""

    operating_point: str
    people: int = Field(description="on this part of the list")
    errors: int
    trials: int
    value: Unit | None
    interval: IntervalPart | None


class Identification(_Part):
    """One against many inside the benchmark: who was on the list, and rates that name nobody.

    FPIR and FNIR stand in `rates`, their ratios in `contrasts` and their spreads in `differentials`.
    """

    people: int = Field(description="on the list")
    references: int = Field(description="templates on the list")
    images: int = Field(description="pictures of each person on the list; the highest score counts")
    composed_by: str | None = Field(description="attribute whose groups have declared shares; null: as the benchmark")
    mated: int = Field(description="probes of people on the list")
    nonmated: int = Field(description="probes of people not on it")
    unlistable: int = Field(description="people with too few pictures to be on the list")
    untested: int = Field(description="of them, those who were left out of a closed set")
    without_reference: int = Field(description="people whose pictures for the list gave no template")
    ranks: list[int]
    groups: list[ListGroup]
    operating_points: list[ListThresholdPart]
    cmc: list[CmcCurve]
    tradeoff: list[ListTradeoff]
    confusion: list[Confusion]
    growth: list[ListGrowth]


class ScenarioRow(_Part):
    """False and right alarms a day of one group of those who pass; {} is everybody.

    `alarm` is the probability that somebody who is not on the list raises one, if comparisons do not depend on each
    other; `band` is where it lies if they do, at the measured false match rate. Null with a reason where the benchmark
    has too little of a group.
    """

    group: Group
    share: Unit = Field(description="of the faces")
    on_list: Unit = Field(description="of the list")
    errors: int | None = Field(description="false matches with the groups on the list")
    trials: int | None
    rate: Unit | None = Field(description="false match rate with the list's composition")
    interval: IntervalPart | None = Field(description="of `rate`")
    upper_bound: Unit | None = Field(description="one-sided 95 % bound of `rate` where no error was seen")
    spread: float | None = Field(description="variance of `rate` between people")
    candidates: float | None = Field(description="false candidates a face, on average: list size x `rate`")
    alarm: Unit | None
    alarm_interval: IntervalPart | None
    band: tuple[Unit, Unit] | None
    false_alarms: float | None = Field(description="a day")
    false_interval: tuple[float, float] | None = Field(
        description="from the interval of `rate`, or of all groups' added"
    )
    false_band: tuple[float, float] | None
    right_alarms: float | None = Field(description="a day: people on the list who are found")
    right_interval: tuple[float, float] | None
    wrong_share: Unit | None = Field(description="share of alarms that are wrong")
    wrong_interval: tuple[Unit, Unit] | None
    reason: str | None = None


class ScenarioPart(_Part):
    """What the measured rates would do in a place: arithmetic on them, not a measurement of that place."""

    by: str
    operating_point: str
    searches_per_day: float
    list_size: int
    listed: Unit = Field(description="share of the faces whose person is on the list")
    band_method: Literal["between-people", "measured-growth"]
    effective_share: float | None = Field(
        None,
        description="share of the list that counted where one was tried: the growth of FPIR over that of 1-(1-f)^N",
    )
    tried_size: int | None = Field(None, description="people on the list that was tried")
    compared: int = Field(description="other people that anybody here was compared with, at most")
    extrapolated: bool = Field(description="the list is longer than that")
    rows: list[ScenarioRow] = Field(description="everybody first")


class SamplingRound(_Part):
    """Comparisons drawn until then, and the widest interval: half its width over the rate; null: not yet to be told."""

    drawn: int
    widest: float | None
    group: Group


class SamplingGroup(_Part):
    """Non-mated comparisons drawn within a group, of how many."""

    group: Group
    drawn: int
    of: int


class Sampling(_Part):
    """Non-mated comparisons that were drawn instead of made all; every admitted one had the same chance.

    The design weight is the same in every cell, so that rates are plain ratios of what was drawn.
    """

    asked: int | None = Field(description="how many the plan asks for; null: it asks for a precision")
    precision: float | None
    drawn: int
    of: int
    weight: float | None = Field(description="comparisons that each one drawn stands for; 1: all were made")
    seed: int
    rounds: list[SamplingRound]
    stopped: str = Field(description="why no more were drawn")
    by_group: list[SamplingGroup]


class FoldsPart(_Part):
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


class StorageEffect(_Part):
    """Decisions at an operating point that keeping templates in fewer bits than float32 changes.

    `mated_of` and `nonmated_of` comparisons were made in both ways: all, or a million of each drawn at random.
    """

    operating_point: str
    kept_in: str
    nonmated: int
    nonmated_of: int
    mated: int
    mated_of: int


class EvaluationRecord(_Part):
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
    samples: SamplesPart
    acquisition: list[Acquisition]
    operating_points: list[OperatingPoint]
    rates: list[Rate]
    differentials: list[Differential]
    contrasts: list[Contrast]
    global_tests: list[GlobalTest] = []
    distributions: list[Distribution]
    covariance: list[Covariance] = []
    det: list[DetCurve] = []
    score_shifts: list[ScoreShift] = []
    label_noise: list[LabelNoise] = []
    annotators: list[AnnotatorRatio] = Field([], description="where a benchmark gives labels by annotator")
    curves: list[Curve] = []
    experimental: list[ExperimentalIndex] = Field([], description="where the plan asks for it")
    counterfactuals: list[Movement] = []
    identification: Identification | None = Field(None, description="where the task is identification")
    scenario: ScenarioPart | None = Field(None, description="where the plan asks for one")
    sampling: Sampling | None = Field(None, description="where the plan asks for a sample of comparisons")
    storage: list[StorageEffect] = Field([], description="where templates are kept in fewer bits than float32")
    folds: FoldsPart | None = Field(None, description="where the protocol has folds")
    summary: Summary
    warnings: list[str]
    limits: list[str]

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


def group_text(group: Group | Literal["rest"] | None) -> str | None:
    """Print a group of the record.

    >>> group_text({"gender": "female", "ethnicity": "black"}), group_text({}), group_text("rest")
    ('gender=female & ethnicity=black', 'everyone', 'rest')
    """
    if group is None or isinstance(group, str):
        return group
    return " & ".join(f"{name}={value}" for name, value in group.items()) or "everyone"


def dumps(record: EvaluationRecord) -> str:
    """Serialise a record: stable key order, no NaN."""
    return (
        json.dumps(record.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )


def write(record: EvaluationRecord, path: Path) -> None:
    """Write a record atomically."""
    write_text(path, dumps(record))


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, in UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: readers see the old file or the new one, never half of it.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.chmod(name, 0o644)  # noqa: PTH101 - mkstemp returns a name, and a record is meant to be published
            os.replace(name, path)  # noqa: PTH105
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise DataError(
            str(path), f"cannot be written: {error.strerror}", "Give a writable folder with --out"
        ) from error


def read(path: Path) -> EvaluationRecord:
    """Read and validate a record.

    Raises
    ------
    DataError
        Naming the place in the document.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Give the path of a record.json") from None
    except UnicodeDecodeError as error:
        raise DataError(str(path), f"is not UTF-8 (byte {error.start})", "Give a record.json of faceaudit") from None
    try:
        return EvaluationRecord.model_validate_json(text)
    except ValidationError as error:
        errors = error.errors()
        first = next((one for one in errors if one["loc"] == ("schema",) and one["type"] != "missing"), errors[0])
        if first["loc"] == ("schema",) and isinstance(first["input"], str):
            found = f"is of another version: {first['input'][:60]!r}"
            raise DataError(
                f"{path}#/schema", found, f"This version reads {SCHEMA}; the one that wrote it reads it"
            ) from None
        where = "/".join(str(part) for part in first["loc"])[:200] or "(document)"
        way_out = f"This version reads {SCHEMA}; {error.error_count()} place(s) do not fit"
        raise DataError(f"{path}#/{where}", first["msg"], way_out) from None


def schema() -> dict[str, Any]:
    """JSON Schema of the record, as shipped."""
    text = resources.files("audit").joinpath("schemas/record-1.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def make_schema() -> dict[str, Any]:
    """JSON Schema made from the classes; a test holds it equal to the shipped file."""
    made = EvaluationRecord.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "record-1.json", **made}
