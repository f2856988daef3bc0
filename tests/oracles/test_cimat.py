"""Subject-clustered variances and Wilson intervals of awslabs/cis-matching-tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audit.stats.clustered import design_effect, joint_covariance, pair_covariance, subject_covariance
from audit.stats.intervals import clustered_interval, effective_size, wilson

pytestmark = pytest.mark.oracle
Ints = NDArray[np.int64]


class Counts:
    """Sums by subject pair at a threshold; cimat accepts on `score > t`, and no score ties with its thresholds."""

    def __init__(self, table: NDArray[np.float64], threshold: float) -> None:
        first, second = (table[:, :2].astype(np.int64)).T
        accepted = table[:, 2] > threshold
        mated = first == second
        n = int(table[:, :2].max()) + 1
        c, e = np.zeros((n, n)), np.zeros((n, n))
        low, high = np.minimum(first, second), np.maximum(first, second)
        np.add.at(c, (low[~mated], high[~mated]), 1)
        np.add.at(e, (low[~mated], high[~mated]), accepted[~mated])
        self.total, self.fmr = c.sum(), e.sum() / c.sum()
        y = e - self.fmr * c
        self.row_sums = (y.sum(axis=0) + y.sum(axis=1))[:, None]
        self.cross = np.array([[(y**2).sum()]])
        self.pairs_of = ((c + c.T).sum(axis=0) > 0).sum()
        self.mated_counts = np.bincount(first[mated], minlength=n).astype(np.float64)
        self.mated_errors = np.bincount(first[mated], weights=~accepted[mated], minlength=n)


@pytest.fixture(scope="module")
def expected(oracles: Path) -> dict[str, Any]:
    return dict(json.loads((oracles / "cimat" / "cimat_expected.json").read_text()))


@pytest.fixture(scope="module")
def table(oracles: Path) -> NDArray[np.float64]:
    return np.loadtxt(oracles / "cimat" / "pairs.csv", delimiter=",", skiprows=1)


@pytest.mark.parametrize("row", range(5))
def test_variances_and_intervals(table: NDArray[np.float64], expected: dict[str, Any], row: int) -> None:
    want = expected["rows"][row]
    counts = Counts(table, want["threshold"])
    m, n = counts.mated_counts.sum(), int((counts.mated_counts > 0).sum())
    fnmr = counts.mated_errors.sum() / m
    assert (counts.fmr, fnmr) == pytest.approx((want["fmr"], want["fnmr"]), rel=1e-14)
    pair = pair_covariance(
        counts.row_sums, counts.cross, [counts.total], [counts.fmr], [counts.pairs_of], small_sample=False
    )[0, 0]
    own = subject_covariance(counts.mated_errors[:, None], counts.mated_counts[:, None], small_sample=False)[0, 0]
    assert pair == pytest.approx(want["var_fmr"], rel=1e-9)
    assert own == pytest.approx(want["var_fnmr"], rel=1e-9)
    assert design_effect(pair, counts.fmr, counts.total) == pytest.approx(want["deff_fmr"], rel=1e-9)
    assert design_effect(own, fnmr, m) == pytest.approx(want["deff_fnmr"], rel=1e-9)
    for p, variance, floor, key in ((counts.fmr, pair, counts.pairs_of / 2, "fmr"), (fnmr, own, n, "fnmr")):
        # cimat knows no floor; at none of these thresholds does ours bind.
        assert effective_size(p, variance, floor) == effective_size(p, variance)
        interval = clustered_interval(p, variance, floor)
        np.testing.assert_allclose([interval.low, interval.high], want[f"ci_{key}"], rtol=0, atol=1e-12)


def test_joint_matrix_holds_both(table: NDArray[np.float64], expected: dict[str, Any]) -> None:
    """With the small-sample factors, 40/36 and 40/39, where no floor binds; cimat has the floor D/M^2 too."""
    want = expected["rows"][4]
    counts = Counts(table, want["threshold"])
    m = counts.mated_counts.sum()
    fnmr = counts.mated_errors.sum() / m
    residuals = (counts.mated_errors - fnmr * counts.mated_counts)[:, None]
    subjects = [counts.pairs_of, int((counts.mated_counts > 0).sum())]
    sigma = joint_covariance(counts.row_sums, counts.cross, residuals, [counts.total, m], [counts.fmr, fnmr], subjects)
    np.testing.assert_allclose(
        np.diag(sigma), [want["var_fmr"] * 40 / 36, want["var_fnmr"] * subjects[1] / (subjects[1] - 1)], rtol=1e-9
    )
    covariance = (counts.row_sums[:, 0] @ residuals[:, 0]) / counts.total / m
    assert sigma[0, 1] == pytest.approx(covariance * np.sqrt(40 / 36 * subjects[1] / (subjects[1] - 1)), rel=1e-9)


def test_wilson(expected: dict[str, Any]) -> None:
    """Arguments are errors, trials, variance, alpha; without a variance inside (0, 1) the authors take the trials.

    With exactly one error the authors replace the lower bound by `-ln(1 - alpha) / trials`, which knows no clusters; we
    keep Wilson's there, and that bound alone is compared with the authors' formula instead of with ours.
    """
    compared = 0
    for row in expected["wilson_rows"]:
        errors, trials, variance, alpha = row["args"]
        p = errors / trials
        bounds = list(wilson(p, effective_size(p, variance, floor=0.0 if 0 < p < 1 else trials), 1 - alpha))
        if errors == 1:
            assert bounds[0] < row["authors"][0]
            bounds[0] = -np.log(1 - alpha) / trials
        np.testing.assert_allclose(bounds, row["authors"], rtol=0, atol=1e-12)
        compared += 1
    assert compared == 5
