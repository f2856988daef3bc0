"""Records in, their comparison out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit import influence
from audit.comparison import Compared, Comparison, FrontPoint
from audit.errors import PlanError
from audit.record import EvaluationRecord, making_sense
from audit.side_by_side.differences import differences, judged
from audit.side_by_side.disparity import changes
from audit.side_by_side.pair import Pair
from audit.side_by_side.splits import splits

LEVEL, ALPHA = 0.95, 0.05
FRONT = "max/geomean"


@making_sense("comparison")
def compare(
    records: Sequence[EvaluationRecord], cache: Path | None = None, names: Sequence[str] | None = None
) -> Comparison:
    """Compare every record with the first.

    Parameters
    ----------
    records : at least two
    cache : where what people added is looked for; None is the user's cache
    names : what the records are called; None: what tells them apart

    Raises
    ------
    PlanError
        For fewer than two records, or the same one twice.
    """
    if len(records) < 2:
        raise PlanError("compare", f"found {len(records)} record", "Give two records or more")
    for k, one in enumerate(records):
        if any(_identity(one) == _identity(other) for other in records[:k]):
            raise PlanError(
                "compare", f"{one.model.name} on {one.benchmark.name} is given twice", "Give each record once"
            )
    shown = [_compared(record, label) for record, label in zip(records, names or labels(records), strict=True)]
    kept = [influence.load(record, cache) for record in records]
    pairs = [
        Pair.of(shown[0], records[0], kept[0], shown[k], records[k], kept[k]) for k in range(1, len(records))
    ]  # fmt: skip
    found = judged([row for pair in pairs for row in differences(pair, LEVEL)], ALPHA)
    return Comparison(
        software=records[0].software.get("faceaudit", ""),
        level=LEVEL,
        alpha=ALPHA,
        records=shown,
        remarks=[remark for pair in pairs for remark in pair.remarks()],
        differences=found,
        disparities=judged([row for pair in pairs for row in changes(pair, LEVEL, records[0].seed)], ALPHA),
        front=front(records, shown),
        splits=[row for pair in pairs for row in splits(pair, found, LEVEL)],
    )


def _identity(record: EvaluationRecord) -> tuple[object, ...]:
    return record.digests, record.model.name, record.model.revision, record.created


def _compared(record: EvaluationRecord, label: str) -> Compared:
    return Compared(
        label=label, model=record.model.name, revision=record.model.revision, benchmark=record.benchmark.name,
        version=record.benchmark.version, created=record.created, people=record.samples.subjects,
        samples=record.samples.total, plan=record.digests.plan,
    )  # fmt: skip


def labels(records: Sequence[EvaluationRecord]) -> list[str]:
    """Shortest of several names under which every record is told apart: model, then what else is needed."""
    kinds = [
        [r.model.name for r in records],
        [f"{r.model.name}@{r.model.revision}" for r in records],
        [f"{r.model.name} on {r.benchmark.name}" for r in records],
        [f"{r.model.name}@{r.model.revision} on {r.benchmark.name} {r.benchmark.version}".strip() for r in records],
        [f"{r.model.name}@{r.model.revision} on {r.benchmark.name}, {r.created}" for r in records],
    ]
    plain = next((kind for kind in kinds if len(set(kind)) == len(kind)), None)
    return plain or [f"{k}: {label}" for k, label in enumerate(kinds[-1], start=1)]


def front(records: Sequence[EvaluationRecord], shown: Sequence[Compared]) -> list[FrontPoint]:
    """FNMR of everyone against the spread of FMR over groups, at every global target."""
    found = [point for record, one in zip(records, shown, strict=True) for point in _points(record, one.label)]
    return [point.model_copy(update={"dominated": _dominated(point, found)}) for point in found]


def _points(record: EvaluationRecord, label: str) -> list[FrontPoint]:
    at = {p.id: p.target_fmr for p in record.operating_points if p.policy == "global"}
    everyone = {
        r.operating_point: r for r in record.rates
        if r.metric == "FNMR" and not r.group and r.view == "conditional" and r.reference_group is None
    }  # fmt: skip
    made = []
    for d in record.differentials:
        target, rate = at.get(d.operating_point), everyone.get(d.operating_point)
        if d.measure != FRONT or d.metric != "FMR" or target is None or rate is None:
            continue
        made.append(FrontPoint(
            label=label, target_fmr=target, attributes=d.attributes, measure=FRONT, fnmr=rate.value,
            fnmr_interval=rate.interval, disparity=d.value, disparity_interval=d.interval, dominated=None,
            reason=d.reason if d.value is None else None,
        ))  # fmt: skip
    return made


def _dominated(point: FrontPoint, others: Sequence[FrontPoint]) -> bool | None:
    if point.fnmr is None or point.disparity is None:
        return None
    for other in others:
        beside = (other.target_fmr, other.attributes) == (point.target_fmr, point.attributes)
        if not beside or other is point or other.fnmr is None or other.disparity is None:
            continue
        no_worse = other.fnmr <= point.fnmr and other.disparity <= point.disparity
        if no_worse and (other.fnmr, other.disparity) != (point.fnmr, point.disparity):
            return True
    return False
