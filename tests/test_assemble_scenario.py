"""A scenario from the plan to the record and the report: sums, what is withheld, and what is said where counts end."""

from __future__ import annotations

import math
from typing import Any

import pytest
from made_up_list import base, inputs
from simulated import Case

from audit import assemble_identification, assemble_scenario
from audit import record as records
from audit.errors import PlanError
from audit.plan import AuditPlan, make
from audit.record import EvaluationRecord, ListGrowth, ScenarioPart, ScenarioRow
from audit.report import html
from audit.report import parts as report_parts
from audit.report.view import make as view_of

PLACE: dict[str, Any] = {
    "searches_per_day": 1000, "list_size": 40, "by": "tone", "passers_by": {"red": 0.75, "blue": 0.25}, "listed": 0.01,
}  # fmt: skip


def plan(**changes: Any) -> AuditPlan:
    return make({"benchmark": "s", "model": "dlib", "fmr": [0.02], "scenario": {**PLACE, **changes}})


@pytest.fixture(scope="module")
def case() -> Case:
    return Case({"red": 40, "blue": 30, "rare": 1}, {"red": 0.8}, target=0.02)


def sides(part: ScenarioPart) -> list[ScenarioRow]:
    """Rows of both groups, red first."""
    return sorted(part.rows[1:], key=lambda row: row.group["tone"], reverse=True)


def part_of(case: Case, **changes: Any) -> ScenarioPart:
    made = assemble_scenario.part(case.counts, case.grouping, case.points, plan(**changes))
    assert made is not None
    return made


def test_groups_add_up_to_everybody(case: Case) -> None:
    part = part_of(case)
    whole, (red, blue) = part.rows[0], sides(part)
    assert (part.operating_point, part.compared, part.extrapolated) == ("global-fmr-0.02", 69, False)
    assert whole.false_alarms == pytest.approx(red.false_alarms + blue.false_alarms)
    assert red.false_alarms == pytest.approx(1000 * 0.75 * 0.99 * (1 - (1 - red.rate) ** 40))
    assert whole.right_alarms == pytest.approx(red.right_alarms + blue.right_alarms)
    assert whole.wrong_share == pytest.approx(whole.false_alarms / (whole.false_alarms + whole.right_alarms))
    for row in part.rows:
        assert row.false_interval[0] <= row.false_alarms <= row.false_interval[1]
        assert row.false_band[0] <= row.false_alarms <= row.false_band[1] * (1 + 1e-12)
        assert row.wrong_interval[0] <= row.wrong_share <= row.wrong_interval[1]
        assert row.candidates == pytest.approx(40 * row.rate)
    assert red.band[0] < red.band[1], "people differ, so independence gives the most"


def test_nobody_listed_makes_every_alarm_wrong(case: Case) -> None:
    assert part_of(case, listed=0.0).rows[0].wrong_share == 1.0


def test_a_group_of_one_person_leaves_everybody_unknown(case: Case) -> None:
    part = part_of(case, passers_by={"red": 0.5, "rare": 0.5})
    assert [row.false_alarms for row in part.rows] == [None] * 3
    assert part.rows[0].reason == "2 of the groups that pass could not be measured"


def test_a_threshold_that_cannot_be_set_gives_no_scenario(case: Case) -> None:
    few = make({"benchmark": "s", "model": "dlib", "fmr": [1e-9], "scenario": PLACE})
    placed = [point for point in case.points if point.policy == "per-group"]
    assert assemble_scenario.part(case.counts, case.grouping, placed, few) is None
    assert (
        assemble_scenario.part(case.counts, case.grouping, case.points, make({"benchmark": "s", "model": "m"})) is None
    )


def test_a_list_that_was_tried_gives_the_band(case: Case) -> None:
    record = assemble_identification.added(base(), inputs())[0]
    point = "global-fmr-0.001"
    seen = ListGrowth(operating_point=point, people=40, errors=2, trials=200, value=0.01, interval=None)
    tried = record.identification.model_copy(update={"growth": [seen]})
    record = record.model_copy(update={"identification": tried})
    part = part_of(case, list_size=1000).model_copy(update={"operating_point": point})
    grown = assemble_scenario.with_growth(record.model_copy(update={"scenario": part})).scenario
    assert grown is not None
    assert (grown.band_method, grown.tried_size) == ("measured-growth", 40)
    rate = next(r.value for r in record.rates if r.metric == "FMR" and r.operating_point == point and not r.group)
    assert grown.effective_share == pytest.approx(math.log(0.99) / (40 * math.log(1 - rate)))
    for before, after in zip(part.rows[1:], grown.rows[1:], strict=True):
        assert after.false_alarms == before.false_alarms
        assert after.band[0] <= after.alarm <= after.band[1]
    assert assemble_scenario.with_growth(record) == record


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"passers_by": {"red": 0.5, "blue": 0.4}}, ["passers_by", "add up to 1, found 0.9"]),
        ({"passers_by": {}}, ["no group passes by"]),
        ({"on_list": {"red": 2.0}}, ["'red' lies between 0 and 1"]),
        ({"list_size": 0}, ["list_size", "greater than or equal to 1", "found 0"]),
        ({"searches_per_day": -1}, ["searches_per_day", "greater than 0"]),
        ({"listed": 1.0}, ["listed", "less than 1"]),
        ({"lisst_size": 3}, ["scenario", "unknown setting 'lisst_size'", "Did you mean 'list_size'?"]),
        (
            {"operating_point": "global-fmr-0.5"},
            ["one of global-fmr-0.02", "found 'global-fmr-0.5'"],
        ),
    ],
)
def test_a_place_that_makes_no_sense_is_refused(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        plan(**changes)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def record_with(part: ScenarioPart) -> EvaluationRecord:
    """A record of these groups with this place."""
    made = base()
    counted = [
        records.GroupCount(group={"tone": name}, subjects=size, samples=2 * size, mated=size, nonmated=size)
        for name, size in (("red", 40), ("blue", 30), ("rare", 1))
    ]
    return made.model_copy(
        update={
            "scenario": part,
            "samples": made.samples.model_copy(update={"by_group": [made.samples.by_group[0], *counted]}),
        }
    )


def told(part: ScenarioPart) -> tuple[str, ...]:
    view = view_of(record_with(part))
    assert html.page(view)
    (listing,) = (
        block
        for section in view.sections
        if section.id == "scenario"
        for block in section.blocks
        if isinstance(block, report_parts.Listing)
    )
    assert view.answers[0].question.startswith("What would this do in that place")
    return listing.items


def test_a_huge_list_makes_every_face_an_alarm_and_is_called_an_extrapolation(case: Case) -> None:
    part = part_of(case, list_size=14_500_000)
    alike = [row.model_copy(update={"band": (1.0, 1.0)}) for row in part.rows[1:]]
    whole = part.rows[0].model_copy(update={"false_band": part.rows[0].false_interval})
    text = " ".join(told(part.model_copy(update={"rows": [whole, *alike]})))
    assert "a list of 14,500,000 people" in text
    assert "Practically every face would raise an alarm" in text
    assert "it would still be 990 false alarms a day" in text
    assert "Nobody here was compared with more than 69 people" in text
    assert "nothing here shows that it holds" in text


def test_a_small_list_gives_numbers_a_day_with_bounds(case: Case) -> None:
    text = " ".join(told(part_of(case)))
    assert "false alarms a day (" in text
    assert "By group, from “red”" in text
    assert "Of all alarms" in text
    assert "not to depend on each other, which gives the most alarms that a rate allows" in text
    assert "compared with more than" not in text


def test_no_error_seen_is_not_told_as_none(case: Case) -> None:
    part = part_of(case)
    whole, (red, blue) = part.rows[0], sides(part)
    none = {"errors": 0, "rate": 0.0, "alarm": 0.0, "candidates": 0.0, "false_alarms": 0.0, "upper_bound": 0.2}
    unseen = part.model_copy(update={"rows": [whole, red, blue.model_copy(update=none)]})
    text = " ".join(told(unseen))
    assert "No false match was seen for “blue”" in text
    assert "8.0 false candidates for each face: these data cannot say" in text
