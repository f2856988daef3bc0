"""Tables as CSV: harmless to spreadsheets, whole for programs."""

from __future__ import annotations

import csv
import io
from types import ModuleType

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.record import EvaluationRecord, group_text
from audit.report import markdown, parts, pdf, tables, walk
from audit.report.view import make

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "=cmd|' /C calc'!A0",
    "＝1",
    "−x",
    '=HYPERLINK("x")',
]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("text", [f for f in FORMULAS if f != "−x"])
def test_no_cell_begins_a_formula(text: str) -> None:
    assert tables.harmless(text) == f"'{text}"


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_cell_is_a_number_or_begins_harmlessly_and_nothing_is_lost(text: str) -> None:
    made = tables.harmless(text)
    assert made in (text, f"'{text}")
    if made[:1] in tuple("=+-@\t\r\n"):
        float(made)


@pytest.mark.parametrize("number", ["-2.0", "+0.5", "1e-05", "-1E+3", "12"])
def test_numbers_stay_numbers(number: str) -> None:
    assert tables.harmless(number) == number


def test_hostile_names_are_harmless_in_every_file(builder: ModuleType) -> None:
    names = {"female": "=SUM(A1)", "black": "@SUM(A1)", "white": "+x,\"y\"\nz", "male": "-1+1", "dlib": "\tnet",
             "gender": "=g",
             "west_asian": "w" * 10_000}  # fmt: skip
    record = builder.renamed(builder.beside(), names)
    files = tables.files(record, make(record))
    assert "'=SUM(A1)" in files["groups.csv"]
    for name, text in files.items():
        rows = read(text)
        assert {len(row) for row in rows} == {len(rows[0])}, name
        for cell in (cell for row in rows for cell in row):
            assert len(cell) < 9_000
            if cell[:1] in tuple("=+-@\t\r\n"):
                float(cell)


def test_the_rates_are_the_record_in_full_precision(london_like: EvaluationRecord) -> None:
    files = tables.files(london_like, make(london_like))
    frame = pd.read_csv(io.StringIO(files["rates.csv"]))
    assert len(frame) == len(london_like.rates)
    told = 0
    for row, rate in zip(frame.to_dict("records"), london_like.rates, strict=True):
        assert row["group"] == group_text(rate.group)
        assert row["metric"] == rate.metric
        alone = any(row["reason"] == f"withheld: fewer than {n} people" for n in (2,))
        assert pd.isna(row["errors"]) if alone else (row["errors"], row["trials"]) == (rate.errors, rate.trials)
        if rate.value is not None:
            told += 1
            assert row["value"] == rate.value
            assert (row["low"], row["high"]) == (rate.interval.low, rate.interval.high)
    assert told > 50
    contrasts = pd.read_csv(io.StringIO(files["contrasts.csv"]))
    assert list(contrasts["verdict"]) == [contrast.verdict for contrast in london_like.contrasts]
    measures = pd.read_csv(io.StringIO(files["differentials.csv"]))
    assert list(measures["measure"]) == [found.measure for found in london_like.differentials]


def test_groups_of_one_person_are_withheld_there_too(london_like: EvaluationRecord) -> None:
    files = tables.files(london_like, make(london_like))
    for name in ("rates.csv", "groups.csv", "rates-0.csv"):
        rows = [
            row for row in read(files[name]) if any("east_asian/white" in c or "east asian/white" in c for c in row)
        ]
        assert rows
        assert all(any("withheld" in cell for cell in row) for row in rows), name


def test_the_index_names_every_file(any_record: EvaluationRecord) -> None:
    view = make(any_record)
    files = tables.files(any_record, view)
    index = read(files["index.csv"])
    assert [row[0] for row in index[1:]] == [name for name in files if name != "index.csv"]
    assert {table.caption for table in walk.tables(view)} <= {row[1].removeprefix("'") for row in index}


def test_nothing_measured_leaves_a_header(builder: ModuleType) -> None:
    record = builder.empty()
    files = tables.files(record, make(record))
    assert read(files["rates.csv"])[0][0] == "metric"
    assert len(read(files["rates.csv"])) == 1


def test_two_tables_of_one_name_are_an_error(london_like: EvaluationRecord) -> None:
    view = make(london_like)
    table = parts.Table("rates", "c", ("a",), ())
    doubled = parts.Section("s", "s", "", (table,))
    clash = type(view)(**{**{f: getattr(view, f) for f in view.__dataclass_fields__}, "sections": (doubled,)})
    with pytest.raises(ValueError, match=r"two tables would be rates\.csv"):
        tables.files(london_like, clash)


def test_headings_over_rows_become_a_column() -> None:
    cell = parts.Cell
    table = parts.Table("t", "c", ("g", "n"), ((cell("part"),), (cell("a", "note"), cell("1,234", kind="number"))))
    assert tables.shown(table) == [["Part", "g", "g: detail", "n"], ["part", "a", "note", "1234"]]


def test_a_row_that_ends_early_is_filled_and_loses_nothing() -> None:
    cell = parts.Cell
    table = parts.Table("t", "c", ("g", "n", "m"), ((cell("a"), cell("1")), (cell("head"),), (cell("b"),) * 3))
    assert tables.shown(table) == [["Part", "g", "n", "m"], ["", "a", "1", ""], ["head", "b", "b", "b"]]
    assert [len(row) for row in pdf._table(table)["parts"][0]["rows"]] == [3, 1, 3]
    assert markdown.table(table)[1].splitlines()[2] == "| a | 1 |  |"
