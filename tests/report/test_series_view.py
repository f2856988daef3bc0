"""Counterfactual series in the report: words that follow the interval, a picture around zero, a table of everything."""

from __future__ import annotations

from typing import Any

import pytest

from audit.record import EvaluationRecord, IntervalPart, Movement
from audit.report import parts
from audit.report.view import make

POINT = "global-fmr-0.001"


def movement(factor: str, level: str, quantity: str, change: float | None, half: float, **given: Any) -> Movement:
    values: dict[str, Any] = {
        "position": 1, "against": "own", "operating_point": POINT if quantity in {"FRR", "FNMR"} else None,
        "detector": None, "people": 60, "before": 0.1, "after": None if change is None else 0.1 + change,
    }  # fmt: skip
    if change is not None:
        values["interval"] = IntervalPart(low=change - half, high=change + half, level=0.95, method="m")
    else:
        values["interval"] = None
    return Movement(factor=factor, level=level, quantity=quantity, change=change, **{**values, **given})


@pytest.fixture
def with_series(london_like: EvaluationRecord) -> EvaluationRecord:
    rows = [
        movement("tone", "-45", "score", -0.04, 0.01),
        movement("tone", "-45", "FRR", 0.2, 0.05, errors=[36, 108], trials=[360, 360]),
        movement("tone", "-45", "landmarks", 0.8, 0.2),
        movement("hair", "bob", "score", 0.002, 0.01),
        movement("hair", "bob", "FRR", 0.01, 0.03, errors=[36, 40], trials=[360, 360]),
        movement("light", "1/64", "score", None, 0, reason="no template"),
        movement("light", "1/64", "FRR", 0.5, 0.1, errors=[36, 216], trials=[360, 360]),
        movement("light", "1/64", "miss", 0.4, 0.1, detector="mtcnn", errors=[0, 24], trials=[60, 60]),
    ]
    return london_like.model_copy(update={"counterfactuals": rows})


def section(record: EvaluationRecord) -> parts.Section:
    return next(s for s in make(record).sections if s.id == "series")


def test_a_record_without_series_has_no_such_section(london_like: EvaluationRecord) -> None:
    assert not [s for s in make(london_like).sections if s.id == "series" and s.blocks]


def test_words_follow_the_interval(with_series: EvaluationRecord) -> None:
    (listing,) = (b for b in section(with_series).blocks if isinstance(b, parts.Listing))
    tone, hair, light, missed = listing.items
    assert "+20" in tone
    assert "10%" in tone
    assert "30%" in tone
    assert tone.split(":")[0] != hair.split(":")[0]
    assert "24 of 60" in missed
    assert "1/64" in light
    assert "no level moves" in hair
    assert "no level moves" not in tone + light


def test_a_clear_small_move_is_told_before_an_unclear_large_one(with_series: EvaluationRecord) -> None:
    clear = movement("hair", "cropped", "FRR", 0.005, 0.001, errors=[36, 38], trials=[360, 360])
    record = with_series.model_copy(update={"counterfactuals": [*with_series.counterfactuals, clear]})
    (listing,) = (b for b in section(record).blocks if isinstance(b, parts.Listing))
    assert "cropped" in listing.items[1]
    assert "+0.5" in listing.items[1]


def test_the_picture_is_drawn_around_zero(with_series: EvaluationRecord) -> None:
    figures = {b.id: b for b in section(with_series).blocks if isinstance(b, parts.Figure)}
    picture = figures["series-rejected"].picture
    assert isinstance(picture, parts.RowPicture)
    assert picture.linear
    low, high = picture.domain
    assert low == -high
    assert [line.x for line in picture.lines] == [0.0]
    shown = [mark.x for mark in picture.rows if not mark.heading]
    assert shown == pytest.approx([0.2, 0.01, 0.5])


def test_every_level_has_a_row_and_a_missing_number_its_reason(with_series: EvaluationRecord) -> None:
    folds = [b for b in section(with_series).blocks if isinstance(b, parts.Fold)]
    table = next(b for b in folds[0].blocks if isinstance(b, parts.Table))
    rows = {row[0].text: row for row in table.rows if len(row) > 1}
    assert len(rows) == 3
    light = next(row for name, row in rows.items() if "1/64" in name)
    assert [cell.note for cell in light if cell.text == "–"] == ["no template"]


def test_the_first_page_says_what_moved_the_largest_first(with_series: EvaluationRecord) -> None:
    view = make(with_series)
    assert view.title.endswith(": the same face with one thing changed")
    moved = view.answers[0]
    assert moved.question == "What moves when one thing is changed?"
    assert "1/64" in moved.answer
    assert "rejected 10% → 60%, +50 points (95% interval +40 to +60)" in moved.answer
    assert "+20 points" in moved.details[0]
    assert moved.details[-1] == "No clear move: Hair."
    still = [row for row in with_series.counterfactuals if row.factor == "hair"]
    calm = make(with_series.model_copy(update={"counterfactuals": still}))
    assert calm.answers[0].answer == "No factor moves rejections clearly."


def test_a_report_without_series_asks_nothing_of_them(london_like: EvaluationRecord) -> None:
    assert make(london_like).answers[0].question == "Which groups are affected?"
    assert "one thing changed" not in make(london_like).title
