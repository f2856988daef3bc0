"""Bundles of searches, detectors and attribute models: numbers are computed again, and bent ones are found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from made_up_tasks import MADE, write
from small_bundle import copied, edit_record, sealed_again

from audit.bundle import Finding, seal, verify
from audit.errors import DataError

Change = Callable[[dict[str, Any]], None]
DECIDED = {
    "tables belong to the record",
    "people, images and comparisons",
    "rates and intervals within groups",
    "failures to acquire",
    "covariances of rates",
    "contrasts, with both adjusted p-values",
    "tests of equal rates",
    "differentials, intervals, nulls and verdicts",
}
SEARCHES = {"rates of searches in a list", "searches by rank and by size of the list"}
OPEN = {
    "identification": {"identification: tradeoff", "identification: confusion"},
    "detection": {"detection: odds", "detection: interactions"},
    "attributes": set[str](),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    known: dict[str, Path] = {}

    def of(task: str) -> Path:
        if task not in known:
            known[task] = write(tmp_path_factory.mktemp(task) / "b", *MADE[task]())
            seal(known[task])
        return known[task]

    return of


def failed(findings: list[Finding]) -> list[str]:
    return [one.question for one in findings if one.outcome == "failed"]


@pytest.mark.parametrize("task", MADE)
def test_every_rate_contrast_and_differential_is_computed_again(made: Callable[[str], Path], task: str) -> None:
    findings = verify(made(task))
    assert failed(findings) == []
    established = {one.question for one in findings if one.outcome == "established"}
    more = {"identification": SEARCHES, "detection": {"misses under every condition"}, "attributes": set[str]()}
    assert established >= DECIDED | more[task]
    known = {"signature", "descriptor", "model card", "cross-fit values", "vertex bootstrap"}
    assert {one.question for one in findings if one.outcome == "not established"} <= known | OPEN[task]


def first(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    return next(row for row in rows if all(row[key] == value for key, value in wanted.items()) and row_counts(row))


def row_counts(row: dict[str, Any]) -> bool:
    return all(row.get(key, 1) is not None for key in ("variance", "ratio", "value", "interval"))


def variance_of(**wanted: Any) -> Change:
    def bend(said: dict[str, Any]) -> None:
        first(said["rates"], **wanted)["variance"] *= 0.5

    return bend


def ratio_of(metric: str) -> Change:
    def bend(said: dict[str, Any]) -> None:
        first(said["contrasts"], metric=metric)["ratio"] *= 0.9

    return bend


def spread_of(metric: str) -> Change:
    def bend(said: dict[str, Any]) -> None:
        first(said["differentials"], metric=metric)["value"] *= 0.9

    return bend


def a_test(said: dict[str, Any]) -> None:
    next(t for t in said["global_tests"] if t["p"] is not None)["p"] = 0.5


def found_first(said: dict[str, Any]) -> None:
    said["identification"]["cmc"][1]["low"][0] *= 0.9


def grows_less(said: dict[str, Any]) -> None:
    said["identification"]["growth"][-1]["errors"] -= 1


def fewer_misses(said: dict[str, Any]) -> None:
    said["detection"]["cells"][-3]["misses"] -= 1


def better_detection(said: dict[str, Any]) -> None:
    said["detection"]["cells"][-3]["interval"]["high"] *= 0.9


def a_covariance(said: dict[str, Any]) -> None:
    said["covariance"][0]["matrix"][1][1] *= 0.5


BENT: list[tuple[str, Change, str, str]] = [
    ("identification", variance_of(metric="FPIR", view="conditional"), "rates of searches in a list", "fpir-0.1"),
    ("identification", variance_of(metric="FNIR", view="generalised", rank=3), "rates of searches in a list", "rank 3"),
    ("identification", ratio_of("FPIR"), "contrasts, with both adjusted p-values", "ratio"),
    ("identification", ratio_of("FNIR"), "contrasts, with both adjusted p-values", "ratio"),
    ("identification", spread_of("FNIR"), "differentials, intervals, nulls and verdicts", "value"),
    ("identification", a_test, "tests of equal rates", "p is 0.5"),
    ("identification", found_first, "searches by rank and by size of the list", "low/0"),
    ("identification", grows_less, "searches by rank and by size of the list", "errors"),
    ("detection", variance_of(metric="MISS"), "rates and intervals within groups", "variance"),
    ("detection", ratio_of("MISS"), "contrasts, with both adjusted p-values", "ratio"),
    ("detection", ratio_of("FDET"), "contrasts, with both adjusted p-values", "ratio"),
    ("detection", spread_of("MISS"), "differentials, intervals, nulls and verdicts", "value"),
    ("detection", fewer_misses, "misses under every condition", "misses"),
    ("detection", better_detection, "misses under every condition", "interval/high"),
    ("detection", a_covariance, "covariances of rates", "as-taken"),
    ("detection", variance_of(metric="FTA"), "failures to acquire", "variance"),
    ("attributes", variance_of(metric="CER", view="conditional"), "rates and intervals within groups", "gender"),
    ("attributes", variance_of(metric="OFF", view="generalised"), "rates and intervals within groups", "age off"),
    (
        "attributes",
        variance_of(metric="CER", operating_point="gender (expression=smiling)"),
        "rates and intervals within groups",
        "smiling",
    ),
    ("attributes", ratio_of("CER"), "contrasts, with both adjusted p-values", "ratio"),
    ("attributes", ratio_of("NPR"), "contrasts, with both adjusted p-values", "ratio"),
    ("attributes", spread_of("OFF"), "differentials, intervals, nulls and verdicts", "value"),
]


@pytest.mark.parametrize(("task", "bend", "question", "place"), BENT)
def test_a_bent_number_is_found_and_named(
    made: Callable[[str], Path], tmp_path: Path, task: str, bend: Change, question: str, place: str
) -> None:
    folder = copied(made(task), tmp_path / "b")
    edit_record(folder, bend)
    sealed_again(folder, Ed25519PrivateKey.generate())
    findings = verify(folder)
    assert question in failed(findings)
    assert place in next(one.detail for one in findings if one.question == question)


def test_a_table_that_lacks_cells_or_has_others_is_not_the_records(made: Callable[[str], Path], tmp_path: Path) -> None:
    """An attacker cannot make a rate stand without its cells, nor hide cells that the record does not tell of."""
    for number, setting in enumerate(("rank 3", "20 people on the list", "acquisition")):
        folder = copied(made("identification"), tmp_path / f"b{number}")
        table = pq.read_table(folder / "cells.parquet")
        kept = np.array([name != setting for name in table.column("setting").to_pylist()])
        assert not kept.all()
        pq.write_table(table.filter(pa.array(kept)), folder / "cells.parquet", store_schema=False)
        sealed_again(folder)
        assert set(failed(verify(folder))) & {"tables belong to the record", "tables can be read"}
    folder = copied(made("detection"), tmp_path / "more")
    edit_record(folder, lambda said: said["detection"].update(cells=said["detection"]["cells"][:-4]))
    sealed_again(folder)
    assert "tables belong to the record" in failed(verify(folder))


def test_a_run_of_an_earlier_version_has_no_tables_and_is_told_so(made: Callable[[str], Path], tmp_path: Path) -> None:
    folder = copied(made("detection"), tmp_path / "b")
    for name in ("cells.parquet", "covariance.parquet"):
        (folder / name).unlink()
    with pytest.raises(DataError, match=r"cells\.parquet.*is missing.*--fresh"):
        seal(folder)
    sealed_again(folder)
    findings = verify(folder)
    assert failed(findings) == []
    assert {"contrasts, tests and differentials"} <= {one.question for one in findings if one.outcome != "established"}


@pytest.mark.parametrize("task", MADE)
def test_no_row_is_of_a_person(made: Callable[[str], Path], task: str) -> None:
    """Rows are of groups of the record: as many as groups, settings and metrics need, however many people there are."""
    rows = pq.read_table(made(task) / "cells.parquet").to_pylist()
    assert {row["group"] for row in rows} == {"{}", '{"colour":"red"}', '{"colour":"blue"}', '{"colour":"rare"}'}
    told = [(row["operating_point"], row["setting"], row["metric"], row["role"], row["group"]) for row in rows]
    assert len(set(told)) == len(told)
    assert not any("person" in str(value) for row in rows for value in row.values())
    curves = {row["group"] for row in rows if row["setting"].endswith("candidates")}
    assert '{"colour":"rare"}' not in curves, "of one person, misses rank by rank say where her mate came"
    assert bool(curves) == (task == "identification")
