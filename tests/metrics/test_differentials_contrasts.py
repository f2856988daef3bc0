"""Contrasts of two groups (`audit.metrics.contrasts`)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain import Interval
from audit.metrics.cells import Cells, make_cells
from audit.metrics.contrasts import Contrast, contrast
from audit.stats.contrasts import mover_difference, ratio_test
from audit.stats.intervals import clustered_interval


def cells(ea: int, eb: int, total: int = 20_000, deff: float = 2.0, subjects: int = 100) -> Cells:
    p = np.array([ea, eb]) / total
    return make_cells([ea, eb], [total, total], [subjects, subjects + 50], np.diag(deff * p * (1 - p) / total))


def run(whole: Cells, margin: float = 2.0, a: int = 0, b: int = 1) -> Contrast:
    found = [
        clustered_interval(float(p), float(v), n / 2)
        for p, v, n in zip(whole.rates, np.diag(whole.covariance), whole.subjects, strict=True)
    ]
    intervals = [Interval(x.low, x.high, x.level, x.method) for x in found]
    return contrast(whole, a, b, margin=margin, intervals=(intervals[a], intervals[b]))


def test_a_contrast_is_a_t_test_of_the_log_ratio() -> None:
    whole = cells(300, 100)
    found = run(whole)
    variance = 2 * ((1 - 0.015) / 300 + (1 - 0.005) / 100)
    test = ratio_test(math.log(3), variance, 99)
    assert found.ratio == pytest.approx(3)
    assert found.p == pytest.approx(test.p)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((test.low, test.high))
    assert found.minimum_detectable_ratio == pytest.approx(math.exp(2.801585218 * math.sqrt(variance)))
    assert (found.verdict, found.material, found.at_least) == ("DISPARITY", True, False)
    assert found.difference == pytest.approx(0.01)


def test_overlap_enters_through_the_covariance() -> None:
    p = np.array([0.015, 0.005])
    sigma = np.diag(2 * p * (1 - p) / 20_000)
    sigma[0, 1] = sigma[1, 0] = 0.9 * math.sqrt(sigma[0, 0] * sigma[1, 1])
    together = make_cells([300, 100], [20_000, 20_000], [100, 150], sigma)
    apart = run(cells(300, 100))
    found = run(together)
    assert found.interval is not None
    assert apart.interval is not None
    assert found.interval.high < apart.interval.high
    assert found.difference_interval.high - found.difference_interval.low < (
        apart.difference_interval.high - apart.difference_interval.low
    )


@pytest.mark.parametrize(
    ("ea", "eb", "deff", "verdict", "material"),
    [
        (300, 100, 2.0, "DISPARITY", True),
        (210, 100, 2.0, "DISPARITY", False),
        (100, 300, 2.0, "DISPARITY", True),
        (130, 100, 0.5, "EQUIVALENT", False),
        (1000, 1000, 2.0, "EQUIVALENT", False),
        (150, 100, 2.0, "INCONCLUSIVE", False),
        (20, 8, 4.0, "INCONCLUSIVE", False),
    ],
)
def test_three_verdicts(ea: int, eb: int, deff: float, verdict: str, material: bool) -> None:
    found = run(cells(ea, eb, deff=deff))
    assert (found.verdict, found.material) == (verdict, material)


def test_a_ratio_of_exactly_rho_counts() -> None:
    assert run(cells(2000, 1000)).verdict == "DISPARITY"
    assert run(cells(1000, 2000)).verdict == "DISPARITY"


def test_zero_denominator_gives_a_least_ratio() -> None:
    """N0 = 20,000 / 2, bound 1 - .05^(1/10000) = 2.9953e-4."""
    whole = cells(60, 0)
    found = run(whole)
    assert found.at_least
    assert found.ratio == pytest.approx(0.003 / (1 - 0.05**1e-4))
    tilde = 0.5 / 10_001
    variance = 2 * (1 - 0.003) / 60 + (1 - tilde) / (tilde * 10_001)
    test = ratio_test(math.log(0.003 / tilde), variance, 99)
    assert found.p == pytest.approx(test.p)
    assert found.interval is not None
    assert found.interval.high == pytest.approx(test.high)
    assert found.interval.low <= found.ratio
    assert found.verdict == "DISPARITY"


def test_zero_denominator_with_few_errors_is_not_below_one() -> None:
    found = run(cells(1, 0))
    assert found.ratio == 1.0
    assert found.at_least
    assert found.verdict == "INCONCLUSIVE"


def test_zero_numerator_is_zero_and_has_no_bound_below() -> None:
    found = run(cells(0, 60))
    assert (found.ratio, found.at_least) == (0.0, False)
    assert found.interval is not None
    assert found.interval.low == 0.0
    mirrored = run(cells(60, 0))
    assert found.p == pytest.approx(mirrored.p)
    assert found.verdict == mirrored.verdict == "DISPARITY"
    assert run(cells(0, 1)).verdict == "INCONCLUSIVE"


def test_no_error_in_either_is_undefined_but_the_difference_is_given() -> None:
    found = run(cells(0, 0))
    assert (found.ratio, found.interval, found.p, found.verdict) == (None, None, None, "INCONCLUSIVE")
    assert found.reason == "no error in either group"
    assert found.difference == 0
    assert found.difference_interval.low < 0 < found.difference_interval.high


def test_one_subject_allows_no_test() -> None:
    found = run(make_cells([3, 9], [10, 20], [1, 40], np.diag([0.02, 0.01])))
    assert found.ratio == pytest.approx(0.3 / 0.45)
    assert (found.p, found.verdict) == (None, "INCONCLUSIVE")
    assert found.reason


def test_a_group_against_itself_allows_no_test() -> None:
    same = make_cells([30, 30], [1000, 1000], [40, 40], np.full((2, 2), 1e-4))
    assert run(same).p is None


def test_rates_of_one_are_not_certain() -> None:
    found = run(make_cells([100, 100], [100, 100], [100, 100], np.zeros((2, 2))))
    assert found.ratio == 1
    assert found.p == 1
    assert found.interval is not None
    assert found.interval.low < 1 < found.interval.high


def test_difference_is_mover_of_the_given_intervals() -> None:
    whole = cells(300, 100)
    bounds = [Interval(0.012, 0.02, 0.95, "x"), Interval(0.004, 0.006, 0.95, "x")]
    found = contrast(whole, 0, 1, margin=2.0, intervals=(bounds[0], bounds[1]))
    expected = mover_difference(0.015, (0.012, 0.02), 0.005, (0.004, 0.006))
    assert (found.difference_interval.low, found.difference_interval.high) == pytest.approx(expected)
    assert found.difference_interval.method == "MOVER"


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.5, 20))
def test_always_finite_and_inside_its_interval(ea: int, eb: int, deff: float) -> None:
    found = run(cells(ea, eb, deff=deff))
    if found.ratio is None:
        assert ea == eb == 0
        return
    assert math.isfinite(found.ratio)
    assert found.interval is not None
    assert found.interval.low <= found.ratio <= found.interval.high < math.inf
    assert found.difference_interval.low <= found.difference <= found.difference_interval.high
    if eb == 0:
        assert found.ratio >= 1
    swapped = run(cells(ea, eb, deff=deff), a=1, b=0)
    assert swapped.verdict == found.verdict
    assert swapped.p == pytest.approx(found.p)
