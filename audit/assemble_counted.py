"""From counts to the tables beside a record (`audit.counted`). Nothing is computed here that decides a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit import assemble_cells
from audit.assemble import edges_of
from audit.cell_table import ACROSS, OWN
from audit.compare.counts import Floats, Ints, ScoreCounts
from audit.counted import Binned, Counted, Look, named
from audit.domain import DemographicGroup, ErrorRate, Threshold
from audit.groups import Grouping
from audit.metrics.disclosure import told_finely
from audit.metrics.evaluation import Measured, atom_columns, columns, crossed

FINE_BINS = 2048
"""Most bins of a histogram beside the record, thresholds aside."""


def counted(
    scores: ScoreCounts,
    grouping: Grouping,
    measured: Sequence[Measured],
    placed: Sequence[Threshold],
    own: Sequence[ErrorRate] = (),
) -> Counted:
    """Make the tables.

    Parameters
    ----------
    measured : at every operating point for everyone
    own : rates at the groups' own thresholds
    placed : all operating points; where they hold in folds, scores are not counted by their thresholds
    """
    everywhere = sorted({p.value for p in placed if p.policy != "per-group" and p.value is not None})
    by_group: dict[DemographicGroup, list[float]] = {p.group: [] for p in placed}
    for point in placed:
        if point.policy == "per-group" and point.value is not None:
            by_group[point.group].append(point.value)
    between = _by_cell(scores, everywhere)
    binned = [*_of_groups(scores, grouping, everywhere, by_group), *_coarse(grouping, between)]
    return Counted(tuple(binned), tuple(_looks(grouping, measured, own)))


def _looks(grouping: Grouping, measured: Sequence[Measured], own: Sequence[ErrorRate]) -> Iterator[Look]:
    """Cells of everyone's thresholds, within groups and across; then those of the groups' own."""
    for one in measured:
        yield assemble_cells.compared(one, grouping)
        pairs = [rate for rate in one.rates if rate.reference_group is not None]
        if pairs:
            yield assemble_cells.of_rates(pairs, one.point.id, ACROSS, grouping)
    for point in dict.fromkeys(rate.operating_point for rate in own):
        mine = [rate for rate in own if rate.operating_point == point]
        yield assemble_cells.of_rates(mine, str(point), OWN, grouping)


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
