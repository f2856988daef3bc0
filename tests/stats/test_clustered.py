"""The covariance against sums over pairs of pairs, written out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audit.stats.clustered import (
    design_effect,
    joint_covariance,
    pair_covariance,
    subject_covariance,
    without_negative_eigenvalues,
)

Floats = NDArray[np.float64]


class Cells:
    """Random subject pairs in K cells that may overlap, and mated trials in the same groups."""

    def __init__(self, seed: int, n: int = 14, k: int = 3) -> None:
        rng = np.random.default_rng(seed)
        self.n, self.k = n, k
        member = rng.random((n, k)) < 0.7
        member[:, 0] = True
        effect = rng.normal(0, 0.8, n)
        self.pairs = list(combinations(range(n), 2))
        self.e, self.c = np.zeros((len(self.pairs), k)), np.zeros((len(self.pairs), k))
        for row, (i, j) in enumerate(self.pairs):
            count = rng.integers(1, 5)
            errors = rng.binomial(count, 1 / (1 + np.exp(1 - effect[i] - effect[j])))
            inside = member[i] & member[j]
            self.e[row, inside], self.c[row, inside] = errors, count
        self.m = self.c.sum(axis=0)
        self.p = self.e.sum(axis=0) / self.m
        self.y = self.e - self.p * self.c
        self.contributors = np.array(
            [len({s for row, pair in enumerate(self.pairs) if self.c[row, g] for s in pair}) for g in range(k)]
        )
        self.row_sums = np.zeros((n, k))
        for row, (i, j) in enumerate(self.pairs):
            self.row_sums[i] += self.y[row]
            self.row_sums[j] += self.y[row]
        self.mated = rng.integers(0, 4, n)[:, None] * member
        self.misses = rng.binomial(self.mated, 0.3)

    def sum_over_pairs_that_share_a_subject(self) -> Floats:
        v = np.zeros((self.k, self.k))
        for a, one in enumerate(self.pairs):
            for b, other in enumerate(self.pairs):
                if set(one) & set(other):
                    v += np.outer(self.y[a], self.y[b])
        return v


@pytest.mark.parametrize("seed", range(4))
def test_matches_the_sum_over_dependent_pairs(seed: int) -> None:
    cells = Cells(seed)
    v = cells.sum_over_pairs_that_share_a_subject() / np.outer(cells.m, cells.m)
    d = (cells.y**2).sum(axis=0) / cells.m**2
    sigma = pair_covariance(
        cells.row_sums, cells.y.T @ cells.y, cells.m, cells.p, cells.contributors, small_sample=False
    )
    floor = np.maximum(d, cells.p * (1 - cells.p) / cells.m)
    np.testing.assert_allclose(np.diag(sigma), np.maximum(np.diag(v), floor), rtol=1e-12)
    raised = v.copy()
    np.fill_diagonal(raised, np.maximum(np.diag(v), floor))
    if np.linalg.eigvalsh(raised)[0] > 1e-12:
        np.testing.assert_allclose(sigma, raised, rtol=1e-9)


def test_disjoint_subjects_have_no_covariance() -> None:
    left, right = Cells(1, k=1), Cells(2, k=1)
    sums = np.zeros((28, 2))
    sums[:14, 0], sums[14:, 1] = left.row_sums[:, 0], right.row_sums[:, 0]
    cross = np.diag([(left.y**2).sum(), (right.y**2).sum()])
    totals = [left.m[0], right.m[0]]
    sigma = pair_covariance(sums, cross, totals, [left.p[0], right.p[0]], [14, 14])
    assert sigma[0, 1] == 0
    alone = pair_covariance(left.row_sums, cross[:1, :1], left.m, left.p, [14])
    assert sigma[0, 0] == pytest.approx(alone[0, 0], rel=1e-14)


def test_small_sample_factors() -> None:
    """With R'R far above the floors, V is multiplied by n/(n-4), and off the diagonal by the geometric mean."""
    rng = np.random.default_rng(5)
    rows = rng.normal(0, 10, (30, 2))
    rows[:, 1] += rows[:, 0]
    args = (rows, np.zeros((2, 2)), [1000, 1000], [0.1, 0.1])
    raw = pair_covariance(*args, [30, 12], small_sample=False)
    made = pair_covariance(*args, [30, 12])
    a, b = 30 / 26, 12 / 8
    np.testing.assert_allclose(made, raw * [[a, np.sqrt(a * b)], [np.sqrt(a * b), b]], rtol=1e-12)
    np.testing.assert_allclose(pair_covariance(*args, [4, 2]), raw, rtol=1e-12)


def test_mated_variance_by_hand() -> None:
    """Three subjects with 1/2, 0/2, 1/1 errors: p = .4, y = (.2, -.8, .6), sum y^2 = 1.04, times 3/2, over 25."""
    sigma = subject_covariance([[1], [0], [1]], [[2], [2], [1]])
    assert sigma[0, 0] == pytest.approx(1.04 * 1.5 / 25)
    assert subject_covariance([[1], [0], [1]], [[2], [2], [1]], small_sample=False)[0, 0] == pytest.approx(
        0.4 * 0.6 / 5
    )


def test_joint_matrix_appends_mated_columns() -> None:
    cells = Cells(7)
    totals = cells.mated.sum(axis=0)
    fnmr = cells.misses.sum(axis=0) / totals
    residuals = cells.misses - fnmr * cells.mated
    subjects = (cells.mated > 0).sum(axis=0)
    sigma = joint_covariance(
        cells.row_sums,
        cells.y.T @ cells.y,
        residuals,
        np.concatenate([cells.m, totals]),
        np.concatenate([cells.p, fnmr]),
        np.concatenate([cells.contributors, subjects]),
    )
    np.testing.assert_allclose(
        np.diag(sigma)[:3],
        np.diag(pair_covariance(cells.row_sums, cells.y.T @ cells.y, cells.m, cells.p, cells.contributors)),
        rtol=1e-12,
    )
    np.testing.assert_allclose(np.diag(sigma)[3:], np.diag(subject_covariance(cells.misses, cells.mated)), rtol=1e-12)
    assert np.linalg.eigvalsh(sigma)[0] > -1e-12 * sigma.max()


def test_cells_without_trials_are_not_numbers_and_leave_others_alone() -> None:
    cells = Cells(3, k=1)
    rows = np.hstack([cells.row_sums, np.zeros((14, 1))])
    cross = np.diag([(cells.y**2).sum(), 0.0])
    sigma = pair_covariance(rows, cross, [cells.m[0], 0], [cells.p[0], 0.0], [14, 0])
    assert np.isnan(sigma[1]).all()
    assert np.isnan(sigma[:, 1]).all()
    assert sigma[0, 0] > 0


def test_duplicating_every_trial_changes_no_clustered_interval() -> None:
    """Where the clustered variance is above the floor of independent trials, it depends on people, not on trials."""
    cells = Cells(4, k=1)
    v = cells.sum_over_pairs_that_share_a_subject()[0, 0] / cells.m[0] ** 2
    once = pair_covariance(cells.row_sums, cells.y.T @ cells.y, cells.m, cells.p, cells.contributors)
    twice = pair_covariance(2 * cells.row_sums, 4 * cells.y.T @ cells.y, 2 * cells.m, cells.p, cells.contributors)
    assert v > cells.p[0] * (1 - cells.p[0]) / cells.m[0]
    assert twice[0, 0] == pytest.approx(once[0, 0], rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_clipping_keeps_variances_and_leaves_no_negative_eigenvalue(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-6, 0, k)
    correlation = rng.uniform(-1.5, 1.5, (k, k))
    correlation = (correlation + correlation.T) / 2
    np.fill_diagonal(correlation, 1.0)
    sigma = correlation * np.outer(scale, scale)
    clipped = without_negative_eigenvalues(sigma)
    assert np.array_equal(np.diag(clipped), np.diag(sigma))
    assert np.array_equal(clipped, clipped.T)
    assert np.linalg.eigvalsh(clipped / np.outer(scale, scale))[0] > -1e-10


def test_clipping_leaves_a_covariance_alone() -> None:
    sigma = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(without_negative_eigenvalues(sigma), sigma, rtol=1e-15)
    assert not without_negative_eigenvalues(np.zeros((2, 2))).any()


def test_design_effect_is_undefined_at_the_ends() -> None:
    assert design_effect(0.002, 0.1, 450) == pytest.approx(10)
    assert design_effect(0.0, 0.0, 450) is None
    assert design_effect(0.0, 1.0, 450) is None


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shapes do not agree"):
        pair_covariance(np.zeros((3, 2)), np.zeros((2, 2)), [1], [0.1], [3])
