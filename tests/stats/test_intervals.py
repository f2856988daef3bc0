from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from audit.stats.intervals import (
    clopper_pearson,
    clustered_interval,
    effective_errors,
    effective_size,
    korn_graubard,
    wilson,
    zero_upper_bound,
)

rates = st.floats(0, 1)
sizes = st.floats(0.25, 1e9)


@given(rates, sizes, st.floats(0.5, 0.999))
def test_wilson_holds_the_rate_and_stays_in_range(p: float, n: float, level: float) -> None:
    low, high = wilson(p, n, level)
    assert 0 <= low <= p <= high <= 1
    assert low < high


def test_wilson_solves_its_defining_equation() -> None:
    """At both bounds b, |p - b| is z standard errors under b."""
    for bound in wilson(0.03, 217.5, 0.95):
        assert abs(0.03 - bound) / math.sqrt(bound * (1 - bound) / 217.5) == pytest.approx(1.959963984540054, rel=1e-9)


def test_ends_are_exact() -> None:
    assert wilson(0.0, 10)[0] == 0.0
    assert wilson(1.0, 10)[1] == 1.0
    assert clopper_pearson(0, 10)[0] == 0.0
    assert clopper_pearson(10, 10)[1] == 1.0


def test_clopper_pearson_inverts_binomial_tails() -> None:
    low, high = clopper_pearson(3, 20, 0.95)
    assert binom.sf(2, 20, low) == pytest.approx(0.025, rel=1e-9)
    assert binom.cdf(3, 20, high) == pytest.approx(0.025, rel=1e-9)


def test_clopper_pearson_takes_real_valued_arguments() -> None:
    low, high = clopper_pearson(2.5, 17.25, 0.9)
    assert (low, high) == pytest.approx((beta.ppf(0.05, 2.5, 15.75), beta.ppf(0.95, 3.5, 14.75)), rel=1e-10)


def test_korn_graubard_is_clopper_pearson_on_the_effective_size() -> None:
    assert korn_graubard(0.1, 33.3) == clopper_pearson(0.1 * 33.3, 33.3)


@given(st.floats(0.5, 1e8), st.floats(0.001, 0.5))
def test_zero_bound_is_where_no_error_has_probability_alpha(n: float, alpha: float) -> None:
    assert n * math.log1p(-zero_upper_bound(n, alpha)) == pytest.approx(math.log(alpha), rel=1e-6)


def test_effective_size_is_trials_over_design_effect() -> None:
    assert effective_size(0.2, 4 * 0.2 * 0.8 / 1000) == pytest.approx(250)
    assert effective_size(0.2, 1.0, floor=15) == 15
    assert effective_size(0.0, 0.0, floor=15) == 15
    assert effective_size(1.0, 0.0, floor=15) == 15


def test_floor_never_enters_effective_errors() -> None:
    assert effective_errors(0.2, 0.16) == pytest.approx(0.2)
    assert effective_errors(0.0, 0.0) == 0.0
    assert effective_errors(1.0, 0.0) is None


def test_method_changes_below_the_declared_number_of_errors() -> None:
    few = clustered_interval(0.05, 0.05 * 0.95 / 100, 30, exact_below=10)
    assert few.method == "subject-clustered Korn-Graubard"
    assert (few.low, few.high) == clopper_pearson(0.05 * few.size, few.size)
    enough = clustered_interval(0.2, 0.2 * 0.8 / 100, 30, exact_below=10)
    assert enough.method == "subject-clustered Wilson"
    assert (enough.low, enough.high) == wilson(0.2, 100.0)
    assert clustered_interval(0.0, 0.0, 30, exact_below=10).high == pytest.approx(1 - 0.025 ** (1 / 30))


@pytest.mark.parametrize(("p", "n", "level"), [(0.5, 0, 0.95), (1.5, 10, 0.95), (0.5, 10, 1.0), (float("nan"), 1, 0.9)])
def test_nonsense_is_refused(p: float, n: float, level: float) -> None:
    with pytest.raises(ValueError, match="found"):
        wilson(p, n, level)
    with pytest.raises(ValueError, match="errors must lie"):
        clopper_pearson(11, 10)
    with pytest.raises(ValueError, match="positive size"):
        zero_upper_bound(0)
