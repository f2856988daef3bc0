"""Counts by pair of subjects against a double loop, for listed and for all pairs, with and without a policy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from audit.compare import by_subject
from audit.compare.all_pairs import AllPairs
from audit.compare.pairs import ListedPairs


@pytest.fixture(params=["all", "all, in small tiles", "listed"])
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """(comparisons, every comparison as (subject, subject, score), atom_of)."""
    rng = np.random.default_rng(3)
    owner = np.repeat(np.arange(9), rng.integers(1, 4, 9))
    atom_of = rng.integers(0, 3, 9)
    vectors = rng.normal(size=(len(owner), 6)).astype(np.float32)
    if request.param != "all":
        monkeypatch.setattr("audit.compare.blocks.BLOCK", 5)
    pairs = AllPairs(vectors, owner, atom_of, 3, "cosine")
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    every = [(owner[a], owner[b], float(unit[a] @ unit[b])) for a, b in itertools.combinations(range(len(owner)), 2)]
    if request.param == "listed":
        every = every[::2]
        p, q, s = (np.array(column) for column in zip(*every, strict=True))
        return ListedPairs(p, q, s, atom_of, 3), every, atom_of
    return pairs, every, atom_of


ALLOWED = [np.ones((3, 3), dtype=bool), np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0]], dtype=bool)]


@pytest.mark.parametrize("allowed", ALLOWED, ids=["anybody", "policy"])
def test_pairs_against_a_double_loop(case, allowed: np.ndarray) -> None:
    comparisons, every, atom_of = case
    thresholds = np.array([-0.2, 0.3])
    table, _ = by_subject.collect(comparisons, thresholds, atom_of, allowed, comparisons.scores().grid, [])
    errors, trials = np.zeros((2, 9, 9)), np.zeros((9, 9))
    for i, j, s in every:
        if i != j and allowed[atom_of[i], atom_of[j]]:
            for a, b in ((i, j), (j, i)):
                trials[a, b] += 1
                errors[:, a, b] += s >= thresholds
    vector = np.random.default_rng(1).normal(size=9)
    label = np.random.default_rng(2).integers(0, 4, 9)
    one = np.eye(4)[label]
    for t in (0, 1):
        assert table.errors_times(t, vector) == pytest.approx(errors[t] @ vector)
        assert table.errors_between(t, label, 4) == pytest.approx(one.T @ errors[t] @ one)
    for power in (1, 2):
        assert table.trials_times(vector, power) == pytest.approx(trials**power @ vector)
    assert table.trials_between(label, 4) == pytest.approx(one.T @ trials @ one)


@pytest.mark.parametrize("allowed", ALLOWED, ids=["anybody", "policy"])
def test_sums_of_scores_are_right_within_half_a_bin(case, allowed: np.ndarray) -> None:
    comparisons, every, atom_of = case
    bins = np.arange(9) % 4
    grid = comparisons.scores().grid
    _, (found,) = by_subject.collect(comparisons, np.zeros(0), atom_of, allowed, grid, [bins])
    mated, non = np.zeros(9), np.zeros((9, 4))
    for i, j, s in every:
        if i == j:
            mated[i] += s
        elif allowed[atom_of[i], atom_of[j]]:
            non[i, bins[j]] += s
            non[j, bins[i]] += s
    half = 0.51 / grid.scale
    assert np.all(np.abs(found.scores(found.mated, found.mated_count) - mated) <= half * found.mated_count + 1e-6)
    assert np.all(
        np.abs(found.scores(found.nonmated, found.nonmated_count) - non) <= half * found.nonmated_count + 1e-6
    )


def test_a_table_that_would_be_too_large_is_not_made(case, monkeypatch: pytest.MonkeyPatch) -> None:
    comparisons, _, atom_of = case
    monkeypatch.setattr(by_subject, "MOST_ROWS", 3)
    table, sums = by_subject.collect(
        comparisons, np.array([-1.0]), atom_of, ALLOWED[0], comparisons.scores().grid, [np.zeros(9, dtype=np.int64)]
    )
    assert table is None
    assert sums[0].mated_count.sum() > 0
