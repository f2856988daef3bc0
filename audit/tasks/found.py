"""What a task's rates show, and the record around them: the parts that every task without comparisons fills alike."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from audit import assemble, assemble_cells, influence, provenance, remarks
from audit import record as r
from audit.cell_table import ACQUISITION
from audit.compare import halves
from audit.counted import Counted, Look
from audit.domain import ErrorRate, FailureToAcquire, Threshold
from audit.groups import Grouping
from audit.inputs import acquired
from audit.metrics import by_person, disparities, evaluation
from audit.metrics.by_person import Trials
from audit.metrics.evaluation import Acquired
from audit.plan import AuditPlan
from audit.tasks.inputs import TaskCard, TaskInputs

NO_TEMPLATES = "none: no templates are made"


@dataclass(eq=False)
class Found:
    """What has been shown so far; `look` adds what errors at one setting show."""

    plan: AuditPlan
    grouping: Grouping
    margins: Mapping[str, float]
    """Of every metric: the ratio that counts as a disparity, declared in the plan."""
    points: list[r.OperatingPoint] = field(default_factory=list)
    rates: list[r.Rate] = field(default_factory=list)
    contrasts: list[r.Contrast] = field(default_factory=list)
    global_tests: list[r.GlobalTest] = field(default_factory=list)
    differentials: list[r.Differential] = field(default_factory=list)
    covariances: list[r.Covariance] = field(default_factory=list)
    measured: list[evaluation.Measured] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    """The cells of all rates, for the tables beside the record."""

    def look(self, trials: Trials, at: Threshold, grouping: Grouping | None = None) -> None:
        """Rates of every group, their contrasts, spreads and tests of equality.

        Parameters
        ----------
        trials : errors and trials of every person, by metric
        at : where they were counted, from `by_person.point`
        grouping : other groups of the same people than the plan's, where a task tells more of them apart
        """
        plan, grouping = self.plan, grouping or self.grouping
        one = by_person.measure(trials, grouping, at, level=plan.level, min_subjects=plan.min_subjects)
        half = halves(grouping.atom_of, plan.splits, np.random.default_rng(plan.seed))
        settings = self._settings()
        evidence = by_person.PersonEvidence(trials, half, plan.splits)
        self.measured.append(one)
        self.looks.append(assemble_cells.compared(one, grouping))
        self.points.append(assemble.operating_point(at))
        self.covariances.append(assemble.covariance(one, len(self.rates), tuple(trials)))
        self.rates += assemble.measured_rates(one, grouping)
        self.contrasts += [
            assemble.contrast(found, settings.margins[found.metric])
            for found in disparities.contrasts(one, grouping, settings)
        ]
        self.global_tests += [assemble.global_test(test, at) for test in disparities.equalities(one, grouping)]
        self.differentials += [
            assemble.differential(found, at) for found in disparities.spreads(one, evidence, grouping, settings)
        ]

    def acquisition(self, outcomes: Acquired) -> tuple[list[ErrorRate], list[r.Acquisition]]:
        """Failures to acquire of every group; their rates (FTA) join the others."""
        found = evaluation.acquisition_rates(outcomes, self.grouping, self.plan.level, self.plan.min_subjects)
        self.rates += [assemble.rate(rate, rate.subjects) for rate in found]
        self.looks.append(assemble_cells.of_rates(found, "", ACQUISITION, self.grouping))
        return found, assemble.acquisition(found, outcomes, self.grouping)

    def tables(self) -> Counted:
        """What is published beside the record: cells alone, as there are no scores."""
        return Counted((), tuple(self.looks))

    def _settings(self) -> disparities.Settings:
        plan = self.plan
        return disparities.Settings(
            plan.level, plan.alpha, self.margins, plan.min_subjects, plan.reference, plan.seed, plan.draws
        )


def record(
    inputs: TaskInputs[Any],
    found: Found,
    failures: Mapping[str, FailureToAcquire],
    *,
    noticed: Sequence[str] = (),
    limits: Sequence[str] = (),
    several_faces: int = 0,
    device: str = "cpu",
    timing: Mapping[str, float] | None = None,
    **parts: Any,
) -> r.EvaluationRecord:
    """Make the record of a task; what only comparisons have is empty in it.

    Parameters
    ----------
    found : everything that `look` was to see
    failures : sample id to why nothing came of it (`inputs.samples` are the trials of FTA)
    noticed : what a reader must know before the numbers
    limits : what these numbers cannot show, before what no benchmark can
    several_faces : pictures in which more than one face was seen
    parts : of the record, the task's own
    """
    grouping, benchmark = inputs.people.grouping, inputs.benchmark
    outcomes = acquired(inputs.people, failures)
    fta, acquisition = found.acquisition(outcomes)
    said = [f"{len(failures)} of {len(inputs.samples)} images could not be processed."] if failures else []
    return r.EvaluationRecord(
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        software=provenance.software(),
        hardware=provenance.hardware(device),
        timing={name: round(value, 3) for name, value in (timing or {}).items()},
        seed=inputs.plan.seed,
        digests=inputs.digests,
        benchmark=assemble.benchmark_part(benchmark, grouping),
        model=model_part(inputs.card),
        plan=inputs.plan.model_dump(mode="json"),
        samples=_samples(outcomes, grouping, several_faces),
        acquisition=acquisition,
        operating_points=found.points,
        rates=found.rates,
        differentials=found.differentials,
        contrasts=found.contrasts,
        global_tests=found.global_tests,
        distributions=[],
        covariance=found.covariances,
        summary=r.Summary(eer_rocch=None, auc=None, d_prime=None, fnmr_at_fmr=[], exact=True),
        warnings=remarks.warnings(
            (*said, *remarks.without_sample(benchmark), *remarks.of_groups(grouping), *noticed),
            inputs.plan,
            benchmark,
            (),
            fta,
        ),
        limits=[*limits, remarks.HERE, *benchmark.limits],
        **parts,
    )


def keep(inputs: TaskInputs[Any], found: Found, made: r.EvaluationRecord, cache: Path | None) -> None:
    """File what every person added to the rates, for `compare`; a cache that cannot be written costs only that."""
    within = influence.people_domain(made)
    if within is None or not found.measured:
        return
    with contextlib.suppress(OSError):
        sums = influence.make(inputs.people.subjects, within, found.grouping, found.measured, None, cache)
        influence.store(made, sums, cache)


def model_part(card: TaskCard) -> r.ModelPart:
    """What was measured: a model that makes no templates."""
    return assemble.described(card, similarity=NO_TEMPLATES, dimension=0, weights_sha256=card.weights_sha256)


def _samples(outcomes: Acquired, grouping: Grouping, several_faces: int) -> r.SamplesPart:
    """People and images of every group; nobody is compared."""
    sizes = np.bincount(grouping.atom_of, weights=outcomes.samples, minlength=grouping.atoms).astype(np.int64)
    rows = [
        r.GroupCount(
            group=group.as_dict(),
            subjects=int(grouping.subjects[position]),
            samples=int(sizes[grouping.member[position]].sum()),
            mated=0,
            nonmated=0,
        )
        for position, group in enumerate(grouping.groups)
    ]
    return r.SamplesPart(
        total=int(outcomes.samples.sum()),
        unit=outcomes.unit,
        subjects=len(grouping.atom_of),
        mated=0,
        nonmated=0,
        by_group=rows,
        several_faces=several_faces,
    )
