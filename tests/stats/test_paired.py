"""Changes of means and rates of the same people: by hand, against scipy, against published intervals, at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audit.stats.paired import farthest_shift, mean_change, rate_change


def test_a_mean_moves_as_scipys_paired_t_says() -> None:
    rng = np.random.default_rng(3)
    before = rng.normal(0, 1, 40)
    after = before + rng.normal(0.2, 0.5, 40)
    found = mean_change(before, after, 0.9)
    peer = stats.ttest_rel(after, before).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((peer.low, peer.high), rel=1e-12)
    assert found.change == pytest.approx(float((after - before).mean()), rel=1e-12)
    assert (found.people, found.level) == (40, 0.9)


def test_the_farthest_shift_bounds_every_coordinate() -> None:
    """Scipy's t intervals of each coordinate at the Bonferroni level all lie within its reach."""
    rng = np.random.default_rng(5)
    moved = rng.normal([0.0, 0.3, -0.4], [1.0, 0.1, 0.5], (30, 3))
    found = farthest_shift(moved, 0.95)
    peers = [stats.ttest_1samp(moved[:, k], 0).confidence_interval(1 - 0.05 / 3) for k in range(3)]
    reach = [max(-peer.low, peer.high) for peer in peers]
    assert max(-found.low, found.high) == pytest.approx(max(reach))
    k = int(np.argmax(reach))
    assert (found.low, found.high) == pytest.approx((peers[k].low, peers[k].high))
    assert found.change == pytest.approx(moved[:, k].mean())


def test_the_farthest_shift_covers_all_coordinates_at_its_level() -> None:
    """10 coordinates that do not move: the bound of a margin is broken in at most 5 % of 2,000 repetitions."""
    rng = np.random.default_rng(6)
    signal = np.linspace(-1, 1, 10)
    missed = 0
    for _ in range(2000):
        moved = signal + rng.normal(0, 1, (20, 10))
        found = farthest_shift(moved, 0.95)
        missed += max(-found.low, found.high) < 1  # it would say that all lie within what the largest has reached
    assert missed / 2000 <= 0.05


def newcombe_10(a: int, b: int, c: int, d: int) -> tuple[float, float]:
    """Newcombe (1998), method 10 for p1 - p2 of paired proportions, a..d the cells of the 2 x 2 table, without phi's
    continuity correction; written out from the paper's formulas, with Wilson intervals by scipy."""
    n = a + b + c + d
    first = stats.binomtest(a + b, n).proportion_ci(0.95, method="wilson")
    second = stats.binomtest(a + c, n).proportion_ci(0.95, method="wilson")
    p1, p2 = (a + b) / n, (a + c) / n
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    phi = (a * d - b * c) / margins**0.5 if margins else 0.0
    dl1, du1, dl2, du2 = p1 - first.low, first.high - p1, p2 - second.low, second.high - p2
    down = dl1**2 - 2 * phi * dl1 * du2 + du2**2
    up = du1**2 - 2 * phi * du1 * dl2 + dl2**2
    return p1 - p2 - down**0.5, p1 - p2 + up**0.5


@pytest.mark.parametrize("table", [(20, 12, 2, 16), (5, 30, 10, 55), (40, 10, 10, 40)])
def test_one_trial_a_person_is_newcombes_paired_interval(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    after = np.repeat([1, 1, 0, 0], table)
    before = np.repeat([1, 0, 1, 0], table)
    n = len(after)
    errors, trials = np.stack([before, after], axis=1), np.ones((n, 2), int)
    low, high = newcombe_10(a, b, c, d)
    found = rate_change(errors, trials)
    assert found.change == pytest.approx((b - c) / n)
    # The clustered variance has the factor n/(n-1): Wilson at n-1 instead of n, at most 2 % wider here.
    assert found.low == pytest.approx(low, abs=0.02 * (high - low))
    assert found.high == pytest.approx(high, abs=0.02 * (high - low))


def test_counts_by_hand() -> None:
    found = rate_change([[0, 1], [1, 2], [0, 0], [0, 1]], [[4, 4]] * 4)
    assert (found.before, found.after, found.change) == (1 / 16, 4 / 16, 3 / 16)
    assert found.low < 3 / 16 < found.high


def test_no_error_before_and_after_is_no_certainty() -> None:
    found = rate_change(np.zeros((60, 2), int), np.ones((60, 2), int), exact_below=10.0)
    assert found.change == 0
    bound = 1 - 0.025 ** (1 / 60)  # Clopper and Pearson's for 0 of 60; both rates may be anywhere below it
    assert (found.low, found.high) == pytest.approx((-bound, bound))


def test_strong_pairing_narrows() -> None:
    rng = np.random.default_rng(5)
    before = (rng.random(200) < 0.3).astype(int)
    after = before.copy()
    after[:10] = 1
    trials = np.ones((200, 2), int)
    paired = rate_change(np.stack([before, after], axis=1), trials)
    shuffled = rate_change(np.stack([before, rng.permutation(after)], axis=1), trials)
    assert paired.high - paired.low < 0.5 * (shuffled.high - shuffled.low)


@pytest.mark.parametrize(
    ("errors", "trials"), [([[0, 1]], [[1, 1]]), ([[0, 1], [0, 0]], [[1, 1], [0, 1]]), ([0, 1], [1, 1])]
)
def test_too_few_people_or_no_trials_are_errors(errors: list[object], trials: list[object]) -> None:
    with pytest.raises(ValueError, match="at least 2 people"):
        rate_change(errors, trials)
    with pytest.raises(ValueError, match="at least 2 people"):
        mean_change([1.0], [2.0])
