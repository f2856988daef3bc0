"""Whole records side by side: what is comparable, changes of disparity, and the front."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from policy_records import made_record
from scipy.stats import norm, t

from audit.comparison import Comparison, DisparityChange
from audit.errors import PlanError
from audit.record import EvaluationRecord
from audit.side_by_side import compare
from audit.side_by_side.compare import front, labels

PEOPLE = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[EvaluationRecord]]:
    """Two groups far apart: max/min is then the ratio of one to the other."""
    root = tmp_path_factory.mktemp("records")
    cache = root / "cache"
    return cache, [
        made_record(root / str(k), cache, seed=k, people=PEOPLE, shift={"a": 0.0, "c": c})[1]
        for k, c in enumerate((0.6, 0.45), start=1)
    ]


def named(record: EvaluationRecord, name: str, tier: str) -> EvaluationRecord:
    """The same numbers, said to be of a documented benchmark of another name."""
    return record.model_copy(
        update={"benchmark": record.benchmark.model_copy(update={"name": name, "consent_tier": tier})}
    )


def change(found: Comparison, measure: str, metric: str = "FMR") -> DisparityChange:
    (row,) = [d for d in found.disparities if (d.measure, d.metric) == (measure, metric)]
    return row


def test_people_are_taken_as_shared_unless_documents_say_otherwise(
    made: tuple[Path, list[EvaluationRecord]], tmp_path: Path
) -> None:
    cache, (a, b) = made
    apart = [named(a, "x", "T1"), named(b, "y", "T1")]
    same = [named(a, "x", "T1"), named(b, "x", "T1")]
    half = [named(a, "x", "T1"), b]
    for records, where, how in (
        ([a, b], cache, "paired"), ([a, b], tmp_path, "bounded"), (apart, tmp_path, "independent"),
        (same, tmp_path, "bounded"), (half, tmp_path, "bounded"),
    ):  # fmt: skip
        found = compare(records, where)
        assert {d.how for d in found.differences if d.operating_point == "global-fmr-0.01"} == {how}
        assert next(r.same for r in found.remarks if r.about == "people") == (how == "paired")


def test_a_change_of_a_ratio_rests_on_both_recorded_contrasts(
    made: tuple[Path, list[EvaluationRecord]], tmp_path: Path
) -> None:
    """Standard errors of the two recorded contrasts: added if people may be shared, else in squares."""
    records = made[1]
    contrasts = [
        next(c for c in r.contrasts if c.metric == "FMR" and isinstance(c.against, dict) and c.ratio) for r in records
    ]
    quantile = t.ppf(0.975, PEOPLE - 1)
    errors = [math.log(c.interval.high / c.interval.low) / 2 / quantile for c in contrasts]
    apart = [named(r, name, "T1") for r, name in zip(records, "xy", strict=True)]
    for given, error in ((records, sum(errors)), (apart, math.hypot(*errors))):
        found = change(compare(given, tmp_path), "ratio")
        assert found.change == pytest.approx(contrasts[1].ratio / contrasts[0].ratio, rel=1e-6)
        assert math.log(found.interval.high / found.change) == pytest.approx(error * quantile, rel=1e-4)
    paired = change(compare(records, made[0]), "ratio")
    assert paired.how == "paired"
    assert math.log(paired.interval.high / paired.interval.low) < 2 * quantile * sum(errors)


def test_max_over_min_of_two_groups_far_apart_changes_as_their_ratio(
    made: tuple[Path, list[EvaluationRecord]], tmp_path: Path
) -> None:
    records = made[1]
    apart = [named(r, name, "T1") for r, name in zip(records, "xy", strict=True)]
    for given, where in ((records, made[0]), (apart, tmp_path)):
        found = compare(given, where)
        ratio, spread = change(found, "ratio"), change(found, "max/min")
        up = 1 if ratio.first > 1 else -1
        assert spread.change == pytest.approx(ratio.change**up, rel=1e-6)
        width = [math.log(x.interval.high / x.interval.low) for x in (ratio, spread)]
        assert width[1] == pytest.approx(width[0] * norm.ppf(0.975) / t.ppf(0.975, PEOPLE - 1), rel=0.05)
        assert spread.p == pytest.approx(ratio.p, abs=0.05)


def test_a_spread_needs_to_know_how_the_two_depend_on_each_other(
    made: tuple[Path, list[EvaluationRecord]], tmp_path: Path
) -> None:
    found = change(compare(made[1], tmp_path), "max/min")
    assert (found.change, found.verdict) == (None, "cannot be told")
    assert "depend on each other" in found.reason


def test_remarks_say_what_is_not_the_same(made: tuple[Path, list[EvaluationRecord]]) -> None:
    cache, (a, b) = made
    other = b.model_copy(update={"plan": {**b.plan, "min_subjects": 5, "seed": 1}})
    found = {r.about: r for r in compare([a, other], cache).remarks}
    assert not found["samples"].same  # other scores
    assert found["benchmark"].same
    assert found["labels"].same
    assert found["plan"].text == "plans differ in min_subjects, seed"
    assert (found["preprocessing"].same, found["preprocessing"].text) == (False, "detection and alignment: not known")


def test_labels_are_as_short_as_they_can_be(made: tuple[Path, list[EvaluationRecord]]) -> None:
    a, b = made[1]
    assert labels([a, b]) == [f"scores@{r.model.revision}" for r in (a, b)]
    other = a.model_copy(update={"model": a.model.model_copy(update={"name": "m"})})
    assert labels([a, other]) == ["scores", "m"]
    later = a.model_copy(update={"created": "2030-01-01T00:00:00+00:00"})
    assert labels([a, later])[1].endswith("2030-01-01T00:00:00+00:00")
    assert labels([a, a]) == [f"{k}: {labels([a, later])[0]}" for k in (1, 2)]
    assert len(set(labels([a, named(a, "elsewhere", "T1")]))) == 2


def test_a_point_is_off_the_front_if_another_is_no_worse_in_either(made: tuple[Path, list[EvaluationRecord]]) -> None:
    a, b = made[1]
    found = compare([a, b], made[0])
    points = {p.label: p for p in found.front}
    assert len(points) == 2
    one, two = points.values()
    for point, other in ((one, two), (two, one)):
        assert point.dominated == (other.fnmr <= point.fnmr and other.disparity <= point.disparity)
    assert [p.dominated for p in front([a, a], found.records)] == [False, False]


def test_fewer_than_two_records_or_one_twice_is_a_mistake(made: tuple[Path, list[EvaluationRecord]]) -> None:
    a, b = made[1]
    with pytest.raises(PlanError, match="two records or more"):
        compare([a])
    with pytest.raises(PlanError, match="given twice"):
        compare([a, b, a])
