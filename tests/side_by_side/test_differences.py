"""Differences of two records: against a bootstrap of people, in simulation, and by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t
from two_models import IMAGES, Model, difference, draw, measure, pair

from audit.side_by_side.differences import judged

THRESHOLDS = (0.35, 0.37)


def both(people: int, seed: int, root: Path) -> tuple[Model, Model]:
    one, two, owner = draw(people, np.random.default_rng(seed))
    return measure(one, owner, THRESHOLDS[0], root), measure(two, owner, THRESHOLDS[1], root)


def width(found: object) -> float:
    return math.log(found.ratio_interval.high / found.ratio_interval.low)


@pytest.mark.parametrize("metric", ["FMR", "FNMR"])
def test_the_paired_interval_agrees_with_a_bootstrap_of_people(metric: str, tmp_path: Path) -> None:
    """People are drawn with replacement, both models measured on the same draw; standard errors agree within 10 %.

    A pair of people drawn w_i and w_j times counts w_i w_j times, which has variance 3: what single pairs add counts
    three times in the bootstrap, and two thirds of it are taken away before comparing.
    """
    models = both(120, 5, tmp_path)
    n, draws, rng = 120, 1500, np.random.default_rng(8)
    errors = []
    for model, threshold in zip(models, THRESHOLDS, strict=True):
        vectors = model.templates.astype(np.float64)
        hit = (vectors @ vectors.T >= threshold).reshape(n, IMAGES, n, IMAGES)
        by_pair = hit.sum(axis=(1, 3)).astype(np.float64)
        if metric == "FMR":
            np.fill_diagonal(by_pair, 0)
            errors.append(by_pair)
        else:
            errors.append(np.array([float(not hit[k, 0, k, 1]) for k in range(n)]))
    off = IMAGES**2 * (1 - np.eye(n))
    logs = []
    for _ in range(draws):
        w = rng.multinomial(n, np.full(n, 1 / n)).astype(np.float64)
        if metric == "FMR":
            a, b = (w @ e @ w / (w @ off @ w) for e in errors)
        else:
            a, b = (w @ e / w.sum() for e in errors)
        logs.append(math.log(b / a))
    found = difference(*models, metric)
    error = width(found) / (2 * t.ppf(0.975, n - 1)) * math.sqrt((n - 4) / n if metric == "FMR" else (n - 1) / n)
    single = pair(*models).log_floor(*(m.rate(metric) for m in models))
    assert error == pytest.approx(math.sqrt(np.var(logs) - 2 * single), rel=0.1)
    alone = difference(*models, metric, pair(None, None, disjoint=True))
    assert width(found) < 0.95 * width(alone)  # the same people: pairing pays


REPLICATES = pytest.mark.parametrize("replicates", [150, pytest.param(2000, marks=pytest.mark.coverage_mc)])


def true_log_ratios(root: Path) -> dict[str, float]:
    """FMR from 1,500 people (a million pairs), FNMR from the mated comparisons of 60,000."""
    fmr = [m.rate("FMR").value for m in both(1500, 99, root)]
    one, two, _ = draw(60_000, np.random.default_rng(98))
    fnmr = [
        float((np.einsum("ij,ij->i", v[::IMAGES], v[1::IMAGES]) < threshold).mean())
        for v, threshold in zip((one, two), THRESHOLDS, strict=True)
    ]
    return {"FMR": math.log(fmr[1] / fmr[0]), "FNMR": math.log(fnmr[1] / fnmr[0])}


@REPLICATES
def test_paired_intervals_cover(replicates: int, tmp_path: Path) -> None:
    """100 people a time: nominal 95 % intervals hold the log ratio of a large population 90-98.5 % of the time."""
    truth = true_log_ratios(tmp_path)
    held = dict.fromkeys(truth, 0)
    for seed in range(replicates):
        models = both(100, 1000 + seed, tmp_path)
        for metric, value in truth.items():
            interval = difference(*models, metric).ratio_interval
            held[metric] += math.log(interval.low) <= value <= math.log(interval.high)
    coverage = {metric: count / replicates for metric, count in held.items()}
    print(f"coverage of paired intervals over {replicates} sets of 100 people: {coverage}")
    slack = 0.0 if replicates > 1000 else 0.035
    assert all(0.90 - slack <= share <= 0.985 + slack for share in coverage.values()), coverage


def test_how_widens_the_interval_in_this_order(tmp_path: Path) -> None:
    models = both(60, 2, tmp_path)
    for metric in ("FMR", "FNMR"):
        paired, independent, bounded = (
            difference(*models, metric, between)
            for between in (None, pair(None, None, disjoint=True), pair(None, None))
        )
        assert [x.how for x in (paired, independent, bounded)] == ["paired", "independent", "bounded"]
        assert width(paired) < width(independent) < width(bounded)
        a, b = (m.rate(metric) for m in models)
        added = math.sqrt(a.variance) / a.value + math.sqrt(b.variance) / b.value
        assert width(bounded) == pytest.approx(2 * t.ppf(0.975, 59) * added, rel=1e-9)
        assert bounded.correlation is None
        d = [x.difference_interval.high - x.difference_interval.low for x in (paired, independent, bounded)]
        assert d[0] < d[1] < d[2]
        for x in (paired, independent, bounded):
            assert x.ratio == pytest.approx(b.value / a.value)
            assert x.difference_interval.low < x.difference == b.value - a.value < x.difference_interval.high


def test_a_model_against_itself_is_not_tested(tmp_path: Path) -> None:
    one, _ = both(60, 2, tmp_path)
    found = difference(one, one, "FMR")
    assert (found.ratio_interval, found.p, found.verdict) == (None, None, "cannot be told")
    assert "same errors" in found.reason


def test_no_errors_leave_no_ratio(tmp_path: Path) -> None:
    one, two, owner = draw(30, np.random.default_rng(1))
    none, some = measure(one, owner, 0.9999, tmp_path), measure(two, owner, 0.4, tmp_path)
    assert difference(none, none, "FMR").reason == "no error in either"
    from_zero = difference(none, some, "FMR")
    assert from_zero.ratio is None
    assert from_zero.ratio_interval.low < 1 < from_zero.ratio_interval.high
    assert "no error in the first" in from_zero.reason
    to_zero = difference(some, none, "FMR")
    assert to_zero.ratio == 0
    assert to_zero.ratio_interval.low == 0


def test_holm_is_over_the_family_and_decides_the_words(tmp_path: Path) -> None:
    models = both(60, 2, tmp_path)
    base = difference(*models, "FMR")
    rows = [base.model_copy(update={"p": p, "family": family}) for p, family in
            ((0.02, "x"), (0.03, "x"), (0.04, "y"), (None, "x"))]  # fmt: skip
    found = judged(rows, 0.05)
    assert [r.p_adjusted for r in found] == [0.04, 0.04, 0.04, None]
    assert [r.verdict for r in found] == ["differs"] * 3 + ["cannot be told"]
    more = judged([*rows, base.model_copy(update={"p": 0.9, "family": "x"})], 0.05)
    assert more[0].p_adjusted == pytest.approx(0.06)
    assert more[0].verdict == "no evidence that it differs"
