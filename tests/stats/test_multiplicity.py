from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from audit.stats.multiplicity import holm, max_z


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.02, 0.03, 0.04]).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_never_lowers(values: list[float]) -> None:
    p = np.array(values)
    adjusted = holm(p)
    assert np.all(adjusted >= p)
    assert np.all(adjusted <= np.minimum(1, p * p.size))
    shuffled = np.random.default_rng(1).permutation(p.size)
    np.testing.assert_array_equal(holm(p[shuffled]), adjusted[shuffled])
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)


def test_holm_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match="p-values"):
        holm([0.1, float("nan")])


def test_max_z_of_independent_tests_is_sidaks() -> None:
    p = np.array([0.001, 0.01, 0.04, 0.3, 0.9])
    found = max_z(p, np.diag([1.0, 4.0, 9.0, 0.1, 2.0]), 200_000, np.random.default_rng(1))
    np.testing.assert_allclose(found, 1 - (1 - p) ** 5, atol=4 * 0.5 / np.sqrt(200_000))


def test_max_z_of_one_test_in_many_copies_takes_nothing_away() -> None:
    p = np.full(6, 0.03)
    found = max_z(p, np.ones((6, 6)), 100_000, np.random.default_rng(2))
    np.testing.assert_allclose(found, p, atol=0.003)


def test_max_z_lies_between_the_test_and_bonferroni() -> None:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(7, 4))
    p = rng.uniform(size=7) ** 3
    found = max_z(p, root @ root.T + 0.3 * np.eye(7), 50_000, rng)
    assert np.all(found >= p)
    assert np.all(found <= np.minimum(1, 7 * p) + 0.01)


def test_max_z_keeps_the_family_wise_error() -> None:
    """Seven correlated tests of what is true: the smallest adjusted p-value is below .05 in 5 % of families."""
    rng = np.random.default_rng(4)
    root = rng.normal(size=(7, 3))
    sigma = root @ root.T + 0.2 * np.eye(7)
    scale = np.sqrt(np.diag(sigma))
    z = rng.multivariate_normal(np.zeros(7), sigma / np.outer(scale, scale), size=2000)
    smallest = [max_z(2 * norm.sf(np.abs(row)), sigma, 2000, rng).min() for row in z]
    share = np.mean(np.array(smallest) < 0.05)
    assert abs(share - 0.05) <= 3 * np.sqrt(0.05 * 0.95 / 2000)
    holm_share = np.mean([holm(2 * norm.sf(np.abs(row))).min() < 0.05 for row in z])
    assert holm_share < share


def test_max_z_needs_a_covariance_of_its_size() -> None:
    with pytest.raises(ValueError, match="as many rows"):
        max_z([0.1, 0.2], np.eye(3), 100, np.random.default_rng(1))
    assert max_z([], np.zeros((0, 0)), 100, np.random.default_rng(1)).size == 0
