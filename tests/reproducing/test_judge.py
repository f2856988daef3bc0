"""Every place of a record is compared, and every difference judged as it should be: each kind changed by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import record as records
from audit.record import EvaluationRecord
from audit.report.view.reproduction import make_reproduction, reproduction_lines
from audit.reproducing import compare
from audit.reproducing.compare import LONGEST
from audit.reproducing.judge import ROUNDING

SNAPSHOTS = Path(__file__).resolve().parents[1] / "report" / "snapshots"
FREE = {"schema", "created", "software", "hardware", "timing", "digests", "plan", "preregistration"}
"""What differs from run to run, or is told apart from the numbers."""


@pytest.fixture(scope="module")
def fixed() -> EvaluationRecord:
    return records.read(SNAPSHOTS / "record.json")


def changed(record: EvaluationRecord, change: Callable[[dict[str, Any]], object]) -> EvaluationRecord:
    data = copy.deepcopy(record.model_dump(mode="json", by_alias=True))
    change(data)
    return EvaluationRecord.model_validate(data)


def rate(data: dict[str, Any]) -> dict[str, Any]:
    """The first false match rate that has errors and an interval."""
    return next(r for r in data["rates"] if r["metric"] == "FMR" and r["errors"] > 3 and r["interval"])


def threshold(data: dict[str, Any]) -> dict[str, Any]:
    return next(p for p in data["operating_points"] if p["threshold"] is not None)


def one_error_more(data: dict[str, Any]) -> None:
    row = rate(data)
    row["errors"] += 1
    row["value"] = row["errors"] / row["trials"]
    assert row["interval"]["low"] < row["value"] < row["interval"]["high"]


def far_more_errors(data: dict[str, Any]) -> None:
    row = rate(data)
    row["value"] = min(1.0, row["interval"]["high"] * 1.01)
    row["errors"] = round(row["value"] * row["trials"])


def flip(data: dict[str, Any]) -> None:
    row = data["contrasts"][0]
    row["verdict"] = "EQUIVALENT" if row["verdict"] != "EQUIVALENT" else "DISPARITY"


CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str, dict[str, str]]] = {
    "nothing": (dict, "identical", {}),
    "when, where and how long": (
        lambda data: data.update(created="x", timing={"load": 1.0}, hardware={"device": "other"}),
        "identical",
        {},
    ),
    "last digits of a threshold": (
        lambda data: threshold(data).update(threshold=threshold(data)["threshold"] * (1 + ROUNDING / 2)),
        "within rounding",
        {},
    ),
    "a threshold": (
        lambda data: threshold(data).update(threshold=threshold(data)["threshold"] * (1 + 3 * ROUNDING)),
        "within intervals",
        {"thresholds": "unjudged"},
    ),
    "one error more": (one_error_more, "within intervals", {"counts": "interval", "rates": "interval"}),
    "far more errors": (far_more_errors, "not reproduced", {"counts": "beyond", "rates": "beyond"}),
    "a verdict": (flip, "not reproduced", {"verdicts": "beyond"}),
    "one person less": (
        lambda data: data["samples"].update(subjects=data["samples"]["subjects"] - 1),
        "not reproduced",
        {"counts": "beyond"},
    ),
    "a group is gone": (lambda data: data["rates"].pop(), "not reproduced", {"rates": "beyond"}),
    "a new warning": (lambda data: data["warnings"].append("x"), "within intervals", {"other": "unjudged"}),
}


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_difference(fixed: EvaluationRecord, case: str) -> None:
    change, outcome, judged = CASES[case]
    found = compare(fixed, changed(fixed, change))
    assert found.outcome == outcome
    assert {row.kind: row.judgement for row in found.differences} == judged
    assert sum(row.compared for row in found.tallies) > 1000
    for row in found.tallies:
        assert row.compared == row.identical + row.rounding + row.interval + row.unjudged + row.beyond
    assert found.reproduced is (outcome not in {"not reproduced", "other inputs"})


def test_a_part_that_only_the_new_record_has_is_no_failure(fixed: EvaluationRecord) -> None:
    before = changed(fixed, lambda data: data["differentials"].pop())
    found = compare(before, fixed)
    assert found.outcome == "within intervals"
    assert {(row.recorded, row.judgement) for row in found.differences} == {("not there", "unjudged")}


def test_items_are_known_by_what_they_are_of_and_not_by_what_came_out(fixed: EvaluationRecord) -> None:
    """Another order, and other reasons, move nothing; the place says which group, against whom, at which threshold."""

    def shuffle(data: dict[str, Any]) -> None:
        for part in ("rates", "contrasts", "differentials", "acquisition", "operating_points"):
            data[part].reverse()
        data["contrasts"][0]["reason"] = "another reason"
        data["samples"]["by_group"][1]["mated"] += 1

    only, count = compare(fixed, changed(fixed, shuffle)).differences
    if only.kind == "counts":
        only, count = count, only
    assert count.place == f"samples: {records.group_text(fixed.samples.by_group[1].group)}: by_group mated"
    last = fixed.contrasts[-1]
    against = records.group_text(last.against)
    assert only.place == (
        f"contrasts: {last.metric}, {records.group_text(last.group)}, against {against}, {last.operating_point}: reason"
    )
    assert (only.again, only.judgement) == ("another reason", "unjudged")


@pytest.mark.parametrize("name", ["benchmark", "samples", "weights"])
def test_other_inputs_are_no_reproduction(fixed: EvaluationRecord, name: str) -> None:
    found = compare(fixed, changed(fixed, lambda data: data["digests"].update({name: "0" * 64})))
    assert found.outcome == "other inputs"
    assert [one.name for one in found.digests if not one.same] == [name]


def test_other_code_is_said_and_fails_nothing(fixed: EvaluationRecord) -> None:
    found = compare(fixed, changed(fixed, lambda data: data["digests"].update(code="0" * 64, plan="1" * 64)))
    assert found.outcome == "identical"
    assert "Another version of faceaudit" in " ".join(reproduction_lines(found))


def test_settings_count_by_name_and_those_of_a_later_version_do_not(fixed: EvaluationRecord) -> None:
    name = next(iter(fixed.plan))
    agreed = compare(fixed, changed(fixed, lambda data: data["plan"].update(acknowledge=["T3"])))
    assert (agreed.outcome, agreed.settings) == ("identical", [])
    later = compare(fixed, changed(fixed, lambda data: data["plan"].update(brand_new=3)))
    assert (later.outcome, later.settings) == ("identical", [])
    other = compare(fixed, changed(fixed, lambda data: data["plan"].update({name: "elsewhere"})))
    assert (other.outcome, [one.name for one in other.settings]) == ("other inputs", [name])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to every number and text of a document."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in leaves(item, (*path, key))]
    if isinstance(value, list):
        return [found for key, item in enumerate(value) for found in leaves(item, (*path, key))]
    return [] if value is None else [path]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_changed_number_or_word_goes_unseen(data: st.DataObject) -> None:
    """Any leaf of the record, changed by anything above rounding, makes it no longer identical."""
    record = records.read(SNAPSHOTS / "record.json")
    one = record.model_dump(mode="json", by_alias=True)
    places = [path for path in leaves(one) if path[0] not in FREE]
    place = data.draw(st.sampled_from(places))
    two = copy.deepcopy(one)
    inner = two
    for key in place[:-1]:
        inner = inner[key]
    before = inner[place[-1]]
    inner[place[-1]] = (
        (not before) if isinstance(before, bool) else f"{before}!" if isinstance(before, str) else before + 1
    )
    # Built without validation: a changed word need not be one that a record may have.
    found = compare(EvaluationRecord.model_construct(**_parts(record)), _unchecked(record, two))
    assert found.outcome != "identical", place
    assert found.outcome != "within rounding", place


def _parts(record: EvaluationRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).model_fields}


class _Raw(EvaluationRecord):
    """A record whose document is given as it is."""

    def model_dump(self, **how: Any) -> dict[str, Any]:  # type: ignore[override]
        return {name: value for name, value in self.__dict__["raw"].items() if name not in how.get("exclude", ())}


def _unchecked(record: EvaluationRecord, document: dict[str, Any]) -> EvaluationRecord:
    made = _Raw.model_construct(**_parts(record))
    made.__dict__["raw"] = document
    return made


def test_a_flood_of_differences_is_counted_and_cut(fixed: EvaluationRecord) -> None:
    def move(data: dict[str, Any]) -> None:
        for part in ("rates", "contrasts", "differentials"):
            for row in data[part]:
                for name, value in row.items():
                    if isinstance(value, float) and 0 < value < 0.9:
                        row[name] = value * 1.1

    found = compare(fixed, changed(fixed, move))
    counted = sum(row.interval + row.unjudged + row.beyond for row in found.tallies)
    assert counted == len(found.differences) + found.left_out
    assert len(found.differences) <= LONGEST
    order = [row.judgement for row in found.differences]
    assert order == sorted(order, key=["beyond", "unjudged", "interval"].index)


def test_what_is_shown_says_what_was_found(fixed: EvaluationRecord) -> None:
    for case, label in (("nothing", "Reproduced"), ("a verdict", "Not reproduced")):
        found = compare(fixed, changed(fixed, CASES[case][0]))
        view = make_reproduction(found)
        assert view.verdict_label == label
        assert view.headline in " ".join(reproduction_lines(found))
    assert "verdicts among them: 1." in view.headline


def test_hostile_names_are_harmless(fixed: EvaluationRecord) -> None:
    from audit.report import html  # noqa: PLC0415 - loads the drawing library

    bad = "<script>alert(1)</script>\x1b[31m\u202e"
    before = changed(fixed, lambda data: data["model"].update(name=bad))
    found = compare(before, changed(before, lambda data: data["warnings"].append(bad)))
    page = html.page(make_reproduction(found))
    assert "<script" not in page
    assert not any(mark in "".join((page, *reproduction_lines(found))) for mark in ("\x1b", "\u202e"))
