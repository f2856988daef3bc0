"""Rates of trials that each belong to one person, against counts by hand and the subject-clustered variance."""

from __future__ import annotations

import numpy as np
import pytest

from audit.compare import halves
from audit.domain import DemographicGroup
from audit.groups import Grouping
from audit.metrics import by_person
from audit.stats.clustered import subject_covariance

ERRORS = np.array([3, 0, 1, 0, 0, 2, 4, 0])
TRIALS = np.array([5, 5, 5, 5, 4, 4, 4, 4])
POINT = by_person.point("degraded", 0.5, "declared in the plan")


def grouping() -> Grouping:
    groups = (DemographicGroup(), DemographicGroup.of(side="a"), DemographicGroup.of(side="b"))
    member = np.array([[True, True], [True, False], [False, True]])
    return Grouping(("side",), groups, np.repeat([0, 1], 4), member)


def test_counts_and_variances_are_those_of_each_group_alone() -> None:
    made = by_person.measure({"MISS": (ERRORS, TRIALS)}, grouping(), POINT, level=0.95, min_subjects=2)
    assert [(rate.errors, rate.trials, rate.subjects) for rate in made.rates] == [(10, 36, 8), (4, 20, 4), (6, 16, 4)]
    for rate, inside in zip(made.rates, (slice(None), slice(4), slice(4, None)), strict=True):
        wanted = subject_covariance(ERRORS[inside, None], TRIALS[inside, None])[0, 0]
        assert rate.variance == pytest.approx(wanted, rel=1e-12)
        assert rate.interval is not None
        assert rate.interval.low <= rate.errors / rate.trials <= rate.interval.high


def test_two_metrics_of_the_same_people_covary() -> None:
    made = by_person.measure(
        {"MISS": (ERRORS, TRIALS), "FDET": (ERRORS, TRIALS)}, grouping(), POINT, level=0.95, min_subjects=2
    )
    miss, other = made.column("MISS", 0), made.column("FDET", 0)
    assert made.covariance[miss, other] == pytest.approx(made.covariance[miss, miss], rel=1e-9)


def test_everything_counted_twice_leaves_rates_and_intervals() -> None:
    once = by_person.measure({"MISS": (ERRORS, TRIALS)}, grouping(), POINT, level=0.95, min_subjects=2)
    twice = by_person.measure({"MISS": (2 * ERRORS, 2 * TRIALS)}, grouping(), POINT, level=0.95, min_subjects=2)
    for one, two in zip(once.rates, twice.rates, strict=True):
        assert one.value == two.value
        assert one.variance == pytest.approx(two.variance, rel=1e-12)


def test_halves_add_up_to_the_whole() -> None:
    trials = {"MISS": (ERRORS, TRIALS)}
    half = halves(grouping().atom_of, 3, np.random.default_rng(1))
    errors, tried = by_person.PersonEvidence(trials, half, 3).inside(POINT, grouping(), [1, 2])["MISS"]
    assert errors.sum(axis=1).tolist() == [[4.0, 6.0]] * 3
    assert tried.sum(axis=1).tolist() == [[20.0, 16.0]] * 3
