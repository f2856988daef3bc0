"""Regression with clustered trials: against statsmodels' own numbers, by hand, and by brute force over pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audit.stats import regression


@pytest.mark.oracle
def test_clustered_logistic_model_of_statsmodels(oracles: Path) -> None:
    """Coefficients, and standard errors by id with statsmodels' factor G/(G-1) (n-1)/(n-k), to 1e-9."""
    table = np.genfromtxt(oracles / "fairlearn" / "detection.csv", delimiter=",", names=True)
    expected = json.loads((oracles / "fairlearn" / "fairlearn_expected.json").read_text(encoding="utf-8"))["logit"]
    design = np.column_stack([np.ones(len(table)), table["group"], table["blur"]])
    found = regression.fit(design, table["miss"], np.ones(len(table)), "logistic")
    people = table["id"].astype(np.int64)
    size, groups = len(table), len(np.unique(people))
    factor = groups / (groups - 1) * (size - 1) / (size - design.shape[1])
    errors = np.sqrt(np.diag(regression.clustered(found.influence, people)) * factor)
    np.testing.assert_allclose(found.coefficients, expected["coef"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(errors, expected["se_cluster"], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(found.inverse)), expected["se_iid"], rtol=1e-9)


def test_a_two_by_two_table_by_hand() -> None:
    """Errors 1 of 4 and 3 of 4: the odds are 1/3 and 3, the logarithm of their ratio ln 9."""
    group = np.repeat([0.0, 1.0], 4)
    design = np.column_stack([np.ones(8), group])
    outcome = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    found = regression.fit(design, outcome, np.ones(8), "logistic")
    np.testing.assert_allclose(found.coefficients, [-np.log(3), np.log(9)], atol=1e-10)
    # Independent trials: the sandwich of a saturated model is 1/e + 1/(n-e) for each group.
    apart = regression.clustered(found.influence, np.arange(8))
    assert apart[1, 1] == pytest.approx(2 * (1 / 1 + 1 / 3))
    line = regression.fit(design, outcome, np.ones(8), "linear")
    np.testing.assert_allclose(line.coefficients, [0.25, 0.5], atol=1e-12)


def test_pairs_are_dependent_where_they_share_a_subject_and_nowhere_else() -> None:
    """Against a double loop over all pairs of trials."""
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 9, (2, 60))
    influence = rng.normal(size=(60, 2))
    expected = np.zeros((2, 2))
    for a in range(60):
        for b in range(60):
            if {first[a], second[a]} & {first[b], second[b]}:
                expected += np.outer(influence[a], influence[b])
    found = regression.clustered(influence, first, second)
    # Two trials of one pair of subjects share both; mated trials (first = second) share one: all count once.
    pairs = [tuple(sorted(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    least = np.array([influence[[p == q for p in pairs]].sum(axis=0) ** 2 for q in dict.fromkeys(pairs)]).sum(axis=0)
    np.testing.assert_allclose(found[0, 1], expected[0, 1])
    np.testing.assert_allclose(np.diag(found), np.maximum(np.diag(expected), least))


def test_a_weight_is_so_many_trials() -> None:
    rng = np.random.default_rng(5)
    design = np.column_stack([np.ones(80), rng.normal(size=80)])
    outcome = (rng.random(80) < 0.3).astype(float)
    weight = rng.integers(1, 4, 80)
    once = regression.fit(design, outcome, weight.astype(float), "logistic")
    often = regression.fit(
        np.repeat(design, weight, axis=0), np.repeat(outcome, weight), np.ones(weight.sum()), "logistic"
    )
    np.testing.assert_allclose(once.coefficients, often.coefficients, atol=1e-9)
    people = np.arange(80)
    np.testing.assert_allclose(
        regression.clustered(once.influence, people), regression.clustered(often.influence, np.repeat(people, weight))
    )


@pytest.mark.parametrize("whole", [True, False])
def test_what_tells_errors_apart_entirely_has_no_estimate(whole: bool) -> None:
    """By a column (complete separation), or in one group alone (quasi-complete)."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=200) if whole else np.repeat([0.0, 1.0], 100)
    outcome = (x > 0.2) & (np.ones(200, dtype=bool) if whole else rng.random(200) < 0.4)
    with pytest.raises(regression.SeparatedError):
        regression.fit(np.column_stack([np.ones(200), x]), outcome.astype(float), np.ones(200), "logistic")
