"""From the tables beside a record back to what its rates, contrasts and spreads were computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.counted import CELLS, COVARIANCE, Binned, Counted, Role, column_names
from audit.domain import DemographicGroup, Threshold
from audit.errors import DataError
from audit.groups import Grouping
from audit.metrics import disparities
from audit.metrics.evaluation import METRICS, Measured, Metric, of_tallies
from audit.metrics.rates import Tally
from audit.record import EvaluationRecord, OperatingPoint

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
class Rebuilt:
    """Groups, measurements at every operating point for everyone, and scores by cell."""

    grouping: CountedGroups
    measured: list[Measured]
    scores: dict[tuple[Role, str, str | None, bool], Binned]


def rebuild(record: EvaluationRecord, counted: Counted) -> Rebuilt:
    """Put the tables together.

    Raises
    ------
    DataError
        If they are not those of the record's groups and operating points.
    """
    grouping = grouping_of(record)
    plan = settings(record)
    cells = _cells(counted)
    matrices = _matrices(counted)
    _require_few(grouping, len(record.operating_points))
    measured = []
    for part in record.operating_points:
        if part.policy == "per-group" or part.threshold is None:
            continue
        point = threshold(part)
        tallies = _tallies(cells.get(part.id, []), grouping, part.id)
        covariance = _matrix(matrices.get(part.id, _NONE), sum(len(t.errors) for t in tallies.values()))
        made = of_tallies(tallies, covariance, grouping.groups, point, level=plan.level, min_subjects=plan.min_subjects)
        measured.append(made)
    unknown = {*cells, *matrices} - {one.point.id for one in measured}
    if unknown:
        raise DataError(CELLS, f"names operating points that the record does not have: {sorted(unknown)[0]!r}", WAY_OUT)
    scores = {(one.role, one.group, one.against, one.mated): one for one in counted.scores}
    return Rebuilt(grouping, measured, scores)


def _require_few(grouping: CountedGroups, points: int) -> None:
    """Refuse matrices that would not fit: a record of few bytes may list any number of groups."""
    size = len(METRICS) * (2 * len(grouping.groups) - 1)
    if size * size * points > MOST_NUMBERS:
        found = f"{len(grouping.groups):,} groups at {points:,} operating points have too many covariances"
        raise DataError(COVARIANCE, found, f"Up to {MOST_NUMBERS:,} numbers are computed again")


def grouping_of(record: EvaluationRecord) -> CountedGroups:
    """The groups that a record counts."""
    rows = record.samples.by_group
    groups = tuple(DemographicGroup(tuple(row.group.items())) for row in rows)
    none = np.zeros(0, dtype=np.int64)
    member = np.zeros((len(groups), 0), dtype=bool)
    people = np.array([row.subjects for row in rows], dtype=np.int64)
    return CountedGroups(tuple(record.benchmark.attributes), groups, none, member, None, people)


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
        margins = {"FMR": plan["margin_fmr"], "FNMR": plan["margin_fnmr"], "FTA": plan["margin_fnmr"]}
        return disparities.Settings(
            float(plan["level"]), float(plan["alpha"]), {name: float(x) for name, x in margins.items()},
            int(plan["min_subjects"]), dict(plan["reference"]), record.seed, int(plan["draws"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("record.json#/plan", f"lacks or spoils {error}", "It was not written by this version") from None


Row = tuple[str, str, str, int, int, int]


def _cells(counted: Counted) -> dict[str, list[Row]]:
    made: dict[str, list[Row]] = {}
    columns = [counted.cells[n] for n in ("operating_point", "metric", "role", "group", "errors", "trials", "subjects")]
    for point, *row in zip(*columns, strict=True):
        made.setdefault(point, []).append(tuple(row))
    return made


def _tallies(rows: Sequence[Row], grouping: Grouping, point: str) -> dict[Metric, Tally]:
    """Counts of all columns, metric by metric: no residual of a person is there."""
    names = column_names([group.as_dict() for group in grouping.groups])
    wanted = [(metric, *name) for metric in METRICS for name in names]
    if [row[:3] for row in rows] != wanted:
        raise DataError(CELLS, f"cells at {point!r} are not those of the record's groups", WAY_OUT)
    numbers = np.array([row[3:] for row in rows], dtype=np.int64).reshape(len(METRICS), len(names), 3)
    if (numbers[..., 0] > numbers[..., 1]).any():
        raise DataError(CELLS, f"a cell at {point!r} has more errors than trials", WAY_OUT)
    nobody = np.zeros((0, len(names)))
    none = np.zeros((0, 0))
    made: dict[Metric, Tally] = {}
    for k, metric in enumerate(METRICS):
        errors, trials, subjects = numbers[k].T
        made[metric] = Tally(errors, trials, subjects, nobody, none, paired=metric == "FMR")
    return made


Entries = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Rows, columns and values of a matrix."""
_NONE: Entries = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _matrices(counted: Counted) -> dict[str, Entries]:
    points, row, column, value = (
        np.asarray(counted.covariance[n]) for n in ("operating_point", "row", "column", "value")
    )
    made: dict[str, Entries] = {}
    for point in dict.fromkeys(points.tolist()):
        here = points == point
        made[point] = row[here].astype(np.int64), column[here].astype(np.int64), value[here]
    return made


def _matrix(entries: Entries, size: int) -> NDArray[np.float64]:
    row, column, value = entries
    wrong = (column < 0) | (column > row) | (row >= size) | ((row == column) & (value < 0))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise DataError(COVARIANCE, f"has no place for row {row[k]}, column {column[k]}", WAY_OUT)
    matrix = np.full((size, size), np.nan)
    matrix[row, column] = matrix[column, row] = value
    return matrix
