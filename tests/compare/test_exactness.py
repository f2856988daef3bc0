"""Thresholds and counts are exact whatever was held: beside all scores, sorted, with the pilot right or wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from simulated import people as people_of
from simulated import templates

from audit import groups
from audit.compare import counts as limits
from audit.compare import halves, tail, tiles
from audit.compare.all_pairs import AllPairs
from audit.compare.blocks import ArrayRows, rounded, stored
from audit.compare.pairs import ListedPairs
from audit.metrics import points, score_shift
from audit.metrics.thresholds import threshold_at_fmr

SIZES = {"a": 50, "b": 40, "c": 6}
TARGETS = (0.05, 0.01)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXACT_ROWS", 100)
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 32)


def case() -> tuple[np.ndarray, np.ndarray, groups.Grouping]:
    benchmark, subjects = people_of(SIZES)
    vectors, owner = templates(SIZES, {"b": 0.8}, 3, 4, 0.7)
    return vectors, owner, groups.make(benchmark, ("tone", "sex"), subjects)


def every(vectors: np.ndarray, owner: np.ndarray, grouping: groups.Grouping) -> tuple[AllPairs, ListedPairs]:
    """All pairs, and the very same scores listed."""
    pairs = AllPairs(vectors, owner, grouping.atom_of, grouping.atoms, "cosine")
    parts = list(AllPairs(vectors, owner, grouping.atom_of, grouping.atoms, "cosine").chunks())
    first, second, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    assert len(score) == len(owner) * (len(owner) - 1) // 2
    return pairs, ListedPairs(first, second, score, grouping.atom_of, grouping.atoms)


def assert_counts(one, two) -> None:
    for name in ("errors", "comparisons", "see", "sec", "scc", "mated_errors", "mated", "half_errors"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


@pytest.mark.parametrize("wrong", ["right", "nothing held", "no room", "far too little"])
def test_thresholds_are_the_smallest_observed_scores(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    if wrong == "no room":
        monkeypatch.setattr(tail, "MOST_HELD", 50)
    if wrong == "far too little":
        monkeypatch.setattr(tail, "MARGIN", 0.01)
        monkeypatch.setattr(tail, "PILOT", 40)
    vectors, owner, grouping = case()
    pairs, listed = every(vectors, owner, grouping)
    if wrong == "nothing held":
        pairs.scores()
    scores = points.exact_scores(pairs, grouping, TARGETS, (), score_shift.reach(grouping))
    assert not scores.exact
    found = points.operating_points(scores, grouping, TARGETS)
    one, two, values = (np.concatenate(column) for column in zip(*listed.chunks(), strict=True))
    for point in found:
        mask = grouping.within(grouping.index(point.group))[grouping.atom_of[one], grouping.atom_of[two]]
        inside = values[mask & (one != two)]
        ordered = np.sort(inside)[::-1]
        allowed = math.floor(point.target_fmr * len(ordered) + 1e-9)
        if allowed == 0:
            assert point.value is None
            continue
        observed = np.unique(ordered)
        above = len(ordered) - np.searchsorted(ordered[::-1], observed)
        best = observed[above <= allowed][0]
        assert point.value == best
        assert point.achieved_fmr == (ordered >= best).sum() / len(ordered)
    half = halves(grouping.atom_of, 4, np.random.default_rng(0))
    assert_counts(pairs.at(points.common(found), half, 4), listed.at(points.common(found), half, 4))
    (own, slots), (other, same_slots) = (points.own_counts(one, grouping, found) for one in (pairs, listed))
    assert slots == same_slots
    assert_counts(own, other)
    for point in found:
        if point.id in slots:
            alone = pairs.at(np.array([point.value]), half, 0, grouping.within(grouping.index(point.group))[None])
            inside = grouping.member[grouping.index(point.group), grouping.atom_of]
            mask = grouping.within(grouping.index(point.group))[grouping.atom_of]
            np.testing.assert_array_equal(np.where(mask, own.errors[slots[point.id]], 0), alone.errors[0])
            np.testing.assert_array_equal(own.mated_errors[slots[point.id]][inside], alone.mated_errors[0][inside])


def test_a_threshold_on_the_grid_is_exact() -> None:
    vectors, owner, grouping = case()
    pairs, listed = every(vectors, owner, grouping)
    scores, edges = pairs.scores(), pairs.scores().grid.edges()
    everyone = scores.chosen(grouping.within(0), mated=False)
    above = np.cumsum(scores.histogram[everyone].sum(axis=0)[::-1])[::-1]
    values = np.concatenate([score[a != b] for a, b, score in listed.chunks()])
    for edge in (5, 8192, 9000, 9500, 10_123):
        assert above[edge] == (values >= edges[edge]).sum()


def test_scores_at_edges_fall_on_the_right_side() -> None:
    """A score that equals an edge, and its neighbours in float32, also around 0 where a sum would round."""
    grid = limits.Grid(-1.0, 1.0)
    for edge in (-0.5, 0.0, 2.0**-13, 0.25):
        at = np.float32(edge)
        below, above = np.nextafter(at, np.float32(-2)), np.nextafter(at, np.float32(2))
        bins = grid.bins(np.array([below, at, above], dtype=np.float64)).tolist()
        assert bins == [bins[1] - 1, bins[1], bins[1]]


def test_counts_are_emptied_before_they_run_over(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, owner, grouping = case()
    whole = AllPairs(vectors, owner, grouping.atom_of, grouping.atoms, "cosine").scores()
    monkeypatch.setattr(tiles, "LARGEST_COUNT", 5000)
    often = AllPairs(vectors, owner, grouping.atom_of, grouping.atoms, "cosine").scores()
    np.testing.assert_array_equal(often.histogram, whole.histogram)


@pytest.mark.parametrize("side", [8, 16, 256])
def test_tile_size_changes_no_count(monkeypatch: pytest.MonkeyPatch, side: int) -> None:
    """Vectors of small whole numbers: products are exact, so that only the tiles could make a difference."""
    rng = np.random.default_rng(0)
    vectors, owner = rng.integers(-3, 4, (150, 6)).astype(np.float32), np.arange(150) // 3
    atom_of = np.arange(50) % 4
    whole = AllPairs(vectors, owner, atom_of, 4, "dot").scores()
    monkeypatch.setattr("audit.compare.blocks.BLOCK", side)
    np.testing.assert_array_equal(AllPairs(vectors, owner, atom_of, 4, "dot").scores().histogram, whole.histogram)


def test_a_subject_with_more_samples_than_a_tile_is_counted_whole() -> None:
    rng = np.random.default_rng(1)
    owner = np.repeat([0, 1, 2], [100, 3, 70])
    vectors, atom_of = rng.normal(size=(173, 5)).astype(np.float32), np.array([0, 1, 1])
    grouping = groups.make(*_three())
    pairs, listed = every(vectors, owner, grouping)
    half = np.array([0, 1, 1])
    assert_counts(pairs.at(np.array([-0.3, 0.4]), half, 1), listed.at(np.array([-0.3, 0.4]), half, 1))
    np.testing.assert_array_equal(grouping.atom_of, atom_of)


def _three():
    benchmark, subjects = people_of({"a": 1, "b": 2})
    return benchmark, ("tone",), subjects


def test_storage_in_fewer_bits_is_rounded_to_nearest() -> None:
    values = np.array([1.0, 1 + 2**-9, 1 + 3 * 2**-9, -3.14159, 1e-3], dtype=np.float32)
    assert rounded(values, "bfloat16").tolist()[:3] == [1.0, 1.0, 1 + 2**-7 * 1.0]
    np.testing.assert_array_equal(rounded(values, "float16"), values.astype(np.float16).astype(np.float32))
    assert stored(ArrayRows(values[:, None]), "float32").take(np.array([3])).tolist() == [[values[3]]]


@pytest.mark.parametrize("by_terms", [False, True])
def test_templates_in_a_file_are_compared_where_they_lie(
    tmp_path, monkeypatch: pytest.MonkeyPatch, by_terms: bool
) -> None:
    """Mapped into memory, with room for four blocks only: the same counts as from memory."""
    vectors, owner, grouping = case()
    np.save(tmp_path / "t.npy", vectors)
    mapped = np.load(tmp_path / "t.npy", mmap_mode="r")
    here = AllPairs(vectors, owner, grouping.atom_of, grouping.atoms, "cosine", by_terms=by_terms).scores()
    monkeypatch.setattr("audit.compare.blocks.HELD", 1)
    there = AllPairs(mapped, owner, grouping.atom_of, grouping.atoms, "cosine", by_terms=by_terms)
    np.testing.assert_array_equal(here.histogram, there.scores().histogram)
    assert len(there._blocks._terms if by_terms else there._blocks._ready) == 4


@pytest.mark.parametrize("share", [1.0, 0.3, 0.05, 0.01, 0.0])
def test_the_upper_scores_have_the_threshold_of_all(share: float) -> None:
    vectors, owner, grouping = case()
    scores = points.exact_scores(every(vectors, owner, grouping)[0], grouping, (0.3, *TARGETS))
    assert not scores.exact
    for position in range(len(grouping.groups)):
        chosen = scores.chosen(grouping.within(position), mated=False)
        every_one, upper = scores.distribution(chosen), scores.upper(chosen, share)
        assert upper[1].sum() == every_one[1].sum()
        assert len(upper[0]) <= len(every_one[0])
        for target in (share, share / 3):
            assert threshold_at_fmr(*upper, target) == threshold_at_fmr(*every_one, target)
