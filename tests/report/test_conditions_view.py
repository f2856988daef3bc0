"""What a report says of capture conditions: no more than the counts bear, and never that they are the cause."""

from __future__ import annotations

from types import ModuleType

from plain_view import text_of

from audit.record import EvaluationRecord
from audit.report import html, parts, walk
from audit.report.view import make


def section(record: EvaluationRecord) -> parts.Section:
    return next(one for one in make(record).sections if one.id == "conditions")


def test_there_is_no_section_without_them(london_like: EvaluationRecord) -> None:
    assert "conditions" not in {one.id for one in make(london_like).sections}


def test_every_gap_is_said_as_far_as_it_bears(builder: ModuleType) -> None:
    text = text_of(section(builder.conditioned()))
    assert "This is association, not cause." in text
    assert (
        "false matches, “female” against “male”: 3.0 (2.1 to 3.9) times as they are, 1.5 (1.1 to 2.0) times at equal "
        "conditions. That much of the gap goes with the conditions measured: a change of 0.50 (0.35 to 0.65) times."
    ) in text
    assert "The conditions measured hide part of a gap: a change of 1.5 (1.1 to 2.0) times." in text
    assert "(conditions explain 83% of who is in which group)" in text
    assert "may be chance: these data cannot tell whether the gap goes with the conditions measured." in text
    assert "“east asian” against “white”: too few people or errors for a claim (49 and 53 people)" in text
    assert "at equal conditions over 10,000" in text
    # A group of one person is not told, whatever the reason; the others are, once each.
    assert "east asian/white" not in text
    assert "false non-matches: could not be formed for female / male: no error in one of the two groups." in text
    assert "3 people carry several values of ethnicity: none of their comparisons is counted in this section." in text
    assert "false matches: left out of the models: Roll of the head (the same)." in text


def test_a_move_without_a_clear_gap_claims_none(builder: ModuleType) -> None:
    gap = builder.capture_gap("FMR", {"gender": "female"}, {"gender": "male"}, numbers=(1.2, 2.4, 2.0))
    part = builder.capture_part().model_copy(update={"gaps": [gap]})
    text = text_of(section(builder.conditioned(conditions=part)))
    assert "The ratio moves with the conditions measured, by 2.0 (1.4 to 2.6) times; whether there is a gap" in text
    assert "hide part of a gap" not in text


def test_pictures_and_tables_agree(builder: ModuleType) -> None:
    record = builder.conditioned()
    view = make(record)
    figures = {figure.id: figure for figure in walk.figures(view)}
    picture = figures["conditions-fmr"].picture
    assert isinstance(picture, parts.RowPicture)
    rows = [row for row in picture.rows if not row.heading]
    assert [row.label for row in rows][:2] == ["female / male, as it is", "female / male, equal conditions"]
    assert [row.marker for row in rows[::2]] == ["solid", "solid", "solid", "hollow"]
    assert all(row.x is not None and row.x <= 1e4 for row in rows)
    assert len(figures["conditions-fmr"].table.rows) == len(rows) // 2
    spread = figures["capture-sharpness"]
    assert isinstance(spread.picture, parts.RowPicture)
    assert spread.picture.band == (2, 4)
    assert [row.label for row in spread.picture.rows] == ["everyone", "gender", "female"]
    assert "Not measured in 3 pictures." in spread.caption
    assert [row[3].text for row in spread.table.rows] == ["1; 2; 3; 4; 5", "1.5; 2; 2.5; 3; 5", "too few people"]
    tables = {table.id for table in walk.tables(view)}
    assert {"conditions-mated-score", "conditions-effects"} <= tables
    assert "conditions-non-mated-score" not in tables


def test_errors_of_single_samples_are_shown_too(builder: ModuleType) -> None:
    gap = builder.capture_gap("missed faces", {"gender": "female"}, {"gender": "male"}, operating_point=None)
    part = builder.capture_part().model_copy(update={"gaps": [gap.model_copy(update={"errors": (64, 21)})]})
    text = text_of(section(builder.conditioned(conditions=part)))
    assert "missed faces, “female” against “male”: 3.0 (2.1 to 3.9) times as they are" in text
    assert "id: conditions-missed-faces" in text
    assert "Samples whose conditions are all known." in text


def test_a_measure_of_a_newer_program_is_shown_by_its_name(builder: ModuleType) -> None:
    part = builder.capture_part()
    measures = [part.measures[0].model_copy(update={"measure": "a_new_one"})]
    page = html.page(make(builder.conditioned(conditions=part.model_copy(update={"measures": measures, "gaps": []}))))
    assert "a new one" in page
