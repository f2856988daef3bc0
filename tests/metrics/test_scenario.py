"""A scenario's arithmetic beside a simulation of the place, and its limits where counts do not reach."""

from __future__ import annotations

import math

import numpy as np
import pytest
from simulated import Case

from audit.errors import PlanError
from audit.metrics import scenario
from audit.metrics.scenario import alarm, alarm_between, effective_size, expected, passers, wrong_share

SETTINGS = [
    # faces a day, list, shares of groups, listed, FMR with the list by group, FNMR by group
    (2_000, 500, (0.5, 0.5), 0.01, (1e-3, 1e-4), (0.02, 0.05)),
    (5_000, 50, (0.7, 0.2, 0.1), 0.0, (1e-2, 1e-3, 0.0), (0.0, 0.1, 0.2)),
    (1_000, 10_000, (1.0,), 0.05, (2e-4,), (0.1,)),
    (300, 14_500_000, (0.4, 0.6), 0.001, (1e-3, 1e-8), (0.05, 0.01)),
    (20_000, 1, (0.9, 0.1), 0.2, (0.05, 0.3), (0.3, 0.02)),
]


@pytest.mark.parametrize(("faces", "size", "shares", "listed", "rates", "missed"), SETTINGS)
def test_arithmetic_equals_a_simulation_of_the_place(
    faces: int, size: int, shares: tuple[float, ...], listed: float, rates: tuple[float, ...], missed: tuple[float, ...]
) -> None:
    """Forty days, face by face: who passes, whether on the list, and every comparison's outcome counted."""
    rng = np.random.default_rng(size)
    days = []
    for _ in range(40):
        group = rng.choice(len(shares), faces, p=shares)
        on_list = rng.random(faces) < listed
        candidates = rng.binomial(size, np.asarray(rates)[group])
        found = on_list & (rng.random(faces) >= np.asarray(missed)[group])
        false = ~on_list & (candidates > 0)
        days.append([[np.sum(kind & (group == g)) for g in range(len(shares))] for kind in (false, found)])
    seen = np.array(days, dtype=np.float64)
    wanted = np.array(expected(faces, shares, listed, [alarm(rate, size) for rate in rates], missed))
    error = seen.std(axis=0, ddof=1) / math.sqrt(len(seen))
    assert (np.abs(seen.mean(axis=0) - wanted) <= 4 * error + 1e-9 * faces).all()
    false, right = seen.sum(axis=2).mean(axis=0)
    share = wrong_share(*wanted.sum(axis=1))
    if listed:
        assert share == pytest.approx(false / (false + right), abs=0.02)
    else:
        assert share == 1.0


@pytest.mark.parametrize(("rate", "spread", "size"), [(1e-3, 1e-6, 500), (1e-3, 1e-5, 5_000), (0.01, 4e-4, 50)])
def test_people_who_resemble_many_make_for_fewer_alarms(rate: float, spread: float, size: int) -> None:
    """Faces with rates of their own from the beta distribution of this mean and variance."""
    rng = np.random.default_rng(1)
    total = rate * (1 - rate) / spread - 1
    own = rng.beta(rate * total, (1 - rate) * total, 200_000)
    seen = (rng.binomial(size, own) > 0).astype(np.float64)
    error = seen.std() / math.sqrt(len(seen))
    assert alarm_between(rate, spread, size) == pytest.approx(seen.mean(), abs=4 * error)
    assert alarm_between(rate, spread, size) < alarm(rate, size)


def test_the_ends_of_the_arithmetic() -> None:
    assert alarm(0.0, 14_500_000) == 0.0
    assert alarm(1.0, 2) == 1.0
    assert alarm(1e-3, 14_500_000) == 1.0
    assert alarm(1e-12, 14_500_000) == pytest.approx(1.45e-5, rel=1e-4)
    assert alarm_between(0.0, 1e-3, 100) == 0.0
    assert 0 < alarm_between(1e-4, 1.0, 100) < alarm(1e-4, 100), "a variance cannot exceed that of all or nothing"
    assert effective_size(1e-3, 200, alarm(1e-3, 150)) == pytest.approx(0.75)
    assert effective_size(0.0, 200, 0.5) is None
    assert effective_size(1e-3, 200, 1.0) is None
    assert wrong_share(0.0, 0.0) is None
    assert wrong_share(3.0, 1.0) == 0.75


SIZES = {"red": 40, "blue": 30, "rare": 1}


@pytest.fixture(scope="module")
def case() -> Case:
    return Case(SIZES, {"red": 0.8}, target=0.02)


def position(case: Case, name: str) -> int:
    return next(k for k, group in enumerate(case.grouping.groups) if group.as_dict() == {"tone": name})


def test_rates_weigh_groups_by_their_share_of_the_list(case: Case) -> None:
    who = passers(case.grouping, "tone", {"red": 0.5, "blue": 0.5}, {"red": 0.25, "blue": 0.75})
    threshold = next(point.value for point in case.points if point.policy == "global")
    blue, red = scenario.faces(case.counts, case.grouping, threshold, who, level=0.95, min_subjects=2)
    for face, own, other in ((red, "red", "blue"), (blue, "blue", "red")):
        mine, theirs = position(case, own), position(case, other)
        masks = np.array([case.grouping.within(mine), case.grouping.across(mine, theirs)])
        cells = scenario.nonmated(case.counts, case.grouping.atom_of, masks, threshold)
        shares = (0.25, 0.75) if own == "red" else (0.75, 0.25)
        assert face.rate == pytest.approx(float(np.dot(shares, cells.errors / cells.trials)))
        assert (face.errors, face.trials) == (cells.errors.sum(), cells.trials.sum())
        assert face.interval.low < face.rate < face.interval.high
        assert face.compared == 69
        assert face.spread >= 0
    assert red.rate > blue.rate
    assert red.spread > 0, "some people resemble many"
    assert red.missed_interval.low <= red.missed <= red.missed_interval.high


def test_no_error_seen_is_an_upper_bound_and_a_wide_interval(case: Case) -> None:
    who = passers(case.grouping, "tone", {"blue": 1.0}, {})
    (face,) = scenario.faces(case.counts, case.grouping, case.counts.thresholds[-1], who, level=0.95, min_subjects=2)
    nothing = Case({"red": 20, "blue": 20}, {}, target=0.5, noise=0.01)
    highest = np.array([2.0])
    none = nothing.pairs.at(highest, np.zeros(40, dtype=np.int64), 0)
    (empty,) = scenario.faces(
        none, nothing.grouping, 2.0, passers(nothing.grouping, "tone", {"blue": 1.0}, {}), level=0.95, min_subjects=2
    )
    assert (empty.errors, empty.rate, empty.interval.low) == (0, 0.0, 0.0)
    assert empty.upper_bound == pytest.approx(1 - 0.05 ** (1 / 10)), "twenty people are worth ten trials"
    assert empty.interval.high > 0.1
    assert face.upper_bound is None or face.errors == 0


def test_a_group_of_one_person_is_withheld(case: Case) -> None:
    who = passers(case.grouping, "tone", {"red": 0.5, "rare": 0.5}, {})
    for face in scenario.faces(case.counts, case.grouping, case.counts.thresholds[0], who, level=0.95, min_subjects=2):
        assert (face.rate, face.interval, face.trials) == (None, None, 0)
        assert face.reason


@pytest.mark.parametrize(
    ("by", "shares", "on_list", "words"),
    [
        ("shape", {"red": 1.0}, {}, ["scenario.by", "not grouped by 'shape'", "tone"]),
        ("tone", {"rad": 1.0}, {}, ["scenario.passers_by", "no group 'rad'", "Did you mean 'red'?"]),
        ("tone", {"red": 1.0}, {"green": 1.0}, ["scenario.on_list", "no group 'green'", "blue"]),
    ],
)
def test_groups_that_are_not_there_are_named(case: Case, by: str, shares: dict, on_list: dict, words: list) -> None:
    with pytest.raises(PlanError) as caught:
        passers(case.grouping, by, shares, on_list)
    for word in words:
        assert word in str(caught.value)
