"""Two records: what they share, and the covariance of their rates as far as it can be known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from audit.comparison import Compared, How, Remark
from audit.influence import Influence, people_domain
from audit.record import EvaluationRecord, Group, OperatingPoint, Rate
from audit.side_by_side.shared import Shared

CellKey = tuple[str, str | None, frozenset[tuple[str, str]]]
"""Metric, how the threshold was set, and group."""


ONE_TO_MANY = ("FPIR", "FNIR")
"""Rates against a list: two records have two lists."""


def point_name(point: OperatingPoint) -> str:
    """How a threshold was set, in words that match between records (a group's own is named without the group)."""
    if point.policy == "given":
        return point.id
    return f"{point.policy}-fmr-{point.target_fmr:g}"


def cells(record: EvaluationRecord) -> dict[CellKey, Rate]:
    """Conditional rates within groups; FMR of everyone where its threshold was set at a target is left out."""
    points = {point.id: point for point in record.operating_points}
    found: dict[CellKey, Rate] = {}
    for rate in record.rates:
        if rate.reference_group is not None or rate.view != "conditional":
            continue
        point = points.get(rate.operating_point or "")
        if rate.metric in ONE_TO_MANY:
            continue
        by_target = point is not None and point.target_fmr is not None
        if rate.metric == "FMR" and by_target and (not rate.group or (point and point.policy == "per-group")):
            continue
        name = None if point is None else point_name(point)
        found[rate.metric, name, frozenset(rate.group.items())] = rate
    return found


@dataclass(frozen=True, eq=False)
class Pair:
    """Two records under their labels; `shared` if what people added is known of both."""

    a: Compared
    b: Compared
    first: EvaluationRecord
    second: EvaluationRecord
    shared: Shared | None
    disjoint: bool

    @classmethod
    def of(
        cls,
        a: Compared,
        first: EvaluationRecord,
        one: Influence | None,
        b: Compared,
        second: EvaluationRecord,
        two: Influence | None,
    ) -> Pair:
        """Find out whether the two share people, and whether what they added is known."""
        domains = people_domain(first), people_domain(second)
        known = domains[0] is not None and domains[0] == domains[1] and one is not None and two is not None
        documented = all(record.benchmark.consent_tier != "undocumented" for record in (first, second))
        shared = Shared.of(one, two) if known and one is not None and two is not None else None
        return cls(a, b, first, second, shared, documented and domains[0] != domains[1])

    def covariance(self, here: Rate, there: Rate) -> tuple[float | None, How]:
        """Covariance of a rate of the first record with one of the second, and how it is known."""
        if self.disjoint:
            return 0.0, "independent"
        if self.shared is None:
            return None, "bounded"
        if here.value is None or there.value is None:
            return None, "paired"
        found = self.shared.covariance(
            here.metric, (here.operating_point, here.group), (there.operating_point, there.group)
        )
        if found is None or here.variance is None or there.variance is None:
            return None, "bounded"
        most = math.sqrt(here.variance * there.variance)
        return min(max(found, -most), most), "paired"

    def log_floor(self, here: Rate, there: Rate) -> float:
        """Least variance of the log ratio of two FMRs (`Shared.floor`); 0 for other rates, or where unknown."""
        if self.shared is None or here.metric != "FMR":
            return 0.0
        return self.shared.floor((here.operating_point, here.group), (there.operating_point, there.group))

    def remarks(self) -> Iterator[Remark]:
        """Say what is the same and what is not."""
        x, y = self.first, self.second

        def said(about: str, same: bool, text: str) -> Remark:
            return Remark(a=self.a.label, b=self.b.label, about=about, same=same, text=text)

        same = x.digests.benchmark == y.digests.benchmark
        yield said(
            "benchmark", same,
            f"{x.benchmark.name}, the same description" if same
            else f"{_version(x)} against {_version(y)}: not the same description",
        )  # fmt: skip
        same = x.digests.samples == y.digests.samples
        yield said(
            "samples", same, "the same samples" if same else "not the same samples: other images, labels or rows"
        )
        same = _labels(x) == _labels(y)
        yield said("labels", same, "the same groups" if same else "not the same groups; only common ones are compared")
        settings = _settings(x, y)
        yield said("plan", not settings, f"plans differ in {', '.join(settings)}" if settings else "the same settings")
        known = "unknown" not in {x.model.preprocessing, y.model.preprocessing}
        same = known and x.model.preprocessing == y.model.preprocessing
        other = "other detection or alignment: whole chains differ" if known else "detection and alignment: not known"
        yield said("preprocessing", same, "the same detection and alignment" if same else other)
        same = (x.model.weights_sha256, x.model.revision) == (y.model.weights_sha256, y.model.revision)
        yield said("model", same, "the same model" if same else f"{self.a.label} against {self.b.label}")
        same = x.digests.code == y.digests.code
        yield said("code", same, "measured by the same code" if same else "measured by different versions of faceaudit")
        yield self._people()

    def _people(self) -> Remark:
        text = "two benchmarks: taken to share no people; intervals are those of independent rates"
        if self.shared is not None:
            n = len(self.shared.at_a)
            text = f"{n:,} people stand in both: differences are paired, clustered by person"
        elif not self.disjoint:
            text = (
                "people are, or may be, shared, and what each added is not in this cache: intervals are widest bounds; "
                "run both audits again with one cache for paired ones"
            )
        return Remark(a=self.a.label, b=self.b.label, about="people", same=self.shared is not None, text=text)


def _version(record: EvaluationRecord) -> str:
    return f"{record.benchmark.name} {record.benchmark.version}".strip()


def _labels(record: EvaluationRecord) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(row.group.items()) for row in record.samples.by_group}


def _settings(x: EvaluationRecord, y: EvaluationRecord) -> list[str]:
    names = {*x.plan, *y.plan} - {"benchmark", "model"}
    return sorted(name for name in names if x.plan.get(name) != y.plan.get(name))


def group_of(key: CellKey) -> Group:
    """The group of a cell."""
    return dict(sorted(key[2]))
