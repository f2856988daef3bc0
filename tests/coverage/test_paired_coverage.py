"""Monte-Carlo: does the interval of a change cover when the same people are measured twice, several trials each?

A trial of person i under condition k is an error with probability Phi(a_i - t_k); effects a are normal and shared by
both conditions, so the two rates are correlated and trials of a person depend on each other.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from audit.metrics.rates import KORN_GRAUBARD_BELOW
from audit.stats.paired import rate_change

pytestmark = pytest.mark.coverage_mc


@pytest.mark.parametrize(
    ("rates", "effect", "people", "trials"),
    [((0.05, 0.20), 1.0, 60, 4), ((0.10, 0.10), 1.0, 60, 4), ((0.02, 0.10), 0.7, 60, 4), ((0.3, 0.5), 0.5, 20, 1)],
)
def test_changes_cover(rates: tuple[float, float], effect: float, people: int, trials: int) -> None:
    rng, repeats = np.random.default_rng(20), 2000
    thresholds = norm.isf(rates) * np.sqrt(1 + effect**2)
    made = np.full((people, 2), trials)
    covered = 0
    for _ in range(repeats):
        ability = rng.normal(0, effect, (people, 1))
        errors = rng.binomial(trials, norm.sf(thresholds - ability))
        found = rate_change(errors, made, exact_below=KORN_GRAUBARD_BELOW)
        covered += found.low <= rates[1] - rates[0] <= found.high
    # 95 %, not below .925 and not above .995, widened by three standard errors of 2,000 repeats.
    noise = 3 * (0.95 * 0.05 / repeats) ** 0.5
    assert 0.925 - noise <= covered / repeats <= 0.995 + noise
