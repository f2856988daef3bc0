"""What an attribute model said, indexed the way its page asks: kinds of decision, groups in order, verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.domain import Verdict
from audit.record import AgeErrorsPart, AttributesPart, Contrast, Group, LabelsPart, OperatingPoint, Rate
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.source import Source, key, pronounced


@dataclass(frozen=True)
class Decision:
    """A kind of decision with its metric, and how it is called."""

    metric: str
    point: OperatingPoint
    name: str


@dataclass(frozen=True)
class Said:
    """A record of this task with its look-ups."""

    source: Source
    part: AttributesPart

    @classmethod
    def of(cls, source: Source) -> Said:
        """Index a record; one without this part shows nothing of it."""
        return cls(source, source.record.attributes or AttributesPart(labels=[]))

    def point(self, name: str) -> OperatingPoint:
        """The operating point of a decision; a record may lack it."""
        known = (point for point in self.source.record.operating_points if point.id == name)
        blank = {"target_fmr": None, "achieved_fmr": None, "threshold": None, "set_on": ""}
        return next(known, None) or OperatingPoint(id=name, policy="given", group={}, **blank)

    def label(self, labels: LabelsPart, part: Group | None = None) -> Decision:
        """The decision about a label, of all pictures or of those of a condition."""
        point = self.point(labels.operating_point + _behind(part))
        return Decision("CER", point, say("attributes.label", what=words.plain(labels.truth)))

    def off(self, part: Group | None = None) -> list[Decision]:
        """Decisions whether an age is off by more than so many years."""
        ages = self.part.ages
        return [
            Decision(
                "OFF",
                self.point(f"age-off-{years:g}{_behind(part)}"),
                say("attributes.off", years=words.exact(years)),
            )
            for years in (ages.off if ages else ())
        ]

    def challenge(self) -> list[Decision]:
        """Decisions at the challenge age: who passes though under a limit, and who is stopped though of age."""
        ages = self.part.ages
        if ages is None or not ages.limits:
            return []
        age = words.exact(ages.challenge)
        made = [
            Decision(
                "PASS",
                self.point(f"challenge-{ages.challenge:g}-under-{limit:g}"),
                say("attributes.passed", limit=words.exact(limit), age=age),
            )
            for limit in ages.limits
        ]
        stopped = Decision(
            "STOP", self.point(f"challenge-{ages.challenge:g}-of-age"), say("attributes.stopped", age=age)
        )
        return [*made, stopped]

    def judged(self) -> list[Decision]:
        """Decisions that a verdict is about: labels, and ages off by more than the first number of years."""
        return [*(self.label(one) for one in self.part.labels), *self.off()[:1]]

    def rate(self, decision: Decision, group: Group, *, metric: str = "", view: str = "conditional") -> Rate | None:
        """The rate of a group; `metric` NPR is about what was not processed."""
        return self.source.rate(metric or decision.metric, group, decision.point, view=view)

    def families(self, decision: Decision) -> list[tuple[str, ...]]:
        """Attributes and intersections by which a decision was told apart, single ones first."""
        found = dict.fromkeys(
            tuple(rate.group)
            for rate in self.source.record.rates
            if rate.group and rate.operating_point == decision.point.id and rate.metric == decision.metric
        )
        return sorted(found, key=len)

    def groups(self, decision: Decision, attributes: Sequence[str]) -> list[Group]:
        """Groups of a family in the record's order, those too small to be described among them."""
        return [
            rate.group
            for rate in self.source.record.rates
            if set(rate.group) == set(attributes)
            and rate.operating_point == decision.point.id
            and (rate.metric, rate.view) == (decision.metric, "conditional")
        ]

    def hidden(self, group: Group) -> bool:
        """Whether a group is too small to be described, also one that the plan did not ask for."""
        if self.source.banded(group):
            return True
        told = self._people.get(key(group))
        return bool(group) and told is not None and 0 < told < self.source.min_subjects

    @property
    def _people(self) -> dict[frozenset[tuple[str, str]], int]:
        found: dict[frozenset[tuple[str, str]], int] = {}
        for rate in self.source.record.rates:
            if rate.metric == "NPR":
                found[key(rate.group)] = max(found.get(key(rate.group), 0), rate.subjects)
        return found

    def ages(self, part: Group | None = None) -> dict[frozenset[tuple[str, str]], AgeErrorsPart]:
        """Errors of ages by group, of all pictures or of those of a condition."""
        ages = self.part.ages
        return {key(one.group): one for one in (ages.errors if ages else ()) if one.part == (part or {})}

    def contrasts(self, decision: Decision) -> list[Contrast]:
        """Every contrast of a decision, the most pronounced first."""
        return [c for family in self.families(decision) for c in self.of_family(decision, family)]

    def of_family(self, decision: Decision, attributes: tuple[str, ...]) -> list[Contrast]:
        """Contrasts of one family, without groups that are too small to be described."""
        found = self.source.contrasts(decision.metric, attributes, decision.point)
        return [c for c in found if not self.hidden(c.group) and (c.against == "rest" or not self.hidden(c.against))]

    def verdict(self, decision: Decision, attributes: tuple[str, ...]) -> Verdict:
        """One verdict of spreads and contrasts: one disparity is enough, equivalence needs them all."""
        spreads = self.source.spreads(decision.metric, attributes, decision.point)
        found = [c.verdict for c in self.of_family(decision, attributes)]
        found += [d.verdict for d in spreads if d.measure == "max/geomean"]
        if "DISPARITY" in found:
            return "DISPARITY"
        return "EQUIVALENT" if found and set(found) == {"EQUIVALENT"} else "INCONCLUSIVE"

    def overall(self) -> Verdict:
        """One verdict for the page."""
        found = {self.verdict(one, family) for one in self.judged() for family in self.families(one)}
        if "DISPARITY" in found:
            return "DISPARITY"
        return "EQUIVALENT" if found == {"EQUIVALENT"} else "INCONCLUSIVE"

    def leading(self) -> tuple[Decision, Contrast] | None:
        """The disparity that the headline speaks of."""
        found = [
            (one, c)
            for one in self.judged()
            for c in self.contrasts(one)
            if c.verdict == "DISPARITY" and (c.ratio or 0.0) > 1
        ]
        return max(found, key=lambda pair: pronounced(pair[1]), default=None)

    def parts(self) -> Iterator[tuple[Group, str]]:
        """All pictures, then those of every condition, with a name."""
        yield {}, say("attributes.all_pictures")
        for one in self.part.parts:
            yield {one.condition: one.value}, f"{words.plain(one.condition)}: {words.plain(one.value)}"


def _behind(part: Group | None) -> str:
    return "".join(f" ({name}={value})" for name, value in (part or {}).items())
