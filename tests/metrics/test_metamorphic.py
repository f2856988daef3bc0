"""METHODS.md, section 4: what must not change when data are told differently, from scores to rates and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from audit import groups
from audit.compare import halves
from audit.compare.pairs import ListedPairs
from audit.domain import Attribute, Benchmark, Consent, ErrorRate, Subject, Threshold
from audit.metrics import disparities, evaluation, points
from audit.metrics.evaluation import Acquired, Measured

SETTINGS = disparities.Settings(0.95, 0.05, {"FMR": 2.0, "FNMR": 1.25, "FTA": 1.25}, 2, {}, 7, 200)
TARGET = 0.1


@dataclass(frozen=True)
class Told:
    """Comparisons as they may be told."""

    probe: np.ndarray
    reference: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]


@st.composite
def told(draw: st.DrawFn) -> Told:
    """Ten to thirty people of two or three groups, comparisons of some of them, scores on a grid (ties happen)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    people, kinds = draw(st.integers(10, 30)), draw(st.integers(2, 3))
    labels = tuple("abc"[k % kinds] for k in range(people))
    size = draw(st.integers(60, 400))
    probe = rng.integers(0, people, size)
    reference = np.where(rng.random(size) < 0.2, probe, rng.integers(0, people, size))
    proneness = rng.normal(0, 0.5, people)
    scores = np.where(probe == reference, 2.0, 0.0) + proneness[probe] + proneness[reference] + rng.normal(0, 1, size)
    return Told(probe, reference, np.round(scores, draw(st.integers(0, 6))), labels)


def measured(
    case: Told, *, factor: float = 1.0, shift: float = 0.0
) -> tuple[list[Measured], list[Threshold], groups.Grouping]:
    subjects = tuple(Subject(f"s{k}", {"g": (label,)}) for k, label in enumerate(case.labels))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    benchmark = Benchmark(
        "s", "S", "1", Path(), consent, "", {"g": Attribute("g", "annotated")}, ("g",), subjects, (), ""
    )
    grouping = groups.make(benchmark, ["g"], subjects)
    pairs = ListedPairs(case.probe, case.reference, case.scores * factor + shift, grouping.atom_of, grouping.atoms)
    scores = points.exact_scores(pairs, grouping, [TARGET])
    placed = points.operating_points(scores, grouping, [TARGET])
    assume(placed[0].value is not None)
    half = halves(grouping.atom_of, 3, np.random.default_rng(1))
    counts = pairs.at(np.unique([p.value for p in placed if p.value is not None]), half, 3)
    acquired = Acquired(np.zeros(len(subjects), dtype=np.int64), np.ones(len(subjects), dtype=np.int64))
    one = evaluation.measure(counts, acquired, grouping, placed[0], level=0.95, min_subjects=2)
    return [one], placed, grouping


def shown(rates: list[ErrorRate]) -> dict[tuple[str, str, str], tuple]:
    return {
        (r.metric, str(r.group), str(r.reference_group)): (r.errors, r.trials, r.subjects, r.variance, r.interval)
        for r in rates
    }  # fmt: skip


def alike(one: list[ErrorRate], two: list[ErrorRate]) -> None:
    left, right = shown(one), shown(two)
    assert left.keys() == right.keys()
    for key, (errors, trials, subjects, variance, interval) in left.items():
        other = right[key]
        assert (errors, trials, subjects) == other[:3]
        assert (variance is None) == (other[3] is None)
        if variance is not None:
            assert variance == pytest.approx(other[3], rel=1e-9, abs=1e-15)
            assert interval.low == pytest.approx(other[4].low, rel=1e-7, abs=1e-12)
            assert interval.high == pytest.approx(other[4].high, rel=1e-7, abs=1e-12)


@given(told(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_order_and_sides_of_comparisons_never_matter(case: Told, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order, turned = rng.permutation(len(case.scores)), rng.random(len(case.scores)) < 0.5
    probe = np.where(turned, case.reference, case.probe)[order]
    reference = np.where(turned, case.probe, case.reference)[order]
    again = Told(probe, reference, case.scores[order], case.labels)
    first, second = measured(case), measured(again)
    assert first[1] == second[1]
    alike(first[0][0].rates, second[0][0].rates)


@given(told(), st.sampled_from([0.25, 2.0, 1024.0]), st.sampled_from([-8.0, 0.0, 4.0]))
@settings(max_examples=30, deadline=None)
def test_the_scale_of_scores_never_matters(case: Told, factor: float, shift: float) -> None:
    """Powers of two are exact; a shift may round scores together, so that it is only applied to coarse ones."""
    coarse = Told(case.probe, case.reference, np.round(case.scores, 1), case.labels)
    exact = Told(coarse.probe, coarse.reference, np.round(coarse.scores * 8) / 8, coarse.labels)
    alike(measured(exact)[0][0].rates, measured(exact, factor=factor, shift=shift)[0][0].rates)


@given(told(), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_names_of_groups_and_people_never_matter(case: Told, seed: int) -> None:
    people = len(case.labels)
    place = np.random.default_rng(seed).permutation(people)
    other = {"a": "z", "b": "y", "c": "x"}
    labels = np.empty(people, dtype=object)
    labels[place] = [other[label] for label in case.labels]
    again = Told(place[case.probe], place[case.reference], case.scores, tuple(labels))
    first, second = measured(case)[0][0].rates, measured(again)[0][0].rates

    def named(rate: ErrorRate) -> tuple[str, str, frozenset[str]]:
        both = {g.as_dict().get("g", "") for g in (rate.group, rate.reference_group) if g is not None}
        return rate.metric, rate.view, frozenset(other.get(name, name) for name in both)

    def keyed(rates: list[ErrorRate], *, rename: bool) -> dict:
        made = {}
        for r in rates:
            names = named(r)[2] if rename else frozenset(
                g.as_dict().get("g", "") for g in (r.group, r.reference_group) if g is not None
            )  # fmt: skip
            made[r.metric, names] = (r.errors, r.trials, r.subjects, r.variance)
        return made

    left, right = keyed(first, rename=True), keyed(second, rename=False)
    assert left.keys() == right.keys()
    for key, (errors, trials, subjects, variance) in left.items():
        assert (errors, trials, subjects) == right[key][:3]
        assert variance == (None if right[key][3] is None else pytest.approx(right[key][3], rel=1e-9, abs=1e-15))


@given(told(), st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_telling_every_comparison_again_narrows_no_clustered_interval(case: Told, times: int) -> None:
    again = Told(
        np.tile(case.probe, times), np.tile(case.reference, times), np.tile(case.scores, times), case.labels
    )  # fmt: skip
    first, second = measured(case), measured(again)
    assume(first[1][0].value == second[1][0].value)  # floor(x N) allows k errors of N, and perhaps more than k n of n N
    for one, two in zip(first[0][0].rates, second[0][0].rates, strict=True):
        assert two.errors == times * one.errors
        assert two.trials == times * one.trials
        if one.variance is None or one.value in (None, 0, 1) or one.view == "generalised":
            continue
        independent = one.value * (1 - one.value) / one.trials
        if one.variance > independent * (1 + 1e-9):  # the floor of independent trials does shrink
            assert two.variance == pytest.approx(one.variance, rel=1e-9)
            assert two.interval.low == pytest.approx(one.interval.low, rel=1e-7, abs=1e-12)
            assert two.interval.high == pytest.approx(one.interval.high, rel=1e-7, abs=1e-12)
        assert two.variance >= one.variance / times * (1 - 1e-9)


@given(told())
@settings(max_examples=30, deadline=None)
def test_cells_add_up_to_everyone(case: Told) -> None:
    (one,), _, grouping = measured(case)
    everyone = next(r for r in one.rates if r.metric == "FMR" and not r.group.items)
    cells = [r for r in one.rates if r.metric == "FMR" and r.group.items]
    assert sum(r.trials for r in cells) == everyone.trials
    assert sum(r.errors for r in cells) == everyone.errors
    for r in one.rates:
        if r.interval is not None and r.value is not None:
            assert 0 <= r.interval.low <= r.value <= r.interval.high <= 1
    for c in disparities.contrasts(one, grouping, SETTINGS):
        if c.result is not None and c.result.ratio is not None:
            assert np.isfinite(c.result.ratio)
            assert c.p_adjusted is None or c.p_adjusted >= c.result.p
            assert c.p_max_z is None or c.p_max_z >= c.result.p
    for test in disparities.equalities(one, grouping):
        assert (test.p is None) == (test.reason is not None)
