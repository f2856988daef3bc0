"""`faceaudit gate` as a user runs it: exit codes, lines, annotations, JUnit, and the shipped examples."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from london_run import Run, faceaudit
from policy_records import made_record

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
RULE = '[[rules]]\nname = "fm"\nmetric = "FMR"\ntarget_fmr = 0.01\ngroups = ["grp"]\nmaximum_rate = '


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_record(tmp_path_factory.mktemp("gate"))[0]


def gate(folder: Path, record: Path | str, text: str, *more: str | Path, **env: str) -> Run:
    (folder / "p.toml").write_text(text)
    quiet = {"CI": "true", "GITHUB_ACTIONS": "", **env}
    return faceaudit("gate", record, "--policy", "p.toml", *more, env=quiet, cwd=folder)


@pytest.mark.parametrize(
    ("limit", "code", "word"), [("0.2", 0, "PASSED"), ("0.01", 1, "VIOLATED"), ("0.06", 5, "INCONC")]
)
def test_exit_codes_and_lines(made: Path, tmp_path: Path, limit: str, code: int, word: str) -> None:
    run = gate(tmp_path, made, RULE + limit, "--junit", "j.xml")
    assert run.code == code, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) == 4  # one a group, one for the policy
    assert lines[-1].startswith(word)
    assert all(line.split(":")[0] in {"PASSED", "VIOLATED", "INCONCLUSIVE"} for line in lines)
    root = ET.parse(tmp_path / "j.xml").getroot()  # noqa: S314 - our own file
    assert len(root.findall("testsuite/testcase")) == 3
    assert root.get("failures") == ("1" if code == 1 else "0")


def test_github_shows_violations_as_errors(made: Path, tmp_path: Path) -> None:
    run = gate(tmp_path, made.parent, RULE + "0.01", GITHUB_ACTIONS="true")
    assert run.code == 1
    assert sum(line.startswith("::error title=faceaudit gate%3A fm::VIOLATED") for line in run.stdout.splitlines()) == 1
    machine = gate(tmp_path, made, RULE + "0.01", "--json", GITHUB_ACTIONS="true")
    assert machine.code == 1
    found = json.loads(machine.stdout)
    assert (found["schema"], found["verdict"], len(found["findings"])) == ("faceaudit/gate-1", "VIOLATED", 3)
    assert "::error" in machine.stderr


def test_quiet_prints_only_what_is_open_or_violated(made: Path, tmp_path: Path) -> None:
    assert gate(tmp_path, made, RULE + "0.2", "--quiet").stdout == ""
    assert gate(tmp_path, made, RULE + "0.01", "--quiet").stdout.startswith("INCONCLUSIVE: fm: grp=a")


def test_the_same_record_against_itself_is_no_regression_but_no_proof(made: Path, tmp_path: Path) -> None:
    text = RULE.replace("maximum_rate", "maximum_increase") + "1.1"
    run = gate(tmp_path, made, text, "--against", made.parent)
    assert run.code == 5, run.stderr
    assert "ratio to the earlier record 1 (bounds" in run.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULE + "20", "p.toml: rule 1: maximum_rate"),
        (RULE.replace("grp", "gpr") + "0.1", "Did you mean 'grp'"),
        (RULE.replace("maximum_rate", "maximum_increase") + "1.1", "--against"),
        ("[[rules", "not valid TOML"),
    ],
)
def test_mistakes_are_one_line(made: Path, tmp_path: Path, text: str, said: str) -> None:
    run = gate(tmp_path, made, text)
    assert run.code == 2
    assert said in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_missing_record_or_policy_is_named(made: Path, tmp_path: Path) -> None:
    assert "nowhere.json" in gate(tmp_path, "nowhere.json", RULE + "0.1").stderr
    run = faceaudit("gate", made, "--policy", "none.toml", env={}, cwd=tmp_path)
    assert (run.code, run.stderr.count("\n")) == (2, 1)
    assert "no such policy" in run.stderr


def test_the_example_policy_judges_the_bundled_audit(bundled: tuple[Path, Run, Run], tmp_path: Path) -> None:
    """Every rule finds its number: what is open is open for its interval, not for want of a measurement."""
    record = bundled[1].evaluations[0]["record"]
    run = faceaudit(
        "gate", bundled[0] / record, "--policy", EXAMPLES / "policy.toml", "--json", "--junit", "j.xml",
        env={"CI": "true"}, cwd=tmp_path,
    )  # fmt: skip
    found = json.loads(run.stdout)
    assert run.code == {"PASSED": 0, "VIOLATED": 1, "INCONCLUSIVE": 5}[found["verdict"]], run.stderr
    assert len({f["rule"] for f in found["findings"]}) == 7
    assert all(f["value"] is not None for f in found["findings"] if f["group"] != "record"), found["findings"]
    assert {f["verdict"] for f in found["findings"] if f["group"] == "record"} == {"PASSED"}


@pytest.mark.london
def test_the_example_policy_judges_london(london_results: tuple[Path, Run], tmp_path: Path) -> None:
    """Small groups are open questions, whatever their numbers; the large ones are judged."""
    for one in london_results[1].evaluations:
        run = faceaudit("gate", one["record"], "--policy", EXAMPLES / "policy.toml", "--json", env={}, cwd=tmp_path)
        found = json.loads(run.stdout)
        assert run.code == 5
        few = [f for f in found["findings"] if f["people"] is not None and f["people"] < 30]
        assert few
        assert {f["verdict"] for f in few} == {"INCONCLUSIVE"}
        assert "PASSED" in {f["verdict"] for f in found["findings"] if f["rule"].startswith("false matches are rare")}


def test_the_example_workflow_is_one_and_runs_commands_that_exist() -> None:
    flow = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text(encoding="utf-8"))
    steps = flow["jobs"]["gate"]["steps"]
    assert flow["permissions"] == {"contents": "read"}
    commands = [step["run"].split() for step in steps if "run" in step]
    assert [words[:2] for words in commands][1:] == [["faceaudit", "run"], ["faceaudit", "gate"]]
    assert "--policy" in commands[2]
    assert all("uses" in step or "run" in step for step in steps)
    assert set(flow) >= {"name", "jobs", True}  # YAML 1.1 reads the key `on` as true
