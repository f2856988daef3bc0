"""From scores to the record: thresholds, counts, rates, differentials."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audit import (
    assemble,
    assemble_bootstrap,
    assemble_counted,
    assemble_extras,
    assemble_scenario,
    influence,
    provenance,
    remarks,
)
from audit import record as records
from audit.compare import Comparisons, halves
from audit.compare.counts import ScoreCounts
from audit.domain import Benchmark, ErrorRate, Threshold
from audit.errors import NothingMeasured
from audit.inputs import People
from audit.metrics import disparities, evaluation, experimental, points, score_shift
from audit.metrics.evaluation import Acquired
from audit.plan import AuditPlan
from audit.recipe.publishing import Made, described
from audit.record import EvaluationRecord

if TYPE_CHECKING:
    from audit.compare.lossy import Lossy


@dataclass(frozen=True, eq=False)
class Scored:
    """What a record rests on once there are scores: `run` extracts and compares, `score` is given them.

    Parameters
    ----------
    plan, benchmark, model, digests : as they stand in the record
    judged, setters : whose comparisons are measured, and whose set the thresholds; often the same
    comparisons, setting : theirs
    acquired : of the judged
    sampling : how comparisons were drawn, where not all were made
    lossy : the comparisons on float32, where templates were kept in fewer bits
    card : the model's card as JSON, where there is one
    similarity : what a threshold in the model's own unit is one of
    remarks : what was noticed before anything was measured
    """

    plan: AuditPlan
    benchmark: Benchmark
    model: records.ModelPart
    digests: records.Digests
    judged: People
    setters: People
    comparisons: Comparisons
    setting: Comparisons
    acquired: Acquired
    similarity: str
    several_faces: int = 0
    remarks: tuple[str, ...] = ()
    device: str = "cpu"
    sampling: records.Sampling | None = None
    lossy: Lossy | None = None
    card: str = ""


def record_of(scored: Scored, cache: Path | None = None) -> Made:
    """Scores, thresholds, counts, findings, the record and tables of them; sums by person go into the cache."""
    plan, grouping, comparisons = scored.plan, scored.judged.grouping, scored.comparisons
    scores, placed, judged = _place(scored)
    half = halves(grouping.atom_of, plan.splits, np.random.default_rng(plan.seed))
    counts = judged.at(points.common(placed), half, plan.splits)
    evidence = disparities.Evidence(counts, scored.acquired, half, plan.splits)
    found = _find(scored, placed, evidence)
    beside = assemble_extras.beside(
        comparisons, judged, scores, counts, grouping, placed, found.differentials, plan, scored.benchmark,
        scored.judged.subjects,
    )  # fmt: skip
    differentials, unbound = assemble_bootstrap.bootstrapped(
        comparisons, scores, grouping, found.measured, found.differentials, plan,
        own_threshold=scored.setting is comparisons,
    )  # fmt: skip
    changed = assemble.storage(scored.lossy, placed)
    folds = _folds(scored)
    record = EvaluationRecord(
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        software=provenance.software(),
        hardware=provenance.hardware(scored.device),
        seed=plan.seed,
        digests=scored.digests,
        benchmark=assemble.benchmark_part(scored.benchmark, grouping),
        model=_model(scored.model, placed, scored.similarity),
        plan=plan.model_dump(mode="json"),
        samples=assemble.samples_part(scored.acquired, grouping, scores, scored.several_faces),
        acquisition=assemble.acquisition(found.acquisition, scored.acquired, grouping),
        operating_points=[assemble.operating_point(point) for point in placed],
        rates=found.rates,
        differentials=differentials,
        contrasts=found.contrasts,
        global_tests=found.global_tests,
        distributions=assemble.distributions(scores, grouping, placed, plan.min_subjects),
        covariance=found.covariances,
        det=assemble.det_curves(scores, grouping, plan.min_subjects),
        score_shifts=beside.score_shifts,
        label_noise=beside.label_noise,
        annotators=beside.annotators,
        curves=beside.curves,
        experimental=[
            assemble.experimental_index(index)
            for index in (
                experimental.indices(scores, grouping, found.measured, plan.min_subjects) if plan.experimental else ()
            )
        ],
        summary=assemble.summary(scores, grouping, found.measured),
        folds=folds,
        warnings=remarks.warnings(
            (*scored.remarks, *remarks.of_groups(grouping), *unbound),
            plan,
            scored.benchmark,
            placed,
            found.acquisition,
        ),
        limits=remarks.limits(
            scored.benchmark,
            None if scored.setters is scored.judged else len(scored.setters.subjects),
            scores,
            scored.sampling,
            changed,
            folds,
        ),
        scenario=assemble_scenario.part(counts, grouping, placed, plan),
        sampling=scored.sampling,
        storage=changed,
    )
    _keep_influence(replace(scored, comparisons=judged), record, scores, found.measured, cache)
    tables = assemble_counted.counted(scores, grouping, found.measured, placed, found.own)
    return Made(record, described(scored.benchmark.descriptor, scored.card), tables)


def _folds(scored: Scored) -> records.FoldsPart | None:
    """What the record says of a protocol's folds."""
    if not scored.benchmark.folds:
        return None
    from audit.compare.pairs import ListedPairs  # noqa: PLC0415 - loads the compiler, which a finished run does not need
    from audit.metrics import folds  # noqa: PLC0415 - as above

    pairs = scored.comparisons
    return assemble.folds(folds.summary(pairs, scored.judged.grouping)) if isinstance(pairs, ListedPairs) else None


def _keep_influence(
    scored: Scored,
    record: EvaluationRecord,
    scores: ScoreCounts,
    measured: Sequence[evaluation.Measured],
    cache: Path | None,
) -> None:
    """File what every person added to the rates, for `compare`; a cache that cannot be written costs only that."""
    from audit.compare import by_subject  # noqa: PLC0415

    domain = influence.people_domain(record)
    if domain is None or not measured:
        return
    grouping = scored.judged.grouping
    everybody = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
    allowed = everybody if grouping.allowed is None else grouping.allowed
    thresholds = np.unique([one.point.value for one in measured if one.point.value is not None])
    pairs, _ = by_subject.collect(scored.comparisons, thresholds, grouping.atom_of, allowed, scores.grid, [])
    with contextlib.suppress(OSError):
        kept = influence.make(scored.judged.subjects, domain, grouping, measured, pairs, cache)
        influence.store(record, kept, cache)


VENDOR = ("vendor", "in the model's card")
"""Who gave a threshold: a word for its id, and where it stands."""


def _place(scored: Scored) -> tuple[ScoreCounts, list[Threshold], Comparisons]:
    """Scores of the judged, the operating points (set by the setters, then those given), and what they decide on."""
    plan, grouping, similarity = scored.plan, scored.judged.grouping, scored.similarity
    comparisons, setters = scored.comparisons, scored.setting
    by_plan, by_vendor = plan.given_thresholds, _of_vendor(scored)
    given = [points.in_scores(threshold, similarity) for threshold in (*by_plan, *by_vendor)]
    judged = comparisons
    if scored.benchmark.folds:
        placed, judged = _in_folds(scored, given)
        known = [point.value for point in placed if point.value is not None]
        scores = points.exact_scores(comparisons, grouping, (), [*known, *given], score_shift.reach(grouping))
    elif setters is comparisons:
        scores = points.exact_scores(comparisons, grouping, plan.fmr, given, score_shift.reach(grouping))
        placed = points.operating_points(scores, grouping, plan.fmr)
    else:
        aside = scored.setters
        set_on = points.exact_scores(setters, aside.grouping, plan.fmr)
        where = f"{len(aside.subjects)} people set aside for calibration"
        placed = points.operating_points(set_on, aside.grouping, plan.fmr, where)
        placed = [point for point in placed if point.group in grouping.groups]
        known = [point.value for point in placed if point.value is not None]
        scores = points.exact_scores(comparisons, grouping, (), [*known, *given], score_shift.reach(grouping))
    placed += points.given_points(scores, grouping, by_plan, similarity)
    _require_a_target(scored.benchmark, placed)
    placed += points.given_points(scores, grouping, by_vendor, similarity, VENDOR)
    return scores, placed, judged


def _in_folds(scored: Scored, given: Sequence[float]) -> tuple[list[Threshold], Comparisons]:
    """Operating points of which the threshold of each fold is set on the others, and the comparisons decided so."""
    from audit.compare.pairs import ListedPairs  # noqa: PLC0415 - loads the compiler, which a finished run does not need
    from audit.metrics import folds  # noqa: PLC0415 - as above

    pairs = scored.comparisons
    if not isinstance(pairs, ListedPairs):
        raise TypeError("folds are of comparisons that are listed")
    placed = folds.operating_points(pairs, scored.judged.grouping, scored.plan.fmr, given)
    return placed, folds.judged(pairs, placed)


def _of_vendor(scored: Scored) -> tuple[float, ...]:
    """The threshold that comes with the model, in its own unit, if it is to be judged and the plan does not give it."""
    stated = scored.model.vendor_threshold
    if stated is None or stated.threshold is None or "vendor" not in scored.plan.thresholds:
        return ()
    return () if stated.threshold in scored.plan.given_thresholds else (stated.threshold,)


def _model(model: records.ModelPart, placed: Sequence[Threshold], similarity: str) -> records.ModelPart:
    """The model with a note of where the threshold that comes with it was judged."""
    stated = model.vendor_threshold
    if stated is None or stated.threshold is None:
        return model
    value = points.in_scores(stated.threshold, similarity)
    at = next((point.id for point in placed if point.policy == "given" and point.value == value), None)
    return model.model_copy(update={"vendor_threshold": stated.model_copy(update={"operating_point": at})})


def _require_a_target(benchmark: Benchmark, placed: Sequence[Threshold]) -> None:
    globally = [point for point in placed if point.policy != "per-group"]
    if all(point.value is None for point in globally):
        reasons = "; ".join(dict.fromkeys(point.reason or "" for point in globally))
        raise NothingMeasured(
            benchmark.name, f"no target FMR is estimable ({reasons})", "Ask for a larger one with --fmr"
        )


@dataclass(eq=False)
class _Found:
    """What the operating points have shown so far."""

    acquisition: list[ErrorRate]
    own: list[ErrorRate] = field(default_factory=list)
    measured: list[evaluation.Measured] = field(default_factory=list)
    rates: list[records.Rate] = field(default_factory=list)
    contrasts: list[records.Contrast] = field(default_factory=list)
    global_tests: list[records.GlobalTest] = field(default_factory=list)
    differentials: list[records.Differential] = field(default_factory=list)
    covariances: list[records.Covariance] = field(default_factory=list)


def _find(scored: Scored, placed: Sequence[Threshold], evidence: disparities.Evidence) -> _Found:
    """Rates, contrasts and spreads at every global operating point, rates at the groups' own, failures to acquire."""
    plan, grouping = scored.plan, scored.judged.grouping
    level, few = plan.level, plan.min_subjects
    settings = disparities.Settings(
        level,
        plan.alpha,
        {"FMR": plan.margin_fmr, "FNMR": plan.margin_fnmr, "FTA": plan.margin_fnmr},
        few,
        plan.reference,
        plan.seed,
        plan.draws,
    )
    counts, acquired = evidence.counts, evidence.acquired
    found = _Found(evaluation.acquisition_rates(acquired, grouping, level, few))
    for point in placed:
        if point.policy == "per-group" or point.value is None:
            continue
        one = evaluation.measure(counts, acquired, grouping, point, level=level, min_subjects=few)
        again = bool(found.measured)  # failures to acquire depend on no threshold: they are compared once
        contrasts = [c for c in disparities.contrasts(one, grouping, settings) if not (again and c.metric == "FTA")]
        spreads = disparities.spreads(one, evidence, grouping, settings)
        equal = [test for test in disparities.equalities(one, grouping) if not (again and test.metric == "FTA")]
        found.global_tests += [assemble.global_test(test, point) for test in equal]
        found.covariances.append(assemble.covariance(one, len(found.rates)))
        found.rates += assemble.measured_rates(one, grouping)
        found.contrasts += [assemble.contrast(c, settings.margins[c.metric]) for c in contrasts]
        found.differentials += [
            assemble.differential(s, point) for s in spreads if not (again and s.metric == "FTA")
        ]  # fmt: skip
        found.measured.append(one)
    own, slots = points.own_counts(scored.comparisons, grouping, placed)
    found.own = evaluation.own_rates(own, grouping, placed, slots, level=level, min_subjects=few)
    found.rates += [assemble.rate(rate, None) for rate in found.own]
    found.rates += [assemble.rate(rate, rate.subjects) for rate in found.acquisition]
    return found
