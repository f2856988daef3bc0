"""What a task without comparisons knows before an image is decoded: gates passed, people grouped, files digested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from audit import benchmarks, captured, groups, provenance
from audit.domain import Benchmark, FailureToAcquire, Sample
from audit.errors import PlanError
from audit.extract import hash_samples
from audit.groups import Grouping
from audit.inputs import People, Progress, check_files, enter, grouped, people_of, seen, word
from audit.plan import AuditPlan, RunOptions
from audit.record import Digests

if TYPE_CHECKING:
    from audit.models.card import Paper

COMPARING = (
    "fmr", "thresholds", "label_noise", "experimental", "impostors", "calibration", "similarity", "storage",
    "sample_nonmated", "precision", "bootstrap", "scenario",
)  # fmt: skip
"""Settings about comparisons: a plan that decides one of them asks for what these tasks do not have."""


class TaskCard(Protocol):
    """What a record says of a model, of whatever kind."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def revision(self) -> str:
        """Which version of it."""
        ...

    @property
    def weights_sha256(self) -> str:
        """Digest of the weights."""
        ...

    @property
    def digest_source(self) -> str:
        """Who says so."""
        ...

    @property
    def self_declared(self) -> bool:
        """Whether all of it is the user's own word."""
        ...

    @property
    def licence(self) -> str:
        """Of the code."""
        ...

    @property
    def weights_licence(self) -> str:
        """Of the weights, where it is stated."""
        ...

    @property
    def research_only(self) -> bool:
        """Whether the weights may be used for research alone."""
        ...

    @property
    def training_sets(self) -> tuple[str, ...]:
        """Names of the data sets that it was trained on."""
        ...

    @property
    def training_data(self) -> str:
        """The same in words."""
        ...

    @property
    def training_consent(self) -> str:
        """What is known of the people's consent."""
        ...

    @property
    def source(self) -> str:
        """Where it is from."""
        ...

    @property
    def paper(self) -> Paper | None:
        """Where it is described."""
        ...

    @property
    def preprocessing(self) -> str:
        """Id of everything between the file and the network."""
        ...

    @property
    def preprocessing_text(self) -> str:
        """The same in words."""
        ...

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """All of it that may be published."""
        ...


Card = TypeVar("Card", bound=TaskCard)


@dataclass(frozen=True, eq=False)
class TaskInputs(Generic[Card]):
    """All that a run of such a task rests on."""

    plan: AuditPlan
    benchmark: Benchmark
    card: Card
    people: People
    files: Mapping[str, str | FailureToAcquire]
    digests: Digests

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Every sample that is looked at."""
        return self.people.samples


class Knows(Protocol):
    """What a task has to know before an image is decoded."""

    def describe(self, spec: str, *, data: Sequence[Path], plan: AuditPlan) -> Any:
        """Make the card of the model that a plan names, a `TaskCard`; no image is read.

        Raises
        ------
        AuditError
            If there is none, or the plan asks for what the task does not know.
        """
        ...

    def choose(self, plan: AuditPlan, people: People) -> tuple[Sample, ...]:
        """Which of the people's samples are looked at."""
        ...


def admit(plan: AuditPlan, options: RunOptions, task: Knows) -> tuple[Benchmark, Any, Grouping]:
    """Pass the gates: output folder, consent, the model's card and weights, groups. No image is read.

    Raises
    ------
    AuditError
        Whatever would stop the run before its first image.
    """
    refuse_comparing(plan)
    _require_measures(plan)
    if options.cluster:
        raise PlanError("--workers", f"task {plan.task} runs on this machine alone", "Take a number of workers")
    benchmark = enter(plan, options)
    card = task.describe(plan.model, data=benchmarks.data_entries(options.data), plan=plan)
    benchmark, grouping = grouped(benchmark, plan, options)
    return benchmark, card, grouping


def refuse_comparing(plan: AuditPlan) -> None:
    """Refuse a plan that decides something about comparisons.

    Raises
    ------
    PlanError
        Naming the setting.
    """
    for name in COMPARING:
        if getattr(plan, name) != AuditPlan.model_fields[name].get_default(call_default_factory=True):
            raise PlanError(f"plan: {name}", f"task {plan.task} compares nobody with anybody", f"Leave {name} out")


def _require_measures(plan: AuditPlan) -> None:
    """Refuse covariates where what is measured is what was found, and measures that are not installed."""
    if plan.covariates and plan.task == "detection":
        raise PlanError(
            "plan: covariates",
            "conditions are measured on faces that a detector finds, and what detection misses has none",
            "Leave covariates out: degradations say what blur or darkness does to a detector",
        )
    captured.require(plan)


def prepare(plan: AuditPlan, options: RunOptions, progress: Progress, task: Knows) -> TaskInputs[Any]:
    """Everything that is known before an image is decoded, digests included."""
    benchmark, card, grouping = admit(plan, options, task)
    people = people_of(benchmark, seen(benchmark, plan), grouping)
    people = _with(benchmark, people, task.choose(plan, people))
    files = hash_samples(people.samples, workers=options.workers, progress=progress)
    check_files(people.samples, files)
    kind, colon, _ = plan.model.partition(":")
    model = f"{kind}:{card.name}" if colon else kind  # never a path of this machine
    shown = plan.model_copy(update={"benchmark": benchmark.name, "model": model, "by": grouping.attributes})
    digests = Digests(
        benchmark=benchmark.digest,
        samples=provenance.samples_digest(
            benchmark, people.samples, {name: word(found) for name, found in files.items()}
        ),
        weights=card.weights_sha256,
        plan=shown.digest(),
        code=provenance.code_digest(),
    )
    return TaskInputs(shown, benchmark, card, people, files, digests)


def _with(benchmark: Benchmark, people: People, samples: tuple[Sample, ...]) -> People:
    """Some of the samples, with the people who have one."""
    if len(samples) == len(people.samples):
        return people
    owners = {sample.subject_id for sample in samples}
    subjects = tuple(subject for subject in benchmark.subjects if subject.subject_id in owners)
    made = people_of(benchmark, subjects, groups.make(benchmark, people.grouping.attributes, subjects, ()))
    return People(made.subjects, made.grouping, samples)
