"""The vertex bootstrap against brute force, against the plug-in variance, and against its own threshold."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import Case

from audit.compare import by_subject
from audit.compare.all_pairs import AllPairs
from audit.compare.pairs import ListedPairs
from audit.domain import DemographicGroup, Threshold
from audit.metrics import evaluation, vertex_bootstrap
from audit.metrics.vertex_bootstrap import Resampled, Tail


def held_of(case: Case, pairs: AllPairs | ListedPairs, lowest: float = -1.0) -> tuple[Tail, by_subject.PairErrors]:
    held = vertex_bootstrap.tail(pairs, case.grouping, lowest)
    everybody = np.ones((case.grouping.atoms, case.grouping.atoms), dtype=bool)
    table, _ = by_subject.collect(pairs, np.zeros(0), case.grouping.atom_of, everybody, case.scores.grid, [])
    assert held is not None
    assert table is not None
    return held, table


class Fixed:
    """A generator that draws what a test wants."""

    def __init__(self, weights: np.ndarray, atom_of: np.ndarray) -> None:
        self.draws = [weights[atom_of == atom] for atom in range(int(atom_of.max()) + 1)]
        self.turn = 0

    def multinomial(self, total: int, shares: np.ndarray) -> np.ndarray:
        made = self.draws[self.turn % len(self.draws)]
        assert made.sum() == total == len(shares)
        self.turn += 1
        return made


def listed(pairs: AllPairs, case: Case) -> ListedPairs:
    first, second, scores = (np.concatenate(c) for c in zip(*pairs.chunks(), strict=True))
    return ListedPairs(second, first, scores, case.grouping.atom_of, case.grouping.atoms)


def given(value: float) -> Threshold:
    return Threshold("given", "given", DemographicGroup(), None, value, None, "")


@pytest.mark.parametrize("as_list", [False, True])
def test_a_replicate_is_that_of_people_written_down_as_often_as_they_were_drawn(as_list: bool) -> None:
    """Brute force: copies of people are people of their own; pairs of copies are filled with the observed rate."""
    case = Case({"a": 8, "b": 7}, {}, seed=3)
    pairs: AllPairs | ListedPairs = case.pairs
    held, table = held_of(case, listed(case.pairs, case) if as_list else pairs)
    weights = np.array([2, 0, 1, 1, 3, 0, 1, 0, 1, 1, 0, 2, 2, 1, 0])
    threshold = case.point.value
    made = vertex_bootstrap.resample(
        held, table, case.grouping, given(threshold), 1, Fixed(weights, case.grouping.atom_of)  # type: ignore[arg-type]
    )  # fmt: skip
    assert made is not None
    first, second, scores = (np.concatenate(c) for c in zip(*case.pairs.chunks(), strict=True))
    people = np.repeat(np.arange(15), weights)
    for k, group in enumerate(case.grouping.groups):
        inside = [p for p in people if not group.items or group.as_dict()["tone"] == ("a" if p < 8 else "b")]
        errors = trials = 0.0
        rate = case.rate("FMR", **group.as_dict())
        for x, one in enumerate(inside):
            for two in inside[:x]:
                own = ((first == one) & (second == two)) | ((first == two) & (second == one))
                trials += 4
                errors += 4 * rate.errors / rate.trials if one == two else (scores[own] >= threshold).sum()
        assert made.fmr[0, k] == pytest.approx(errors / trials)
        mated = [(p, s) for p in inside for s in scores[(first == p) & (second == p)]]
        assert made.fnmr[0, k] == pytest.approx(np.mean([s < threshold for _, s in mated]))


def spreads(people: float, pairs: float) -> list[tuple[str, float, float]]:
    """Metric, deviation of replicates, and plug-in standard error, of two groups of 120 people.

    A score is a sum of what both people bring (deviation `people`) and of what the comparison does (`pairs`).
    """
    rng = np.random.default_rng(5)
    case = Case({"a": 120, "b": 120}, {})
    one, two = np.triu_indices(240)
    own = rng.normal(0, people, 240)
    scores = own[one] + own[two] + rng.normal(0, pairs, len(one))
    listed = ListedPairs(one, two, scores, case.grouping.atom_of, case.grouping.atoms)
    value = float(np.quantile(scores, 0.9))
    counts = listed.at(np.array([value]), np.zeros(240, dtype=np.int64), 0)
    measured = evaluation.measure(counts, case.acquired, case.grouping, given(value), level=0.95, min_subjects=2)
    held, table = held_of(case, listed, lowest=value)
    made = vertex_bootstrap.resample(held, table, case.grouping, given(value), 800, np.random.default_rng(1))
    assert made is not None
    found = []
    for k, group in enumerate(case.grouping.groups[1:], start=1):
        for metric, drawn in (("FMR", made.fmr), ("FNMR", made.fnmr)):
            rate = next(r for r in measured.rates if r.metric == metric and r.group == group and not r.reference_group)
            assert drawn[:, k].mean() == pytest.approx(rate.value, rel=0.05)
            found.append((metric, drawn[:, k].std(), np.sqrt(rate.variance)))
    return found


def test_the_spread_of_replicates_is_the_plug_in_standard_error_where_people_decide() -> None:
    for _, drawn, plug_in in spreads(people=1.0, pairs=0.3):
        assert drawn == pytest.approx(plug_in, rel=0.15)


def test_where_comparisons_decide_it_is_wider_and_at_most_by_the_root_of_three() -> None:
    """A comparison that is an error weighs w_i w_j, whose variance is about 3 where that of one comparison is 1."""
    found = spreads(people=0.0, pairs=1.0)
    for metric, drawn, plug_in in found:
        if metric == "FMR":
            assert 1.3 <= drawn / plug_in <= 1.1 * np.sqrt(3)
        else:
            assert drawn == pytest.approx(plug_in, rel=0.15)


def test_a_threshold_set_anew_holds_the_target_in_every_replicate() -> None:
    case = Case({"a": 60, "b": 60}, {"b": 0.6}, seed=6, target=0.03)
    held, table = held_of(case, case.pairs)
    anew = vertex_bootstrap.resample(held, table, case.grouping, case.point, 200, np.random.default_rng(2))
    fixed = vertex_bootstrap.resample(
        held, table, case.grouping, given(case.point.value), 200, np.random.default_rng(2)
    )
    assert anew is not None
    assert fixed is not None
    assert anew.fmr[:, 0].max() <= 0.03 * 1.01  # copies are filled with the rate at the threshold of all data
    assert anew.fmr[:, 0].std() < 0.1 * fixed.fmr[:, 0].std()
    again = vertex_bootstrap.resample(held, table, case.grouping, case.point, 200, np.random.default_rng(2))
    np.testing.assert_array_equal(anew.fmr, again.fmr if again else None)


def test_a_tail_that_is_too_short_is_said() -> None:
    case = Case({"a": 30, "b": 30}, {}, seed=7, target=0.03)
    held, table = held_of(case, case.pairs, lowest=case.point.value)
    assert vertex_bootstrap.resample(held, table, case.grouping, case.point, 50, np.random.default_rng(3)) is None


def test_percentiles_of_measures() -> None:
    rng = np.random.default_rng(8)
    rates = rng.uniform(0.01, 0.02, (400, 3))
    made = Resampled(rates, rates[:, ::-1])
    found = vertex_bootstrap.interval("max/min", "FMR", made, [1, 2], np.array([100.0, 100.0]), 0.95)
    ratio = rates[:, 1:].max(axis=1) / rates[:, 1:].min(axis=1)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(ratio, [0.025, 0.975])))
    assert vertex_bootstrap.interval("garbe", "FMR+FNMR", made, [0, 1], np.full(4, 50.0), 0.95) is not None
    empty = Resampled(np.where(rng.random((400, 3)) < 0.3, np.nan, rates), rates)
    assert vertex_bootstrap.interval("gini", "FMR", empty, [0, 1], np.full(2, 50.0), 0.95) is None
    zeros = Resampled(np.where(rng.random((400, 3)) < 0.3, 0.0, rates), rates)
    found = vertex_bootstrap.interval("max/geomean", "FMR", zeros, [0, 1, 2], np.full(3, 50.0), 0.95)
    assert found is not None
    assert 1 <= found.low <= found.high < np.inf
