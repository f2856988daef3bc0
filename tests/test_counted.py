"""The tables beside a record: read back bit for bit, consistent with the counts, refused if they are something else."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulated import Case

from audit import assemble
from audit.assemble_cells import of_rates
from audit.assemble_counted import counted
from audit.cell_table import ACROSS, COMPARED, from_columns, to_columns
from audit.counted import CELLS, COUNTS, COVARIANCE, SCHEMAS, Counted, named, unpacked
from audit.errors import DataError
from audit.metrics.disclosure import told_finely


@pytest.fixture(scope="module")
def case() -> Case:
    return Case({"a": 25, "b": 14, "c": 4}, {"a": 0.6}, by=("tone", "sex"))


@pytest.fixture(scope="module")
def tables(case: Case) -> Counted:
    return counted(case.scores, case.grouping, [case.measured], case.points)


def test_they_are_read_back_as_they_were(tables: Counted, tmp_path: Path) -> None:
    for name, content in tables.files().items():
        (tmp_path / name).write_bytes(content)
    again = Counted.read(tmp_path)
    assert again.files() == tables.files()
    for one, other in zip(again.scores, tables.scores, strict=True):
        assert (one.role, one.group, one.against, one.mated) == (other.role, other.group, other.against, other.mated)
        assert np.array_equal(one.edges, other.edges)
        assert np.array_equal(one.counts, other.counts)


def test_scores_of_small_groups_lie_between_thresholds_alone(case: Case, tables: Counted) -> None:
    """In the tables and in the record; everything else has narrow bins, and no comparison is lost."""
    fine = dict(zip((named(g.as_dict()) for g in case.grouping.groups), told_finely(case.grouping), strict=True))
    assert set(fine.values()) == {True, False}
    allowed = {p.value for p in case.points}
    for one in tables.scores:
        if one.role != "group" or not fine[one.group]:
            assert set(one.edges[1:-1].tolist()) <= allowed
        else:
            assert len(one.counts) > 200
    for shown in assemble.distributions(case.scores, case.grouping, case.points, 2):
        if shown.edges and not fine[named(shown.group)]:
            assert set(shown.edges[1:-1]) <= allowed
    for k, group in enumerate(case.grouping.groups):
        for mated, chosen in ((True, case.grouping.member[k]), (False, case.grouping.within(k))):
            cell = next(
                one for one in tables.scores
                if (one.role, one.group, one.mated) == ("group", named(group.as_dict()), mated)
            )  # fmt: skip
            assert cell.counts.sum() == case.scores.total(case.scores.chosen(chosen, mated=mated))


def test_counts_by_cell_are_those_cell_by_cell(case: Case) -> None:
    edges = case.scores.grid.edges()[[0, 40, 700, 9000, -1]]
    whole = case.scores.binned_by_cell(edges)
    for k in range(len(whole)):
        only = np.arange(len(whole)) == k
        assert np.array_equal(whole[k], case.scores.binned(only, edges))


def test_covariances_are_those_between_groups_of_a_family(case: Case, tables: Counted) -> None:
    look = next(one for one in tables.looks if one.setting == COMPARED)
    width = 2 * len(case.grouping.groups) - 1
    assert (look.values == case.measured.covariance[look.rows, look.columns]).all()
    everyone = look.rows[look.columns % width == 0]
    assert len(everyone)
    assert (everyone % width == 0).all(), "everyone is compared with nobody"


def test_cells_across_groups_carry_the_variances_of_their_rates(case: Case, tables: Counted) -> None:
    look = next(one for one in tables.looks if one.setting == ACROSS)
    rates = [rate for rate in case.measured.rates if rate.reference_group is not None]
    assert len(rates) == len(look.names) > 10
    for rate, name, counts, variance in zip(rates, look.names, look.counts[0], look.variances()[0], strict=True):
        assert rate.reference_group is not None
        named_so = named(rate.group.as_dict()), named(rate.reference_group.as_dict())
        assert (name.role, name.group, name.against, name.people) == ("across", *named_so, None)
        assert counts.tolist() == [rate.errors, rate.trials, rate.subjects]
        assert variance == rate.variance
    few = [replace(rates[0], variance=None), *rates[1:]]
    assert np.isnan(of_rates(few, "p", ACROSS, case.grouping).variances()[0, 0]), "where none is given, none is told"


def columns(**changes: list[object]) -> tuple[dict[str, list[object]], dict[str, list[object]]]:
    """Two metrics of two groups at one point, one covariance."""
    cells: dict[str, list[object]] = {
        "operating_point": ["p"] * 4, "setting": [""] * 4, "metric": ["MISS", "MISS", "FDET", "FDET"],
        "role": ["group"] * 4, "group": ["{}", '{"a":"b"}'] * 2, "against": [None] * 4, "people": [9, 4] * 2,
        "errors": [1, 0, 2, 1], "trials": [9, 4, 9, 4], "subjects": [9, 4, 9, 4],
    }  # fmt: skip
    entries: dict[str, list[object]] = {"operating_point": ["p"], "row": [3], "column": [0], "value": [0.5]}
    entries["operating_point"] = changes.pop("points", ["p"])
    for name, values in changes.items():
        (cells if name in cells else entries)[name] = values
    return cells, entries


def test_looks_are_read_back_as_they_were() -> None:
    cells, entries = columns()
    (look,) = from_columns(cells, entries)
    assert (look.metrics, look.counts.shape, look.covariance()[0, 3]) == (("MISS", "FDET"), (2, 2, 3), 0.5)
    assert to_columns([look]) == (cells, entries)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"metric": ["MISS", "FDET", "MISS", "FDET"]}, "do not stand together"),
        ({"group": ["{}", "{}", "{}", "{}"]}, "not the same for every metric"),
        ({"group": ["{}", "x", "{}", "y"]}, "not the same for every metric"),
        ({"errors": [10, 0, 2, 1]}, "more errors than trials"),
        ({"row": [4]}, "without a place"),
        ({"row": [0], "column": [3]}, "without a place"),
        ({"column": [-1]}, "joins cells of two settings"),
        ({"points": ["q"]}, "without a place"),
        ({"column": [3], "value": [-0.5]}, "negative variance"),
        ({"setting": ["", "", "own", "own"]}, "joins cells of two settings"),
    ],
)
def test_looks_that_no_run_writes_are_refused(changes: dict[str, list[object]], text: str) -> None:
    with pytest.raises(DataError, match=text):
        from_columns(*columns(**changes))


def test_cells_of_an_earlier_version_are_read_and_known_as_such(tables: Counted, tmp_path: Path) -> None:
    for name, content in tables.files().items():
        (tmp_path / name).write_bytes(content)
    main = [look for look in tables.looks if look.setting == COMPARED]
    first = pq.read_table(tmp_path / CELLS)
    old = first.filter(pa.array([name == COMPARED for name in first.column("setting").to_pylist()]))
    pq.write_table(old.drop_columns(["setting", "against", "people"]), tmp_path / CELLS, store_schema=False)
    entries = to_columns(main)[1]
    pq.write_table(pa.table(entries, SCHEMAS[COVARIANCE]), tmp_path / COVARIANCE, store_schema=False)
    again = Counted.read(tmp_path)
    assert (tables.complete, again.complete) == (True, False)
    assert [look.point for look in again.looks] == [look.point for look in main]
    assert np.array_equal(again.looks[0].counts, main[0].counts)


def spoilt(name: str, **changes: object) -> bytes:
    columns = {field.name: ["{}"] if field.type == pa.string() else [1] for field in SCHEMAS[name]}
    if name == COUNTS:
        columns |= {"mated": [True], "low": [0.0], "high": [1.0]}
    if name == COVARIANCE:
        columns |= {"value": [1.0]}
    out = io.BytesIO()
    table = pa.table(columns | {k: v for k, v in changes.items() if k in columns}, SCHEMAS[name])
    if "extra" in changes:
        table = table.append_column("extra", pa.array([1]))
    pq.write_table(table, out, store_schema=False)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        (CELLS, spoilt(CELLS, extra=1), "columns"),
        (CELLS, spoilt(COUNTS), "columns"),
        (CELLS, spoilt(CELLS, errors=[-1]), "negative"),
        (COVARIANCE, spoilt(COVARIANCE, value=[float("nan")]), "not finite"),
        (COUNTS, spoilt(COUNTS, high=[float("inf")]), "not finite"),
        (COUNTS, b"no table", "cannot be read"),
    ],
)
def test_other_tables_are_refused(name: str, content: bytes, text: str) -> None:
    with pytest.raises(DataError, match=text):
        unpacked(content, name)


def test_a_table_that_says_it_has_more_rows_than_any_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.counted.MOST_ROWS", {CELLS: 0})
    with pytest.raises(DataError, match="more than 0"):
        unpacked(spoilt(CELLS), CELLS)
