"""Recalled indices by hand, at equality, and through the pipeline."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import Case

from audit.compare.pairs import ListedPairs
from audit.metrics import experimental, points


def found(case: Case, pairs: ListedPairs) -> dict[str, float]:
    scores = points.exact_scores(pairs, case.grouping, [0.05])
    return {i.measure: i.value for i in experimental.indices(scores, case.grouping, [], 2) if i.value is not None}


def listed(case: Case, mated: dict[str, list[float]], nonmated: dict[str, list[float]]) -> ListedPairs:
    """Two groups a (people 0 to 3) and b (4 to 7) with given scores."""
    rows = []
    for first, group in ((0, "a"), (4, "b")):
        rows += [(first + k % 4, first + k % 4, s) for k, s in enumerate(mated[group])]
        rows += [(first + k % 3, first + 3, s) for k, s in enumerate(nonmated[group])]
    one, two, scores = (np.array(c) for c in zip(*rows, strict=True))
    return ListedPairs(one, two, scores, case.grouping.atom_of, case.grouping.atoms)


def both(scores: list[float]) -> dict[str, list[float]]:
    return {"a": scores, "b": scores}


def test_equal_distributions_are_one() -> None:
    case = Case({"a": 4, "b": 4}, {}, target=0.3)
    values = found(case, listed(case, both([0.6, 0.8, 1.0]), both([0.0, 0.1, 0.3])))
    assert values == pytest.approx({"sfi": 1, "cfi": 1, "dfi": 1, "cei": 1})


def test_two_groups_by_hand() -> None:
    """Mated all at 1 (a) and .8 (b), non-mated all at 0 and .2: separations 1 and .6, no width, all scores apart."""
    case = Case({"a": 4, "b": 4}, {}, target=0.3)
    values = found(case, listed(case, {"a": [1.0] * 4, "b": [0.8] * 4}, {"a": [0.0] * 4, "b": [0.2] * 4}))
    assert values["sfi"] == pytest.approx(1 - 2 * 0.2)
    assert values["cfi"] == pytest.approx(1)
    assert values["dfi"] == pytest.approx(0)  # disjoint distributions: the divergence of each from the mean is one bit


def test_compactness_by_hand() -> None:
    """Deviations of mated scores: .1 in a, .3 in b; of non-mated ones none. Widths .1 and .3 are .1 from their mean."""
    case = Case({"a": 4, "b": 4}, {}, target=0.3)
    values = found(case, listed(case, {"a": [0.6, 0.8] * 2, "b": [0.4, 1.0] * 2}, both([0.0] * 4)))
    assert values["cfi"] == pytest.approx(1 - 2 * 0.1)
    assert values["sfi"] == pytest.approx(1)
    assert 0 < values["cei"] < 1


def test_percentage_error_of_the_rates_at_the_threshold() -> None:
    case = Case({"a": 60, "b": 60}, {"b": 0.8}, seed=2)
    made = [i for i in experimental.indices(case.scores, case.grouping, [case.measured], 2) if i.measure == "mape"]
    (one,) = made
    rates = [case.rate("FMR", tone=t).value for t in "ab"]
    assert one.value == pytest.approx(100 * np.mean([abs(r / 0.05 - 1) for r in rates]))
    assert one.operating_point == case.point.id


def test_one_group_has_no_index_and_says_so() -> None:
    case = Case({"a": 20}, {})
    for index in experimental.indices(case.scores, case.grouping, [], 2):
        assert index.value is None
        assert index.reason == "fewer than two groups have both kinds of comparisons"
