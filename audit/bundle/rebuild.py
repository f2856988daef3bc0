"""From the tables beside a record back to what its rates, contrasts and spreads were computed from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.bundle.expected import Key, by_look, compared_points, expected, verification
from audit.cell_table import ACQUISITION, COMPARED
from audit.counted import CELLS, COVARIANCE, Binned, Counted, Look, Role, named
from audit.domain import DemographicGroup, ErrorRate, Threshold
from audit.errors import DataError
from audit.groups import Grouping
from audit.metrics import disparities, evaluation
from audit.metrics.evaluation import METRICS, Measured, Metric
from audit.metrics.rates import Cell, Tally, error_rates
from audit.record import EvaluationRecord, OperatingPoint, Rate

MOST_NUMBERS = 1 << 26
"""Of all covariance matrices together; 512 MiB."""
WAY_OUT = "It does not belong to this record: seal the folder that the run wrote"


@dataclass(frozen=True, eq=False)
class CountedGroups(Grouping):
    """Groups of which only the number of people is known; nobody's own is."""

    people: NDArray[np.int64] | None = None

    @property
    def subjects(self) -> NDArray[np.int64]:
        """People in each group."""
        return np.zeros(0, dtype=np.int64) if self.people is None else self.people


@dataclass(frozen=True, eq=False)
class Compared:
    """Groups that were compared with each other at an operating point, and what was measured there."""

    measured: Measured
    grouping: CountedGroups


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """The record's groups; what was compared, in the record's order; every look, its rates, and scores by cell."""

    grouping: CountedGroups
    compared: list[Compared]
    looks: Mapping[Key, Look]
    rates: Mapping[Key, list[Rate]]
    scores: Mapping[tuple[Role, str, str | None, bool], Binned]
    complete: bool

    @property
    def verified(self) -> list[Measured]:
        """Comparisons of one with one, at every operating point for everyone."""
        return [one.measured for one in self.compared if "FMR" in one.measured.tallies]


def rebuild(record: EvaluationRecord, counted: Counted) -> Rebuilt:
    """Put the tables together.

    Raises
    ------
    DataError
        If they are not those of the record's groups and operating points.
    """
    grouping = grouping_of(record)
    looks = {(one.point, one.setting): one for one in counted.looks}
    wanted = expected(record, crossed=bool(evaluation.crossed(grouping)))
    rates = by_look(record)
    strange = rates.keys() - {*wanted, *([("", ACQUISITION)] if verification(record) else [])}
    if strange:
        point, setting = min(strange)
        raise DataError("record.json#/rates", f"holds rates at {point!r} {setting} that no run writes", WAY_OUT)
    if not counted.complete:
        wanted = [key for key in wanted if key[1] == COMPARED]
    if set(wanted) != set(looks):
        (point, setting), *_ = sorted(set(wanted) ^ set(looks))
        what = "lacks" if (point, setting) in wanted else "has, and the record has not,"
        raise DataError(CELLS, f"{what} cells at {point!r} {setting}".rstrip(), WAY_OUT)
    for look in looks.values():
        _same_people(look, grouping, complete=counted.complete, free=record.attributes is not None)
    made = []
    mine = [key for key in compared_points(record) if key in looks]  # of an earlier version some are missing
    require_few([looks[key] for key in mine])
    for key in mine:
        groups = groups_of(looks[key], grouping)
        made.append(Compared(measured_of(looks[key], groups, point_of(record, key[0]), record), groups))
    scores = {(one.role, one.group, one.against, one.mated): one for one in counted.scores}
    return Rebuilt(grouping, made, looks, rates, scores, counted.complete)


def measured_of(look: Look, grouping: Grouping, point: Threshold, record: EvaluationRecord) -> Measured:
    """Rates of a look's groups as a run measured them, from counts and covariance: no person is needed."""
    plan = settings(record)
    tallies = tallies_of(look)
    if look.metrics == METRICS:
        whole = look.covariance()
        return evaluation.of_tallies(
            tallies, whole, grouping.groups, point, level=plan.level, min_subjects=plan.min_subjects
        )
    total = len(grouping.groups)
    sizes = evaluation.zero_sizes(tallies, look.variances(), total)
    return Measured(point, rates_of(look, grouping.groups, record), tallies, look.covariance(), sizes, total)


def rates_of(look: Look, groups: Sequence[DemographicGroup], record: EvaluationRecord) -> list[ErrorRate]:
    """Rates of groups, the first cells of a look, by their own variances."""
    plan, names = settings(record), [Cell(group) for group in groups]
    return [
        rate
        for (metric, tally), own in zip(tallies_of(look).items(), look.variances(), strict=True)
        for rate in error_rates(
            metric, tally, names, own, operating_point=look.point, level=plan.level, min_subjects=plan.min_subjects
        )
    ]


def tallies_of(look: Look) -> dict[Metric, Tally]:
    """Counts of a look's cells, metric by metric: no residual of a person is there."""
    nobody, none = np.zeros((0, len(look.names))), np.zeros((0, 0))
    made: dict[Metric, Tally] = {}
    for k, metric in enumerate(look.metrics):
        errors, trials, people = look.counts[k].T
        made[metric] = Tally(errors, trials, people, nobody, none, paired=metric == "FMR")  # type: ignore[index]
    return made


def groups_of(look: Look, grouping: CountedGroups) -> CountedGroups:
    """The groups of a look: the record's, or others with their own numbers of people."""
    own = [name for name in look.names if name.role == "group"]
    if [name.group for name in own] == [named(group.as_dict()) for group in grouping.groups]:
        return grouping
    groups = [group_of(name.group) for name in own]
    return _grouping([group.as_dict() for group in groups], [name.people or 0 for name in own])


def require_few(looks: Sequence[Look]) -> None:
    """Refuse matrices that would not fit: a record of few bytes may list any number of groups."""
    if sum(look.size**2 for look in looks) > MOST_NUMBERS:
        found = f"the cells of {len(looks):,} settings have too many covariances"
        raise DataError(COVARIANCE, found, f"Up to {MOST_NUMBERS:,} numbers are computed again")


def grouping_of(record: EvaluationRecord) -> CountedGroups:
    """The groups that a record counts."""
    rows = record.samples.by_group
    return _grouping([row.group for row in rows], [row.subjects for row in rows])


def _grouping(groups: Sequence[Mapping[str, str]], people: Sequence[int]) -> CountedGroups:
    made = tuple(DemographicGroup(tuple(group.items())) for group in groups)
    attributes = tuple(dict.fromkeys(name for group in groups for name in group))
    member = np.zeros((len(made), 0), dtype=bool)
    counts = np.array(people, dtype=np.int64)
    return CountedGroups(attributes, made, np.zeros(0, dtype=np.int64), member, None, counts)


def group_of(text: str) -> DemographicGroup:
    """A group as it stands in the tables.

    Raises
    ------
    DataError
        If it is written in another way than `named` does.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(x, str) for x in found.values()) or named(found) != text:
        raise DataError(CELLS, "names a group in another way than a run does", WAY_OUT)
    return DemographicGroup(tuple(found.items()))


def _same_people(look: Look, grouping: CountedGroups, *, complete: bool, free: bool) -> None:
    """Cells are of groups of the record, in their order and with as many people; `free`: of others beside them, too."""
    known = {named(g.as_dict()): int(n) for g, n in zip(grouping.groups, grouping.subjects, strict=True)}
    groups = [name for name in look.names if name.role == "group"]
    rests = [name.group for name in look.names if name.role == "rest"]
    whole = [name.group for name in groups]
    if whole != [name for name in known if name in whole] and not free:
        raise DataError(CELLS, f"cells at {look.point!r} are not those of the record's groups", WAY_OUT)
    if any(name.group in known and name.people != known[name.group] for name in groups) and complete:
        raise DataError(CELLS, f"other numbers of people at {look.point!r} than the record's", WAY_OUT)
    ordered = [*("group" for _ in groups), *("rest" for _ in rests)]
    if rests and (rests != whole[1:] or [name.role for name in look.names] != ordered):
        raise DataError(CELLS, f"cells at {look.point!r} stand in another order than a run's", WAY_OUT)


def point_of(record: EvaluationRecord, name: str) -> Threshold:
    """An operating point as the metrics know it; one of a list has a name alone."""
    for part in record.operating_points:
        if part.id == name:
            return threshold(part)
    return Threshold(name, "given", DemographicGroup(), None, None, None, "")


def threshold(part: OperatingPoint) -> Threshold:
    """An operating point as the metrics know it."""
    group = DemographicGroup(tuple(part.group.items()))
    return Threshold(
        part.id, part.policy, group, part.target_fmr, part.threshold, part.achieved_fmr, part.set_on, part.reason
    )


def settings(record: EvaluationRecord) -> disparities.Settings:
    """What the plan in the record declares about verdicts.

    Raises
    ------
    DataError
        If the plan lacks it.
    """
    plan = record.plan
    try:
        margins = {
            **dict.fromkeys(("FMR", "FPIR"), plan["margin_fmr"]),
            **dict.fromkeys(("FNMR", "FTA", "FNIR", "MISS", "FDET"), plan["margin_fnmr"]),
            **dict.fromkeys(("CER", "OFF", "PASS", "STOP", "NPR"), plan.get("margin_attributes", 1.25)),
        }
        return disparities.Settings(
            float(plan["level"]), float(plan["alpha"]), {name: float(x) for name, x in margins.items()},
            int(plan["min_subjects"]), dict(plan["reference"]), record.seed, int(plan["draws"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("record.json#/plan", f"lacks or spoils {error}", "It was not written by this version") from None
