"""Whether the counts of a record are those of the scores in its tables. Every check gives what is wrong, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit import assemble
from audit import record as r
from audit.bundle.alike import first_difference
from audit.bundle.numbers_again import by_variance, of
from audit.bundle.rebuild import Rebuilt, settings
from audit.counted import COUNTS, Role, column_names, named
from audit.domain import ErrorRate
from audit.metrics.evaluation import Measured, crossed, of_crossed
from audit.metrics.rates import Tally

Wrong = Iterator[str]


def errors_of_scores(rebuilt: Rebuilt) -> Wrong:
    """Counts of the cells at every operating point, from the scores between edges."""
    names = column_names([group.as_dict() for group in rebuilt.grouping.groups])
    for one in rebuilt.measured:
        value = one.point.value or 0.0
        for metric, mated in (("FMR", False), ("FNMR", True)):
            tally = one.tallies[metric]  # type: ignore[index]
            for k, (role, name) in enumerate(names):
                found = _counted(rebuilt, (role, name, None, mated), value)
                if found != (int(tally.errors[k]), int(tally.trials[k])):
                    yield f"{metric} of {role} {name} at {one.point.id}: {of(tally, k)}, scores say {_said(found)}"


def _counted(rebuilt: Rebuilt, key: tuple[Role, str, str | None, bool], value: float) -> tuple[int, int] | None:
    """Errors and comparisons of a cell at a threshold; None where the tables do not tell."""
    binned = rebuilt.scores.get(key)
    below = None if binned is None else binned.below(value)
    if binned is None or below is None:
        return None
    total = int(binned.counts.sum())
    return (below if key[3] else total - below), total


def _said(found: tuple[int, int] | None) -> str:
    return "nothing" if found is None else f"{found[0]:,} of {found[1]:,}"


def samples(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """People, images and comparisons of every group."""
    for row in record.samples.by_group:
        for mated, said in ((True, row.mated), (False, row.nonmated)):
            binned = rebuilt.scores.get(("group", named(row.group), None, mated))
            if binned is None or int(binned.counts.sum()) != said:
                yield f"{r.group_text(row.group)}: {said:,} comparisons in the record, not so in {COUNTS}"
    for one in rebuilt.measured[:1]:
        for k, row in enumerate(record.samples.by_group):
            tally = one.tallies["FTA"]
            if (int(tally.trials[k]), int(tally.subjects[k])) != (row.samples, row.subjects):
                tried = f"{row.samples:,} {record.samples.unit}s of {row.subjects:,} people"
                yield f"{r.group_text(row.group)}: {tried} in the record, not so in the cells"
    everyone = record.samples.by_group[0]
    whole = (record.samples.total, record.samples.subjects, record.samples.mated, record.samples.nonmated)
    if whole != (everyone.samples, everyone.subjects, everyone.mated, everyone.nonmated):
        yield "totals are not those of everyone"


def achieved(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """The FMR at a threshold, and that it does not exceed its target."""
    for point in record.operating_points:
        if point.threshold is None or point.achieved_fmr is None:
            continue
        found = _counted(rebuilt, ("group", named(point.group), None, False), point.threshold)
        if found is None or not found[1] or abs(found[0] / found[1] - point.achieved_fmr) > 1e-12:
            yield f"{point.id}: achieved FMR {point.achieved_fmr:.6g}, scores say {_said(found)}"
        elif point.target_fmr is not None and point.achieved_fmr > point.target_fmr * (1 + 1e-9):
            yield f"{point.id}: achieved FMR {point.achieved_fmr:.6g} exceeds its target"


def across(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Counts by the scores; intervals by the recorded variance, as people are not in the tables."""
    grouping, plan = rebuilt.grouping, settings(record)
    pairs = crossed(grouping)
    for one in rebuilt.measured:
        said = [x for x in record.rates if x.operating_point == one.point.id and x.reference_group is not None]
        if len(said) != len(pairs):
            yield f"{len(said)} rates across groups at {one.point.id}, and {len(pairs)} pairs of groups"
            continue
        names = [named(group.as_dict()) for group in grouping.groups]
        value = one.point.value or 0.0
        found = [_counted(rebuilt, ("across", names[a], names[b], False), value) for a, b in pairs]
        if None in found:
            yield f"scores across groups are not counted at {one.point.id}"
            continue
        errors, trials = np.array([x for x in found if x is not None], dtype=np.int64).reshape(-1, 2).T
        people = np.array([x.subjects for x in said], dtype=np.int64)
        nobody = np.zeros((0, len(pairs)))
        tally = Tally(errors, trials, people, nobody, np.zeros((0, 0)), paired=True)
        variance = np.array([np.nan if x.variance is None else x.variance for x in said])
        made = of_crossed(tally, variance, grouping, one.point, level=plan.level, min_subjects=plan.min_subjects)
        shown = assemble.measured_rates(_only(one, made), grouping)
        wrong = first_difference(shown, said, f"rates across groups at {one.point.id}")
        if wrong:
            yield wrong


def _only(one: Measured, rates: list[ErrorRate]) -> Measured:
    return Measured(one.point, rates, one.tallies, one.covariance, one.zero_sizes, one.groups)


def own(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Counts at the groups' own thresholds by the scores; intervals by the recorded variances."""
    at = {point.id: point for point in record.operating_points if point.policy == "per-group"}
    for rate in record.rates:
        point = at.get(rate.operating_point or "")
        if point is None or point.threshold is None:
            continue
        found = _counted(rebuilt, ("group", named(rate.group), None, rate.metric == "FNMR"), point.threshold)
        if found != (rate.errors, rate.trials):
            yield f"{rate.metric} at {point.id}: {rate.errors:,} of {rate.trials:,}, scores say {_said(found)}"
        yield from by_variance(rate, settings(record).level)


def distributions(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Each bin of the record against the finer bins of the tables, as far as edges meet."""
    for said in record.distributions:
        name = f"scores of {r.group_text(said.group)}, {'mated' if said.mated else 'non-mated'}"
        binned = rebuilt.scores.get(("group", named(said.group), None, said.mated))
        if binned is None:
            yield f"{name}: not in {COUNTS}"
            continue
        if not said.edges:
            continue
        below = [binned.below(edge) for edge in said.edges]
        counted = np.cumsum([0, *said.counts])
        total = int(binned.counts.sum())
        inside = [(k, found) for k, found in enumerate(below) if found is not None and 0 < k < len(below) - 1]
        if counted[-1] != total or any(int(counted[k]) != found for k, found in inside):
            yield f"{name}: bins of the record are not those of {COUNTS}"
