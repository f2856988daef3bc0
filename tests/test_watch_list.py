"""Who is drawn onto the list: shares that are declared, people who cannot be, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audit import groups, watch_list
from audit.domain import Attribute, Benchmark, Consent, Subject
from audit.errors import NothingMeasured, PlanError
from audit.plan import AuditPlan, make

SIZES = {"red": 40, "blue": 20, "green": 4}


def people(images: int = 3, lonely: int = 0) -> tuple[np.ndarray, groups.Grouping]:
    """Owner of each sample, and groups; the last `lonely` people have one picture."""
    values = [colour for colour, number in SIZES.items() for _ in range(number)]
    subjects = tuple(Subject(f"s{k}", {"colour": (value,)}) for k, value in enumerate(values))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    colour = {"colour": Attribute("colour", "annotated", values=tuple(SIZES))}
    benchmark = Benchmark("s", "S", "1", Path(), consent, "c", colour, ("colour",), subjects, (), "")
    numbers = np.full(len(subjects), images)
    numbers[len(subjects) - lonely :] = 1
    return np.repeat(np.arange(len(subjects)), numbers), groups.make(benchmark, ["colour"], subjects)


def plan(**settings: object) -> AuditPlan:
    return make({"benchmark": "s", "model": "dlib", "task": "identification", **settings})


def listed(drawn: watch_list.WatchList, grouping: groups.Grouping) -> dict[str, int]:
    inside = grouping.member[:, grouping.atom_of]
    return {
        group.as_dict()["colour"]: int(drawn.listed[row].sum())
        for group, row in zip(grouping.groups, inside, strict=True)
        if group.items
    }


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, {"red": 20, "blue": 10, "green": 2}),
        ({"list_share": 0.25}, {"red": 10, "blue": 5, "green": 1}),
        ({"list_size": 16}, {"red": 10, "blue": 5, "green": 1}),
        ({"list_by": "colour"}, {"red": 2, "blue": 2, "green": 2}),
        (
            {"list_by": "colour", "list_groups": {"red": 0.25, "blue": 0.75}},
            {"red": 3, "blue": 10, "green": 0},
        ),
        ({"list_by": "colour", "list_size": 12}, {"red": 4, "blue": 4, "green": 4}),
        ({"list_share": 1}, SIZES),
    ],
)
def test_the_declared_composition_is_drawn(settings: dict, wanted: dict[str, int]) -> None:
    owner, grouping = people()
    assert listed(watch_list.draw(owner, grouping, plan(**settings), "s"), grouping) == wanted


def test_samples_are_on_one_side_only() -> None:
    owner, grouping = people()
    drawn = watch_list.draw(owner, grouping, plan(list_images=2), "s")
    assert not set(drawn.references) & set(drawn.probes)
    assert set(drawn.references) | set(drawn.probes) == set(range(len(owner)))
    assert np.bincount(owner[drawn.references], minlength=64).tolist() == (2 * drawn.listed).tolist()
    runs = np.flatnonzero(np.diff(owner[drawn.references])) + 1
    assert runs.tolist() == list(range(2, 64, 2)), "a person's references stand beside each other"
    assert np.bincount(owner[drawn.probes], minlength=64)[drawn.listed].tolist() == [1] * 32


def test_the_draw_follows_the_seed_and_nothing_else() -> None:
    owner, grouping = people()
    one, two, other = (watch_list.draw(owner, grouping, plan(seed=seed), "s") for seed in (1, 1, 2))
    assert np.array_equal(one.references, two.references)
    assert not np.array_equal(one.references, other.references)


def test_people_with_one_picture_cannot_be_found_and_are_counted() -> None:
    owner, grouping = people(lonely=10)
    drawn = watch_list.draw(owner, grouping, plan(), "s")
    assert (drawn.unlistable, drawn.untested) == (10, 0)
    assert not drawn.listed[-10:].any()
    assert set(range(54, 64)) <= set(owner[drawn.probes])
    closed = watch_list.draw(owner, grouping, plan(list_share=1), "s")
    assert (closed.unlistable, closed.untested, closed.listed.sum()) == (10, 10, 54)
    assert not set(range(54, 64)) & set(owner[closed.probes]), "a closed set tests nobody who is not on the list"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"list_by": "shape"}, ["list_by", "not grouped by 'shape'", "colour"]),
        ({"list_by": "colour", "list_groups": {"rod": 1.0}}, ["no group 'rod'", "Did you mean 'red'?", "blue"]),
        ({"list_by": "colour", "list_size": 20}, ["a list of 20 people takes", "in which 4 can be on it"]),
        ({"list_size": 65}, ["list of 65 people", "64 people could be"]),
        ({"list_share": 0.01}, ["would have 1 people", "needs two"]),
        (
            {"list_by": "colour", "list_groups": {"green": 1.0}, "list_share": 0.25},
            ["would have 1 people", "needs two"],
        ),
    ],
)
def test_a_list_that_cannot_be_drawn_is_refused_in_one_line(settings: dict, words: list[str]) -> None:
    owner, grouping = people()
    with pytest.raises(PlanError) as caught:
        watch_list.draw(owner, grouping, plan(**settings), "s")
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_with_two_pictures_is_nothing_to_measure() -> None:
    owner, grouping = people(images=1)
    with pytest.raises(NothingMeasured, match="a list needs two such people"):
        watch_list.draw(owner, grouping, plan(), "s")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"list_size": 0}, ["list_size", "greater than or equal to 2", "found 0", "how many people are on the list"]),
        ({"list_share": 0}, ["list_share", "greater than 0"]),
        ({"list_groups": {"red": 1.0}}, ["list_groups", "need list_by"]),
        ({"list_by": "colour", "list_groups": {"red": 0.5, "blue": 0.4}}, ["add up to 1, found 0.9"]),
        ({"list_by": "colour", "list_groups": {"red": -0.5, "blue": 1.5}}, ["'red'", "between 0 and 1"]),
        ({"ranks": [0]}, ["a rank is a whole number from 1", "found 0"]),
        ({"ranks": [21]}, ["from 1 to 20"]),
        ({"fpir": [1.0]}, ["target FPIR", "between 0 and 1"]),
        ({"impostors": ["colour"]}, ["everybody on the list", "leave impostors out"]),
    ],
)
def test_settings_of_a_list_are_checked_before_data_are_touched(settings: dict, words: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        plan(**settings)
    for word in words:
        assert word in str(caught.value)
