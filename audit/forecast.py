"""What a benchmark could show, before anything is run: the product of `faceaudit power`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audit import benchmarks, groups
from audit.benchmarks import recognise, undescribed, withdrawals
from audit.domain import Attribute, Subject
from audit.errors import PlanError
from audit.metrics import power
from audit.plan import AuditPlan
from audit.record import EvaluationRecord

MARGINS: tuple[float, float] = (
    AuditPlan.model_fields["margin_fmr"].default,
    AuditPlan.model_fields["margin_fnmr"].default,
)
"""Ratios of FMR and FNMR that count as a disparity in a plan that says nothing else."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Assumed(_Part):
    """What cannot be known before a run."""

    within: float = Field(description="correlation of non-mated comparisons of the same two people")
    between: float = Field(description="variance of people's proneness to match others, over its squared mean")
    mated_within: float = Field(description="correlation of mated comparisons of one person")
    fnmr: float = Field(description="false non-match rate")
    source: str


class Outlook(_Part):
    """What one group could show of one metric."""

    metric: Literal["FMR", "FNMR"]
    group: dict[str, str]
    rate: float = Field(description="target FMR, or assumed FNMR")
    subjects: int
    trials: int
    expected_errors: float
    expected_effective_errors: float
    support: str
    detectable_ratio: float | None = Field(description="to the rate of everybody else, found with 80 % power")
    more_subjects: int | None = Field(
        description="people to add until the margin can be told; null: no number is enough"
    )
    growth: float | None = Field(description="else: by how many times everybody's number must grow; null: by no factor")
    own_threshold: bool | None = Field(description="whether the group's own comparisons can set its threshold")
    reason: str | None


class Forecast(_Part):
    """What a benchmark could show, group by group."""

    schema_: Literal["faceaudit/power-1"] = Field("faceaudit/power-1", alias="schema")
    benchmark: str
    subjects: int
    images: int
    by: list[str]
    alpha: float
    power: float
    margins: dict[str, float]
    assumed: Assumed
    rows: list[Outlook]

    model_config = ConfigDict(populate_by_name=True)


@dataclass(frozen=True, eq=False)
class People:
    """Who would be compared: the people of a benchmark, or of a table."""

    name: str
    subjects: tuple[Subject, ...]
    attributes: dict[str, Attribute]
    images: tuple[int, ...]
    default_by: tuple[str, ...]


def of_benchmark(name: str, data: Sequence[Path] = (), acknowledge: Sequence[str] = ()) -> People:
    """People and images of a benchmark, after its gate."""
    found = benchmarks.load(name, data=benchmarks.data_entries(data), acknowledge=acknowledge)
    counts = dict.fromkeys((subject.subject_id for subject in found.subjects), 0)
    for sample in found.samples:
        counts[sample.subject_id] += 1
    return People(found.name, found.subjects, dict(found.attributes), tuple(counts.values()), found.default_by)


def of_table(path: Path, images: int) -> People:
    """People of a table, with as many images each as its column `images` says, or else `images`.

    Whoever is on a list of withdrawals beside the table is left out; a table of a refused set is refused.
    """
    recognise.check_file(path, place=str(path))
    subjects, attributes, counts = undescribed.read(path)
    each = dict(zip((one.subject_id for one in subjects), counts or (images,) * len(subjects), strict=True))
    out = withdrawals.among(each, [path.parent])
    left = tuple(one for one in subjects if out is None or one.subject_id not in out.subjects)
    return People(path.stem, left, attributes, tuple(each[one.subject_id] for one in left), tuple(attributes)[:1])


def forecast(
    people: People,
    by: Sequence[str] | None,
    targets: Sequence[float],
    assumed: power.Assumptions,
    *,
    source: str,
    margins: tuple[float, float] = MARGINS,
    alpha: float = 0.05,
) -> Forecast:
    """Say what these people and images could show.

    Raises
    ------
    PlanError
        For an attribute that is not there, or a target that is no rate.
    """
    for target in targets:
        if not 0 < target < 1:
            raise PlanError("--fmr", f"found {target:g}", "A target lies between 0 and 1, such as 1e-3")
    chosen = tuple(people.default_by if by is None else by)
    grouping = groups.make(people, chosen, people.subjects)
    samples = np.array(people.images, dtype=np.int64)
    found = power.prospects(grouping, samples, targets, assumed, margins=margins, alpha=alpha)
    return Forecast(
        benchmark=people.name,
        subjects=len(people.subjects),
        images=int(samples.sum()),
        by=list(chosen),
        alpha=alpha,
        power=0.8,
        margins={"FMR": margins[0], "FNMR": margins[1]},
        assumed=Assumed(
            within=assumed.within,
            between=assumed.between,
            mated_within=assumed.mated_within,
            fnmr=assumed.fnmr,
            source=source,
        ),
        rows=[
            Outlook(
                metric=one.metric,
                group=dict(one.group.items),
                rate=one.rate,
                subjects=one.subjects,
                trials=one.trials,
                expected_errors=one.expected_errors,
                expected_effective_errors=one.expected_effective_errors,
                support=one.support,
                detectable_ratio=one.detectable,
                more_subjects=one.more_subjects,
                growth=one.growth,
                own_threshold=one.own_threshold,
                reason=one.reason,
            )
            for one in found
        ],
    )


def like(record: EvaluationRecord, assumed: power.Assumptions) -> power.Assumptions:
    """Assumptions as an earlier audit measured them, at its global operating points."""
    shared = {point.id for point in record.operating_points if point.policy == "global"}
    cells = [
        (rate.metric, rate.value, rate.errors, rate.trials, rate.subjects, rate.design_effect)
        for rate in record.rates
        if rate.metric in ("FMR", "FNMR")
        and rate.view == "conditional"
        and rate.reference_group is None
        and rate.operating_point in shared
        and rate.value is not None
        and rate.design_effect is not None
        and rate.errors is not None
    ]
    if not cells:
        raise PlanError(
            "power --like", f"the audit of {record.model.name} compared nobody", "Give the record of a verification"
        )
    return power.measured(cells, assumed)
