"""Groups that overlap, as where people choose several answers: their covariance, contrasts, spreads and replicates."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from simulated import SETTINGS

from audit import groups, remarks
from audit.compare import by_subject, halves
from audit.compare.pairs import ListedPairs
from audit.domain import Attribute, Benchmark, Consent, DemographicGroup, Subject, Threshold
from audit.groups import Grouping
from audit.metrics import disparities, evaluation, spreads, vertex_bootstrap
from audit.metrics.cells import make_cells
from audit.metrics.contrasts import contrast
from audit.metrics.evaluation import Acquired, Measured
from audit.metrics.rates import interval
from audit.stats.nulls import wald_equality

POINT = Threshold("given", "given", DemographicGroup(), None, 0.0, None, "")


def grouped(values: list[tuple[str, ...]]) -> Grouping:
    subjects = tuple(Subject(f"p{k}", {"origin": held}) for k, held in enumerate(values))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    attributes = {"origin": Attribute("origin", "assigned-by-design")}
    benchmark = Benchmark("s", "S", "1", Path(), consent, "c", attributes, ("origin",), subjects, (), "")
    return groups.make(benchmark, ["origin"], subjects)


def choose(rng: np.random.Generator, people: int, both: float = 0.35) -> list[tuple[str, ...]]:
    """Answers of people: one of a, b, c, or with probability `both` two of them."""
    return [tuple(rng.permutation(list("abc"))[: 1 + (rng.random() < both)]) for _ in range(people)]


@dataclass
class Compared:
    """Scores of everybody with everybody, and three mated comparisons of each; accepted at 0 and above."""

    grouping: Grouping
    first: np.ndarray
    second: np.ndarray
    scores: np.ndarray

    @property
    def pairs(self) -> ListedPairs:
        return ListedPairs(self.first, self.second, self.scores, self.grouping.atom_of, self.grouping.atoms)

    def measured(self) -> tuple[Measured, disparities.Evidence]:
        people = len(self.grouping.atom_of)
        half = halves(self.grouping.atom_of, 4, np.random.default_rng(1))
        counts = self.pairs.at(np.array([0.0]), half, 4)
        acquired = Acquired(np.zeros(people, dtype=np.int64), np.full(people, 2))
        measured = evaluation.measure(counts, acquired, self.grouping, POINT, level=0.95, min_subjects=2)
        return measured, disparities.Evidence(counts, acquired, half, 4)


def compare(rng: np.random.Generator, values: list[tuple[str, ...]], fmr_shift: float = -1.5) -> Compared:
    """A score is what both people bring and what the comparison does: people depend, groups have one rate."""
    people = len(values)
    own, mated = rng.normal(0, 0.5, people), rng.normal(1.3, 0.6, people)
    one, two = np.triu_indices(people, 1)
    scores = own[one] + own[two] + rng.normal(0, 0.8, len(one)) + fmr_shift
    same = np.repeat(np.arange(people), 3)
    return Compared(
        grouped(values),
        np.r_[one, same],
        np.r_[two, same],
        np.r_[scores, mated[same] + rng.normal(0, 0.8, len(same))],
    )


def test_covariances_are_those_of_a_double_loop_over_comparisons_that_share_somebody() -> None:
    """Cov(p_k, p_l) M_k M_l = sum of y_x y_z over comparisons x in k, z in l with a person in common."""
    rng = np.random.default_rng(3)
    values = choose(rng, 22)
    case = compare(rng, values, fmr_shift=-0.6)
    measured, _ = case.measured()
    names = [group.as_dict().get("origin") for group in case.grouping.groups]
    inside = [np.array([name is None or name in held for held in values]) for name in names]
    family = [k for k, name in enumerate(names) if name]
    trials = list(zip(case.first.tolist(), case.second.tolist(), (case.scores >= 0).tolist(), strict=True))

    def cells(mated: bool) -> list[dict[tuple[int, int], tuple[int, int]]]:
        """Errors and trials by pair of people, for every group and then for the rest of every group."""
        made: list[dict[tuple[int, int], tuple[int, int]]] = []
        sides = [[k] for k in range(len(names))] + [[k for k in family if k != own] for own in family]
        for side in sides:
            table: dict[tuple[int, int], tuple[int, int]] = {}
            for i, j, accepted in trials:
                if (i == j) == mated and any(inside[k][i] and inside[k][j] for k in side):
                    e, c = table.get((i, j), (0, 0))
                    table[i, j] = (e + (accepted != mated), c + 1)
            made.append(table)
        return made

    tables = cells(mated=False) + cells(mated=True)
    totals = [sum(c for _, c in table.values()) for table in tables]
    rates = [sum(e for e, _ in table.values()) / total for table, total in zip(tables, totals, strict=True)]
    residuals = [{pair: e - p * c for pair, (e, c) in table.items()} for table, p in zip(tables, rates, strict=True)]
    people = [len({person for pair in table for person in pair}) for table in tables]
    count = len(tables)
    expected = np.zeros((count, count))
    for k, m in itertools.product(range(count), repeat=2):
        total = sum(x * z for one, x in residuals[k].items() for two, z in residuals[m].items() if set(one) & set(two))
        lost = [4 if each < count // 2 else 1 for each in (k, m)]
        factor = np.sqrt(np.prod([people[c] / (people[c] - less) for c, less in zip((k, m), lost, strict=True)]))
        expected[k, m] = total * factor / (totals[k] * totals[m])
    width = count // 2
    found = measured.covariance[: 2 * width, : 2 * width]
    off = ~np.eye(2 * width, dtype=bool)
    assert np.abs(expected[off]).max() > 1e-4  # there is something to share
    floors = np.array([p * (1 - p) / m for p, m in zip(rates, totals, strict=True)])
    assert np.diag(found) == pytest.approx(np.maximum(np.diag(expected), floors), rel=1e-9)
    # Clipping negative eigenvalues of the correlations (cells of 8 people) may move these a little.
    scale = np.sqrt(np.outer(np.diag(found), np.diag(found)))
    assert np.abs((found - expected) / scale)[off].max() < 0.05
    tally = measured.tallies["FMR"]
    assert tally.trials.tolist() == totals[:width]
    assert tally.rates == pytest.approx(rates[:width])


def test_under_equal_rates_contrasts_with_the_rest_hold_their_level() -> None:
    """Three overlapping groups of one rate, 120 people: nominal 5 %; without the shared part it would be far off."""
    rng = np.random.default_rng(11)
    tested, rejected, wrong, ratios, variances, blind = 0, 0, 0, [], [], []
    for _ in range(150):
        measured, _ = compare(rng, choose(rng, 120)).measured()
        for k in (1, 2, 3):
            columns = [measured.local(k), measured.local(k, rest=True)]
            cells = disparities.cells_of(measured, "FMR", columns)
            of = [interval(cells.rates[i], cells.covariance[i, i], 60, 0.95, paired=True) for i in (0, 1)]
            made = contrast(cells, 0, 1, margin=2.0, intervals=(of[0], of[1]))
            tested, rejected = tested + 1, rejected + (made.p < 0.05)
            wrong += made.verdict == "DISPARITY"
        ratios.append(np.log(cells.rates[0] / cells.rates[1]))
        own = np.diag(cells.covariance) / cells.rates**2
        variances.append(own.sum() - 2 * cells.covariance[0, 1] / cells.rates.prod())
        blind.append(own.sum())
    assert 0.02 <= rejected / tested <= 0.09
    assert wrong / tested <= 0.05
    assert np.mean(variances) == pytest.approx(np.var(ratios), rel=0.3)
    assert np.mean(blind) > 1.3 * np.var(ratios)


def test_spreads_and_equality_hold_their_level_under_overlap() -> None:
    rng = np.random.default_rng(12)
    spread_p, wald_p, taus = [], [], []
    for _ in range(60):
        measured, _ = compare(rng, choose(rng, 150, both=0.6)).measured()
        cells = disparities.cells_of(measured, "FMR", [1, 2, 3])
        found = spreads.spread("max/geomean", cells, margins=(2.0,), rng=np.random.default_rng(1), draws=400)
        spread_p.append(found.null_p)
        wald_p.append(found.wald_p)
        taus.append(found.tau)
        assert found.verdict != "DISPARITY"
    for p in (np.array(spread_p), np.array(wald_p)):
        assert (p < 0.05).mean() <= 0.15
        assert 0.35 <= p.mean() <= 0.65
    assert np.median(taus) < 0.1


def test_dispersion_of_groups_that_move_together_is_not_taken_away_twice() -> None:
    """Log rates of variance v and covariance rho v scatter by v (1 - rho) alone: E[S^2] of 20,000 draws."""
    v, rho, truth = 0.04, 0.8, 0.01
    sigma = v * (rho + (1 - rho) * np.eye(3))
    logs = np.log(0.1) + np.random.default_rng(2).multivariate_normal(np.zeros(3), sigma + truth * np.eye(3), 20_000)
    scatter = logs.var(axis=1, ddof=1).mean()
    assert scatter - v * (1 - rho) == pytest.approx(truth, rel=0.03)
    one = np.log([0.08, 0.1, 0.14])
    totals = np.full(3, 1e6)
    cells = make_cells(np.exp(one) * totals, totals, [50, 50, 50], sigma * np.exp(one[:, None] + one))
    assert spreads.tau(cells) ** 2 == pytest.approx(one.var(ddof=1) - v * (1 - rho), rel=1e-6)


def test_two_names_of_the_same_people_are_no_comparison() -> None:
    rng = np.random.default_rng(4)
    values = [("a", "b") if k % 2 else ("c",) for k in range(60)]
    case = compare(rng, values, fmr_shift=-0.6)
    measured, evidence = case.measured()
    made = list(disparities.contrasts(measured, case.grouping, SETTINGS))
    found = {(c.metric, c.group.as_dict()["origin"], c.against and c.against.as_dict()["origin"]): c for c in made}
    same = found["FMR", "b", "a"]
    assert same.result.ratio == 1
    assert same.result.p is None
    assert same.result.verdict == "INCONCLUSIVE"
    assert same.reason == "no test: one subject, or the same comparisons on both sides"
    assert found["FMR", "c", "a"].result.p is not None
    equal = [e for e in disparities.equalities(measured, case.grouping) if e.metric == "FMR"]
    assert all(e.p is None or 0 <= e.p <= 1 for e in equal)
    for one in disparities.spreads(measured, evidence, case.grouping, SETTINGS):
        assert one.result.value is None or np.isfinite(one.result.value)


def test_equality_of_groups_of_which_two_are_one_has_the_freedom_of_the_others() -> None:
    logs, two = np.array([0.0, 0.3]), np.diag([0.01, 0.02])
    index = [0, 1, 1]
    doubled = two[np.ix_(index, index)]
    doubled[1, 2] += 1e-19  # as rounding leaves it
    assert wald_equality(logs[index], doubled, 40) == pytest.approx(wald_equality(logs, two, 40), rel=1e-6)
    assert wald_equality(np.zeros(2), np.full((2, 2), 0.01), 40) == 1.0


def test_replicates_of_people_with_answers_of_their_own_vary_as_the_plug_in_says() -> None:
    """Nine answers, two or three of which everybody chose: most combinations are of one person."""
    rng = np.random.default_rng(9)
    names = [f"v{k}" for k in range(9)]
    values = [tuple(rng.choice(names, rng.integers(2, 4), replace=False)) for _ in range(100)]
    people = len(values)
    own = rng.normal(0, 0.8, people)
    one, two = np.triu_indices(people, 1)
    scores = own[one] + own[two] + rng.normal(0, 0.2, len(one)) - 1.2
    same = np.arange(people)
    case = Compared(grouped(values), np.r_[one, same], np.r_[two, same], np.r_[scores, np.ones(people)])
    assert np.median(np.bincount(case.grouping.atom_of)) == 1
    measured, _ = case.measured()
    held = vertex_bootstrap.tail(case.pairs, case.grouping, 0.0)
    table, _ = by_subject.collect(
        case.pairs, np.zeros(0), case.grouping.atom_of, np.ones((case.grouping.atoms,) * 2, dtype=bool),
        case.pairs.scores().grid, [],
    )  # fmt: skip
    made = vertex_bootstrap.resample(held, table, case.grouping, POINT, 150, np.random.default_rng(1))
    plug_in = np.sqrt(np.diag(measured.covariance)[: len(case.grouping.groups)])
    ratio = made.fmr.std(axis=0) / plug_in
    assert 0.8 <= ratio[0] <= 1.2
    assert 0.75 <= np.median(ratio[1:]) <= 1.4


def test_where_groups_are_disjoint_people_are_drawn_by_their_labels() -> None:
    grouping = grouped([("a",), ("b",), ("b",), ("c",)])
    assert [each.tolist() for each in vertex_bootstrap.strata(grouping)] == [[0], [1, 2], [3]]
    assert grouping.several() == {}
    assert remarks.of_groups(grouping) == []


def test_the_report_says_that_groups_overlap() -> None:
    grouping = grouped([("a",), ("a", "b"), ("b", "a"), ("c",)])
    assert grouping.several() == {"origin": 2}
    (said,) = remarks.of_groups(grouping)
    assert said.startswith("2 of 4 people carry several values of origin and count in each: these groups overlap")
