"""Two tables of cells beside a record: errors, trials and people of every cell, and covariances of their rates.

A *look* is what was counted at one operating point in one setting: cells of one or several metrics, all of the same
groups. Rows of an operating point stand in the order in which `covariance.parquet` numbers them, look after look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from audit.errors import DataError

CELLS, COVARIANCE = "cells.parquet", "covariance.parquet"
Role = Literal["group", "rest", "across"]
LARGEST_MATRIX = 4096
"""Cells of which a joint covariance is put together; more are in no audit, and would fill the memory."""

COMPARED, ACROSS, OWN, ACQUISITION, ALONE, GENERALISED, CONDITION = (
    "", "across", "own", "acquisition", "alone", "generalised", "condition",
)  # fmt: skip
"""Settings: groups that are compared with each other; pairs of groups; a group at a threshold of its own; failures to
acquire; groups that are not compared; failures counted as errors; pictures made worse in one way."""


def ranked(rank: int, *, generalised: bool = False) -> str:
    """Setting of searches in a list, at a rank.

    >>> ranked(5), ranked(1, generalised=True)
    ('rank 5', 'rank 1, generalised')
    """
    return f"rank {rank}{', generalised' if generalised else ''}"


def among(candidates: int) -> str:
    """Setting of searches that look at so many first candidates, without a threshold."""
    return f"{candidates} candidates"


def listed(people: int) -> str:
    """Setting of searches in the first part of a list."""
    return f"{people} people on the list"


class Name(NamedTuple):
    """Which cell: a group or the rest of its family, or two groups across; `people` are those who are in a group."""

    role: Role
    group: str
    against: str | None
    people: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Cells at one operating point in one setting.

    Parameters
    ----------
    point : id of the operating point; empty for what depends on none
    names : cells of each metric
    metrics : one after the other
    counts : int, (metrics, cells, 3): errors, trials, and people who contribute a trial
    rows, columns, values : entries of the lower triangle of the covariance, over cells metric by metric; others are not
        told
    """

    point: str
    setting: str
    names: tuple[Name, ...]
    metrics: tuple[str, ...]
    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Cells of all metrics."""
        return len(self.names) * len(self.metrics)

    def variances(self) -> NDArray[np.float64]:
        """Variances of the cells' rates, (metrics, cells); NaN where none is told."""
        made = np.full(self.size, np.nan)
        own = self.rows == self.columns
        made[self.rows[own]] = self.values[own]
        return made.reshape(len(self.metrics), -1)

    def covariance(self) -> NDArray[np.float64]:
        """The whole matrix, NaN where nothing is told.

        Raises
        ------
        DataError
            If it would be larger than any audit's.
        """
        if self.size > LARGEST_MATRIX:
            raise DataError(
                COVARIANCE, f"is of {self.size:,} cells at {self.point!r}", "Give the file that a run wrote"
            )
        made = np.full((self.size, self.size), np.nan)
        made[self.rows, self.columns] = made[self.columns, self.rows] = self.values
        return made


def to_columns(looks: Sequence[Look]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Write looks as the columns of both tables."""
    cells: dict[str, list[Any]] = {name: [] for name in _CELLS}
    entries: dict[str, list[Any]] = {name: [] for name in ("operating_point", "row", "column", "value")}
    begin: dict[str, int] = {}
    for look in looks:
        number = look.size
        parts = {
            "operating_point": [look.point] * number,
            "setting": [look.setting] * number,
            "metric": [metric for metric in look.metrics for _ in look.names],
            **{part: [getattr(name, part) for name in look.names] * len(look.metrics) for part in Name._fields},
            **dict(zip(_COUNTS, look.counts.reshape(-1, 3).T.tolist(), strict=True)),
        }
        for part, values in parts.items():
            cells[part] += values
        first = begin.get(look.point, 0)
        begin[look.point] = first + number
        entries["operating_point"] += [look.point] * len(look.values)
        entries["row"] += (look.rows + first).tolist()
        entries["column"] += (look.columns + first).tolist()
        entries["value"] += look.values.tolist()
    return cells, entries


_COUNTS = ("errors", "trials", "subjects")
_CELLS = ("operating_point", "setting", "metric", *Name._fields, *_COUNTS)


def from_columns(cells: Mapping[str, Sequence[Any]], entries: Mapping[str, Any]) -> tuple[Look, ...]:
    """Read looks back from the columns of both tables.

    Raises
    ------
    DataError
        If a look is in pieces, has other cells in one metric than in another, or a covariance has no place.
    """
    shapes = _shapes(cells)
    matrices = _by_point(entries)
    sizes: dict[str, int] = {}
    made = []
    for point, setting, names, metrics, counts in shapes:
        first, number = sizes.get(point, 0), len(names) * len(metrics)
        sizes[point] = first + number
        rows, columns, values = matrices.get(point, _NOTHING)
        mine = (rows >= first) & (rows < first + number)
        if (columns[mine] < first).any():
            raise DataError(COVARIANCE, f"joins cells of two settings at {point!r}", _AGAIN)
        part = rows[mine] - first, columns[mine] - first, values[mine]
        made.append(Look(point, setting, names, metrics, counts, *part))
    for point, (rows, columns, values) in matrices.items():
        if (columns < 0).any() or (columns > rows).any() or (rows >= sizes.get(point, 0)).any():
            raise DataError(COVARIANCE, f"has an entry without a place at {point!r}", _AGAIN)
        if (values[rows == columns] < 0).any():
            raise DataError(COVARIANCE, f"has a negative variance at {point!r}", _AGAIN)
    return tuple(made)


_AGAIN = "Give the file that a run wrote"
_NOTHING = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
_Shape = tuple[str, str, tuple[Name, ...], tuple[str, ...], NDArray[np.int64]]


def _shapes(cells: Mapping[str, Sequence[Any]]) -> list[_Shape]:
    """Names, metrics and counts of every look, in the order of the table."""
    gathered: dict[tuple[str, str], dict[str, list[int]]] = {}
    before = None
    for place, key in enumerate(zip(cells["operating_point"], cells["setting"], cells["metric"], strict=True)):
        metrics = gathered.setdefault(key[:2], {})
        if key != before and key[2] in metrics:
            raise DataError(CELLS, f"cells of {key[2]} at {key[0]!r} do not stand together", _AGAIN)
        metrics.setdefault(key[2], []).append(place)
        before = key
    names = [Name(*row) for row in zip(*(cells[part] for part in Name._fields), strict=True)]
    counts = np.array([cells[part] for part in _COUNTS], dtype=np.int64).reshape(3, -1).T
    if (counts[:, 0] > counts[:, 1]).any():
        raise DataError(CELLS, "a cell has more errors than trials", _AGAIN)
    made = []
    for (point, setting), metrics in gathered.items():
        places = list(metrics.values())
        own = tuple(names[k] for k in places[0])
        if any(tuple(names[k] for k in other) != own for other in places) or len({name[:3] for name in own}) < len(own):
            raise DataError(CELLS, f"cells at {point!r} are not the same for every metric", _AGAIN)
        numbers = counts[[k for place in places for k in place]].reshape(len(metrics), len(own), 3)
        made.append((point, setting, own, tuple(metrics), numbers))
    return made


def _by_point(entries: Mapping[str, Any]) -> dict[str, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    points = np.asarray(entries["operating_point"], dtype=object)
    rows, columns = (np.asarray(entries[name], dtype=np.int64) for name in ("row", "column"))
    values = np.asarray(entries["value"], dtype=np.float64)
    number = {point: k for k, point in enumerate(dict.fromkeys(points.tolist()))}
    whose = np.fromiter(map(number.__getitem__, points.tolist()), dtype=np.int64, count=len(points))
    order = np.argsort(whose, kind="stable")
    ends = np.cumsum(np.bincount(whose, minlength=len(number)))
    parts = np.split(order, ends[:-1])
    return {point: (rows[mine], columns[mine], values[mine]) for point, mine in zip(number, parts, strict=False)}
