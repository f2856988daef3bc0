"""Errors of ages, by hand."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from audit import groups
from audit.domain import Attribute, DemographicGroup, Subject
from audit.metrics import ages, by_person
from audit.metrics.ages import AgeOutcomes
from audit.stats.means import clustered_mean

SHAPE = {"level": 0.95, "min_subjects": 2}
AGE = Attribute("age", "self-reported", kind="numeric", edges=(21, 30))


class Set:
    name = "set"
    attributes: ClassVar = {"age": AGE}


PEOPLE = [Subject(str(k), {"age": (age,) if age else ()}) for k, age in enumerate(("17", "20", "25", "40", ""))]


@pytest.fixture
def small() -> AgeOutcomes:
    """Five people, the last of unknown age: 17 (said 26, 20), 20 (25), 25 (24.5, lost one), 40 (28, 41), ? (33)."""
    truth, without = ages.true_ages(PEOPLE, AGE)
    assert without == {"no age": 1}
    owner = np.array([0, 0, 1, 2, 3, 3, 4])
    return AgeOutcomes(truth, owner, np.array([26, 20, 25, 24.5, 28, 41, 33.0]), np.array([0, 0, 0, 1, 0]))


def test_mean_bias_and_p90_by_hand(small: AgeOutcomes) -> None:
    grouping = groups.make(Set(), ["age"], PEOPLE)
    found = {str(one.group): one for one in ages.errors(small, grouping, **SHAPE)}
    everyone = found["everyone"]
    # Errors are 9, 3, 5, -.5, -12, 1.
    assert (everyone.pictures, everyone.subjects, everyone.lost) == (6, 4, 1)
    assert everyone.mae.value == pytest.approx(30.5 / 6)
    assert everyone.bias.value == pytest.approx(5.5 / 6)
    assert everyone.p90.value is None  # of four people it would be one person's own error
    mean = clustered_mean([12, 5, 0.5, 13], [2, 1, 1, 2])
    assert mean is not None
    assert everyone.mae.interval is not None
    assert everyone.mae.interval.high == pytest.approx(mean.high)
    assert everyone.support == "count-only"
    young = found["age=under 21"]
    assert (young.mae.value, young.bias.value) == pytest.approx((17 / 3, 17 / 3))
    assert found["age=30 and over"].reason == "fewer than 2 people"
    assert found["age=30 and over"].mae.value is None
    assert found["age=unknown"].reason == "nobody whose age is known"


def test_p90_is_given_from_thirty_people_on() -> None:
    people = [Subject(str(k), {"age": ("30",)}) for k in range(30)]
    said = AgeOutcomes(np.full(30, 30.0), np.arange(30), 30 + np.arange(30.0), np.zeros(30, dtype=np.int64))
    found = ages.errors(said, groups.make(Set(), [], people), **SHAPE)[0]
    assert (found.p90.value, found.support) == (26, "low-precision")
    assert found.p90.interval is not None
    assert found.p90.interval.low <= 26 <= found.p90.interval.high


def test_off_by_more_than(small: AgeOutcomes) -> None:
    at5 = ages.off(small, 5)
    assert (at5.errors.tolist(), at5.trials.tolist(), at5.lost.tolist()) == (
        [1, 0, 0, 1, 0],
        [2, 1, 1, 2, 0],
        [0, 0, 0, 1, 0],
    )  # an error of exactly 5 is not more than 5
    assert ages.off(small, 10).errors.sum() == 1


def test_challenge_ages(small: AgeOutcomes) -> None:
    passing = ages.passed(small, 21, 25)
    assert passing.id == "challenge-25-under-21"
    assert (passing.errors.tolist(), passing.trials.tolist()) == ([1, 1, 0, 0, 0], [2, 1, 0, 0, 0])
    assert ages.passed(small, 18, 25).errors.tolist() == [1, 0, 0, 0, 0]
    stopped = ages.stopped(small, 25)
    # Somebody of just 25 taken for 24.5 is stopped; a picture that was not processed is counted beside it.
    assert (stopped.errors.tolist(), stopped.trials.tolist()) == ([0, 0, 1, 0, 0], [0, 0, 1, 2, 0])
    assert stopped.lost.tolist() == [0, 0, 0, 1, 0]
    grouping = groups.make(Set(), ["age"], PEOPLE)
    at = by_person.point(passing.id, 25, passing.set_on)
    rate = by_person.measure(passing.counted(), grouping, at, **SHAPE).rates[0]
    assert (rate.metric, rate.group, rate.errors, rate.trials) == ("PASS", DemographicGroup(), 2, 3)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("about thirty", "an age in words"),
        ("20-29", "an age in words"),
        ("unknown", "no age"),
        ("-3", "a number that is no age"),
        ("1987", "a number that is no age"),
        ("nan", "a number that is no age"),
    ],
)
def test_text_is_never_read_as_an_age(value: str, why: str) -> None:
    found, without = ages.true_ages([Subject("a", {"age": (value,)}), Subject("b", {"age": ("30", "31")})], AGE)
    assert np.isnan(found).all()
    assert without == {why: 1, "several ages": 1}
