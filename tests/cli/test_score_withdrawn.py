"""Whoever withdrew leaves scores that somebody else computed, as if the rows had never been there."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit import influence, score_table
from audit.benchmarks import withdrawals
from audit.cli import main

OUT = {"s1", "s4"}
PEOPLE = [f"s{k}" for k in range(8)]


def write(folder: Path, without: set[str] = frozenset()) -> Path:  # type: ignore[assignment]
    """Comparisons of eight people with two samples each, one of them without a score; without the rows of some."""
    folder.mkdir()
    rng = np.random.default_rng(7)
    samples = [(who, f"{who}-{k}") for who in PEOPLE for k in (1, 2)]
    own = dict(zip(PEOPLE, rng.normal(size=(8, 6)), strict=True))
    vectors = {name: own[who] + rng.normal(0, 0.5, 6) for who, name in samples}
    rows = [
        [one, two, a, b, "" if "s2-1" in (a, b) else f"{vectors[a] @ vectors[b]:.5f}"]
        for i, (one, a) in enumerate(samples)
        for two, b in samples[:i]
        if not {one, two} & without
    ]
    with (folder / "scores.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["probe_subject", "reference_subject", "probe", "reference", "score"], *rows])
    (folder / "people.csv").write_text(
        "subject_id,g\n" + "".join(f"{who},{'ab'[k % 2]}\n" for k, who in enumerate(PEOPLE) if who not in without)
    )
    (folder / "samples.csv").write_text(
        "sample_id,subject_id\n" + "".join(f"{name},{who}\n" for who, name in samples if who not in without)
    )
    return folder


def scored(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    tables = [folder / "scores.csv", "--subjects", folder / "people.csv", "--samples", folder / "samples.csv"]
    with pytest.raises(SystemExit) as left:
        main(["score", *map(str, tables), "--fmr", "0.1", "--by", "g", "--json", "--out", str(folder / "out")])
    said = capsys.readouterr()
    assert left.value.code == 0, said.err
    found = json.loads(said.out)["evaluations"][0]
    return found, json.loads(Path(found["record"]).read_text(encoding="utf-8"))


def test_they_leave_it_as_if_they_had_never_been_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEAUDIT_CACHE", str(tmp_path / "cache"))
    folder = write(tmp_path / "listed")
    found, before = scored(folder, capsys)
    assert before["samples"]["subjects"] == 8
    sums = list((tmp_path / "cache" / "influence").glob("*.people"))
    assert len(sums) == 1
    for who in OUT:
        withdrawals.add(folder, who, dt.date(2026, 3, 1))
    again, after = scored(folder, capsys)
    assert (again["record"], again["reused"]) == (found["record"], False)
    _, expected = scored(write(tmp_path / "removed", OUT), capsys)
    for part in ("samples", "acquisition", "operating_points", "rates", "differentials", "contrasts", "distributions"):
        assert after[part] == expected[part], part
    assert after["benchmark"]["withdrawn"] | {"digest": ""} == {
        "listed": 2, "people": 2, "date": "2026-03-01", "digest": "",
    }  # fmt: skip
    assert any("2 people have withdrawn from this benchmark" in warning for warning in after["warnings"])
    assert json.loads(Path(again["supersedes"]).read_text(encoding="utf-8")) == before
    assert (Path(again["supersedes"]).parent / "superseded.json").exists()
    kept = [influence._parse(path) for path in (tmp_path / "cache" / "influence").glob("*.people")]
    domain = f"table {before['digests']['benchmark']}"
    gone = {name.encode() for name in influence.hashes(OUT, domain)}
    assert not sums[0].exists()
    assert all(one is not None and gone.isdisjoint(one.people.tolist()) for one in kept)
    assert scored(folder, capsys)[0]["reused"]


def test_everybody_withdrew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "all")
    for who in PEOPLE:
        withdrawals.add(folder, who, dt.date(2026, 3, 1))
    with pytest.raises(SystemExit) as left:
        main(["score", str(folder / "scores.csv"), "--out", str(folder / "out")])
    assert left.value.code == 4
    assert "everybody in it has withdrawn" in capsys.readouterr().err


def test_a_table_without_some_people_keeps_the_others_rows(tmp_path: Path) -> None:
    whole = score_table.read(write(tmp_path / "whole") / "scores.csv")
    left = score_table.without(whole, OUT)
    named = [
        (whole.subjects[a], whole.subjects[b], (left.samples or ())[i], (left.samples or ())[j])
        for a, b, i, j in zip(left.probe, left.reference, left.probe_sample, left.reference_sample, strict=True)
    ]
    expected = score_table.read(write(tmp_path / "part", OUT) / "scores.csv")
    assert named == [
        (expected.subjects[a], expected.subjects[b], (expected.samples or ())[i], (expected.samples or ())[j])
        for a, b, i, j in zip(
            expected.probe, expected.reference, expected.probe_sample, expected.reference_sample, strict=True
        )
    ]
    np.testing.assert_array_equal(left.score, expected.score)
    assert [whole.subjects[k] for k in left.owner] == [expected.subjects[k] for k in expected.owner]
