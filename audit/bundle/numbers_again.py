"""Whether rates, intervals, contrasts and differentials of a record follow from its counts and covariances.

Every check gives what is wrong, in words.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit import assemble
from audit import record as r
from audit.bundle.alike import first_difference
from audit.bundle.rebuild import Rebuilt, settings
from audit.metrics import disparities
from audit.metrics.evaluation import METRICS
from audit.metrics.rates import Tally, interval
from audit.metrics.support import support
from audit.stats.clustered import design_effect
from audit.stats.intervals import effective_errors

Wrong = Iterator[str]


def rates(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Rates within groups, conditional and generalised, at every threshold for everyone."""
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


def others(record: r.EvaluationRecord) -> Wrong:
    """Rates of metrics that no table counts: value and interval by their own counts and variance."""
    for rate in record.rates:
        if rate.metric not in {"FMR", "FNMR", "FAR", "FRR", "FTA"} and rate.view == "conditional":
            yield from by_variance(rate, settings(record).level)


def by_variance(rate: r.Rate, level: float) -> Wrong:
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


def acquisition(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Failures to acquire of every group, with intervals."""
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
                yield f"{r.group_text(row.group)}: {row.failures:,} of {row.samples:,}, the cells say {of(tally, k)}"
            if row.value is None or row.interval is None:
                continue
            p = row.failures / row.samples
            found = interval(p, float(variance[k]), row.subjects, row.interval.level, paired=False)
            made = row.model_copy(update={"value": p, "interval": assemble.interval(found)})
            wrong = first_difference([made], [row], f"failures of {r.group_text(row.group)}")
            if wrong:
                yield wrong
    for rate in rates:
        yield from by_variance(rate, settings(record).level)


def covariance(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """The record's matrices are those of the tables."""
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


def contrasts(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Ratios and differences between groups, with both adjusted p-values and verdicts."""
    plan = settings(record)
    made: list[r.Contrast] = []
    for one in rebuilt.measured:
        found = disparities.contrasts(one, rebuilt.grouping, plan)
        made += [assemble.contrast(c, plan.margins[c.metric]) for c in found if not (made and c.metric == "FTA")]
    said = [c for c in record.contrasts if c.metric in METRICS]
    wrong = first_difference(made, said, "contrasts")
    if wrong:
        yield wrong


def tests(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Tests that all groups have one rate."""
    made: list[r.GlobalTest] = []
    for one in rebuilt.measured:
        found = disparities.equalities(one, rebuilt.grouping)
        made += [assemble.global_test(t, one.point) for t in found if not (made and t.metric == "FTA")]
    wrong = first_difference(made, [t for t in record.global_tests if t.metric in METRICS], "tests")
    if wrong:
        yield wrong


def differentials(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
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


def of(tally: Tally, k: int) -> str:
    """Errors of trials, in words."""
    return f"{tally.errors[k]:,} of {tally.trials[k]:,} in the cells"
