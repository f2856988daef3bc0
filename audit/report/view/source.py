"""The record, indexed the way a report asks: groups in order, operating points, rates by group."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from audit.record import Contrast, Differential, EvaluationRecord, Group, GroupCount, OperatingPoint, Rate
from audit.report.view.clean import scrub

Key = frozenset[tuple[str, str]]


def key(group: Group) -> Key:
    """Identify a group whatever the order of its attributes."""
    return frozenset(group.items())


def shared_points(points: Sequence[OperatingPoint]) -> list[OperatingPoint]:
    """Those with one threshold for everyone, the loosest first."""
    shared = [point for point in points if point.policy != "per-group"]
    return sorted(shared, key=lambda p: -(p.target_fmr if p.target_fmr is not None else p.achieved_fmr or 0.0))


def headline_point(points: Sequence[OperatingPoint]) -> OperatingPoint | None:
    """The strictest of those set for everyone that could be estimated; one that was given only where there is none."""
    usable = [point for point in reversed(shared_points(points)) if point.threshold is not None]
    return next((point for point in usable if point.policy == "global"), usable[0] if usable else None)


@dataclass(frozen=True)
class Source:
    """A cleaned record with its look-ups."""

    record: EvaluationRecord
    counts: dict[Key, GroupCount]
    shared: tuple[OperatingPoint, ...]
    """Operating points with one threshold for everyone, the loosest first."""
    own: tuple[OperatingPoint, ...]
    """Operating points with a threshold per group."""
    headline: OperatingPoint | None
    """The strictest of the shared ones that could be estimated."""
    _rates: dict[tuple[str, str, Key, Key | None, str | None], Rate] = field(repr=False)

    @classmethod
    def of(cls, record: EvaluationRecord) -> Source:
        """Clean and index a record."""
        record = scrub(record)
        shared = shared_points(record.operating_points)
        return cls(
            record=record,
            counts={key(count.group): count for count in record.samples.by_group},
            shared=tuple(shared),
            own=tuple(point for point in record.operating_points if point.policy == "per-group"),
            headline=headline_point(shared),
            _rates={
                (
                    rate.metric,
                    rate.view,
                    key(rate.group),
                    None if rate.reference_group is None else key(rate.reference_group),
                    rate.operating_point,
                ): rate
                for rate in record.rates
            },
        )

    @property
    def min_subjects(self) -> int:
        """Fewer people than this are not described as a group."""
        value = self.record.plan.get("min_subjects", 2)
        return value if isinstance(value, int) else 2

    def rate(
        self,
        metric: str,
        group: Group,
        point: OperatingPoint | None,
        *,
        against: Group | None = None,
        view: str = "conditional",
    ) -> Rate | None:
        """Find the rate of a group (or of a pair of groups) at an operating point."""
        reference = None if against is None else key(against)
        return self._rates.get((metric, view, key(group), reference, None if point is None else point.id))

    def subjects(self, group: Group) -> int:
        """Count the people of a group."""
        count = self.counts.get(key(group))
        return count.subjects if count else 0

    def banded(self, group: Group) -> bool:
        """Whether a group is too small to be described (its people could be recognised)."""
        return key(group) in self.counts and self.subjects(group) < self.min_subjects

    def shares(self, attributes: Sequence[str]) -> bool:
        """Whether groups of an attribute set overlap: together they hold more people than there are."""
        return self._held[frozenset(attributes)] > self.record.samples.subjects

    @cached_property
    def _held(self) -> Counter[frozenset[str]]:
        held: Counter[frozenset[str]] = Counter()
        for count in self.record.samples.by_group:
            held[frozenset(count.group)] += count.subjects
        return held

    def attribute_sets(self) -> list[tuple[str, ...]]:
        """Attributes and intersections, single ones first, in the order of the record."""
        found = dict.fromkeys(tuple(count.group) for count in self.record.samples.by_group if count.group)
        return sorted(found, key=len)

    def groups(self, attributes: Sequence[str]) -> list[Group]:
        """Groups of an attribute set: the highest false match rate first, unmeasured ones last."""
        return list(self._groups.get(frozenset(attributes), ()))

    @cached_property
    def _groups(self) -> dict[frozenset[str], list[Group]]:
        found: dict[frozenset[str], list[Group]] = {}
        for group in sorted((count.group for count in self.record.samples.by_group), key=self._rank):
            found.setdefault(frozenset(group), []).append(group)
        return found

    def _rank(self, group: Group) -> tuple[int, float, int]:
        if self.banded(group):
            return (3, 0.0, 0)
        rate = self.rate("FMR", group, self.headline)
        if rate is None or rate.value is None:
            return (2, 0.0, -self.subjects(group))
        if rate.errors == 0:
            return (1, 0.0, -rate.trials)
        return (0, -rate.value, -rate.trials)

    def spreads(self, metric: str, attributes: Sequence[str], point: OperatingPoint | None) -> list[Differential]:
        """List the disparity measures over an attribute set."""
        return [
            d
            for d in self.record.differentials
            if d.metric == metric
            and set(d.attributes) == set(attributes)
            and point is not None
            and d.operating_point == point.id
        ]

    def contrasts(self, metric: str, attributes: Sequence[str], point: OperatingPoint | None) -> list[Contrast]:
        """List the contrasts between groups of an attribute set, the most pronounced first."""
        return list(self._contrasts.get((metric, frozenset(attributes), None if point is None else point.id), ()))

    @cached_property
    def _contrasts(self) -> dict[tuple[str, frozenset[str], str | None], list[Contrast]]:
        found: dict[tuple[str, frozenset[str], str | None], list[Contrast]] = {}
        for c in sorted(self.record.contrasts, key=pronounced, reverse=True):
            if not self.banded(c.group) and (c.against == "rest" or not self.banded(c.against)):
                found.setdefault((c.metric, frozenset(c.group), c.operating_point), []).append(c)
        return found


def pronounced(contrast: Contrast) -> tuple[bool, bool, float, float]:
    """Rank a contrast: disparities first, then those that survive their correction, then by their smaller bound."""
    if contrast.ratio is None or contrast.ratio <= 0:
        return (contrast.verdict == "DISPARITY", False, 0.0, 0.0)
    survives = contrast.p_adjusted is not None and contrast.p_adjusted < 0.05
    towards_one = 0.0
    if contrast.interval is not None:
        low, high = contrast.interval.low, contrast.interval.high
        if low > 1:
            towards_one = math.log(low)
        elif 0 < high < 1:
            towards_one = -math.log(high) / 2
    size = math.log(contrast.ratio) if contrast.ratio >= 1 else -math.log(contrast.ratio) / 2
    return (contrast.verdict == "DISPARITY", survives, towards_one, size)
