"""`faceaudit power`: a benchmark, a table of people, an earlier audit, and mistakes in one line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from london_run import Run, faceaudit

from audit import forecast
from audit.benchmarks import withdrawals

TABLE = "subject_id,gender,age,images\n" + "".join(
    f"s{k},{'fm'[k % 2]},{20 + k},{1 + k % 3}\n" for k in range(60)
)  # fmt: skip


def rows(run: Run) -> dict[tuple[str, float, tuple[str, ...]], dict]:
    assert run.code == 0, run.stderr
    return {(r["metric"], r["rate"], tuple(r["group"].values())): r for r in json.loads(run.stdout)["rows"]}


def test_the_bundled_benchmark_is_the_default(tmp_path: Path) -> None:
    run = faceaudit("power", env={"FACEAUDIT_DATA": ""}, cwd=tmp_path)
    assert run.code == 0, run.stderr
    assert "morph A" in run.stdout
    assert "People" in run.stdout
    found = rows(faceaudit("power", "--json", env={"FACEAUDIT_DATA": ""}, cwd=tmp_path))
    cell = found["FMR", 1e-3, ("A", "darker")]
    assert (cell["subjects"], cell["trials"]) == (54, 54 * 53 // 2 * 16)
    assert cell["expected_errors"] == pytest.approx(22.896)
    assert 1.5 < cell["detectable_ratio"] < 10


@pytest.mark.london
def test_what_london_can_and_cannot_show(shared: Path, tmp_path: Path) -> None:
    env = {"FACEAUDIT_DATA": str(shared / "benchmarks")}
    command = ["power", "--benchmark", "london", "--by", "gender,ethnicity", "--out", tmp_path / "p"]
    found = rows(faceaudit(*command, "--json", env=env, cwd=tmp_path))
    black_women, white_men = found["FMR", 1e-3, ("female", "black")], found["FMR", 1e-3, ("male", "white")]
    assert (black_women["subjects"], black_women["trials"], white_men["trials"]) == (5, 40, 2244)
    assert black_women["own_threshold"] is False
    assert black_women["support"] == "count-only"
    assert black_women["detectable_ratio"] is None or black_women["detectable_ratio"] > 20
    assert found["FMR", 1e-2, ("male", "black")]["detectable_ratio"] > 5
    picture = (tmp_path / "p" / "power.svg").read_text()
    assert picture.startswith("<svg")
    assert "female, black" in picture
    assert json.loads((tmp_path / "p" / "power.json").read_text())["schema"] == "faceaudit/power-1"


def test_a_table_of_people_will_do(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(TABLE)
    found = rows(faceaudit("power", "--subjects", "people.csv", "--by", "gender", "--json", env={}, cwd=tmp_path))
    images = [1 + k % 3 for k in range(60) if k % 2 == 0]
    assert found["FMR", 1e-2, ("f",)]["trials"] == (sum(images) ** 2 - sum(m * m for m in images)) // 2
    assert found["FNMR", 0.05, ("f",)]["trials"] == sum(m * (m - 1) // 2 for m in images)


def test_whoever_withdrew_is_not_counted_on(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(TABLE)
    out = [f"s{k}" for k in range(0, 12, 2)]
    for who in out:
        withdrawals.add(tmp_path, who, dt.date(2026, 3, 1))
    found = forecast.of_table(tmp_path / "people.csv", 2)
    assert [one.subject_id for one in found.subjects] == [f"s{k}" for k in range(60) if f"s{k}" not in out]
    assert found.images == tuple(1 + k % 3 for k in range(60) if f"s{k}" not in out)


def test_an_earlier_record_is_taken_at_its_word(bundled: tuple[Path, Run, Run], tmp_path: Path) -> None:
    record = bundled[1].evaluations[0]["record"]
    run = faceaudit("power", "--like", record, "--json", env={"FACEAUDIT_DATA": ""}, cwd=tmp_path)
    assumed = json.loads(run.stdout)["assumed"]
    assert "measured in the audit of dlib" in assumed["source"]
    assert 0.1 < assumed["mated_within"] < 0.5
    assert assumed["between"] > 0.1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--subjects", "none.csv"), "no such table"),
        (("--subjects", "people.csv", "--benchmark", "london"), "both"),
        (("--subjects", "people.csv", "--by", "age"), "number without declared bins"),
        (("--subjects", "people.csv", "--by", "gendr"), "gender"),
        (("--subjects", "bad.csv"), "row 2, column 'images'"),
        (("--fmr", "0"), "between 0 and 1"),
        (("--fmr", "x"), "expected numbers"),
        (("--fnmr", "2"), "--fnmr"),
        (("--like", "people.csv"), "people.csv"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "people.csv").write_text(TABLE)
    (tmp_path / "bad.csv").write_text("subject_id,gender,images\na,f,many\nb,m,2\n")
    run = faceaudit("power", *arguments, env={"FACEAUDIT_DATA": ""}, cwd=tmp_path)
    assert run.code == 2, run.stdout
    assert said in run.stderr
    assert run.stderr.count("\n") == 1
