"""What a record holds for a rule: its groups, rates, covariances and measures."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from audit.errors import PlanError
from audit.policy.rules import COMPOSITE, Rule
from audit.record import Differential, EvaluationRecord, Group, GroupCount, Rate, group_text

Key = frozenset[tuple[str, str]]


class Evidence:
    """A record, indexed for the questions that rules ask."""

    def __init__(self, record: EvaluationRecord, place: str = "RECORD") -> None:
        self.record = record
        self.place = place
        self._counts: dict[Key, GroupCount] = {key(row.group): row for row in record.samples.by_group}
        self._rates: dict[tuple[str, str, str | None, Key], int] = {
            (rate.metric, rate.view, rate.operating_point, key(rate.group)): index
            for index, rate in enumerate(record.rates)
            if rate.reference_group is None
        }
        self._covariance = {
            (part.cells[a], part.cells[b]): value
            for part in record.covariance
            for a, row in enumerate(part.matrix)
            for b, value in enumerate(row)
        }

    def groups(self, rule: Rule) -> list[Group]:
        """Groups that a rule is about, each once.

        Raises
        ------
        PlanError
            For attributes that the record does not have.
        """
        if rule.groups == "everyone":
            return [{}]
        if rule.groups == "every":
            return [row.group for row in self.record.samples.by_group if row.group]
        found: dict[Key, Group] = {}
        for item in rule.groups:
            for group in self._item(item, rule):
                found.setdefault(key(group), group)
        return list(found.values())

    def _item(self, item: str | Group, rule: Rule) -> list[Group]:
        if not isinstance(item, str):
            for name in item:
                self._attribute(name, rule)
            return [item]
        return [{}] if item == "everyone" else self.family(self._attributes(item, rule))

    def _attributes(self, text: str, rule: Rule) -> tuple[str, ...]:
        names = tuple(name.strip() for name in text.split("&"))
        for name in names:
            self._attribute(name, rule)
        if not self.family(names):
            raise PlanError(
                f"rule {rule.name!r}: groups", f"the record has no groups of {text!r}",
                f"Audit with --by {','.join(names)}",
            )  # fmt: skip
        return names

    def _attribute(self, name: str, rule: Rule) -> None:
        known = list(self.record.benchmark.attributes)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known) or 'none'}"
            raise PlanError(f"rule {rule.name!r}: groups", f"the record has no attribute {name!r}", hint)

    def family(self, names: tuple[str, ...]) -> list[Group]:
        """All groups that have a value of exactly these attributes."""
        return [row.group for row in self.record.samples.by_group if row.group and set(row.group) == set(names)]

    def families(self, rule: Rule) -> list[tuple[str, ...]]:
        """Attributes, and intersections of them, that a rule about a measure is about."""
        if rule.groups == "every":
            metric = "FMR+FNMR" if rule.measure in COMPOSITE else rule.metric
            names = (tuple(d.attributes) for d in self.record.differentials if d.metric == metric)
            return list(dict.fromkeys(names))
        if rule.groups == "everyone" or not all(isinstance(item, str) and item != "everyone" for item in rule.groups):
            raise PlanError(
                f"rule {rule.name!r}: groups", "a measure is over the groups of an attribute",
                'Give attributes: groups = ["gender", "gender & ethnicity"]',
            )  # fmt: skip
        return [self._attributes(item, rule) for item in rule.groups if isinstance(item, str)]

    def points(self, rule: Rule, group: Group) -> str | None:
        """Id of the operating point of a rule for a group; None for failures to acquire.

        Raises
        ------
        PlanError
            If the record has no such operating point.
        """
        if rule.metric == "FTA" and rule.measure is None:
            return None
        shared = [point for point in self.record.operating_points if point.policy != "per-group"]
        if rule.operating_point is not None:
            if rule.operating_point not in {point.id for point in self.record.operating_points}:
                near = difflib.get_close_matches(rule.operating_point, [point.id for point in shared], n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(point.id for point in shared)}"
                raise PlanError(
                    f"rule {rule.name!r}: operating_point", f"{self.place} has no {rule.operating_point!r}", hint
                )
            return rule.operating_point
        policy = rule.threshold if group else "global"
        at = [
            point for point in self.record.operating_points
            if point.policy == policy and point.target_fmr == rule.target_fmr
        ]  # fmt: skip
        if not at:
            known = ", ".join(f"{x:g}" for x in sorted({p.target_fmr for p in shared if p.target_fmr}, reverse=True))
            raise PlanError(
                f"rule {rule.name!r}: target_fmr", f"{self.place} was not audited at {rule.target_fmr:g}",
                f"It has: {known}; or audit with --fmr {rule.target_fmr:g}",
            )  # fmt: skip
        return next(
            (point.id for point in at if key(point.group) == (key(group) if policy != "global" else key({}))), ""
        )

    def rate(self, rule: Rule, point: str | None, group: Group) -> Rate | None:
        """The rate of a group that a rule is about, or None where the record has none."""
        index = self._rates.get((str(rule.metric), rule.way, point, key(group)))
        return None if index is None else self.record.rates[index]

    def log_covariance(self, a: Rate, b: Rate) -> float | None:
        """Covariance of the logs of two rates of one operating point; 0 with a rate of 0 or 1, None: not recorded."""
        if a.value in {0, 1} or b.value in {0, 1}:
            return 0.0
        at = [self._rates[(x.metric, x.view, x.operating_point, key(x.group))] for x in (a, b)]
        found = self._covariance.get((at[0], at[1]))
        return None if found is None or not a.value or not b.value else found / (a.value * b.value)

    def measures(self, rule: Rule, attributes: tuple[str, ...]) -> Differential | None:
        """The recorded measure over the groups of an attribute or intersection."""
        metric = "FMR+FNMR" if rule.measure in COMPOSITE else rule.metric
        point = None if metric == "FTA" else self.points(rule, {})
        return next(
            (
                d for d in self.record.differentials
                if d.measure == rule.measure and d.metric == metric and set(d.attributes) == set(attributes)
                and (point is None or d.operating_point == point)
            ),
            None,
        )  # fmt: skip

    def counts(self, groups: list[Group]) -> Iterator[GroupCount]:
        """People and comparisons of groups that the record knows."""
        return (self._counts[key(group)] for group in groups if key(group) in self._counts)


def key(group: Group) -> Key:
    """A group without the order of its attributes."""
    return frozenset(group.items())


def words(group: Group) -> str:
    """A group in words."""
    return group_text(group) or "everyone"
