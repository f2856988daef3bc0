"""Indices from the literature whose wording was not at hand when they were written here: recalled, never a headline.

They are computed only where a plan asks for them (`experimental`), enter no verdict, and carry no interval. All but
MAPE are made of score distributions: scores are brought to [0, 1] by the lowest and highest score of all comparisons.

- SFI, CFI, DFI (separation, compactness, distribution fairness index): Kotwal & Marcel (2022), ICPR workshops,
  arXiv:2306.10919, recalled.
- CEI (comprehensive equity index): Solano et al. (2024), arXiv:2409.01928: mated and non-mated scores apart, tail and
  centre split at a percentile, divergences from the mean distribution. Weights and percentile are a choice made here.
- MAPE: mean absolute percentage error of the groups' FMR from the target. Villalobos, Mery & Bowyer (2022), IEEE Access
  10, recalled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audit.compare.counts import Floats, ScoreCounts
from audit.groups import Grouping
from audit.metrics.evaluation import Measured

BINS = 100
TAIL = 0.1
"""Share of the mean distribution that is its tail, for CEI."""
FORMULAS = {
    "sfi": ("1 - (2/K) sum |z_k - mean z|, z_k = |mean mated - mean non-mated|", "Kotwal & Marcel (2022), recalled"),
    "cfi": ("1 - (2/K) sum |z_k - mean z|, z_k = sd mated + sd non-mated", "Kotwal & Marcel (2022), recalled"),
    "dfi": ("1 - sum KL2(s_k || mean s) / (K log2 K), s_k all scores of group k", "Kotwal & Marcel (2022), recalled"),
    "cei": (
        "1 - mean over mated and non-mated of sum (KL2 of tails + KL2 of centres) / 2 / (K log2 K), tail: 10 %",
        "Solano et al. (2024), recalled; weights chosen here",
    ),
    "mape": ("100 mean |FMR_k / target - 1|", "Villalobos, Mery & Bowyer (2022), recalled"),
}
"""Formula and source by measure."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index over the groups of a family; `value` None comes with a reason."""

    measure: str
    attributes: tuple[str, ...]
    operating_point: str | None
    value: float | None
    reason: str | None


def indices(
    scores: ScoreCounts, grouping: Grouping, measured: Sequence[Measured], min_subjects: int
) -> Iterator[Index]:
    """Evaluate every index over every family of groups with enough people and both kinds of comparisons."""
    for attributes, family in grouping.families().items():
        parts = [_distributions(scores, grouping, k) for k in family if grouping.subjects[k] >= min_subjects]
        whole = [part for part in parts if part is not None]
        for name, function in (("sfi", _sfi), ("cfi", _cfi), ("dfi", _dfi), ("cei", _cei)):
            if len(whole) < 2:
                yield Index(name, attributes, None, None, "fewer than two groups have both kinds of comparisons")
                continue
            yield Index(name, attributes, None, function(whole), None)
        for one in measured:
            yield _mape(one, attributes, family, grouping, min_subjects)


def _mape(
    one: Measured, attributes: tuple[str, ...], family: Sequence[int], grouping: Grouping, min_subjects: int
) -> Index:
    target, tally = one.point.target_fmr, one.tallies["FMR"]
    chosen = [k for k in family if grouping.subjects[k] >= min_subjects and tally.trials[k]]
    if target is None:
        return Index("mape", attributes, one.point.id, None, "the threshold was given: there is no target")
    if not chosen:
        return Index("mape", attributes, one.point.id, None, "no group has a non-mated comparison")
    return Index("mape", attributes, one.point.id, mape(tally.rates[chosen], target), None)


@dataclass(frozen=True, eq=False)
class _Scores:
    """Shares of a group's mated and non-mated scores by bin of [0, 1], and the moments of the scores themselves."""

    mated: Floats
    nonmated: Floats
    counts: tuple[int, int]
    means: tuple[float, float]
    deviations: tuple[float, float]


def _distributions(scores: ScoreCounts, grouping: Grouping, position: int) -> _Scores | None:
    everyone = np.concatenate(
        [
            scores.distribution(scores.chosen(grouping.member[0], mated=True))[0],
            scores.distribution(scores.chosen(grouping.within(0), mated=False))[0],
        ]
    )
    if not len(everyone) or everyone.min() == everyone.max():
        return None
    low, high = float(everyone.min()), float(everyone.max())
    shares, counts, means, deviations = [], [], [], []
    for mated in (True, False):
        mask = grouping.member[position] if mated else grouping.within(position)
        values, numbers = scores.distribution(scores.chosen(mask, mated=mated))
        if not numbers.sum():
            return None
        unit = (values - low) / (high - low)
        mean = float(np.average(unit, weights=numbers))
        means.append(mean)
        deviations.append(float(np.sqrt(np.average((unit - mean) ** 2, weights=numbers))))
        counts.append(int(numbers.sum()))
        place = np.minimum((unit * BINS).astype(np.int64), BINS - 1)
        shares.append(np.bincount(place, numbers, BINS) / numbers.sum())
    return _Scores(
        shares[0], shares[1], (counts[0], counts[1]), (means[0], means[1]), (deviations[0], deviations[1])
    )  # fmt: skip


def even(values: Floats) -> float:
    """Evenness of K numbers in [0, 1]: `1 - (2/K) sum |z_k - mean z|`.

    >>> even(np.array([0.5, 0.5])), even(np.array([0.4, 0.6]))
    (1.0, 0.8)
    """
    return float(1 - 2 * np.abs(values - values.mean()).mean())


def divergence(rows: Floats) -> float:
    """Mean divergence from the mean distribution as a share of the largest possible: `sum KL2 / (K log2 K)`.

    >>> divergence(np.array([[0.5, 0.5], [0.5, 0.5]])), divergence(np.array([[1.0, 0.0], [0.0, 1.0]]))
    (0.0, 1.0)
    """
    mean = rows.mean(axis=0)
    ratio = np.divide(rows, mean, out=np.ones_like(rows), where=rows > 0)
    return float((rows * np.log2(ratio)).sum() / (len(rows) * np.log2(len(rows))))


def mape(rates: Floats, target: float) -> float:
    """Mean absolute percentage error of rates from a target.

    >>> mape(np.array([0.01, 0.03]), 0.02)
    50.0
    """
    return float(100 * np.abs(np.asarray(rates) / target - 1).mean())


def _sfi(groups: Sequence[_Scores]) -> float:
    return even(np.array([abs(g.means[0] - g.means[1]) for g in groups]))


def _cfi(groups: Sequence[_Scores]) -> float:
    return even(np.array([sum(g.deviations) for g in groups]))


def _dfi(groups: Sequence[_Scores]) -> float:
    return 1 - divergence(np.array([np.average([g.mated, g.nonmated], axis=0, weights=g.counts) for g in groups]))


def _cei(groups: Sequence[_Scores]) -> float:
    parts = []
    for rows, lower in ((np.array([g.mated for g in groups]), True), (np.array([g.nonmated for g in groups]), False)):
        mean = np.cumsum(rows.mean(axis=0)[:: 1 if lower else -1])
        last = int(np.searchsorted(mean, TAIL)) + 1
        tail = np.arange(BINS) < last if lower else np.arange(BINS) >= BINS - last
        parts.append((divergence(_share(rows, tail)) + divergence(_share(rows, ~tail))) / 2)
    return 1 - sum(parts) / len(parts)


def _share(rows: Floats, where: np.ndarray) -> Floats:
    """A part of distributions, with what lies outside it as one more bin."""
    inside = rows[:, where]
    return np.hstack([inside, np.maximum(1 - inside.sum(axis=1, keepdims=True), 0)])
