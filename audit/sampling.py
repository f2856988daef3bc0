"""Which comparisons are made where a plan does not ask for all: a sample of a stated size, or until it is precise.

Rounds double what is drawn. The same plan draws the same comparisons, on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from audit import record as records
from audit.compare import Comparisons
from audit.compare.blocks import Rows, Similarity
from audit.compare.counts import Ints
from audit.compare.sampled import Drawing, Population, compare, mated_pairs
from audit.groups import Grouping
from audit.metrics.precision import widest
from audit.plan import AuditPlan

FIRST = 20_000
"""Comparisons of the first round, where the plan asks for a precision and names no number."""
MOST = 1 << 25
"""Comparisons that are drawn at most (1 GB); every sample with every other, in tiles, costs no more than that."""


@dataclass(frozen=True, eq=False)
class _Sampler:
    """What there is to draw from, and what it is drawn for."""

    plan: AuditPlan
    population: Population
    grouping: Grouping
    rows: Rows
    similarity: Similarity

    def many(self) -> list[int]:
        """Groups of which the plan's precision is asked: of enough people, and with comparisons to draw."""
        few = self.plan.min_subjects
        return [
            position for position, people in enumerate(self.grouping.subjects)
            if people >= few and self.population.inside(self.grouping.within(position))
        ]  # fmt: skip


def chosen(
    plan: AuditPlan,
    rows: Rows,
    subject: Ints,
    grouping: Grouping,
    similarity: Similarity,
    every: Callable[[], Comparisons],
) -> tuple[Comparisons, records.Sampling]:
    """Draw comparisons as the plan asks, and make them.

    Parameters
    ----------
    plan : asks for a number (`sample_nonmated`), a `precision`, or both: then the number is that of the first round
    rows, subject : templates, and the subject of each
    every : makes all comparisons; it is called where a sample would be most of them

    Returns
    -------
    (comparisons, what the record says of them)
    """
    size = grouping.atoms
    allowed = np.ones((size, size), dtype=bool) if grouping.allowed is None else grouping.allowed
    sampler = _Sampler(plan, Population(subject, grouping.atom_of, allowed), grouping, rows, similarity)
    total = int(sampler.population.by_cell.sum())
    drawing = Drawing(sampler.population, np.random.default_rng(plan.seed))
    number, rounds = plan.sample_nonmated or FIRST, list[records.SamplingRound]()
    positions = sampler.many()
    while number <= min(total // 2, MOST) and positions:
        drawing.up_to(number)
        comparisons = compare(rows, sampler.population, similarity, drawing.pairs, by_sample=bool(plan.covariates))
        if plan.precision is None:
            return comparisons, _said(sampler, drawing, rounds, "as many as the plan asks for")
        half, where = widest(comparisons, grouping, plan.fmr, plan.level, positions)
        group = grouping.groups[where].as_dict()
        rounds.append(
            records.SamplingRound(drawn=number, widest=half if math.isfinite(half) else None, group=group)
        )  # fmt: skip
        if half <= plan.precision:
            return comparisons, _said(sampler, drawing, rounds, "every group's interval is as narrow as asked")
        number *= 2
    why = "more than half of all would have been drawn" if number > total // 2 else "more would not fit in memory"
    return every(), _said(sampler, None, rounds, f"all comparisons were made: {why}")


def drawn(plan: AuditPlan, subject: Ints, grouping: Grouping) -> tuple[Ints, Ints, records.Sampling]:
    """Draw comparisons for somebody else to make: all mated ones, and as many non-mated ones as the plan asks for.

    Parameters
    ----------
    plan : its `sample_nonmated` is a number
    subject : of each sample

    Returns
    -------
    (samples that are probes, their references, what the record says of them)
    """
    size = grouping.atoms
    allowed = np.ones((size, size), dtype=bool) if grouping.allowed is None else grouping.allowed
    population = Population(subject, grouping.atom_of, allowed)
    drawing = Drawing(population, np.random.default_rng(plan.seed))
    drawing.up_to(min(plan.sample_nonmated or 0, int(population.by_cell.sum())))
    probe, reference = (np.r_[own, other] for own, other in zip(mated_pairs(subject), drawing.pairs, strict=True))
    return probe, reference, _record(plan, population, grouping, drawing, [], "as many as the plan asks for")


def _said(
    sampler: _Sampler, drawing: Drawing | None, rounds: list[records.SamplingRound], stopped: str
) -> records.Sampling:
    return _record(sampler.plan, sampler.population, sampler.grouping, drawing, rounds, stopped)


def _record(
    plan: AuditPlan,
    population: Population,
    grouping: Grouping,
    drawing: Drawing | None,
    rounds: list[records.SamplingRound],
    stopped: str,
) -> records.Sampling:
    """The part of the record; without a drawing, all comparisons were made."""
    size = grouping.atoms
    total = int(population.by_cell.sum())
    drawn = total
    inside = np.zeros((size, size), dtype=np.int64)
    if drawing is not None:
        first, second = (population.atom_of[population.subject[side]] for side in drawing.pairs)
        np.add.at(inside, (np.minimum(first, second), np.maximum(first, second)), 1)
        drawn = len(first)
    groups = []
    for position, group in enumerate(grouping.groups):
        mask = grouping.within(position)
        of = population.inside(mask)
        groups.append(
            records.SamplingGroup(
                group=group.as_dict(), drawn=of if drawing is None else int(inside[mask].sum()), of=of
            )
        )  # fmt: skip
    return records.Sampling(
        asked=plan.sample_nonmated,
        precision=plan.precision,
        drawn=drawn,
        of=total,
        weight=total / drawn if drawn else None,
        seed=plan.seed,
        rounds=rounds,
        stopped=stopped,
        by_group=groups,
    )
