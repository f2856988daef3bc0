"""Everything at one operating point: metamorphic properties on simulated people."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import SETTINGS, Case

from audit.domain import DemographicGroup
from audit.metrics import disparities, evaluation, points


def test_groups_and_cross_groups_add_up_to_everyone() -> None:
    case = Case({"a": 20, "b": 15, "c": 5}, {})
    cells = [r for r in case.measured.rates if r.metric == "FMR" and r.group.items]
    assert sum(r.trials for r in cells) == case.rate("FMR").trials
    assert sum(r.errors for r in cells) == case.rate("FMR").errors
    assert case.rate("FMR").errors <= 0.05 * case.rate("FMR").trials


def test_a_group_of_lookalikes_has_the_highest_false_match_rate_and_a_disparity() -> None:
    case = Case({"a": 60, "b": 60, "c": 60}, {"c": 1.2})
    made = disparities.contrasts(case.measured, case.grouping, SETTINGS)
    found = {(c.metric, c.group.as_dict()["tone"], str(c.against)): c for c in made}
    assert found["FMR", "c", "tone=a"].result.verdict == "DISPARITY"
    assert found["FMR", "c", "None"].result.ratio > 2
    assert found["FMR", "b", "tone=a"].result.verdict != "DISPARITY"
    spread = next(
        s for s in disparities.spreads(case.measured, case.evidence, case.grouping, SETTINGS)
        if s.result.measure == "max/geomean" and s.metric == "FMR"
    )  # fmt: skip
    assert str(spread.included[spread.result.worst]) == "tone=c"
    assert spread.result.verdict == "DISPARITY"
    assert spread.result.null_p < 0.05


def test_equal_groups_are_no_disparity() -> None:
    case = Case({"a": 60, "b": 60, "c": 60}, {}, seed=4)
    for c in disparities.contrasts(case.measured, case.grouping, SETTINGS):
        assert c.result.verdict != "DISPARITY"
    for s in disparities.spreads(case.measured, case.evidence, case.grouping, SETTINGS):
        assert s.result.verdict != "DISPARITY"


def test_the_view_by_group_hides_what_the_global_view_shows() -> None:
    case = Case({"a": 60, "c": 60}, {"c": 1.2})
    counts, slots = points.own_counts(case.pairs, case.grouping, case.points)
    own = evaluation.own_rates(counts, case.grouping, case.points, slots, level=0.95, min_subjects=2)
    fmr = {str(r.group): r.value for r in own if r.metric == "FMR"}
    assert max(fmr.values()) <= 0.05
    assert case.rate("FMR", tone="c").value > 2 * case.rate("FMR", tone="a").value


def test_the_rest_of_a_group_is_the_other_groups_pooled() -> None:
    case = Case({"a": 12, "b": 9, "c": 5}, {})
    tally = case.measured.tallies["FMR"]
    position = case.grouping.index(DemographicGroup.of(tone="a"))
    rest = case.measured.local(position, rest=True)
    others = [case.rate("FMR", tone=name) for name in ("b", "c")]
    assert tally.trials[rest] == sum(r.trials for r in others)
    assert tally.errors[rest] == sum(r.errors for r in others)


def test_covariance_of_disjoint_groups_is_their_own() -> None:
    """Mated errors of different people are independent: only the everyone and rest columns share people."""
    case = Case({"a": 20, "b": 15}, {}, target=0.003, noise=1.5)
    a, b = (case.measured.column("FNMR", case.grouping.index(DemographicGroup.of(tone=t))) for t in "ab")
    everyone = case.measured.column("FNMR", 0)
    assert case.measured.covariance[a, b] == pytest.approx(0)
    assert case.measured.covariance[a, a] > 0
    assert case.measured.covariance[a, everyone] > 0


def test_intersections_are_families_of_their_own() -> None:
    case = Case({"a": 20, "b": 20}, {}, by=("tone", "sex"))
    families = {c.family for c in disparities.contrasts(case.measured, case.grouping, SETTINGS)}
    assert {name.split(" | ")[2] for name in families} == {"tone", "sex", "tone x sex"}


def test_a_named_reference_is_taken_and_else_the_largest() -> None:
    case = Case({"a": 20, "b": 30}, {})
    against = lambda settings: {  # noqa: E731
        str(c.against) for c in disparities.contrasts(case.measured, case.grouping, settings) if c.against
    }
    assert against(SETTINGS) == {"tone=b"}
    named = disparities.Settings(0.95, 0.05, SETTINGS.margins, 2, {"tone": "a"}, 7, 500)
    assert against(named) == {"tone=a"}


def test_the_reference_of_an_intersection_has_every_reference_value() -> None:
    """The largest values, not the largest cell; a named value counts in the intersection too."""
    case = Case({"a": 21, "b": 30}, {}, by=("sex", "tone"))
    assert str(case.grouping.groups[disparities.reference_of(case.grouping, ["sex"], {})]) == "sex=f"
    assert str(case.grouping.groups[disparities.reference_of(case.grouping, ["sex", "tone"], {})]) == "sex=f & tone=b"
    named = disparities.reference_of(case.grouping, ["sex", "tone"], {"tone": "a"})
    assert str(case.grouping.groups[named]) == "sex=f & tone=a"


def test_small_groups_stay_out_of_spreads_and_in_the_table() -> None:
    case = Case({"a": 40, "b": 40, "c": 4}, {})
    assert case.rate("FMR", tone="c").value is not None
    for s in disparities.spreads(case.measured, case.evidence, case.grouping, SETTINGS):
        assert "tone=c" in {str(group) for group, _ in s.excluded}


def test_identical_distributions_score_the_same_at_any_size() -> None:
    """The first known mistake of other tools: a score that depends on group size. Intervals hold the pooled rate."""
    for sizes in ({"a": 110, "b": 110}, {"a": 110, "b": 35}, {"a": 110, "b": 20}):
        case = Case(sizes, {}, seed=9)
        pooled = case.rate("FMR").value
        for tone in "ab":
            rate = case.rate("FMR", tone=tone)
            assert rate.interval.low <= pooled <= rate.interval.high


def test_a_coarse_pass_and_a_refined_one_give_the_exact_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = Case({"a": 30, "b": 20}, {"b": 0.8}, target=0.03)
    monkeypatch.setattr("audit.compare.counts.EXACT_ROWS", 100)
    refined = Case({"a": 30, "b": 20}, {"b": 0.8}, target=0.03)
    assert exact.scores.exact
    assert not refined.scores.exact
    assert [(p.id, p.value, p.achieved_fmr) for p in exact.points] == [
        (p.id, p.value, p.achieved_fmr) for p in refined.points
    ]
    assert exact.measured.rates == refined.measured.rates


def test_a_difference_rests_on_the_intervals_of_its_two_rates() -> None:
    """MOVER by hand (Zou and Donner 2008) from the intervals that the table shows."""
    case = Case({"a": 40, "b": 40}, {"b": 1.0}, target=0.02)
    found = next(
        c for c in disparities.contrasts(case.measured, case.grouping, SETTINGS)
        if c.metric == "FNMR" and c.against is not None
    )  # fmt: skip
    one = case.rate("FNMR", **found.group.as_dict())
    other = case.rate("FNMR", **found.against.as_dict())
    low = one.value - other.value - np.hypot(one.value - one.interval.low, other.interval.high - other.value)
    high = one.value - other.value + np.hypot(one.interval.high - one.value, other.value - other.interval.low)
    assert found.result.difference == pytest.approx(one.value - other.value)
    assert (found.result.difference_interval.low, found.result.difference_interval.high) == pytest.approx((low, high))
