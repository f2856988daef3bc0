"""Tiles and kernel against sorting, and both against a double loop: the same integers."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.compare import blocks, halves
from audit.compare.all_pairs import AllPairs
from audit.compare.counts import EXACT_ROWS, Grid, OperatingCounts, ScoreCounts, pair_cells
from audit.compare.pairs import ListedPairs
from audit.errors import DataError


def case(seed: int, subjects: int, atoms: int, levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Templates on a coarse lattice (many ties and duplicates), some subjects without a sample."""
    rng = np.random.default_rng(seed)
    atom_of = rng.integers(0, atoms, subjects)
    subject = rng.integers(0, subjects, rng.integers(0, 4 * subjects))
    vectors = rng.integers(0, levels, (len(subject), 3)).astype(np.float32) + 1
    return vectors, subject, atom_of


def naive(vectors: np.ndarray, subject: np.ndarray, similarity: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A double loop over samples."""
    probe, reference, scores = [], [], []
    v = vectors.astype(np.float64)
    for r in range(len(v)):
        for c in range(r + 1, len(v)):
            score = -np.sqrt(((v[r] - v[c]) ** 2).sum()) if similarity == "euclidean" else v[r] @ v[c]
            probe.append(subject[r])
            reference.append(subject[c])
            scores.append(np.float32(score))
    return np.array(probe, dtype=np.int64), np.array(reference, dtype=np.int64), np.array(scores, dtype=np.float64)


def same(left: OperatingCounts, right: OperatingCounts) -> None:
    for field in fields(left):
        np.testing.assert_array_equal(getattr(left, field.name), getattr(right, field.name), err_msg=field.name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    subjects=st.integers(1, 9),
    atoms=st.integers(1, 4),
    levels=st.integers(1, 4),
    similarity=st.sampled_from(["dot", "euclidean"]),
    block=st.sampled_from([2, 5, 1024]),
)
def test_tiles_equal_listed_pairs(
    monkeypatch: pytest.MonkeyPatch, seed: int, subjects: int, atoms: int, levels: int, similarity: str, block: int
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", block)
    vectors, subject, atom_of = case(seed, subjects, atoms, levels)
    probe, reference, scores = naive(vectors, subject, similarity)
    tiles = AllPairs(vectors, subject, atom_of, atoms, similarity)
    listed = ListedPairs(probe, reference, scores, atom_of, atoms)
    assert_scores_equal(tiles.scores(), listed.scores())
    thresholds = np.unique(scores)[:: max(1, len(scores) // 5)] if len(scores) else np.array([0.5])
    half = halves(atom_of, 3, np.random.default_rng(seed))
    same(tiles.at(thresholds, half, 3), listed.at(thresholds, half, 3))


def assert_scores_equal(left: ScoreCounts, right: ScoreCounts) -> None:
    np.testing.assert_array_equal(left.cell, right.cell)
    np.testing.assert_array_equal(left.score, right.score)
    np.testing.assert_array_equal(left.count, right.count)


def test_listed_pairs_equal_a_hand_count() -> None:
    """Three people: A and B in atom 0, C in atom 1; two samples each of A and B, one of C."""
    probe = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1])
    reference = np.array([0, 1, 1, 1, 1, 1, 2, 2, 2, 2])
    scores = np.array([0.9, 0.3, 0.5, 0.6, 0.1, 0.2, 0.6, 0.0, 0.4, 0.7])
    counts = ListedPairs(probe, reference, scores, np.array([0, 0, 1]), 2).at(np.array([0.5]), np.zeros(3, np.int64), 1)
    assert counts.errors[0].tolist() == [[2, 1], [2, 1], [2, 0]]
    assert counts.comparisons.tolist() == [[4, 2], [4, 2], [4, 0]]
    assert counts.see[0].tolist() == [4, 2, 0]
    assert counts.sec[0].tolist() == [8, 4, 0]
    assert counts.scc.tolist() == [16, 8, 0]
    assert counts.mated_errors[0].tolist() == [0, 1, 0]
    assert counts.mated.tolist() == [1, 1, 0]
    assert counts.half_errors[0, 0].tolist() == [[2, 2, 0], [0, 0, 0]]
    assert counts.half_comparisons[0].tolist() == [[4, 4, 0], [0, 0, 0]]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), parts=st.integers(1, 5))
def test_score_counts_are_a_monoid(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    grid, atoms = Grid(-1.0, 1.0), 2
    cell = rng.integers(0, pair_cells(atoms) + atoms, 60)
    score = np.round(rng.uniform(-1.1, 1.1, 60), 1)
    whole = ScoreCounts.empty(atoms, grid).add(cell, score)
    pieces = [ScoreCounts.empty(atoms, grid).add(cell[k::parts], score[k::parts]) for k in rng.permutation(parts)]
    merged = ScoreCounts.empty(atoms, grid)
    for piece in pieces:
        merged = piece.merge(merged)
    assert_scores_equal(whole, merged)
    np.testing.assert_array_equal(whole.histogram, merged.histogram)


def test_rows_are_dropped_beyond_the_limit_and_kept_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EXACT_ROWS == 2**20
    monkeypatch.setattr("audit.compare.counts.EXACT_ROWS", 50)
    rng = np.random.default_rng(0)
    vectors, subject = rng.normal(size=(40, 8)).astype(np.float32), np.arange(40) // 2
    tiles = AllPairs(vectors, subject, np.zeros(20, dtype=np.int64), 1, "cosine")
    coarse = tiles.scores()
    assert not coarse.exact
    assert len(coarse.score) == 0
    assert coarse.histogram.sum() == 40 * 39 // 2
    cell = coarse.chosen(np.ones((1, 1), dtype=bool), mated=False)
    kept = np.zeros(coarse.kept.shape, dtype=bool)
    window = int(np.flatnonzero(coarse.histogram[0])[-1])
    kept[:, window] = True
    fine = tiles.scores(kept)
    scores, counts = fine.distribution(cell)
    assert counts.sum() == coarse.total(cell)
    true = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)) @ (
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ).T
    best = max(true[r, c] for r in range(40) for c in range(40) if subject[r] != subject[c])
    assert scores[-1] == pytest.approx(best, abs=1e-6)


def test_bad_templates_are_refused_in_one_line() -> None:
    zero = np.zeros((2, 3), dtype=np.float32)
    with pytest.raises(DataError, match="zero vector"):
        AllPairs(zero, np.arange(2), np.zeros(2, dtype=np.int64), 1, "cosine")
    with pytest.raises(DataError, match="not finite"):
        AllPairs(zero * np.nan, np.arange(2), np.zeros(2, dtype=np.int64), 1, "euclidean")


def test_near_duplicates_have_an_exact_distance() -> None:
    base = np.random.default_rng(1).normal(size=(1, 128)).astype(np.float32)
    twin = base.copy()
    twin[0, 0] += 1e-3
    tiles = AllPairs(np.vstack([base, twin, base]), np.arange(3), np.zeros(3, dtype=np.int64), 1, "euclidean")
    expected = -abs(float(twin[0, 0]) - float(base[0, 0]))
    assert tiles.scores().score.tolist() == pytest.approx([expected, 0.0], rel=1e-6)


def test_halves_are_halves_of_every_atom() -> None:
    atom_of = np.repeat([0, 1, 2], [10, 5, 1])
    half = halves(atom_of, 20, np.random.default_rng(3))
    for split in range(20):
        side = (half >> split) & 1
        assert side[:10].sum() == 5
        assert side[10:15].sum() in (2, 3)
    np.testing.assert_array_equal(half, halves(atom_of, 20, np.random.default_rng(3)))
