"""Errors with a planted effect of capture conditions, of which the rates at equal conditions are known.

An error of a trial has probability expit(a + slope x + own g), x being the trial's blur and g its group: exactly the
logistic model that is fitted, whatever the dependence, because that comes from a Gaussian copula: a trial is an error
where Phi(z) is below its probability, z being normal and correlated between trials that share a subject. People of
group 1 are blurrier by `shift`, so that a slope makes a gap that conditions account for, and `own` one that they don't.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

from audit.metrics import conditions


@dataclass(frozen=True)
class Planted:
    """Two groups; `second` is how trials are made: samples of one subject, mated or non-mated comparisons."""

    kind: str
    people: int
    images: int
    base: float
    slope: float
    own: float
    shift: float
    shared: float = 0.3

    def trials(self, rng: np.random.Generator) -> tuple[conditions.Trials, dict[tuple[str, str], np.ndarray]]:
        group = np.repeat([0, 1], self.people)
        subject = np.repeat(np.arange(len(group)), self.images)
        blur = self.shift * group[subject] + 0.7 * (
            rng.normal(size=len(group))[subject] + rng.normal(size=len(subject))
        )
        one, two = self._pairs(subject, group)
        columns = (
            conditions.of_samples({"blur": blur})
            if two is None
            else {key: x for key, x in conditions.of_pairs({"blur": blur}, one, two).items() if key[1] == "mean"}
        )
        x, first = next(iter(columns.values())), subject[one]
        second = first if two is None else subject[two]
        person = rng.normal(size=len(group))
        common = np.where(first == second, person[first], (person[first] + person[second]) / np.sqrt(2))
        z = np.sqrt(self.shared) * common + np.sqrt(1 - self.shared) * rng.normal(size=len(first))
        wrong = ndtr(z) < expit(self.base + self.slope * x + self.own * group[first])
        return (
            conditions.Trials(wrong.astype(float), group[first], first, None if two is None else second),
            columns,
        )

    def _pairs(self, subject: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        if self.kind == "samples":
            return np.arange(len(subject)), None
        one, two = np.triu_indices(len(subject), 1)
        same = subject[one] == subject[two]
        inside = group[subject[one]] == group[subject[two]]
        keep = same if self.kind == "mated" else inside & ~same
        return one[keep], two[keep]

    def truth(self) -> tuple[float, float]:
        """Ratio of the groups' rates as they are, and at the conditions of everybody; by quadrature over blur."""
        spread = 0.7 * np.sqrt(2.0 if self.kind == "samples" else 1.5 if self.kind == "mated" else 1.0)
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        weights /= weights.sum()

        def rate(own: float, shift: float) -> float:
            return float(weights @ expit(self.base + self.slope * (shift + spread * nodes) + own))

        before = rate(self.own, self.shift) / rate(0.0, 0.0)
        at_all = [rate(own, 0.0) + rate(own, self.shift) for own in (self.own, 0.0)]
        return before, at_all[0] / at_all[1]
