"""The one generator behind the simulations: templates of people in groups, and the true error rates at any threshold.

An image's template is the unit vector of

    common direction + group direction + the person's own direction + exp(.4 N) x image noise

with normal own directions and noise, N standard normal once a person: some people are matched by many, others by few
("doves and wolves"). The common direction makes all scores depend on everybody's closeness to it. Group directions are
of one length and orthogonal, so that groups are exchangeable; at length 0 ("homophily off") there are no groups at all.
Everybody has 2, 3 or 4 images. Scores are cosines.

As groups are exchangeable, the true rate of a group at a threshold is that of the generator: the share of scores of two
people of one group above it (of one person below it), read from a large population of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]
GROUPS, DIMENSION = 8, 32
COMMON, NOISE, WOLVES = 2.0, 0.5, 0.4
HOMOPHILY = 2.6
"""Length of group directions with homophily: within-group FMR is then at least 2.5 times the one across groups."""
CELLS = 20_000
"""Cells of the tables of true rates, from score -1 to 1."""


@dataclass(frozen=True, slots=True)
class Population:
    """Eight groups; the last one may have a longer direction of its own, which makes its people more alike."""

    homophily: float = 0.0
    last: float | None = None

    def directions(self) -> Floats:
        """Direction of each group with the common one, shape (groups, dimension)."""
        lengths = np.full(GROUPS, self.homophily)
        if self.last is not None:
            lengths[-1] = self.last
        made = np.zeros((GROUPS, DIMENSION))
        made[:, 0] = COMMON
        made[np.arange(GROUPS), 1 + np.arange(GROUPS)] = lengths
        return made

    def draw(self, people: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Templates and owners of `people` subjects a group; subject k is of group k // people."""
        images = rng.integers(2, 5, GROUPS * people)
        who = np.repeat(np.arange(GROUPS * people), images)
        return self._templates(np.repeat(np.arange(GROUPS), people), who, rng), who

    def _templates(
        self, group: NDArray[np.int64], who: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        own = self.directions()[group] + rng.normal(size=(len(group), DIMENSION))
        noise = NOISE * np.exp(WOLVES * rng.normal(size=len(group)))
        made = own[who] + noise[who, None] * rng.normal(size=(len(who), DIMENSION))
        return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def _tail(counts: NDArray[np.int64]) -> Floats:
    """Share of scores at or above each edge."""
    return np.r_[np.cumsum(counts[::-1])[::-1], 0] / counts.sum()


def _histogram(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    place = np.clip((scores.ravel() + 1) * (CELLS / 2), 0, CELLS - 1).astype(np.int64)
    return np.bincount(place, minlength=CELLS)


@cache
def true_rates(
    homophily: float, other: float | None = None, people: int = 6000, times: int = 12
) -> tuple[Floats, Floats]:
    """Tables of the true FMR within a group (or across two, `other` being a length) and FNMR, by score.

    Returns
    -------
    (FMR, FNMR), shape (CELLS + 1,) at equally spaced scores from -1 to 1
    """
    across = other is not None
    population = Population(homophily, last=other)
    nonmated, mated = np.zeros(CELLS, dtype=np.int64), np.zeros(CELLS, dtype=np.int64)
    for seed in range(times):
        rng = np.random.default_rng([20_261, seed])
        group = np.repeat([0, GROUPS - 1] if across else [0], people // 2 if across else people)
        one = population._templates(group, np.arange(len(group)), rng)
        many = np.repeat(group, 10)
        pairs = population._templates(many, np.repeat(np.arange(len(many)), 2), rng)
        mated += _histogram((pairs[::2] * pairs[1::2]).sum(axis=1))
        for start in range(0, len(one), 1000):
            if across:
                half = len(one) // 2
                if start < half:
                    nonmated += _histogram(one[start : start + 1000] @ one[half:].T)
            else:
                scores = one[start : start + 1000] @ one.T
                later = np.arange(len(one))[None, :] > np.arange(start, start + len(scores))[:, None]
                nonmated += _histogram(scores[later])
    return _tail(nonmated), 1 - _tail(mated)


def at(table: Floats, score: float) -> float:
    """A table's value at a score."""
    return float(np.interp(score, np.linspace(-1, 1, CELLS + 1), table))


def homophily_ratio(target: float, length: float = HOMOPHILY) -> float:
    """FMR within a group over the one across groups, at the threshold where the latter meets a target."""
    within, across = true_rates(length)[0], true_rates(length, length)[0]
    place = int(np.argmax(across <= target))
    return float(within[place] / across[place])


def worse_by(ratio: float, threshold: float, homophily: float) -> Population:
    """A population whose last group has a true FMR that many times the others' at a threshold."""
    base = at(true_rates(homophily)[0], threshold)

    def excess(length: float) -> float:
        return np.log(at(true_rates(length, people=4000, times=4)[0], threshold) / base) - np.log(ratio)

    length = brentq(excess, homophily, homophily + 6, xtol=0.005)
    return replace(Population(homophily), last=float(length))
