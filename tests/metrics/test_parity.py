"""Parity measures on made-up classifiers: by fairlearn itself where it is installed, by hand, and under equal rates."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from audit import groups
from audit.domain import Attribute, Subject
from audit.groups import Grouping
from audit.metrics import parity
from audit.metrics.attributes import LabelOutcomes, Vocabulary

SHAPE = {"draws": 400, "level": 0.95}


class Set:
    name = "set"
    attributes: ClassVar = {
        "group": Attribute("group", "annotated"),
        "y": Attribute("y", "annotated", values=("0", "1")),
    }


def people(group: np.ndarray, truth: np.ndarray, said: np.ndarray) -> tuple[LabelOutcomes, Grouping]:
    """Persons with one picture each."""
    pairs = zip(group, truth, strict=True)
    found = [Subject(str(k), {"group": (str(g),), "y": (str(t),)}) for k, (g, t) in enumerate(pairs)]
    spoken, none = np.eye(2, dtype=np.int64)[said], np.zeros(len(said), dtype=np.int64)
    outcomes = LabelOutcomes(Vocabulary(("0", "1"), ("0", "1")), truth.astype(np.int64), spoken, none)
    return outcomes, groups.make(Set(), ["group", "y"], found)


def drawn(rng: np.random.Generator, n: int, right: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    group = rng.integers(0, len(right), n)
    truth = rng.integers(0, 2, n)
    said = np.where(rng.random(n) < np.array(right)[group], truth, 1 - truth)
    return group, truth, said


def test_fairlearn_gives_the_same_on_the_same_rows() -> None:
    metrics = pytest.importorskip("fairlearn.metrics", reason="fairlearn is not installed")
    rng = np.random.default_rng(7)
    for _ in range(5):
        group, truth, said = drawn(rng, 400, (0.9, 0.7, 0.8, 0.6))
        outcomes, grouping = people(group, truth, said)
        found = {
            one.measure: one.value
            for one in parity.parities(outcomes, grouping, "y", rng=rng, **SHAPE)
            if one.word == "1"
        }
        rows = {"sensitive_features": group}
        assert found == pytest.approx(
            {
                "demographic_parity_difference": metrics.demographic_parity_difference(truth, said, **rows),
                "demographic_parity_ratio": metrics.demographic_parity_ratio(truth, said, **rows),
                "equalized_odds_difference": metrics.equalized_odds_difference(truth, said, **rows),
                "equalized_odds_difference_mean": metrics.equalized_odds_difference(truth, said, agg="mean", **rows),
                "equalized_odds_ratio": metrics.equalized_odds_ratio(truth, said, **rows),
                "equal_opportunity_difference": metrics.equal_opportunity_difference(truth, said, **rows),
            },
            abs=1e-9,
            rel=0,
        )


def test_families_of_the_said_attribute_and_small_groups_stay_out() -> None:
    group = np.repeat([0, 1, 2], [40, 40, 29])
    truth = np.arange(109) % 2
    outcomes, grouping = people(group, truth, truth)
    found = parity.parities(outcomes, grouping, "y", rng=np.random.default_rng(1), **SHAPE)
    assert {one.attributes for one in found} == {("group",)}
    for one in found:
        assert [str(g) for g in one.included] == ["group=0", "group=1"]
        assert [(str(g), why) for g, why in one.excluded] == [("group=2", "29 people, fewer than 30")]
    by_name = {(one.measure, one.word): one.value for one in found}
    assert by_name["equalized_odds_difference", "1"] == 0
    assert by_name["demographic_parity_ratio", "1"] == 1


def test_a_group_without_the_other_label_stays_out() -> None:
    group, truth = np.repeat([0, 1, 2], 40), np.r_[np.arange(80) % 2, np.ones(40, int)]
    outcomes, grouping = people(group, truth, truth)
    one = parity.parities(outcomes, grouping, "y", rng=np.random.default_rng(1), **SHAPE)[-1]
    assert one.word == "1"
    assert [why for _, why in one.excluded] == ["nobody has another true label"]


def test_equal_rates_look_equal_and_others_do_not() -> None:
    """Of 120 sets with equal rates about 5 in 100 have p < .05 (allowed: up to 10); with .95 against .7 nearly all."""
    rng = np.random.default_rng(20_260_101)
    small, found = 0, 0
    for k in range(160):
        equal = k < 120
        group, truth, said = drawn(rng, 300, (0.85, 0.85, 0.85) if equal else (0.95, 0.7, 0.85))
        outcomes, grouping = people(group, truth, said)
        measures = parity.parities(outcomes, grouping, "y", rng=rng, draws=200, level=0.95)
        p = next(one.null_p for one in measures if one.measure == "equalized_odds_difference" and one.word == "1")
        assert p is not None
        small += equal and p < 0.05
        found += not equal and p < 0.05
    assert small <= 12
    assert found >= 36
