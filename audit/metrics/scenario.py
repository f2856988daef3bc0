"""What measured error rates would do somewhere: false alarms a day, by group, and how many alarms are wrong.

A face is compared with a list of N people. With f the false match rate of one comparison, and comparisons that do not
depend on each other, an alarm for somebody who is not on the list has the probability 1 - (1 - f)^N (the binomial model
of Grother & Phillips 2004, "Models of large population recognition performance", CVPR). Comparisons of one face with a
list *do* depend on each other: some faces resemble many (Doddington et al. 1998, "Sheep, goats, lambs and wolves").
Three statements are kept apart:

- the expected number of false candidates, N f a face, holds whatever depends on what;
- 1 - (1 - f)^N is the largest probability of an alarm that this f allows when faces differ in how much they resemble
  others, each with a rate f_i of her own: E[1 - (1 - f_i)^N] <= 1 - (1 - f)^N (Jensen);
- the band says how far below it the probability lies: with rates f_i that follow a beta distribution whose variance is
  the one seen between people (the beta-binomial model of Schuckers 2003, Int. J. Image and Graphics 3:523), or, where
  a list was tried, with the growth of FPIR that was measured.

What no count carries is said: with no false match seen there is only an upper bound, and a list longer than the number
of people that anybody was compared with is an extrapolation.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln

from audit.compare.counts import Floats, OperatingCounts
from audit.domain import DemographicGroup, Interval
from audit.errors import PlanError
from audit.groups import Grouping
from audit.metrics.rates import Tally, by_subject, interval, joint_covariance, nonmated
from audit.stats.intervals import zero_upper_bound

ONE_SIDED = 1.6448536269514722
"""Standard deviations from a mean to its one-sided 95 % bound."""


@dataclass(frozen=True, eq=False)
class Passers:
    """Who passes, and who is on the list: positions of groups with their shares, which add up to 1 each."""

    positions: tuple[int, ...]
    shares: tuple[float, ...]
    on_list: tuple[float, ...]


def passers(grouping: Grouping, by: str, shares: Mapping[str, float], on_list: Mapping[str, float]) -> Passers:
    """Find the groups that a scenario speaks of; an empty `on_list` takes the shares of those who pass.

    Raises
    ------
    PlanError
        For an attribute that people are not grouped by, or a group that nobody belongs to.
    """
    families = grouping.families()
    if (by,) not in families:
        known = ", ".join(grouping.attributes) or "none"
        raise PlanError(
            "plan: scenario.by", f"people are not grouped by {by!r}", f"Add it to --by; grouped by: {known}"
        )
    family = families[by,]
    names = [grouping.groups[position].as_dict()[by] for position in family]
    for where, given in (("passers_by", shares), ("on_list", on_list)):
        for name in given:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"Did you mean {near[0]!r}? " if near else ""
                raise PlanError(
                    f"plan: scenario.{where}", f"{by} has no group {name!r}", f"{hint}It has: {', '.join(names)}"
                )
    listed = on_list or shares
    used = [k for k, name in enumerate(names) if shares.get(name, 0) > 0 or listed.get(name, 0) > 0]
    return Passers(
        tuple(family[k] for k in used),
        tuple(shares.get(names[k], 0.0) for k in used),
        tuple(listed.get(names[k], 0.0) for k in used),
    )


@dataclass(frozen=True, slots=True)
class Face:
    """What a face of one group meets on the list, per comparison, and how it fares when it is on it.

    `rate` is the false match rate with the list's composition; `spread` the variance of that rate between people;
    `upper_bound` one-sided, where no error was seen; `compared` the most other people that anybody was compared with.
    """

    group: DemographicGroup
    errors: int
    trials: int
    rate: float | None
    interval: Interval | None
    upper_bound: float | None
    spread: float
    missed: float | None
    missed_interval: Interval | None
    compared: int
    reason: str | None = None


def faces(
    counts: OperatingCounts, grouping: Grouping, threshold: float, who: Passers, *, level: float, min_subjects: int
) -> list[Face]:
    """Measure every group that passes, at a threshold.

    The false match rate of group g with the list is the sum over groups h of (share of h on the list) x FMR between g
    and h; its variance is that of the weighted sum, with the joint covariance of these cells. A cell without an error
    adds the variance that its one-sided upper bound stands for.
    """
    made = []
    t = counts.at(threshold)
    for position in who.positions:
        masks = np.array([
            grouping.within(position) if other == position else grouping.across(position, other)
            for other in who.positions
        ])  # fmt: skip
        inside = grouping.member[position, grouping.atom_of]
        cells = nonmated(counts, grouping.atom_of, masks, threshold)
        weights = np.asarray(who.on_list)
        group = grouping.groups[position]
        used = weights > 0
        few = int(grouping.subjects[[position, *np.asarray(who.positions)[used]]].min())
        mated = by_subject(counts.mated_errors[t], counts.mated, inside[None])
        compared = int(grouping.subjects[list(who.positions)].sum()) - 1
        if (cells.trials[used] == 0).any() or few < min_subjects:
            why = (
                "no comparison with a group on the list" if few >= min_subjects else f"fewer than {min_subjects} people"
            )
            made.append(Face(group, 0, 0, None, None, None, 0.0, None, None, compared, why))
            continue
        rate = float(weights[used] @ cells.rates[used])
        variance, bound = _uncertain(cells, weights)
        people = int(cells.subjects[used].min())
        none_seen = int(cells.errors[used].sum()) == 0
        missed, missed_interval = _missed(mated, level, min_subjects)
        made.append(
            Face(
                group,
                int(cells.errors[used].sum()),
                int(cells.trials[used].sum()),
                rate,
                interval(rate, variance, people, level, paired=True),
                bound if none_seen else None,
                _between_people(counts, grouping, t, inside, who),
                missed,
                missed_interval,
                compared,
            )
        )
    return made


def _uncertain(cells: Tally, weights: Floats) -> tuple[float, float]:
    """Variance of the weighted sum of the cells' rates, and its one-sided bound if none of them has an error."""
    used = weights > 0
    sigma = joint_covariance(cells)
    upper = np.array([
        zero_upper_bound(max(min(float(made), n / 2), 1.0))
        for made, n in zip(cells.trials, cells.subjects, strict=True)
    ])  # fmt: skip
    without = used & (cells.errors == 0)
    sigma[without, without] = (upper[without] / ONE_SIDED) ** 2
    joint = sigma[np.ix_(used, used)]
    return max(float(weights[used] @ joint @ weights[used]), 0.0), float(weights[used] @ upper[used])


def _missed(mated: Tally, level: float, min_subjects: int) -> tuple[float | None, Interval | None]:
    """False non-match rate of the group."""
    if not mated.trials[0] or mated.subjects[0] < min_subjects:
        return None, None
    nothing, zero = np.zeros((len(mated.residuals), 0)), np.zeros(0, dtype=np.int64)
    none = Tally(zero, zero, zero, nothing, np.zeros((0, 0)), paired=True)
    p, variance = float(mated.rates[0]), float(joint_covariance(none, mated)[0, 0])
    return p, interval(p, variance, int(mated.subjects[0]), level, paired=False)


def _between_people(counts: OperatingCounts, grouping: Grouping, t: int, inside: Floats, who: Passers) -> float:
    """Variance between people of the group of their false match rates with the list, beyond what chance alone gives."""
    rates, noise = np.zeros(int(inside.sum())), np.zeros(int(inside.sum()))
    whole = np.ones(len(rates), dtype=bool)
    for position, weight in zip(who.positions, who.on_list, strict=True):
        if weight == 0:
            continue
        atoms = grouping.member[position]
        errors, made = counts.errors[t][inside][:, atoms].sum(axis=1), counts.comparisons[inside][:, atoms].sum(axis=1)
        whole &= made > 0
        safe = np.maximum(made, 1)
        p = errors.sum() / max(int(made.sum()), 1)
        rates += weight * errors / safe
        noise += weight**2 * p * (1 - p) / safe
    if whole.sum() < 2:
        return 0.0
    return max(0.0, float(np.var(rates[whole], ddof=1) - noise[whole].mean()))


def alarm(rate: float, size: float) -> float:
    """Probability of a false alarm with comparisons that do not depend on each other: `1 - (1 - rate)^size`.

    >>> round(alarm(0.001, 1000), 4)
    0.6323
    """
    return 1.0 if rate >= 1 else -math.expm1(size * math.log1p(-rate))


def alarm_between(rate: float, spread: float, size: float) -> float:
    """The same if every face has a rate of her own: beta distributed, with this mean and variance.

    >>> alarm_between(0.001, 0.0, 1000) == alarm(0.001, 1000)
    True
    >>> alarm_between(0.001, 1e-5, 1000) < alarm(0.001, 1000)
    True
    """
    if rate <= 0 or rate >= 1 or spread <= 0:
        return alarm(rate, size)
    total = rate * (1 - rate) / min(spread, 0.999 * rate * (1 - rate)) - 1
    a, b = rate * total, (1 - rate) * total
    return -math.expm1(float(betaln(a, b + size) - betaln(a, b)))


def effective_size(rate: float, size: int, measured: float) -> float | None:
    """Share of a list that counts: with so much of it, independent comparisons would give the FPIR that was measured.

    >>> effective_size(0.001, 100, alarm(0.001, 50))
    0.5
    """
    if not 0 < rate < 1 or not 0 < measured < 1:
        return None
    return round(math.log1p(-measured) / (size * math.log1p(-rate)), 12)


def wrong_share(false: float, right: float) -> float | None:
    """Share of alarms that are wrong; None without alarms."""
    return false / (false + right) if false + right > 0 else None


def expected(
    searches: float, shares: Sequence[float], listed: float, alarms: Sequence[float], missed: Sequence[float]
) -> tuple[list[float], list[float]]:
    """False and right alarms a day, by group.

    Parameters
    ----------
    searches : faces a day
    shares : of the groups among them
    listed : share of the faces whose person is on the list
    alarms, missed : by group, probability of a false alarm for somebody not on the list, and FNMR of somebody on it
    """
    false = [searches * share * (1 - listed) * alarm_ for share, alarm_ in zip(shares, alarms, strict=True)]
    right = [searches * share * listed * (1 - miss) for share, miss in zip(shares, missed, strict=True)]
    return false, right
