from __future__ import annotations

import math

import numpy as np
import pytest

from audit.metrics.cross_fit import cross_fit
from audit.metrics.differentials import MEASURES

M = np.full((1, 2, 3), 99.0)


def test_max_geomean_by_hand() -> None:
    """Half 0 chooses group 2, half 1 group 0; each is evaluated on the other half, with (e + .5)/100."""
    errors = np.array([[[1, 4, 9], [7, 2, 3]]])
    x0, x1 = (errors[0] + 0.5) / 100
    one = math.log(x1[2]) - np.log(x1).mean()
    other = math.log(x0[0]) - np.log(x0).mean()
    assert cross_fit(errors, M, MEASURES["max/geomean"]) == pytest.approx(math.exp((one + other) / 2), rel=1e-12)


def test_max_min_by_hand() -> None:
    errors = np.array([[[1, 4, 9], [7, 2, 3]]])
    assert cross_fit(errors, M, MEASURES["max/min"]) == pytest.approx(math.sqrt((3.5 / 7.5) * (1.5 / 4.5)), rel=1e-12)


def test_gini_by_hand() -> None:
    """Ranks of one half, weights -2, 0, 2, over K (K-1) mean of the other."""
    errors = np.array([[[1, 4, 9], [7, 2, 3]]])
    one = (2 * 3.5 - 2 * 7.5) / (6 * 13.5 / 3)
    other = (-2 * 4.5 + 0 * 9.5 + 2 * 1.5) / (6 * 15.5 / 3)
    assert cross_fit(errors, M, MEASURES["gini"]) == pytest.approx((one + other) / 2, rel=1e-12)


def test_splits_are_averaged_in_logarithms() -> None:
    a, b = np.array([[[1, 4, 9], [7, 2, 3]]]), np.array([[[1, 5, 30], [2, 6, 20]]])
    alone = [cross_fit(x, M, MEASURES["max/min"]) for x in (a, b)]
    assert alone[0] is not None
    assert alone[1] is not None
    both = cross_fit(np.concatenate([a, b]), np.concatenate([M, M]), MEASURES["max/min"])
    assert both == pytest.approx(math.sqrt(alone[0] * alone[1]))


@pytest.mark.parametrize("name", list(MEASURES))
def test_order_of_groups_never_matters_even_in_ties(name: str) -> None:
    measure = MEASURES[name]
    rng = np.random.default_rng(8)
    errors = rng.integers(0, 3, (4, 2, 5)).astype(float)
    totals = np.full((4, 2, 5), 50.0)
    shuffled = errors[:, :, [3, 1, 4, 0, 2]]
    if measure.composite:
        errors, shuffled = (np.concatenate([x, x], axis=2) for x in (errors, shuffled))
        totals = np.concatenate([totals, totals], axis=2)
    found = cross_fit(errors, totals, measure)
    assert found is not None
    assert math.isfinite(found)
    assert cross_fit(shuffled, totals, measure) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("name", ["max/min", "max/mean", "max/geomean", "werm"])
def test_choosing_is_not_rewarded_where_all_are_equal(name: str) -> None:
    """Eight equal groups with about ten errors: the plain ratio is well above 1, its cross-fit is not."""
    measure = MEASURES[name]
    rng = np.random.default_rng(4)
    k = 16 if measure.composite else 8
    errors = rng.binomial(5000, 0.002, (2000, 2, k))
    totals = np.full(errors.shape, 5000)
    fitted = cross_fit(errors, totals, measure)
    plain = measure((errors[:, 0] + 0.5) / 5001, (errors[:, 0] + 0.5) / 5001).mean()
    # The logarithm of a mean is not the mean of logarithms: max/mean is a little low.
    assert fitted == pytest.approx(1, abs=0.05 if name == "max/mean" else 0.03)
    assert plain > 1.4


@pytest.mark.parametrize(("name", "truth"), [("max/geomean", 4 ** (3 / 4)), ("max/min", 4.0), ("gini", 3 / 7)])
def test_a_real_difference_is_found_undiminished(name: str, truth: float) -> None:
    rng = np.random.default_rng(5)
    errors = rng.binomial(50_000, [0.001, 0.001, 0.001, 0.004], (500, 2, 4))
    found = cross_fit(errors, np.full(errors.shape, 50_000), MEASURES[name])
    assert found == pytest.approx(truth, rel=0.05)


def test_undefined_is_none() -> None:
    empty = M.copy()
    empty[0, 1, 2] = 0
    assert cross_fit(np.zeros((1, 2, 3)), empty, MEASURES["max/min"]) is None
    assert cross_fit(np.zeros((1, 2, 1)), np.ones((1, 2, 1)), MEASURES["max/min"]) is None
    assert cross_fit(np.zeros((0, 2, 3)), np.zeros((0, 2, 3)), MEASURES["max/min"]) is None
    with pytest.raises(ValueError, match="splits x 2 x groups"):
        cross_fit(np.zeros((2, 3)), np.zeros((2, 3)), MEASURES["max/min"])
