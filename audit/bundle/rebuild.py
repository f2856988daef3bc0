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
    measured = []
    for part in record.operating_points:
        if part.policy == "per-group" or part.threshold is None:
            continue
        point = threshold(part)
        tallies = _tallies(cells.get(part.id, []), grouping, part.id)
        covariance = _matrix(matrices.get(part.id, []), sum(len(t.errors) for t in tallies.values()))
        made = of_tallies(tallies, covariance, grouping.groups, point, level=plan.level, min_subjects=plan.min_subjects)
        measured.append(made)
    unknown = {*cells, *matrices} - {one.point.id for one in measured}
    if unknown:
        raise DataError(CELLS, f"names operating points that the record does not have: {sorted(unknown)[0]!r}", WAY_OUT)
    scores = {(one.role, one.group, one.against, one.mated): one for one in counted.scores}
    return Rebuilt(grouping, measured, scores)


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


def _matrices(counted: Counted) -> dict[str, list[tuple[int, int, float]]]:
    made: dict[str, list[tuple[int, int, float]]] = {}
    columns = [counted.covariance[n] for n in ("operating_point", "row", "column", "value")]
    for point, row, column, value in zip(*columns, strict=True):
        made.setdefault(point, []).append((int(row), int(column), float(value)))
    return made


def _matrix(entries: Sequence[tuple[int, int, float]], size: int) -> NDArray[np.float64]:
    matrix = np.full((size, size), np.nan)
    for row, column, value in entries:
        if not 0 <= column <= row < size or (row == column and value < 0):
            raise DataError(COVARIANCE, f"has no place for row {row}, column {column}", WAY_OUT)
        matrix[row, column] = matrix[column, row] = value
    return matrix
