from __future__ import annotations

import math

import numpy as np
import pytest

from audit.stats.power import minimum_detectable_ratio, planned_log_variance


def test_minimum_detectable_ratio_is_found_four_times_in_five() -> None:
    ratio = minimum_detectable_ratio(0.09)
    z = np.random.default_rng(1).normal(math.log(ratio), 0.3, 100_000) / 0.3
    assert np.mean(np.abs(z) > 1.959964) == pytest.approx(0.8, abs=0.01)


def test_planned_variance_is_that_of_effective_trials() -> None:
    draws = np.random.default_rng(2).binomial(10_000, 0.02, 50_000) / 10_000
    assert planned_log_variance(0.02, 30_000, 3) == pytest.approx(np.log(draws).var(), rel=0.05)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        minimum_detectable_ratio(-1)
    with pytest.raises(ValueError, match="must be positive"):
        planned_log_variance(0, 10, 1)
