"""Every measure counted by hand, and what must hold for all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from audit.metrics.cells import Cells, join, make_cells
from audit.metrics.differentials import MEASURES, Measure, evaluate

Floats = NDArray[np.float64]
SINGLE = [measure for measure in MEASURES.values() if not measure.composite]
COMPOSITE = [measure for measure in MEASURES.values() if measure.composite]
rates = st.lists(st.floats(1e-6, 1), min_size=2, max_size=8)


def cells(errors: list[float], totals: list[float] | None = None) -> Cells:
    m = totals or [10_000.0] * len(errors)
    p = np.array(errors) / np.array(m)
    return make_cells(errors, m, [100] * len(errors), np.diag(2 * p * (1 - p) / np.array(m)))


def both(fmr: list[float], fnmr: list[float]) -> Cells:
    one, other = cells(fmr), cells(fnmr, [100.0] * len(fnmr))
    return join(one, other, np.diag(np.concatenate([np.diag(one.covariance), np.diag(other.covariance)])))


def test_the_table_has_the_ids_of_the_contract() -> None:
    contract = "max/min, max/mean, max/geomean, mean_abs_log10, gini, garbe, fdr, ir, werm, ser, std"
    assert list(MEASURES) == contract.split(", ")
    assert all(measure.formula and measure.source for measure in MEASURES.values())


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        # Rates .001, .002, .004 of 10,000: geomean .002, mean .007/3.
        ("max/min", 4.0),
        ("max/mean", 4 / (7 / 3)),
        ("max/geomean", 2.0),
        ("mean_abs_log10", 2 * math.log10(2) / 3),
        # Pairs differ by 1, 3, 2: 2 * 6 / (2 * 9 * 7/3) * 3/2.
        ("gini", 12 / 42 * 1.5),
        ("ser", 4.0),
        # Deviations from 7/3: -4/3, -1/3, 5/3; squares sum to 42/9; over 2.
        ("std", 1e-3 * math.sqrt(42 / 18)),
    ],
)
def test_single_measures_by_hand(measure: str, value: float) -> None:
    found = evaluate(MEASURES[measure], cells([10, 20, 40]))
    assert found.value == pytest.approx(value, rel=1e-12)
    assert (found.worst, found.best, found.zero_adjusted, found.reason) == (2, 0, (), None)


@pytest.mark.parametrize(
    ("measure", "value", "fmr_part", "fnmr_part"),
    [
        # FMR .001, .004; FNMR .02, .02 * 9.
        ("garbe", 0.5 * 0.6 + 0.5 * 0.8, 0.6, 0.8),
        ("fdr", 1 - 0.5 * 0.003 - 0.5 * 0.16, 0.003, 0.16),
        ("ir", math.sqrt(4 * 9), 4, 9),
        ("werm", math.sqrt(2 * 3), 2, 3),
    ],
)
def test_composites_by_hand_with_their_parts(measure: str, value: float, fmr_part: float, fnmr_part: float) -> None:
    found = evaluate(MEASURES[measure], both([10, 40], [2, 18]))
    assert found.value == pytest.approx(value, rel=1e-12)
    assert found.components == pytest.approx({"FMR": fmr_part, "FNMR": fnmr_part}, rel=1e-12)
    assert (found.worst, found.best) == (None, None)


@pytest.mark.parametrize("measure", SINGLE, ids=lambda m: m.id)
def test_one_group_is_undefined(measure: Measure) -> None:
    found = evaluate(measure, cells([10]))
    assert found.value is None
    assert found.reason == "one group: there is nothing to compare"


@pytest.mark.parametrize("measure", COMPOSITE, ids=lambda m: m.id)
def test_one_group_is_undefined_for_composites(measure: Measure) -> None:
    assert evaluate(measure, both([10], [2])).value is None


def test_no_error_anywhere() -> None:
    """0/0 is undefined; no difference is none."""
    found = {m.id: evaluate(m, cells([0, 0, 0])).value for m in SINGLE}
    assert found == {
        "max/min": None,
        "max/mean": None,
        "max/geomean": None,
        "mean_abs_log10": None,
        "gini": 0.0,
        "ser": None,
        "std": 0.0,
    }
    joint = {m.id: evaluate(m, both([10, 40], [0, 0])) for m in COMPOSITE}
    assert {name: value.value for name, value in joint.items()} == {
        "garbe": pytest.approx(0.3),
        "fdr": pytest.approx(1 - 0.0015),
        "ir": None,
        "werm": None,
    }
    assert joint["werm"].components == {"FMR": pytest.approx(2.0), "FNMR": None}
    assert joint["werm"].reason == "no error in any group"


def test_a_zero_is_replaced_by_its_bound_where_logarithms_need_it_and_flagged() -> None:
    """Design effect 2, 10,000 trials: N0 = 5,000, bound 1 - .05^(1/5000) = 5.99e-4, below the smallest rate, 1e-3."""
    bound = 1 - 0.05 ** (1 / 5000)
    found = evaluate(MEASURES["max/min"], cells([0, 10, 40]))
    assert found.value == pytest.approx(0.004 / bound, rel=1e-9)
    assert (found.zero_adjusted, found.best, found.worst) == ((0,), 0, 2)
    # With 1,000 trials the bound exceeds the smallest rate, which then stands for it.
    few = evaluate(MEASURES["max/min"], cells([0, 10, 40], [1000.0, 10_000.0, 10_000.0]))
    assert few.value == pytest.approx(4.0, rel=1e-9)
    assert evaluate(MEASURES["gini"], cells([0, 10, 40])).zero_adjusted == ()


def test_inequity_rate_is_undefined_where_a_group_has_no_error() -> None:
    found = evaluate(MEASURES["ir"], both([0, 40], [2, 18]))
    assert found.value is None
    assert found.reason == "a group has no error: defined for rates above 0 only"


def test_measures_refuse_the_wrong_kind_of_rates() -> None:
    with pytest.raises(ValueError, match="FMR and FNMR"):
        evaluate(MEASURES["garbe"], cells([10, 20]))
    with pytest.raises(ValueError, match="one error rate"):
        evaluate(MEASURES["gini"], both([10, 20], [1, 2]))


@pytest.mark.parametrize("measure", list(MEASURES.values()), ids=lambda m: m.id)
@given(values=rates, seed=st.integers(0, 1000))
def test_order_of_groups_never_matters(measure: Measure, values: list[float], seed: int) -> None:
    x = np.array(values)
    shuffled = x[np.random.default_rng(seed).permutation(x.size)]
    one, other = (np.concatenate([v, v]) if measure.composite else v for v in (x, shuffled))
    assert measure(other, other) == pytest.approx(float(measure(one, one)), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("measure", [m for m in MEASURES.values() if m.scale_free], ids=lambda m: m.id)
@given(values=rates, factor=st.floats(1e-3, 1e3))
def test_scale_never_matters(measure: Measure, values: list[float], factor: float) -> None:
    x = np.array(values)
    x = np.concatenate([x, x]) if measure.composite else x
    assert measure(factor * x, factor * x) == pytest.approx(float(measure(x, x)), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("measure", list(MEASURES.values()), ids=lambda m: m.id)
@given(rate=st.floats(1e-9, 1), k=st.integers(2, 9))
def test_equal_rates_give_the_value_of_equality(measure: Measure, rate: float, k: int) -> None:
    x = np.full(2 * k if measure.composite else k, rate)
    assert measure(x, x) == pytest.approx(measure.equal, abs=1e-9)


@pytest.mark.parametrize("measure", list(MEASURES.values()), ids=lambda m: m.id)
@given(values=rates)
def test_nothing_is_further_on_the_good_side_than_equality(measure: Measure, values: list[float]) -> None:
    x = np.array(values)
    x = np.concatenate([x, x]) if measure.composite else x
    value = float(measure(x, x))
    assert value <= 1 + 1e-9 if measure.scale == "score" else value >= measure.equal - 1e-9


@given(st.floats(1e-4, 0.5), st.floats(1e-4, 0.5), st.integers(1, 3))
def test_splitting_every_group_into_equal_parts_leaves_scale_free_extremes(a: float, b: float, parts: int) -> None:
    """Merging equal groups: the rates of copies are those of the whole."""
    assume(a != b)
    once, more = np.array([a, b]), np.repeat([a, b], parts)
    for name in ("max/min", "max/mean", "max/geomean", "mean_abs_log10", "ser"):
        assert MEASURES[name](more, more) == pytest.approx(float(MEASURES[name](once, once)), rel=1e-9)


@given(
    st.lists(st.integers(0, 50), min_size=2, max_size=6),
    st.lists(st.integers(60, 10_000), min_size=6, max_size=6),
    st.sampled_from([m.id for m in MEASURES.values()]),
)
def test_never_infinite_never_below_equality_whatever_is_zero(errors: list[int], totals: list[int], name: str) -> None:
    m = [float(x) for x in totals[: len(errors)]]
    measure = MEASURES[name]
    one = cells([float(x) for x in errors], m)
    joint = join(one, one, np.kron(np.eye(2), one.covariance))
    found = evaluate(measure, joint if measure.composite else one)
    if found.value is None:
        assert found.reason
    else:
        assert math.isfinite(found.value)
        assert measure.scale == "score" or found.value >= measure.equal - 1e-12


@pytest.mark.parametrize("measure", [m for m in MEASURES.values() if m.scale_free], ids=lambda m: m.id)
@given(rho=st.floats(1.01, 50))
def test_margins_are_values_of_two_groups_at_that_ratio(measure: Measure, rho: float) -> None:
    """For ratios the margin is rho itself; other measures take the value that two groups at rho have."""
    margin = measure.margin((rho, rho))
    assert margin is not None
    if measure.scale == "ratio":
        assert margin == pytest.approx(rho)
    else:
        x = np.array([1e-3, rho * 1e-3] * (2 if measure.composite else 1))
        assert measure(x, x) == pytest.approx(margin, rel=1e-9)


def test_differences_have_no_ratio_for_a_margin() -> None:
    assert MEASURES["fdr"].margin((2.0, 1.25)) is None
    assert MEASURES["std"].margin((2.0,)) is None
    assert MEASURES["ir"].margin((2.0, 1.25)) == pytest.approx(math.sqrt(2.5))
