"""Before a run: what a benchmark of these people and images could show, group by group.

What cannot be known before a run is assumed, and said: how much comparisons of the same people repeat each other, and
how much more often some people match others ("wolves"). Both can be measured on an earlier audit (`measured`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Ints
from audit.domain import DemographicGroup, Support
from audit.groups import Grouping, Mask
from audit.metrics.support import FEWEST_EFFECTIVE_ERRORS, FEWEST_SUBJECTS, support
from audit.stats.power import Design, dependence, detectable_ratio

MOST_SUBJECTS, MOST_GROWTH = 1_000_000, 10_000
FEWEST_ERRORS_TO_FIT = 20
"""Cells with fewer errors have a design effect of chance."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is not known before a run; the defaults are about what dlib shows on the bundled set.

    Parameters
    ----------
    within : correlation of non-mated comparisons of the same two people
    between : variance of people's proneness to match others, over its squared mean
    mated_within : correlation of mated comparisons of one person
    fnmr : false non-match rate
    """

    within: float = 0.3
    between: float = 1.25
    mated_within: float = 0.25
    fnmr: float = 0.05


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a group could show of one metric. `detectable` is None, for `reason`, where no ratio could be told.

    `more_subjects`: people to add to this group, with as many images each, until a ratio of the margin is detectable
    and the support policy lets prose speak of it; 0 if none are missing, None if no number is enough, because the
    others are too few. `growth` is then by how much the whole benchmark must grow (None: by no factor).
    """

    metric: Literal["FMR", "FNMR"]
    group: DemographicGroup
    rate: float
    subjects: int
    trials: int
    expected_errors: float
    expected_effective_errors: float
    support: Support
    detectable: float | None
    more_subjects: int | None
    growth: float | None
    own_threshold: bool | None
    """Whether the group's own comparisons could set its threshold; None for FNMR."""
    reason: str | None = None


def prospects(
    grouping: Grouping,
    samples: Ints,
    targets: Sequence[float],
    assumed: Assumptions,
    *,
    margins: tuple[float, float],
    alpha: float = 0.05,
) -> list[Prospect]:
    """Say what every group could show, against everybody outside it.

    Parameters
    ----------
    grouping : Grouping
    samples : (subjects,) images of each subject
    targets : FMRs at which thresholds would be set
    assumed : Assumptions
    margins : ratios of FMR and FNMR that count as a disparity
    """
    cases: list[tuple[Literal["FMR", "FNMR"], float, float]] = [("FMR", rate, margins[0]) for rate in targets]
    cases.append(("FNMR", assumed.fnmr, margins[1]))
    made = []
    for metric, rate, margin in cases:
        for position, group in enumerate(grouping.groups):
            row = grouping.member[position]
            own = _design(metric, grouping, samples, row, assumed)
            rest = _design(metric, grouping, samples, ~row, assumed) if group.items else None
            made.append(_prospect(metric, group, rate, margin, alpha, own, rest))
    return made


def measured(
    cells: Iterable[tuple[Literal["FMR", "FNMR"], float, int, int, int, float]], assumed: Assumptions
) -> Assumptions:
    """Replace assumptions by what an earlier audit shows.

    Parameters
    ----------
    cells : (metric, rate, errors, trials, subjects, design effect) of groups
    assumed : kept for what the audit does not show
    """
    usable = [cell for cell in cells if cell[2] >= FEWEST_ERRORS_TO_FIT and cell[1] < 1]
    for metric in ("FMR", "FNMR"):
        rows = [cell for cell in usable if cell[0] == metric]
        if not rows:
            continue
        pairs = metric == "FMR"
        designs = [
            Design(n, m, m / (n * (n - 1) / 2) if pairs else m / n, 0.0, 0.0, 2 if pairs else 1)
            for _, _, _, m, n, _ in rows
        ]
        if pairs:
            within, between = dependence([row[1] for row in rows], designs, [row[5] for row in rows])
            assumed = replace(assumed, within=within, between=between)
        else:
            shares = [
                (row[5] - 1) / (one.a_cluster - 1) for row, one in zip(rows, designs, strict=True) if one.a_cluster > 1
            ]
            if shares:
                assumed = replace(assumed, mated_within=float(np.clip(np.mean(shares), 0, 1)))
            errors, trials = sum(row[2] for row in rows), sum(row[3] for row in rows)
            assumed = replace(assumed, fnmr=errors / trials)
    return assumed


def _design(
    metric: Literal["FMR", "FNMR"], grouping: Grouping, samples: Ints, row: NDArray[np.bool_], assumed: Assumptions
) -> Design | None:
    """Comparisons among the members of some atoms, or None without any."""
    inside = row[grouping.atom_of] & (samples > 0)
    own = samples[inside].astype(np.float64)
    if metric == "FNMR":
        pairs = own * (own - 1) / 2
        units, trials = int((pairs > 0).sum()), float(pairs.sum())
        cluster = float((pairs**2).sum() / trials) if trials else 0.0
        return Design(units, trials, cluster, assumed.mated_within) if trials else None
    mask = row[:, None] & row[None, :]
    if grouping.allowed is not None:
        mask = mask & grouping.allowed
    trials, squares = (_pair_sum(grouping, samples, mask, power) for power in (1, 2))
    if not trials:
        return None
    return Design(int(inside.sum()), trials, squares / trials, assumed.within, assumed.between, 2)


def _pair_sum(grouping: Grouping, samples: Ints, mask: Mask, power: int) -> float:
    """Sum of (m_i m_j)^power over pairs of different subjects in a mask of atoms."""
    size = samples.astype(np.float64) ** power
    by_atom = np.bincount(grouping.atom_of, size, grouping.atoms)
    alone = np.bincount(grouping.atom_of, size**2, grouping.atoms)
    admitted = mask.astype(np.float64)
    return float((by_atom @ admitted @ by_atom - admitted.diagonal() @ alone) / 2)


def _prospect(
    metric: Literal["FMR", "FNMR"],
    group: DemographicGroup,
    rate: float,
    margin: float,
    alpha: float,
    own: Design | None,
    rest: Design | None,
) -> Prospect:
    if own is None:
        return Prospect(metric, group, rate, 0, 0, 0.0, 0.0, "count-only", None, None, None, None, "no comparison")
    errors = rate * own.trials
    effective = errors / own.design_effect(rate)
    ratio = detectable_ratio(own, rest, rate, alpha=alpha) if rest is not None else None
    reason = None
    if not group.items:
        reason = "everyone: there is nobody to compare with"
    elif rest is None:
        reason = "nobody outside the group is compared"
    elif ratio is None:
        reason = "even if every comparison failed, it could not be told from chance"
    more = _least(lambda n: _enough(_grown(own, n), rest, rate, margin, alpha), own.units, MOST_SUBJECTS)
    grown = None if more is not None else _growth(own, rest, rate, margin, alpha)
    return Prospect(
        metric,
        group,
        rate,
        own.units,
        round(own.trials),
        errors,
        effective,
        support(own.units, effective),
        ratio,
        None if more is None else more - own.units,
        grown,
        errors >= 1 if metric == "FMR" else None,
        reason,
    )


def _enough(own: Design, rest: Design | None, rate: float, margin: float, alpha: float) -> bool:
    """Whether the margin can be told and prose may speak of the group."""
    effective = rate * own.trials / own.design_effect(rate)
    if rest is None or own.units < FEWEST_SUBJECTS or effective < FEWEST_EFFECTIVE_ERRORS:
        return False
    ratio = detectable_ratio(own, rest, rate, alpha=alpha)
    return ratio is not None and ratio <= margin


def _growth(own: Design, rest: Design | None, rate: float, margin: float, alpha: float) -> float | None:
    """By how many times everybody's number must grow, in tenths."""
    if rest is None:
        return None

    def enough(tenths: int) -> bool:
        mine, theirs = (_grown(one, max(one.units, round(one.units * tenths / 10))) for one in (own, rest))
        return _enough(mine, theirs, rate, margin, alpha)

    tenths = _least(enough, 10, 10 * MOST_GROWTH)
    return None if tenths is None else tenths / 10


def _least(enough: Callable[[int], bool], start: int, most: int) -> int | None:
    """Smallest number from `start` on that is enough, if that is monotone: by doubling, then halving."""
    low, high = start - 1, start
    while not enough(high):
        low, high = high, 2 * high
        if low > most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _grown(own: Design, units: int) -> Design:
    """The same design with another number of people, each with as many images."""
    n = own.units
    factor = units * (units - 1) / (n * (n - 1)) if own.units_a_trial == 2 and n > 1 else units / n
    return replace(own, units=units, trials=own.trials * factor)
