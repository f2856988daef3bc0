"""How much of a gap between groups goes with capture conditions: rates and scores at equal conditions.

Before: the rates p_g of two groups as they are, on the trials whose conditions are known. After: a logistic model of
errors on the group and the conditions gives each group's rate *at the conditions of everybody*,
`q_g = sum w m(g, x) / sum w` over all trials, m(g, x) being the expected outcome if the trial's group were g. The gap
is the ratio p_g/p_ref, then q_g/q_ref; the change between them, after/before, is what goes with the conditions. Scores:
the same with a linear model and differences in place of ratios. A share of the gap is not told: it divides by a gap
that may be none, and its intervals where the gap is clear covered 62-93 % in simulation, those of the change 91-99 %.

Odds ratios of the two models are not compared: they change when a column is added that has nothing to do with the
group. Rates averaged over conditions do not.

A trial is a comparison (two subjects, or one for mated comparisons) or one sample of one subject (a detector's miss, an
attribute model's error). A comparison's columns are the mean of its two samples' measures and the absolute difference.

Intervals are of the joint influence of both models (`audit.stats.regression.clustered`), so that before and after share
their errors; t with the smaller group's subjects less one, and n/(n - 4) or n/(n - 1) as everywhere in this package.

None of it is a cause: conditions can differ between groups because of the capture, and measures can differ because
faces do (brightness contains skin tone); what a model leaves can be conditions that nobody measured.

Sources: Lane & Nelder (1982), Biometrics 38 (standardised rates); Mood (2010), Eur. Sociol. Review 26 (why not odds
ratios); Vittinghoff & McCulloch (2007), Am. J. Epidemiol. 165 (errors a column); Binder (1983) (weights).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.metrics.standardised import APART, METHOD, METHOD_SCORES, Model
from audit.metrics.trials import Columns, Effect, Found, Gap, Kind, Trials
from audit.stats.regression import Floats, Ints

__all__ = [
    "APART", "METHOD", "METHOD_SCORES", "Columns", "Effect", "Found", "Gap", "Kind", "Trials", "gaps", "of_pairs",
    "of_samples",
]  # fmt: skip
FEWEST_PEOPLE = 10
"""Of each group: below, its sandwich variance means nothing."""


def of_samples(measures: Mapping[str, Floats]) -> dict[tuple[str, str], Floats]:
    """Columns of trials that are one sample each: its measures."""
    return {(name, "value"): np.asarray(values, dtype=np.float64) for name, values in measures.items()}


def of_pairs(measures: Mapping[str, Floats], one: Ints, two: Ints) -> dict[tuple[str, str], Floats]:
    """Columns of comparisons of samples numbered `one` and `two`: mean and absolute difference of each measure.

    >>> of_pairs({"blur": np.array([1.0, 4.0])}, np.array([0]), np.array([1]))[("blur", "mean")].tolist()
    [2.5]
    """
    made: dict[tuple[str, str], Floats] = {}
    for name, values in measures.items():
        made[name, "mean"] = (values[one] + values[two]) / 2
        made[name, "difference"] = np.abs(values[one] - values[two])
    return made


def gaps(trials: Trials, columns: Columns, groups: int, reference: int, kind: Kind, *, level: float = 0.95) -> Found:
    """Gaps between groups as they are, and at equal capture conditions.

    Parameters
    ----------
    trials : outcomes; of comparisons or of single samples
    columns : from `of_pairs` or `of_samples`
    groups, reference : how many groups there are, and which of them the others are compared with

    Returns
    -------
    Found; what cannot be formed has no number and a `reason`
    """
    known = np.ones(len(trials.outcome), dtype=bool)
    for values in columns.values():
        known &= np.isfinite(values)
    inside = trials.group >= 0
    blank = [_counted(trials, known, k, reference, kind) for k in range(groups) if k != reference]
    usable = {gap.group: _unusable(gap, kind) for gap in blank}
    rows = known & inside
    if not rows.any():
        return Found(tuple(replace(gap, reason="no trial whose capture conditions are known") for gap in blank))
    if not columns:
        return Found(tuple(replace(gap, reason="no capture condition was asked for") for gap in blank))
    keep = rows & np.isin(trials.group, [reference, *(g for g, why in usable.items() if why is None)])
    model = Model.of(trials.part(keep), {key: values[keep] for key, values in columns.items()}, kind, reference)
    made, effects, left_out = model.judged({gap.group: gap for gap in blank if usable[gap.group] is None}, level)
    return Found(tuple(made.get(gap.group, replace(gap, reason=usable[gap.group])) for gap in blank), effects, left_out)


def _counted(trials: Trials, known: NDArray[np.bool_], group: int, reference: int, kind: Kind) -> Gap:
    weight = trials.weights
    both = [trials.group == k for k in (group, reference)]
    people = tuple(trials.people(side & known) for side in both)
    errors = tuple(round(float((weight * trials.outcome)[side & known].sum())) for side in both)
    counts = tuple(round(float(weight[side & known].sum())) for side in both)
    missing = round(float(weight[(both[0] | both[1]) & ~known].sum()))
    return Gap(
        group,
        (people[0], people[1]),
        (errors[0], errors[1]) if kind == "rate" else None,
        (counts[0], counts[1]),
        missing,
    )


def _unusable(gap: Gap, kind: Kind) -> str | None:
    """Why a group cannot be compared, from its counts."""
    if min(gap.people) < FEWEST_PEOPLE:
        return f"fewer than {FEWEST_PEOPLE} people whose capture conditions are known"
    if kind == "rate" and gap.errors is not None:
        if 0 in gap.errors:
            return "no error in one of the two groups"
        if any(e == n for e, n in zip(gap.errors, gap.trials, strict=True)):
            return "nothing but errors in one of the two groups"
    return None
