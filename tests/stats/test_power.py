"""The smallest ratio that a design can show: closed forms, limits, and simulation with the product's own contrast."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from audit.stats.clustered import pair_covariance, subject_covariance
from audit.stats.contrasts import ratio_test
from audit.stats.power import Design, dependence, detectable_ratio, minimum_detectable_ratio


def test_minimum_detectable_ratio_is_found_four_times_in_five() -> None:
    ratio = minimum_detectable_ratio(0.09)
    z = np.random.default_rng(1).normal(math.log(ratio), 0.3, 100_000) / 0.3
    assert np.mean(np.abs(z) > 1.959964) == pytest.approx(0.8, abs=0.01)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        minimum_detectable_ratio(-1)
    with pytest.raises(ValueError, match="no measured"):
        dependence([], [], [])


def test_independent_trials_have_the_binomial_variance_of_a_log() -> None:
    one = Design(1000, 1000, 1.0, 0.5)
    assert one.log_variance(0.1) == pytest.approx(0.9 / 100)
    assert one.design_effect(0.1) == pytest.approx(1)
    # ten trials a unit that agree fully are one trial a unit
    assert Design(100, 1000, 10.0, 1.0).log_variance(0.1) == pytest.approx(0.9 / 10)


def test_two_units_cannot_show_what_a_hundred_can_and_one_shows_nothing() -> None:
    others = Design(500, 5000, 1.0, 0.0)
    ratios = [detectable_ratio(Design(n, 10 * n, 1.0, 0.0), others, 0.02) for n in (1, 10, 100, 1000)]
    assert ratios[0] is None
    found = [ratio for ratio in ratios[1:] if ratio is not None]
    assert found == sorted(found, reverse=True)
    assert detectable_ratio(Design(2, 2, 1.0, 0.0), others, 0.5) is None


def told(rates: np.ndarray, sigma: np.ndarray, units: int) -> bool:
    """The product's own contrast of the first rate with the second; a rate of 0 tells nothing here."""
    if not rates.all():
        return False
    scaled = sigma / np.outer(rates, rates)
    variance = float(scaled[0, 0] + scaled[1, 1] - 2 * scaled[0, 1])
    return ratio_test(math.log(rates[0] / rates[1]), variance, units - 1).p < 0.05


def beta_trials(rng: np.random.Generator, units: int, trials: int, rate: float, within: float) -> np.ndarray:
    """Errors of each unit; trials of a unit correlate by `within`."""
    scale = 1 / within - 1
    return rng.binomial(trials, rng.beta(rate * scale, (1 - rate) * scale, units))


def test_clustered_trials_show_the_ratio_four_times_in_five() -> None:
    """Beta-binomial units, judged by the contrast that an audit makes."""
    rng = np.random.default_rng(3)
    own, rest = Design(80, 480, 6.0, 0.25), Design(300, 1800, 6.0, 0.25)
    ratio = detectable_ratio(own, rest, 0.05)
    assert ratio is not None
    found = 0
    for _ in range(600):
        errors = np.concatenate([beta_trials(rng, 80, 6, 0.05 * ratio, 0.25), beta_trials(rng, 300, 6, 0.05, 0.25)])
        member = np.repeat([0, 1], [80, 300])
        wrong, made = np.zeros((380, 2)), np.zeros((380, 2))
        wrong[np.arange(380), member], made[np.arange(380), member] = errors, 6
        sigma = subject_covariance(wrong, made)
        found += told(wrong.sum(axis=0) / made.sum(axis=0), sigma, 80)
    assert found / 600 == pytest.approx(0.8, abs=0.07)


def pair_errors(rng: np.random.Generator, people: int, rate: float, spread: float) -> np.ndarray:
    """One comparison a pair of people, whose proneness is log-normal: true above the diagonal where it is an error."""
    proneness = np.exp(rng.normal(-(spread**2) / 2, spread, people))
    chance = np.minimum(rate * np.outer(proneness, proneness), 1)
    return np.triu(rng.random((people, people)) < chance, 1)


def test_pairs_of_people_show_the_ratio_about_four_times_in_five() -> None:
    """Proneness exp(.5 N): variance over squared mean is e^.25 - 1. Errors of pairs, clustered by both people."""
    rng = np.random.default_rng(4)
    n, rate, spread, runs = 120, 0.01, 0.5, 400
    pairs = n * (n - 1) // 2
    design = Design(n, pairs, 1.0, 0.0, math.exp(spread**2) - 1, 2)
    ratio = detectable_ratio(design, design, rate)
    assert ratio is not None
    found = 0
    for _ in range(runs):
        rows, squares, totals, rates = np.zeros((2 * n, 2)), np.zeros((2, 2)), np.full(2, pairs), np.zeros(2)
        for g, r in enumerate((rate * ratio, rate)):
            wrong = pair_errors(rng, n, r, spread)
            rates[g] = wrong.sum() / pairs
            y = np.triu(wrong - rates[g], 1)
            rows[g * n : (g + 1) * n, g] = y.sum(axis=0) + y.sum(axis=1)
            squares[g, g] = (y**2).sum()
        sigma = pair_covariance(rows, squares, totals, rates, np.full(2, n))
        found += told(rates, sigma, n)
    assert found / runs == pytest.approx(0.8, abs=0.08)


def test_dependence_is_recovered_from_the_effects_that_it_makes() -> None:
    made = [Design(n, 8.0 * n * (n - 1), 16.0, 0.3, 1.2, 2) for n in (50, 100, 200)] * 2
    rates = [1e-2] * 3 + [1e-3] * 3
    effects = [one.design_effect(rate) for one, rate in zip(made, rates, strict=True)]
    blank = [Design(one.units, one.trials, one.a_cluster, 0.0, 0.0, 2) for one in made]
    assert dependence(rates, blank, effects) == pytest.approx((0.3, 1.2), rel=0.02)


def test_a_power_of_one_half_is_where_the_estimate_meets_the_quantile() -> None:
    own = Design(400, 4000, 1.0, 0.0)
    half = detectable_ratio(own, own, 0.05, power=0.5)
    assert half is not None
    error = math.sqrt(own.log_variance(0.05 * half) + own.log_variance(0.05))
    assert math.log(half) == pytest.approx(stats.t.ppf(0.975, 399) * error)
