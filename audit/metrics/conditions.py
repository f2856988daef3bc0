"""How much of a gap between groups goes with capture conditions: rates and scores at equal conditions.

Before: the rates p_g of two groups as they are, on the trials whose conditions are known. After: a logistic model of
errors on the group and the conditions gives each group's rate *at the conditions of everybody*,
`q_g = sum w m(g, x) / sum w` over all trials, m(g, x) being the expected outcome if the trial's group were g. The gap
is the ratio p_g/p_ref, then q_g/q_ref; the change between them, after/before, is what goes with the conditions. Scores:
the same with a linear model and differences in place of ratios. A share of the gap is not told: it divides by a gap
that may be none, and its intervals where the gap is clear covered 62-93 % in simulation, those of the change 94-98 %.

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

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from audit.domain import Interval, Support
from audit.metrics.support import support
from audit.stats import regression
from audit.stats.regression import Floats, Ints

Kind = Literal["rate", "score"]
FEWEST_PEOPLE = 10
"""Of each group: below, its sandwich variance means nothing."""
FEWEST_ERRORS = 5
"""Errors, and non-errors, for every column of the model (Vittinghoff & McCulloch 2007); for scores: people."""
APART = 0.9
"""Share of the group's variance that conditions explain, from which on the two cannot be told apart: a variance
inflation of 10 (Kutner et al., Applied Linear Statistical Models)."""
SAME = 1e-6
"""Share of a column's variance that the other columns leave, below which it says the same as they do."""
METHOD = "standardised rates of a logistic model; joint sandwich clustered by subject, t"
METHOD_SCORES = "linear model; joint sandwich clustered by subject, t"


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Outcomes of trials.

    Parameters
    ----------
    outcome : (trials,) 1 for an error and 0 for none, or a score
    group : (trials,) number of the group, -1 where it is none of those that are compared
    first : (trials,) subject
    second : (trials,) the other subject of a comparison; None where trials have one subject
    weight : (trials,) how many trials each stands for; None: one
    """

    outcome: Floats
    group: Ints
    first: Ints
    second: Ints | None = None
    weight: Floats | None = None

    def part(self, rows: NDArray[np.bool_]) -> Trials:
        """Some of the trials."""
        second = None if self.second is None else self.second[rows]
        weight = None if self.weight is None else self.weight[rows]
        return Trials(self.outcome[rows], self.group[rows], self.first[rows], second, weight)

    @property
    def weights(self) -> Floats:
        """One number a trial."""
        return np.ones(len(self.outcome)) if self.weight is None else self.weight

    def people(self, rows: NDArray[np.bool_]) -> int:
        """Subjects behind some of the trials."""
        sides = [self.first[rows], *([] if self.second is None else [self.second[rows]])]
        return len(np.unique(np.concatenate(sides)))

    @property
    def paired(self) -> bool:
        """Whether some trial has two subjects."""
        return self.second is not None and bool((self.first != self.second).any())


@dataclass(frozen=True, slots=True)
class Gap:
    """A group against the reference, before and after; rates: ratios, scores: differences.

    `people`, `errors` and `trials` are the group's, `against` those of the reference; only trials whose conditions are
    known count, those of the group and the reference that are left out are `missing`.
    """

    group: int
    people: tuple[int, int]
    errors: tuple[int, int] | None
    trials: tuple[int, int]
    missing: int
    before: float | None = None
    before_interval: Interval | None = None
    after: float | None = None
    after_interval: Interval | None = None
    change: float | None = None
    change_interval: Interval | None = None
    overlap: float | None = None
    support: Support = "count-only"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What goes with one more standard deviation of a column, the others and the group being equal.

    An odds ratio for errors, a difference for scores; `deviation` is in the unit of the column.
    """

    measure: str
    column: str
    deviation: float
    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Found:
    """Gaps of all groups but the reference, the columns' effects, and measures that could not be used."""

    gaps: tuple[Gap, ...]
    effects: tuple[Effect, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


Columns = Mapping[tuple[str, str], Floats]
"""(measure, column) to a number for every trial, NaN where it is missing."""


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
    model = _Model.of(trials.part(keep), {key: values[keep] for key, values in columns.items()}, kind, reference)
    made, effects = model.judged({gap.group: gap for gap in blank if usable[gap.group] is None}, level)
    return Found(
        tuple(made.get(gap.group, replace(gap, reason=usable[gap.group])) for gap in blank), effects, model.left_out
    )


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


@dataclass(frozen=True, eq=False)
class _Model:
    """Trials whose conditions are known, with their columns at mean 0 and deviation 1."""

    trials: Trials
    kind: Kind
    reference: int
    names: tuple[tuple[str, str], ...]
    values: Floats
    deviations: tuple[float, ...]
    left_out: Mapping[str, str]
    reason: str | None

    @classmethod
    def of(cls, trials: Trials, columns: Columns, kind: Kind, reference: int) -> _Model:
        """Scale the columns; those without variance are left out, and those that repeat others are a reason."""
        weight = trials.weights
        names, values, deviations = [], [], []
        for key, column in columns.items():
            centre = float(np.average(column, weights=weight)) if len(column) else 0.0
            spread = math.sqrt(float(np.average((column - centre) ** 2, weights=weight))) if len(column) else 0.0
            if spread > 1e-9 * max(1.0, abs(centre)):
                names.append(key)
                values.append((column - centre) / spread)
                deviations.append(spread)
        measures = dict.fromkeys(name for name, _ in columns)
        left = {name: "the same in every trial" for name in measures if name not in {n for n, _ in names}}
        matrix = np.column_stack(values) if values else np.zeros((len(trials.outcome), 0))
        reason = "no capture condition varies" if not values else _repeated(names, matrix, weight)
        return cls(trials, kind, reference, tuple(names), matrix, tuple(deviations), left, reason)

    def judged(self, asked: Mapping[int, Gap], level: float) -> tuple[dict[int, Gap], tuple[Effect, ...]]:
        """All gaps, or why there are none."""
        if self.reason is not None or not asked:
            return {g: replace(gap, reason=self.reason) for g, gap in asked.items()}, ()
        overlap = {g: self._explained(g) for g in asked}
        made = {
            g: replace(asked[g], overlap=share, reason=_APART.format(share=share))
            for g, share in overlap.items()
            if share >= APART
        }
        left = [g for g in asked if g not in made]
        rows = np.isin(self.trials.group, [self.reference, *left])
        used = self.trials.part(rows)
        reason = self._too_few(used, len(left) + len(self.names)) if left else None
        if reason is None and left:
            try:
                answers, effects = _Fitted(self, used, self.values[rows], left).answers(level)
            except regression.SeparatedError:
                reason = "the model has no finite estimate: groups and conditions tell the errors apart entirely"
            else:
                found = {g: replace(asked[g], overlap=overlap[g], **answer) for g, answer in answers.items()}
                return {**made, **found}, effects
        return {**made, **{g: replace(asked[g], overlap=overlap[g], reason=reason) for g in left}}, ()

    def _explained(self, group: int) -> float:
        """Share of the variance of belonging to a group, and not to the reference, that the columns explain."""
        rows = np.isin(self.trials.group, [group, self.reference])
        weight = self.trials.weights[rows]
        share = weight / weight.sum()
        sides = np.column_stack([self.trials.group[rows] == group, self.values[rows]]).astype(np.float64)
        sides -= share @ sides
        product = sides.T @ (share[:, None] * sides)
        return min(1.0, max(0.0, 1 - _left(product, 0, slice(1, None)) / float(product[0, 0])))

    def _too_few(self, used: Trials, columns: int) -> str | None:
        if self.kind == "rate":
            errors = int((used.outcome > 0).sum())
            fewest, what = min(errors, len(used.outcome) - errors), "errors"
        else:
            fewest, what = used.people(np.ones(len(used.outcome), dtype=bool)), "people"
        if fewest < FEWEST_ERRORS * columns:
            return f"{fewest} {what} for {columns} columns of the model, fewer than {FEWEST_ERRORS} each"
        return None


_APART = (
    "group and capture conditions go together: conditions tell the two groups apart ({share:.0%} of the variance), and "
    "what goes with which cannot be told"
)


def _repeated(names: Sequence[tuple[str, str]], matrix: Floats, weight: Floats) -> str | None:
    """Which measure says the same as the ones before it."""
    product = matrix.T @ ((weight / weight.sum())[:, None] * matrix)
    for k in range(1, len(names)):
        if _left(product, k, slice(0, k)) < SAME:
            others = ", ".join(dict.fromkeys(name for name, _ in names[:k] if name != names[k][0]))
            return f"{names[k][0]} says the same as {others or 'its own difference'}: leave one of them out"
    return None


def _left(product: Floats, k: int, others: slice) -> float:
    """Variance of column k that the others leave, from the covariance of all."""
    inside, across = product[others, others], product[others, k]
    return float(product[k, k] - across @ np.linalg.lstsq(inside, across, rcond=None)[0])


class _Fitted:
    """Both models, and the influence of every trial on what is told of them."""

    def __init__(self, model: _Model, used: Trials, values: Floats, groups: list[int]) -> None:
        self._model, self._used, self._groups = model, used, groups
        self._weight = used.weights
        self._size = len(groups)
        dummies = np.column_stack([np.ones(len(values)), *(used.group == g for g in groups)]).astype(np.float64)
        self._values = values
        kind: regression.Kind = "logistic" if model.kind == "rate" else "linear"
        self._fit = regression.fit(np.column_stack([dummies, values]), used.outcome, self._weight, kind)

    def answers(self, level: float) -> tuple[dict[int, dict[str, Any]], tuple[Effect, ...]]:
        """Numbers of every gap, and effects."""
        everything = [self._model.reference, *self._groups]
        before = [self._before(g) for g in everything]
        after = [self._after(k) for k in range(len(everything))]
        made: dict[int, dict[str, Any]] = {}
        for k, group in enumerate(self._groups, start=1):
            one, two = before[k][0] - before[0][0], after[k][0] - after[0][0]
            f_one, f_two = before[k][1] - before[0][1], after[k][1] - after[0][1]
            columns = np.column_stack([f_one, f_two, f_two - f_one])
            people = min(self._people(group), self._people(self._model.reference))
            sigma = np.sqrt(self._variance(columns, people))
            t = float(stdtrit(people - 1, (1 + level) / 2))
            bounds = [(x - t * s, x + t * s) for x, s in zip((one, two, two - one), sigma, strict=True)]
            made[group] = {
                "support": support(people, min(self._effective(one) for one in (before[k], before[0]))),
                **self._shown("before", one, bounds[0], level),
                **self._shown("after", two, bounds[1], level),
                **self._shown("change", two - one, bounds[2], level),
            }
        return made, self._effects(level)

    @property
    def _method(self) -> str:
        return METHOD if self._model.kind == "rate" else METHOD_SCORES

    def _shown(self, name: str, value: float, bounds: tuple[float, float], level: float) -> dict[str, Any]:
        """A logarithm of a ratio as the ratio; a difference as it is."""
        turn = _exp if self._model.kind == "rate" else float
        return {
            name: turn(value),
            f"{name}_interval": Interval(turn(bounds[0]), turn(bounds[1]), level, self._method),
        }

    def _before(self, group: int) -> tuple[float, Floats]:
        """Logarithm of a group's rate, or its mean score, and the influence of every trial."""
        mine = self._weight * (self._used.group == group)
        value = float(mine @ self._used.outcome) / float(mine.sum())
        influence = mine * (self._used.outcome - value) / float(mine.sum())
        if self._model.kind == "score":
            return value, influence
        return math.log(value), influence / value

    def _after(self, place: int) -> tuple[float, Floats]:
        """The same at everybody's conditions; `place` 0 is the reference."""
        design = np.zeros((len(self._values), 1 + self._size))
        design[:, 0] = 1
        if place:
            design[:, place] = 1
        design = np.column_stack([design, self._values])
        expected = self._fit.expected(design)
        share = self._weight / self._weight.sum()
        value = float(share @ expected)
        slope = expected * (1 - expected) if self._model.kind == "rate" else np.ones_like(expected)
        influence = share * (expected - value) + self._fit.influence @ ((share * slope) @ design)
        if self._model.kind == "score":
            return value, np.asarray(influence)
        return math.log(value), np.asarray(influence / value)

    def _effective(self, before: tuple[float, Floats]) -> float:
        """Errors that as many independent trials would have: (1 - p) over the variance of ln p; no bound for scores."""
        if self._model.kind == "score":
            return math.inf
        variance = float(regression.clustered(before[1][:, None], self._used.first, self._used.second)[0, 0])
        return (1 - math.exp(before[0])) / variance if variance > 0 else 0.0

    def _people(self, group: int) -> int:
        return self._used.people(self._used.group == group)

    def _variance(self, influence: Floats, people: int) -> Floats:
        lost = 4 if self._used.paired else 1
        factor = people / (people - lost)
        made = np.diag(regression.clustered(influence, self._used.first, self._used.second))
        return np.asarray(np.maximum(made, 0) * factor)

    def _effects(self, level: float) -> tuple[Effect, ...]:
        first = 1 + self._size
        people = self._used.people(np.ones(len(self._weight), dtype=bool))
        half = stdtrit(people - 1, (1 + level) / 2) * np.sqrt(self._variance(self._fit.influence[:, first:], people))
        turn = _exp if self._model.kind == "rate" else float
        return tuple(
            Effect(name, column, deviation, turn(x), Interval(turn(x - h), turn(x + h), level, self._method))
            for (name, column), deviation, x, h in zip(
                self._model.names, self._model.deviations, self._fit.coefficients[first:].tolist(), half.tolist(),
                strict=True,
            )
        )  # fmt: skip


def _exp(x: float) -> float:
    """Without an infinity: beyond e^700 no number is told apart."""
    return math.exp(min(max(x, -700.0), 700.0))
