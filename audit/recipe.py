"""The recipe: benchmark + model -> templates -> comparisons -> counts -> rates -> differentials -> record -> report.

The only place that knows the order. The same command again answers from the finished record if nothing that decides a
number has changed (files, weights, plan, code); otherwise it takes every template that the cache has and computes what
is missing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audit import (
    assemble,
    assemble_bootstrap,
    assemble_counted,
    assemble_extras,
    assemble_scenario,
    cluster,
    environment,
    extract_on_cluster,
    forgetting,
    influence,
    models,
    preregistration,
    provenance,
    remarks,
    results,
    sending,
    superseded,
    tasks,
    upkeep,
    whole_file,
)
from audit import record as records
from audit.compare import Comparisons, halves
from audit.compare.counts import Ints, ScoreCounts
from audit.domain import Benchmark, ErrorRate, FailureToAcquire, Sample, Threshold
from audit.errors import DataError, NothingMeasured
from audit.evaluation import Evaluation
from audit.extract import Extraction, extract
from audit.groups import Grouping
from audit.inputs import Inputs, People, Progress, acquired, prepare, silent
from audit.inputs import admit as admit_comparing
from audit.metrics import disparities, evaluation, experimental, points, score_shift
from audit.metrics.evaluation import Acquired
from audit.models import DetectorCard, ModelCard
from audit.plan import AuditPlan, RunOptions
from audit.record import EvaluationRecord, Movement
from audit.store import COMPARISONS, TemplateStore, default_root

if TYPE_CHECKING:
    from audit.compare.blocks import Rows, Similarity
    from audit.compare.lossy import Lossy
    from audit.compare.parts import Checkpoint
    from audit.models.capture_meter import MeterCard
    from audit.preregistration import Lock
    from audit.watch_list import WatchList


CARD = "card.json"
"""What a model's card says, beside its record."""


def run(plan: AuditPlan, options: RunOptions | None = None) -> Evaluation:
    """Audit one model on one benchmark; the record and its report are written below `options.out`.

    Parameters
    ----------
    plan : everything that decides a number
    options : where data lie and results go, and how work is done; default: `RunOptions()`

    Raises
    ------
    Refused
        The benchmark's governance forbids it.
    AuditError
        See `audit.errors`.
    """
    options = options or RunOptions()
    progress = options.progress or silent
    began = time.perf_counter()
    lock = lock_of(options)
    job = _job(plan, options, progress)
    prepared = time.perf_counter()
    benchmark, card, digests = job.benchmark, job.card, job.digests
    folder = options.out / results.folder(benchmark.name, card.name, card.revision, digests.plan)
    withdraw(benchmark, job.pictures, job.files, folder, options)
    known = None if options.fresh else _known(folder, job)
    made = job.measure() if known is None else Made(known)
    measured = time.perf_counter()
    evaluation = published(made, folder, options, lock, reused=known is not None)
    for whose in ("judged", "setters"):
        if _parts_folder(digests, whose, options.cache).exists():  # seldom: a finished run loads no compiler
            checkpoint_of(digests, whose, options.cache).clear()
    _tidy(job, options)
    steps = {"preparation": prepared - began, "report": time.perf_counter() - measured}
    return replace(evaluation, timing=steps)


def admit(plan: AuditPlan, options: RunOptions) -> None:
    """Pass the gates of a plan's task: a run would not be stopped before its first image.

    Raises
    ------
    AuditError
        Whatever would stop it.
    """
    task = tasks.of(plan)
    if task is None:
        admit_comparing(plan, options)
    else:
        tasks.admit(plan, options, task)


def ahead(plans: Sequence[AuditPlan], options: RunOptions) -> None:
    """Of several plans that look at the same pictures, do at once what they have in common; `run` then finds it done.

    A task that gains nothing from it does nothing here.
    """
    if options.fresh or len({plan.task for plan in plans}) != 1:
        return
    task = tasks.of(plans[0])
    together = getattr(task, "ahead", None)
    if task is None or together is None:
        return
    progress = options.progress or silent
    unknown = []
    for plan in plans:
        one = tasks.prepare(plan, options, progress, task)
        withdraw(one.benchmark, one.samples, one.files, options.out / _folder(one), options)
        if results.finished(options.out / _folder(one) / "record.json", one.digests) is None:
            unknown.append(one)
    if len(unknown) > 1:
        together(unknown, options, progress)


def _folder(one: tasks.TaskInputs[Any]) -> Path:
    return results.folder(one.benchmark.name, one.card.name, one.card.revision, one.digests.plan)


@dataclass(frozen=True, eq=False)
class _Job:
    """A run as far as every task has one: whose pictures, under which digests, and how the record is made."""

    benchmark: Benchmark
    card: ModelCard | tasks.TaskCard
    pictures: tuple[Sample, ...]
    files: Mapping[str, str | FailureToAcquire]
    digests: records.Digests
    measure: Callable[[], Made]


def _job(plan: AuditPlan, options: RunOptions, progress: Progress) -> _Job:
    task = tasks.of(plan)
    if task is not None:
        alone = tasks.prepare(plan, options, progress, task)

        def look() -> Made:
            return Made(
                task.measure(alone, options, progress), _described(alone.benchmark.descriptor, _card(alone.card))
            )

        return _Job(alone.benchmark, alone.card, alone.samples, alone.files, alone.digests, look)
    made = prepare(plan, options, progress)
    pictures = (*made.samples, *made.pictures)
    measure = partial(_measure, made, options, progress)
    return _Job(made.benchmark, made.card, pictures, made.files, made.digests, measure)


def _known(folder: Path, job: _Job) -> EvaluationRecord | None:
    """The finished record of an earlier run; not one of a card, or of packages, that say something else by now."""
    record = results.finished(folder / "record.json", job.digests)
    if record is None or record.model.preprocessing != job.card.preprocessing:
        return None
    with contextlib.suppress(OSError):
        if (folder / CARD).read_bytes() == f"{_card(job.card)}\n".encode():
            return record
    return None


def _tidy(job: _Job, options: RunOptions) -> None:
    """After the run: delete templates where the benchmark's terms ask for it, and hold the cache to its size."""
    if job.benchmark.delete_templates:
        TemplateStore(options.cache).forget(file for file in job.files.values() if isinstance(file, str))
    with contextlib.suppress(DataError):  # a cache that cannot be written cannot grow
        upkeep.clear(options.cache, max_size=upkeep.limit())


def withdraw(
    benchmark: Benchmark,
    samples: Sequence[Sample],
    files: Mapping[str, str | FailureToAcquire],
    folder: Path,
    options: RunOptions,
) -> None:
    """Clear the cache of people who withdrew, and mark earlier records; before anything is answered from either."""
    domain = influence.domain(benchmark.consent.tier, benchmark.name, benchmark.digest)
    forgetting.clear(benchmark, samples, files, domain, options.cache)
    superseded.mark(options.out, benchmark.name, benchmark.withdrawn, folder)


def lock_of(options: RunOptions) -> Lock | None:
    """The lock that a run is held against, read before anything else; None: there is none."""
    return None if options.lock is None else preregistration.read(options.lock)


@dataclass(frozen=True, eq=False)
class Made:
    """A record, and the files that are published beside it, by name."""

    record: EvaluationRecord
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def but(self, record: EvaluationRecord) -> Made:
        """The same with more in the record."""
        return replace(self, record=record)


def published(made: Made, folder: Path, options: RunOptions, lock: Lock | None = None, *, reused: bool) -> Evaluation:
    """Write a record, what stands beside it and its report; of a record that is there, the report if it is missing.

    A record that is marked superseded is not overwritten, but moves aside. One that is new says whether a lock was kept
    to; one that is there already says what it said. The record comes after the tables: whoever finds one finds them.
    """
    record = made.record
    if not reused:
        record = record.model_copy(update={"preregistration": preregistration.said(record, lock, options.out)})
    earlier = None if reused else superseded.set_aside(folder)
    if not reused:
        for name, content in made.beside.items():
            records.write_bytes(folder / name, content)
        environment.write(record.hardware["device"], folder)
        records.write(record, folder / "record.json")
    done = Evaluation(record, folder, reused=reused, earlier=earlier)
    if not reused or not done.report_path.exists():
        done.report()
    if reused:  # a run that was killed while it wrote them may have left something beside them
        whole_file.sweep(folder / "record.json")
        whole_file.sweep(done.report_path)
    return done


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


def _measure(inputs: Inputs, options: RunOptions, progress: Progress) -> Made:
    """Templates, comparisons, counts, rates, differentials, record."""
    with cluster.connected(options.cluster) if options.cluster else contextlib.nullcontext():
        return _measured(inputs, options, progress)


def _measured(inputs: Inputs, options: RunOptions, progress: Progress) -> Made:
    began = time.perf_counter()
    sent = sending.said(inputs.card, len({*inputs.judged.subjects, *inputs.setters.subjects}), yet=False)
    if sent is not None:
        _say(sent)
    if inputs.card.service is not None and inputs.card.service.compares:
        return record_of(_answered(inputs, options, progress), options.cache)
    everything = _extract(
        (*inputs.samples, *inputs.pictures), inputs.card, inputs, options, progress, _noting(inputs, options)
    )
    extraction = everything.part(inputs.samples, 0)
    found = _found(inputs, options, progress)
    extracted = time.perf_counter()
    judged, sampling, lossy = _comparisons(inputs, inputs.judged, extraction, options, progress)
    same = inputs.setters is inputs.judged
    setters = judged if same else _comparisons(inputs, inputs.setters, extraction, options, progress)[0]
    scored = Scored(
        inputs.plan,
        inputs.benchmark,
        assemble.model_part(inputs.card),
        inputs.digests,
        inputs.judged,
        inputs.setters,
        judged,
        setters,
        acquired(inputs.judged, extraction.failures),
        inputs.card.similarity,
        extraction.several_faces,
        tuple(remarks.of_extraction(inputs, extraction)),
        options.device,
        sampling,
        lossy,
        _card(inputs.card),
    )
    made = record_of(scored, options.cache)
    record = made.record
    if inputs.plan.covariates:
        record = _with_conditions(inputs, extraction, judged, record, options, progress)
    if inputs.series:
        of_series = everything.part(inputs.pictures, len(inputs.samples))
        moved = _moved(inputs, extraction, of_series, found, record)
        record = record.model_copy(update={"counterfactuals": moved})
    if inputs.watch_list is not None:
        record = _with_list(inputs, inputs.watch_list, extraction, record, progress)
    timing = {"extraction": extracted - began, "measurement": time.perf_counter() - extracted, **everything.timing}
    return made.but(record.model_copy(update={"timing": {name: round(value, 3) for name, value in timing.items()}}))


def _answered(inputs: Inputs, options: RunOptions, progress: Progress) -> Scored:
    """Scores of a service that compares; from the comparisons on, the code is that of templates."""
    from audit import answered  # noqa: PLC0415 - of this kind of model alone

    found = answered.compared(inputs, options, progress)
    return Scored(
        inputs.plan,
        inputs.benchmark,
        assemble.model_part(inputs.card),
        inputs.digests,
        inputs.judged,
        inputs.judged,
        found.comparisons,
        found.comparisons,
        found.acquired,
        inputs.card.similarity,
        remarks=found.noticed,
        device="none",
        sampling=found.sampling,
        card=_card(inputs.card),
    )


def _card(card: ModelCard | tasks.TaskCard) -> str:
    return json.dumps(card.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _extract(
    samples: Sequence[Sample],
    card: ModelCard | DetectorCard,
    inputs: Inputs,
    options: RunOptions,
    progress: Progress,
    noting: MeterCard | None = None,
) -> Extraction:
    def load() -> Any:
        model = models.load(card, workers=options.workers, device=options.device)
        if noting is not None:
            from audit.models import capture_meter  # noqa: PLC0415 - of plans with covariates alone

            capture_meter.attach(model)
        return model

    return extract(
        samples,
        card,
        load,
        TemplateStore(options.cache),
        digests=inputs.files,
        workers=options.workers,
        fresh=options.fresh,
        max_failures=options.max_failures,
        progress=progress,
        elsewhere=extract_on_cluster.on(options.cluster, card, options.device)
        if options.cluster and isinstance(card, ModelCard) and card.service is None
        else None,
        noting=noting,
    )


def _noting(inputs: Inputs, options: RunOptions) -> MeterCard | None:
    """The meter of capture conditions, where the model looks for faces as it does: they are measured on the way."""
    from audit import captured  # noqa: PLC0415 - of plans with covariates alone

    here = options.device == "cpu" and not options.cluster and inputs.card.detection.detector == "mtcnn"
    return captured.meter(inputs.plan) if here else None


def _found(inputs: Inputs, options: RunOptions, progress: Progress) -> dict[str, Extraction]:
    """What each detector finds in the pictures of the series."""
    if not inputs.series:
        return {}
    return {
        card.name: _extract(inputs.pictures, card, inputs, replace(options, max_failures=None), progress)
        for card in models.detectors(inputs.card.detection)
    }


def _moved(
    inputs: Inputs,
    extraction: Extraction,
    of_series: Extraction,
    found: Mapping[str, Extraction],
    record: EvaluationRecord,
) -> list[Movement]:
    """The counterfactual part: what changes with the one factor that is changed, at the global operating points."""
    from audit import assemble_series  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    points = [point for point in record.operating_points if point.policy != "per-group"]
    seen = assemble_series.outcomes(
        inputs.pictures,
        of_series,
        inputs.samples,
        extraction,
        found,
        next((card.name for card in models.detectors(inputs.card.detection) if card.landmarks), None),
        {point.id: point.threshold for point in points if point.threshold is not None},
        inputs.card.similarity,
    )
    plan = inputs.plan
    return assemble_series.parts(inputs.series, seen, level=plan.level, min_subjects=plan.min_subjects)


def _with_conditions(
    inputs: Inputs,
    extraction: Extraction,
    comparisons: Comparisons,
    record: EvaluationRecord,
    options: RunOptions,
    progress: Progress,
) -> EvaluationRecord:
    """The capture conditions of the judged people's samples, and what of the gaps between groups goes with them."""
    from audit import assemble_conditions, captured  # noqa: PLC0415 - load the compiler, and a detector
    from audit.compare.all_pairs import AllPairs  # noqa: PLC0415
    from audit.compare.blocks import ArrayRows, stored  # noqa: PLC0415

    people, plan = inputs.judged, inputs.plan
    noted = _noting(inputs, options) is not None
    found = captured.measure(people.samples, inputs.files, plan, replace(options, progress=progress), noted=noted)
    subjects = {subject: index for index, subject in enumerate(people.subjects)}
    place = {sample.sample_id: index for index, sample in enumerate(people.samples)}
    names = [inputs.samples[index].sample_id for index in extraction.template_index]
    own = [k for k, name in enumerate(names) if name in place]
    every = stored(ArrayRows(extraction.templates[own]), plan.storage), inputs.card.similarity
    compared = assemble_conditions.Compared(
        comparisons,
        np.array([place[names[k]] for k in own], dtype=np.int64),
        np.array([subjects[sample.subject_id] for sample in people.samples], dtype=np.int64),
        every if isinstance(comparisons, AllPairs) else None,
    )
    part = assemble_conditions.part(found, compared, people.grouping, record.operating_points, plan)
    return record.model_copy(update={"conditions": part})


def _with_list(
    inputs: Inputs, drawn: WatchList, extraction: Extraction, record: EvaluationRecord, progress: Progress
) -> EvaluationRecord:
    """The identification part: the judged people's templates, compared with those of the people on the list."""
    from audit import assemble_identification  # noqa: PLC0415 - loads the compiler, which a finished run does not need
    from audit.compare.blocks import ArrayRows, stored  # noqa: PLC0415

    people = inputs.judged
    place = {subject: index for index, subject in enumerate(people.subjects)}
    row_of = {inputs.samples[index].sample_id: row for row, index in enumerate(extraction.template_index)}
    tested = assemble_identification.ListInputs(
        inputs.plan,
        people.grouping,
        inputs.card.similarity,
        inputs.benchmark.name,
        drawn,
        np.array([place[sample.subject_id] for sample in people.samples], dtype=np.int64),
        np.array([row_of.get(sample.sample_id, -1) for sample in people.samples], dtype=np.int64),
        stored(ArrayRows(extraction.templates), inputs.plan.storage),
    )
    made = assemble_identification.added(record, tested, lambda done, total: progress("compare", done, total))
    return assemble_scenario.with_growth(made)


@dataclass(frozen=True, eq=False)
class Templates:
    """Templates of the samples that have one: ids, numbers, and the subject of each, (templates,)."""

    names: Sequence[str]
    rows: Rows
    subject: Ints


def rows_of(rows: Rows, index: Ints) -> Rows:
    """Some of many templates."""
    from audit.compare.blocks import Chosen  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    return Chosen(rows, index)


def checkpoint_of(digests: records.Digests, whose: str, cache: Path | None) -> Checkpoint:
    """Where the comparisons of a run are kept until they are all made."""
    from audit.compare.parts import Checkpoint  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    return Checkpoint(_parts_folder(digests, whose, cache), _say)


def _parts_folder(digests: records.Digests, whose: str, cache: Path | None) -> Path:
    key = hashlib.sha256(json.dumps([digests.model_dump(), whose], sort_keys=True).encode()).hexdigest()
    return (cache or default_root()) / COMPARISONS / key[:32]


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _comparisons(
    inputs: Inputs, people: People, extraction: Extraction, options: RunOptions, progress: Progress
) -> tuple[Comparisons, records.Sampling | None, Lossy | None]:
    """As `compared`, of the people's templates."""
    from audit.compare.blocks import ArrayRows  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    place = {subject: index for index, subject in enumerate(people.subjects)}
    own = [k for k, index in enumerate(extraction.template_index) if inputs.samples[index].subject_id in place]
    kept = [inputs.samples[extraction.template_index[k]] for k in own]
    subject = np.array([place[sample.subject_id] for sample in kept], dtype=np.int64)
    templates = Templates([sample.sample_id for sample in kept], ArrayRows(extraction.templates[own]), subject)
    shown = replace(options, progress=progress)
    whose = "judged" if people is inputs.judged else "setters"
    kept_at = checkpoint_of(inputs.digests, whose, options.cache)
    return compared(inputs.benchmark, templates, people.grouping, inputs.card.similarity, inputs.plan, shown, kept_at)


def compared(
    benchmark: Benchmark,
    templates: Templates,
    grouping: Grouping,
    similarity: Similarity,
    plan: AuditPlan,
    options: RunOptions,
    checkpoint: Checkpoint | None = None,
) -> tuple[Comparisons, records.Sampling | None, Lossy | None]:
    """All pairs, or the pairs of the benchmark's protocol; or some of all, and how they were drawn.

    Where templates are kept in fewer bits than float32, also what says which decisions that changes.
    """
    from audit.compare.all_pairs import AllPairs  # noqa: PLC0415 - loads the compiler, which a finished run does not need
    from audit.compare.blocks import stored  # noqa: PLC0415
    from audit.compare.lossy import Lossy  # noqa: PLC0415
    from audit.compare.pairs import listed, places  # noqa: PLC0415
    from audit.compare.sampled import Population  # noqa: PLC0415
    from audit.sampling import chosen  # noqa: PLC0415

    progress = options.progress or silent
    rows, lossy = stored(templates.rows, plan.storage), None
    if plan.storage != "float32":
        everybody = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
        allowed = everybody if grouping.allowed is None else grouping.allowed
        population = Population(templates.subject, grouping.atom_of, allowed)
        pairs = None if benchmark.pairs is None else places(benchmark.pairs, templates.names)
        lossy = Lossy(templates.rows, population, similarity, plan.storage, pairs, plan.seed)
    if benchmark.pairs is not None:
        values = rows.take(np.arange(len(templates.names)))
        found = listed(
            benchmark.pairs, templates.names, values, templates.subject, grouping.atom_of, grouping.atoms, similarity,
            benchmark.folds, by_sample=bool(plan.covariates),
        )  # fmt: skip
        return found, None, lossy

    def every() -> Comparisons:
        return AllPairs(
            rows,
            templates.subject,
            grouping.atom_of,
            grouping.atoms,
            similarity,
            progress=lambda done, total: progress("compare", done, total),
            workers=options.workers,
            checkpoint=checkpoint,
            device=options.device,
            cluster=options.cluster,
        )

    if plan.samples:
        return *chosen(plan, rows, templates.subject, grouping, similarity, every), lossy
    return every(), None, lossy


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
    tables = assemble_counted.counted(scores, grouping, found.measured, placed)
    return Made(record, {**tables.files(), **_described(scored.benchmark.descriptor, scored.card)})


def _described(descriptor: str, card: str) -> dict[str, bytes]:
    """Descriptor and card as files."""
    said = {"benchmark.json": descriptor, CARD: card}
    return {name: f"{text}\n".encode() for name, text in said.items() if text}


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
    rates = evaluation.own_rates(own, grouping, placed, slots, level=level, min_subjects=few)
    found.rates += [assemble.rate(rate, None) for rate in rates]
    found.rates += [assemble.rate(rate, rate.subjects) for rate in found.acquisition]
    return found
