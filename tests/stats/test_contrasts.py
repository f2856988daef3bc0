from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from audit.stats.contrasts import mover_difference, ratio_test
from audit.stats.intervals import wilson


def test_ratio_test_by_student_t() -> None:
    test = ratio_test(math.log(3), 0.25, 9)
    assert test.p == pytest.approx(2 * t.sf(math.log(3) / 0.5, 9), rel=1e-10)
    assert (test.ratio, test.low, test.high) == pytest.approx(
        (3, 3 * math.exp(-0.5 * t.ppf(0.975, 9)), 3 * math.exp(0.5 * t.ppf(0.975, 9))), rel=1e-10
    )
    assert (test.tost_low, test.tost_high) == pytest.approx(
        (3 * math.exp(-0.5 * t.ppf(0.95, 9)), 3 * math.exp(0.5 * t.ppf(0.95, 9))), rel=1e-10
    )
    assert test.minimum_detectable == pytest.approx(math.exp(0.5 * (1.959963984540054 + 0.8416212335729143)))


@given(st.floats(-5, 5), st.floats(0.01, 4), st.integers(1, 500))
def test_swapping_the_groups_inverts_everything(log_ratio: float, variance: float, df: int) -> None:
    one, other = ratio_test(log_ratio, variance, df), ratio_test(-log_ratio, variance, df)
    assert other.p == pytest.approx(one.p, rel=1e-9)
    assert other.low == pytest.approx(1 / one.high, rel=1e-9)
    assert (one.p < 0.05) == (one.low > 1 or one.high < 1)


def test_bounds_stay_finite() -> None:
    assert math.isfinite(ratio_test(10, 1e6, 1).high)
    with pytest.raises(ValueError, match="above 0"):
        ratio_test(1.0, 0.0, 3)
    with pytest.raises(ValueError, match="above 0"):
        ratio_test(1.0, 0.1, 0)


def test_mover_on_published_numbers() -> None:
    """Newcombe (1998), method 10: 56/70 against 48/80 gives .0524 to .3339."""
    low, high = mover_difference(56 / 70, wilson(56 / 70, 70), 48 / 80, wilson(48 / 80, 80))
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


def test_mover_of_identical_estimates_is_zero() -> None:
    assert mover_difference(0.5, (0.4, 0.6), 0.5, (0.4, 0.6), 1.0) == pytest.approx((0, 0), abs=1e-12)
