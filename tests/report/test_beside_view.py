"""Score shifts, wrong labels and smooth curves in the report: what is picked, what is said, what is withheld."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import pytest

from audit.record import AnnotatorRatio, EvaluationRecord
from audit.report import charts, html, parts
from audit.report.charts.canvas import GRID
from audit.report.view import make

MINUS = "\u2212"


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if dataclasses.is_dataclass(value):
        return [t for field in dataclasses.fields(value) for t in texts(getattr(value, field.name))]
    return [t for item in value for t in texts(item)] if isinstance(value, tuple) else []


def blocks(record: EvaluationRecord, name: str) -> tuple[parts.Block, ...]:
    return next((s.blocks for s in make(record).sections if s.id == name), ())


def figures(record: EvaluationRecord, name: str) -> dict[str, parts.Figure]:
    return {b.id: b for b in blocks(record, name) if isinstance(b, parts.Figure)}


def tables(found: tuple[parts.Block, ...]) -> dict[str, parts.Table]:
    made = {b.id: b for b in found if isinstance(b, parts.Table)}
    for b in found:
        made |= tables(b.blocks) if isinstance(b, parts.Fold) else {}
    return made


def below(table: parts.Table, heading: str) -> dict[str, tuple[parts.Cell, ...]]:
    """Rows between a heading that starts so and the next one."""
    found: dict[str, tuple[parts.Cell, ...]] = {}
    inside = False
    for row in table.rows:
        if len(row) == 1:
            inside = row[0].text.startswith(heading)
        elif inside:
            found[row[0].text] = row
    return found


def headings(table: parts.Table) -> dict[str, str]:
    return {row[0].text: row[0].note for row in table.rows if len(row) == 1}


@pytest.fixture
def record(builder: ModuleType) -> EvaluationRecord:
    return builder.beside()


def test_a_record_without_them_shows_nothing_of_them(london_like: EvaluationRecord) -> None:
    page = html.page(make(london_like))
    for trace in (
        "shift-",
        "wrong-labels",
        "figure-curves",
        'id="curves"',
        "standard deviations",
        "Labels may be wrong",
    ):
        assert trace not in page


# Score shifts


def test_each_tail_has_one_picture_at_the_share_that_says_most(record: EvaluationRecord) -> None:
    found = figures(record, "scores-section")
    assert "highest 5%" in found["shift-nonmated"].title
    assert "lowest 25%" in found["shift-mated"].title
    assert "more false matches" in found["shift-nonmated"].caption
    assert "more false non-matches" in found["shift-mated"].caption


def test_the_outermost_share_is_picked_where_all_say_as_much(builder: ModuleType, record: EvaluationRecord) -> None:
    interval = next(s.interval for s in record.score_shifts if s.interval)
    even = [s.model_copy(update={"interval": interval if s.shift is not None else None}) for s in record.score_shifts]
    found = figures(builder.beside(score_shifts=even), "scores-section")
    assert "highest 1%" in found["shift-nonmated"].title


def test_a_shift_is_drawn_with_its_interval_people_and_support(record: EvaluationRecord) -> None:
    picture = figures(record, "scores-section")["shift-nonmated"].picture
    assert isinstance(picture, parts.RowPicture)
    assert picture.linear
    assert [line.x for line in picture.lines] == [0.0]
    marks = {mark.label: mark for mark in picture.rows}
    white, small = marks["white"], marks["female, black"]
    assert white.x == pytest.approx(1 - 69 / 40)
    assert white.low is not None
    assert white.detail == f"◐ {MINUS}0.73 · 69 people"
    assert (small.marker, small.low) == ("hollow", None)
    assert picture.domain[0] < 0 < picture.domain[1]
    assert (marks["female, east asian"].marker, marks["female, east asian"].detail) == ("none", "not measured")


def test_the_table_of_shifts_holds_every_share_and_every_reason(record: EvaluationRecord) -> None:
    table = figures(record, "scores-section")["shift-nonmated"].table
    wide, narrow = below(table, "ethnicity: the highest 5%"), below(table, "ethnicity: the highest 1%")
    assert [c.text for c in wide["white"]] == ["white", "69", "9,384", f"{MINUS}0.73", "◐ low precision"]
    assert wide["white"][3].note == f"{MINUS}1.1 to {MINUS}0.13"
    assert narrow["white"][3].note == "no interval: the group has too few independent comparisons"
    missing = below(table, "gender × ethnicity: the highest 1%")["female, east asian"]
    assert (missing[1].text, missing[3].text, missing[3].note) == ("4", "–", "the group has 24 comparisons")


def test_no_shift_at_all_leaves_the_reasons(builder: ModuleType, record: EvaluationRecord) -> None:
    none = [
        s.model_copy(update={"value": None, "shift": None, "interval": None, "reason": "all scores are equal"})
        for s in record.score_shifts
    ]
    found = blocks(builder.beside(score_shifts=none), "scores-section")
    folds = [b for b in found if isinstance(b, parts.Fold)]
    assert len(folds) == 2
    assert all("none could be formed" in fold.title for fold in folds)
    assert "all scores are equal" in texts(folds[0])


# Wrong labels


def test_an_attribute_has_its_spread_as_labelled_then_as_it_would_be(record: EvaluationRecord) -> None:
    table = tables(blocks(record, "differences"))["wrong-labels-0"]
    assert "gender" in table.caption
    assert "not documented who assigned it" in table.caption
    found = below(table, "false matches")
    assert [c.text for c in found["5%"]] == ["5%", "2.4", "2.3", "2.6"]
    assert found["5%"][2].note == "2.0 to 2.7"
    assert found["20%"][3].text == "–"
    assert headings(table)["false matches"].startswith("20%: not corrected")


def test_a_spread_that_could_not_be_formed_says_why_once(record: EvaluationRecord) -> None:
    table = tables(blocks(record, "differences"))["wrong-labels-0"]
    assert headings(table)["false non-matches"] == "fewer than 2 groups are large enough"
    assert not below(table, "false non-matches")


def test_an_attribute_without_any_spread_has_a_sentence_and_its_groups(record: EvaluationRecord) -> None:
    found = blocks(record, "differences")
    assert set(tables(found)) >= {"wrong-labels-0", "wrong-labels-groups-0", "wrong-labels-groups-1"}
    assert "wrong-labels-1" not in tables(found)
    (line,) = (b.text for b in found if isinstance(b, parts.Paragraph) and b.text.startswith("Labels of ethnicity"))
    assert "fewer than 2 groups are large enough (false matches, false non-matches)" in line


def test_the_groups_of_a_spread_are_named_with_their_people(builder: ModuleType, record: EvaluationRecord) -> None:
    both = [{"gender": "female"}, {"gender": "male"}]
    spreads = [
        d.model_copy(update={"included": both}) if d.value is not None else d for d in record.differentials
    ]  # fmt: skip
    table = tables(blocks(builder.beside(differentials=spreads), "differences"))["wrong-labels-0"]
    assert headings(table)["false matches"].startswith("female, 49 people; male, 53 people; 20%: not")


def test_a_group_without_errors_has_no_ratio_to_follow(record: EvaluationRecord) -> None:
    table = tables(blocks(record, "differences"))["wrong-labels-groups-1"]
    assert "no error was seen in this group" in headings(table)["white: false matches"]
    assert "69 people" in headings(table)["white: false matches"]
    assert below(table, "black: false matches")["10%"][1].text == "2.4"


def test_only_the_headline_threshold_is_told(builder: ModuleType, record: EvaluationRecord) -> None:
    other = [row.model_copy(update={"operating_point": "global-fmr-0.01"}) for row in record.label_noise]
    assert not [t for t in tables(blocks(builder.beside(label_noise=other), "differences")) if "wrong" in t]


def test_labels_that_are_taken_as_right_are_named(builder: ModuleType, record: EvaluationRecord) -> None:
    own = record.benchmark.attributes["gender"].model_copy(update={"provenance": "self-reported"})
    benchmark = record.benchmark.model_copy(update={"attributes": {**record.benchmark.attributes, "gender": own}})
    rows = [row for row in record.label_noise if row.attribute == "ethnicity"]
    found = blocks(builder.beside(benchmark=benchmark, label_noise=rows), "differences")
    notes = [b.text for b in found if isinstance(b, parts.Paragraph) and b.tone == "note"]
    (line,) = (note for note in notes if "taken as right" in note)
    assert "gender (self-reported)" in line
    assert "ethnicity" not in line


# Smooth curves


def test_curves_stand_in_order_with_people_and_bandwidth(record: EvaluationRecord) -> None:
    (figure,) = figures(record, "curves").values()
    assert isinstance(figure.picture, parts.BandPicture)
    assert [p.label for p in figure.picture.panels] == [
        "false matches",
        "false non-matches",
        "mean score of one person",
    ]
    assert {p.detail for p in figure.picture.panels} == {"± 5.74 years · 100 people"}
    assert "100 people (self-reported)" in figure.caption
    assert "2 people" in figure.caption
    assert "1 in 1,000" in figure.caption
    assert max(figure.picture.panels[0].value) == pytest.approx(0.02)


def test_few_people_without_a_number_are_given_as_a_band(builder: ModuleType, record: EvaluationRecord) -> None:
    for missing, said in ((0, "nobody was left out"), (1, "fewer than 2 people")):
        curves = [c.model_copy(update={"missing": missing}) for c in record.curves]
        (figure,) = figures(builder.beside(curves=curves), "curves").values()
        assert said in figure.caption


def test_a_curve_that_could_not_be_formed_says_why(builder: ModuleType, record: EvaluationRecord) -> None:
    what = "No curve along age for mean score of two different people"
    why = f"{what}: 28 people with a number and a comparison, fewer than 30."
    assert why in texts(blocks(record, "curves"))
    blank = next(c for c in record.curves if not c.x)
    none = builder.beside(curves=[blank])
    assert not figures(none, "curves")
    assert why in texts(blocks(none, "curves"))


def test_a_rate_about_zero_is_a_bound_and_does_not_set_the_scale(record: EvaluationRecord) -> None:
    (figure,) = figures(record, "curves").values()
    picture = figure.picture
    assert isinstance(picture, parts.BandPicture)
    assert picture.panels[0].domain[1] < 0.03
    assert picture.panels[1].domain[1] > 0.4
    assert any("runs into the upper edge" in text for text in texts(blocks(record, "curves")))
    last = list(below(figure.table, "false matches").values())[-1]
    assert (last[1].text, last[1].note) == ("about 0%", "at most 40%")


def test_tables_of_curves_are_thinned_and_keep_their_ends(record: EvaluationRecord) -> None:
    (figure,) = figures(record, "curves").values()
    found = list(below(figure.table, "false non-matches"))
    assert len(found) == 12
    assert (found[0], found[-1]) == ("18 years", "50 years")


def test_bands_lie_around_their_curves(record: EvaluationRecord) -> None:
    (figure,) = figures(record, "curves").values()
    for width in (charts.WIDE, charts.NARROW):
        layers = charts.draw(figure.picture, width)["layer"]
        bands = [row for x in layers if x["mark"]["type"] == "area" for row in x["data"]["values"]]
        lines = [row for x in layers if x["mark"]["type"] == "line" for row in x["data"]["values"]]
        assert {x["mark"]["color"] for x in layers if x["mark"]["type"] == "area"} == {GRID}
        assert len(bands) == len(lines) == 99
        assert all(b["y"] <= v["y"] <= b["y2"] for b, v in zip(bands, lines, strict=True))


# Everywhere


def test_groups_of_one_person_are_withheld(record: EvaluationRecord) -> None:
    shift = figures(record, "scores-section")["shift-nonmated"]
    assert isinstance(shift.picture, parts.RowPicture)
    mark = next(m for m in shift.picture.rows if m.label == "male, east asian/white")
    assert (mark.marker, mark.detail) == ("none", "fewer than 2 people")
    for share in ("5%", "1%"):
        row = below(shift.table, f"ethnicity: the highest {share}")["east asian/white"]
        assert [c.text for c in row[1:]] == ["< 2", "–", "–", "–"]
        assert row[3].note == "withheld: fewer than 2 people"
    groups = headings(tables(blocks(record, "differences"))["wrong-labels-groups-1"])
    assert groups["east asian/white"] == "withheld: fewer than 2 people"
    assert not [name for name in groups if name.startswith("east asian/white:")]


def test_each_annotator_has_a_row_and_none_a_name(builder: ModuleType) -> None:
    shape = dict(attribute="ethnicity", metric="FMR", operating_point="global-fmr-0.001", agreeing=90, people=102)  # noqa: C408
    rows = [
        AnnotatorRatio(**shape, annotator=n, group=group, used=2.0, ratio=ratio)
        for group in (None, {"ethnicity": "black"})
        for n, ratio in ((1, 2.5), (2, None))
    ]
    found = tables(blocks(builder.beside(annotators=rows), "differences"))["annotators-0"]
    cells = [[cell.text for cell in row] for row in found.rows]
    assert cells[1] == ["annotator 1", "2.0", "2.5", "90 of 102"]
    assert cells[2][2] == "–"
    assert any("highest rate / typical rate" in row[0] for row in cells)
    assert "annotators-0" not in tables(blocks(builder.beside(), "differences"))
