"""From counts to the tables beside a record (`audit.counted`). Nothing is computed here that decides a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.assemble import edges_of
from audit.compare.counts import Floats, Ints, ScoreCounts
from audit.counted import Binned, Counted, column_names, named
from audit.domain import DemographicGroup, Threshold
from audit.groups import Grouping
from audit.metrics.disclosure import told_finely
from audit.metrics.evaluation import Measured, atom_columns, columns, crossed

FINE_BINS = 2048
"""Most bins of a histogram beside the record, thresholds aside."""


def counted(
    scores: ScoreCounts, grouping: Grouping, measured: Sequence[Measured], placed: Sequence[Threshold]
) -> Counted:
    """Make the tables.

    Parameters
    ----------
    measured : at every operating point for everyone
    placed : all operating points; where they hold in folds, scores are not counted by their thresholds
    """
    everywhere = sorted({p.value for p in placed if p.policy != "per-group" and p.value is not None})
    own: dict[DemographicGroup, list[float]] = {p.group: [] for p in placed}
    for point in placed:
        if point.policy == "per-group" and point.value is not None:
            own[point.group].append(point.value)
    between = _by_cell(scores, everywhere)
    binned = [*_of_groups(scores, grouping, everywhere, own), *_coarse(grouping, between)]
    return Counted(tuple(binned), _cells(measured, grouping), _covariances(measured, grouping))


def _of_groups(
    scores: ScoreCounts, grouping: Grouping, everywhere: Sequence[float], own: dict[DemographicGroup, list[float]]
) -> Iterator[Binned]:
    """Scores within every group, finely where `told_finely` says so; its own thresholds are edges too."""
    fine = told_finely(grouping)
    for position, group in enumerate(grouping.groups):
        cells = [
            scores.chosen(grouping.member[position] if mated else grouping.within(position), mated=mated)
            for mated in (False, True)
        ]
        wanted = np.array(sorted({*everywhere, *own.get(group, [])}))
        exact = wanted[scores.exact_at(cells[0] | cells[1], wanted)]
        edges = edges_of(scores, exact.tolist(), FINE_BINS if fine[position] else 1)
        for mated, chosen in zip((False, True), cells, strict=True):
            yield Binned("group", named(group.as_dict()), None, mated, edges, scores.binned(chosen, edges))


Between = tuple[Floats, Ints]


def _by_cell(scores: ScoreCounts, everywhere: Sequence[float]) -> Between:
    """Edges at the thresholds for everyone, and the counts between them of every cell, (cells, bins)."""
    wanted = np.array(everywhere)
    exact = wanted[scores.exact_at(np.ones(len(scores.histogram), dtype=bool), wanted)]
    edges = edges_of(scores, exact.tolist(), 1)
    return edges, scores.binned_by_cell(edges)


def _coarse(grouping: Grouping, between: Between) -> Iterator[Binned]:
    """Scores of the rests and across groups, between thresholds."""
    edges, counts = between
    pairs = grouping.atoms * (grouping.atoms + 1) // 2
    upper = np.triu_indices(grouping.atoms)
    total = len(grouping.groups)
    masks, atoms = columns(grouping)[0], atom_columns(grouping)
    for position, group in enumerate(grouping.groups[1:], start=1):
        place = total + position - 1
        nonmated = masks[place][upper] @ counts[:pairs]
        mated = atoms[place].astype(np.int64) @ counts[pairs:]
        for is_mated, found in ((False, nonmated), (True, mated)):
            yield Binned("rest", named(group.as_dict()), None, is_mated, edges, np.asarray(found, dtype=np.int64))
    for first, second in crossed(grouping):
        found = grouping.across(first, second)[upper] @ counts[:pairs]
        one, other = (named(grouping.groups[k].as_dict()) for k in (first, second))
        yield Binned("across", one, other, False, edges, np.asarray(found, dtype=np.int64))


def _cells(measured: Sequence[Measured], grouping: Grouping) -> dict[str, list[Any]]:
    made: dict[str, list[Any]] = {
        name: [] for name in ("operating_point", "metric", "role", "group", "errors", "trials", "subjects")
    }
    names = column_names([group.as_dict() for group in grouping.groups])
    for one in measured:
        for metric, tally in one.tallies.items():
            made["operating_point"] += [one.point.id] * len(names)
            made["metric"] += [metric] * len(names)
            made["role"] += [role for role, _ in names]
            made["group"] += [name for _, name in names]
            for part in ("errors", "trials", "subjects"):
                made[part] += getattr(tally, part).tolist()
    return made


def _covariances(measured: Sequence[Measured], grouping: Grouping) -> dict[str, Any]:
    """The lower triangle between cells of one family, where it is defined."""
    related = _related(grouping)
    made: dict[str, list[Any]] = {name: [] for name in ("operating_point", "row", "column", "value")}
    for one in measured:
        metrics = len(one.tallies)
        wanted = np.tril(np.tile(related, (metrics, metrics)))
        rows, across = np.nonzero(wanted & np.isfinite(one.covariance))
        made["operating_point"] += [one.point.id] * len(rows)
        made["row"] += rows.tolist()
        made["column"] += across.tolist()
        made["value"] += one.covariance[rows, across].tolist()
    return made


def _related(grouping: Grouping) -> NDArray[np.bool_]:
    """Which columns of a metric stand in one comparison: those of a family; everyone with itself."""
    total = len(grouping.groups)
    family = np.zeros(total, dtype=np.int64)
    for number, members in enumerate(grouping.families().values(), start=1):
        family[members] = number
    family = np.r_[family, family[1:]]
    return np.asarray(family[:, None] == family)
