"""Rates, their intervals and their compositions, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audit.compare.pairs import ListedPairs
from audit.domain import DemographicGroup
from audit.metrics.rates import Cell, by_subject, error_rates, generalise, joint_covariance, nonmated
from audit.stats.intervals import korn_graubard, wilson

EVERYONE = [Cell(DemographicGroup())]
SHAPE = {"operating_point": "at", "level": 0.95, "min_subjects": 2}


def three_people() -> tuple[ListedPairs, np.ndarray]:
    """A and B in atom 0, C in atom 1; at .5, AB errs in 2 of 4 comparisons, AC in 1 of 2, BC in 1 of 2."""
    probe = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1])
    reference = np.array([0, 1, 1, 1, 1, 1, 2, 2, 2, 2])
    scores = np.array([0.9, 0.3, 0.5, 0.6, 0.1, 0.2, 0.6, 0.0, 0.4, 0.7])
    atom_of = np.array([0, 0, 1])
    return ListedPairs(probe, reference, scores, atom_of, 2), atom_of


def test_residuals_and_cross_sums_by_hand() -> None:
    pairs, atom_of = three_people()
    counts = pairs.at(np.array([0.55]), np.zeros(3, dtype=np.int64), 0)
    masks = np.array([[[True, True], [True, True]], [[True, False], [False, False]], [[False, True], [True, False]]])
    tally = nonmated(counts, atom_of, masks, 0.55)
    # At .55: AB 1 of 4, AC 1 of 2, BC 1 of 2; everyone 3 of 8.
    assert tally.errors.tolist() == [3, 1, 2]
    assert tally.trials.tolist() == [8, 4, 4]
    assert tally.subjects.tolist() == [3, 2, 3]
    p = 3 / 8
    y = {"AB": 1 - 4 * p, "AC": 1 - 2 * p, "BC": 1 - 2 * p}
    np.testing.assert_allclose(tally.residuals[:, 0], [y["AB"] + y["AC"], y["AB"] + y["BC"], y["AC"] + y["BC"]])
    assert tally.cross[0, 0] == pytest.approx(sum(value**2 for value in y.values()))
    assert tally.cross[0, 2] == pytest.approx(y["AC"] * (1 - 2 * 0.5) + y["BC"] * (1 - 2 * 0.5))
    assert tally.cross[1, 2] == 0


def test_rate_of_single_subjects_by_hand() -> None:
    tally = by_subject(np.array([1, 0, 2]), np.array([2, 2, 4]), np.array([[True, True, True], [False, False, True]]))
    assert tally.errors.tolist() == [3, 2]
    assert tally.trials.tolist() == [8, 4]
    np.testing.assert_allclose(tally.residuals[:, 0], [1 - 2 * 3 / 8, -2 * 3 / 8, 2 - 4 * 3 / 8])
    np.testing.assert_allclose(tally.residuals[:, 1], [0, 0, 0])


def test_no_error_among_few_people_takes_the_floor() -> None:
    """FMR: Wilson at half the people; FNMR: Korn and Graubard's interval at all of them."""
    pairs, atom_of = three_people()
    counts = pairs.at(np.array([0.95]), np.zeros(3, dtype=np.int64), 0)
    fmr = nonmated(counts, atom_of, np.ones((1, 2, 2), dtype=bool), 0.95)
    shown = error_rates("FMR", fmr, EVERYONE, np.diag(joint_covariance(fmr)), **SHAPE)[0]
    assert shown.value == 0
    assert (shown.interval.low, shown.interval.high) == pytest.approx(wilson(0.0, 1.5))
    assert shown.effective_errors == 0
    none = by_subject(np.zeros(40, dtype=np.int64), np.ones(40, dtype=np.int64), np.ones((1, 40), dtype=bool))
    fnmr = error_rates("FNMR", none, EVERYONE, np.zeros(1), **SHAPE)[0]
    assert (fnmr.interval.low, fnmr.interval.high) == pytest.approx(korn_graubard(0.0, 40))
    assert "Korn-Graubard" in fnmr.interval.method


def test_without_a_trial_there_is_no_number() -> None:
    tally = by_subject(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64), np.ones((1, 3), dtype=bool))
    shown = error_rates("FNMR", tally, EVERYONE, np.full(1, np.nan), **SHAPE)[0]
    assert (shown.value, shown.interval, shown.reason) == (None, None, "no mated comparison")


def test_one_person_is_not_given_as_a_rate() -> None:
    tally = by_subject(np.array([1]), np.array([2]), np.ones((1, 1), dtype=bool))
    shown = error_rates("FNMR", tally, EVERYONE, np.full(1, 0.1), **SHAPE)[0]
    assert (shown.value, shown.interval) == (None, None)
    assert "1 person" in shown.reason


def rates_of(mated: tuple[np.ndarray, np.ndarray], acquired: tuple[np.ndarray, np.ndarray]):
    inside = np.ones((1, len(mated[0])), dtype=bool)
    fnmr, fta = by_subject(*mated, inside), by_subject(*acquired, inside)
    covariance = joint_covariance(
        type(fnmr)(*(np.zeros(0, dtype=np.int64),) * 3, np.zeros((len(mated[0]), 0)), np.zeros((0, 0)), paired=True),
        fnmr,
        fta,
    )
    variance = np.diag(covariance)
    shown = error_rates("FNMR", fnmr, EVERYONE, variance[:1], **SHAPE)[0]
    failed = error_rates("FTA", fta, EVERYONE, variance[1:], **SHAPE)[0]
    return generalise(shown, failed, covariance[0, 1], 0.95), shown, failed


def test_generalised_rates_compose_failures_by_hand() -> None:
    """FRR = FTA + FNMR (1 - FTA): 10 % failures and 20 % false non-matches are 28 %."""
    people = 50
    wrong = np.array([1] * 10 + [0] * 40)
    failed = np.array([0] * 40 + [1] * 10)
    frr, fnmr, fta = rates_of((wrong, np.ones(people, dtype=int)), (failed, np.full(people, 2)))
    assert (fnmr.value, fta.value) == (0.2, 0.1)
    assert frr.metric == "FRR"
    assert frr.view == "generalised"
    assert frr.value == pytest.approx(0.28)
    assert frr.interval.low < 0.28 < frr.interval.high


def test_without_failures_generalised_is_conditional() -> None:
    people = 50
    wrong = np.array([1] * 10 + [0] * 40)
    frr, fnmr, _ = rates_of((wrong, np.ones(people, dtype=int)), (np.zeros(people, dtype=int), np.full(people, 2)))
    assert frr.value == fnmr.value
    assert frr.interval == fnmr.interval


def test_delta_variance_equals_a_simulation() -> None:
    """Failures and false non-matches of the same people are drawn together; the composed variance is what one sees."""
    rng = np.random.default_rng(11)
    people, seen, claimed = 200, [], []
    for _ in range(400):
        hard = rng.random(people) < 0.3
        failed = rng.binomial(2, np.where(hard, 0.3, 0.05))
        wrong = rng.binomial(1, np.where(hard, 0.5, 0.1))
        frr, _, _ = rates_of((wrong, np.ones(people, dtype=int)), (failed, np.full(people, 2)))
        seen.append(frr.value)
        claimed.append(frr.variance)
    assert np.mean(claimed) == pytest.approx(np.var(seen), rel=0.2)
