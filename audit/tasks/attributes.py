"""Task attributes: what a model says of gender or age, against the labels of a benchmark, by group.

What the model says of a picture stays in the cache; a record holds sums over people. Errors are those of everyone's
pictures together; pictures that the benchmark tells apart (`expression` neutral and smiling, say) are also measured
apart, without contrasts, since they are the same people again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from audit import assemble, assemble_cells
from audit import record as r
from audit.cell_table import ALONE, GENERALISED
from audit.counted import Counted
from audit.domain import AttributeEstimate, FailureToAcquire, Sample, Template
from audit.errors import NothingMeasured, PlanError
from audit.extract import extract
from audit.groups import Grouping
from audit.inputs import People, Progress
from audit.metrics import ages, by_person
from audit.metrics.ages import AgeOutcomes
from audit.metrics.attributes import Decided, LabelOutcomes, decided
from audit.models import attributes
from audit.models.attributes import AttributeCard
from audit.models.attributes.analyser import Analyser, estimate
from audit.models.guard import Extractor
from audit.plan import AuditPlan, RunOptions
from audit.store import TemplateStore
from audit.tasks import attribute_conditions, attribute_parts, attribute_truth
from audit.tasks.attribute_truth import AgeTruth, LabelTruth, Truth
from audit.tasks.found import Found, keep, record
from audit.tasks.inputs import TaskInputs

MOST_CONDITIONS = 12
"""Values of a condition beyond which pictures are not measured apart: an id of a session is no condition."""
METRICS = ("CER", "OFF", "PASS", "STOP", "NPR")

Outcomes = Mapping[str, AttributeEstimate | FailureToAcquire]


def describe(spec: str, *, data: Sequence[Path], plan: AuditPlan) -> AttributeCard:
    """Make the card of an attribute model; see `audit.models.attributes.describe`.

    Raises
    ------
    PlanError
        If the plan decides how faces are found or cut out, and the model has a way of its own.
    """
    card = attributes.describe(spec, data=data, plan=plan)
    for name in ("detector", "alignment", "margin", "working_size", "smallest_face"):
        if card.preparation and getattr(plan, name) != AuditPlan.model_fields[name].default:
            raise PlanError(
                f"plan: {name}", f"{card.name} finds and cuts out faces in its own way", f"Leave {name} out"
            )
    return card


def choose(plan: AuditPlan, people: People) -> tuple[Sample, ...]:
    """All of the people's samples."""
    del plan
    return people.samples


def measure(
    inputs: TaskInputs[AttributeCard], options: RunOptions, progress: Progress
) -> tuple[r.EvaluationRecord, Counted]:
    """Ask the model about every picture, and make the record and its tables.

    Raises
    ------
    PlanError
        If nothing that the model says can be compared with anything.
    NothingMeasured
        If no picture of anybody whose truth is known was processed.
    """
    plan, card = inputs.plan, inputs.card
    truth = attribute_truth.match(plan, card, inputs.benchmark, inputs.people)
    extraction = extract(
        inputs.samples,
        card,
        lambda: _extractor(card, options),
        TemplateStore(options.cache),
        digests=inputs.files,
        workers=options.workers,
        fresh=options.fresh,
        max_failures=options.max_failures,
        progress=progress,
    )
    said: dict[str, AttributeEstimate | FailureToAcquire] = dict(extraction.failures)
    for vector, index, faces in zip(extraction.templates, extraction.template_index, extraction.faces, strict=True):
        said[inputs.samples[index].sample_id] = estimate(Template(vector, faces), card.says)
    seen = _Seen(inputs, said)
    found = Found(plan, inputs.people.grouping, dict.fromkeys(METRICS, plan.margin_attributes))
    part = _found(found, seen, truth)
    if not any(rate.trials and rate.metric != "NPR" and rate.view == "conditional" for rate in found.rates):
        lost = sum(isinstance(one, FailureToAcquire) for one in said.values())
        raise NothingMeasured(
            inputs.benchmark.name,
            f"{lost} of {len(said)} pictures were not processed, and of the others no truth is known",
            "Look at the pictures and at the labels: faceaudit benchmarks check",
        )
    made = record(
        inputs,
        found,
        {name: one for name, one in said.items() if isinstance(one, FailureToAcquire)},
        noticed=(*_noticed(truth, extraction.unsaved), *seen.too_many()),
        limits=LIMITS,
        several_faces=extraction.several_faces,
        device=options.device,
        timing=extraction.timing,
        attributes=part,
    )
    if plan.covariates:
        weighed = attribute_conditions.part(inputs, said, truth, options, progress)
        made = made.model_copy(update={"conditions": weighed})
    keep(inputs, found, made, options.cache)
    return made, found.tables()


def _extractor(card: AttributeCard, options: RunOptions) -> Extractor:
    model = attributes.load(card, workers=options.workers, device=options.device)
    return model.extractor if isinstance(model, Analyser) else cast("Extractor", model)


LIMITS = (
    "Labels are compared as they stand in the data set: they say how people were described there, not who they are.",
    "What a model says of a face is its word, and never becomes a label of anybody.",
    "A model says one of its own words of every face that it finds, also of people whom none of them fits.",
)


@dataclass(frozen=True, eq=False)
class _Seen:
    """People, their pictures, and what was said of each."""

    inputs: TaskInputs[AttributeCard]
    said: Outcomes

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.inputs.people.subjects)

    def owners(self, condition: Mapping[str, str]) -> list[tuple[int, AttributeEstimate | FailureToAcquire]]:
        """Person and outcome of every picture of a condition."""
        place = {name: k for k, name in enumerate(self.inputs.people.subjects)}
        return [
            (place[sample.subject_id], self.said[sample.sample_id])
            for sample in self.inputs.samples
            if condition.items() <= sample.conditions.items()
        ]

    def labels(self, truth: LabelTruth, condition: Mapping[str, str]) -> LabelOutcomes:
        """What was said of each person's pictures."""
        said = np.zeros((self.people, len(truth.says.labels)), dtype=np.int64)
        lost = np.zeros(self.people, dtype=np.int64)
        for person, one in self.owners(condition):
            if isinstance(one, FailureToAcquire):
                lost[person] += 1
            else:
                said[person, truth.says.labels.index(one.most_probable(truth.says.attribute))] += 1
        return LabelOutcomes(truth.vocabulary, truth.truth, said, lost)

    def ages(self, truth: AgeTruth, condition: Mapping[str, str]) -> AgeOutcomes:
        """Which age was said of each person's pictures; a number that is no number counts as nothing said."""
        owner, years = [], []
        lost = np.zeros(self.people, dtype=np.int64)
        for person, one in self.owners(condition):
            if isinstance(one, FailureToAcquire) or one.age is None or not np.isfinite(one.age):
                lost[person] += 1
            else:
                owner.append(person)
                years.append(one.age)
        return AgeOutcomes(truth.truth, np.array(owner, dtype=np.int64), np.array(years, dtype=np.float64), lost)

    def values(self) -> dict[str, list[str]]:
        """Values of every condition of the pictures, in their order."""
        found: dict[str, dict[str, None]] = {}
        for sample in self.inputs.samples:
            for name, value in sample.conditions.items():
                found.setdefault(name, {})[value] = None
        return {name: list(values) for name, values in found.items()}

    def conditions(self) -> list[dict[str, str]]:
        """Values that tell pictures apart, of every condition that has a few of them."""
        found = self.values()
        return [{name: value} for name in found if 2 <= len(found[name]) <= MOST_CONDITIONS for value in found[name]]

    def too_many(self) -> list[str]:
        """Which conditions have more values than can be set side by side."""
        return [
            f"Pictures are not measured apart by {name}: it has {len(values)} values, more than {MOST_CONDITIONS}."
            for name, values in self.values().items()
            if len(values) > MOST_CONDITIONS
        ]


def _found(found: Found, seen: _Seen, truth: Truth) -> r.AttributesPart:
    """Everything that was said, decision by decision; rates join `found`."""
    plan, own = seen.inputs.plan, seen.inputs.people.grouping
    conditions = [dict[str, str](), *seen.conditions()]
    labels = []
    for one in truth.labels:
        outcomes = [(condition, seen.labels(one, condition)) for condition in conditions]
        for condition, said in outcomes:
            _look(found, decided(said, one.says.attribute), one.grouping, condition)
        labels.append(attribute_parts.labels(one, outcomes, plan))
    years = None
    if truth.ages is not None:
        ages_of = [(condition, seen.ages(truth.ages, condition)) for condition in conditions]
        for condition, known in ages_of:
            for size in plan.age_off:
                _look(found, ages.off(known, size), truth.ages.grouping, condition)
        for decision in _at_the_challenge(ages_of[0][1], plan):
            _look(found, decision, own, {})
        years = attribute_parts.ages(truth.ages, ages_of, plan)
    parts = [_pictures(seen.inputs, condition) for condition in conditions[1:]]
    return r.AttributesPart(labels=labels, ages=years, parts=parts, left_out=dict(truth.left_out))


def _at_the_challenge(said: AgeOutcomes, plan: AuditPlan) -> list[Decided]:
    """Who passes though under a limit, and who is stopped though of age; nobody where the plan has no limits."""
    if not plan.age_limits:
        return []
    passed = [ages.passed(said, limit, plan.challenge_age) for limit in plan.age_limits]
    return [*passed, ages.stopped(said, plan.challenge_age)]


def _look(found: Found, one: Decided, grouping: Grouping, condition: Mapping[str, str]) -> None:
    """Rates in both views; contrasts and spreads of all pictures together alone."""
    name = one.id + "".join(f" ({key}={value})" for key, value in condition.items())
    at = by_person.point(name, one.years, one.set_on)
    plan = found.plan
    if condition:
        found.points.append(assemble.operating_point(at))
        views = {"conditional": one.counted(), "generalised": one.generalised()}
    else:
        found.look(one.counted(), at, grouping)
        # What is kept of people, for `compare`, is of the plan's own groups: the same at every decision.
        own = by_person.measure(one.counted(), found.grouping, at, level=plan.level, min_subjects=plan.min_subjects)
        found.measured[-1] = own
        views = {"generalised": one.generalised()}
    for view, trials in views.items():
        measured = by_person.measure(trials, grouping, at, level=plan.level, min_subjects=plan.min_subjects)
        rates = assemble.measured_rates(measured, grouping)
        found.looks.append(assemble_cells.alone(measured, grouping, ALONE if view == "conditional" else GENERALISED))
        found.rates += [rate.model_copy(update={"view": view}) for rate in rates]


def _pictures(inputs: TaskInputs[AttributeCard], condition: Mapping[str, str]) -> r.PicturesPart:
    (name, value), *_ = condition.items()
    mine = [sample for sample in inputs.samples if sample.conditions.get(name) == value]
    people = len({sample.subject_id for sample in mine})
    return r.PicturesPart(condition=name, value=value, pictures=len(mine), people=people)


def _noticed(truth: Truth, unsaved: int) -> list[str]:
    """What a reader must know before the numbers."""
    made = [f"What the model says of {name} is compared with nothing: {why}." for name, why in truth.left_out.items()]
    for one in truth.labels:
        name = one.attribute.name
        if one.vocabulary.unsayable:
            words = ", ".join(one.vocabulary.unsayable)
            made.append(
                f"The model has no word for {name} {words}: these pictures count as not processed, and as errors where "
                "those are counted."
            )
        if one.vocabulary.foreign:
            made.append(f"The model also says {', '.join(one.vocabulary.foreign)}, which nobody's {name} is here.")
        if one.attribute.provenance == "derived-by-model":
            made.append(f"The benchmark's {name} was itself said by a model: errors are disagreements of two models.")
    judged: list[LabelTruth | AgeTruth] = [*truth.labels, *([truth.ages] if truth.ages else [])]
    for part in judged:
        made += [
            f"{'1 person is' if people == 1 else f'{people} people are'} not judged by {part.attribute.name}: {why}."
            for why, people in part.without.items()
        ]
    if unsaved:
        made.append(f"{unsaved} outcomes could not be kept in the cache: another run computes them again.")
    return made
