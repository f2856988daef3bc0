"""The same person with one factor changed: how much score, FNMR, detection and landmarks move, paired by person.

Every level of a factor is compared with two references: the person's own level (what the other samples show), and the
first level of the factor (position 0). People whose own level is the level itself are left out of the former.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Floats, Ints
from audit.domain import SeriesLevel
from audit.metrics.rates import KORN_GRAUBARD_BELOW
from audit.stats.paired import Change, farthest_shift, mean_change, rate_change

Quantity = Literal["score", "FNMR", "FRR", "miss", "landmarks"]
OWN = "own"


@dataclass(frozen=True, eq=False)
class Factor:
    """Series of one factor: `picture` (people, levels) indexes pictures, -1 where a person lacks a level."""

    name: str
    levels: tuple[str, ...]
    picture: Ints
    own: Ints
    """Each person's own level, shape (people,)."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was measured of P pictures of series.

    Parameters
    ----------
    scores : (P,) mean score with the person's own other samples; NaN without a template
    errors, trials : operating point to (P,), of comparisons with the person's own other samples
    templates : (P,) whether the model made a template
    gallery : (P,) samples of the person that have a template
    missed : detector to (P,), whether it found no face
    points : (P, 5, 2) landmarks in pixels; NaN where no face was found
    """

    scores: Floats
    errors: Mapping[str, Ints]
    trials: Ints
    templates: NDArray[np.bool_]
    gallery: Ints
    missed: Mapping[str, NDArray[np.bool_]]
    points: Floats


@dataclass(frozen=True, slots=True)
class Movement:
    """How much a quantity moves at one level of a factor; `change` is None where it cannot be told, for `reason`."""

    factor: str
    level: str
    position: int
    against: str
    quantity: Quantity
    operating_point: str | None
    detector: str | None
    people: int
    errors: tuple[int, int] | None
    trials: tuple[int, int] | None
    change: Change | None
    reason: str | None = None


def factors(series: Sequence[SeriesLevel], pictures: Mapping[str, int]) -> list[Factor]:
    """Arrange the rows of a series by factor, person and level.

    Parameters
    ----------
    series : rows, in any order
    pictures : sample id to the index of a picture
    """
    made = []
    for name in dict.fromkeys(row.factor for row in series):
        rows = [row for row in series if row.factor == name]
        levels = {row.position: row.level for row in rows}
        column = {position: k for k, position in enumerate(sorted(levels))}
        people = {subject: k for k, subject in enumerate(dict.fromkeys(row.sample.subject_id for row in rows))}
        picture = np.full((len(people), len(levels)), -1, dtype=np.int64)
        own = np.full(len(people), -1, dtype=np.int64)
        for row in rows:
            person = people[row.sample.subject_id]
            picture[person, column[row.position]] = pictures[row.sample.sample_id]
            if row.own:
                own[person] = column[row.position]
        made.append(Factor(name, tuple(levels[position] for position in sorted(levels)), picture, own))
    return made


def movements(factor: Factor, outcomes: Outcomes, *, level: float, min_subjects: int) -> Iterator[Movement]:
    """Measure every level of a factor against the own level, then against the first."""
    people = np.arange(len(factor.own))
    first = np.zeros(len(factor.own), dtype=np.int64)
    for against, reference in ((OWN, factor.own), (factor.levels[0], first)):
        for position, name in enumerate(factor.levels):
            paired = people[reference != position]
            if len(paired) == 0:
                continue
            before = factor.picture[paired, reference[paired]]
            after = factor.picture[paired, position]
            both = (before >= 0) & (after >= 0)
            found = _Pairs(before[both], after[both], outcomes, level, max(2, min_subjects))
            for quantity, point, detector, change in found.all():
                yield Movement(factor.name, name, position, against, quantity, point, detector, *change)


_Row = tuple[int, tuple[int, int] | None, tuple[int, int] | None, Change | None, str | None]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pictures of the same people before and after a change."""

    before: Ints
    after: Ints
    outcomes: Outcomes
    level: float
    fewest: int

    def all(self) -> Iterator[tuple[Quantity, str | None, str | None, _Row]]:
        seen = self.outcomes
        yield "score", None, None, self._mean(seen.scores)
        for point, wrong in seen.errors.items():
            yield "FNMR", point, None, self._rate(wrong, seen.trials)
            # A picture without a template is rejected in every comparison that it was made for.
            rejected = np.where(seen.templates, wrong, seen.gallery)
            yield "FRR", point, None, self._rate(rejected, seen.gallery)
        ones = np.ones(len(seen.scores), dtype=np.int64)
        for detector, missed in seen.missed.items():
            yield "miss", None, detector, self._rate(missed.astype(np.int64), ones)
        yield "landmarks", None, None, self._landmarks()

    def _mean(self, values: Floats) -> _Row:
        before, after = values[self.before], values[self.after]
        known = np.isfinite(before) & np.isfinite(after)
        count = int(known.sum())
        if count < self.fewest:
            return count, None, None, None, self._why(count)
        return count, None, None, mean_change(before[known], after[known], self.level), None

    def _rate(self, errors: Ints, trials: Ints) -> _Row:
        wrong = np.stack([errors[self.before], errors[self.after]], axis=1)
        made = np.stack([trials[self.before], trials[self.after]], axis=1)
        known = (made > 0).all(axis=1)
        count = int(known.sum())
        (a, b), (c, d) = wrong[known].sum(axis=0).tolist(), made[known].sum(axis=0).tolist()
        if count < self.fewest:
            return count, (a, b), (c, d), None, self._why(count)
        change = rate_change(wrong[known], made[known], self.level, exact_below=KORN_GRAUBARD_BELOW)
        return count, (a, b), (c, d), change, None

    def _landmarks(self) -> _Row:
        """Mean shift of the landmark coordinate that may have moved farthest, in percent of the distance of the eyes.

        A detector wavers, in any direction, whenever a picture changes; over people that averages out. What another
        geometry does, does not.
        """
        before, after = self.outcomes.points[self.before], self.outcomes.points[self.after]
        eyes = np.linalg.norm(before[:, 0] - before[:, 1], axis=-1)
        moved = (100 * (after - before) / eyes[:, None, None]).reshape(len(before), -1)
        known = np.isfinite(moved).all(axis=1)
        count = int(known.sum())
        if count < self.fewest:
            return count, None, None, None, self._why(count)
        return count, None, None, farthest_shift(moved[known], self.level), None

    def _why(self, count: int) -> str:
        people = "1 person" if count == 1 else f"{count} people"
        return f"measured in both pictures of {people}; fewer than {self.fewest} are not given"
