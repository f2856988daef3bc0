"""Comparisons drawn at random: which they are, what each stands for, and intervals that know of it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare, norm

from audit import groups, plan, sampling
from audit.compare.all_pairs import AllPairs
from audit.compare.blocks import ArrayRows
from audit.compare.lossy import Lossy
from audit.compare.sampled import Drawing, Population, compare, mated_pairs
from audit.domain import Attribute, Benchmark, Consent, Subject
from audit.metrics.rates import interval, joint_covariance, nonmated


def small() -> Population:
    """Five people with 3, 2, 1, 1, 2 samples in two atoms that are compared within themselves only."""
    return Population(np.repeat(np.arange(5), [3, 2, 1, 1, 2]), np.array([0, 0, 0, 1, 1]), np.eye(2, dtype=bool))


def admitted(population: Population) -> list[tuple[int, int]]:
    who, atom_of = population.subject, population.atom_of
    return [
        (a, b) for a, b in itertools.combinations(range(len(who)), 2)
        if who[a] != who[b] and population.allowed[atom_of[who[a]], atom_of[who[b]]]
    ]  # fmt: skip


def test_counted_by_hand() -> None:
    """Within the first atom 3*2 + 3*1 + 2*1 = 11 comparisons, across none that are admitted, within the second 1*2."""
    assert small().by_cell.tolist() == [11, 0, 2]
    assert len(admitted(small())) == 13
    pairs = sorted(zip(*(side.tolist() for side in mated_pairs(small().subject)), strict=True))
    assert pairs == [(0, 1), (0, 2), (1, 2), (3, 4), (7, 8)]


def test_all_can_be_drawn_and_none_twice() -> None:
    drawing = Drawing(small(), np.random.default_rng(0))
    drawing.up_to(5)
    early = set(zip(*drawing.pairs, strict=True))
    drawing.up_to(13)
    assert early < set(zip(*drawing.pairs, strict=True)) == set(admitted(small()))
    with pytest.raises(ValueError, match="not 14"):
        drawing.up_to(14)


def test_every_comparison_has_the_same_chance() -> None:
    """Also those drawn in the second round."""
    seen = np.zeros((9, 9), dtype=np.int64)
    for seed in range(3000):
        drawing = Drawing(small(), np.random.default_rng(seed))
        drawing.up_to(3)
        drawing.up_to(6)
        np.add.at(seen, drawing.pairs, 1)
    counts = np.array([seen[pair] for pair in admitted(small())])
    assert counts.sum() == seen.sum() == 6 * 3000
    # Without replacement the sum of squares is smaller than with it by (1 - 6/13): a fair draw passes, as do near ones.
    assert chisquare(counts).pvalue > 0.01
    assert abs(counts / 3000 - 6 / 13).max() < 4 * np.sqrt(6 / 13 * 7 / 13 / 3000)


def people(count: int, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray, groups.Grouping]:
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(count), samples)
    vectors = rng.normal(size=(count, 8))[who] + 0.7 * rng.normal(size=(len(who), 8))
    subjects = tuple(Subject(f"s{k}", {"g": ("ab"[k % 2],)}) for k in range(count))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    attribute = {"g": Attribute("g", "assigned-by-design")}
    benchmark = Benchmark("s", "S", "1", Path(), consent, "", attribute, ("g",), subjects, (), "")
    return vectors.astype(np.float32), who, groups.make(benchmark, ["g"], subjects)


def everybody(who: np.ndarray, grouping: groups.Grouping) -> Population:
    return Population(who, grouping.atom_of, np.ones((grouping.atoms, grouping.atoms), dtype=bool))


def at(comparisons: object, threshold: float, grouping: groups.Grouping) -> tuple:
    counts = comparisons.at(np.array([threshold]), np.zeros(len(grouping.atom_of), dtype=np.int64), 0)
    masks = np.array([grouping.within(k) for k in range(len(grouping.groups))])
    return counts, nonmated(counts, grouping.atom_of, masks, threshold)


def test_a_sample_stands_for_all_and_leaves_mated_comparisons_whole() -> None:
    """N/n times the false matches seen estimates those of all comparisons, in every cell, without bias."""
    vectors, who, grouping = people(60, 3, 4)
    population, every = everybody(who, grouping), AllPairs(vectors, who, grouping.atom_of, grouping.atoms, "cosine")
    whole, truth = at(every, 0.4, grouping)
    weight = population.by_cell.sum() / 1500
    made = []
    for seed in range(150):
        drawing = Drawing(population, np.random.default_rng(seed))
        drawing.up_to(1500)
        counts, tally = at(compare(ArrayRows(vectors), population, "cosine", drawing.pairs), 0.4, grouping)
        np.testing.assert_array_equal(counts.mated_errors, whole.mated_errors)
        np.testing.assert_array_equal(counts.mated, whole.mated)
        made.append(weight * tally.errors)
    error = np.std(made, axis=0) / np.sqrt(len(made))
    assert (np.abs(np.mean(made, axis=0) - truth.errors) < 4 * error).all()


def test_intervals_of_sampled_comparisons_cover() -> None:
    """One in 12 comparisons of 40 people who differ in how alike they are; the truth is that of the generator.

    Scores are a person's own closeness, the other's, and noise: their sum is normal, hence the true rate at 1.5.
    """
    people_, samples, drawn, covered, naive = 40, 2, 260, 0, 0
    who = np.repeat(np.arange(people_), samples)
    grouping = people(people_, samples, 0)[2]
    population = everybody(who, grouping)
    truth = norm.sf(1.5 / np.sqrt(0.5 + 0.5 + 0.5))
    from audit.compare.pairs import ListedPairs  # noqa: PLC0415

    for seed in range(600):
        rng = np.random.default_rng([9, seed])
        drawing = Drawing(population, rng)
        drawing.up_to(drawn)
        one, two = drawing.pairs
        own = np.sqrt(0.5) * rng.normal(size=people_)
        scores = own[who[one]] + own[who[two]] + np.sqrt(0.5) * rng.normal(size=drawn)
        listed = ListedPairs(who[one], who[two], scores, grouping.atom_of, grouping.atoms)
        _, tally = at(listed, 1.5, grouping)
        variance = np.diag(joint_covariance(tally))
        found = interval(float(tally.rates[0]), float(variance[0]), int(tally.subjects[0]), 0.95, paired=True)
        covered += found.low <= truth <= found.high
        p = float(tally.rates[0])
        naive += abs(p - truth) <= 1.96 * np.sqrt(p * (1 - p) / drawn)
    assert 0.92 <= covered / 600 <= 0.98
    assert naive / 600 < 0.9


def asked(**settings: object) -> plan.AuditPlan:
    return plan.make({"benchmark": "b", "model": "m", "by": ["g"], "fmr": [0.05], **settings})


def drawn(vectors: np.ndarray, who: np.ndarray, grouping: groups.Grouping, one: plan.AuditPlan) -> tuple:
    def every() -> AllPairs:
        return AllPairs(vectors, who, grouping.atom_of, grouping.atoms, "cosine")

    return sampling.chosen(one, ArrayRows(vectors), who, grouping, "cosine", every)


def test_precision_stops_when_every_group_is_narrow_enough() -> None:
    vectors, who, grouping = people(500, 3, 2)
    comparisons, said = drawn(vectors, who, grouping, asked(precision=0.25, sample_nonmated=2000))
    assert said.stopped == "every group's interval is as narrow as asked"
    assert [row.drawn for row in said.rounds] == [2000 * 2**k for k in range(len(said.rounds))]
    assert [row.widest <= 0.25 for row in said.rounds] == [*[False] * (len(said.rounds) - 1), True]
    assert len(said.rounds) > 1
    assert said.drawn == said.rounds[-1].drawn < said.of / 2
    assert said.weight == said.of / said.drawn
    assert said.of == 1500 * 1497 // 2
    scores = comparisons.scores()
    for row, position in zip(said.by_group, range(3), strict=True):
        assert row.drawn == scores.total(scores.chosen(grouping.within(position), mated=False))
    assert said == drawn(vectors, who, grouping, asked(precision=0.25, sample_nonmated=2000))[1]
    assert said != drawn(vectors, who, grouping, asked(precision=0.25, sample_nonmated=2000, seed=1))[1]


def test_what_cannot_be_precise_is_compared_whole_and_said() -> None:
    vectors, who, grouping = people(60, 3, 3)
    comparisons, said = drawn(vectors, who, grouping, asked(precision=0.01, sample_nonmated=1000))
    assert isinstance(comparisons, AllPairs)
    assert said.stopped.startswith("all comparisons were made: more than half")
    assert (said.drawn, said.of, said.weight) == (15_930, 15_930, 1.0)
    assert [row.drawn for row in said.rounds] == [1000, 2000, 4000]
    assert all(row.drawn == row.of for row in said.by_group)


def test_a_number_asked_for_is_drawn() -> None:
    vectors, who, grouping = people(60, 3, 3)
    comparisons, said = drawn(vectors, who, grouping, asked(sample_nonmated=3000))
    assert (said.drawn, said.rounds, said.stopped) == (3000, [], "as many as the plan asks for")
    assert comparisons.scores().histogram.sum() == 3000 + 60 * 3


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_decisions_that_fewer_bits_change_are_those_of_a_double_loop(similarity: str) -> None:
    vectors, who, grouping = people(30, 3, 6)
    half = vectors.astype(np.float16).astype(np.float32)
    score = {
        "dot": lambda x, y: x @ y,
        "cosine": lambda x, y: x @ y / np.linalg.norm(x) / np.linalg.norm(y),
        "euclidean": lambda x, y: -np.linalg.norm(x - y),
    }[similarity]
    two = [np.array([score(v[a], v[b]) for a, b in admitted(everybody(who, grouping))]) for v in (
        vectors.astype(np.float64), half.astype(np.float64))]  # fmt: skip
    widest = int(np.argmax(np.abs(two[0] - two[1])))
    threshold = float((two[0][widest] + two[1][widest]) / 2)
    expected = int(((two[0] >= threshold) != (two[1] >= threshold)).sum())
    assert expected >= 1
    (found,) = Lossy(ArrayRows(vectors), everybody(who, grouping), similarity, "float16", None, 1).differing(
        [threshold]
    )
    assert (found.nonmated, found.nonmated_of, found.mated_of) == (expected, 90 * 87 // 2, 90)
