"""From rates to the cells that are published beside a record (`audit.cell_table`): nothing is computed here.

A variance is told where the record gives its rate, and of all groups that are compared, as the design effect behind
a rate of zero is pooled over them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.cell_table import COMPARED, Look, Name
from audit.counted import named
from audit.domain import ErrorRate
from audit.groups import Grouping
from audit.metrics.evaluation import Measured

_PARTS = ("errors", "trials", "subjects")


def compared(one: Measured, grouping: Grouping, setting: str = COMPARED) -> Look:
    """Groups and the rests of them, with covariances between the cells of a family."""
    related = np.tile(_related(grouping), (len(one.tallies), len(one.tallies)))
    rows, columns = np.nonzero(np.tril(related) & np.isfinite(one.covariance))
    groups = _groups(grouping)
    names = (*groups, *(Name("rest", name.group, None, None) for name in groups[1:]))
    counts = np.array([np.array([getattr(tally, part) for part in _PARTS]).T for tally in one.tallies.values()])
    values = one.covariance[rows, columns]
    return Look(one.point.id, setting, names, tuple(one.tallies), counts, rows, columns, values)


def alone(one: Measured, grouping: Grouping, setting: str) -> Look:
    """Groups with the variances of their rates, where nothing is compared."""
    total = len(grouping.groups)
    variances = np.diag(one.covariance).reshape(len(one.tallies), -1)[:, :total].ravel()
    counts = np.array([np.array([getattr(tally, part)[:total] for part in _PARTS]).T for tally in one.tallies.values()])
    return _diagonal(one.point.id, setting, _groups(grouping), tuple(one.tallies), counts, variances)


def of_rates(rates: Sequence[ErrorRate], point: str, setting: str, grouping: Grouping) -> Look:
    """Rates with the variances that the record gives; the same groups, or pairs of them, for every metric."""
    metrics = tuple(dict.fromkeys(rate.metric for rate in rates))
    first = [rate for rate in rates if rate.metric == metrics[0]]
    known = {name.group: name for name in _groups(grouping)}
    names = []
    for rate in first:
        group, other = named(rate.group.as_dict()), rate.reference_group
        names.append(known[group] if other is None else Name("across", group, named(other.as_dict()), None))
    counts = np.array([[getattr(rate, part) for part in _PARTS] for rate in rates], dtype=np.int64)
    variances = np.array([np.nan if rate.variance is None else rate.variance for rate in rates], dtype=np.float64)
    return _diagonal(point, setting, tuple(names), metrics, counts.reshape(len(metrics), -1, 3), variances)


def _diagonal(
    point: str,
    setting: str,
    names: tuple[Name, ...],
    metrics: tuple[str, ...],
    counts: NDArray[np.int64],
    variances: NDArray[np.float64],
) -> Look:
    told = np.flatnonzero(np.isfinite(variances))
    return Look(point, setting, names, metrics, counts, told, told, variances[told])


def _groups(grouping: Grouping) -> tuple[Name, ...]:
    pairs = zip(grouping.groups, grouping.subjects.tolist(), strict=True)
    return tuple(Name("group", named(group.as_dict()), None, people) for group, people in pairs)


def _related(grouping: Grouping) -> NDArray[np.bool_]:
    """Which columns of a metric stand in one comparison: those of a family; everyone with itself."""
    total = len(grouping.groups)
    family = np.zeros(total, dtype=np.int64)
    for number, members in enumerate(grouping.families().values(), start=1):
        family[members] = number
    family = np.r_[family, family[1:]]
    return np.asarray(family[:, None] == family)
