"""All rates of one operating point at once, with their joint covariance.

Columns of the covariance are, for each metric in the order of `Measured.tallies` (FMR, then FNMR, then FTA), the groups
(everyone first) followed by the rest of every group (the other groups of its family, pooled).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Floats, Ints, OperatingCounts
from audit.domain import DemographicGroup, ErrorRate, Threshold
from audit.groups import Grouping
from audit.metrics.cells import pooled_design_effect
from audit.metrics.rates import Cell, Tally, by_subject, error_rates, generalise, joint_covariance, nonmated

Metric = Literal[
    "FMR", "FNMR", "FTA", "FPIR", "FNIR", "MISS", "FDET", "CER", "OFF", "PASS", "STOP", "NPR",
]  # fmt: skip
METRICS: tuple[Metric, ...] = ("FMR", "FNMR", "FTA")
AcquisitionUnit = Literal["image", "sample", "side"]


@dataclass(frozen=True, eq=False)
class Acquired:
    """Outcomes of acquisition by subject.

    Parameters
    ----------
    failed, samples : (subjects,) trials that failed, and trials
    reasons : (stage, reason) to the trials of each subject that failed so, (subjects,)
    unit : what a trial is: an image; of scores that were given, a sample, or a side of a comparison where samples are
        unknown or do not explain what is missing
    """

    failed: Ints
    samples: Ints
    reasons: Mapping[tuple[str, str], Ints] = field(default_factory=dict)
    unit: AcquisitionUnit = "image"


@dataclass(frozen=True, eq=False)
class Measured:
    """Rates at one threshold.

    Parameters
    ----------
    rates : conditional and generalised rates of every group, then those across groups
    tallies : by metric (FMR, FNMR and FTA; FPIR and FNIR; of tasks without comparisons their own), each over columns
    covariance : of all metrics' columns; NaN where a cell has no trial
    zero_sizes : effective number of trials of a cell if it shows no error, by metric
    """

    point: Threshold
    rates: list[ErrorRate]
    tallies: dict[Metric, Tally]
    covariance: Floats
    zero_sizes: dict[Metric, Floats]
    groups: int

    def column(self, metric: Metric, position: int, *, rest: bool = False) -> int:
        """Column of the covariance for a group (by its position in the grouping), or for the rest of it."""
        width = len(self.tallies[metric].errors)
        return list(self.tallies).index(metric) * width + self.local(position, rest=rest)

    def local(self, position: int, *, rest: bool = False) -> int:
        """Column within one metric."""
        return self.groups + position - 1 if rest else position


def measure(
    counts: OperatingCounts,
    acquired: Acquired,
    grouping: Grouping,
    point: Threshold,
    *,
    level: float,
    min_subjects: int,
) -> Measured:
    """Measure every group at a global operating point."""
    if point.value is None:
        raise ValueError(f"{point.id} has no threshold")
    masks, inside = columns(grouping)
    fmr = nonmated(counts, grouping.atom_of, masks, point.value)
    fnmr = by_subject(counts.mated_errors[counts.at(point.value)], counts.mated, inside)
    fta = by_subject(acquired.failed, acquired.samples, inside)
    tallies: dict[Metric, Tally] = {"FMR": fmr, "FNMR": fnmr, "FTA": fta}
    covariance = joint_covariance(fmr, fnmr, fta)
    made = of_tallies(tallies, covariance, grouping.groups, point, level=level, min_subjects=min_subjects)
    made.rates.extend(across(counts, grouping, point, level=level, min_subjects=min_subjects))
    return made


def of_tallies(
    tallies: dict[Metric, Tally],
    covariance: Floats,
    groups: Sequence[DemographicGroup],
    point: Threshold,
    *,
    level: float,
    min_subjects: int,
) -> Measured:
    """Rates within groups, conditional and generalised, from counts and their covariance: no person is needed.

    Parameters
    ----------
    tallies : FMR, FNMR and FTA over the columns
    covariance : of the columns, one metric after the other
    """
    total = len(groups)
    variance = np.diag(covariance).reshape(len(METRICS), -1)
    names = [Cell(group) for group in groups]
    shown = {
        metric: error_rates(
            metric,
            tallies[metric],
            names,
            variance[k],
            operating_point=point.id if metric != "FTA" else None,
            level=level,
            min_subjects=min_subjects,
        )
        for k, metric in enumerate(METRICS)
    }
    made = Measured(point, [], tallies, covariance, zero_sizes(tallies, variance, total), total)
    rates = [*shown["FMR"], *shown["FNMR"]]
    for metric in METRICS[:2]:
        for k, rate in enumerate(shown[metric]):
            shared = covariance[made.column(metric, k), made.column("FTA", k)]
            rates.append(generalise(rate, shown["FTA"][k], float(np.nan_to_num(shared)), level))
    made.rates.extend(rates)
    return made


def acquisition_rates(acquired: Acquired, grouping: Grouping, level: float, min_subjects: int) -> list[ErrorRate]:
    """FTA of every group; it depends on no threshold."""
    tally = by_subject(acquired.failed, acquired.samples, grouping.member[:, grouping.atom_of])
    empty = np.zeros((len(acquired.failed), 0))
    none = np.zeros(0, dtype=np.int64)
    variance = np.diag(joint_covariance(Tally(none, none, none, empty, np.zeros((0, 0)), paired=True), tally))
    names = [Cell(group) for group in grouping.groups]
    return error_rates("FTA", tally, names, variance, operating_point=None, level=level, min_subjects=min_subjects)


def own_rates(
    counts: OperatingCounts,
    grouping: Grouping,
    points: Sequence[Threshold],
    slots: Mapping[str, int],
    *,
    level: float,
    min_subjects: int,
) -> list[ErrorRate]:
    """Rates of every group at its own threshold (differential performance).

    Parameters
    ----------
    counts, slots : as `points.own_counts` gives them
    """
    made = []
    for point in points:
        if point.policy != "per-group" or point.value is None:
            continue
        position = grouping.index(point.group)
        inside = grouping.member[position : position + 1, grouping.atom_of]
        slot = slots[point.id]
        fmr = nonmated(counts, grouping.atom_of, grouping.within(position)[None], float(slot))
        fnmr = by_subject(counts.mated_errors[slot], counts.mated, inside)
        variance = np.diag(joint_covariance(fmr, fnmr))
        for metric, tally, k in (("FMR", fmr, 0), ("FNMR", fnmr, 1)):
            made += error_rates(
                metric,
                tally,
                [Cell(point.group)],
                variance[k : k + 1],
                operating_point=point.id,
                level=level,
                min_subjects=min_subjects,
            )
    return made


def across(
    counts: OperatingCounts, grouping: Grouping, point: Threshold, *, level: float, min_subjects: int
) -> list[ErrorRate]:
    """FMR of comparisons across two groups, for all pairs of groups of each family."""
    pairs = crossed(grouping)
    if point.value is None or not pairs:
        return []
    masks = np.array([grouping.across(first, second) for first, second in pairs])
    tally = nonmated(counts, grouping.atom_of, masks, point.value)
    variance = np.diag(joint_covariance(tally))
    return of_crossed(tally, variance, grouping, point, level=level, min_subjects=min_subjects)


def crossed(grouping: Grouping) -> list[tuple[int, int]]:
    """Pairs of groups of each family, as positions: those whose comparisons across are counted."""
    return [
        (first, second)
        for family in grouping.families().values()
        for k, first in enumerate(family)
        for second in family[k + 1 :]
    ]


def of_crossed(
    tally: Tally, variance: Floats, grouping: Grouping, point: Threshold, *, level: float, min_subjects: int
) -> list[ErrorRate]:
    """Rates across two groups from counts and variances, in the order of `crossed`; of small groups none."""
    pairs = crossed(grouping)
    rates = error_rates(
        "FMR",
        tally,
        [Cell(grouping.groups[first], grouping.groups[second]) for first, second in pairs],
        variance,
        operating_point=point.id,
        level=level,
        min_subjects=min_subjects,
    )
    people = grouping.subjects
    smallest = [min(int(people[first]), int(people[second])) for first, second in pairs]
    why = f"one of the groups has fewer than {min_subjects} people"
    return [
        rate
        if few >= min_subjects or rate.trials == 0
        else ErrorRate(
            rate.metric,
            rate.group,
            rate.errors,
            rate.trials,
            rate.subjects,
            reference_group=rate.reference_group,
            operating_point=rate.operating_point,
            suppressed=True,
            reason=why,
        )
        for rate, few in zip(rates, smallest, strict=True)
    ]


def columns(grouping: Grouping) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Atom masks (columns, atoms, atoms) and subject masks (columns, subjects) of the groups and of their rests."""
    total = len(grouping.groups)
    within = np.array([grouping.within(position) for position in range(total)])
    rests = [within[rest].any(axis=0) for rest in _rests(grouping)]
    masks = np.concatenate([within, np.array(rests, dtype=bool).reshape(-1, *within.shape[1:])])
    return masks, atom_columns(grouping)[:, grouping.atom_of]


def atom_columns(grouping: Grouping) -> NDArray[np.bool_]:
    """Which atoms belong to each column: the groups, then the rest of each; shape (columns, atoms)."""
    others = [grouping.member[rest].any(axis=0) for rest in _rests(grouping)]
    return np.concatenate([grouping.member, np.array(others, dtype=bool).reshape(-1, grouping.atoms)])


def _rests(grouping: Grouping) -> list[list[int]]:
    """For every group but everyone, the other groups of its family."""
    family_of = {position: family for family in grouping.families().values() for position in family}
    return [[other for other in family_of[k] if other != k] for k in range(1, len(grouping.groups))]


def zero_sizes(tallies: dict[Metric, Tally], variance: Floats, groups: int) -> dict[Metric, Floats]:
    """N0 with the design effect of all groups of a metric at this threshold; everyone and the rests do not set it."""
    made: dict[Metric, Floats] = {}
    own = slice(1, groups) if groups > 1 else slice(0, 1)
    for k, (metric, tally) in enumerate(tallies.items()):
        deff = pooled_design_effect(tally.errors[own], tally.trials[own], variance[k][own])
        made[metric] = np.asarray(tally.subjects / 2 if deff is None else tally.trials / deff, dtype=np.float64)
    return made
