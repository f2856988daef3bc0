"""Samples, acquisition, operating points and error rates of a record."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audit.domain import Support
from audit.record.part import Group, IntervalPart, Part, Unit


class GroupCount(Part):
    """People and images of a group."""

    group: Group
    subjects: int
    samples: int
    mated: int = Field(description="mated comparisons")
    nonmated: int = Field(description="non-mated comparisons within the group")


class SamplesPart(Part):
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


class Acquisition(Part):
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


class OperatingPoint(Part):
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


class Rate(Part):
    """One error rate with its counts."""

    metric: Literal[
        "FMR", "FNMR", "FTA", "FAR", "FRR", "FPIR", "FNIR", "MISS", "FDET", "CER", "OFF", "PASS", "STOP", "NPR",
    ] = Field(
        description="MISS: faces that a detector did not find; FDET: pictures in which it found what is no face; CER: "
        "pictures whose label a model said wrong; OFF: ages off by more than so many years; PASS: people under a limit "
        "taken for the challenge age; STOP: people of that age taken for younger; NPR: pictures that were not processed"
    )  # fmt: skip
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
