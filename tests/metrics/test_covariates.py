"""Smooth curves against weighted least squares, double loops over pairs, and simulation with subject effects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from audit.compare import by_subject
from audit.compare.by_subject import PairErrors, SubjectScores
from audit.compare.pairs import ListedPairs
from audit.domain import Subject
from audit.metrics import covariates
from audit.metrics.covariates import Curve


def kernel(values: np.ndarray, x: float, h: float) -> np.ndarray:
    return np.clip(1 - ((values - x) / h) ** 2, 0, None)


def collected(
    i: np.ndarray, j: np.ndarray, scores: np.ndarray, people: int, thresholds: list[float], bins: np.ndarray
) -> tuple[PairErrors, SubjectScores, ListedPairs]:
    atom_of = np.zeros(people, dtype=np.int64)
    pairs = ListedPairs(i, j, scores, atom_of, 1)
    allowed = np.ones((1, 1), dtype=bool)
    table, sums = by_subject.collect(pairs, np.array(thresholds), atom_of, allowed, pairs.scores().grid, [bins])
    return table, sums[0], pairs


def test_numbers_are_single_and_finite() -> None:
    carried = [("31",), ("45.5",), (), ("30", "31"), ("unknown",), ("inf",)]
    found = covariates.numbers([Subject(str(k), {"age": own}) for k, own in enumerate(carried)], "age")
    assert found[:2].tolist() == [31, 45.5]
    assert np.isnan(found[2:]).all()


def test_the_curve_is_weighted_least_squares() -> None:
    """Witness: numpy's polynomial fit of e/c with weights sqrt(kernel c)."""
    rng = np.random.default_rng(1)
    x, c = rng.uniform(20, 70, 200), rng.integers(1, 9, 200)
    e = rng.binomial(c, 0.2 + (x - 20) / 200)
    curve = covariates.mated_curve("age", x, e, c, level=0.95, point="p")
    assert len(curve.x) > 25
    assert curve.bandwidth == pytest.approx(covariates.bandwidth(x))
    for at, value in zip(curve.x, curve.value, strict=True):
        weight = np.sqrt(kernel(x, at, curve.bandwidth) * c)
        assert value == pytest.approx(np.polyfit(x - at, e / c, 1, w=weight)[1])


def test_a_straight_line_is_found_exactly_with_a_band_of_no_width() -> None:
    x = np.linspace(20, 70, 100)
    c = np.full(100, 4)
    curve = covariates.mated_curve("age", x, (3 + 0.02 * x) * c, c, level=0.95, point=None)
    assert curve.quantity == "mated score"
    assert curve.value == pytest.approx([3 + 0.02 * at for at in curve.x])
    assert np.array(curve.high) - np.array(curve.low) == pytest.approx(0, abs=1e-9)


def test_a_covariate_without_influence_gives_the_pooled_rate_around() -> None:
    x = np.repeat([20.0, 30.0, 40.0], 40)
    curve = covariates.mated_curve("age", x, np.ones(120), np.full(120, 4), level=0.95, point="p")
    assert curve.value == pytest.approx([0.25] * len(curve.x))


def test_variance_of_the_false_match_rate_against_a_double_loop() -> None:
    """Band width from u_ij summed over all pairs of pairs that share a subject."""
    rng = np.random.default_rng(2)
    n = 40
    x = rng.uniform(0, 1, n)
    i, j = np.triu_indices(n, 1)
    i, j = np.r_[i, i[::3]], np.r_[j, j[::3]]
    scores = rng.normal(size=len(i)) + x[i] + x[j]
    table, _, _ = collected(i, j, scores, n, [1.5], np.zeros(n, dtype=np.int64))
    curve = covariates.nonmated_rate_curve("age", x, table, 0, level=0.95, point="p")
    e, c = np.zeros((n, n)), np.zeros((n, n))
    for p, q, s in zip(i, j, scores, strict=True):
        for a, b in ((p, q), (q, p)):
            c[a, b] += 1
            e[a, b] += s >= 1.5
    k = len(curve.x) // 2
    at = curve.x[k]
    w = kernel(x, at, curve.bandwidth)
    design = np.c_[np.ones(n), x - at]
    gram = design.T @ (design * (w * c.sum(axis=1))[:, None])
    beta = np.linalg.solve(gram, design.T @ (w * e.sum(axis=1)))
    assert curve.value[k] == pytest.approx(beta[0])
    weight = (np.linalg.inv(gram) @ (design * w[:, None]).T)[0]  # scaled so that sum l c = 1
    fitted = design @ beta
    u = {
        (a, b): weight[a] * (e[a, b] - fitted[a] * c[a, b]) + weight[b] * (e[a, b] - fitted[b] * c[a, b])
        for a in range(n)
        for b in range(a + 1, n)
    }
    variance = sum(one * other for p, one in u.items() for q, other in u.items() if set(p) & set(q))
    people = w.sum() ** 2 / (w**2).sum()
    assert curve.people[k] == pytest.approx(people)
    variance *= people / (people - 4)
    size = beta[0] * (1 - beta[0]) / variance
    centre = (beta[0] + 1.959964**2 / 2 / size) / (1 + 1.959964**2 / size)
    assert (curve.low[k] + curve.high[k]) / 2 == pytest.approx(centre, rel=1e-5)


def test_mean_non_mated_scores_are_those_of_the_comparisons() -> None:
    rng = np.random.default_rng(3)
    n = 60
    x = rng.uniform(0, 1, n)
    i, j = np.triu_indices(n, 1)
    scores = rng.normal(size=len(i))
    _, sums, pairs = collected(i, j, scores, n, [], covariates.bins(x))
    curve = covariates.nonmated_score_curve("age", x, sums, level=0.95)
    total = np.zeros(n)
    np.add.at(total, i, scores)
    np.add.at(total, j, scores)
    for at, value in zip(curve.x, curve.value, strict=True):
        fit = np.polyfit(x - at, total / (n - 1), 1, w=np.sqrt(kernel(x, at, curve.bandwidth)))
        assert value == pytest.approx(fit[1], abs=0.51 / pairs.scores().grid.scale)


def test_people_without_a_number_stay_counterparts_and_are_counted() -> None:
    rng = np.random.default_rng(4)
    n = 80
    x = rng.uniform(0, 1, n)
    x[:20] = np.nan
    i, j = np.triu_indices(n, 1)
    scores = rng.normal(size=len(i)) + 3.0 * (i < 20)
    table, sums, _ = collected(i, j, scores, n, [2.0], covariates.bins(x))
    curve = covariates.nonmated_rate_curve("age", x, table, 0, level=0.95, point="p")
    assert (curve.subjects, curve.missing) == (60, 20)
    assert np.mean(curve.value) > 0.2  # false matches are with the twenty
    assert np.mean(covariates.nonmated_score_curve("age", x, sums, level=0.95).value) == pytest.approx(0.76, abs=0.1)


def test_where_no_curve_can_be_drawn_the_reason_is_said() -> None:
    few = covariates.mated_curve("age", np.arange(29.0), np.zeros(29), np.ones(29, dtype=int), level=0.95, point="p")
    assert few.x == ()
    assert "29 people" in few.reason
    same = covariates.mated_curve("age", np.full(50, 3.0), np.zeros(50), np.ones(50, dtype=int), level=0.95, point="p")
    assert "same number" in same.reason
    none = covariates.mated_curve("age", np.arange(50.0), np.zeros(50), np.zeros(50, dtype=int), level=0.95, point="p")
    assert "0 people" in none.reason


def test_no_error_is_a_rate_of_zero_with_an_upper_bound_and_rates_stay_rates() -> None:
    x = np.linspace(0, 1, 80)
    curve = covariates.mated_curve("age", x, np.zeros(80), np.full(80, 2), level=0.95, point="p")
    assert set(curve.value) == {0.0}
    assert min(curve.high) > 0.02
    steep = covariates.mated_curve("age", x, np.where(x > 0.7, 2, 0), np.full(80, 2), level=0.95, point="p")
    assert min(steep.value) >= 0
    assert max(steep.value) <= 1
    assert all(low <= value <= high for low, value, high in zip(steep.low, steep.value, steep.high, strict=True))


def covered(curve: Curve, truth) -> list[bool]:
    picked = np.linspace(0, len(curve.x) - 1, 5).astype(int)  # both ends among them
    return [bool(curve.low[k] <= truth(curve.x[k]) <= curve.high[k]) for k in picked]


REPLICATES = pytest.mark.parametrize("replicates", [120, pytest.param(1500, marks=pytest.mark.coverage_mc)])


@REPLICATES
def test_bands_cover_the_true_curves(replicates: int) -> None:
    """150 people with subject effects; truth bends. At each of five points, ends included, 90 to 98.5 % are held."""
    rng = np.random.default_rng(5)
    n, effect, images = 150, 0.4, 4
    i, j = np.triu_indices(n, 1)
    own = np.repeat(np.arange(n), images)

    def mean(x: np.ndarray) -> np.ndarray:
        return 0.8 * (np.asarray(x) - 0.5) ** 2

    everywhere = np.linspace(0, 1, 401)
    others = mean(everywhere).mean()

    def fmr(x: float) -> float:
        return float(norm.sf((1.5 - mean(x) - mean(everywhere)) / np.sqrt(1 + 2 * effect**2)).mean())

    truths = {
        "FMR": fmr,
        "FNMR": lambda x: float(norm.cdf((1.0 - 2 - mean(x)) / np.sqrt(1 + effect**2))),
        "mated score": lambda x: float(2 + mean(x)),
        "non-mated score": lambda x: float(mean(x) + others),
    }
    held: dict[str, list[list[bool]]] = {name: [] for name in truths}
    for _ in range(replicates):
        x, a = rng.uniform(0, 1, n), rng.normal(0, effect, n)
        non = rng.normal(size=len(i)) + mean(x[i]) + mean(x[j]) + a[i] + a[j]
        yes = 2 + rng.normal(size=len(own)) + mean(x[own]) + a[own]
        table, sums, _ = collected(np.r_[i, own], np.r_[j, own], np.r_[non, yes], n, [1.5], covariates.bins(x))
        wrong = np.bincount(own[yes < 1.0], minlength=n)
        for curve in (
            covariates.nonmated_rate_curve("age", x, table, 0, level=0.95, point="p"),
            covariates.mated_curve("age", x, wrong, np.full(n, images), level=0.95, point="p"),
            covariates.mated_curve("age", x, np.bincount(own, yes, n), np.full(n, images), level=0.95, point=None),
            covariates.nonmated_score_curve("age", x, sums, level=0.95),
        ):
            held[curve.quantity].append(covered(curve, truths[curve.quantity]))
    noise = 3 * np.sqrt(0.95 * 0.05 / replicates)
    for name, rows in held.items():
        share = np.mean(rows, axis=0)
        assert share.min() >= 0.90 - noise, (name, share)
        assert share.mean() <= 0.985 + noise / np.sqrt(5), (name, share)
