"""Comparisons by sample: the same as by brute force, and samples of them with weights that add up."""

from __future__ import annotations

import numpy as np
import pytest

from audit.compare.all_pairs import AllPairs
from audit.compare.blocks import ArrayRows
from audit.compare.case_control import Listed, Within, listed
from audit.compare.pairs import ListedPairs, scores_of
from audit.compare.sampled import Drawing, Population, compare

PEOPLE = 60


@pytest.fixture(scope="module")
def made() -> tuple[np.ndarray, np.ndarray, Within]:
    """Templates of 60 people in 3 groups with 3 samples each, in no order; the last 5 people are in no group."""
    rng = np.random.default_rng(11)
    subject = rng.permutation(np.repeat(np.arange(PEOPLE), 3))
    own = rng.normal(size=(PEOPLE, 16)) + 0.8 * np.eye(16)[np.arange(PEOPLE) % 3]
    vectors = (own[subject] + 0.7 * rng.normal(size=(len(subject), 16))).astype(np.float32)
    atom_of = (np.arange(PEOPLE) % 3).astype(np.int64)
    group_of = np.where(np.arange(PEOPLE) < 55, atom_of, -1)
    return vectors, subject, Within(subject, group_of, atom_of, np.ones((3, 3), dtype=bool))


def of(vectors: np.ndarray, within: Within, **more: int) -> tuple[AllPairs, tuple[ArrayRows, str]]:
    pairs = AllPairs(vectors, within.subject, within.atom_of, 3, "cosine", **more)
    return pairs, (ArrayRows(vectors), "cosine")


def brute(vectors: np.ndarray, subject: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    one, two = np.triu_indices(len(subject), 1)
    return one, two, scores_of(vectors, one, two, "cosine")


@pytest.mark.parametrize("above", [None, 0.3])
def test_samples_of_all_pairs_are_those_of_a_double_loop(
    made: tuple[np.ndarray, np.ndarray, Within], above: float | None
) -> None:
    vectors, subject, within = made
    one, two, score = brute(vectors, subject)
    kept = np.ones(len(one), dtype=bool) if above is None else (subject[one] == subject[two]) | (score >= above)
    expected = {(a, b): s for a, b, s in zip(one[kept].tolist(), two[kept].tolist(), score[kept].tolist(), strict=True)}
    found = {}
    for a, b, s in of(vectors, within)[0].by_sample(above):
        found |= {tuple(sorted(pair)): x for *pair, x in zip(a.tolist(), b.tolist(), s.tolist(), strict=True)}
    assert found.keys() == expected.keys()
    assert max(abs(found[pair] - expected[pair]) for pair in expected) < 1e-5


def test_listed_and_drawn_comparisons_know_their_samples(made: tuple[np.ndarray, np.ndarray, Within]) -> None:
    vectors, subject, within = made
    drawing = Drawing(Population(subject, within.atom_of, within.allowed), np.random.default_rng(1))
    drawing.up_to(500)
    pairs = compare(
        ArrayRows(vectors), Population(subject, within.atom_of, within.allowed), "cosine", drawing.pairs, by_sample=True
    )
    one, two, score = (np.concatenate(column) for column in zip(*pairs.by_sample(), strict=True))
    assert len(one) == 500 + PEOPLE * 3
    np.testing.assert_allclose(score, scores_of(vectors, one, two, "cosine"))
    with pytest.raises(ValueError, match="without their samples"):
        next(iter(ListedPairs(one, two, score, within.atom_of, 3).by_sample()))


def test_all_of_few_comparisons_are_rows(made: tuple[np.ndarray, np.ndarray, Within]) -> None:
    vectors, subject, within = made
    pairs, every = of(vectors, within)
    found = listed(pairs, within, np.array([0.3, 0.5]), all_pairs=every, seed=1)
    one, two, score = brute(vectors, subject)
    keep = within.keeps(one, two)
    assert found.every
    assert (found.weight == 1).all()
    assert len(found.one) == keep.sum()
    assert np.bincount(found.band).tolist() == np.bincount(np.searchsorted([0.3, 0.5], score[keep], "right")).tolist()
    assert (found.group == within.group_of[subject[found.one]]).all()


def tally(found: Listed) -> np.ndarray:
    """Comparisons that rows stand for, by group, mated and band."""
    place = (found.group * 2 + found.mated) * 3 + found.band
    return np.bincount(place, found.weight, 18)


@pytest.mark.parametrize("every", [0, 1 << 30], ids=["drawn", "looked at"])
def test_weights_add_up_to_what_there_is(made: tuple[np.ndarray, np.ndarray, Within], every: int) -> None:
    """More errors than a stratum may have, and more of the others; mated ones are fewer, and all there."""
    vectors, _, within = made
    pairs, rows = of(vectors, within)
    limits = np.array([0.3, 0.5])
    full = listed(pairs, within, limits, all_pairs=rows, seed=1)
    some = listed(pairs, within, limits, all_pairs=rows, seed=1, most=60, every=every)
    assert not some.every
    np.testing.assert_allclose(tally(some), tally(full))
    sizes = np.bincount((some.group * 2 + some.mated) * 3 + some.band, minlength=18)
    assert sizes.max() <= 61
    assert len(np.unique(some.one * 1000 + some.two)) == len(some.one)
    np.testing.assert_allclose(some.score, scores_of(vectors, some.one, some.two, "cosine"), atol=1e-5)
    # Below all thresholds no error is taken for another comparison.
    assert (some.score[some.band == 0] < 0.3).all()


def test_threads_and_tiles_change_nothing(made: tuple[np.ndarray, np.ndarray, Within]) -> None:
    vectors, _, within = made
    found = []
    for workers in (1, 3):
        pairs, rows = of(vectors, within, workers=workers)
        pairs.scores()
        found.append(listed(pairs, within, np.array([0.3]), all_pairs=rows, seed=5, most=80, every=0))
    for name in ("one", "two", "band", "weight"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name))
    again = listed(pairs, within, np.array([0.3]), all_pairs=rows, seed=6, most=80, every=0)
    assert len(np.intersect1d(again.one * 1000 + again.two, found[0].one * 1000 + found[0].two)) < len(again.one)


def test_the_policy_and_people_of_no_group_are_left_out(made: tuple[np.ndarray, np.ndarray, Within]) -> None:
    vectors, subject, within = made
    nobody = Within(subject, within.group_of, within.atom_of, np.zeros((3, 3), dtype=bool))
    pairs, rows = of(vectors, within)
    found = listed(pairs, nobody, np.array([0.3]), all_pairs=rows, seed=1)
    assert found.mated.all()
    assert (within.group_of[subject[found.one]] >= 0).all()
