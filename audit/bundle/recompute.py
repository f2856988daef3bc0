"""Every number of a record that its tables decide, computed again; what they do not decide is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audit import record as r
from audit.bundle import counts_again, numbers_again, rates_again
from audit.bundle.expected import verification
from audit.bundle.finding import Finding
from audit.bundle.rebuild import Rebuilt, rebuild
from audit.counted import Counted
from audit.errors import AuditError

UNDECIDED = {
    "det": "error trade-offs are of exact scores",
    "score_shifts": "tail quantiles are of exact scores and people",
    "curves": "smooth curves are of people's own numbers",
    "label_noise": "wrong labels are drawn among people",
    "annotators": "they are of each annotator's labels",
    "experimental": "recalled indices are of exact scores",
    "counterfactuals": "changes of one factor are of people",
    "conditions": "capture conditions are of people's pictures",
    "scenario": "its spread between people is of people",
    "storage": "changed decisions are of templates",
    "folds": "accuracy by fold is of folds",
}
"""Parts of a record that no table here decides, and why."""
INSIDE = {
    "detection": {
        "landmarks": "mean errors of landmarks are of sums by person",
        "odds": "odds ratios are fitted to people's pictures",
        "interactions": "odds ratios are fitted to people's pictures",
    },
    "attributes": {
        "labels": "tables of labels, balanced accuracy and parity are of what was said of each person",
        "ages": "errors of ages are of each person's years",
    },
    "identification": {
        "tradeoff": "error trade-offs are of exact scores",
        "confusion": "who is taken for whom is of candidates",
    },
}
"""As `UNDECIDED`, of what stands inside of a part."""
FOLDS = "each fold has a threshold of its own, and scores are not kept by fold"
ASIDE = "thresholds were set on people set aside, whose scores are not in the tables"
EARLIER = "the tables are of an earlier version, without these cells: run it again with --fresh"

Check = tuple[str, Iterable[str] | str]
"""A question, and what is wrong, or why it cannot be answered."""


def recomputed(record: r.EvaluationRecord, counted: Counted) -> Iterator[Finding]:
    """Compute again what can be, and compare."""
    try:
        rebuilt = rebuild(record, counted)
    except AuditError as error:
        yield Finding("tables belong to the record", "failed", str(error))
        return
    yield Finding("tables belong to the record", "established", f"{len(rebuilt.grouping.groups)} groups, in one order")
    for question, wrong in (*_of_scores(record, rebuilt), *_of_rates(record, rebuilt), *_of_groups(record, rebuilt)):
        if isinstance(wrong, str):
            yield Finding(question, "not established", wrong)
        else:
            found = next(iter(wrong), None)
            detail = "computed again, and the same" if found is None else found
            yield Finding(question, "established" if found is None else "failed", detail)
    yield from _undecided(record)


def _of_scores(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Iterator[Check]:
    """What follows from scores between edges, where people were compared."""
    if verification(record):
        folds = FOLDS if any(point.by_fold for point in record.operating_points) else None
        aside = ASIDE if record.plan.get("calibration") else None
        right = folds or counts_again.errors_of_scores(record, rebuilt)
        yield "errors and comparisons are those of the scores", right
        yield "thresholds achieve what they say", folds or aside or counts_again.achieved(record, rebuilt)
        yield "score distributions", counts_again.distributions(record, rebuilt)
        yield "overall error rates in the summary", numbers_again.summary(record)
    yield "people, images and comparisons", counts_again.samples(record, rebuilt)


def _of_rates(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Iterator[Check]:
    """Every rate with its interval and its variance, from the cells."""
    earlier = None if rebuilt.complete else EARLIER
    yield "rates and intervals within groups", rates_again.within(record, rebuilt)
    if verification(record):
        yield "rates and intervals across groups", earlier or rates_again.across(record, rebuilt)
        yield "rates at the groups' own thresholds", earlier or rates_again.own(record, rebuilt)
    yield "failures to acquire", rates_again.acquisition(record, rebuilt)
    if record.identification is not None:
        yield "rates of searches in a list", earlier or rates_again.of_list(record, rebuilt)
        yield "searches by rank and by size of the list", earlier or rates_again.curves_of_list(record, rebuilt)
    if record.detection is not None:
        yield "misses under every condition", rates_again.conditions(record, rebuilt)


def _of_groups(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Iterator[Check]:
    """What sets groups against each other."""
    lists = None if rebuilt.complete or record.identification is None else EARLIER
    yield "covariances of rates", numbers_again.covariance(record, rebuilt)
    yield "contrasts, with both adjusted p-values", lists or numbers_again.contrasts(record, rebuilt)
    yield "tests of equal rates", lists or numbers_again.tests(record, rebuilt)
    yield "differentials, intervals, nulls and verdicts", lists or numbers_again.differentials(record, rebuilt)


def without_tables(record: r.EvaluationRecord) -> Iterator[Finding]:
    """What a record of an earlier version shows by itself, where nobody was compared."""
    found = next(numbers_again.others(record), None)
    question = "values and intervals of rates, by their own counts and variances"
    yield Finding(question, "failed" if found else "established", found or "computed again, and the same")
    why = "there are no tables beside it: run it again with --fresh"
    yield Finding("contrasts, tests and differentials", "not established", why)
    yield from _undecided(record)


def _undecided(record: r.EvaluationRecord) -> Iterator[Finding]:
    fitted = any(d.debiased.get("cross_fit") is not None for d in record.differentials)
    if fitted:
        why = "halves of people are not in the tables; verdicts were computed with the recorded ones"
        yield Finding("cross-fit values", "not established", why)
    if any(d.bootstrap is not None for d in record.differentials):
        yield Finding("vertex bootstrap", "not established", "it draws people, who are not in the tables")
    if record.summary.eer_rocch is not None or record.summary.auc is not None:
        yield Finding("EER, AUC and d' in the summary", "not established", "they are of exact scores")
    for name, why in UNDECIDED.items():
        if getattr(record, name):
            yield Finding(name.replace("_", " "), "not established", why)
    for name, parts in INSIDE.items():
        for part, why in parts.items():
            if getattr(getattr(record, name), part, None):
                yield Finding(f"{name}: {part}", "not established", why)
