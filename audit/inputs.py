"""What is known before an image is decoded: gates passed, people split, files digested.

With the recipe, the only place where benchmarks and models meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit import benchmarks, captured, groups, measured, models, provenance, results, sending, upkeep, watch_list
from audit.domain import Benchmark, FailureToAcquire, Sample, SeriesLevel, Subject
from audit.errors import DataError, NothingMeasured, PlanError
from audit.extract import hash_samples
from audit.groups import Grouping
from audit.metrics import scenario
from audit.metrics.evaluation import Acquired
from audit.models.card import BY_LANDMARKS, ModelCard
from audit.plan import AuditPlan, RunOptions
from audit.record import Digests
from audit.watch_list import WatchList

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class People:
    """Subjects with their groups and samples."""

    subjects: tuple[str, ...]
    grouping: Grouping
    samples: tuple[Sample, ...]


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that a run rests on; `setters` set the thresholds, `judged` are measured (often the same people)."""

    plan: AuditPlan
    benchmark: Benchmark
    card: ModelCard
    judged: People
    setters: People
    files: Mapping[str, str | FailureToAcquire]
    digests: Digests
    series: tuple[SeriesLevel, ...] = ()
    """Rows of the series of the judged people; empty unless the task asks for them."""
    watch_list: WatchList | None = None
    """Which of the judged people's samples are on the list, by their place; None unless the task asks for it."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Every sample that is extracted."""
        return self.judged.samples if self.setters is self.judged else (*self.setters.samples, *self.judged.samples)

    @property
    def pictures(self) -> tuple[Sample, ...]:
        """Samples of the series, each once."""
        return tuple({row.sample.sample_id: row.sample for row in self.series}.values())


def silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""


def enter(plan: AuditPlan, options: RunOptions) -> Benchmark:
    """Pass the gates that every task has, and load the benchmark: output folder, cache, device, consent.

    Raises
    ------
    AuditError
        See `audit.errors`.
    """
    results.require_writable(options.out)
    upkeep.limit()
    models.require(options.device)
    return benchmarks.load(
        plan.benchmark,
        data=benchmarks.data_entries(options.data),
        obtain=options.obtain,
        acknowledge=plan.acknowledge,
        purposes=plan.all_purposes,
        progress=options.progress or silent,
    )


def grouped(benchmark: Benchmark, plan: AuditPlan, options: RunOptions) -> tuple[Benchmark, Grouping]:
    """Tell groups apart; an attribute that is measured in pictures is measured here."""
    by = benchmark.default_by if plan.by is None else plan.by
    if measured.wanted(benchmark, (*by, *plan.impostors)):
        benchmark = measured.with_tone(benchmark, seen(benchmark, plan), plan, options)
    return benchmark, groups.make(benchmark, by, seen(benchmark, plan), plan.impostors)


def admit(plan: AuditPlan, options: RunOptions) -> tuple[Benchmark, ModelCard, Grouping]:
    """Pass the gates: output folder, consent, model card and weights, groups.

    No image is read, unless an attribute of the plan is measured in them.

    Raises
    ------
    AuditError
        Whatever would stop the run before its first image.
    """
    benchmark = enter(plan, options)
    if plan.task == "counterfactual" and not benchmark.series:
        raise PlanError(
            f"task {plan.task}",
            f"the benchmark {benchmark.name!r} has no series of pictures with one factor changed (series.csv)",
            "The bundled one has: --benchmark synthetic; or take --task verification",
        )
    require_protocol(plan, benchmark)
    if plan.task == "identification" and benchmark.pairs is not None:
        raise PlanError(
            f"task {plan.task}",
            f"the benchmark {benchmark.name!r} lists its comparisons (pairs.csv), one with one",
            "Take --task verification, or a benchmark without such a list",
        )
    data = benchmarks.data_entries(options.data)
    card = models.describe(plan.model, data=data, plan=plan).model_copy(update={"device": options.device})
    card = sending.allowed(card, benchmark, options)
    sending.require_few(card, benchmark, plan)
    _require_samples(plan, card)
    benchmark = _marked(benchmark, card) if plan.detector == "truth" else _unmarked(benchmark)
    benchmark, grouping = grouped(benchmark, plan, options)
    if plan.scenario is not None:
        scenario.passers(grouping, plan.scenario.by, plan.scenario.passers_by, plan.scenario.on_list)
    return benchmark, card, grouping


def _require_samples(plan: AuditPlan, card: ModelCard) -> None:
    """Refuse covariates of what is compared elsewhere, and measures that are not installed."""
    if plan.covariates and card.service is not None and card.service.compares:
        raise PlanError(
            "plan: covariates",
            f"{card.name} compares pictures itself, and its scores are not held by picture",
            "Leave covariates out, or take a model that makes templates",
        )
    captured.require(plan)


def _marked(benchmark: Benchmark, card: ModelCard) -> Benchmark:
    """The same benchmark; refused where nothing is marked that could stand in place of a detector."""
    pictures = (*benchmark.samples, *(row.sample for row in benchmark.series))
    if not any(sample.box for sample in pictures):
        raise PlanError(
            "detector truth",
            f"the benchmark {benchmark.name!r} has no marked boxes",
            "Its samples.csv may have box_left, box_top, box_width and box_height; or take another detector",
        )
    if card.input.alignment in BY_LANDMARKS and not any(sample.points for sample in pictures):
        raise PlanError(
            "detector truth",
            f"{card.name} aligns by landmarks, and the benchmark {benchmark.name!r} has marked boxes alone",
            'Add alignment = "box"',
        )
    return benchmark


def _unmarked(benchmark: Benchmark) -> Benchmark:
    """The same benchmark without its marks: where a detector looks, they decide no number and are part of no digest."""
    return replace(
        benchmark,
        samples=tuple(replace(sample, box=None, points=None) for sample in benchmark.samples),
        series=tuple(replace(row, sample=replace(row.sample, box=None, points=None)) for row in benchmark.series),
    )


def require_protocol(plan: AuditPlan, benchmark: Benchmark) -> None:
    """Refuse settings that listed comparisons, or their folds, leave no room for.

    Raises
    ------
    PlanError
        Naming the setting.
    """
    if benchmark.pairs is None:
        return
    if plan.samples:
        name = "precision" if plan.sample_nonmated is None else "sample_nonmated"
        raise PlanError(f"plan: {name}", f"{benchmark.name} lists its comparisons (pairs.csv)", f"Leave {name} out")
    if not benchmark.folds:
        return
    folds = f"{benchmark.name} compares in folds (pairs.csv), "
    refused = {
        "calibration": (plan.calibration > 0, "which set each other's thresholds: nobody is set aside"),
        "bootstrap": (plan.bootstrap > 0, "and its replicates would need thresholds by fold"),
        "covariates": (bool(plan.covariates), "and conditions are weighed at one threshold only"),
        "storage": (plan.storage != "float32", "and what other numbers change is told at one threshold only"),
        "task": (plan.task == "counterfactual", "and pictures of a series belong to none"),
    }
    for name, (asked, why) in refused.items():
        if asked:
            raise PlanError(f"plan: {name}", folds + why, f"Leave {name} out, or the column 'fold' for one threshold")


def seen(benchmark: Benchmark, plan: AuditPlan) -> tuple[Subject, ...]:
    """People with a sample (the others stand behind no number), as far as the plan's limit."""
    owners = {sample.subject_id for sample in benchmark.samples}
    seen = tuple(subject for subject in benchmark.subjects if subject.subject_id in owners)
    if not seen:
        raise NothingMeasured(benchmark.name, "no sample belongs to a subject", "Look at samples.csv and subjects.csv")
    return seen[: plan.limit]


def prepare(plan: AuditPlan, options: RunOptions, progress: Progress) -> Inputs:
    """Everything that is known before an image is decoded, digests included."""
    benchmark, card, grouping = admit(plan, options)
    judged, setters = _split(benchmark, plan, grouping)
    everyone = judged.samples if setters is judged else (*setters.samples, *judged.samples)
    series = _series(benchmark, plan, judged)
    drawn = None
    if plan.task == "identification":
        place = {subject: index for index, subject in enumerate(judged.subjects)}
        owner = np.array([place[sample.subject_id] for sample in judged.samples], dtype=np.int64)
        drawn = watch_list.draw(owner, judged.grouping, plan, benchmark.name)
    everyone = (*everyone, *{row.sample.sample_id: row.sample for row in series}.values())
    files = hash_samples(everyone, workers=options.workers, progress=progress)
    check_files(everyone, files)
    shown = plan.model_copy(
        update={"benchmark": benchmark.name, "model": model_name(plan, card), "by": grouping.attributes}
    )
    digests = Digests(
        benchmark=benchmark.digest,
        samples=provenance.samples_digest(
            benchmark, everyone, {name: word(found) for name, found in files.items()}, series
        ),
        weights=card.weights_sha256,
        plan=shown.digest(),
        code=provenance.code_digest(),
    )
    benchmark = sending.noted(benchmark, card, len({*judged.subjects, *setters.subjects}))
    return Inputs(shown, benchmark, card, judged, setters, files, digests, series, drawn)


def _series(benchmark: Benchmark, plan: AuditPlan, judged: People) -> tuple[SeriesLevel, ...]:
    """Rows of the judged people, where the task asks for series."""
    if plan.task != "counterfactual":
        return ()
    kept = set(judged.subjects)
    series = tuple(row for row in benchmark.series if row.sample.subject_id in kept)
    if not series:
        raise NothingMeasured(benchmark.name, "none of the people judged has a series", "Take a larger --limit")
    return series


def _split(benchmark: Benchmark, plan: AuditPlan, grouping: Grouping) -> tuple[People, People]:
    """Who is judged and who sets thresholds: the same people, or a seeded share of every group set aside."""
    subjects = seen(benchmark, plan)
    if not plan.calibration:
        everyone = people_of(benchmark, subjects, grouping)
        return everyone, everyone
    rng = np.random.default_rng([plan.seed, 1])
    aside: set[int] = set()
    for atom in range(grouping.atoms):
        members = rng.permutation(np.flatnonzero(grouping.atom_of == atom))
        aside.update(members[: round(plan.calibration * len(members))].tolist())
    sides = [tuple(s for k, s in enumerate(subjects) if (k in aside) == setting) for setting in (False, True)]
    judged, setters = (
        people_of(benchmark, side, groups.make(benchmark, grouping.attributes, side, plan.impostors)) for side in sides
    )
    return judged, setters


def people_of(benchmark: Benchmark, subjects: Sequence[Subject], grouping: Grouping) -> People:
    """Subjects with their samples."""
    names = tuple(subject.subject_id for subject in subjects)
    kept = set(names)
    return People(names, grouping, tuple(sample for sample in benchmark.samples if sample.subject_id in kept))


def model_name(plan: AuditPlan, card: ModelCard) -> str:
    """The model's name in the record: never a path of this machine."""
    kind, colon, _ = plan.model.partition(":")
    return f"{kind}:{card.name}" if colon else kind


def word(found: str | FailureToAcquire) -> str:
    """A file in a digest: its SHA-256, or why it cannot be read."""
    return found if isinstance(found, str) else f"{found.stage}: {found.reason}"


def check_files(samples: Sequence[Sample], files: Mapping[str, str | FailureToAcquire]) -> None:
    """Refuse files that are there and are not what the descriptor says."""
    wrong = [s for s in samples if s.sha256 and isinstance(files[s.sample_id], str) and files[s.sample_id] != s.sha256]
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise DataError(
            f"{wrong[0].path}{more}",
            f"SHA-256 is {str(files[wrong[0].sample_id])[:12]}..., the descriptor says {str(wrong[0].sha256)[:12]}...",
            "Obtain the benchmark again (faceaudit benchmarks obtain), or describe your own version of it",
        )


def acquired(people: People, failures: Mapping[str, FailureToAcquire]) -> Acquired:
    """Samples and failures of every subject.

    Parameters
    ----------
    failures : sample id to why nothing came of it
    """
    place = {subject: index for index, subject in enumerate(people.subjects)}
    size = len(people.subjects)
    samples = np.bincount([place[sample.subject_id] for sample in people.samples], minlength=size)
    reasons: dict[tuple[str, str], np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
    for sample in people.samples:
        failure = failures.get(sample.sample_id)
        if failure is not None:
            row = reasons.setdefault((failure.stage, failure.reason), np.zeros(size, dtype=np.int64))
            row[place[sample.subject_id]] += 1
    return Acquired(sum(reasons.values(), np.zeros(size, dtype=np.int64)), samples, reasons)
