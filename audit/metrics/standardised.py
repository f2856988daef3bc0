"""A model of outcomes on groups and conditions, and what it says of each group at the conditions of everybody.

See `audit.metrics.conditions` for what is computed; here are the columns, the checks, and the influence of every trial.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from audit.domain import Interval
from audit.metrics.support import support
from audit.metrics.trials import Columns, Effect, Gap, Kind, Trials
from audit.stats import regression
from audit.stats.regression import Floats

FEWEST_ERRORS = 5
"""Errors, and non-errors, for every column of the model (Vittinghoff & McCulloch 2007); for scores: people."""
APART = 0.9
"""Share of the group's variance that conditions explain, from which on the two cannot be told apart: a variance
inflation of 10 (Kutner et al., Applied Linear Statistical Models)."""
SAME = 1e-6
"""Share of a column's variance that the other columns leave, below which it says the same as they do."""
METHOD = "standardised rates of a logistic model; joint sandwich clustered by subject, t"
METHOD_SCORES = "linear model; joint sandwich clustered by subject, t"


@dataclass(frozen=True, eq=False)
class Model:
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
    def of(cls, trials: Trials, columns: Columns, kind: Kind, reference: int) -> Model:
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

    def judged(
        self, asked: Mapping[int, Gap], level: float
    ) -> tuple[dict[int, Gap], tuple[Effect, ...], Mapping[str, str]]:
        """All gaps, or why there are none; the columns' effects; measures that were left out."""
        if self.reason is not None or not asked:
            return {g: replace(gap, reason=self.reason) for g, gap in asked.items()}, (), self.left_out
        overlap = {g: self._explained(g) for g in asked}
        made = {
            g: replace(asked[g], overlap=share, reason=_APART.format(share=share))
            for g, share in overlap.items()
            if share >= APART
        }
        left = {g: replace(gap, overlap=overlap[g]) for g, gap in asked.items() if g not in made}
        if made and left:  # without the others' trials a column may vary no more
            found, effects, left_out = self._among([self.reference, *left]).judged(left, level)
            return {**made, **found}, effects, {**self.left_out, **left_out}
        reason = self._too_few(len(left) + len(self.names)) if left else None
        if reason is None and left:
            try:
                answers, effects = _Fitted(self, list(left)).answers(level)
            except regression.SeparatedError:
                reason = "the model has no finite estimate: groups and conditions tell the errors apart entirely"
            else:
                return {g: replace(left[g], **answer) for g, answer in answers.items()}, effects, self.left_out
        return {**made, **{g: replace(gap, reason=reason) for g, gap in left.items()}}, (), self.left_out

    def _among(self, groups: Sequence[int]) -> Model:
        """The same of the trials of some groups."""
        rows = np.isin(self.trials.group, groups)
        columns = {
            name: self.values[rows, k] * deviation
            for k, (name, deviation) in enumerate(zip(self.names, self.deviations, strict=True))
        }
        return Model.of(self.trials.part(rows), columns, self.kind, self.reference)

    def _explained(self, group: int) -> float:
        """Share of the variance of belonging to a group, and not to the reference, that the columns explain."""
        rows = np.isin(self.trials.group, [group, self.reference])
        weight = self.trials.weights[rows]
        share = weight / weight.sum()
        sides = np.column_stack([self.trials.group[rows] == group, self.values[rows]]).astype(np.float64)
        sides -= share @ sides
        product = sides.T @ (share[:, None] * sides)
        return min(1.0, max(0.0, 1 - _left(product, 0, slice(1, None)) / float(product[0, 0])))

    def _too_few(self, columns: int) -> str | None:
        used = self.trials
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

    def __init__(self, model: Model, groups: list[int]) -> None:
        used, values = model.trials, model.values
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
        """A logarithm of a ratio as the ratio; a difference as it is. Without variance there is no interval."""
        turn = _exp if self._model.kind == "rate" else float
        low, high = turn(bounds[0]), turn(bounds[1])
        return {
            name: turn(value),
            f"{name}_interval": Interval(low, high, level, self._method) if low < high else None,
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
