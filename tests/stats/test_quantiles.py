"""Quantiles (and means) clustered by person: closed forms, and how often their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audit.stats.means import clustered_mean
from audit.stats.quantiles import clustered_quantile


def test_one_measurement_a_person_is_students_interval() -> None:
    x = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    found = clustered_mean(x, np.ones(8))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 7, x.mean(), stats.sem(x)))
    assert found.variance == pytest.approx(stats.sem(x) ** 2)


def test_the_same_picture_twice_changes_nothing() -> None:
    x = np.random.default_rng(5).normal(size=40)
    once, twice = (
        clustered_quantile(x, np.arange(40), 0.9),
        clustered_quantile(np.tile(x, 2), np.tile(range(40), 2), 0.9),
    )
    assert once is not None
    assert twice is not None
    assert (once.value, once.low, once.high) == (twice.value, twice.low, twice.high)


def test_nobody_and_one_person() -> None:
    assert clustered_quantile([], [], 0.9) is None
    assert clustered_quantile([1.0, 2.0], [0, 0], 0.9) is None


def test_quantile_is_numpys_inverted_cdf() -> None:
    x = np.random.default_rng(3).normal(size=57)
    for share in (0.1, 0.5, 0.9, 0.99):
        found = clustered_quantile(x, np.arange(57), share)
        assert found is not None
        assert found.value == np.quantile(x, share, method="inverted_cdf")
        assert found.low <= found.value <= found.high


def test_share_is_in_the_open_unit_interval() -> None:
    with pytest.raises(ValueError, match="a share lies in"):
        clustered_quantile([1.0], [0], 1.0)


def test_intervals_hold_the_truth() -> None:
    """Errors with a part of each person and one of each picture: people 60, pictures 1 to 6 a person."""
    rng = np.random.default_rng(20_260_101)
    runs, held_mean, held_quantile = 1500, 0, 0
    truth = float(stats.norm.ppf(0.9, scale=np.sqrt(2)))
    for _ in range(runs):
        owner = np.repeat(np.arange(60), rng.integers(1, 7, 60))
        x = rng.normal(size=60)[owner] + rng.normal(size=len(owner))
        mean = clustered_mean(np.bincount(owner, weights=x), np.bincount(owner))
        quantile = clustered_quantile(x, owner, 0.9)
        assert mean is not None
        assert quantile is not None
        held_mean += mean.low <= 0 <= mean.high
        held_quantile += quantile.low <= truth <= quantile.high
    assert 0.92 <= held_mean / runs <= 0.98
    assert 0.92 <= held_quantile / runs <= 0.98
