"""Before a run: counts by hand, and what more people would change."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from audit import groups
from audit.domain import Attribute, Subject
from audit.forecast import People
from audit.metrics.power import Assumptions, Prospect, measured, prospects

LABELS = ["x"] * 4 + ["y"] * 3
IMAGES = np.array([2, 3, 1, 0, 2, 2, 4])
MARGINS = (2.0, 1.25)


def people(labels: list[str]) -> People:
    subjects = tuple(Subject(f"s{k}", {"g": (label,)}) for k, label in enumerate(labels))
    return People("toy", subjects, {"g": Attribute("g", "undocumented")}, (2,) * len(labels), ("g",))


def found(labels: list[str], images: np.ndarray, rate: float = 0.1) -> dict[tuple[str, str], Prospect]:
    toy = people(labels)
    grouping = groups.make(toy, ["g"], toy.subjects)
    rows = prospects(grouping, images, [rate], Assumptions(), margins=MARGINS)
    return {(row.metric, dict(row.group.items).get("g", "")): row for row in rows}


def test_comparisons_are_those_of_a_loop() -> None:
    rows = found(LABELS, IMAGES)
    for value in ("x", "y", ""):
        own = [m for m, label in zip(IMAGES.tolist(), LABELS, strict=True) if value in ("", label)]
        nonmated = sum(a * b for a, b in itertools.combinations(own, 2))
        mated = sum(m * (m - 1) // 2 for m in own)
        assert rows["FMR", value].trials == nonmated
        assert rows["FNMR", value].trials == mated
        assert rows["FMR", value].expected_errors == pytest.approx(0.1 * nonmated)
        assert rows["FMR", value].subjects == sum(m > 0 for m in own)
        assert rows["FNMR", value].subjects == sum(m > 1 for m in own)


def test_everyone_has_nobody_to_be_compared_with() -> None:
    everyone = found(LABELS, IMAGES)["FMR", ""]
    assert everyone.detectable is None
    assert "nobody" in str(everyone.reason)


def test_adding_the_people_it_asks_for_is_enough_and_one_fewer_is_not() -> None:
    images = np.full(700, 3)
    labels = ["x"] * 100 + ["y"] * 600
    row = found(labels, images, 0.01)["FMR", "x"]
    assert row.more_subjects
    assert row.detectable is not None
    assert row.detectable > 2
    for missing, enough in ((0, True), (1, False)):
        more = row.more_subjects - missing
        again = found(["x"] * more + labels, np.full(700 + more, 3), 0.01)["FMR", "x"]
        assert (again.more_subjects == 0) == enough


def test_where_the_others_are_too_few_everybody_must_grow() -> None:
    row = found(["x"] * 40 + ["y"] * 40, np.full(80, 2), 0.01)["FMR", "x"]
    assert row.more_subjects is None
    assert row.growth is not None
    grown = round(40 * row.growth) + 1
    again = found(["x"] * grown + ["y"] * grown, np.full(2 * grown, 2), 0.01)["FMR", "x"]
    assert again.more_subjects == 0


def test_a_group_of_one_person_shows_nothing() -> None:
    row = found(["x"] * 30 + ["y"], np.full(31, 4))["FMR", "y"]
    assert (row.trials, row.detectable, row.reason) == (0, None, "no comparison")
    assert found(["x"] * 30 + ["y"], np.full(31, 4))["FNMR", "y"].detectable is None


def test_more_images_and_more_people_never_hurt() -> None:
    def ratio(count: int, images: int) -> float:
        got = found(["x"] * count + ["y"] * 200, np.full(count + 200, images), 0.01)["FMR", "x"].detectable
        assert got is not None
        return got

    assert ratio(100, 2) > ratio(100, 4)
    assert ratio(50, 3) > ratio(100, 3) > ratio(200, 3)


def test_an_earlier_audit_replaces_what_was_assumed() -> None:
    """Mated: 100 people with 6 comparisons each and a design effect of 2 are correlated by 1/5."""
    cells = [("FNMR", 0.08, 48, 600, 100, 2.0), ("FMR", 0.5, 3, 10, 5, 4.0)]  # the second has too few errors
    got = measured(cells, Assumptions())  # type: ignore[arg-type]
    assert got.mated_within == pytest.approx(0.2)
    assert got.fnmr == pytest.approx(0.08)
    assert (got.within, got.between) == (Assumptions().within, Assumptions().between)
