"""Whether covariances, contrasts, tests and differentials of a record follow from its counts and covariances.

Every check gives what is wrong, in words.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit import assemble
from audit import record as r
from audit.bundle.alike import first_difference
from audit.bundle.expected import verification
from audit.bundle.rebuild import Compared, Rebuilt, settings
from audit.metrics import disparities
from audit.metrics.rates import interval
from audit.metrics.support import support
from audit.stats.clustered import design_effect
from audit.stats.intervals import effective_errors

Wrong = Iterator[str]


def others(record: r.EvaluationRecord) -> Wrong:
    """Where there are no tables: value and interval by their own counts and variance."""
    for rate in record.rates:
        if rate.view == "conditional":
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


def covariance(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """The record's matrices are those of the tables."""
    at = {one.measured.point.id: one for one in rebuilt.compared}
    known = [one.point.id for one in rebuilt.verified]
    if verification(record) and known != [said.operating_point for said in record.covariance]:
        yield f"{len(record.covariance)} matrices in the record, {len(known)} in the tables"
        return
    for said in record.covariance:
        wrong = _matrix(record, said, at[said.operating_point])
        if wrong:
            yield f"the matrix at {said.operating_point} {wrong}"


def _matrix(record: r.EvaluationRecord, said: r.Covariance, one: Compared) -> str | None:
    measured, groups = one.measured, [group.as_dict() for group in one.grouping.groups]
    columns = []
    for k in said.cells:
        rate = record.rates[k] if 0 <= k < len(record.rates) else None
        own = rate is not None and rate.operating_point == measured.point.id and rate.reference_group is None
        if rate is None or not own or rate.metric not in measured.tallies or rate.group not in groups:
            return "names a rate that is not there"
        columns.append(measured.column(rate.metric, groups.index(rate.group)))
    if any(len(row) != len(columns) for row in said.matrix) or len(said.matrix) != len(columns):
        return "is not square"
    whole = np.array(said.matrix, dtype=np.float64).reshape(len(columns), -1)
    found = measured.covariance[np.ix_(columns, columns)]
    told = np.isfinite(found)
    scale = np.sqrt(np.outer(np.diag(found), np.diag(found)))
    same = (np.abs(whole - found)[told] <= 1e-9 * scale[told] + 1e-300).all()
    return None if same else "is not that of the tables"


def contrasts(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Ratios and differences between groups, with both adjusted p-values and verdicts."""
    plan = settings(record)
    made: list[r.Contrast] = []
    for again, one in enumerate(rebuilt.compared):
        found = disparities.contrasts(one.measured, one.grouping, plan)
        made += [assemble.contrast(c, plan.margins[c.metric]) for c in found if not (again and c.metric == "FTA")]
    wrong = first_difference(made, record.contrasts, "contrasts")
    if wrong:
        yield wrong


def tests(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Tests that all groups have one rate."""
    made: list[r.GlobalTest] = []
    for again, one in enumerate(rebuilt.compared):
        found = disparities.equalities(one.measured, one.grouping)
        point = one.measured.point
        made += [assemble.global_test(t, point) for t in found if not (again and t.metric == "FTA")]
    wrong = first_difference(made, record.global_tests, "tests")
    if wrong:
        yield wrong


def differentials(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """With the recorded cross-fits; the vertex bootstrap is taken as it is."""
    plan = settings(record)
    made: list[r.Differential] = []
    for again, one in enumerate(rebuilt.compared):
        point = one.measured.point
        fitted = {
            (d.measure, d.metric, tuple(d.attributes)): d.debiased.get("cross_fit")
            for d in record.differentials
            if d.operating_point == point.id
        }
        found = disparities.spreads(one.measured, fitted, one.grouping, plan)
        made += [assemble.differential(s, point) for s in found if not (again and s.metric == "FTA")]
    if len(made) == len(record.differentials):
        pairs = zip(made, record.differentials, strict=True)
        made = [one.model_copy(update={"bootstrap": said.bootstrap}) for one, said in pairs]
    wrong = first_difference(made, record.differentials, "differentials")
    if wrong:
        yield wrong


def summary(record: r.EvaluationRecord) -> Wrong:
    """Overall FNMR at the target FMRs."""
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
