"""The clustered mean, against statsmodels' clustered regression on a constant."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from audit.stats.means import clustered_mean


def test_it_is_the_regression_on_a_constant_with_clustered_errors() -> None:
    rng = np.random.default_rng(7)
    person = np.repeat(np.arange(25), rng.integers(1, 6, 25))
    values = rng.normal(size=25)[person] + rng.normal(size=len(person))
    sums, counts = np.bincount(person, values), np.bincount(person)
    found = clustered_mean(sums, counts)
    assert found is not None
    fit = OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": person, "df_correction": True})
    assert found.mean == pytest.approx(fit.params[0], rel=1e-12)
    assert found.variance == pytest.approx(fit.cov_params()[0, 0], rel=1e-9)
    assert (found.observations, found.subjects) == (len(values), 25)


def test_it_covers_the_mean() -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(1000):
        own = rng.normal(size=20)
        counts = np.full(20, 3)
        found = clustered_mean(3 * own + rng.normal(scale=np.sqrt(3), size=20), counts)
        assert found is not None
        hits += found.low <= 0 <= found.high
    assert 930 <= hits <= 970


def test_one_person_gives_none_and_people_without_an_observation_do_not_count() -> None:
    assert clustered_mean([1.0], [2]) is None
    with_zero, without = clustered_mean([1.0, 2.0, 0.0], [1, 1, 0]), clustered_mean([1.0, 2.0], [1, 1])
    assert with_zero == without
