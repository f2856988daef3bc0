"""Workflows and the container file: valid, linted, and no command in them without a file or a verb behind it."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXAMPLES = sorted(
    place for place in (ROOT / "docs" / "examples").glob("*.yml") if "\njobs:" in place.read_text(encoding="utf-8")
)
CONTAINER = ROOT / ".ci" / "Containerfile"
SCRIPTS = Path(sysconfig.get_path("scripts"))


def tool(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False, capture_output=True, text=True)


def read(place: Path) -> dict[Any, Any]:
    made: dict[Any, Any] = yaml.safe_load(place.read_text(encoding="utf-8"))
    return made


def steps(place: Path) -> list[dict[str, Any]]:
    return [step for job in read(place)["jobs"].values() for step in job["steps"]]


def runs(place: Path) -> list[str]:
    return [line.strip() for step in steps(place) for line in step.get("run", "").splitlines() if line.strip()]


def test_they_follow_the_schema_of_workflows() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    assert len(OURS) == 3
    assert len(EXAMPLES) == 2
    run = tool(*command, *OURS, *EXAMPLES)
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_security_linter_finds_nothing_but_what_is_said(tmp_path: Path) -> None:
    """Offline. Without our settings it finds the tags in the place of digests, and nothing else."""
    run = tool(SCRIPTS / "zizmor", "--offline", "--no-progress", ROOT / ".github")
    assert run.returncode == 0, run.stdout
    run = tool(SCRIPTS / "zizmor", "--offline", "--no-progress", "--no-config", "--format", "json", *OURS)
    assert set(re.findall(r'"ident": *"([\w-]+)"', run.stdout)) == {"unpinned-uses"}


def test_the_container_file_passes_its_linter_and_runs_as_nobody() -> None:
    run = tool(SCRIPTS / "hadolint", CONTAINER)
    assert run.returncode == 0, run.stdout
    text = CONTAINER.read_text(encoding="utf-8")
    last = text[text.rindex("\nFROM") :]
    assert re.search(r"^USER 10001", last, flags=re.MULTILINE)
    assert "--require-hashes" in text
    assert "sha256sum --check" in text
    assert not re.search(r"\b(curl|wget|ADD|latest)\b", text)


@pytest.mark.parametrize("place", OURS, ids=lambda place: place.stem)
def test_each_job_has_only_the_rights_that_it_names_and_an_end(place: Path) -> None:
    flow = read(place)
    assert flow["permissions"] == {}
    for job in flow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        assert "write-all" not in str(job.get("permissions"))
        if {"write"} & set(job.get("permissions", {}).values()):
            assert "environment" in job
            assert not any("checkout" in step.get("uses", "") for step in job["steps"])
    for step in steps(place):
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
        assert "${{" not in step.get("run", "") or "matrix" in step["run"]


@pytest.mark.parametrize("place", OURS, ids=lambda place: place.stem)
def test_what_they_run_exists(place: Path) -> None:
    """Files of this repository, verbs and options of the command."""
    lines = runs(place)
    for name in re.findall(r"(?<![\w/.])(\.ci/[\w./-]+)", "\n".join(lines)):
        assert (ROOT / name).is_file(), name
    for line in lines:
        if line.startswith("faceaudit "):
            verb = line.split()[1]
            said = tool(sys.executable, "-m", "audit", verb, "--help").stdout
            assert all(option in said for option in re.findall(r"(--[a-z-]+)", line)), line


def test_what_is_installed_without_a_lock_is_so_on_purpose() -> None:
    """The jobs that try the newest and the lowest versions, which no lock of the tests can hold."""
    loose = [
        (place.stem, line)
        for place in OURS
        for line in runs(place)
        if "pip install" in line and not re.search(r"--require-hashes|--no-deps", line)
    ]
    assert loose == [
        ("test", 'python -m pip install ".[quickstart]" pytest pytest-xdist hypothesis'),
        ("test", "python -m pip install uv"),
    ]


def test_the_audit_for_known_vulnerabilities_reads_the_locks() -> None:
    audits = [line for line in runs(OURS[[p.stem for p in OURS].index("test")]) if line.startswith("pip-audit")]
    assert [line.split()[-1] for line in audits] == [".ci/locks/runtime.txt", ".ci/locks/release.txt"]
    assert all("--require-hashes" in line and "--disable-pip" in line for line in audits)
    # Without it, a package that the service does not know is left out with a warning, and the job is green.
    assert all("--strict" in line for line in audits)
    said = tool(SCRIPTS / "pip-audit", "--help").stdout
    assert all(option in said for line in audits for option in re.findall(r"(--[a-z-]+)", line))
