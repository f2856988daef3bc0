"""Tail quantiles of scores against hand counts, brute force and simulation with subject effects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, norm

from audit import groups
from audit.compare.pairs import ListedPairs
from audit.domain import Attribute, Benchmark, Consent, Subject
from audit.groups import Grouping
from audit.metrics import score_shift
from audit.metrics.score_shift import ScoreShift


def grouping_of(sizes: dict[str, int]) -> Grouping:
    subjects = [Subject(f"{name}{k}", {"tone": (name,)}) for name, size in sizes.items() for k in range(size)]
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    attributes = {"tone": Attribute("tone", "annotated")}
    benchmark = Benchmark("s", "S", "1", Path(), consent, "c", attributes, ("tone",), tuple(subjects), (), "")
    return groups.make(benchmark, ["tone"], subjects)


def shifts_of(pairs: ListedPairs, grouping: Grouping, level: float = 0.95) -> list[ScoreShift]:
    tails = score_shift.tails(pairs.scores(), grouping)
    people = len(grouping.atom_of)
    limits, cells = score_shift.thresholds(tails, people, grouping)
    counts = pairs.at(limits, np.zeros(people, dtype=np.int64), 0, cells)
    return score_shift.shifts(tails, counts, grouping, level=level, min_subjects=2)


def one(found: list[ScoreShift], name: str, share: float, *, mated: bool) -> ScoreShift:
    return next(s for s in found if s.group.as_dict()["tone"] == name and s.share == share and s.mated == mated)


def people_and_scores(
    rng: np.random.Generator, sizes: dict[str, int], shift: float = 0.0, effect: float = 0.5, mated: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score of i and j is N(0, 1) + a_i + a_j (mated: 3 + a_i); group b is shifted by `shift`."""
    n = sum(sizes.values())
    a = rng.normal(0, effect, n)
    up = np.r_[np.zeros(sizes["a"]), np.full(sizes["b"], shift)]
    i, j = np.triu_indices(n, 1)
    own = np.repeat(np.arange(n), mated)
    non = rng.normal(size=len(i)) + a[i] + a[j] + (up[i] + up[j]) / 2
    yes = 3 + rng.normal(size=len(own)) + a[own] + up[own]
    return np.r_[i, own], np.r_[j, own], np.r_[non, yes]


def test_quantiles_and_shift_by_hand() -> None:
    """Mated scores 1..20 of group a, 11..30 of group b; alpha .25 leaves five of twenty below."""
    grouping = grouping_of({"a": 20, "b": 20})
    who = np.arange(40)
    pairs = ListedPairs(who, who, np.r_[np.arange(1.0, 21), np.arange(11.0, 31)], grouping.atom_of, 2)
    found = one(shifts_of(pairs, grouping), "b", 0.25, mated=True)
    assert (found.value, found.rest) == (16.0, 6.0)
    sd = np.sqrt((20**2 - 1) / 12)
    assert found.deviation == pytest.approx(sd)
    assert found.shift == pytest.approx(10 / sd)
    assert (found.subjects, found.rest_subjects, found.trials) == (20, 20, 20)
    assert found.interval is not None
    assert found.interval.low < found.shift < found.interval.high


def test_non_mated_quantiles_against_a_double_loop() -> None:
    grouping = grouping_of({"a": 30, "b": 25})
    i, j, scores = people_and_scores(np.random.default_rng(1), {"a": 30, "b": 25})
    pairs = ListedPairs(i, j, scores, grouping.atom_of, 2)
    found = one(shifts_of(pairs, grouping), "b", 0.01, mated=False)
    within = [s for p, q, s in zip(i, j, scores, strict=True) if p != q and p >= 30 and q >= 30]
    rest = [s for p, q, s in zip(i, j, scores, strict=True) if p != q and p < 30 and q < 30]
    for values, quantile in ((within, found.value), (rest, found.rest)):
        assert sum(s >= quantile for s in values) <= 0.01 * len(values)
        below = max(s for s in values if s < quantile)
        assert sum(s >= below for s in values) > 0.01 * len(values)
    pooled = np.sqrt((np.var(within) * len(within) + np.var(rest) * len(rest)) / (len(within) + len(rest)))
    assert found.shift == pytest.approx((found.value - found.rest) / pooled)


def test_equal_groups_swap_sign_and_units_do_not_matter() -> None:
    grouping = grouping_of({"a": 40, "b": 40})
    i, j, scores = people_and_scores(np.random.default_rng(2), {"a": 40, "b": 40}, shift=0.4)
    plain = shifts_of(ListedPairs(i, j, scores, grouping.atom_of, 2), grouping)
    scaled = shifts_of(ListedPairs(i, j, 8 * scores + 2, grouping.atom_of, 2), grouping)
    for one_, other in zip(plain, scaled, strict=True):
        assert (one_.shift is None) == (other.shift is None)
        if one_.shift is not None:
            assert one_.shift == pytest.approx(other.shift)
            assert (one_.interval is None) == (other.interval is None)
    for share, mated in ((0.05, False), (0.1, True)):
        a, b = (one(plain, name, share, mated=mated) for name in "ab")
        assert a.shift == pytest.approx(-b.shift)
        assert a.interval.low == pytest.approx(-b.interval.high)


def test_the_acceptance_region_of_the_exact_interval_is_the_binomial_one() -> None:
    """A count of n is accepted iff neither binomial tail is at most 2.5 %: a witness without beta quantiles."""
    n, share = 40, 0.1
    few, many = score_shift.acceptable(share, n, 0.95, exact=True)
    kept = [k for k in range(n + 1) if min(binom.cdf(k, n, share), binom.sf(k - 1, n, share)) > 0.025]
    assert kept[0] - 1 < few * n <= kept[0]
    assert kept[-1] <= many * n < kept[-1] + 1


def test_what_cannot_be_estimated_is_said() -> None:
    grouping = grouping_of({"a": 30, "b": 2, "c": 1})
    i, j = np.triu_indices(33, 1)
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(32), 1)
    pairs = ListedPairs(np.r_[i, who], np.r_[j, who], rng.normal(size=len(i) + 32), grouping.atom_of, 3)
    found = shifts_of(pairs, grouping)
    tiny = one(found, "b", 0.05, mated=False)
    assert tiny.shift is None
    assert tiny.reason == "the group has 1 comparison, fewer than 20"
    assert one(found, "c", 0.05, mated=False).reason == "the group has no comparison"
    assert one(found, "a", 0.05, mated=False).shift is None  # the rest has one comparison
    for s in found:
        assert (s.shift is None) <= (s.reason is not None)
        assert s.interval is None or np.isfinite([s.interval.low, s.interval.high]).all()
        assert s.interval is not None or s.reason


def test_one_person_is_not_shown() -> None:
    grouping = grouping_of({"a": 30, "b": 1})
    own = np.r_[np.repeat(np.arange(30), 2), np.full(20, 30)]
    found = shifts_of(ListedPairs(own, own, np.arange(80.0), grouping.atom_of, 2), grouping)
    hidden = one(found, "b", 0.25, mated=True)
    assert hidden.value is None
    assert hidden.rest is not None
    assert "fewer than 2 people" in hidden.reason


def test_constant_scores_have_no_shift() -> None:
    grouping = grouping_of({"a": 30, "b": 30})
    own = np.arange(60)
    found = shifts_of(ListedPairs(own, own, np.ones(60), grouping.atom_of, 2), grouping)
    assert {s.reason for s in found if s.mated and s.value is not None} == {"all scores are equal"}
    i, j = np.triu_indices(60, 1)
    found = shifts_of(ListedPairs(i, j, np.ones(len(i)), grouping.atom_of, 2), grouping)
    assert (
        one(found, "a", 0.05, mated=False).reason
        == "the group has more than 0.05 of its comparisons at one extreme score"
    )


def test_too_many_quantiles_share_the_nearest_design_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    grouping = grouping_of({"a": 60, "b": 60})
    i, j, scores = people_and_scores(np.random.default_rng(4), {"a": 60, "b": 60})
    pairs = ListedPairs(i, j, scores, grouping.atom_of, 2)
    exact = shifts_of(pairs, grouping)
    monkeypatch.setattr(score_shift, "MOST", 0)
    tails = score_shift.tails(pairs.scores(), grouping)
    assert len(score_shift.thresholds(tails, 120, grouping)[0]) == 8
    shared = shifts_of(pairs, grouping)
    for one_, other in zip(exact, shared, strict=True):
        assert one_.shift == other.shift
        if one_.interval is not None and other.interval is not None:
            assert other.interval.high - other.interval.low == pytest.approx(
                one_.interval.high - one_.interval.low, rel=0.6
            )


def test_a_histogram_gives_the_same_within_a_bin(monkeypatch: pytest.MonkeyPatch) -> None:
    grouping = grouping_of({"a": 40, "b": 40})
    i, j, scores = people_and_scores(np.random.default_rng(5), {"a": 40, "b": 40})
    pairs = ListedPairs(i, j, scores, grouping.atom_of, 2)
    exact = shifts_of(pairs, grouping)
    monkeypatch.setattr("audit.compare.counts.EXACT_ROWS", 100)
    assert not pairs.scores().exact
    width = (scores.max() - scores.min()) / (1 << 14)
    for one_, other in zip(exact, shifts_of(pairs, grouping), strict=True):
        if one_.value is not None and other.value is not None:
            assert abs(one_.value - other.value) <= 1.01 * width


REPLICATES = pytest.mark.parametrize("replicates", [200, pytest.param(2000, marks=pytest.mark.coverage_mc)])


@REPLICATES
def test_intervals_cover_where_people_differ(replicates: int) -> None:
    """80 people a group, subject effects of .5: every tail covers its true quantile difference 90 to 98.5 %."""
    rng = np.random.default_rng(6)
    sizes = {"a": 80, "b": 80}
    grouping = grouping_of(sizes)
    hits: dict[tuple[bool, float], list[bool]] = {}
    naive = []
    for _ in range(replicates):
        i, j, scores = people_and_scores(rng, sizes, shift=0.3)
        for found in shifts_of(ListedPairs(i, j, scores, grouping.atom_of, 2), grouping):
            if found.group.as_dict()["tone"] == "b" and found.interval is not None and found.share > 0.001:
                truth = 0.3 / found.deviation
                held = found.interval.low <= truth <= found.interval.high
                hits.setdefault((found.mated, found.share), []).append(held)
                if not found.mated and found.share == 0.05:
                    # What pretending that comparisons are independent would have given.
                    z = norm.isf(0.05)
                    error = np.sqrt(0.05 * 0.95 / found.trials * 2) / norm.pdf(z)
                    naive.append(abs(found.shift - truth) <= 1.96 * error)
    noise = 3 * np.sqrt(0.95 * 0.05 / replicates)
    assert set(hits) == {(False, 0.05), (False, 0.01), (True, 0.25), (True, 0.1), (True, 0.05)}
    for tail, held in hits.items():
        assert 0.90 - noise <= np.mean(held) <= 0.985 + noise, tail
        assert len(held) >= 0.95 * replicates, tail
    assert np.mean(naive) < 0.8
