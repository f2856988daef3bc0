"""What a notebook sees of an audit: frames that say what the record says, a harmless card, charts of the report."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import site_results as given

import audit
from audit.errors import DataError
from audit.evaluation import Evaluation
from audit.record import EvaluationRecord, dumps

VOID = {"br"}


class Tags(HTMLParser):
    """Notes tags, and that they are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def record() -> EvaluationRecord:
    return given.builder().london_like()


@pytest.fixture(scope="module")
def evaluation(record: EvaluationRecord) -> Evaluation:
    return Evaluation(record, Path("results"))


def test_frame_of_rates_says_what_the_record_says(evaluation: Evaluation) -> None:
    frame, rates = evaluation.rates, evaluation.record.rates
    assert len(frame) == len(rates)
    chosen = frame.query("metric == 'FMR' and view == 'conditional' and reference_group.isna()")
    black_women = chosen[
        (chosen.gender == "female") & (chosen.ethnicity == "black") & (chosen.operating_point == "global-fmr-0.001")
    ]
    assert len(black_women) == 1
    row = black_women.iloc[0]
    assert (row["group"], row["errors"], row["trials"], row["subjects"]) == (
        "gender=female & ethnicity=black",
        9,
        40,
        5,
    )
    assert row["value"] == 9 / 40
    assert row["low"] < row["value"] < row["high"]
    for got, rate in zip(frame.itertuples(), rates, strict=True):
        assert (got.errors, got.trials, got.support) == (rate.errors, rate.trials, rate.support)
        assert pd.isna(got.value) if rate.value is None else got.value == rate.value
    assert set(frame.loc[frame["group"] == "everyone", "gender"].isna()) == {True}


def test_frames_of_contrasts_and_differentials(evaluation: Evaluation) -> None:
    record = evaluation.record
    contrasts, spreads = evaluation.contrasts, evaluation.differentials
    assert list(contrasts["verdict"]) == [c.verdict for c in record.contrasts]
    assert set(contrasts["against"]) >= {"rest"}
    first = record.contrasts[0]
    assert first.interval is not None
    assert (contrasts["low"][0], contrasts["high"][0]) == (first.interval.low, first.interval.high)
    assert list(spreads["measure"]) == [d.measure for d in record.differentials]
    assert list(spreads["attributes"]) == [" & ".join(d.attributes) for d in record.differentials]
    assert list(spreads["excluded"]) == [len(d.excluded) for d in record.differentials]


def test_frames_have_the_same_columns_and_kinds_whatever_was_measured(evaluation: Evaluation) -> None:
    empty = Evaluation(given.builder().empty(), Path("results"))
    attributes = {*empty.record.benchmark.attributes, *evaluation.record.benchmark.attributes}
    for name in ("rates", "contrasts", "differentials"):
        full, none = getattr(evaluation, name), getattr(empty, name)
        assert [c for c in full if c not in attributes] == [c for c in none if c not in attributes]
        numbers = [c for c in full if full[c].dtype.kind in "if"]
        assert "low" in numbers
        assert [full[c].dtype for c in numbers] == [none[c].dtype for c in numbers]
        assert not any(isinstance(value, dict | list) for column in full for value in full[column])


def test_an_attribute_called_like_a_column_does_not_replace_it() -> None:
    made = given.builder().london_like()
    part = made.benchmark.attributes["gender"]
    named = made.benchmark.model_copy(update={"attributes": {"errors": part, "low": part, "group": part}})
    frame = Evaluation(made.model_copy(update={"benchmark": named}), Path("results")).rates
    assert frame.columns.is_unique
    assert list(frame["errors"]) == [rate.errors for rate in made.rates]


@pytest.mark.parametrize("name", ["london_like", "hostile", "empty", "failing", "equivalent", "ungrouped"])
def test_card_is_whole_harmless_and_loads_nothing(name: str) -> None:
    card = Evaluation(getattr(given.builder(), name)(), Path("results"))._repr_html_()
    tags = Tags()
    tags.feed(card)
    assert tags.open == []
    assert tags.seen <= {
        "section", "p", "strong", "details", "summary", "div", "table", "thead", "tbody", "tr", "th", "td",
        "br", "small",
    }  # fmt: skip
    assert not {a for a in tags.attributes if a.startswith("on") or a in {"src", "href"}}
    assert not re.search(r"unbiased|bias-free|no bias|is fair|\u202e", card, re.IGNORECASE)


def test_card_says_the_verdict_the_counts_and_the_people(evaluation: Evaluation) -> None:
    card = evaluation._repr_html_()
    assert "▲ Disparity." in card
    assert "9 of 40 comparisons (5 people)" in card
    assert "102 people" in card
    assert "tier T2" in card


def test_charts_are_those_of_the_report(evaluation: Evaluation) -> None:
    for chart, name in (
        (evaluation.chart_rates(), "fmr"),
        (evaluation.chart_rates("FNMR"), "fnmr"),
        (evaluation.chart_spread(), "spread-fmr"),
        (evaluation.chart_contrasts("ethnicity"), "ratio-fmr-1"),
        (evaluation.chart_heat("ethnicity", "gender"), "heat-2"),
        (evaluation.chart_heat(), "heat-0"),
        (evaluation.chart_scores(), "scores"),
    ):
        assert chart.to_dict() == evaluation.chart(name).to_dict()
        assert name in evaluation.charts
    assert "9 of 40" in evaluation.chart_rates().to_dict()["description"]


def test_a_chart_that_is_not_there_is_a_sentence(evaluation: Evaluation) -> None:
    with pytest.raises(DataError, match=r"'detail': this report has no such picture. It has: fmr, fnmr"):
        evaluation.chart("detail")
    with pytest.raises(
        DataError, match=r"age: the people were not grouped so. Grouped by: gender, ethnicity, gender & e"
    ):
        evaluation.chart_heat("age")


def test_a_saved_audit_is_opened_and_reported(record: EvaluationRecord, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(dumps(given.small()), encoding="utf-8")
    opened = audit.Evaluation.read(tmp_path)
    assert opened.record == audit.read_record(tmp_path / "record.json")
    assert opened.reused
    assert repr(opened) == f"<Evaluation of {opened.record.model.name} on {opened.record.benchmark.name}: {tmp_path}>"
    assert opened.report(formats="html") == [opened.report_path]
    assert opened.report(tmp_path / "elsewhere") == [tmp_path / "elsewhere" / "report.html"]
    assert opened.report_path.read_bytes() == (tmp_path / "elsewhere" / "report.html").read_bytes()
    with pytest.raises(DataError, match="cannot be read"):
        audit.Evaluation.read(tmp_path / "elsewhere")


def test_frames_go_to_json_without_a_word_of_pandas(evaluation: Evaluation) -> None:
    assert json.loads(evaluation.rates.to_json(orient="records"))[0]["metric"] == "FMR"
