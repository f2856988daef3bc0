"""Protocols in folds: counted by hand, beside a double loop, and whatever the order of the rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from simulated import people as people_of

from audit import groups
from audit.compare import by_subject, halves
from audit.compare.pairs import ListedPairs, listed
from audit.metrics import evaluation, folds, points
from audit.metrics.evaluation import Acquired


def hand() -> tuple[ListedPairs, groups.Grouping]:
    """Four people of one group, two folds; people 0 and 2 stand in both.

    Non-mated scores of fold 0: .1 .2 .6; of fold 1: .3 .4 .5. Mated: .45 .9 and .55.
    """
    benchmark, subjects = people_of({"a": 4})
    grouping = groups.make(benchmark, (), subjects)
    probe = np.array([0, 0, 1, 0, 2, 1, 2, 3, 2])
    other = np.array([1, 2, 2, 0, 3, 1, 0, 0, 2])
    score = np.array([0.1, 0.2, 0.6, 0.45, 0.3, 0.9, 0.4, 0.5, 0.55])
    fold = np.array([0, 0, 0, 0, 1, 0, 1, 1, 1])
    return ListedPairs(probe, other, score, grouping.atom_of, 1, fold), grouping


def test_counted_by_hand() -> None:
    """At a target of 1/3 each fold lets one of the other's three pass: .5 decides in fold 0, .6 in fold 1."""
    pairs, grouping = hand()
    (point,) = folds.operating_points(pairs, grouping, [1 / 3])
    assert point.by_fold == (0.5, 0.6)
    assert point.value == pytest.approx(0.55)
    assert point.achieved_fmr == 2 / 6
    assert point.set_on == "for each of 2 folds 3 non-mated comparisons of the others, all groups together"
    judged = folds.judged(pairs, [point])
    counts = judged.at(points.common([point]), np.zeros(4, dtype=np.int64), 0)
    # Fold 0 at .5: .6 is accepted, .45 is rejected. Fold 1 at .6: nothing is accepted, .55 is rejected.
    assert counts.errors[0].sum() / 2 == 1
    assert counts.mated_errors[0].tolist() == [1, 0, 1, 0]
    assert counts.mated.tolist() == [1, 1, 1, 0]
    found = folds.summary(pairs, grouping)
    assert (found.people, found.several) == (4, 2)


def test_accuracy_by_hand() -> None:
    """Most right decisions in fold 1 from .55 on (4 of 4); in fold 0 from .45 on, as from .9 on (4 of 5): the lower.

    In fold 0 itself all from just above .2 would do; that fold 1 has a score of .3 must not be used to judge it.
    """
    found = folds.summary(*hand())
    # Fold 0 at .55: .1 .2 .9 are right, .6 and .45 are not. Fold 1 at .45: .3 .4 .55 are right, .5 is not.
    assert (found.right.tolist(), found.comparisons.tolist()) == ([3, 3], [5, 4])
    mean, error = found.accuracy or (0, 0)
    assert mean == pytest.approx((0.6 + 0.75) / 2)
    assert error == pytest.approx(0.15 / 2)  # half the difference: sd with ddof 1 is .15 / sqrt 2


def simulated(seed: int, order: np.ndarray | None = None) -> tuple[ListedPairs, groups.Grouping, tuple]:
    """40 people in two groups by sex and two by tone, 2000 comparisons with ties in five folds, in any order."""
    rng = np.random.default_rng(seed)
    benchmark, subjects = people_of({"a": 26, "b": 14})
    grouping = groups.make(benchmark, ("tone", "sex"), subjects)
    one, two = rng.integers(40, size=(2, 2000))
    two = np.where(rng.random(2000) < 0.2, one, two)
    score = np.round(rng.normal(size=2000) + 1.5 * (one == two), 1)
    fold = rng.integers(5, size=2000)
    if order is not None:
        one, two, score, fold = one[order], two[order], score[order], fold[order]
    return ListedPairs(one, two, score, grouping.atom_of, grouping.atoms, fold), grouping, (one, two, score, fold)


def of_loop(rows: tuple, admitted: np.ndarray, target: float) -> list[float]:
    """Thresholds of the folds: of each, the least score of the others that is reached often enough, not more."""
    one, two, score, fold = rows
    made = []
    for k in range(5):
        values = [s for a, b, s, f in zip(one, two, score, fold, strict=True) if a != b and f != k and admitted[a, b]]
        allowed = math.floor(target * len(values) + 1e-9)
        reached = [t for t in set(values) if sum(v >= t for v in values) <= allowed]
        made.append(min(reached, default=np.nextafter(max(values), np.inf)))
    return made


def test_thresholds_and_errors_are_those_of_a_double_loop() -> None:
    pairs, grouping, rows = simulated(3)
    one, two, score, _ = rows
    found = folds.operating_points(pairs, grouping, [0.1, 0.05], given=[0.7])
    atom = grouping.atom_of
    judged = folds.judged(pairs, found)
    half = halves(atom, 3, np.random.default_rng(0))
    counts = judged.at(np.union1d(points.common(found), [0.7]), half, 3)
    own, slots = points.own_counts(judged, grouping, found)
    everybody = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
    table, _ = by_subject.collect(judged, counts.thresholds, atom, everybody, pairs.scores().grid, [])
    assert table is not None
    for point in found:
        assert point.value is not None, point.reason
        position = grouping.index(point.group)
        admitted = grouping.within(position)[np.ix_(atom, atom)]
        limits = of_loop(rows, admitted, point.target_fmr)
        assert list(point.by_fold) == limits
        wrong, missed = 0, np.zeros(40, dtype=int)
        by_pair: dict[tuple[int, int], int] = {}
        for a, b, s, f in zip(*(column.tolist() for column in rows), strict=True):
            if a == b:
                missed[a] += s < limits[f]
            elif admitted[a, b] and s >= limits[f]:
                wrong += 1
                by_pair[min(a, b), max(a, b)] = by_pair.get((min(a, b), max(a, b)), 0) + 1
        inside = grouping.member[position, atom]
        if point.policy == "global":
            t = counts.at(point.value)
            assert counts.errors[t].sum() / 2 == wrong
            np.testing.assert_array_equal(counts.mated_errors[t], missed)
            assert counts.see[t].sum() == sum(e * e for e in by_pair.values())
            rows_of = zip(table.first.tolist(), table.second.tolist(), table.errors[t].tolist(), strict=True)
            assert {(a, b): e for a, b, e in rows_of if e} == by_pair
        else:
            slot = slots[point.id]
            mask = grouping.within(position)[atom]
            assert (np.where(mask, own.errors[slot], 0) * inside[:, None]).sum() / 2 == wrong
            np.testing.assert_array_equal(own.mated_errors[slot][inside], missed[inside])
    # A threshold that is given decides alike in every fold.
    assert counts.errors[counts.at(0.7)].sum() / 2 == ((score >= 0.7) & (one != two)).sum()


def test_the_order_of_rows_changes_nothing() -> None:
    first, grouping, _ = simulated(4)
    second, _, _ = simulated(4, np.random.default_rng(0).permutation(2000))
    one, two = (folds.operating_points(pairs, grouping, [0.05]) for pairs in (first, second))
    assert one == two
    acquired = Acquired(np.zeros(40, dtype=np.int64), np.full(40, 9))
    rates = []
    for pairs in (first, second):
        counts = folds.judged(pairs, one).at(points.common(one), np.zeros(40, dtype=np.int64), 0)
        rates.append(evaluation.measure(counts, acquired, grouping, one[0], level=0.95, min_subjects=2).rates)
        assert folds.summary(pairs, grouping).right.tolist() == folds.summary(first, grouping).right.tolist()
    assert rates[0] == rates[1]


def test_other_thresholds_do_not_go_by_one_number() -> None:
    """The folds' mean is the threshold that is given, and decides otherwise: both are counted."""
    benchmark, subjects = people_of({"a": 4})
    grouping = groups.make(benchmark, (), subjects)
    probe, other = np.array([0, 0, 1, 0, 0, 1]), np.array([1, 2, 2, 1, 2, 2])
    score, fold = np.array([0.0, 0.1, 1.0, 0.0, 0.1, 3.0]), np.array([0, 0, 0, 1, 1, 1])
    pairs = ListedPairs(probe, other, score, grouping.atom_of, 1, fold)
    (point,) = folds.operating_points(pairs, grouping, [0.34], given=[2.0])
    assert point.by_fold == (3.0, 1.0)
    assert point.value is not None
    assert point.value == np.nextafter(2.0, 3.0)
    counts = folds.judged(pairs, [point]).at(np.array([2.0, point.value]), np.zeros(4, dtype=np.int64), 0)
    assert (counts.errors.sum(axis=(1, 2)) / 2).tolist() == [1, 1]
    assert counts.errors[0, 1, 0] == counts.errors[1, 1, 0] == 1


def test_a_target_that_a_fold_cannot_set_is_not_estimable() -> None:
    pairs, grouping = hand()
    (point,) = folds.operating_points(pairs, grouping, [0.1])
    assert (point.value, point.by_fold) == (None, ())
    assert point.reason == "not estimable: 3 comparisons outside a fold, fewer than one error expected"


def test_thresholds_set_on_the_others_keep_the_target_on_average() -> None:
    """Where all folds are alike, the FMR judged is the target, less the part of one error: nothing was fitted to it.

    In the same data one threshold for all would reach the target from below every time.
    """
    rng = np.random.default_rng(8)
    benchmark, subjects = people_of({"a": 30})
    grouping = groups.make(benchmark, (), subjects)
    seen = []
    for _ in range(400):
        one = rng.integers(30, size=600)
        two = (one + rng.integers(1, 30, size=600)) % 30
        pairs = ListedPairs(one, two, rng.normal(size=600), grouping.atom_of, 1, np.arange(600) % 10)
        (point,) = folds.operating_points(pairs, grouping, [0.05])
        counts = folds.judged(pairs, [point]).at(points.common([point]), np.zeros(30, dtype=np.int64), 0)
        seen.append(counts.errors[0].sum() / 2 / 600)
    # Of 540 scores the 27th largest is the threshold: P(new score >= it) = 27 / 541.
    error = np.std(seen) / np.sqrt(len(seen))
    assert abs(np.mean(seen) - 27 / 541) < 4 * error
    assert error < 0.0006


def test_folds_are_numbered_by_name() -> None:
    """Ten comes after two; a fold of which no pair has both templates is none."""
    names = ["a1", "a2", "b1", "c1"]
    pairs = [("a1", "b1"), ("a1", "a2"), ("a2", "zz"), ("b1", "c1")]
    fold = dict(zip(pairs, ["10", "2", "1", "2"], strict=True))
    vectors = np.eye(4, dtype=np.float32)
    made = listed(pairs, names, vectors, np.array([0, 0, 1, 2]), np.zeros(3, dtype=np.int64), 1, "cosine", fold)
    assert made.folds == 2
    assert made.in_folds(np.ones((1, 1), dtype=bool))[1].sum(axis=0).tolist() == [1, 1]
    assert made.people_in_folds().tolist() == [2, 2, 1]
