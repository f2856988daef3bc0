"""The covariance of error rates of two audits that were made on the same people.

The covariance of a rate p of one audit with a rate q of another, both of one group (`audit.stats.clustered`, with R and
S the residual row sums of their pair cells, y and z the residuals of subject pairs)::

    cov(p, q) = f (R'S - sum y z) / (M N)      f: geometric mean of the two small-sample factors

`sum y z` runs over the pairs of people compared in both audits, with y = e - p c from the sparse table of pairs that
have errors. Where that table was too large to keep, its bound sqrt(sum y^2 sum z^2) stands for it, which makes the
difference look less certain, never more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.influence import Floats, Influence, Ints

_LOST = {"FMR": 4.0}
"""Small-sample factors are n/(n - this); where trials belong to one person, n/(n - 1)."""


@dataclass(frozen=True, eq=False)
class Shared:
    """Two audits with the people that they have in common."""

    a: Influence
    b: Influence
    at_a: Ints
    at_b: Ints

    @classmethod
    def of(cls, a: Influence, b: Influence) -> Shared:
        """Align people by their hashes."""
        _, at_a, at_b = np.intersect1d(a.people, b.people, assume_unique=True, return_indices=True)
        return cls(a, b, at_a.astype(np.int64), at_b.astype(np.int64))

    def covariance(
        self, metric: str, a: tuple[str | None, dict[str, str]], b: tuple[str | None, dict[str, str]]
    ) -> float | None:
        """Covariance of a rate of the one audit with a rate of the other; each is (operating point, group).

        Returns
        -------
        None where one of the two has no such rate
        """
        here, there = self.a.cell(*a), self.b.cell(*b)
        if here is None or there is None or metric not in self.a.trials or metric not in self.b.trials:
            return None
        (t, g), (u, h) = here, there
        totals = self.a.trials[metric][t, g], self.b.trials[metric][u, h]
        if not all(totals):
            return None
        own = self.a.residuals[metric][t, self.at_a, g] @ self.b.residuals[metric][u, self.at_b, h]
        if metric == "FMR":
            own -= self._pairs(t, g, u, h)
        factor = 1.0
        for people in (self.a.subjects[metric][t, g], self.b.subjects[metric][u, h]):
            lost = _LOST.get(metric, 1.0)
            if people > lost:
                factor *= people / (people - lost)
        return float(np.sqrt(factor) * own / (totals[0] * totals[1]))

    def floor(self, a: tuple[str | None, dict[str, str]], b: tuple[str | None, dict[str, str]]) -> float:
        """Least variance of the log ratio of two FMRs above 0: the part that single pairs of people add.

        `sum (y / (M p) - z / (N q))^2`: as the variance of one rate is not below `sum y^2 / M^2`. From few people the
        estimate of what they add beyond it may be anything, also less than nothing.
        """
        here, there = self.a.cell(*a), self.b.cell(*b)
        if here is None or there is None or "FMR" not in self.a.trials or "FMR" not in self.b.trials:
            return 0.0
        errors = [
            one.trials["FMR"][at] * one.rates["FMR"][at] for one, at in ((self.a, here), (self.b, there))
        ]  # fmt: skip
        if not all(errors):
            return 0.0
        own = self.a.squares["FMR"][here] / errors[0] ** 2 + self.b.squares["FMR"][there] / errors[1] ** 2
        return max(0.0, float(own - 2 * self._pairs(*here, *there) / (errors[0] * errors[1])))

    def _pairs(self, t: int, g: int, u: int, h: int) -> float:
        """Sum over pairs of people compared in both audits of the product of their residuals, or its bound."""
        a, b = _Pairs.of(self.a, self.at_a, t, g), _Pairs.of(self.b, self.at_b, u, h)
        if a is None or b is None:
            return float(np.sqrt(self.a.squares["FMR"][t, g] * self.b.squares["FMR"][u, h]))
        p, q = float(self.a.rates["FMR"][t, g]), float(self.b.rates["FMR"][u, h])
        _, x, y = np.intersect1d(a.key, b.key, assume_unique=True, return_indices=True)
        ee = float(a.errors[x] @ b.errors[y])
        ec = float(a.errors @ b.compared(a.first, a.second))
        ce = float(b.errors @ a.compared(b.first, b.second))
        return ee - q * ec - p * ce + p * q * _both(a, b)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of common people (numbered alike in both audits) that lie within a group."""

    key: Ints
    first: Ints
    second: Ints
    errors: Floats
    trials: Floats
    samples: Floats | None
    inside: NDArray[np.bool_]
    atom_of: Ints
    allowed: NDArray[np.bool_]

    @classmethod
    def of(cls, one: Influence, at: Ints, t: int, g: int) -> _Pairs | None:
        if one.first is None or one.second is None or one.pair_trials is None or one.pair_errors is None:
            return None
        place = np.full(len(one.people), -1, dtype=np.int64)
        place[at] = np.arange(len(at))
        inside = one.member[g]
        keep = (place[one.first] >= 0) & (place[one.second] >= 0) & inside[one.first] & inside[one.second]
        i, j = place[one.first[keep]], place[one.second[keep]]
        low, high = np.minimum(i, j), np.maximum(i, j)
        key = low * len(at) + high
        order = np.argsort(key)
        samples = None if one.samples is None else one.samples[at].astype(np.float64)
        return cls(
            key[order], low[order], high[order], one.pair_errors[t][keep][order].astype(np.float64),
            one.pair_trials[keep][order].astype(np.float64), samples, inside[at], one.atom_of[at], one.allowed,
        )  # fmt: skip

    def compared(self, first: Ints, second: Ints) -> Floats:
        """Comparisons of pairs in this audit, as far as they lie within its group."""
        if self.samples is not None:
            fits = self.inside[first] & self.inside[second] & self.allowed[self.atom_of[first], self.atom_of[second]]
            return np.where(fits, self.samples[first] * self.samples[second], 0.0)
        key = first * len(self.inside) + second
        found = np.searchsorted(self.key, key)
        found = np.minimum(found, max(len(self.key) - 1, 0))
        return np.where(self.key[found] == key, self.trials[found], 0.0) if len(self.key) else np.zeros(len(key))


def _both(a: _Pairs, b: _Pairs) -> float:
    """Sum over pairs compared in both of the product of their numbers of comparisons."""
    if a.samples is None:
        return float(a.trials @ b.compared(a.first, a.second))
    if b.samples is None:
        return float(b.trials @ a.compared(b.first, b.second))
    size = a.samples * b.samples * (a.inside & b.inside)
    label, place = np.unique(a.atom_of * len(b.allowed) + b.atom_of, return_inverse=True)
    sums = np.bincount(place, size, len(label))
    one, two = label // len(b.allowed), label % len(b.allowed)
    reach = (a.allowed[np.ix_(one, one)] & b.allowed[np.ix_(two, two)]).astype(np.float64)
    return float((sums @ reach @ sums - size**2 @ reach.diagonal()[place]) / 2)
