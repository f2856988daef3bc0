"""What detection and what the templates add to a disparity: by hand, as a sum that comes out, and by simulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from policy_records import made_record

from audit.comparison import Difference, Split, Value
from audit.record import Contrast, EvaluationRecord, Group, IntervalPart
from audit.side_by_side.splits import prepared_differently, splits

POINT = "global-fmr-0.01"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> tuple[EvaluationRecord, EvaluationRecord]:
    """One record twice, said to be of two preparations."""
    record = made_record(tmp_path_factory.mktemp("record") / "one", people=12, shift={"a": 0.0, "c": 0.6})[1]
    one, two = (
        record.model_copy(update={"model": record.model.model_copy(update={"preprocessing": way})}) for way in "xy"
    )
    return one, two


@dataclass(frozen=True)
class Label:
    label: str


@dataclass(frozen=True)
class Two:
    """The part of a pair that is looked at."""

    first: EvaluationRecord
    second: EvaluationRecord
    a: Label = Label("one")
    b: Label = Label("two")


def row(metric: str, group: Group, first: float, second: float, half: float = 0.01) -> Difference:
    values = [Value(errors=round(1000 * x), trials=1000, people=500, value=x, interval=None) for x in (first, second)]
    moved = second - first
    return Difference(
        a="one", b="two", metric=metric, operating_point=None if metric == "FTA" else POINT, group=group,
        first=values[0], second=values[1], how="paired", support="sufficient", difference=moved, family="",
        difference_interval=IntervalPart(low=moved - half, high=moved + half, level=0.95, method="MOVER"),
    )  # fmt: skip


def found(
    records: tuple[EvaluationRecord, EvaluationRecord], lost: list[tuple[float, ...]], wrong: list[tuple[float, ...]],
    metric: str = "FNMR",
) -> Split:  # fmt: skip
    contrast = next(c for c in records[0].contrasts if c.metric == metric and isinstance(c.against, dict))
    assert isinstance(contrast, Contrast)
    sides = (contrast.group, contrast.against)
    rows = [row("FTA", g, *x) for g, x in zip(sides, lost, strict=True)]
    rows += [row(metric, g, *x) for g, x in zip(sides, wrong, strict=True)]
    (split,) = [s for s in splits(Two(*records), rows, 0.95) if s.metric == {"FNMR": "FRR", "FMR": "FAR"}[metric]]
    return split


def test_by_hand(records: tuple[EvaluationRecord, EvaluationRecord]) -> None:
    """Group: 10% are lost with the first detector and none with the other; 20% of the rest are wrong, then 10%."""
    split = found(records, [(0.1, 0.0), (0.0, 0.0)], [(0.2, 0.1), (0.05, 0.05)])
    assert split.first == pytest.approx(0.1 + 0.9 * 0.2 - 0.05)
    assert split.second == pytest.approx(0.1 - 0.05)
    assert split.detection == pytest.approx(-0.1 * (1 - 0.15))
    assert split.templates == pytest.approx(-0.1 * (1 - 0.05))


def test_a_face_that_is_not_found_is_accepted_as_nobody(
    records: tuple[EvaluationRecord, EvaluationRecord],
) -> None:
    split = found(records, [(0.1, 0.3), (0.0, 0.0)], [(0.02, 0.02), (0.01, 0.01)], "FMR")
    assert split.first == pytest.approx(0.9 * 0.02 - 0.01)
    assert split.detection == pytest.approx(-0.2 * 0.02)
    assert split.templates == 0
    assert split.detection_interval.low < split.detection < split.detection_interval.high


@pytest.mark.parametrize("metric", ["FNMR", "FMR"])
def test_the_parts_add_up(records: tuple[EvaluationRecord, EvaluationRecord], metric: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        lost, wrong = rng.random((2, 2)) / 2, rng.random((2, 2))
        split = found(records, [tuple(x) for x in lost.tolist()], [tuple(x) for x in wrong.tolist()], metric)
        assert split.detection + split.templates == pytest.approx(split.second - split.first, abs=1e-12)


def test_intervals_are_as_wide_as_the_parts_vary(records: tuple[EvaluationRecord, EvaluationRecord]) -> None:
    """Counts of two groups drawn again and again: the parts vary as one interval says, weights included."""
    people, rng = 4000, np.random.default_rng(11)
    lost, wrong = np.array([[0.10, 0.04], [0.03, 0.02]]), np.array([[0.20, 0.12], [0.10, 0.09]])
    a = rng.binomial(people, lost, (4000, 2, 2)) / people
    f = rng.binomial(people, wrong, (4000, 2, 2)) / people
    detection = (a[..., 1] - a[..., 0]) * (1 - f.mean(axis=2))
    templates = (f[..., 1] - f[..., 0]) * (1 - a.mean(axis=2))
    contrast = next(c for c in records[0].contrasts if c.metric == "FNMR" and isinstance(c.against, dict))
    rows = []
    for metric, rates in (("FTA", lost), ("FNMR", wrong)):
        for group, (x, y) in zip((contrast.group, contrast.against), rates.tolist(), strict=True):
            half = 1.96 * np.sqrt((x * (1 - x) + y * (1 - y)) / people)
            rows.append(row(metric, group, x, y, float(half)))
    (split,) = splits(Two(*records), rows, 0.95)
    for part, interval in ((detection, split.detection_interval), (templates, split.templates_interval)):
        spread = 1.96 * (part[:, 0] - part[:, 1]).std()
        assert (interval.high - interval.low) / 2 == pytest.approx(spread, rel=0.05)


def test_only_one_model_on_the_same_pictures_prepared_in_two_ways(
    records: tuple[EvaluationRecord, EvaluationRecord],
) -> None:
    one, two = records
    model, digests = two.model, two.digests
    assert prepared_differently(one, two)
    assert not prepared_differently(one, one)
    others = (
        two.model_copy(update={"model": model.model_copy(update={"weights_sha256": "0" * 64})}),
        two.model_copy(update={"digests": digests.model_copy(update={"samples": "0" * 64})}),
        two.model_copy(update={"model": model.model_copy(update={"preprocessing": "unknown"})}),
    )
    for other in others:
        assert not prepared_differently(one, other)
        assert splits(Two(one, other), [], 0.95) == []
