"""The simulation behind docs/coverage.md, in short: the generator is what it says, and bounds hold within its noise."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import population
import simulate as engine
from population import GROUPS, Population

pytestmark = pytest.mark.coverage_mc


def slack(p: float, trials: int) -> float:
    """Three Monte-Carlo errors."""
    return 3 * math.sqrt(p * (1 - p) / trials)


@pytest.mark.parametrize("target", engine.TARGETS)
def test_homophily_is_as_strong_as_asked_for_and_off_is_off(target: float) -> None:
    assert population.homophily_ratio(target) >= 2.5
    assert population.homophily_ratio(target, 0.0) == pytest.approx(1, abs=0.05)


def test_the_truth_is_what_large_samples_show() -> None:
    """Rates counted one by one in a fresh large population lie at the tables' values."""
    made = Population(population.HOMOPHILY)
    vectors, who = made.draw(500, np.random.default_rng(99))
    fmr, fnmr = population.true_rates(population.HOMOPHILY)
    group = who // 500
    for threshold in (0.3, 0.46):
        seen = []
        for g in range(GROUPS):
            own, people = vectors[group == g], who[group == g]
            scores = own @ own.T
            apart = people[:, None] < people[None, :]
            same = np.triu(people[:, None] == people[None, :], 1)
            seen.append((np.mean(scores[apart] >= threshold), np.mean(scores[same] < threshold)))
        mean, error = np.mean(seen, axis=0), np.std(seen, axis=0, ddof=1) / math.sqrt(GROUPS)
        assert abs(mean[0] - population.at(fmr, threshold)) <= 4 * error[0]
        assert abs(mean[1] - population.at(fnmr, threshold)) <= 4 * error[1]


@pytest.mark.parametrize("homophily", ["on", "off"])
@pytest.mark.parametrize(("people", "replicates"), [(30, 40), (100, 12)])
def test_intervals_cover_and_tests_keep_their_level(people: int, replicates: int, homophily: str) -> None:
    found = engine.simulate(people, Population(engine.HOMOPHILY[homophily]), replicates, 17)
    for one in found.values():
        effective = one.effective / one.intervals
        covered = one.covered / one.intervals
        low, high = (0.92, 0.98) if effective >= 30 else (0.90, 0.985) if effective >= 10 else (0.88, 1.0)
        # Intervals of one replicate share their threshold: its noise counts once.
        noise = slack(0.95, one.intervals // 2)
        assert low - noise <= covered <= high + noise
        if effective >= 10 and one.tests_by_replicate:
            rates = np.array(one.tests_by_replicate)
            assert rates.mean() <= 0.09 + 3 * rates.std(ddof=1) / math.sqrt(len(rates))
            logs = np.log(one.cross_fit)
            assert abs(logs.mean()) <= 0.05 + 3 * logs.std(ddof=1) / math.sqrt(len(logs))
    naive = found["FMR", 1e-2]
    assert naive.naive / naive.intervals < 0.75
    assert naive.naive_rejected / naive.contrasts > 0.25
