"""What an attribute model says, matched with what a benchmark's labels say, before an image is decoded."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from audit import groups
from audit.compare.counts import Floats, Ints
from audit.domain import Attribute, Benchmark, Subject
from audit.errors import PlanError
from audit.groups import Grouping
from audit.inputs import People
from audit.metrics import ages, attributes
from audit.metrics.attributes import Vocabulary
from audit.models.attributes.card import AttributeCard, Says
from audit.plan import AuditPlan


@dataclass(frozen=True, eq=False)
class LabelTruth:
    """An attribute of labels: what the model says, and each person's true label (`audit.metrics.attributes`)."""

    says: Says
    attribute: Attribute
    vocabulary: Vocabulary
    truth: Ints
    without: Mapping[str, int]
    grouping: Grouping
    """The plan's groups, with the true labels beside them."""


@dataclass(frozen=True, eq=False)
class AgeTruth:
    """Age in years: what the model says, and each person's true age (`audit.metrics.ages`)."""

    says: Says
    attribute: Attribute
    truth: Floats
    without: Mapping[str, int]
    grouping: Grouping
    """The plan's groups, with bands of true age beside them."""
    edges: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Truth:
    """All that a model says, and what of it is compared with something."""

    labels: tuple[LabelTruth, ...] = ()
    ages: AgeTruth | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


def match(plan: AuditPlan, card: AttributeCard, benchmark: Benchmark, people: People) -> Truth:
    """Match everything that a model says with the benchmark's attributes.

    Parameters
    ----------
    people : whose pictures are looked at, with the plan's groups

    Raises
    ------
    PlanError
        If the plan names what is not there, or nothing that the model says can be compared with anything.
    """
    said = {one.attribute: one for one in card.says}
    _known("compared_with", plan.compared_with, said, f"{card.name} does not say it; it says")
    every = [label for one in card.says for label in one.labels]
    _known("label_words", plan.label_words, every, "no label of the model; it has")
    for name in plan.compared_with.values():
        _known(
            "compared_with",
            [name],
            benchmark.attributes,
            f"the benchmark {benchmark.name!r} has no such attribute; it has",
        )
    everyone = {subject.subject_id: subject for subject in benchmark.subjects}
    subjects = [everyone[name] for name in people.subjects]
    labels, years = [], None
    left: dict[str, str] = {}
    for one in card.says:
        attribute = benchmark.attributes.get(plan.compared_with.get(one.attribute, one.attribute))
        if attribute is None:
            left[one.attribute] = f"the benchmark {benchmark.name!r} has no attribute {one.attribute!r}"
        elif one.labels:
            found = _labels(
                one, attribute, plan, subjects, beside(people.grouping, benchmark, subjects, attribute.name)
            )
            if isinstance(found, str):
                left[one.attribute] = found
            else:
                labels.append(found)
        elif attribute.kind != "numeric":
            left[one.attribute] = f"{attribute.name} of {benchmark.name!r} is words, not a number of years"
        else:
            truth, without = ages.true_ages(subjects, attribute)
            if len(subjects) == sum(without.values()):
                left[one.attribute] = f"nobody of {benchmark.name!r} has an {attribute.name} in years"
            else:
                banded, edges = _banded(attribute, plan, benchmark, subjects, people.grouping)
                years = AgeTruth(one, attribute, truth, without, banded, edges)
    if not labels and years is None:
        why = "; ".join(f"{name}: {reason}" for name, reason in left.items())
        raise PlanError(
            f"task {plan.task}",
            f"nothing that {card.name} says can be compared: {why}",
            "Say in the plan what is what: compared_with (attribute of the model to one of "
            f"{', '.join(benchmark.attributes)}) and label_words (label of the model to the benchmark's word)",
        )
    return Truth(tuple(labels), years, left)


def _known(setting: str, names: Iterable[str], known: Collection[str], what: str) -> None:
    """Refuse names that are not known, with the nearest one that is."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else ""
            raise PlanError(f"plan: {setting}", f"{name!r}: {what} {', '.join(known)}".rstrip(), hint)


def _labels(
    one: Says, attribute: Attribute, plan: AuditPlan, subjects: Sequence[Subject], grouping: Grouping
) -> LabelTruth | str:
    """The true labels, or why the model's are compared with nothing."""
    if attribute.kind == "numeric":
        return f"{attribute.name} is a number, and the model says words"
    values, truth, without = attributes.true_labels(subjects, attribute)
    words = {**one.words, **plan.label_words}
    try:
        vocabulary = attributes.vocabulary(values, one.labels, words)
    except ValueError as error:
        raise PlanError("plan: label_words", str(error), "Give each label of the model a word of its own") from None
    if set(vocabulary.unsayable) == set(values):
        there = ", ".join(values) or "none"
        return f"no label is the same ({', '.join(vocabulary.words)}; true labels of {attribute.name}: {there})"
    return LabelTruth(one, attribute, vocabulary, truth, without, grouping)


def beside(own: Grouping, benchmark: Benchmark, subjects: Sequence[Subject], name: str) -> Grouping:
    """Groups of an attribute beside the plan's own: alone, and with each single attribute of the plan.

    Intersections of three that nobody asked for are left out.
    """
    if name in own.attributes:
        return groups.make(benchmark, own.attributes, subjects)
    whole = groups.make(benchmark, (*own.attributes, name), subjects)
    kept = [k for k, group in enumerate(whole.groups) if name not in group.attributes or len(group.items) <= 2]
    return replace(whole, groups=tuple(whole.groups[k] for k in kept), member=whole.member[kept])


def _banded(
    age: Attribute, plan: AuditPlan, benchmark: Benchmark, subjects: Sequence[Subject], own: Grouping
) -> tuple[Grouping, tuple[float, ...]]:
    """Groups of true age beside the others: by the plan's bands, else by the descriptor's; none: the others alone."""
    edges = plan.age_bands or age.edges
    if not edges:
        return own, ()
    banded = replace(benchmark, attributes={**benchmark.attributes, age.name: replace(age, edges=edges)})
    return beside(own, banded, subjects, age.name), edges
