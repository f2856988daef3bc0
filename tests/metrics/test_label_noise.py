"""Wrong labels against enumeration of every labelling, double loops and simulation."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from audit import groups
from audit.compare import by_subject
from audit.compare.counts import OperatingCounts
from audit.compare.pairs import ListedPairs
from audit.domain import Attribute, Benchmark, Consent, Subject
from audit.groups import Grouping
from audit.metrics import label_noise
from audit.metrics.label_noise import Counted, LabelNoise


def grouping_of(values: list[tuple[str, ...]]) -> Grouping:
    subjects = [Subject(str(k), {"tone": own}) for k, own in enumerate(values)]
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    attributes = {"tone": Attribute("tone", "annotated")}
    benchmark = Benchmark("s", "S", "1", Path(), consent, "c", attributes, ("tone",), tuple(subjects), (), "")
    return groups.make(benchmark, ["tone"], subjects)


def counted_of(pairs: ListedPairs, grouping: Grouping, thresholds: list[float]) -> tuple[Counted, OperatingCounts]:
    people = len(grouping.atom_of)
    limits = np.array(thresholds)
    counts = pairs.at(limits, np.zeros(people, dtype=np.int64), 0)
    allowed = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
    table, _ = by_subject.collect(pairs, limits, grouping.atom_of, allowed, pairs.scores().grid, [])
    names = [f"at {t}" for t in thresholds]
    return Counted(names, table, range(len(limits)), counts.mated_errors, counts.mated), counts


def noise(counted: Counted, grouping: Grouping, shares: list[float], **more) -> list[LabelNoise]:
    every = [[list(grouping.groups[1:])] * 2] * len(counted.points)
    settings = {"seed": 5, "level": 0.95, "min_subjects": 2, "draws": 60} | more
    return label_noise.label_noise("tone", counted, grouping, shares, every, **settings)


def data(
    values: list[tuple[str, ...]], seed: int = 0
) -> tuple[ListedPairs, Grouping, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    grouping = grouping_of(values)
    i, j = np.triu_indices(len(values))
    i, j = np.repeat(i, 2), np.repeat(j, 2)
    scores = rng.normal(size=len(i)) + 0.5 * (i == j)
    return ListedPairs(i, j, scores, grouping.atom_of, grouping.atoms), grouping, i, j, scores


def rates_by_loop(labels: list[set[str]], name: str, i, j, scores, threshold: float) -> list[list[int]]:
    """[errors, trials] of FMR within, FMR of the rest, FNMR within, FNMR of the rest."""
    sums = [[0, 0] for _ in range(4)]
    for p, q, s in zip(i, j, scores, strict=True):
        shared = labels[p] & labels[q]
        offset, wrong = (2, s < threshold) if p == q else (0, s >= threshold)
        for cell, inside in ((0, name in shared), (1, bool(shared - {name}))):
            if inside:
                sums[offset + cell][0] += wrong
                sums[offset + cell][1] += 1
    return sums


def test_expected_counts_are_those_of_every_labelling() -> None:
    """Six people, two values: all 64 labellings with their probabilities."""
    truth = ["a", "a", "a", "b", "b", "b"]
    pairs, grouping, i, j, scores = data([(v,) for v in truth])
    counted, _ = counted_of(pairs, grouping, [0.3])
    share = 0.15
    total = np.zeros((4, 2))
    for wrong in itertools.product([0, 1], repeat=6):
        weight = np.prod([share if w else 1 - share for w in wrong])
        labels = [{"ab"[("ab".index(v) + w) % 2]} for v, w in zip(truth, wrong, strict=True)]
        total += weight * np.array(rates_by_loop(labels, "b", i, j, scores, 0.3))
    rate = total[:, 0] / total[:, 1]
    found = {(n.metric, str(n.group)): n for n in noise(counted, grouping, [share])}
    assert found["FMR", "tone=b"].expected == pytest.approx(rate[0] / rate[1])
    assert found["FNMR", "tone=b"].expected == pytest.approx(rate[2] / rate[3])


VALUES = [("a",)] * 6 + [("b",)] * 5 + [("c",)] * 4 + [("a", "c")] * 2 + [()] * 3


def test_every_draw_counts_as_a_double_loop_does() -> None:
    """People with two values and without one among them; non-mated and mated, two operating points."""
    pairs, grouping, i, j, scores = data(VALUES)
    counted, _ = counted_of(pairs, grouping, [0.0, 0.8])
    labels = label_noise.labels_of(grouping, "tone")
    names = [grouping.groups[k].as_dict()["tone"] for k in labels.positions]
    rng = np.random.default_rng(9)
    for _ in range(5):
        drawn = label_noise.relabel(labels, 0.3, rng)
        carried = [{names[v] for v in np.flatnonzero(labels.pattern[p])} for p in drawn]
        assert carried[-3:] == [{"unknown"}] * 3
        ratios = label_noise._look(counted, labels, drawn).ratios()
        for point, threshold in enumerate((0.0, 0.8)):
            for k, name in enumerate(names):
                made = rates_by_loop(carried, name, i, j, scores, threshold)
                for metric in (0, 1):
                    (e, c), (f, d) = made[2 * metric : 2 * metric + 2]
                    if c and f:
                        assert ratios[point, metric, k] == pytest.approx((e / c) / (f / d))
                    else:
                        assert np.isnan(ratios[point, metric, k])


def test_observed_ratios_are_those_of_the_rates() -> None:
    pairs, grouping, i, j, scores = data(VALUES)
    counted, _ = counted_of(pairs, grouping, [0.0])
    carried = [set(v) or {"unknown"} for v in VALUES]
    for found in noise(counted, grouping, [0.1], min_subjects=1):
        if found.group is not None:
            made = rates_by_loop(carried, found.group.as_dict()["tone"], i, j, scores, 0.0)
            offset = 0 if found.metric == "FMR" else 2
            (e, c), (f, d) = made[offset : offset + 2]
            assert found.observed == pytest.approx((e / c) / (f / d))


def test_labels_change_as_often_as_said_and_never_to_unknown() -> None:
    grouping = grouping_of([("a",)] * 4000 + [("b",)] * 3000 + [("c",)] * 2000 + [()] * 1000)
    labels = label_noise.labels_of(grouping, "tone")
    drawn = label_noise.relabel(labels, 0.2, np.random.default_rng(1))
    assert np.mean(drawn[:9000] != labels.of[:9000]) == pytest.approx(0.2, abs=0.02)
    assert np.array_equal(drawn[9000:], labels.of[9000:])
    assert not labels.known[[str(grouping.groups[k]) for k in labels.positions].index("tone=unknown")]
    to_b, to_c = (np.mean(drawn[:4000] == labels.of[where]) for where in (4000, 7000))
    assert to_b == pytest.approx(0.1, abs=0.02)
    assert to_c == pytest.approx(0.1, abs=0.02)


def disparate(people: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Group 1 is more alike (more false matches) and noisier (more false non-matches); labels are the truth."""
    rng = np.random.default_rng(seed)
    label = np.arange(people) % 2
    i, j = np.triu_indices(people, 1)
    own = np.repeat(np.arange(people), 6)
    non = rng.normal(size=len(i)) + 1.0 * ((label[i] == 1) & (label[j] == 1))
    yes = 3.0 + rng.normal(size=len(own)) - 1.0 * label[own]
    return label, np.r_[i, own], np.r_[j, own], np.r_[non, yes]


def test_wrong_labels_attenuate_and_the_correction_finds_what_lay_behind() -> None:
    """Labels are given wrong at 15 %; corrected for 15 %, the true ratios come back within their noise."""
    label, i, j, scores = disparate(400, 3)
    rng = np.random.default_rng(4)
    truth, seen, back = [], [], []
    for _ in range(6):
        given = np.where(rng.random(400) < 0.15, 1 - label, label)
        rows = []
        for own in (label, given):
            grouping = grouping_of([("ab"[v],) for v in own])
            pairs = ListedPairs(i, j, scores, grouping.atom_of, 2)
            counted, _ = counted_of(pairs, grouping, [1.5])
            rows.append({n.metric: n for n in noise(counted, grouping, [0.15], draws=20) if str(n.group) == "tone=b"})
        truth.append([rows[0][m].observed for m in ("FMR", "FNMR")])
        seen.append([rows[1][m].observed for m in ("FMR", "FNMR")])
        back.append([rows[1][m].corrected for m in ("FMR", "FNMR")])
        for metric in ("FMR", "FNMR"):
            assert rows[0][metric].interval.low <= rows[1][metric].observed * 1.1
            assert rows[0][metric].median == pytest.approx(rows[0][metric].expected, rel=0.1)
            assert rows[0][metric].expected == pytest.approx(np.mean([s[metric == "FNMR"] for s in seen]), rel=0.25)
    assert np.all(np.array(seen) < 0.85 * np.array(truth))
    assert np.mean(back, axis=0) == pytest.approx(np.mean(truth, axis=0), rel=0.15)


def test_more_noise_means_less_disparity_for_mated_comparisons() -> None:
    label, i, j, scores = disparate(200, 5)
    grouping = grouping_of([("ab"[v],) for v in label])
    counted, _ = counted_of(ListedPairs(i, j, scores, grouping.atom_of, 2), grouping, [1.5])
    rows = [n for n in noise(counted, grouping, [0.0, 0.05, 0.1, 0.2, 0.5]) if n.metric == "FNMR" and n.group is None]
    expected = [n.expected for n in rows]
    assert expected == sorted(expected, reverse=True)
    assert expected[0] == rows[0].observed == rows[0].median == rows[0].corrected
    assert expected[-1] == pytest.approx(1.0)
    assert rows[-1].corrected is None  # a label that is wrong half the time says nothing
    assert "not corrected" in rows[-1].reason


def test_the_same_seed_gives_the_same_and_small_groups_are_not_shown() -> None:
    pairs, grouping, *_ = data([("a",)] * 9 + [("b",)] * 8 + [("c",)])
    counted, _ = counted_of(pairs, grouping, [0.0])
    first, second = (noise(counted, grouping, [0.1]) for _ in range(2))
    assert first == second
    assert first != noise(counted, grouping, [0.1], seed=6)
    hidden = [n for n in first if str(n.group) == "tone=c"]
    assert hidden
    assert all(n.observed is None and n.reason == "fewer than 2 people" for n in hidden)


def test_no_error_is_no_ratio_and_never_nan() -> None:
    pairs, grouping, *_ = data([("a",)] * 9 + [("b",)] * 8)
    counted, _ = counted_of(pairs, grouping, [99.0])
    for found in noise(counted, grouping, [0.1]):
        numbers = [found.observed, found.expected, found.corrected, found.median]
        assert not any(number is not None and not np.isfinite(number) for number in numbers)
        if found.metric == "FMR":
            assert numbers == [None] * 4
            assert "no error" in found.reason


def test_each_annotators_labels_count_as_a_double_loop_does() -> None:
    """Annotator 1 agrees with what was used; annotator 2 moves two people and leaves one out."""
    truth = [("a",)] * 8 + [("b",)] * 7
    pairs, grouping, i, j, scores = data(truth, seed=4)
    counted, _ = counted_of(pairs, grouping, [0.3])
    values = [g.as_dict()["tone"] for g in grouping.groups[1:]]
    second = [set(own) for own in truth]
    second[0], second[9], second[14] = {"b"}, {"a"}, set()
    said = [
        np.array([[v in own for v in values] for own in truth]),
        np.array([[v in own for v in values] for own in second]),
    ]
    every = [[list(grouping.groups[1:])] * 2]
    found = label_noise.by_annotator("tone", counted, grouping, said, every, min_subjects=2)
    assert len(found) == 2 * 2 * 3
    by = {(n.annotator, n.metric, str(n.group)): n for n in found}
    for one in found:
        if one.annotator == 1:
            assert one.ratio == one.used
            assert (one.agreeing, one.people) == (15, 15)
        else:
            assert (one.agreeing, one.people) == (12, 14)
    for group in values:
        sums = rates_by_loop(second, group, i, j, scores, 0.3)
        for metric, (own, rest) in (("FMR", sums[:2]), ("FNMR", sums[2:])):
            ratio = (own[0] / own[1]) / (rest[0] / rest[1])
            assert by[2, metric, f"tone={group}"].ratio == pytest.approx(ratio)
    rates = [rates_by_loop(second, group, i, j, scores, 0.3)[0] for group in values]
    fmr = np.array([errors / trials for errors, trials in rates])
    assert by[2, "FMR", "None"].ratio == pytest.approx(fmr.max() / np.sqrt(fmr.prod()))


def test_an_annotator_who_left_a_group_to_one_person_gives_no_ratio_of_it() -> None:
    truth = [("a",)] * 8 + [("b",)] * 7
    pairs, grouping, *_ = data(truth, seed=4)
    counted, _ = counted_of(pairs, grouping, [0.3])
    said = [np.array([[k < 14, k == 14] for k in range(15)])]
    every = [[list(grouping.groups[1:])] * 2]
    found = label_noise.by_annotator("tone", counted, grouping, said, every, min_subjects=2)
    assert next(n for n in found if str(n.group) == "tone=b" and n.metric == "FMR").ratio is None
