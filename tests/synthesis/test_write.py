"""`faceaudit synthesize`: a small set, whole; stopped and gone on; and mistakes in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from london_run import Run, faceaudit

from audit import benchmarks
from audit.synthesis import write

SMALL = ("--people", "6", "--series", "1", "--seed", "3")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """Made once, by a command that was interrupted on the way."""
    folder = tmp_path_factory.mktemp("made")
    target = folder / "set"
    process = subprocess.Popen(
        [sys.executable, "-m", "audit", "synthesize", str(target), *SMALL, "--workers", "1"],
        env=os.environ, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    part = target / "people.jsonl.part"
    deadline = time.monotonic() + 120
    while (
        process.poll() is None and time.monotonic() < deadline and not (part.exists() and part.read_text().count("\n"))
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    before = {path: path.stat().st_mtime_ns for path in target.glob("images/p001*")}
    assert before
    run = faceaudit("synthesize", target, *SMALL, env={}, cwd=folder, new=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before  # what was there is not made again
    return target, run


def test_it_says_what_it_made(made: tuple[Path, Run]) -> None:
    target, run = made
    assert run.code == 0, run.stderr
    assert "6 people, 38 pictures" in run.stdout
    assert not (target / "people.jsonl.part").exists()


def test_the_harness_reads_it_without_a_remark(made: tuple[Path, Run]) -> None:
    read = benchmarks.load(str(made[0]))
    assert (len(read.subjects), len(read.samples), len(read.series)) == (6, 24, 17)
    assert len({row.sample.path for row in read.series}) == 14
    assert read.notes == ()
    assert read.default_by == ("morph", "tone_band")
    assert read.consent.tier == "S1"


def test_every_picture_can_be_made_again_from_its_record(made: tuple[Path, Run]) -> None:
    lines = write.read(made[0])
    for line in lines.values():
        assert line.licence == "CC0-1.0"
        assert "CC0" in line.geometry
        assert set(line.files) == {shot.path for shot in write.shots(line.cast)}


def test_the_same_command_again_makes_nothing(made: tuple[Path, Run], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in made[0].rglob("*.*")}
    assert faceaudit("synthesize", made[0], *SMALL, env={}, cwd=tmp_path, new=True).code == 0
    assert {path: path.read_bytes() for path in made[0].rglob("*.*")} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--people", "1"), "--people"),
        (("--share", "eyes"), "--share"),
        (("--seed", "-4"), "--seed"),
        (("--people", "7", "--series", "1", "--seed", "3"), "holds a set of other settings"),
    ],
)
def test_mistakes_are_one_line(made: tuple[Path, Run], tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    run = faceaudit("synthesize", made[0], *arguments, env={}, cwd=tmp_path)
    assert run.code == 2
    assert said in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    run = faceaudit("synthesize", tmp_path, env={}, cwd=tmp_path.parent)
    assert run.code == 2
    assert "is not empty" in run.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"
