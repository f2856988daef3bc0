"""What stands beside the rates: score shifts, label noise and smooth curves, measured and put into parts of the record.

Two further passes over the comparisons at most: one at the tail quantiles, which are known only after the scores, and
one by pair of subjects, where labels may be wrong or people carry a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit import record as r
from audit.assemble import interval
from audit.compare import Comparisons, by_subject
from audit.compare.counts import Floats, OperatingCounts, ScoreCounts
from audit.domain import Benchmark, DemographicGroup, Provenance, Threshold
from audit.groups import Grouping
from audit.metrics import covariates, label_noise, score_shift
from audit.plan import AuditPlan

BY_OTHERS: frozenset[Provenance] = frozenset({"annotated", "measured", "derived-by-model", "undocumented"})
"""Provenances of labels that are reckoned to be wrong at times, unless the plan says otherwise."""
SHARES = (0.05, 0.1, 0.2)
"""Shares of wrong labels, unless the plan says otherwise."""
TOO_MANY = f"more than {by_subject.MOST_ROWS:,} pairs of people have errors: too many to hold"


@dataclass(frozen=True, slots=True)
class Beside:
    """Optional lists of the record."""

    score_shifts: list[r.ScoreShift]
    label_noise: list[r.LabelNoise]
    annotators: list[r.AnnotatorRatio]
    curves: list[r.Curve]


def beside(
    comparisons: Comparisons,
    judged: Comparisons,
    scores: ScoreCounts,
    counts: OperatingCounts,
    grouping: Grouping,
    placed: Sequence[Threshold],
    differentials: Sequence[r.Differential],
    plan: AuditPlan,
    benchmark: Benchmark,
    subjects: Sequence[str],
) -> Beside:
    """Measure what stands beside the rates.

    Parameters
    ----------
    judged : the comparisons as the operating points `placed` decide on them; the same, unless these are set by fold
    counts : errors at the operating points
    differentials : those measured: they know which groups enter a spread
    subjects : ids of the subjects, in the order of `grouping.atom_of`
    """
    shifts = _shifts(comparisons, scores, grouping, plan)
    noisy = [
        name for name in grouping.attributes
        if (plan.label_noise or benchmark.attributes[name].provenance in BY_OTHERS)
        and len(grouping.families().get((name,), ())) > 1
    ]  # fmt: skip
    several = [
        name for name in grouping.attributes
        if benchmark.attributes[name].annotators and len(grouping.families().get((name,), ())) > 1
    ]  # fmt: skip
    smooth = [name for name, attribute in benchmark.attributes.items() if attribute.kind == "numeric"]
    if not noisy and not smooth and not several:
        return Beside(shifts, [], [], [])
    points = [point for point in placed if point.policy != "per-group" and point.value is not None]
    thresholds = np.unique([point.value for point in points])
    people = {subject.subject_id: subject for subject in benchmark.subjects}
    values = [covariates.numbers([people[name] for name in subjects], attribute) for attribute in smooth]
    everybody = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
    allowed = everybody if grouping.allowed is None else grouping.allowed
    bins = [covariates.bins(own) for own in values]
    pairs, sums = by_subject.collect(judged, thresholds, grouping.atom_of, allowed, scores.grid, bins)
    curves = [
        _curve(curve, benchmark)
        for name, own, summed in zip(smooth, values, sums, strict=True)
        for curve in _curves(name, own, points, pairs, summed, counts, plan.level)
    ]
    found = [
        row for name in noisy for row in _noise(name, points, pairs, counts, grouping, differentials, plan, benchmark)
    ]
    said = [
        row
        for name in several
        for row in _annotators(name, points, pairs, counts, grouping, differentials, plan, benchmark, subjects)
    ]
    return Beside(shifts, found, said, curves)


def _shifts(comparisons: Comparisons, scores: ScoreCounts, grouping: Grouping, plan: AuditPlan) -> list[r.ScoreShift]:
    people = len(grouping.atom_of)
    tails = score_shift.tails(scores, grouping)
    limits, cells = score_shift.thresholds(tails, people, grouping)
    counts = comparisons.at(limits, np.zeros(people, dtype=np.int64), 0, cells)
    found = score_shift.shifts(tails, counts, grouping, level=plan.level, min_subjects=plan.min_subjects)
    return [_shift(one) for one in found]


def _shift(found: score_shift.ScoreShift) -> r.ScoreShift:
    return r.ScoreShift(
        attributes=list(found.attributes),
        group=found.group.as_dict(),
        mated=found.mated,
        share=found.share,
        value=found.value,
        rest=found.rest,
        deviation=found.deviation,
        shift=found.shift,
        interval=interval(found.interval),
        subjects=found.subjects,
        rest_subjects=found.rest_subjects,
        trials=found.trials,
        support=found.support,
        reason=found.reason,
    )


def _noise(
    name: str,
    points: Sequence[Threshold],
    pairs: by_subject.PairErrors | None,
    counts: OperatingCounts,
    grouping: Grouping,
    differentials: Sequence[r.Differential],
    plan: AuditPlan,
    benchmark: Benchmark,
) -> list[r.LabelNoise]:
    shares = plan.label_noise or SHARES
    provenance = benchmark.attributes[name].provenance
    if pairs is None:
        nothing = dict.fromkeys(("group", "observed", "expected", "median", "interval", "corrected"))
        return [
            r.LabelNoise(
                **nothing, attribute=name, provenance=provenance, share=share, metric=metric,
                operating_point=point.id, draws=0, reason=TOO_MANY,
            )
            for share in shares for point in points for metric in ("FMR", "FNMR")
        ]  # fmt: skip
    counted = _counted(points, pairs, counts)
    included = [[_included(differentials, name, metric, point) for metric in ("FMR", "FNMR")] for point in points]
    found = label_noise.label_noise(
        name, counted, grouping, shares, included, seed=plan.seed, level=plan.level, min_subjects=plan.min_subjects
    )
    return [
        r.LabelNoise(
            attribute=name,
            provenance=provenance,
            share=one.share,
            metric=one.metric,
            operating_point=one.operating_point,
            group=None if one.group is None else one.group.as_dict(),
            observed=one.observed,
            expected=one.expected,
            median=one.median,
            interval=interval(one.interval),
            draws=one.draws,
            corrected=one.corrected,
            reason=one.reason,
        )
        for one in found
    ]


def _counted(points: Sequence[Threshold], pairs: by_subject.PairErrors, counts: OperatingCounts) -> label_noise.Counted:
    values = [_value(point) for point in points]
    return label_noise.Counted(
        [point.id for point in points],
        pairs,
        [int(np.searchsorted(pairs.thresholds, value)) for value in values],
        counts.mated_errors[[counts.at(value) for value in values]],
        counts.mated,
    )


def _annotators(
    name: str,
    points: Sequence[Threshold],
    pairs: by_subject.PairErrors | None,
    counts: OperatingCounts,
    grouping: Grouping,
    differentials: Sequence[r.Differential],
    plan: AuditPlan,
    benchmark: Benchmark,
    subjects: Sequence[str],
) -> list[r.AnnotatorRatio]:
    """Ratios with the labels of each annotator; nothing where pairs are too many to hold, as for wrong labels."""
    if pairs is None:
        return []
    people = {subject.subject_id: subject for subject in benchmark.subjects}
    values = [grouping.groups[k].as_dict()[name] for k in grouping.families()[name,]]
    said = [
        np.array([[value in people[one].attributes.get(key, ()) for value in values] for one in subjects], dtype=bool)
        for key in benchmark.attributes[name].annotators
    ]
    included = [[_included(differentials, name, metric, point) for metric in ("FMR", "FNMR")] for point in points]
    found = label_noise.by_annotator(
        name, _counted(points, pairs, counts), grouping, said, included, min_subjects=plan.min_subjects
    )
    return [
        r.AnnotatorRatio(
            attribute=one.attribute,
            annotator=one.annotator,
            metric=one.metric,
            operating_point=one.operating_point,
            group=None if one.group is None else one.group.as_dict(),
            used=one.used,
            ratio=one.ratio,
            agreeing=one.agreeing,
            people=one.people,
        )
        for one in found
    ]


def _included(
    differentials: Sequence[r.Differential], name: str, metric: str, point: Threshold
) -> list[DemographicGroup]:
    """Groups that enter max/geomean."""
    return [
        DemographicGroup.of(group)
        for found in differentials
        if (found.measure, found.metric, found.attributes, found.operating_point)
        == ("max/geomean", metric, [name], point.id)
        for group in found.included
    ]


def _curves(
    name: str,
    values: Floats,
    points: Sequence[Threshold],
    pairs: by_subject.PairErrors | None,
    sums: by_subject.SubjectScores,
    counts: OperatingCounts,
    level: float,
) -> list[covariates.Curve]:
    made = []
    for point in points:
        value = _value(point)
        if pairs is None:
            made.append(covariates.blank(name, "FMR", point.id, values, level, TOO_MANY))
        else:
            t = int(np.searchsorted(pairs.thresholds, value))
            made.append(covariates.nonmated_rate_curve(name, values, pairs, t, level=level, point=point.id))
        errors = counts.mated_errors[counts.at(value)].astype(np.float64)
        made.append(covariates.mated_curve(name, values, errors, counts.mated, level=level, point=point.id))
    made.append(covariates.nonmated_score_curve(name, values, sums, level=level))
    own = sums.scores(sums.mated.astype(np.float64), sums.mated_count.astype(np.float64))
    made.append(covariates.mated_curve(name, values, own, sums.mated_count, level=level, point=None))
    return made


def _curve(found: covariates.Curve, benchmark: Benchmark) -> r.Curve:
    attribute = benchmark.attributes[found.attribute]
    return r.Curve(
        attribute=found.attribute,
        provenance=attribute.provenance,
        unit=attribute.unit,
        quantity=found.quantity,
        operating_point=found.operating_point,
        bandwidth=found.bandwidth,
        x=list(found.x),
        value=list(found.value),
        low=list(found.low),
        high=list(found.high),
        people=list(found.people),
        subjects=found.subjects,
        missing=found.missing,
        level=found.level,
        method=covariates.METHOD,
        reason=found.reason,
    )


def _value(point: Threshold) -> float:
    if point.value is None:
        raise ValueError(f"{point.id} has no threshold")
    return point.value
