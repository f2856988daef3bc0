"""Rates and parity measures of a classifier, as fairlearn 0.15 computes them on the same rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from audit import groups
from audit.domain import Attribute, Subject
from audit.groups import Grouping
from audit.metrics import attributes, by_person, parity
from audit.metrics.attributes import LabelOutcomes, Vocabulary

pytestmark = pytest.mark.oracle
NEAR = 1e-9
NAMES = {
    "demographic_parity_difference": "dpd",
    "demographic_parity_ratio": "dpr",
    "equalized_odds_difference": "eod_worst",
    "equalized_odds_difference_mean": "eod_mean",
    "equalized_odds_ratio": "eor_worst",
    "equal_opportunity_difference": "eopp",
}


class People:
    name = "rows"
    attributes: ClassVar = {"group": Attribute("group", "annotated")}


@pytest.fixture(scope="module")
def rows(oracles: Path) -> tuple[LabelOutcomes, Grouping]:
    """Every row is a person with one picture; the labels are 0 and 1."""
    with (oracles / "fairlearn" / "attr_classifier.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    people = [Subject(str(k), {"group": (row["group"],)}) for k, row in enumerate(table)]
    said = np.zeros((len(table), 2), dtype=np.int64)
    said[np.arange(len(table)), [int(row["y_pred"]) for row in table]] = 1
    truth = np.array([int(row["y_true"]) for row in table])
    outcomes = LabelOutcomes(Vocabulary(("0", "1"), ("0", "1")), truth, said, np.zeros(len(table), dtype=np.int64))
    return outcomes, groups.make(People(), ["group"], people)


@pytest.fixture(scope="module")
def expected(oracles: Path) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = json.loads(
        (oracles / "fairlearn" / "fairlearn_expected.json").read_text()
    )
    return found


def test_measures_between_groups(rows: tuple[LabelOutcomes, Grouping], expected: dict[str, dict[str, float]]) -> None:
    outcomes, grouping = rows
    found = parity.parities(outcomes, grouping, "y", rng=np.random.default_rng(1), draws=200, level=0.95)
    assert [(one.word, one.measure) for one in found] == [(word, name) for word in "01" for name in NAMES]
    for one in found[len(NAMES) :]:
        assert one.value == pytest.approx(expected["between_groups"][NAMES[one.measure]], abs=NEAR, rel=0)


def test_rates_of_each_group(
    rows: tuple[LabelOutcomes, Grouping], expected: dict[str, dict[str, dict[str, float]]]
) -> None:
    outcomes, grouping = rows
    members = grouping.member[1:, grouping.atom_of]
    selected, recall, false = parity.said(outcomes, "1", members).rates.reshape(3, -1)
    balanced = attributes.balanced_accuracies(outcomes, grouping, level=0.95, min_subjects=2)[1:]
    at = by_person.point("y", None, "the label")
    counted = attributes.decided(outcomes, "y").counted()
    measured = by_person.measure(counted, grouping, at, level=0.95, min_subjects=2)
    for k, (group, accuracy) in enumerate(zip(grouping.groups[1:], balanced, strict=True)):
        known = expected["by_group"][group.as_dict()["group"]]
        error = next(rate for rate in measured.rates if rate.group == group)
        assert error.trials == known["n"]
        assert [selected[k], recall[k], false[k], 1 - recall[k], accuracy.value, 1 - error.errors / error.trials] == (
            pytest.approx([known[name] for name in ("sel", "tpr", "fpr", "fnr", "bacc", "acc")], abs=NEAR, rel=0)
        )
