"""Error rates of one against many: from counts of a list to FPIR, FNIR and the cumulative match characteristic.

Definitions (ISO/IEC 19795-1). Open set: FPIR(T) = non-mated probes with a candidate at score >= T / non-mated probes;
FNIR(R, T) = mated probes whose mate is not among the R highest or scores below T / mated probes. Closed set: FNIR(R,
0), without a threshold; CMC(R) = 1 - FNIR(R, 0). The detection and identification rate is 1 - FNIR(1, T).

Uncertainty: a probe's outcome depends on its person and on who is on the list, and all probes share the list. FPIR has
the variance of both (Cameron, Gelbach & Miller 2011, J. Bus. Econ. Stat. 29:238, eq. 2.9): the sums of residuals by
person tested; for each person on the list, how many false positives would not be without her (what leaving her out
changes: the jackknife's influence, Efron & Stein 1981, Ann. Stat. 9:586); less the sum over pairs, which both count.
FNIR is clustered by the person tested, and conditional on the other people on the list.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Floats, Ints
from audit.compare.identify import ListCounts
from audit.domain import DemographicGroup, ErrorRate, Threshold
from audit.groups import Grouping
from audit.metrics.disparities import sides
from audit.metrics.evaluation import Measured, Metric, atom_columns, zero_sizes
from audit.metrics.rates import Cell, Tally, by_subject, error_rates, joint_covariance
from audit.metrics.thresholds import threshold_at_fmr

NO_THRESHOLD = Threshold(
    "rank-only", "given", DemographicGroup(), None, None, None, "no threshold: the order of candidates alone decides"
)
"""The closed-set view: somebody looks at the first candidates, however low they score."""


@dataclass(frozen=True, slots=True)
class ListThreshold:
    """A threshold that was set at a target FPIR; as `Threshold`, which is about comparisons."""

    point: Threshold
    target: float
    achieved: float | None


def thresholds_at(scores: Floats, counts: Ints, targets: Sequence[float]) -> list[ListThreshold]:
    """Smallest observed highest score at which FPIR does not exceed each target.

    Parameters
    ----------
    scores, counts : distinct highest scores of non-mated probes, ascending, and how many probes have each
    """
    made = []
    for target in targets:
        found = threshold_at_fmr(scores, counts, target)
        reason = None
        if not found.estimable:
            tested = f"{found.trials:,} probes of people who are not on the list"
            reason = f"not estimable: {tested}, fewer than one false alarm expected"
        point = Threshold(
            f"fpir-{target:g}",
            "global",
            DemographicGroup(),
            None,
            found.value if found.estimable else None,
            None,
            f"{found.trials:,} probes of people who are not on the list",
            reason,
        )
        made.append(ListThreshold(point, target, found.achieved if found.estimable else None))
    return made


@dataclass(frozen=True, eq=False)
class Failed:
    """Probes that have no template, and mated probes whose person has none on the list; by person tested, (n,)."""

    nonmated: Ints
    mated: Ints


def measure(
    counts: ListCounts,
    failed: Failed,
    grouping: Grouping,
    point: Threshold,
    rank: int,
    *,
    level: float,
    min_subjects: int,
) -> Measured:
    """FPIR and FNIR of every group at a threshold and a rank, conditional and with failures counted (generalised).

    Generalised: a probe without a template finds nobody, which is a miss if the person is on the list, and no false
    alarm if she is not. `point` without a value gives FNIR alone, by rank.
    """
    atoms = atom_columns(grouping)
    inside = atoms[:, grouping.atom_of]
    tallies: dict[Metric, Tally] = {}
    whole: dict[Metric, Tally] = {}
    if point.value is not None:
        t = int(np.searchsorted(counts.thresholds, point.value))
        tallies["FPIR"] = false_positives(counts, t, grouping, counts.nonmated)
        whole["FPIR"] = false_positives(counts, t, grouping, counts.nonmated + failed.nonmated)
        missed = counts.misses[t, int(np.searchsorted(counts.ranks, rank))]
    else:
        missed = counts.beyond[min(rank, len(counts.beyond)) - 1]
    tallies["FNIR"] = by_subject(missed, counts.mated, inside)
    whole["FNIR"] = by_subject(missed + failed.mated, counts.mated + failed.mated, inside)
    covariance = _joint(tallies)
    total = len(grouping.groups)
    sizes = zero_sizes(tallies, _variances(tallies, covariance), total)
    made = Measured(point, [], tallies, covariance, sizes, total)
    made.rates.extend(_rates(tallies, covariance, grouping, point, level, min_subjects))
    for rate in _rates(whole, _joint(whole), grouping, point, level, min_subjects):
        made.rates.append(replace(rate, view="generalised"))
    return made


def false_positives(counts: ListCounts, t: int, grouping: Grouping, tested: Ints) -> Tally:
    """FPIR over the columns, with the residuals of people tested (so many probes of each) and of people on the list."""
    atoms = atom_columns(grouping)
    one = by_subject(counts.false_positives[-1, t], tested, atoms[:, grouping.atom_of])
    member = atoms.astype(np.float64)
    caused = counts.caused[t] @ member.T
    on_list = caused.any(axis=1)
    people = int(counts.sizes[-1])
    residuals = one.residuals + caused
    # The others on the list caused nothing: their residuals are minus the mean, which adds up to this.
    mean = caused.sum(axis=0) / people
    residuals[on_list] -= mean
    rest = math.sqrt(max(people - int(on_list.sum()), 0)) * mean
    cross = (member * counts.caused_squares[t]) @ member.T
    return replace(one, residuals=np.vstack([residuals, -rest]), cross=cross)


def _joint(tallies: Mapping[Metric, Tally]) -> Floats:
    """Joint covariance; FNIR has no residuals of people on the list beyond those tested."""
    fnir = tallies["FNIR"]
    if "FPIR" not in tallies:
        return joint_covariance(_nothing(len(fnir.residuals)), fnir)
    fpir = tallies["FPIR"]
    longer = np.vstack([fnir.residuals, np.zeros((1, fnir.residuals.shape[1]))])
    return joint_covariance(fpir, replace(fnir, residuals=longer))


def _nothing(people: int) -> Tally:
    none = np.zeros(0, dtype=np.int64)
    return Tally(none, none, none, np.zeros((people, 0)), np.zeros((0, 0)), paired=True)


def _variances(tallies: Mapping[Metric, Tally], covariance: Floats) -> Floats:
    return np.diag(covariance).reshape(len(tallies), -1)


def _rates(
    tallies: Mapping[Metric, Tally],
    covariance: Floats,
    grouping: Grouping,
    point: Threshold,
    level: float,
    min_subjects: int,
) -> list[ErrorRate]:
    names = [Cell(group) for group in grouping.groups]
    return [
        rate
        for (metric, tally), variance in zip(tallies.items(), _variances(tallies, covariance), strict=True)
        for rate in error_rates(
            metric, tally, names, variance, operating_point=point.id, level=level, min_subjects=min_subjects
        )
    ]


@dataclass(frozen=True, eq=False)
class ListEvidence:
    """As `disparities.Evidence`, for a list: people tested are halved, the list stays whole."""

    counts: ListCounts
    rank: int
    half: Ints
    splits: int

    def inside(
        self, point: Threshold, grouping: Grouping, chosen: Sequence[int]
    ) -> Mapping[Metric, tuple[Floats, Floats]]:
        """Errors and trials of the chosen groups, by metric, each of shape (splits, 2, groups)."""
        counts = self.counts
        members = grouping.member[list(chosen)][:, grouping.atom_of].astype(np.float64).T
        both = sides(self.half, self.splits)
        missed = counts.beyond[min(self.rank, len(counts.beyond)) - 1]
        made: dict[Metric, tuple[Floats, Floats]] = {}
        if point.value is not None:
            t = int(np.searchsorted(counts.thresholds, point.value))
            missed = counts.misses[t, int(np.searchsorted(counts.ranks, self.rank))]
            made["FPIR"] = (both * counts.false_positives[-1, t]) @ members, (both * counts.nonmated) @ members
        made["FNIR"] = (both * missed) @ members, (both * counts.mated) @ members
        return made


def growth(counts: ListCounts, t: int, grouping: Grouping, *, level: float, min_subjects: int) -> list[ErrorRate]:
    """FPIR of everyone against the first part of the list, the next, ..., all of it; clustered by person tested."""
    everyone = grouping.member[:1, grouping.atom_of]
    made = []
    for part in counts.false_positives[:, t]:
        tally = by_subject(part, counts.nonmated, everyone)
        variance = np.diag(joint_covariance(_nothing(len(part)), tally))
        made += error_rates(
            "FPIR", tally, [Cell(grouping.groups[0])], variance, operating_point=None, level=level,
            min_subjects=min_subjects,
        )  # fmt: skip
    return made


def found_by_rank(counts: ListCounts, grouping: Grouping, *, level: float, min_subjects: int) -> list[list[ErrorRate]]:
    """FNIR without a threshold at ranks 1, 2, ..., each over the groups: the CMC is what is left to 1."""
    inside = grouping.member[:, grouping.atom_of]
    names = [Cell(group) for group in grouping.groups]
    made = []
    for missed in counts.beyond:
        tally = by_subject(missed, counts.mated, inside)
        variance = np.diag(joint_covariance(_nothing(len(missed)), tally))
        made.append(
            error_rates(
                "FNIR", tally, names, variance, operating_point=NO_THRESHOLD.id, level=level, min_subjects=min_subjects
            )
        )
    return made


def between_groups(numbers: Ints, grouping: Grouping, attributes: tuple[str, ...]) -> NDArray[np.int64]:
    """Outcomes by atoms, (A, A) of person tested and candidate, as those of the groups of one family."""
    member = grouping.member[grouping.families()[attributes]].astype(np.int64)
    return np.asarray(member @ numbers @ member.T)
