"""Counts to the record's part on detection: cells, errors of landmarks, odds ratios and interactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit import assemble, assemble_cells
from audit import record as r
from audit.cell_table import CONDITION
from audit.counted import Look
from audit.degradations import DEGRADATIONS, NAMES
from audit.domain import Interval
from audit.groups import Grouping
from audit.metrics import by_person, odds
from audit.metrics.disparities import reference_of
from audit.metrics.evaluation import Measured
from audit.models.detection import FaceDetectorCard
from audit.plan import AuditPlan
from audit.stats.means import clustered_mean
from audit.stats.multiplicity import holm
from audit.tasks.detection.count import Counts

FEW = "rests on fewer than {} people"


def part(
    counts: Counts,
    grouping: Grouping,
    plan: AuditPlan,
    card: FaceDetectorCard,
    confidence: float,
    missed: Sequence[Measured],
) -> r.DetectionPart:
    """Everything that only detection has; `missed` is what `measured` gives."""
    truths = {kind: counts.truths.get(kind, 0) for kind in ("box", "landmarks", "present", "none")}
    odds_ratios, interactions = _odds(counts, grouping, plan)
    return r.DetectionPart(
        confidence=confidence,
        confidence_meaning=card.meaning,
        box=card.box,
        iou=plan.iou,
        truth=r.TruthPart(**truths),
        working_size=plan.working_size,
        images_drawn=plan.images,
        degradations=[
            r.DegradationPart(
                name=name,
                words=DEGRADATIONS[name].words,
                parameter=DEGRADATIONS[name].parameter,
                severities=list(plan.severities),
                values=[DEGRADATIONS[name].value(severity) for severity in plan.severities],
            )
            for name in plan.degradations
        ],
        cells=list(_cells(counts, grouping, missed)),
        landmarks=list(_landmarks(counts, grouping, plan)) if counts.error_counts.any() else [],
        odds=odds_ratios,
        interactions=interactions,
        broken=dict(counts.broken),
    )


def measured(counts: Counts, grouping: Grouping, plan: AuditPlan) -> list[Measured]:
    """Misses under every condition."""
    return [
        by_person.measure(
            {"MISS": (counts.misses[row], counts.pictures[row])}, grouping, by_person.point(condition.id, None, ""),
            level=plan.level, min_subjects=plan.min_subjects,
        )
        for row, condition in enumerate(counts.conditions)
    ]  # fmt: skip


def looks(missed: Sequence[Measured], grouping: Grouping) -> Iterator[Look]:
    """Misses under every condition, for the tables beside the record."""
    return (assemble_cells.alone(one, grouping, CONDITION) for one in missed)


def _cells(counts: Counts, grouping: Grouping, missed: Sequence[Measured]) -> Iterator[r.DetectionCell]:
    inside = grouping.member[:, grouping.atom_of].astype(np.int64)
    for row, (condition, one) in enumerate(zip(counts.conditions, missed, strict=True)):
        false, pictures = inside @ counts.false[row], inside @ counts.false_pictures[row]
        for k, rate in enumerate(assemble.measured_rates(one, grouping)):
            hidden = rate.value is None
            yield r.DetectionCell(
                group=rate.group,
                degradation=condition.degradation,
                severity=condition.severity,
                misses=rate.errors,
                pictures=rate.trials,
                subjects=rate.subjects,
                value=rate.value,
                interval=rate.interval,
                upper_bound=rate.upper_bound,
                support=rate.support,
                false_detections=None if hidden else int(false[k]),
                false_pictures=None if hidden else int(pictures[k]),
                reason=rate.reason,
            )


def _landmarks(counts: Counts, grouping: Grouping, plan: AuditPlan) -> Iterator[r.LandmarkPart]:
    inside = grouping.member[:, grouping.atom_of]
    for row, condition in enumerate(counts.conditions):
        for group, mine in zip(grouping.groups, inside, strict=True):
            sums, faces = counts.error_sums[row][mine], counts.error_counts[row][mine]
            people = int((faces > 0).sum())
            found = clustered_mean(sums, faces, plan.level) if people >= plan.min_subjects else None
            yield r.LandmarkPart(
                group=group.as_dict(),
                degradation=condition.degradation,
                severity=condition.severity,
                faces=int(faces.sum()),
                subjects=people,
                mean=None if found is None else found.mean,
                interval=found
                and r.IntervalPart(
                    low=max(found.low, 0.0), high=found.high, level=plan.level, method="mean by person, Student's t"
                ),
                reason=None if found is not None else FEW.format(plan.min_subjects),
            )


def _odds(counts: Counts, grouping: Grouping, plan: AuditPlan) -> tuple[list[r.OddsPart], list[r.InteractionPart]]:
    ratios: list[r.OddsPart] = []
    interactions: list[r.InteractionPart] = []
    names = [name for name in NAMES if name in plan.degradations]
    for attributes, family in grouping.families().items():
        if len(family) < 2 or not names:
            continue
        reference = family.index(reference_of(grouping, attributes, plan.reference))
        made = []
        for name in names:
            rows = [0, *counts.rows(name).tolist()]
            trials = odds.Trials(
                counts.misses[rows],
                counts.pictures[rows],
                [counts.conditions[row].severity for row in rows],
                grouping.member[family][:, grouping.atom_of],
            )
            found, interaction = odds.compare(trials, reference, plan.level)
            against = grouping.groups[family[reference]].as_dict()
            ratios += [
                r.OddsPart(
                    group=grouping.groups[family[one.group]].as_dict(),
                    against=against,
                    degradation=name,
                    ratio=one.ratio,
                    interval=_interval(one.interval),
                    p=one.p,
                    reason=one.reason,
                )
                for one in found
            ]
            made.append(
                r.InteractionPart(
                    attributes=list(attributes),
                    degradation=name,
                    against=against,
                    freedom=interaction.freedom,
                    p=interaction.p,
                    p_adjusted=None,
                    steps=[
                        r.StepPart(group=grouping.groups[family[k]].as_dict(), ratio=ratio, interval=_some(interval))
                        for k, (ratio, interval) in zip(interaction.groups, interaction.steps, strict=False)
                    ],
                    reason=interaction.reason,
                )
            )
        interactions += _adjusted(made)
    return ratios, interactions


def _adjusted(made: list[r.InteractionPart]) -> list[r.InteractionPart]:
    """Holm's p-values over the degradations of a family."""
    tested = [one.p for one in made if one.p is not None]
    stepped = iter(holm(tested).tolist() if tested else ())
    return [one if one.p is None else one.model_copy(update={"p_adjusted": next(stepped)}) for one in made]


def _interval(found: Interval | None) -> r.IntervalPart | None:
    return assemble.interval(found)


def _some(found: Interval) -> r.IntervalPart:
    return r.IntervalPart(low=found.low, high=min(found.high, 1e300), level=found.level, method=found.method)
