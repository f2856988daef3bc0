"""Detections to counts: what is true of each picture, and misses and false detections of every person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Floats, Ints
from audit.degradations import Condition
from audit.domain import Detections, FailureToAcquire, Sample
from audit.inputs import People
from audit.metrics.detection import Truth, match
from audit.plan import AuditPlan
from audit.tasks.detection.look import Seen


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of every condition (rows) and person (columns).

    Parameters
    ----------
    misses, pictures : faces that were not found, out of how many; a picture shows one
    false_pictures, false : pictures with a false detection; false detections
    error_sums, error_counts : of landmarks, of the faces that were found where landmarks are marked and given
    truths : pictures by how their face is known
    broken : outcomes in which the detector failed (a miss), or gave what is no number (no detection), by reason
    several : pictures as they were taken with more than one detection
    """

    conditions: Sequence[Condition]
    misses: Ints
    pictures: Ints
    false_pictures: Ints
    false: Ints
    error_sums: Floats
    error_counts: Ints
    truths: Mapping[str, int]
    broken: Mapping[str, int]
    several: int

    def rows(self, degradation: str | None) -> NDArray[np.int64]:
        """Rows of a degradation, or of all of them; without the pictures as they were taken."""
        return np.array(
            [
                row for row, one in enumerate(self.conditions)
                if one.severity and degradation in {None, one.degradation}
            ],
            dtype=np.int64,
        )  # fmt: skip


def truth_of(sample: Sample, plan: AuditPlan) -> Truth:
    """Where the face of a sample is, as far as the plan takes what is marked."""
    if plan.truth != "present":
        if sample.box is not None:
            return Truth("box", sample.box, sample.points)
        if sample.points is not None:
            return Truth("landmarks", None, sample.points)
        if plan.truth == "marked":
            return Truth("none")
    return Truth("present")


def count(people: People, seen: Seen, conditions: Sequence[Condition], plan: AuditPlan, confidence: float) -> Counts:
    """Match every picture that a detector was shown with its face."""
    place = {subject: index for index, subject in enumerate(people.subjects)}
    shape = (len(conditions), len(people.subjects))
    misses, pictures, false_pictures, false, counted = (np.zeros(shape, dtype=np.int64) for _ in range(5))
    sums = np.zeros(shape)
    truths: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    several = 0
    for sample in people.samples:
        if sample.sample_id in seen.failures:
            continue
        truth, who = truth_of(sample, plan), place[sample.subject_id]
        truths[truth.kind] += 1
        if truth.kind == "none":
            continue
        for row, condition in enumerate(conditions):
            outcome = seen.outcomes[sample.sample_id, condition.id]
            pictures[row, who] += 1
            if isinstance(outcome, FailureToAcquire):
                broken[outcome.reason] += 1
                misses[row, who] += 1
                continue
            if not _numbers(outcome):
                broken["the detector gave what is no number"] += 1
            found = match(outcome, truth, confidence=confidence, iou=plan.iou)
            misses[row, who] += not found.found
            false_pictures[row, who] += found.false > 0
            false[row, who] += found.false
            several += found.kept > 1 and not condition.severity
            if found.landmark_error is not None:
                sums[row, who] += found.landmark_error
                counted[row, who] += 1
    return Counts(
        conditions, misses, pictures, false_pictures, false, sums, counted, dict(truths), dict(broken), several
    )


def _numbers(found: Detections) -> bool:
    return bool(np.isfinite(found.boxes).all())
