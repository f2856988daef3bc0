"""Every number of a record that its tables decide, computed again; what they do not decide is named."""

from __future__ import annotations

from collections.abc import Iterator

from audit import record as r
from audit.bundle import counts_again, numbers_again
from audit.bundle.finding import Finding
from audit.bundle.rebuild import rebuild
from audit.counted import Counted
from audit.errors import AuditError
from audit.metrics.evaluation import METRICS

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
        ("errors and comparisons are those of the scores", folds or counts_again.errors_of_scores(rebuilt)),
        ("people, images and comparisons", counts_again.samples(record, rebuilt)),
        ("thresholds achieve what they say", folds or aside or counts_again.achieved(record, rebuilt)),
        ("rates and intervals within groups", numbers_again.rates(record, rebuilt)),
        ("rates and intervals across groups", folds or counts_again.across(record, rebuilt)),
        ("rates at the groups' own thresholds", folds or counts_again.own(record, rebuilt)),
        ("failures to acquire", numbers_again.acquisition(record, rebuilt)),
        ("other rates and intervals", numbers_again.others(record)),
        ("covariances of rates", numbers_again.covariance(record, rebuilt)),
        ("contrasts, with both adjusted p-values", numbers_again.contrasts(record, rebuilt)),
        ("tests of equal rates", numbers_again.tests(record, rebuilt)),
        ("differentials, intervals, nulls and verdicts", numbers_again.differentials(record, rebuilt)),
        ("score distributions", counts_again.distributions(record, rebuilt)),
        ("overall error rates in the summary", numbers_again.summary(record)),
    ]
    for question, wrong in checks:
        if isinstance(wrong, str):
            yield Finding(question, "not established", wrong)
        else:
            found = next(iter(wrong), None)
            detail = "computed again, and the same" if found is None else found
            yield Finding(question, "established" if found is None else "failed", detail)
    yield from _undecided(record)


def without_tables(record: r.EvaluationRecord) -> Iterator[Finding]:
    """What a record shows by itself, where no faces were compared and no scores counted."""
    found = next(numbers_again.others(record), None)
    question = "values and intervals of rates, by their counts and variances"
    yield Finding(question, "failed" if found else "established", found or "computed again, and the same")
    if record.contrasts or record.differentials:
        why = "covariances between rates are not in the tables of this task"
        yield Finding("contrasts, tests and differentials", "not established", why)


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
