"""Capture conditions: from comparisons and what was measured in their samples to the part of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from audit import record as r
from audit.assemble import interval
from audit.capture import MEASURES
from audit.captured import Captured
from audit.compare import Comparisons, case_control
from audit.compare.blocks import Rows, Similarity
from audit.compare.case_control import Listed, Within
from audit.compare.counts import Floats, Ints
from audit.groups import Grouping
from audit.metrics import conditions
from audit.metrics.disparities import reference_of
from audit.plan import AuditPlan

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST = 10
"""People behind quantiles."""
Quantity = Literal["FMR", "FNMR", "mated score", "non-mated score"]
Column = Literal["mean", "difference", "value"]
_COLUMNS: dict[str, Column] = {"mean": "mean", "difference": "difference", "value": "value"}


@dataclass(frozen=True, eq=False)
class Compared:
    """The comparisons, and whose they are.

    Parameters
    ----------
    comparisons : of the templates
    rows : (templates,) the sample of each, as a place among those that were measured
    subject : (samples,) subject of each sample that was measured
    all_pairs : templates and similarity where every one was compared with every other
    """

    comparisons: Comparisons
    rows: Ints
    subject: Ints
    all_pairs: tuple[Rows, Similarity] | None


def part(
    captured: Captured,
    compared: Compared,
    grouping: Grouping,
    points: Sequence[r.OperatingPoint],
    plan: AuditPlan,
) -> r.Conditions:
    """Distributions of all measures, and gaps by every single attribute."""
    thresholds = {p.id: p.threshold for p in points if p.policy != "per-group" and p.threshold is not None}
    scaled = _scaled(captured)
    made = _Made()
    rows, every = 0, True
    for attribute in grouping.attributes:
        one = _Attribute(attribute, grouping, plan)
        listed = one.listed(compared, np.unique(list(thresholds.values())), plan.seed)
        rows, every = rows + len(listed.one), every and listed.every
        samples = compared.rows[listed.one], compared.rows[listed.two]
        columns = conditions.of_pairs(scaled, *samples)
        people = compared.subject[samples[0]], compared.subject[samples[1]]
        for quantity, point, threshold in _asked(thresholds):
            found = one.gaps(listed, people, columns, quantity, threshold)
            made.add(one, found, quantity, point)
    return made.part(captured, compared.subject, grouping, plan, rows=rows, every=every)


def of_samples(
    captured: Captured, outcomes: Mapping[str, Floats], subject: Ints, grouping: Grouping, plan: AuditPlan
) -> r.Conditions:
    """As `part`, of errors that are of one sample each: a detector's misses, an attribute model's errors.

    Parameters
    ----------
    outcomes : name of an error to 1, 0, or NaN (not tried) for every sample that was measured
    subject : (samples,)
    """
    columns, made = conditions.of_samples(_scaled(captured)), _Made()
    for attribute in grouping.attributes:
        one = _Attribute(attribute, grouping, plan)
        for quantity, outcome in outcomes.items():
            tried = np.isfinite(outcome)
            trials = conditions.Trials(outcome[tried], one.group_of[subject[tried]], subject[tried])
            made.add(one, one.found(trials, {key: x[tried] for key, x in columns.items()}, "rate"), quantity, None)
    rows = len(grouping.attributes) * sum(int(np.isfinite(outcome).sum()) for outcome in outcomes.values())
    return made.part(captured, subject, grouping, plan, rows=rows, every=True)


def _scaled(captured: Captured) -> dict[str, Floats]:
    """Measures as they enter a model."""
    return {
        name: np.log2(values) if MEASURES[name].scale == "log2" else values for name, values in captured.values.items()
    }


class _Made:
    """What was found so far, attribute by attribute."""

    def __init__(self) -> None:
        self._gaps: list[r.ConditionGap] = []
        self._effects: list[r.ConditionEffect] = []
        self._left: list[r.LeftOutMeasure] = []

    def add(self, one: _Attribute, found: conditions.Found, quantity: str, point: str | None) -> None:
        """Add what was found of one quantity."""
        self._gaps += [one.gap(gap, quantity, point) for gap in found.gaps]
        self._effects += [one.effect(effect, quantity, point) for effect in found.effects]
        self._left += [
            r.LeftOutMeasure(attribute=one.name, quantity=quantity, operating_point=point, measure=name, reason=why)
            for name, why in found.left_out.items()
        ]

    def part(
        self, captured: Captured, subject: Ints, grouping: Grouping, plan: AuditPlan, *, rows: int, every: bool
    ) -> r.Conditions:
        """All of it, with the distributions of the measures."""
        return r.Conditions(
            found=captured.found,
            measures=[
                _measure(name, values, captured.failures[name], subject, grouping, plan.min_subjects)
                for name, values in captured.values.items()
            ],
            gaps=self._gaps,
            effects=self._effects,
            left_out=self._left,
            several=grouping.several(),
            every=every,
            rows=rows,
            method=f"{conditions.METHOD}; scores: {conditions.METHOD_SCORES}",
        )


def _asked(thresholds: Mapping[str, float]) -> list[tuple[Quantity, str | None, float | None]]:
    """Errors at every threshold that holds for everyone, and scores."""
    made: list[tuple[Quantity, str | None, float | None]] = []
    for point, threshold in thresholds.items():
        made += [("FMR", point, threshold), ("FNMR", point, threshold)]
    return [*made, ("mated score", None, None), ("non-mated score", None, None)]


class _Attribute:
    """One attribute: its groups, and which of them the others are compared with."""

    def __init__(self, name: str, grouping: Grouping, plan: AuditPlan) -> None:
        self.name, self._grouping, self._level = name, grouping, plan.level
        self._positions = grouping.families().get((name,), [])
        member = grouping.member[self._positions][:, grouping.atom_of]
        self.group_of = np.where(member.sum(axis=0) == 1, member.argmax(axis=0), -1).astype(np.int64)
        self._reference = self._positions.index(reference_of(grouping, [name], plan.reference))

    def listed(self, compared: Compared, thresholds: Floats, seed: int) -> Listed:
        """Comparisons within the groups."""
        grouping = self._grouping
        allowed = grouping.allowed
        if allowed is None:
            allowed = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
        within = Within(compared.subject[compared.rows], self.group_of, grouping.atom_of, allowed)
        return case_control.listed(
            compared.comparisons, within, thresholds, all_pairs=compared.all_pairs, seed=seed
        )  # fmt: skip

    def gaps(
        self,
        listed: Listed,
        people: tuple[Ints, Ints],
        columns: conditions.Columns,
        quantity: Quantity,
        threshold: float | None,
    ) -> conditions.Found:
        """Gaps of one quantity."""
        mated = quantity in {"FNMR", "mated score"}
        rows = listed.mated == mated
        outcome = listed.score
        if threshold is not None:
            outcome = ((listed.score < threshold) if mated else self._accepted(listed, threshold)).astype(np.float64)
        trials = conditions.Trials(
            outcome[rows],
            listed.group[rows],
            people[0][rows],
            None if mated else people[1][rows],
            listed.weight[rows],
        )
        kept = {key: values[rows] for key, values in columns.items()}
        return self.found(trials, kept, "score" if threshold is None else "rate")

    def found(self, trials: conditions.Trials, columns: conditions.Columns, kind: conditions.Kind) -> conditions.Found:
        """Gaps between this attribute's groups."""
        return conditions.gaps(trials, columns, len(self._positions), self._reference, kind, level=self._level)

    @staticmethod
    def _accepted(listed: Listed, threshold: float) -> np.ndarray:
        """Below the lowest threshold nothing is, whatever the last bit of a score that was computed again."""
        return (listed.score >= threshold) & (listed.band > 0)

    def gap(self, gap: conditions.Gap, quantity: str, point: str | None) -> r.ConditionGap:
        """A gap of the record; people of a group that is too small are not told apart."""
        return r.ConditionGap(
            attribute=self.name,
            group=self._named(gap.group),
            against=self._named(self._reference),
            quantity=quantity,
            operating_point=point,
            people=gap.people,
            errors=gap.errors,
            comparisons=gap.trials,
            missing=gap.missing,
            before=gap.before,
            before_interval=interval(gap.before_interval),
            after=gap.after,
            after_interval=interval(gap.after_interval),
            change=gap.change,
            change_interval=interval(gap.change_interval),
            overlap=gap.overlap,
            support=gap.support,
            reason=gap.reason,
        )

    def effect(self, effect: conditions.Effect, quantity: str, point: str | None) -> r.ConditionEffect:
        """An effect of the record."""
        return r.ConditionEffect(
            attribute=self.name,
            quantity=quantity,
            operating_point=point,
            measure=effect.measure,
            column=_COLUMNS[effect.column],
            deviation=effect.deviation,
            value=effect.value,
            interval=r.IntervalPart(
                low=effect.interval.low,
                high=effect.interval.high,
                level=effect.interval.level,
                method=effect.interval.method,
            ),
        )

    def _named(self, group: int) -> dict[str, str]:
        return self._grouping.groups[self._positions[group]].as_dict()


def _measure(
    name: str,
    values: Floats,
    failures: Mapping[str, int],
    subject: Ints,
    grouping: Grouping,
    min_subjects: int,
) -> r.CaptureMeasure:
    """Distribution over samples of everyone and of the groups of single attributes."""
    one = MEASURES[name]
    groups = []
    for position, group in enumerate(grouping.groups):
        if len(group.items) > 1:
            continue
        mine = grouping.member[position][grouping.atom_of[subject]]
        known = mine & np.isfinite(values)
        people = len(np.unique(subject[mine]))
        enough = len(np.unique(subject[known])) >= max(FEWEST, min_subjects)
        quantiles = tuple(float(f"{q:.6g}") for q in np.quantile(values[known], QUANTILES)) if enough else None
        groups.append(
            r.MeasureGroup(
                group=group.as_dict(),
                people=people,
                samples=int(mine.sum()),
                missing=int((mine & ~known).sum()),
                quantiles=quantiles,
            )
        )
    return r.CaptureMeasure(
        measure=name,
        unit=one.unit,
        definition=one.definition,
        source=one.source,
        scale=one.scale,
        failures=dict(failures),
        groups=groups,
    )
