"""Every number of a record that its tables decide, computed again; what they do not decide is named."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit import assemble
from audit import record as r
from audit.bundle.alike import first_difference
from audit.bundle.finding import Finding
from audit.bundle.rebuild import Rebuilt, rebuild, settings
from audit.counted import COUNTS, Counted, Role, column_names, named
from audit.domain import ErrorRate
from audit.errors import AuditError
from audit.metrics import disparities
from audit.metrics.evaluation import METRICS, Measured, crossed, of_crossed
from audit.metrics.rates import Tally, interval
from audit.metrics.support import support
from audit.stats.clustered import design_effect
from audit.stats.intervals import effective_errors

UNDECIDED = {
    "det": "error trade-offs are of exact scores",
    "score_shifts": "tail quantiles are of exact scores and people",
    "curves": "smooth curves are of people's own numbers",
    "label_noise": "wrong labels are drawn among people",
    "annotators": "they are of each annotator's labels",
    "experimental": "recalled indices are of exact scores",
    "counterfactuals": "changes of one factor are of people",
    "identification": "searches in a list are of candidates",
    "scenario": "its spread between people is of people",
    "storage": "changed decisions are of templates",
    "folds": "accuracy by fold is of folds",
}
"""Parts of a record that no table here decides, and why."""
FOLDS = "each fold has a threshold of its own, and scores are not kept by fold"
ASIDE = "thresholds were set on people set aside, whose scores are not in the tables"


def recomputed(record: r.EvaluationRecord, counted: Counted) -> Iterator[Finding]:
    """Compute again what can be, and compare."""
    try:
        rebuilt = rebuild(record, counted)
    except AuditError as error:
        yield Finding("tables belong to the record", "failed", str(error))
        return
    yield Finding("tables belong to the record", "established", f"{len(rebuilt.grouping.groups)} groups, in one order")
    folds = FOLDS if any(point.by_fold for point in record.operating_points) else None
    aside = ASIDE if record.plan.get("calibration") else None
    checks = [
        ("errors and comparisons are those of the scores", folds or _errors_of_scores(rebuilt)),
        ("people, images and comparisons", _samples(record, rebuilt)),
        ("thresholds achieve what they say", folds or aside or _achieved(record, rebuilt)),
        ("rates and intervals within groups", _rates(record, rebuilt)),
        ("rates and intervals across groups", folds or _across(record, rebuilt)),
        ("rates at the groups' own thresholds", folds or _own(record, rebuilt)),
        ("failures to acquire", _acquisition(record, rebuilt)),
        ("other rates and intervals", _others(record)),
        ("covariances of rates", _covariance(record, rebuilt)),
        ("contrasts, with both adjusted p-values", _contrasts(record, rebuilt)),
        ("tests of equal rates", _tests(record, rebuilt)),
        ("differentials, intervals, nulls and verdicts", _differentials(record, rebuilt)),
        ("score distributions", _distributions(record, rebuilt)),
        ("overall error rates in the summary", _summary(record)),
    ]
    for question, wrong in checks:
        if isinstance(wrong, str):
            yield Finding(question, "not established", wrong)
        else:
            found = next(iter(wrong), None)
            detail = "computed again, and the same" if found is None else found
            yield Finding(question, "established" if found is None else "failed", detail)
    yield from _undecided(record)


Wrong = Iterator[str]
"""What does not agree, in words; empty: everything does."""


def _undecided(record: r.EvaluationRecord) -> Iterator[Finding]:
    fitted = any(d.debiased.get("cross_fit") is not None for d in record.differentials)
    if fitted:
        why = "halves of people are not in the tables; verdicts were computed with the recorded ones"
        yield Finding("cross-fit values", "not established", why)
    if any(d.bootstrap is not None for d in record.differentials):
        yield Finding("vertex bootstrap", "not established", "it draws people, who are not in the tables")
    listed = {d.metric for d in record.differentials} - {*METRICS, "FMR+FNMR"}
    if listed:
        why = "covariances between their rates are not in the tables"
        yield Finding(f"contrasts and differentials of {', '.join(sorted(listed))}", "not established", why)
    if record.summary.eer_rocch is not None or record.summary.auc is not None:
        yield Finding("EER, AUC and d' in the summary", "not established", "they are of exact scores")
    for name, why in UNDECIDED.items():
        if getattr(record, name):
            yield Finding(name.replace("_", " "), "not established", why)


def _errors_of_scores(rebuilt: Rebuilt) -> Wrong:
    """Counts of the cells at every operating point, from the scores between edges."""
    names = column_names([group.as_dict() for group in rebuilt.grouping.groups])
    for one in rebuilt.measured:
        value = one.point.value or 0.0
        for metric, mated in (("FMR", False), ("FNMR", True)):
            tally = one.tallies[metric]  # type: ignore[index]
            for k, (role, name) in enumerate(names):
                found = _counted(rebuilt, (role, name, None, mated), value)
                if found != (int(tally.errors[k]), int(tally.trials[k])):
                    yield f"{metric} of {role} {name} at {one.point.id}: {_of(tally, k)}, scores say {_said(found)}"


def _counted(rebuilt: Rebuilt, key: tuple[Role, str, str | None, bool], value: float) -> tuple[int, int] | None:
    """Errors and comparisons of a cell at a threshold; None where the tables do not tell."""
    binned = rebuilt.scores.get(key)
    below = None if binned is None else binned.below(value)
    if binned is None or below is None:
        return None
    total = int(binned.counts.sum())
    return (below if key[3] else total - below), total


def _of(tally: Tally, k: int) -> str:
    return f"{tally.errors[k]:,} of {tally.trials[k]:,} in the cells"


def _said(found: tuple[int, int] | None) -> str:
    return "nothing" if found is None else f"{found[0]:,} of {found[1]:,}"


def _samples(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
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


def _achieved(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """The FMR at a threshold, and that it does not exceed its target."""
    for point in record.operating_points:
        if point.threshold is None or point.achieved_fmr is None:
            continue
        found = _counted(rebuilt, ("group", named(point.group), None, False), point.threshold)
        if found is None or not found[1] or abs(found[0] / found[1] - point.achieved_fmr) > 1e-12:
            yield f"{point.id}: achieved FMR {point.achieved_fmr:.6g}, scores say {_said(found)}"
        elif point.target_fmr is not None and point.achieved_fmr > point.target_fmr * (1 + 1e-9):
            yield f"{point.id}: achieved FMR {point.achieved_fmr:.6g} exceeds its target"


def _rates(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    for one in rebuilt.measured:
        made = assemble.measured_rates(one, rebuilt.grouping)
        said = [
            rate
            for rate in record.rates
            if rate.operating_point == one.point.id
            and rate.reference_group is None
            and rate.metric in {"FMR", "FNMR", "FAR", "FRR"}
        ]
        found = first_difference(made, said, f"rates at {one.point.id}")
        if found:
            yield found


def _across(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
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


def _own(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    at = {point.id: point for point in record.operating_points if point.policy == "per-group"}
    for rate in record.rates:
        point = at.get(rate.operating_point or "")
        if point is None or point.threshold is None:
            continue
        found = _counted(rebuilt, ("group", named(rate.group), None, rate.metric == "FNMR"), point.threshold)
        if found != (rate.errors, rate.trials):
            yield f"{rate.metric} at {point.id}: {rate.errors:,} of {rate.trials:,}, scores say {_said(found)}"
        yield from _by_variance(rate, settings(record).level)


def _others(record: r.EvaluationRecord) -> Wrong:
    """Rates of metrics that no table counts: value and interval by their own counts and variance."""
    for rate in record.rates:
        if rate.metric not in {"FMR", "FNMR", "FAR", "FRR", "FTA"} and rate.view == "conditional":
            yield from _by_variance(rate, settings(record).level)


def _by_variance(rate: r.Rate, level: float) -> Wrong:
    """Value, interval and support of a rate by its own counts, people and variance."""
    if rate.value is None or rate.variance is None or rate.interval is None:
        return
    name = f"{rate.metric} of {r.group_text(rate.group)} at {rate.operating_point}"
    p = rate.errors / rate.trials if rate.trials else float("nan")
    if abs(p - rate.value) > 1e-12:
        yield f"{name}: {rate.value:.6g}, counts say {p:.6g}"
        return
    paired = rate.metric in {"FMR", "FAR"}
    found = interval(p, rate.variance, rate.subjects, level, paired=paired)
    effective = effective_errors(p, rate.variance) or 0.0
    made = rate.model_copy(
        update={
            "interval": assemble.interval(found),
            "design_effect": design_effect(rate.variance, p, rate.trials),
            "effective_errors": effective,
            "support": support(rate.subjects, effective),
        }
    )
    wrong = first_difference([made], [rate], name)
    if wrong:
        yield wrong


def _acquisition(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    whole = [row for row in record.acquisition if row.stage is None]
    rates = [rate for rate in record.rates if rate.metric == "FTA"]
    for one in rebuilt.measured[:1]:
        tally = one.tallies["FTA"]
        variance = np.diag(one.covariance)[one.column("FTA", 0) :]
        if len(whole) != one.groups:
            yield f"{len(whole)} rows of failures, and {one.groups} groups"
            continue
        for k, row in enumerate(whole):
            said = (row.failures, row.samples)
            if said != (int(tally.errors[k]), int(tally.trials[k])):
                yield f"{r.group_text(row.group)}: {row.failures:,} of {row.samples:,}, the cells say {_of(tally, k)}"
            if row.value is None or row.interval is None:
                continue
            p = row.failures / row.samples
            found = interval(p, float(variance[k]), row.subjects, row.interval.level, paired=False)
            made = row.model_copy(update={"value": p, "interval": assemble.interval(found)})
            wrong = first_difference([made], [row], f"failures of {r.group_text(row.group)}")
            if wrong:
                yield wrong
    for rate in rates:
        yield from _by_variance(rate, settings(record).level)


def _covariance(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    if len(record.covariance) != len(rebuilt.measured):
        yield f"{len(record.covariance)} matrices in the record, {len(rebuilt.measured)} in the tables"
        return
    for said, one in zip(record.covariance, rebuilt.measured, strict=True):
        rows = [record.rates[k] if 0 <= k < len(record.rates) else None for k in said.cells]
        columns = []
        for rate in rows:
            if rate is None or rate.metric not in {"FMR", "FNMR"} or rate.operating_point != one.point.id:
                yield f"the matrix at {said.operating_point} names a rate that is not there"
                return
            position = [group.as_dict() for group in rebuilt.grouping.groups].index(rate.group)
            columns.append(one.column(rate.metric, position))
        whole = np.array(said.matrix, dtype=np.float64).reshape(len(columns), -1)
        if whole.shape[1] != len(columns):
            yield f"the matrix at {said.operating_point} is not square"
            continue
        known = one.covariance[np.ix_(columns, columns)]
        told = np.isfinite(known)
        scale = np.sqrt(np.outer(np.diag(known), np.diag(known)))
        if (np.abs(whole - known)[told] > 1e-9 * scale[told] + 1e-300).any():
            yield f"the matrix at {said.operating_point} is not that of the tables"


def _contrasts(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    plan = settings(record)
    made: list[r.Contrast] = []
    for one in rebuilt.measured:
        found = disparities.contrasts(one, rebuilt.grouping, plan)
        made += [assemble.contrast(c, plan.margins[c.metric]) for c in found if not (made and c.metric == "FTA")]
    said = [c for c in record.contrasts if c.metric in METRICS]
    wrong = first_difference(made, said, "contrasts")
    if wrong:
        yield wrong


def _tests(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    made: list[r.GlobalTest] = []
    for one in rebuilt.measured:
        found = disparities.equalities(one, rebuilt.grouping)
        made += [assemble.global_test(t, one.point) for t in found if not (made and t.metric == "FTA")]
    wrong = first_difference(made, [t for t in record.global_tests if t.metric in METRICS], "tests")
    if wrong:
        yield wrong


def _differentials(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """With the recorded cross-fits; the vertex bootstrap is taken as it is."""
    plan = settings(record)
    said = [d for d in record.differentials if d.metric in {*METRICS, "FMR+FNMR"}]
    made: list[r.Differential] = []
    for one in rebuilt.measured:
        fitted = {
            (d.measure, d.metric, tuple(d.attributes)): d.debiased.get("cross_fit")
            for d in said
            if d.operating_point == one.point.id
        }
        found = disparities.spreads(one, fitted, rebuilt.grouping, plan)
        made += [assemble.differential(s, one.point) for s in found if not (made and s.metric == "FTA")]
    if len(made) == len(said):
        made = [m.model_copy(update={"bootstrap": s.bootstrap}) for m, s in zip(made, said, strict=True)]
    wrong = first_difference(made, said, "differentials")
    if wrong:
        yield wrong


def _distributions(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
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


def _summary(record: r.EvaluationRecord) -> Wrong:
    everyone = {
        rate.operating_point: rate
        for rate in record.rates
        if rate.metric == "FNMR" and not rate.group and rate.view == "conditional"
    }
    said = {(round(x.target_fmr, 15), x.fnmr, x.achieved_fmr) for x in record.summary.fnmr_at_fmr}
    for point in record.operating_points:
        rate = everyone.get(point.id)
        if point.policy != "global" or point.target_fmr is None or rate is None or rate.value is None:
            continue
        if (round(point.target_fmr, 15), rate.value, point.achieved_fmr) not in said:
            yield f"FNMR at {point.id} is not that of its rate"
