"""Capture conditions beside what an attribute model said: errors of single pictures, one person each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from audit import assemble_conditions, captured
from audit import record as r
from audit.compare.counts import Floats, Ints
from audit.domain import AttributeEstimate, FailureToAcquire, Sample
from audit.inputs import Progress
from audit.metrics.attributes import NO_TRUTH, NO_WORD
from audit.plan import RunOptions
from audit.tasks.attribute_truth import AgeTruth, LabelTruth, Truth
from audit.tasks.inputs import TaskInputs

Outcomes = Mapping[str, AttributeEstimate | FailureToAcquire]


def part(
    inputs: TaskInputs[Any], said: Outcomes, truth: Truth, options: RunOptions, progress: Progress
) -> r.Conditions:
    """Measure every picture, and weigh the gaps of every decision."""
    place = {name: k for k, name in enumerate(inputs.people.subjects)}
    subject = np.array([place[sample.subject_id] for sample in inputs.samples], dtype=np.int64)
    found = captured.measure(inputs.samples, inputs.files, inputs.plan, replace(options, progress=progress))
    wrong = errors(inputs.samples, subject, said, truth, inputs.plan.age_off)
    return assemble_conditions.of_samples(found, wrong, subject, inputs.people.grouping, inputs.plan)


def errors(
    samples: Sequence[Sample], subject: Ints, said: Outcomes, truth: Truth, age_off: Sequence[float]
) -> dict[str, Floats]:
    """For every decision 1, 0, or NaN for each picture: not processed, or no truth that the model could say."""
    outcomes = [said[sample.sample_id] for sample in samples]
    made = {f"{one.attribute.name} wrong": _labels(outcomes, subject, one) for one in truth.labels}
    if truth.ages is not None:
        for size in age_off:
            made[f"age off by more than {size:g} years"] = _years(outcomes, subject, truth.ages, size)
    return made


def _labels(outcomes: Sequence[AttributeEstimate | FailureToAcquire], subject: Ints, one: LabelTruth) -> Floats:
    words = one.vocabulary.word_of()
    found = np.full(len(outcomes), np.nan)
    for k, outcome in enumerate(outcomes):
        true = int(one.truth[subject[k]])
        if isinstance(outcome, FailureToAcquire) or true == NO_TRUTH or words[true] == NO_WORD:
            continue
        found[k] = one.says.labels.index(outcome.most_probable(one.says.attribute)) != words[true]
    return found


def _years(
    outcomes: Sequence[AttributeEstimate | FailureToAcquire], subject: Ints, ages: AgeTruth, size: float
) -> Floats:
    found = np.full(len(outcomes), np.nan)
    for k, outcome in enumerate(outcomes):
        true = float(ages.truth[subject[k]])
        if isinstance(outcome, FailureToAcquire) or outcome.age is None or not np.isfinite([outcome.age, true]).all():
            continue
        found[k] = abs(outcome.age - true) > size
    return found
