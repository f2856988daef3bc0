"""Face detection: is the face found, and for whom is it not; in pictures as they were taken, and made worse in steps.

The plan declares what counts: from which confidence on something is a detection (`confidence`), how much of it has to
lie on the face (`iou`), where the face is (`truth`), and how pictures are made worse (`degradations`, `severities`).
Errors are counted at several settings: pictures as they were taken, each degradation over all its severities, and all
of them together ("degraded"), each of which counts alike.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audit.compare.counts import Ints
from audit.counted import Counted
from audit.degradations import conditions
from audit.domain import Sample
from audit.errors import NothingMeasured, PlanError
from audit.inputs import People, Progress
from audit.metrics import by_person
from audit.models import detection
from audit.models.detection import FaceDetectorCard
from audit.plan import AuditPlan, RunOptions
from audit.record import EvaluationRecord
from audit.store import TemplateStore
from audit.tasks import found
from audit.tasks.detection import part
from audit.tasks.detection.count import Counts, count
from audit.tasks.detection.look import Job, look
from audit.tasks.inputs import TaskInputs

AS_TAKEN, DEGRADED = "as-taken", "degraded"
"""Ids of settings: pictures as they were taken, and all that were made worse."""


def describe(spec: str, *, data: Sequence[Path], plan: AuditPlan) -> FaceDetectorCard:
    """Make the card of a detector; refuses a confidence below those that it reports.

    Raises
    ------
    ModelError
        As `audit.models.detection.describe`.
    PlanError
        For a confidence below the detector's lowest.
    """
    card = detection.describe(spec, data=data, plan=plan)
    if plan.confidence is not None and plan.confidence < card.lowest:
        raise PlanError(
            "plan: confidence",
            f"found {plan.confidence:g}, and {card.name} reports nothing below {card.lowest:g}",
            f"Take {card.lowest:g} or more ({card.meaning})",
        )
    return card


def choose(plan: AuditPlan, people: People) -> tuple[Sample, ...]:
    """All samples, or as many as the plan draws: one of every person in a random order, then a second of each, ...

    Raises
    ------
    NothingMeasured
        If the plan takes only pictures with a mark, and there is none.
    """
    if plan.truth == "marked" and not any(sample.box or sample.points for sample in people.samples):
        raise NothingMeasured("truth marked", "no picture has a marked face", 'Take truth = "best" or "present"')
    if plan.images is None or plan.images >= len(people.samples):
        return people.samples
    rng = np.random.default_rng([plan.seed, 2])
    turn: dict[str, int] = {}
    ranked: list[tuple[int, int, int]] = []
    for index in rng.permutation(len(people.samples)).tolist():
        owner = people.samples[index].subject_id
        turn[owner] = turn.get(owner, 0) + 1
        ranked.append((turn[owner], len(ranked), index))
    kept = sorted(index for _, _, index in sorted(ranked)[: plan.images])
    return tuple(people.samples[index] for index in kept)


def job(inputs: TaskInputs[FaceDetectorCard]) -> Job:
    """What one detector is to see."""
    plan = inputs.plan
    return Job(inputs.card, inputs.samples, conditions(plan.degradations, plan.severities), plan.seed)


def ahead(several: Sequence[TaskInputs[FaceDetectorCard]], options: RunOptions, progress: Progress) -> None:
    """Show pictures to several detectors at once, so that each is decoded and made worse once; into the store."""
    files = {name: digest for one in several for name, digest in one.files.items()}
    look(
        [job(one) for one in several],
        files,
        TemplateStore(options.cache),
        workers=options.workers,
        fresh=options.fresh,
        max_failures=options.max_failures,
        progress=progress,
    )


def measure(
    inputs: TaskInputs[FaceDetectorCard], options: RunOptions, progress: Progress
) -> tuple[EvaluationRecord, Counted]:
    """Show every picture to the detector under every condition, and make the record and its tables.

    Raises
    ------
    NothingMeasured
        If no picture could be shown to it.
    """
    began = time.perf_counter()
    work, plan, grouping = job(inputs), inputs.plan, inputs.people.grouping
    (seen,) = look(
        [work],
        inputs.files,
        TemplateStore(options.cache),
        workers=options.workers,
        fresh=options.fresh,
        max_failures=options.max_failures,
        progress=progress,
    )
    looked = time.perf_counter()
    confidence = inputs.card.confidence if plan.confidence is None else plan.confidence
    counts = count(inputs.people, seen, work.conditions, plan, confidence)
    if not counts.pictures.any():
        said = f"none of {len(inputs.samples)} pictures could be shown to {inputs.card.name}"
        raise NothingMeasured(inputs.benchmark.name, said, "Look at the images: faceaudit benchmarks check")
    shown = found.Found(plan, grouping, {"MISS": plan.margin_fnmr, "FDET": plan.margin_fnmr, "FTA": plan.margin_fnmr})
    _look(shown, counts, plan, confidence)
    missed = part.measured(counts, grouping, plan)
    noticed = list(_noticed(counts, plan, seen.unsaved))
    timing = {"extraction": looked - began, "measurement": time.perf_counter() - looked}
    record = found.record(
        inputs,
        shown,
        seen.failures,
        noticed=noticed,
        limits=_limits(counts, plan),
        several_faces=counts.several,
        timing=timing,
        detection=part.part(counts, grouping, plan, inputs.card, confidence, missed),
    )
    shown.looks += part.looks(missed, grouping)
    found.keep(inputs, shown, record, options.cache)
    return record, shown.tables()


def _look(shown: found.Found, counts: Counts, plan: AuditPlan, confidence: float) -> None:
    """Misses at every setting; false detections as taken and over all that was made worse."""
    said = "confidence declared in the plan" if plan.confidence is not None else "confidence of the detector's card"

    def trials(rows: Any, *, false: bool) -> by_person.Trials:
        pictures: Ints = counts.pictures[rows].sum(axis=0)
        made: dict[Any, tuple[Ints, Ints]] = {"MISS": (counts.misses[rows].sum(axis=0), pictures)}
        if false:
            made["FDET"] = (counts.false_pictures[rows].sum(axis=0), pictures)
        return made

    at = by_person.point(AS_TAKEN, confidence, f"{said}; pictures as they were taken")
    shown.look(trials([0], false=True), at)
    for name in plan.degradations:
        where = f"{said}; pictures made worse by {name}, severities {_list(plan.severities)} alike"
        shown.look(trials(counts.rows(name), false=False), by_person.point(name, confidence, where))
    if plan.degradations:
        where = f"{said}; all pictures made worse alike: {', '.join(plan.degradations)}"
        shown.look(trials(counts.rows(None), false=True), by_person.point(DEGRADED, confidence, where))


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _noticed(counts: Counts, plan: AuditPlan, unsaved: int) -> list[str]:
    known = sum(counts.truths.values())
    made = []
    if counts.truths.get("none"):
        made.append(f"{counts.truths['none']} of {known} pictures have no marked face; they were left out.")
    if counts.truths.get("present") and plan.truth != "present":
        made.append(
            f"In {counts.truths['present']} of {known} pictures no face is marked: there any detection counts as the "
            "face, wherever it lies."
        )
    made += [f"{number} times, {reason}." for reason, number in sorted(counts.broken.items())]
    if unsaved:
        made.append(f"{unsaved} outcomes could not be kept in the cache: another run computes them again.")
    if plan.images is not None:
        made.append(f"{known} pictures were drawn (seed {plan.seed}); the others were not looked at.")
    return made


def _limits(counts: Counts, plan: AuditPlan) -> list[str]:
    made = ["Every picture of this benchmark shows a face: what a detector does where nobody is, is not measured."]
    if counts.truths.get("box"):
        made.append(
            f"A box counts as the face from an overlap of {plan.iou:g} on. Boxes of detectors and of benchmarks are "
            "drawn round different parts of a head: a stricter rule would count habits of drawing as misses."
        )
    if plan.degradations:
        made.append(
            "Pictures were made worse by computation, one way at a time; cameras do several things at once. Brightness "
            "stands for too little light alone."
        )
    return made
