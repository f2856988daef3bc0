"""FPIR and FNIR with their uncertainty: worked out by hand, and against a variance that is summed person by person."""

from __future__ import annotations

import numpy as np
import pytest

from audit.compare.identify import ListCounts
from audit.domain import DemographicGroup
from audit.groups import Grouping
from audit.metrics import identification
from audit.metrics.identification import NO_THRESHOLD, Failed

ATOMS = 2
PEOPLE = 60
THRESHOLDS = np.array([0.5])


def grouping() -> Grouping:
    """Everyone, and two groups of thirty."""
    names = (DemographicGroup(), DemographicGroup.of(side="left"), DemographicGroup.of(side="right"))
    member = np.array([[True, True], [True, False], [False, True]])
    return Grouping(("side",), names, np.repeat([0, 1], PEOPLE // 2), member)


def counts(rng: np.random.Generator) -> tuple[ListCounts, np.ndarray]:
    """Every second person is on the list; three probes each. Also who alone caused what: tested x listed."""
    listed = np.arange(PEOPLE) % 2 == 0
    atom = grouping().atom_of
    alone = np.zeros((PEOPLE, PEOPLE), dtype=np.int64)
    wrong = np.zeros(PEOPLE, dtype=np.int64)
    for person in np.flatnonzero(~listed):
        for _ in range(3):
            causes = np.flatnonzero(listed & (rng.random(PEOPLE) < 0.02 * (1 + 2 * (np.arange(PEOPLE) < 6))))
            wrong[person] += len(causes) > 0
            if len(causes) == 1:
                alone[person, causes[0]] += 1
    caused, squares = np.zeros((1, PEOPLE, ATOMS), dtype=np.int64), np.zeros((1, ATOMS), dtype=np.int64)
    for a in range(ATOMS):
        caused[0, :, a] = alone[atom == a].sum(axis=0)
        squares[0, a] = (alone[atom == a] ** 2).sum()
    tested = np.where(listed, 0, 3)
    missed = np.where(listed, rng.binomial(3, 0.3, PEOPLE), 0)
    none = np.zeros((ATOMS, ATOMS), dtype=np.int64)
    made = ListCounts(
        THRESHOLDS, np.array([15, 30]), tested, np.array([[wrong // 2], [wrong]]), caused, squares, 3 - tested,
        np.array([1]), np.array([[missed]]), np.array([missed, missed // 2]), none, none[None],
    )  # fmt: skip
    return made, alone


def plain_variance(wrong: np.ndarray, tested: np.ndarray, alone: np.ndarray, listed: np.ndarray) -> float:
    """By person tested, plus by person on the list, less by pair; small-sample factor and floors as documented."""
    total, p = tested.sum(), wrong.sum() / tested.sum()
    by_tested = sum((e - p * c) ** 2 for e, c in zip(wrong, tested, strict=True))
    causes = alone.sum(axis=0)[listed]
    by_listed = sum((c - causes.mean()) ** 2 for c in causes)
    n = (tested > 0).sum()
    both = (by_tested + by_listed - (alone**2).sum()) * n / (n - 4)
    return max(both, (alone**2).sum(), p * (1 - p) * total) / total**2


def test_variance_of_false_positives_is_that_of_both_sides() -> None:
    made, alone = counts(np.random.default_rng(5))
    groups, listed = grouping(), made.mated > 0
    tally = identification.false_positives(made, 0, groups, made.nonmated)
    measured = identification.measure(
        made, Failed(0 * made.mated, 0 * made.mated), groups,
        identification.Threshold("t", "given", DemographicGroup(), None, 0.5, None, ""), 1, level=0.95, min_subjects=2,
    )  # fmt: skip
    for position in range(3):
        inside = groups.member[position, groups.atom_of]
        wrong = made.false_positives[-1, 0] * inside
        expected = plain_variance(wrong[~listed], made.nonmated[~listed] * inside[~listed], alone[inside], listed)
        column = measured.column("FPIR", position)
        assert measured.covariance[column, column] == pytest.approx(expected, rel=1e-12)
        assert tally.errors[position] == wrong.sum()


def test_rates_by_hand_and_failures_count_in_the_generalised_view() -> None:
    made, _ = counts(np.random.default_rng(5))
    lost = np.zeros(PEOPLE, dtype=np.int64)
    found, strangers = lost.copy(), lost.copy()
    found[0], strangers[1] = 2, 5
    point = identification.Threshold("t", "given", DemographicGroup(), None, 0.5, None, "")
    rates = {
        (rate.metric, rate.view, str(rate.group)): rate
        for rate in identification.measure(
            made, Failed(strangers, found), grouping(), point, 1, level=0.95, min_subjects=2
        ).rates
    }
    alarms, misses = int(made.false_positives[-1, 0].sum()), int(made.misses.sum())
    plain, whole = (rates["FPIR", view, "everyone"] for view in ("conditional", "generalised"))
    assert (plain.errors, plain.trials, whole.errors, whole.trials) == (alarms, 90, alarms, 95)
    plain, whole = (rates["FNIR", view, "everyone"] for view in ("conditional", "generalised"))
    assert (plain.errors, plain.trials, whole.errors, whole.trials) == (misses, 90, misses + 2, 92)
    assert rates["FNIR", "generalised", "side=right"].trials == rates["FNIR", "conditional", "side=right"].trials
    assert all(rate.interval is not None and rate.subjects in {15, 30} for rate in rates.values())


def test_without_a_threshold_the_order_alone_decides() -> None:
    made, _ = counts(np.random.default_rng(5))
    none = Failed(0 * made.mated, 0 * made.mated)
    by_rank = [
        identification.measure(made, none, grouping(), NO_THRESHOLD, rank, level=0.95, min_subjects=2).rates[0]
        for rank in (1, 2, 9)
    ]
    assert [rate.errors for rate in by_rank] == [*made.beyond.sum(axis=1), made.beyond[-1].sum()]
    curve = identification.found_by_rank(made, grouping(), level=0.95, min_subjects=2)
    assert [rates[0].errors for rates in curve] == made.beyond.sum(axis=1).tolist()


def test_thresholds_never_exceed_their_target() -> None:
    scores, numbers = np.array([0.1, 0.2, 0.4]), np.array([90, 5, 5])
    one, two, none = identification.thresholds_at(scores, numbers, (0.1, 0.07, 0.001))
    assert (one.point.value, one.achieved) == (0.2, 0.1)
    assert (two.point.value, two.achieved) == (0.4, 0.05)
    assert none.point.value is None
    assert none.point.reason == (
        "not estimable: 100 probes of people who are not on the list, fewer than one false alarm expected"
    )
    (nobody,) = identification.thresholds_at(np.zeros(0), np.zeros(0, dtype=np.int64), (0.1,))
    assert nobody.point.value is None


def test_false_positives_grow_with_the_list() -> None:
    made, _ = counts(np.random.default_rng(5))
    half, whole = identification.growth(made, 0, grouping(), level=0.95, min_subjects=2)
    assert (half.errors, whole.errors) == tuple(made.false_positives[:, 0].sum(axis=1))


def test_outcomes_by_atoms_add_up_to_those_of_groups() -> None:
    numbers = np.array([[3, 1], [2, 5]])
    assert identification.between_groups(numbers, grouping(), ("side",)).tolist() == numbers.tolist()
