"""Trials with an outcome, a group and the subjects behind them; and what is told of gaps between groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.domain import Interval, Support
from audit.stats.regression import Floats, Ints

Kind = Literal["rate", "score"]
Columns = Mapping[tuple[str, str], Floats]
"""(measure, column) to a number for every trial, NaN where it is missing."""


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
