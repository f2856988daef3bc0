"""Demographic parity and equalised odds: how differently a model says a word of different groups.

For each word in turn, over K groups: s_g is the share of a group's pictures of which it is said, t_g the same among
those whose true label it is (recall), f_g among those whose true label is another. Differences are max - min over
groups and ratios min / max (between groups); `equalized_odds_difference` is the larger of the differences of t and f,
its `_mean` their mean, the ratio the smaller one. Names and values are those of fairlearn (Weerts et al. 2023, JMLR
24:257), whose values test these. Spreads are inflated by noise, so each stands beside what it would be under equal
rates: draws around the pooled rates with the same subject-clustered covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from audit.compare.counts import Floats
from audit.domain import DemographicGroup, Interval
from audit.groups import Grouping
from audit.metrics.attributes import LabelOutcomes
from audit.metrics.by_person import nobody
from audit.metrics.rates import Tally, by_subject, joint_covariance
from audit.metrics.support import FEWEST_SUBJECTS
from audit.stats.nulls import draw

METHOD = "draws of rates, clustered by subject: percentiles"


def _difference(rates: Floats) -> Floats:
    return np.asarray(rates.max(axis=-1) - rates.min(axis=-1))


def _ratio(rates: Floats) -> Floats:
    low, high = rates.min(axis=-1), rates.max(axis=-1)
    return np.asarray(np.divide(low, high, out=np.full_like(low, np.nan), where=high > 0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ParityMeasure:
    """A measure over (s, t, f), each ... x K; of a ratio smaller is further from equal."""

    id: str
    formula: str
    ratio: bool
    of: Callable[[Floats, Floats, Floats], Floats]


_TABLE = (
    ParityMeasure("demographic_parity_difference", "max s - min s", False, lambda s, t, f: _difference(s)),  # noqa: ARG005
    ParityMeasure("demographic_parity_ratio", "min s / max s", True, lambda s, t, f: _ratio(s)),  # noqa: ARG005
    ParityMeasure(
        "equalized_odds_difference",
        "max(max t - min t, max f - min f)",
        False,
        lambda s, t, f: np.maximum(_difference(t), _difference(f)),  # noqa: ARG005
    ),
    ParityMeasure(
        "equalized_odds_difference_mean",
        "((max t - min t) + (max f - min f)) / 2",
        False,
        lambda s, t, f: (_difference(t) + _difference(f)) / 2,  # noqa: ARG005
    ),
    ParityMeasure(
        "equalized_odds_ratio",
        "min(min t / max t, min f / max f)",
        True,
        lambda s, t, f: np.minimum(_ratio(t), _ratio(f)),  # noqa: ARG005
    ),
    ParityMeasure("equal_opportunity_difference", "max t - min t", False, lambda s, t, f: _difference(t)),  # noqa: ARG005
)
PARITY: Mapping[str, ParityMeasure] = MappingProxyType({measure.id: measure for measure in _TABLE})
"""Every measure by its id."""


@dataclass(frozen=True, slots=True)
class Parity:
    """A measure for one word over the groups of an attribute or an intersection."""

    measure: str
    word: str
    attributes: tuple[str, ...]
    value: float | None
    interval: Interval | None
    null_p: float | None
    null_median: float | None
    null_far: float | None
    """95 % point (of a ratio the 5 % point) under equal rates."""
    included: tuple[DemographicGroup, ...]
    excluded: tuple[tuple[DemographicGroup, str], ...]
    reason: str | None = None


def parities(
    outcomes: LabelOutcomes,
    grouping: Grouping,
    attribute: str,
    *,
    rng: np.random.Generator,
    draws: int,
    level: float,
    fewest: int = FEWEST_SUBJECTS,
) -> list[Parity]:
    """Every measure for every word that is somebody's true label, over every family of groups.

    Parameters
    ----------
    attribute : the one that the model says; families that it is part of are left out, since its groups *are* the true
        labels, and a model that is right differs between them
    fewest : groups of fewer people stay out; so does a group without somebody of the true label, or of another
    """
    vocabulary = outcomes.vocabulary
    words = [word for word in vocabulary.words if word in vocabulary.values]
    made = []
    for attributes, family in grouping.families().items():
        if attribute in attributes:
            continue
        for word in words:
            made += _family(outcomes, grouping, word, attributes, family, rng, draws, level, fewest)
    return made


def said(outcomes: LabelOutcomes, word: str, inside: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> Tally:
    """Pictures of which a word is said: of all, of those whose true label it is, of the others; (3 K) columns.

    Only people of whom the truth is known count, in all three.

    Parameters
    ----------
    inside : bool, (K, n): members of each group
    """
    vocabulary = outcomes.vocabulary
    spoken = outcomes.said[:, vocabulary.words.index(word)]
    total = outcomes.said.sum(axis=1)
    known = outcomes.truth >= 0
    own = outcomes.truth == vocabulary.values.index(word)
    cells = np.concatenate([inside & known, inside & own, inside & known & ~own])
    return by_subject(spoken, total, cells)


def _family(
    outcomes: LabelOutcomes,
    grouping: Grouping,
    word: str,
    attributes: tuple[str, ...],
    family: Sequence[int],
    rng: np.random.Generator,
    draws: int,
    level: float,
    fewest: int,
) -> list[Parity]:
    members = grouping.member[:, grouping.atom_of]
    first = said(outcomes, word, members[list(family)])
    out = {k: why for k, why in zip(family, _left_out(first, len(family), fewest), strict=True) if why}
    chosen = [k for k in family if k not in out]
    included = tuple(grouping.groups[k] for k in chosen)
    excluded = tuple((grouping.groups[k], why) for k, why in out.items())
    if len(chosen) < 2:
        number = "none" if not chosen else "one"
        why = f"{number} of the groups is large enough; a difference needs two"
        return [
            Parity(name, word, attributes, None, None, None, None, None, included, excluded, why) for name in PARITY
        ]
    tally = said(outcomes, word, members[chosen])
    rates = tally.rates.reshape(3, -1)
    equal, around = _draws(tally, rng, draws)
    made = []
    for measure in PARITY.values():
        value = float(measure.of(*rates))
        if not np.isfinite(value):
            why = "the word is said of nobody"
            made.append(Parity(measure.id, word, attributes, None, None, None, None, None, included, excluded, why))
            continue
        null, near = (np.nan_to_num(measure.of(*(x[:, k] for k in range(3))), nan=1.0) for x in (equal, around))
        far = null <= value + 1e-12 if measure.ratio else null >= value - 1e-12
        low, high = (float(x) for x in np.quantile(near, [(1 - level) / 2, (1 + level) / 2]))
        made.append(
            Parity(
                measure.id, word, attributes, value,
                Interval(min(low, value), max(high, value), level, METHOD),
                (1 + int(far.sum())) / (draws + 1),
                float(np.median(null)), float(np.quantile(null, 0.05 if measure.ratio else 0.95)),
                included, excluded,
            )
        )  # fmt: skip
    return made


def _left_out(tally: Tally, groups: int, fewest: int) -> list[str]:
    """Why each group stays out, by what is known before anything is said; "" where it enters."""
    people, own, other = tally.subjects.reshape(3, groups)
    return [
        f"{people[k]} people, fewer than {fewest}"
        if people[k] < fewest
        else "nobody has the true label"
        if not own[k]
        else "nobody has another true label"
        if not other[k]
        else ""
        for k in range(groups)
    ]


def _draws(tally: Tally, rng: np.random.Generator, draws: int) -> tuple[Floats, Floats]:
    """Rates under equality and around the observed ones, each (draws, 3, K), in [0, 1].

    A rate of 0 or 1 has a plug-in variance of 0, which says nothing: no variance is below that of the pooled rate.
    """
    sigma = joint_covariance(nobody(len(tally.residuals)), tally)
    errors, trials = tally.errors.reshape(3, -1), tally.trials.reshape(3, -1)
    pooled = np.repeat(errors.sum(axis=1) / trials.sum(axis=1), trials.shape[1])
    edge = (tally.rates == 0) | (tally.rates == 1)
    least = np.where(edge, pooled * (1 - pooled) / tally.trials, 0.0)
    sigma[np.diag_indices_from(sigma)] = np.maximum(np.diag(sigma), least)
    made = [np.clip(draw(centre, sigma, draws, rng), 0, 1).reshape(draws, 3, -1) for centre in (pooled, tally.rates)]
    return made[0], made[1]
