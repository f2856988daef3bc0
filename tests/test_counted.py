"""The tables beside a record: read back bit for bit, consistent with the counts, refused if they are something else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulated import Case

from audit import assemble
from audit.assemble_counted import counted
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
    found = tables.covariance
    width = 2 * len(case.grouping.groups) - 1
    for row, column, value in zip(found["row"], found["column"], found["value"], strict=True):
        assert value == case.measured.covariance[row, column]
    everyone = [(r, c) for r, c in zip(found["row"], found["column"], strict=True) if c % width == 0]
    assert all(r % width == 0 for r, _ in everyone), "everyone is compared with nobody"


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
