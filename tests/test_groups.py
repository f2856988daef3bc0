"""Groups, bins, intersections and masks, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audit import groups
from audit.domain import Attribute, Benchmark, Consent, DemographicGroup, Subject
from audit.errors import PlanError


def benchmark(subjects: list[Subject]) -> Benchmark:
    consent = Consent("T2", "agreed", "paper", "CC BY 4.0", {}, "no", False, "none")
    attributes = {
        "gender": Attribute("gender", "self-reported", values=("female", "male")),
        "age": Attribute("age", "self-reported", kind="numeric", edges=(25.0, 35.0)),
        "height": Attribute("height", "measured", kind="numeric"),
        "origin": Attribute("origin", "self-reported", values=("a", "b")),
    }
    return Benchmark(
        "b", "B", "1", Path(), consent, "cite", attributes, ("gender",), tuple(subjects), (), "0" * 64
    )  # fmt: skip


PEOPLE = [
    Subject("1", {"gender": ("female",), "age": ("24",), "origin": ("a",)}),
    Subject("2", {"gender": ("male",), "age": ("25",), "origin": ("a", "b")}),
    Subject("3", {"gender": ("male",), "age": (), "origin": ("NA",)}),
    Subject("4", {"gender": ("female",), "age": ("prefer not to say",), "origin": ("east/west",)}),
]


def made(*by: str) -> groups.Grouping:
    return groups.make(benchmark(PEOPLE), by, PEOPLE)


def test_everyone_comes_first_then_attributes_then_intersections() -> None:
    names = [str(group) for group in made("gender", "origin").groups]
    assert names[:3] == ["everyone", "gender=female", "gender=male"]
    assert names[3:7] == ["origin=a", "origin=b", "origin=NA", "origin=east/west"]
    assert names[7:] == [
        "gender=female & origin=a",
        "gender=female & origin=east/west",
        "gender=male & origin=a",
        "gender=male & origin=b",
        "gender=male & origin=NA",
    ]


def test_a_person_of_two_values_counts_in_both() -> None:
    grouping = made("origin")
    people = dict(zip(map(str, grouping.groups), grouping.subjects.tolist(), strict=True))
    assert people == {"everyone": 4, "origin=a": 2, "origin=b": 1, "origin=NA": 1, "origin=east/west": 1}
    a, b = (
        grouping.groups.index(DemographicGroup.of(origin="a")),
        grouping.groups.index(DemographicGroup.of(origin="b")),
    )
    atoms = grouping.atom_of
    assert grouping.within(a)[atoms[0], atoms[1]]
    assert not grouping.within(b)[atoms[0], atoms[1]]
    assert grouping.across(a, b)[atoms[0], atoms[1]]
    assert not grouping.across(a, b)[atoms[2], atoms[1]]


def test_numbers_fall_in_declared_bins_and_missing_ones_are_unknown() -> None:
    names = [str(group) for group in made("age").groups]
    assert names == ["everyone", "age=under 25", "age=25 to under 35", "age=prefer not to say", "age=unknown"]


def test_numbers_without_declared_bins_are_refused() -> None:
    with pytest.raises(PlanError, match="without declared bins"):
        made("height")


def test_an_unknown_attribute_is_named_with_the_nearest() -> None:
    with pytest.raises(PlanError, match="Did you mean 'gender'"):
        made("gendre")


def test_without_attributes_there_is_everyone() -> None:
    grouping = made()
    assert [str(group) for group in grouping.groups] == ["everyone"]
    assert grouping.subjects.tolist() == [4]
    assert np.array_equal(grouping.within(0), [[True]])


def test_the_impostor_policy_admits_pairs_that_share_a_value() -> None:
    people = [*PEOPLE, Subject("5", {"gender": ("male",), "age": ("26",), "origin": ("b",)})]
    grouping = groups.make(benchmark(people), ["origin"], people, ["gender"])
    assert grouping.attributes == ("origin",)
    assert {str(group) for group in grouping.groups if len(group.items) > 1} == set()
    atoms = grouping.atom_of
    everyone = grouping.within(0)
    assert not everyone[atoms[0], atoms[1]]  # a woman and a man
    assert everyone[atoms[1], atoms[4]]  # two men
    b = grouping.groups.index(DemographicGroup.of(origin="b"))
    assert grouping.within(b)[atoms[1], atoms[4]]
    a = grouping.groups.index(DemographicGroup.of(origin="a"))
    assert not grouping.within(a)[atoms[0], atoms[1]]
