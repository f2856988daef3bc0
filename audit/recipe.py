"""The recipe: benchmark + model -> templates -> comparisons -> counts -> rates -> differentials -> record -> report.

The only place that knows the order. The same command again answers from the finished record if nothing that decides a
number has changed (files, weights, plan, code); otherwise it takes every template that the cache has and computes what
is missing.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audit import assemble, benchmarks, groups, models, provenance, results
from audit import record as records
from audit.compare import Comparisons, halves
from audit.compare.counts import ScoreCounts
from audit.domain import Benchmark, ErrorRate, FailureToAcquire, Sample
from audit.errors import DataError, NothingMeasured
from audit.extract import Extraction, extract, hash_samples
from audit.groups import Grouping
from audit.metrics import disparities, evaluation, points
from audit.metrics.evaluation import Acquired
from audit.models.card import ModelCard
from audit.plan import AuditPlan, RunOptions
from audit.record import EvaluationRecord
from audit.report import render
from audit.store import TemplateStore

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A record and where it was written."""

    record: EvaluationRecord
    folder: Path
    report: Path
    reused: bool


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What is known before an image is decoded."""

    plan: AuditPlan
    benchmark: Benchmark
    card: ModelCard
    samples: tuple[Sample, ...]
    files: Mapping[str, str | FailureToAcquire]
    grouping: Grouping
    subjects: tuple[str, ...]
    digests: records.Digests


def run(plan: AuditPlan, options: RunOptions | None = None) -> EvaluationRecord:
    """Audit one model on one benchmark; the record and its report are written below `options.out`."""
    return evaluate(plan, options or RunOptions()).record


def evaluate(plan: AuditPlan, options: RunOptions) -> Evaluation:
    """Audit one model on one benchmark.

    Raises
    ------
    Refused
        The benchmark's governance forbids it.
    AuditError
        See `audit.errors`.
    """
    progress = options.progress or _silent
    inputs = _prepare(plan, options, progress)
    card = inputs.card
    folder = options.out / results.folder(inputs.benchmark.name, card.name, card.revision, inputs.digests.plan)
    path = folder / "record.json"
    known = None if options.fresh else results.finished(path, inputs.digests)
    record = known or _measure(inputs, options, progress)
    if known is None:
        records.write(record, path)
    report = folder / "report.html"
    if known is None or not report.exists():
        report = render(record, folder)[0]
    return Evaluation(record, folder, report, reused=known is not None)


def _silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""


def admit(plan: AuditPlan, options: RunOptions) -> tuple[Benchmark, ModelCard, Grouping]:
    """Pass the gates: output folder, consent, model card and weights, groups. No image is read.

    Raises
    ------
    AuditError
        Whatever would stop the run before its first image.
    """
    results.require_writable(options.out)
    data = benchmarks.data_entries(options.data)
    benchmark = benchmarks.load(
        plan.benchmark,
        data=data,
        obtain=options.obtain,
        acknowledge=plan.acknowledge,
        progress=options.progress or _silent,
    )
    card = models.describe(plan.model, data=data, plan=plan)
    by = benchmark.default_by if plan.by is None else plan.by
    return benchmark, card, groups.make(benchmark, by, benchmark.subjects[: plan.limit], plan.impostors)


def _prepare(plan: AuditPlan, options: RunOptions, progress: Progress) -> _Inputs:
    """Everything that is known before an image is decoded, digests included."""
    benchmark, card, grouping = admit(plan, options)
    subjects = benchmark.subjects[: plan.limit]
    names = tuple(subject.subject_id for subject in subjects)
    kept = set(names)
    samples = tuple(sample for sample in benchmark.samples if sample.subject_id in kept)
    if not samples:
        raise NothingMeasured(benchmark.name, "no sample belongs to a subject", "Look at samples.csv and subjects.csv")
    files = hash_samples(samples, workers=options.workers, progress=progress)
    _check_files(samples, files)
    shown = plan.model_copy(
        update={"benchmark": benchmark.name, "model": _model_name(plan, card), "by": grouping.attributes}
    )
    digests = records.Digests(
        benchmark=benchmark.digest,
        samples=provenance.samples_digest(samples, {name: _word(found) for name, found in files.items()}),
        weights=card.weights_sha256,
        plan=shown.digest(),
        code=provenance.code_digest(),
    )
    return _Inputs(shown, benchmark, card, samples, files, grouping, names, digests)


def _model_name(plan: AuditPlan, card: ModelCard) -> str:
    """The model's name in the record: never a path of this machine."""
    kind, colon, _ = plan.model.partition(":")
    return f"{kind}:{card.name}" if colon else kind


def _word(found: str | FailureToAcquire) -> str:
    return found if isinstance(found, str) else f"{found.stage}: {found.reason}"


def _check_files(samples: Sequence[Sample], files: Mapping[str, str | FailureToAcquire]) -> None:
    """Refuse files that are there and are not what the descriptor says."""
    wrong = [s for s in samples if s.sha256 and isinstance(files[s.sample_id], str) and files[s.sample_id] != s.sha256]
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise DataError(
            f"{wrong[0].path}{more}",
            f"SHA-256 is {str(files[wrong[0].sample_id])[:12]}..., the descriptor says {str(wrong[0].sha256)[:12]}...",
            "Obtain the benchmark again (faceaudit benchmarks obtain), or describe your own version of it",
        )


def _measure(inputs: _Inputs, options: RunOptions, progress: Progress) -> EvaluationRecord:
    """Templates, comparisons, counts, rates, differentials, record."""
    began = time.perf_counter()
    extraction = _extract(inputs, options, progress)
    extracted = time.perf_counter()
    comparisons = _comparisons(inputs, extraction, progress)
    record = _record(inputs, extraction, comparisons, options.device)
    timing = {"extraction": extracted - began, "measurement": time.perf_counter() - extracted}
    return record.model_copy(update={"timing": {name: round(value, 3) for name, value in timing.items()}})


def _extract(inputs: _Inputs, options: RunOptions, progress: Progress) -> Extraction:
    return extract(
        inputs.samples,
        inputs.card,
        lambda: models.load(inputs.card, workers=options.workers),
        TemplateStore(options.cache),
        digests=inputs.files,
        workers=options.workers,
        fresh=options.fresh,
        max_failures=options.max_failures,
        progress=progress,
    )


def _comparisons(inputs: _Inputs, extraction: Extraction, progress: Progress) -> Comparisons:
    """All pairs, or the pairs of the benchmark's protocol."""
    from audit.compare.all_pairs import AllPairs  # noqa: PLC0415 - loads the compiler, which a finished run does not need
    from audit.compare.pairs import listed  # noqa: PLC0415

    place = {subject: index for index, subject in enumerate(inputs.subjects)}
    kept = [inputs.samples[index] for index in extraction.template_index]
    subject = np.array([place[sample.subject_id] for sample in kept], dtype=np.int64)
    grouping = inputs.grouping
    if inputs.benchmark.pairs is not None:
        names = [sample.sample_id for sample in kept]
        return listed(
            inputs.benchmark.pairs, names, extraction.templates, subject, grouping.atom_of, grouping.atoms,
            inputs.card.similarity,
        )  # fmt: skip
    return AllPairs(
        extraction.templates,
        subject,
        grouping.atom_of,
        grouping.atoms,
        inputs.card.similarity,
        progress=lambda done, total: progress("compare", done, total),
    )


def _record(inputs: _Inputs, extraction: Extraction, comparisons: Comparisons, device: str) -> EvaluationRecord:
    """Scores, thresholds, counts, findings, and the record of them."""
    plan, grouping = inputs.plan, inputs.grouping
    scores = points.exact_scores(comparisons, grouping, plan.fmr)
    placed = points.operating_points(scores, grouping, plan.fmr)
    _require_a_target(inputs.benchmark, placed)
    thresholds = np.unique([point.threshold for point in placed if point.threshold is not None])
    half = halves(grouping.atom_of, plan.splits, np.random.default_rng(plan.seed))
    counts = comparisons.at(thresholds, half, plan.splits)
    evidence = disparities.Evidence(counts, _acquired(inputs, extraction), half, plan.splits)
    found = _find(inputs, placed, evidence)
    return EvaluationRecord(
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        software=provenance.software(),
        hardware=provenance.hardware(device),
        seed=plan.seed,
        digests=inputs.digests,
        benchmark=assemble.benchmark_part(inputs.benchmark, grouping),
        model=assemble.model_part(inputs.card),
        plan=plan.model_dump(mode="json"),
        samples=assemble.samples_part(inputs.samples, grouping, scores, extraction.several_faces),
        acquisition=assemble.acquisition(
            found.acquisition, extraction.failures, inputs.samples, inputs.subjects, grouping
        ),
        operating_points=[assemble.operating_point(point) for point in placed],
        rates=found.rates,
        differentials=found.differentials,
        contrasts=found.contrasts,
        distributions=assemble.distributions(scores, grouping, thresholds.tolist(), plan.min_subjects),
        covariance=found.covariances,
        det=assemble.det_curves(scores, grouping, plan.min_subjects),
        summary=assemble.summary(scores, grouping, found.measured),
        warnings=_warnings(inputs, extraction, placed, found.acquisition),
        limits=_limits(inputs, scores),
    )


def _require_a_target(benchmark: Benchmark, placed: Sequence[points.Point]) -> None:
    globally = [point for point in placed if point.policy == "global"]
    if all(point.threshold is None for point in globally):
        reasons = "; ".join(dict.fromkeys(point.reason or "" for point in globally))
        raise NothingMeasured(
            benchmark.name, f"no target FMR is estimable ({reasons})", "Ask for a larger one with --fmr"
        )


@dataclass(eq=False)
class _Found:
    """What the operating points have shown so far."""

    acquisition: list[ErrorRate]
    measured: list[evaluation.Measured] = field(default_factory=list)
    rates: list[records.Rate] = field(default_factory=list)
    contrasts: list[records.Contrast] = field(default_factory=list)
    differentials: list[records.Differential] = field(default_factory=list)
    covariances: list[records.Covariance] = field(default_factory=list)


def _find(inputs: _Inputs, placed: Sequence[points.Point], evidence: disparities.Evidence) -> _Found:
    """Rates, contrasts and spreads at every global operating point, rates at the groups' own, failures to acquire."""
    plan, grouping = inputs.plan, inputs.grouping
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
        if point.policy != "global" or point.threshold is None:
            continue
        one = evaluation.measure(counts, acquired, grouping, point, level=level, min_subjects=few)
        again = bool(found.measured)  # failures to acquire depend on no threshold: they are compared once
        contrasts = [c for c in disparities.contrasts(one, grouping, settings) if not (again and c.metric == "FTA")]
        spreads = disparities.spreads(one, evidence, grouping, settings)
        found.covariances.append(assemble.covariance(one, len(found.rates)))
        found.rates += assemble.measured_rates(one, grouping)
        found.contrasts += [assemble.contrast(c, settings.margins[c.metric]) for c in contrasts]
        found.differentials += [
            assemble.differential(s, point) for s in spreads if not (again and s.metric == "FTA")
        ]  # fmt: skip
        found.measured.append(one)
    own = evaluation.own_rates(counts, grouping, placed, level=level, min_subjects=few)
    found.rates += [assemble.rate(rate, None) for rate in own]
    found.rates += [assemble.rate(rate, rate.subjects) for rate in found.acquisition]
    return found


def _acquired(inputs: _Inputs, extraction: Extraction) -> Acquired:
    """Samples and failures of every subject."""
    place = {subject: index for index, subject in enumerate(inputs.subjects)}
    owner = np.array([place[sample.subject_id] for sample in inputs.samples], dtype=np.int64)
    failed = np.array([sample.sample_id in extraction.failures for sample in inputs.samples], dtype=bool)
    size = len(inputs.subjects)
    return Acquired(np.bincount(owner[failed], minlength=size), np.bincount(owner, minlength=size))


def _warnings(
    inputs: _Inputs, extraction: Extraction, placed: Sequence[points.Point], acquisition: Sequence[ErrorRate]
) -> list[str]:
    """What a reader must know before the numbers."""
    made = [
        f"No image of {rate.group} could be processed: {rate.errors} of {rate.trials} failed."
        for rate in acquisition
        if rate.trials and rate.errors == rate.trials
    ]
    if extraction.failures:
        made.append(f"{len(extraction.failures)} of {len(inputs.samples)} images could not be processed.")
    if extraction.unsaved:
        made.append(f"{extraction.unsaved} outcomes could not be kept in the cache: another run computes them again.")
    if extraction.several_faces:
        made.append(
            f"More than one face was seen in {extraction.several_faces} of {len(inputs.samples)} images; "
            f"the {inputs.plan.several_faces} one was taken."
        )
    made += [
        f"Target FMR {point.target:g} is {point.reason}." for point in placed
        if point.policy == "global" and point.threshold is None
    ]  # fmt: skip
    made += list(inputs.benchmark.notes)
    if inputs.plan.limit:
        made.append(f"A trial run: only the first {len(inputs.subjects)} subjects were used.")
    return made


def _limits(inputs: _Inputs, scores: ScoreCounts) -> list[str]:
    """What these numbers cannot show."""
    made = [
        "Thresholds were set on the comparisons that they are judged on; separate calibration data would be stricter.",
        "Rates hold for this benchmark's pictures and people; they do not transfer to other cameras, ages or places.",
    ]
    if not scores.exact:
        made.append("AUC, EER, d' and curves come from a fine histogram; thresholds and error counts are exact.")
    return made + list(inputs.benchmark.limits)
