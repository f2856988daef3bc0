"""`faceaudit reproduce` as a user runs it: again, against another record, and what it refuses in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from london_run import Run, faceaudit
from policy_records import made_record

from audit import environment
from audit import record as records
from audit.cli import main
from audit.plan import RunOptions
from audit.rerun import Given, planned


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small audit: its folder of results, and its cache."""
    folder = tmp_path_factory.mktemp("reproduce")
    run = faceaudit(
        "run", "--benchmark", "synthetic", "--model", "dlib", "--limit", "8", "--fmr", "0.1", "--out", "results",
        "--json", "--quiet", env=env(folder / "cache"), cwd=folder,
    )  # fmt: skip
    assert run.code == 0, run.stderr
    return (folder / run.evaluations[0]["record"]).parent, folder / "cache"


def env(cache: Path) -> dict[str, str]:
    return {"FACEAUDIT_DATA": "", "FACEAUDIT_CACHE": str(cache), "COLUMNS": "200"}


def reproduce(folder: Path, *arguments: str | Path, cache: Path | None = None) -> Run:
    return faceaudit("reproduce", *arguments, env=env(cache or folder / "cache"), cwd=folder)


def copied(source: Path, folder: Path, change: Callable[[dict[str, Any]], object] | None = None) -> Path:
    """A copy of the record's folder, with the record changed."""
    shutil.copytree(source, folder)
    path = folder / "record.json"
    data = json.loads(path.read_text())
    if change is not None:
        change(data)
    path.write_text(json.dumps(data))
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """Run it in this process where it stops early: exit code and the one line."""
    with pytest.raises(SystemExit) as left:
        main(["reproduce", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    return int(left.value.code or 0), err


def test_the_same_plan_again_gives_the_same_numbers(made: tuple[Path, Path], tmp_path: Path) -> None:
    """Everything is computed again: the cache of the first run is there, and nothing is taken from it."""
    folder, cache = made
    run = reproduce(tmp_path, folder, "--json", cache=cache)
    assert run.code == 0, run.stderr
    found = json.loads(run.stdout)
    assert (found["outcome"], found["how"]) == ("identical", "measured again")
    assert found["differences"] == found["environment"] == found["settings"] == []
    assert found["environment_from"] == "environment.json"
    assert all(one["recorded"] == one["again"] for one in found["digests"])
    assert sum(row["compared"] for row in found["tallies"]) > 5000
    (again,) = (tmp_path / "reproduced").rglob("record.json")
    assert {path.name for path in again.parent.iterdir()} == {
        "benchmark.json", "card.json", "cells.parquet", "counts.parquet", "covariance.parquet", "environment.json",
        "record.json", "report.html", "reproduction.html", "reproduction.json", "reproduction.md",
    }  # fmt: skip
    assert json.loads((again.parent / "reproduction.json").read_text()) == found
    record = records.read(again)
    assert record.timing["template"] > 0
    assert record.created != records.read(folder / "record.json").created
    assert str(tmp_path) not in (again.parent / "reproduction.html").read_text()

    cached = reproduce(tmp_path, folder, "--cached", "--out", "cached", cache=cache)
    assert cached.code == 0
    assert "with templates that the cache held" in " ".join(cached.stdout.split())


def test_another_record_of_the_plan_is_judged_without_a_run(made: tuple[Path, Path], tmp_path: Path) -> None:
    folder, _ = made
    same = copied(folder, tmp_path / "same")
    run = reproduce(tmp_path, folder, "--against", same)
    assert run.code == 0
    assert "All " in run.stdout
    assert "nothing was measured" in run.stdout

    def flip(data: dict[str, Any]) -> None:
        row = data["contrasts"][0]
        row["verdict"] = "EQUIVALENT" if row["verdict"] != "EQUIVALENT" else "DISPARITY"

    other = copied(folder, tmp_path / "other", flip)
    run = reproduce(tmp_path, folder, "--against", other / "record.json", "--out", "o")
    assert run.code == 1
    assert "Not reproduced: 1 of " in run.stdout
    assert "Not reproduced" in (tmp_path / "o" / "reproduction.md").read_text()
    assert reproduce(tmp_path, folder, "--against", other, "--quiet").stdout == ""


def test_what_the_environment_changed_in_is_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    folder, _ = made
    other = copied(folder, tmp_path / "other")
    path = other / environment.FILE
    data = json.loads(path.read_text())
    data["packages"]["numpy"], data["processor"] = "1.0", "another one"
    path.write_text(json.dumps(data))
    run = reproduce(tmp_path, folder, "--against", other, "--json")
    found = json.loads(run.stdout)
    assert run.code == 0
    assert {one["name"]: one["again"] for one in found["environment"]} == {"numpy": "1.0", "processor": "another one"}
    path.unlink()
    found = json.loads(reproduce(tmp_path, folder, "--against", other, "--json").stdout)
    assert (found["environment_from"], found["environment"]) == ("record", [])


def test_the_lock_of_the_environment_is_what_pip_reads(made: tuple[Path, Path], tmp_path: Path) -> None:
    folder, _ = made
    run = reproduce(tmp_path, folder, "--requirements")
    assert run.code == 0
    packages = environment.read(folder).packages  # type: ignore[union-attr]
    lines = run.stdout.splitlines()
    assert f"numpy=={packages['numpy']}" in lines
    assert [line for line in lines if line.startswith("#")] == [f"# faceaudit {packages['faceaudit']}"]
    assert len(lines) == len(packages)


def test_other_inputs_are_shown_only_where_that_is_asked_for(made: tuple[Path, Path], tmp_path: Path) -> None:
    folder, cache = made
    other = copied(folder, tmp_path / "other", lambda data: data["digests"].update(samples="0" * 64))
    refused = reproduce(tmp_path, other, cache=cache)
    assert (refused.code, refused.stderr.count("\n")) == (2, 1)
    assert "benchmark synthetic: its pictures, their rows or its labels are not those of the record" in refused.stderr
    assert not (tmp_path / "reproduced").exists() or not list((tmp_path / "reproduced").rglob("record.json"))
    shown = reproduce(tmp_path, other, "--anyway", "--cached", cache=cache)
    assert shown.code == 1
    assert "Other inputs: " in shown.stdout


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda d: d.update(schema="faceaudit/record-9"), 2, ("record.json#/schema", "another version")),
        (lambda d: d["digests"].update(weights="0" * 64), 2, ("model dlib: has weights", "000000000000", "--anyway")),
        (lambda d: d["digests"].update(benchmark="0" * 64), 2, ("benchmark synthetic: its descriptor", "--benchmark")),
        (
            lambda d: d["samples"].update(total=7) or d["digests"].update(samples="1"),
            2,
            ("has 32 pictures of 8 people",),
        ),
        (lambda d: d["plan"].update(modle="x"), 2, ("record.json#/plan", "unknown setting 'modle'")),
        (lambda d: d["plan"].update(draws=10**9), 2, ("record.json#/plan: draws",)),
        (lambda d: d["plan"].update(model="dlibb"), 2, ("unknown model 'dlibb'",)),
        (lambda d: d["plan"].update(benchmark="/etc"), 2, ("is a path, which no record has",)),
        (lambda d: d["plan"].update(benchmark="../elsewhere"), 2, ("is a path, which no record has",)),
        (lambda d: d["plan"].update(model="card:/etc/passwd"), 2, ("its model card:/etc/passwd is a file",)),
        (lambda d: d["plan"].update(model="onnx:mine"), 2, ("no data folder holds it", "--model onnx:FILE")),
        (lambda d: d["plan"].update(model="templates:mine"), 2, ("--model templates:FILE",)),
        (lambda d: d["plan"].update(benchmark="lfw"), 3, ("LFW is refused",)),
        (lambda d: d.pop("rates"), 2, ("record.json#/rates",)),
    ],
)
def test_a_record_that_leads_nowhere_is_one_line(
    made: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], object],
    code: int,
    words: tuple[str, ...],
) -> None:
    other = copied(made[0], tmp_path / "other", change)
    left, line = said(capsys, other, "--out", tmp_path / "out", "--quiet")
    assert left == code, line
    assert all(word in line for word in words), line


def test_a_file_that_is_no_record_and_a_target_that_is_one(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = made
    assert said(capsys, tmp_path / "nowhere")[0] == 2
    assert "is the record itself, and would be overwritten" in said(capsys, folder, "--out", folder.parents[2])[1]
    assert "Give the record that somebody else made" in said(capsys, folder, "--against", folder)[1]
    assert "--device: found 'tpu'" in said(capsys, folder, "--device", "tpu")[1]
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(folder / "record.json", bare)
    assert "has no environment.json" in said(capsys, bare, "--requirements")[1]
    (bare / environment.FILE).write_text("{")
    assert "environment.json#/(document)" in said(capsys, bare, "--out", tmp_path / "out")[1]


def test_a_consent_tier_that_somebody_else_accepted_is_not_taken_over(made: tuple[Path, Path], tmp_path: Path) -> None:
    """Whoever runs it again passes the gate on their own word."""
    other = copied(made[0], tmp_path / "other", lambda d: d["plan"].update(acknowledge=["T3"]))
    record, path = records.read(other / "record.json"), other / "record.json"
    assert record.plan["acknowledge"] == ["T3"]
    assert planned(record, Given(path), RunOptions()).acknowledge == ()
    assert planned(record, Given(path, acknowledge=("T3",)), RunOptions()).acknowledge == ("T3",)


def test_scores_of_somebody_else_cannot_be_run_but_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _ = made_record(tmp_path / "one")
    code, line = said(capsys, path)
    assert (code, "was made from scores that somebody else computed" in line) == (2, True)
    other = copied(path.parent, tmp_path / "two")
    run = reproduce(tmp_path, path, "--against", other, "--json")
    assert (run.code, json.loads(run.stdout)["outcome"]) == (0, "identical")


@pytest.mark.london
def test_a_file_is_found_by_its_digest_and_templates_are_run_again(
    london_env: dict[str, str], tmp_path: Path, shared: Path
) -> None:
    env_ = {**london_env, "FACEAUDIT_CACHE": str(tmp_path / "cache")}
    weights = tmp_path / "renamed" / "some.onnx"
    weights.parent.mkdir()
    shutil.copy(shared / "models" / "mobilefacenet.onnx", weights)
    arguments = ("--benchmark", "london", "--model", "onnx:mobilefacenet.onnx", "--limit", "8", "--fmr", "0.2")
    first = faceaudit("run", *arguments, "--json", "--out", "first", env=env_, cwd=tmp_path)
    assert first.code == 0, first.stderr
    path = Path(first.evaluations[0]["record"])
    elsewhere = {**env_, "FACEAUDIT_DATA": f"{shared / 'benchmarks'}:{weights.parent}"}
    again = faceaudit("reproduce", path, "--json", "--cached", env=elsewhere, cwd=tmp_path)
    assert again.code == 0, again.stderr
    assert json.loads(again.stdout)["outcome"] == "identical"
    nowhere = {**env_, "FACEAUDIT_DATA": str(shared / "benchmarks")}
    lost = faceaudit("reproduce", path, env=nowhere, cwd=tmp_path)
    assert (lost.code, lost.stderr.count("\n")) == (2, 1)
    assert "its model onnx:mobilefacenet is a file with the SHA-256 b7120c" in lost.stderr
    wrong = faceaudit(
        "reproduce", path, "--model", f"onnx:{shared / 'models' / 'faceplugin_feature.onnx'}", env=nowhere, cwd=tmp_path
    )
    assert (wrong.code, "has weights with the SHA-256 87aacdfe5751" in wrong.stderr) == (2, True)
