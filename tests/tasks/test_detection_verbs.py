"""Records of detectors in every other verb: compare, gate, publish, report, power, models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import squares
from london_run import faceaudit

SETTINGS = (
    "--task", "detection", "--working-size", "160", "--degradations", "brightness,noise", "--severities", "1,3",
    "--by", "gender",
)  # fmt: skip
POLICY = """
name = "found"
[defaults]
minimum_support = { people = 2, trials = 2 }
[[rules]]
name = "faces are found"
metric = "MISS"
operating_point = "degraded"
groups = "everyone"
maximum_rate = 0.01
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path], dict[str, str]]:
    """Two detectors in one command; one of them sees six pictures only."""
    folder = tmp_path_factory.mktemp("detectors")
    benchmark = squares.benchmark(folder / "set", people=8)
    one, two = squares.card(folder / "one"), squares.card(folder / "two", spoil=-0.2)
    (folder / "two" / "squares.toml").write_text(
        (folder / "two" / "squares.toml").read_text().replace('name = "squares"', 'name = "squares-less"')
    )
    env = {"FACEAUDIT_CACHE": str(folder / "cache")}
    run = faceaudit(
        "run", *SETTINGS, "--benchmark", benchmark, "--model", one, "--model", two, "--for", f"{two}:images=6",
        "--out", folder / "out", "--json", env=env, cwd=folder,
    )  # fmt: skip
    assert run.code == 0, run.stderr
    return folder, [Path(one["record"]) for one in run.evaluations], env


Done = tuple[Path, list[Path], dict[str, str]]


def test_one_command_makes_a_record_each_with_settings_of_its_own(done: Done) -> None:
    records = [json.loads(path.read_text()) for path in done[1]]
    assert [record["model"]["name"] for record in records] == ["squares", "squares-less"]
    assert [record["samples"]["total"] for record in records] == [16, 6]


def test_compare_sets_them_side_by_side_with_what_people_share(done: Done) -> None:
    folder, paths, env = done
    run = faceaudit("compare", *paths, "--out", folder / "beside", env=env, cwd=folder)
    assert run.code == 0, run.stderr
    found = json.loads((folder / "beside" / "compare.json").read_text())
    rows = [row for row in found["differences"] if row["metric"] == "MISS" and row["operating_point"] == "degraded"]
    assert rows
    assert "paired" in json.dumps(rows[0])
    assert (folder / "beside" / "comparison.html").exists()


def test_gate_judges_misses(done: Done) -> None:
    folder, paths, env = done
    (folder / "policy.toml").write_text(POLICY)
    run = faceaudit("gate", paths[0], "--policy", folder / "policy.toml", env=env, cwd=folder)
    assert run.code == 1, run.stdout + run.stderr
    (folder / "bad.toml").write_text(POLICY.replace('operating_point = "degraded"', "target_fmr = 0.01"))
    run = faceaudit("gate", paths[0], "--policy", folder / "bad.toml", env=env, cwd=folder)
    assert run.code == 2
    assert "MISS has no target_fmr" in run.stderr


def test_reports_in_every_format_say_what_was_not_found(done: Done) -> None:
    folder, paths, env = done
    run = faceaudit(
        "report", paths[0], "--format", "html,pdf,md,csv,card", "--out", folder / "report", env=env, cwd=folder
    )
    assert run.code == 0, run.stderr
    text = (folder / "report" / "report.md").read_text()
    # Made dark, dim squares are missed at severity 1 (8) and all at 3 (16); noise hides none: 24 of 64.
    for said in ("are faces found?", "Where it breaks, and for whom", "too dark", "24 of 64", "16 of 16"):
        assert said in text, said
    assert (folder / "report" / "report.pdf").stat().st_size > 10_000
    assert "miss_rate" in (folder / "report" / "model_card.md").read_text()
    assert "false match" not in (folder / "report" / "report.html").read_text().split("Words</h2>")[0].lower()


def test_publish_lists_them_by_what_they_found(done: Done) -> None:
    folder, _, env = done
    run = faceaudit("publish", folder / "out", "--out", folder / "site", env=env, cwd=folder)
    assert run.code == 0, run.stderr
    index = (folder / "site" / "index.html").read_text()
    assert "are faces found?" in index
    assert "faces found" in index


def test_power_refuses_to_take_assumptions_from_one(done: Done) -> None:
    folder, paths, env = done
    run = faceaudit("power", "--like", paths[0], env=env, cwd=folder)
    assert run.code == 2
    assert "compared nobody" in run.stderr
    assert run.stderr.count("\n") == 1


def test_detectors_stand_in_the_catalogue_of_models(done: Done) -> None:
    folder, _, env = done
    listed = json.loads(faceaudit("models", "list", "--json", env=env, cwd=folder).stdout)
    names = [row["model"] for row in listed]
    assert {"mtcnn", "dlib-hog", "dlib-cnn", "yunet"} <= set(names)
    shown = faceaudit("models", "show", "dlib-cnn", env=env, cwd=folder).stdout
    assert "4cb19393e2fb" in shown
    assert "WIDER" in shown
    own = faceaudit("models", "show", squares.card(folder / "one"), "--json", env=env, cwd=folder)
    assert json.loads(own.stdout)["confidence"] == 0.4


def test_settings_for_a_model_that_is_not_there_are_refused(done: Done) -> None:
    folder, _, env = done
    run = faceaudit("run", *SETTINGS, "--model", "mtcnn", "--for", "dlib-cnn:images=20", env=env, cwd=folder)
    assert run.code == 2
    assert "--for" in run.stderr
    assert "mtcnn" in run.stderr
