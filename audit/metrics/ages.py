"""How far off estimated ages are: means, quantiles, and decisions that rest on an age.

Definitions. The error of a picture is estimated minus true age in years. MAE is the mean of its size, bias its mean
(above 0: people are taken for older), P90 the size that 90 % of the pictures do not exceed. Two kinds of decision:
*off* by more than so many years, and a *challenge age* (of shops that ask everybody who looks younger than, say, 25 for
proof): somebody under a limit who is taken for that age or more passes; somebody of that age or more who is taken for
younger is stopped. Errors depend on the true age, so groups of different ages are compared within bands of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Floats, Ints
from audit.domain import UNKNOWN, Attribute, DemographicGroup, Interval, Subject, Support
from audit.groups import Grouping
from audit.metrics.attributes import Decided
from audit.metrics.evaluation import Metric
from audit.metrics.support import FEWEST_SUBJECTS, support
from audit.stats.means import ClusteredMean, clustered_mean
from audit.stats.quantiles import ClusteredQuantile, clustered_quantile

OLDEST = 130.0
"""A number of years beyond is no age."""
P90 = 0.9
MEAN_METHOD = "subject-clustered mean, Student's t"
QUANTILE_METHOD = "subject-clustered Woodruff"


def true_ages(subjects: Sequence[Subject], attribute: Attribute) -> tuple[Floats, dict[str, int]]:
    """The true age of each person in years.

    Returns
    -------
    (ages, without)
        (n,), NaN where there is none; how many people have none, by reason. Text is never read as an age.
    """
    ages = np.full(len(subjects), np.nan)
    without: dict[str, int] = {}
    for k, subject in enumerate(subjects):
        held = subject.attributes.get(attribute.name, ())
        found = _years(held)
        if isinstance(found, str):
            without[found] = without.get(found, 0) + 1
        else:
            ages[k] = found
    return ages, without


def _years(held: Sequence[str]) -> float | str:
    """A number of years, or why there is none."""
    if not held or held == (UNKNOWN,):
        return "no age"
    if len(held) > 1:
        return "several ages"
    try:
        years = float(held[0])
    except ValueError:
        return "an age in words"
    return years if 0 <= years <= OLDEST else "a number that is no age"


@dataclass(frozen=True, eq=False)
class AgeOutcomes:
    """What a model said of each person's pictures.

    Parameters
    ----------
    truth : float, (n,), years; NaN where it is not known
    owner : int, (m,): the person of each picture that was processed
    years : float, (m,): what was said
    lost : int, (n,): pictures of which nothing was said
    """

    truth: Floats
    owner: Ints
    years: Floats
    lost: Ints

    @property
    def known(self) -> NDArray[np.bool_]:
        """People whose age is known, (n,)."""
        return np.asarray(np.isfinite(self.truth))


def off(outcomes: AgeOutcomes, years: float) -> Decided:
    """Pictures whose error is larger than so many years."""
    wrong = np.abs(outcomes.years - outcomes.truth[outcomes.owner]) > years
    return _decided(outcomes, f"age-off-{years:g}", "OFF", outcomes.known, wrong, f"off by more than {years:g}", years)


def passed(outcomes: AgeOutcomes, limit: float, challenge: float) -> Decided:
    """People under a limit who are taken for the challenge age or more."""
    rule = f"under {limit:g} and taken for {challenge:g} or more"
    chosen = outcomes.known & (outcomes.truth < limit)
    wrong = outcomes.years >= challenge
    return _decided(outcomes, f"challenge-{challenge:g}-under-{limit:g}", "PASS", chosen, wrong, rule, challenge)


def stopped(outcomes: AgeOutcomes, challenge: float) -> Decided:
    """People of the challenge age or more who are taken for younger."""
    rule = f"{challenge:g} or more and taken for under {challenge:g}"
    chosen = outcomes.known & (outcomes.truth >= challenge)
    wrong = outcomes.years < challenge
    return _decided(outcomes, f"challenge-{challenge:g}-of-age", "STOP", chosen, wrong, rule, challenge)


def _decided(
    outcomes: AgeOutcomes,
    name: str,
    metric: Metric,
    chosen: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    rule: str,
    years: float,
) -> Decided:
    people = len(outcomes.truth)
    tried = np.bincount(outcomes.owner, minlength=people)
    errors = np.bincount(outcomes.owner[wrong], minlength=people)
    none = np.zeros(people, dtype=np.int64)
    kept = [np.where(chosen, part, none) for part in (errors, tried, outcomes.lost)]
    return Decided(name, metric, kept[0], kept[1], kept[2], rule, years)


@dataclass(frozen=True, slots=True)
class Summary:
    """A mean or quantile in years; None with a reason where there is none."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class AgeErrors:
    """How far off ages are in a group. Every number is None, with a reason, where too few people stand behind it.

    `lost` counts pictures of people whose age is known that were not processed: no error in years stands for them.
    """

    group: DemographicGroup
    pictures: int
    subjects: int
    lost: int
    mae: Summary
    bias: Summary
    p90: Summary
    support: Support
    reason: str | None = None


def errors(outcomes: AgeOutcomes, grouping: Grouping, *, level: float, min_subjects: int) -> list[AgeErrors]:
    """MAE and bias of every group, with intervals clustered by person, and P90 of those with 30 people."""
    chosen = outcomes.known[outcomes.owner]
    owner = outcomes.owner[chosen]
    error = outcomes.years[chosen] - outcomes.truth[owner]
    lost = np.where(outcomes.known, outcomes.lost, 0)
    made = []
    for group, row in zip(grouping.groups, grouping.member[:, grouping.atom_of], strict=True):
        mine = row[owner]
        people, pictures = len(np.unique(owner[mine])), int(mine.sum())
        nothing = Summary(None, None)
        if people < min_subjects:
            why = "nobody whose age is known" if not people else f"fewer than {min_subjects} people"
            made.append(
                AgeErrors(group, pictures, people, int(lost[row].sum()), nothing, nothing, nothing, "count-only", why)
            )
            continue
        counts = np.bincount(owner[mine], minlength=len(row))
        size = np.abs(error[mine])
        mae = clustered_mean(np.bincount(owner[mine], weights=size, minlength=len(row)), counts, level)
        bias = clustered_mean(np.bincount(owner[mine], weights=error[mine], minlength=len(row)), counts, level)
        # A quantile is one picture's own error: among few people it would be a person's.
        p90 = clustered_quantile(size, owner[mine], P90, level) if people >= FEWEST_SUBJECTS else None
        made.append(
            AgeErrors(
                group,
                pictures,
                people,
                int(lost[row].sum()),
                _mean(mae, level, low=0.0),
                _mean(bias, level),
                _quantile(p90, level),
                support(people, math.inf),
            )
        )
    return made


def _mean(found: ClusteredMean | None, level: float, low: float = -math.inf) -> Summary:
    """As the record holds it; the size of an error is not below 0."""
    if found is None:
        return Summary(None, None)
    return Summary(found.mean, Interval(max(found.low, low), found.high, level, MEAN_METHOD))


def _quantile(found: ClusteredQuantile | None, level: float) -> Summary:
    if found is None:
        return Summary(None, None)
    return Summary(found.value, Interval(found.low, found.high, level, QUANTILE_METHOD))
