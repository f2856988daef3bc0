from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, norm

from audit.stats.nulls import Floats, draw, null_distribution, percentile_interval, wald_equality


def widest(logs: Floats) -> Floats:
    return np.asarray(np.ptp(logs, axis=-1))


def test_draws_have_the_covariance_asked_for() -> None:
    sigma = np.array([[1.0, 0.6, 0.0], [0.6, 0.5, 0.0], [0.0, 0.0, 0.0]])
    values = draw([1.0, 2.0, 3.0], sigma, 200_000, np.random.default_rng(1))
    np.testing.assert_allclose(np.cov(values.T), sigma, atol=0.01)
    np.testing.assert_allclose(values.mean(axis=0), [1, 2, 3], atol=0.01)


def test_order_of_cells_changes_no_draw_but_its_place() -> None:
    """The symmetric root commutes with permutations: a cell that is independent of the others keeps its numbers."""
    sigma = np.diag([0.5, 0.1, 2.0])
    one = draw([0, 0, 0], sigma, 5, np.random.default_rng(3))
    other = draw([0, 0, 0], sigma[::-1, ::-1], 5, np.random.default_rng(3))
    np.testing.assert_allclose(one / np.sqrt(np.diag(sigma)), other / np.sqrt(np.diag(sigma))[::-1], rtol=1e-12)


def test_null_p_counts_draws_at_least_as_large() -> None:
    """Two independent cells: |l1 - l2| is half-normal with variance 2."""
    null = null_distribution(widest, 2.0, np.eye(2), 40_000, np.random.default_rng(2))
    assert null.p == pytest.approx(2 * norm.sf(2 / np.sqrt(2)), abs=0.01)
    assert null.median == pytest.approx(np.sqrt(2) * norm.ppf(0.75), abs=0.02)
    assert null.high == pytest.approx(np.sqrt(2) * norm.ppf(0.975), abs=0.04)


def test_null_p_is_never_zero_and_one_at_the_bottom() -> None:
    assert null_distribution(widest, 99.0, np.eye(3), 99, np.random.default_rng(0)).p == 1 / 100
    assert null_distribution(widest, 0.0, np.zeros((3, 3)), 99, np.random.default_rng(0)).p == 1.0


def test_percentiles_surround_a_linear_statistic() -> None:
    low, high = percentile_interval(
        lambda x: x[..., 0], [1.0, 0.0], np.diag([4.0, 1.0]), 100_000, np.random.default_rng(4), 0.95
    )
    assert (low, high) == pytest.approx((1 - 2 * 1.96, 1 + 2 * 1.96), abs=0.06)


def test_wald_is_chi_squared_for_many_degrees_of_freedom() -> None:
    logs, variances = np.array([0.3, -0.2, 0.1, 0.5]), np.array([0.02, 0.05, 0.04, 0.1])
    weights = 1 / variances
    centre = (weights * logs).sum() / weights.sum()
    q = (weights * (logs - centre) ** 2).sum()
    assert wald_equality(logs, np.diag(variances), 1e9) == pytest.approx(chi2.sf(q, 3), rel=1e-6)
    assert wald_equality(logs, np.diag(variances), 11) > chi2.sf(q, 3)


def test_wald_needs_two_rates() -> None:
    with pytest.raises(ValueError, match="two rates"):
        wald_equality([1.0], [[1.0]], 10)
