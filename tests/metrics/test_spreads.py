from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from audit.metrics.cells import Cells, join, make_cells
from audit.metrics.differentials import MEASURES
from audit.metrics.spreads import Spread, spread, tau

Floats = NDArray[np.float64]


def cells(errors: list[int], total: float = 100_000, deff: float = 2.0, subjects: int = 200) -> Cells:
    p = np.array(errors) / total
    return make_cells(errors, [total] * len(errors), [subjects] * len(errors), np.diag(deff * p * (1 - p) / total))


def halves(errors: list[int], total: float = 100_000) -> tuple[Floats, Floats]:
    """Both halves with a quarter of the errors of the whole: nothing by chance."""
    e = np.tile(np.array(errors) / 4, (3, 2, 1))
    return e, np.full(e.shape, total / 4)


def run(name: str, errors: list[int], rho: float = 2.0, deff: float = 2.0) -> Spread:
    whole = cells(errors, deff=deff)
    return spread(name, whole, margins=(rho,), rng=np.random.default_rng(1), halves=halves(errors))


def test_a_clear_disparity() -> None:
    found = run("max/geomean", [200, 210, 190, 1000])
    assert found.verdict == "DISPARITY"
    assert found.value == pytest.approx(1000 / (200 * 210 * 190 * 1000) ** 0.25)
    assert found.null_p == 1 / 4001
    assert found.null_median is not None
    assert found.null_high is not None
    assert 1 < found.null_median < found.null_high < found.value
    assert found.cross_fit == pytest.approx(found.value, rel=0.02)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    assert (found.worst, found.best, found.reason) == (3, 2, None)
    assert found.wald_p is not None
    assert found.wald_p < 1e-6


def test_draws_under_equal_rates_are_counted_in_bins() -> None:
    """The histogram holds every draw, and its upper tail is the p-value to within the bin of the observed value."""
    found = run("max/geomean", [200, 210, 190, 240])
    assert found.null_histogram is not None
    edges, counts = (np.array(x) for x in found.null_histogram)
    assert counts.sum() == 4000
    assert edges.size == counts.size + 1 == 41
    assert edges[0] == 1.0
    np.testing.assert_allclose(np.diff(np.log(edges)), np.log(edges[-1]) / 40)
    assert found.value is not None
    assert found.null_p is not None
    within = np.searchsorted(edges, found.value) - 1
    above = counts[within + 1 :].sum()
    assert above <= found.null_p * 4001 - 1 <= above + counts[within]
    assert found.null_median is not None
    half = np.searchsorted(np.cumsum(counts), 2000)
    assert edges[half] <= found.null_median <= edges[half + 1]
    assert run("gini", [200, 210, 190, 240]).null_histogram is None


def test_equal_rates_are_equivalent_and_not_called_different() -> None:
    found = run("max/geomean", [1000, 1010, 990, 1000])
    assert found.verdict == "EQUIVALENT"
    assert found.null_p is not None
    assert found.null_p > 0.5
    assert found.interval is not None
    assert found.interval.low == 1.0
    assert found.tau == 0.0


def test_noise_is_inconclusive_and_its_interval_reaches_equality() -> None:
    """Eight groups with about ten errors: max/min near 3 is what chance gives."""
    found = run("max/geomean", [10, 7, 14, 8, 12, 9, 6, 15], deff=1.0)
    assert found.verdict == "INCONCLUSIVE"
    assert found.null_p is not None
    assert found.null_p > 0.05
    assert found.interval is not None
    assert found.interval.low == 1.0
    assert found.interval.high > 2


@pytest.mark.parametrize("errors", [[100, 150, 120], [100, 130, 190], [100, 300, 120]])
def test_interval_excludes_equality_exactly_where_the_test_rejects_it(errors: list[int]) -> None:
    for name in ("max/geomean", "gini", "mean_abs_log10"):
        found = run(name, errors)
        assert found.interval is not None
        assert found.null_p is not None
        assert (found.interval.low > MEASURES[name].equal) == (found.null_p < 0.05)


def test_significant_but_small_is_no_disparity() -> None:
    found = run("max/geomean", [10_000, 10_000, 12_000, 10_000])
    assert found.null_p is not None
    assert found.null_p < 0.05
    assert found.verdict == "EQUIVALENT"


def test_large_but_uncertain_is_inconclusive() -> None:
    found = run("max/min", [2, 9])
    assert found.cross_fit is not None
    assert found.cross_fit > 2
    assert found.null_p is not None
    assert found.null_p > 0.05
    assert found.verdict == "INCONCLUSIVE"


def test_cross_fit_is_needed_for_a_disparity() -> None:
    found = spread("max/geomean", cells([200, 200, 1500]), margins=(2.0,), rng=np.random.default_rng(1))
    assert found.verdict == "INCONCLUSIVE"
    assert found.reason is not None
    assert "no cross-fit" in found.reason


def test_max_min_over_many_groups_needs_many_errors() -> None:
    errors = [150] * 7 + [1500]
    assert run("max/min", errors).reason == "max/min over 8 groups or more needs 100 effective errors in each"
    assert run("max/min", errors, deff=1.0).verdict == "DISPARITY"
    assert run("max/geomean", errors).verdict == "DISPARITY"


def test_tau_by_hand() -> None:
    """Log rates ln(1e-3), ln(4e-3): S^2 = ln(4)^2 / 2; variances (1-p) deff / errors."""
    logs = math.log(4) ** 2 / 2
    noise = ((1 - 1e-3) * 2 / 100 + (1 - 4e-3) * 2 / 400) / 2
    assert tau(cells([100, 400])) == pytest.approx(math.sqrt(logs - noise))
    assert run("gini", [100, 400]).tau == pytest.approx(math.sqrt(logs - noise))


def test_minimum_detectable_ratio_by_hand() -> None:
    """Worst against the geomean of two: half the difference of the logs, whose variance is Sum/4."""
    noise = (1 - 1e-3) * 2 / 100 + (1 - 4e-3) * 2 / 400
    z = 1.959963984540054 + 0.8416212335729143
    assert run("max/geomean", [100, 400]).minimum_detectable_ratio == pytest.approx(math.exp(z * math.sqrt(noise / 4)))
    assert run("max/min", [100, 400]).minimum_detectable_ratio == pytest.approx(math.exp(z * math.sqrt(noise)))


def test_verdict_of_gini_uses_a_margin_in_its_own_units() -> None:
    """Two groups at ratio rho have (rho - 1)/(rho + 1): a margin of 2 would call every system equivalent."""
    found = run("gini", [100, 100, 100, 2000])
    assert found.margin == pytest.approx(1 / 3)
    assert found.verdict == "DISPARITY"
    assert run("gini", [5000, 5000, 5100, 5000]).verdict == "EQUIVALENT"


@pytest.mark.parametrize("name", ["std", "fdr"])
def test_differences_get_no_verdict_but_all_the_rest(name: str) -> None:
    one = cells([200, 1000])
    joint = join(one, one, np.kron(np.eye(2), one.covariance))
    whole, margins = (joint, (2.0, 1.25)) if name == "fdr" else (one, (2.0,))
    found = spread(name, whole, margins=margins, rng=np.random.default_rng(1))
    assert found.verdict == "INCONCLUSIVE"
    assert found.reason == "a difference of rates has no margin that is a ratio"
    assert found.interval is not None
    assert found.value is not None
    assert found.interval.low <= found.value <= found.interval.high
    assert found.null_p is not None
    assert found.null_p < 0.01
    assert found.null_high is not None
    assert found.null_median is not None
    # The score falls away from 1, the deviation rises from 0.
    order = [found.value, found.null_high, found.null_median, 1.0 if name == "fdr" else 0.0]
    assert order == sorted(order, reverse=name == "std")


@pytest.mark.parametrize("name", list(MEASURES))
def test_zero_error_groups_never_give_infinity_or_a_reversed_headline(name: str) -> None:
    measure = MEASURES[name]
    for errors in ([0, 30, 40], [0, 0, 5], [0, 0, 0], [30, 0, 1]):
        one = cells(errors)
        joint = join(one, one, np.kron(np.eye(2), one.covariance))
        e, m = halves(errors)
        data = (np.concatenate([e, e], 2), np.concatenate([m, m], 2)) if measure.composite else (e, m)
        found = spread(
            name,
            joint if measure.composite else one,
            margins=(2.0, 1.25) if measure.composite else (2.0,),
            rng=np.random.default_rng(1),
            halves=data,
        )
        numbers = [found.value, found.null_p, found.null_median, found.null_high, found.cross_fit, found.tau]
        numbers += [found.minimum_detectable_ratio, *found.components.values()]
        numbers += [found.interval.low, found.interval.high] if found.interval else []
        assert all(x is None or math.isfinite(x) for x in numbers)
        if measure.scale == "ratio" and found.value is not None:
            assert found.value >= 1
        if not any(errors):
            assert found.null_p is None
            assert found.reason is not None
            assert "no error in any group" in found.reason


def test_a_zero_group_is_flagged_and_cannot_be_equivalent() -> None:
    found = run("max/geomean", [0, 3, 4, 3])
    assert found.zero_adjusted == (0,)
    assert found.best == 0
    assert found.verdict != "EQUIVALENT"


def test_undefined_spreads_stay_listed_with_a_reason() -> None:
    found = run("max/geomean", [30])
    assert (found.value, found.interval, found.null_p, found.verdict) == (None, None, None, "INCONCLUSIVE")
    assert found.reason
    assert found.margin == 2.0


def test_same_seed_same_numbers() -> None:
    assert run("max/geomean", [10, 20, 40]) == run("max/geomean", [10, 20, 40])


def test_scale_of_the_rates_moves_nothing() -> None:
    """Twice the trials with the same errors and the same relative variances: only levels differ."""
    one = cells([100, 200, 400], total=1e6)
    other = replace(one, totals=one.totals * 2, covariance=one.covariance / 4)
    a, b = (
        spread("max/geomean", x, margins=(2.0,), rng=np.random.default_rng(1), halves=halves([100, 200, 400]))
        for x in (one, other)
    )
    assert (a.value, a.null_p, a.cross_fit, a.tau) == pytest.approx((b.value, b.null_p, b.cross_fit, b.tau))
