from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.stats import mannwhitneyu, norm

from audit.metrics.det import (
    PROBIT_ONE,
    PROBIT_ZERO,
    ErrorCurve,
    auc,
    d_prime,
    eer_rocch,
    error_curve,
    hull,
    probit,
    thin,
)

Floats = NDArray[np.float64]
samples = st.tuples(
    st.lists(st.integers(0, 30), min_size=1, max_size=60), st.lists(st.integers(-15, 20), min_size=1, max_size=60)
)


def counted(mated: Floats, nonmated: Floats) -> tuple[Floats, Floats, Floats]:
    scores = np.unique(np.concatenate([mated, nonmated]))
    return (
        scores,
        np.bincount(np.searchsorted(scores, mated), minlength=scores.size).astype(float),
        np.bincount(np.searchsorted(scores, nonmated), minlength=scores.size).astype(float),
    )


def curve_of(table: tuple[Floats, Floats, Floats]) -> ErrorCurve:
    curve = error_curve(*table)
    assert curve is not None
    return curve


def test_curve_by_hand() -> None:
    """Mated at 1, 2, 3; non-mated at 0, 1; accept iff score >= threshold."""
    curve = curve_of(([0, 1, 2, 3], [0, 1, 1, 1], [1, 1, 0, 0]))
    assert curve.thresholds.tolist() == [0, 1, 2, 3, np.inf]
    assert curve.fmr.tolist() == [1, 0.5, 0, 0, 0]
    np.testing.assert_allclose(curve.fnmr, [0, 0, 1 / 3, 2 / 3, 1])


def test_eer_by_hand() -> None:
    """At threshold 3 one of four on each side is wrong, and that point is a corner of the hull: EER 1/4."""
    assert eer_rocch(curve_of(counted(np.array([0.0, 3, 3, 3]), np.array([0.0, 0, 0, 3])))) == 0.25
    # Corners (1/2, 0), (0, 1/2): the chord crosses the diagonal at 1/4.
    assert eer_rocch(curve_of(counted(np.array([1.0, 3]), np.array([0.0, 2])))) == pytest.approx(0.25)


def test_separated_and_identical_scores() -> None:
    apart = counted(np.array([2.0, 3]), np.array([0.0, 1]))
    assert eer_rocch(curve_of(apart)) == 0
    assert auc(*apart) == 1
    same = counted(np.array([0.0, 1, 2]), np.array([0.0, 1, 2]))
    assert eer_rocch(curve_of(same)) == pytest.approx(0.5)
    assert auc(*same) == 0.5
    assert d_prime(*same) == 0


def test_reversed_scores_have_eer_one_half_on_the_hull() -> None:
    table = counted(np.array([0.0, 1]), np.array([2.0, 3]))
    assert eer_rocch(curve_of(table)) == pytest.approx(0.5)
    assert auc(*table) == 0


def test_nothing_to_compare_is_said() -> None:
    assert error_curve([1.0], [0], [3]) is None
    assert auc([1.0], [3], [0]) is None
    assert d_prime([1.0], [0], [3]) is None
    assert d_prime([1.0, 2.0], [0, 3], [3, 0]) is None


@settings(max_examples=80, deadline=None)
@given(samples)
def test_against_scipy_and_an_independent_hull(sample: tuple[list[int], list[int]]) -> None:
    mated, nonmated = np.array(sample[0], float), np.array(sample[1], float)
    table = counted(mated, nonmated)
    curve = curve_of(table)
    u = mannwhitneyu(mated, nonmated).statistic
    assert auc(*table) == pytest.approx(u / mated.size / nonmated.size, abs=1e-12)
    points = np.column_stack([curve.fmr, curve.fnmr])
    # With (1, 1) added the ROC's lower hull is the hull of a set of full dimension.
    area = ConvexHull(np.vstack([points, [1, 1]])).volume
    corners = points[hull(curve)]
    assert np.trapezoid(1 - corners[::-1, 1], corners[::-1, 0]) == pytest.approx(area, abs=1e-9)
    e = eer_rocch(curve)
    # The hull's EER is the worst over priors of the least mixed error.
    worst = max((w * curve.fmr + (1 - w) * curve.fnmr).min() for w in np.linspace(0, 1, 1001))
    assert worst - 1e-12 <= e <= worst + 2e-3


@settings(max_examples=40, deadline=None)
@given(samples)
def test_weights_scale_freely(sample: tuple[list[int], list[int]]) -> None:
    scores, m, n = counted(np.array(sample[0], float), np.array(sample[1], float))
    one, other = curve_of((scores, m, n)), curve_of((scores, m * 0.3, n * 7.5))
    assert eer_rocch(other) == pytest.approx(eer_rocch(one), abs=1e-9)
    assert auc(scores, m * 0.3, n * 7.5) == pytest.approx(auc(scores, m, n), abs=1e-12)


def test_d_prime_survives_a_large_offset() -> None:
    rng = np.random.default_rng(0)
    mated, nonmated = rng.normal(2, 1, 500), rng.normal(0, 1, 500)
    expected = (mated.mean() - nonmated.mean()) / np.sqrt((mated.var() + nonmated.var()) / 2)
    assert d_prime(*counted(mated, nonmated)) == pytest.approx(expected, rel=1e-12)
    assert d_prime(*counted(mated + 1e6, nonmated + 1e6)) == pytest.approx(expected, rel=1e-7)


def test_probit_is_the_normal_quantile_with_marked_ends() -> None:
    np.testing.assert_allclose(probit([0.001, 0.5, 0.9]), norm.ppf([0.001, 0.5, 0.9]), rtol=1e-12)
    assert probit([0.0, 1.0]).tolist() == [PROBIT_ZERO, PROBIT_ONE]
    assert probit([1e-20])[0] >= PROBIT_ZERO


def test_thinned_curve_keeps_hull_corners_and_ends() -> None:
    rng = np.random.default_rng(3)
    curve = curve_of(counted(rng.normal(2, 1, 20_000), rng.normal(0, 1, 20_000)))
    fmr, fnmr = thin(curve, 512)
    kept = set(zip(fmr.tolist(), fnmr.tolist(), strict=True))
    assert 256 < fmr.size <= 512
    assert {(curve.fmr[k], curve.fnmr[k]) for k in hull(curve)} <= kept
    assert (1.0, 0.0) in kept
    assert (0.0, 1.0) in kept
    assert np.all(np.diff(fmr) <= 0)
    assert np.all(np.diff(fnmr) >= 0)
    # Rates of the curve where it bends matter, not its length: the widest gap in probit coordinates is small.
    inside = (fmr > 1e-3) & (fnmr > 1e-3)
    gap = np.hypot(np.diff(probit(fmr[inside])), np.diff(probit(fnmr[inside])))
    assert gap.max() < 0.2


def test_short_curves_are_not_thinned_and_limits_hold() -> None:
    rng = np.random.default_rng(3)
    curve = curve_of(counted(rng.normal(2, 1, 40), rng.normal(0, 1, 40)))
    fmr, fnmr = thin(curve, 512)
    # A staircase is given by its corners.
    np.testing.assert_allclose(np.trapezoid(fnmr[::-1], fmr[::-1]), np.trapezoid(curve.fnmr[::-1], curve.fmr[::-1]))
    assert thin(curve, 5)[0].size <= 5
    assert set(zip(*thin(curve, 2), strict=True)) == {(1.0, 0.0), (0.0, 1.0)}
    with pytest.raises(ValueError, match="two ends"):
        thin(curve, 1)


@pytest.mark.parametrize(
    ("table", "match"),
    [(([1, 0], [1, 1], [1, 1]), "ascend"), (([0, 1], [1, -1], [1, 1]), "negative"), (([0, 1], [1], [1, 1]), "length")],
)
def test_what_is_no_table_of_scores_is_refused(table: tuple[list[float], ...], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        error_curve(*table)
