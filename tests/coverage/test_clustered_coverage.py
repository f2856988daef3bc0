"""Monte-Carlo with subject effects: do intervals cover, and do tests keep their level?

A comparison of subjects i and j is an error with probability Phi(a_i + a_j - t), a mated trial of i with Phi(a_i - t);
effects a are normal. The bounds are those that METHODS names as reachable (coverage .92 to .98 from 30 effective
errors, contrasts at most .08 from 100 subjects), widened by the noise of the replicates.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from audit.domain import Interval
from audit.metrics.cells import Cells, make_cells
from audit.metrics.contrasts import contrast
from audit.metrics.spreads import spread
from audit.stats.clustered import pair_covariance, subject_covariance
from audit.stats.intervals import clustered_interval

Floats = NDArray[np.float64]
ANY = Interval(0.0, 1.0, 0.95, "not used")


def outcomes(rng: np.random.Generator, people: int, rates: list[float], effect: float) -> Floats:
    """Errors of every pair within each group of `people` subjects, compared once: groups x pairs."""
    first, second = np.triu_indices(people, 1)
    a = rng.normal(0, effect, (len(rates), people))
    threshold = norm.isf(rates)[:, None] * math.sqrt(1 + 2 * effect**2)
    return (rng.random((len(rates), first.size)) < norm.sf(threshold - a[:, first] - a[:, second])).astype(np.float64)


def cells_of(wrong: Floats, people: int) -> Cells:
    first, second = np.triu_indices(people, 1)
    k = len(wrong)
    rows = np.zeros((people * k, k))
    residuals = wrong - wrong.mean(axis=1, keepdims=True)
    for g, y in enumerate(residuals):
        rows[g * people : (g + 1) * people, g] = np.bincount(first, y, people) + np.bincount(second, y, people)
    totals, subjects = np.full(k, first.size), np.full(k, people)
    squares = np.diag((residuals**2).sum(axis=1))
    sigma = pair_covariance(rows, squares, totals, wrong.mean(axis=1), subjects)
    return make_cells(wrong.sum(axis=1), totals, subjects, sigma)


def halves_of(wrong: Floats, people: int, splits: int = 10) -> tuple[Floats, Floats]:
    """Errors and totals of pairs inside the halves, splits x 2 x groups; every group is halved alike."""
    first, second = np.triu_indices(people, 1)
    side = np.array([np.random.default_rng(s).permutation(people) % 2 for s in range(splits)])
    inside = np.stack([(side[:, first] == h) & (side[:, second] == h) for h in (0, 1)], axis=1).astype(np.float64)
    errors = inside @ wrong.T
    return errors, np.broadcast_to(inside.sum(axis=2)[:, :, None], errors.shape)


def non_mated(rng: np.random.Generator, people: int, rates: list[float], effect: float) -> Cells:
    return cells_of(outcomes(rng, people, rates, effect), people)


def mated(rng: np.random.Generator, people: int, trials: int, rate: float, effect: float) -> Cells:
    a = rng.normal(0, effect, people)
    counts = rng.integers(1, 2 * trials, people)
    errors = rng.binomial(counts, norm.sf(norm.isf(rate) * math.sqrt(1 + effect**2) - a))[:, None]
    sigma = subject_covariance(errors, counts[:, None])
    return make_cells(errors.sum(axis=0), [counts.sum()], [people], sigma)


def slack(replicates: int) -> float:
    """Three standard errors of a share near .95."""
    return 3 * math.sqrt(0.95 * 0.05 / replicates)


SHORT = 300
LONG = 1500
replicates = pytest.mark.parametrize("replicates", [SHORT, pytest.param(LONG, marks=pytest.mark.coverage_mc)])


@replicates
def test_false_match_intervals_cover_where_naive_ones_do_not(replicates: int) -> None:
    rng, rate = np.random.default_rng(11), 0.02
    covered = naive = 0
    for _ in range(replicates):
        cells = non_mated(rng, 100, [rate], 0.3)
        p, total = float(cells.rates[0]), float(cells.totals[0])
        found = clustered_interval(p, float(cells.covariance[0, 0]), 50)
        covered += found.low <= rate <= found.high
        wrong = clustered_interval(p, p * (1 - p) / total, 50)
        naive += wrong.low <= rate <= wrong.high
    assert 0.92 - slack(replicates) <= covered / replicates <= 0.98 + slack(replicates)
    assert naive / replicates < 0.85


@replicates
@pytest.mark.parametrize(("rate", "people"), [(0.02, 100), (0.1, 100)])
def test_false_non_match_intervals_cover(rate: float, people: int, replicates: int) -> None:
    """At .02 few errors are effective and most intervals are Korn and Graubard's."""
    rng, covered = np.random.default_rng(12), 0
    for _ in range(replicates):
        cells = mated(rng, people, 4, rate, 0.8)
        found = clustered_interval(float(cells.rates[0]), float(cells.covariance[0, 0]), people, exact_below=10)
        covered += found.low <= rate <= found.high
    assert 0.92 - slack(replicates) <= covered / replicates <= 0.99 + slack(replicates)


@replicates
def test_variance_is_right_on_average_in_small_groups(replicates: int) -> None:
    """Without the factor n/(n-4) the mean variance at 30 subjects is .87 of the true one."""
    rng = np.random.default_rng(13)
    made = [non_mated(rng, 30, [0.1], 0.5) for _ in range(replicates)]
    ratio = np.mean([c.covariance[0, 0] for c in made]) / np.var([c.rates[0] for c in made])
    noise = 3 * math.sqrt(2 / replicates)
    assert 0.93 - noise <= ratio <= 1.12 + noise


@replicates
def test_contrasts_keep_their_level(replicates: int) -> None:
    rng = np.random.default_rng(14)
    rejected = disparities = 0
    for _ in range(replicates):
        found = contrast(non_mated(rng, 100, [0.01, 0.01], 0.3), 0, 1, margin=2.0, intervals=(ANY, ANY))
        assert found.p is not None
        rejected += found.p < 0.05
        disparities += found.verdict == "DISPARITY"
    assert rejected / replicates <= 0.08 + slack(replicates)
    assert disparities / replicates <= 0.05 + slack(replicates)


@replicates
def test_spread_of_equal_rates(replicates: int) -> None:
    """The null p-value keeps its level, the interval holds equality, and the ratio alone would have misled."""
    rng = np.random.default_rng(15)
    rejected = held = 0
    values = []
    for _ in range(replicates):
        cells = non_mated(rng, 60, [0.01] * 5, 0.3)
        found = spread("max/geomean", cells, margins=(2.0,), rng=rng, draws=400)
        assert found.null_p is not None
        assert found.interval is not None
        assert found.value is not None
        rejected += found.null_p < 0.05
        held += found.interval.low <= 1.0
        values.append(found.value)
    assert rejected / replicates <= 0.08 + slack(replicates)
    assert held / replicates >= 0.93 - slack(replicates)
    assert np.mean(values) > 1.3


@replicates
def test_spread_of_unequal_rates(replicates: int) -> None:
    """One of five groups at four times the others' rate: max/geomean is 4^(4/5), and intervals hold it."""
    rng, truth = np.random.default_rng(16), 4 ** (4 / 5)
    rejected = above = below = 0
    for _ in range(replicates):
        cells = non_mated(rng, 60, [0.01, 0.01, 0.04, 0.01, 0.01], 0.3)
        found = spread("max/geomean", cells, margins=(2.0,), rng=rng, draws=400)
        assert found.null_p is not None
        assert found.interval is not None
        rejected += found.null_p < 0.05
        above += truth < found.interval.low
        below += truth > found.interval.high
    assert rejected / replicates > 0.8
    assert above / replicates <= 0.05 + slack(replicates)
    assert below / replicates <= 0.05 + slack(replicates)


@replicates
@pytest.mark.parametrize(
    ("rates", "wrong", "at_most"),
    [
        ([0.01] * 4, "DISPARITY", 0.01),
        # max/geomean is 1.68 here, below the margin of 2: a disparity, and with luck it looks as large as that.
        ([0.01, 0.01, 0.01, 0.02], "DISPARITY", 0.2),
        # Here it is 2.83: a disparity that must not be called equivalent.
        ([0.01, 0.01, 0.01, 0.04], "EQUIVALENT", 0.01),
    ],
)
def test_verdicts_on_a_spread_are_seldom_wrong(rates: list[float], wrong: str, at_most: float, replicates: int) -> None:
    rng = np.random.default_rng(17)
    count = 0
    for _ in range(replicates):
        made = outcomes(rng, 60, rates, 0.3)
        found = spread(
            "max/geomean", cells_of(made, 60), margins=(2.0,), rng=rng, halves=halves_of(made, 60), draws=400
        )
        count += found.verdict == wrong
    assert count / replicates <= at_most + slack(replicates)


@replicates
def test_a_disparity_on_a_spread_is_found(replicates: int) -> None:
    """One of four groups at six times the others' rate: max/geomean is 3.8."""
    rng = np.random.default_rng(18)
    count = 0
    for _ in range(replicates):
        made = outcomes(rng, 60, [0.01, 0.01, 0.01, 0.06], 0.3)
        found = spread(
            "max/geomean", cells_of(made, 60), margins=(2.0,), rng=rng, halves=halves_of(made, 60), draws=400
        )
        count += found.verdict == "DISPARITY"
    assert count / replicates > 0.9
