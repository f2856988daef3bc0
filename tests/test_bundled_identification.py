"""A list inside the bundled benchmark, and a place described, as a user asks for them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from as_text import as_text
from london_run import Run, faceaudit

from audit.bundle import seal, verify
from audit.record import EvaluationRecord, read

PLAN = """
benchmark = "synthetic"
model = "dlib"
task = "identification"
by = ["tone_band"]
list_by = "tone_band"
list_groups = { lighter = 0.75, darker = 0.25 }

[scenario]
searches_per_day = 20000
list_size = 14_500_000
by = "tone_band"
passers_by = { lighter = 0.5, darker = 0.5 }
listed = 0.0001
"""


@pytest.fixture(scope="module")
def folder(bundled: tuple[Path, Run, Run]) -> Path:
    (bundled[0] / "plan.toml").write_text(PLAN)
    return bundled[0]


@pytest.fixture(scope="module")
def run(folder: Path, bundled_env: dict[str, str]) -> Run:
    made = faceaudit("run", "plan.toml", "--out", folder / "lists", env=bundled_env, cwd=folder)
    assert made.code == 0, made.stderr
    return made


@pytest.fixture(scope="module")
def record(run: Run, folder: Path) -> EvaluationRecord:
    (path,) = (folder / "lists").rglob("record.json")
    assert run.code == 0
    return read(path)


def test_the_list_is_composed_as_declared(record: EvaluationRecord) -> None:
    part = record.identification
    assert part is not None
    shares = {row.group["tone_band"]: row.share for row in part.groups if row.group}
    assert part.people == 108, "half of those of the group that is wanted most"
    assert shares == {"lighter": 0.75, "darker": 0.25}
    assert part.mated == 3 * part.people
    assert part.nonmated == 4 * (324 - part.people)


def test_false_alarms_keep_their_target_and_grow_with_the_list(record: EvaluationRecord) -> None:
    part = record.identification
    assert part is not None
    for point in part.operating_points:
        assert 0 < point.achieved_fpir <= point.target_fpir
    loose = [row.errors for row in part.growth if row.operating_point == "fpir-0.1"]
    assert loose == sorted(loose)
    assert loose[0] < loose[-1]
    assert part.cmc[0].found[0] > 0.7, "dlib finds most rendered people first"


def test_a_place_with_a_huge_list_is_answered_in_words(run: Run, record: EvaluationRecord) -> None:
    assert record.scenario is not None
    assert record.scenario.band_method == "measured-growth"
    told = " ".join(run.stdout.split())
    assert "compared with a list of 14,500,000 people" in told
    assert "Practically every face would raise an alarm" in told
    assert "nothing here shows that it holds" in told
    assert "108 people were on the list" in told


def test_nothing_published_names_anybody(run: Run, folder: Path) -> None:
    assert run.code == 0
    files = [path for path in (folder / "lists").rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == [
        "benchmark.json", "card.json", "cells.parquet", "counts.parquet", "covariance.parquet", "environment.json",
        "record.json", "report.html",
    ]  # fmt: skip
    for path in files:
        text = re.sub(r'"[A-Za-z0-9+/=]{200,}"|base64,[A-Za-z0-9+/=]+', "", as_text(path))
        assert not re.search(r"\bp\d{3}\b", text), path


def test_the_same_plan_again_answers_from_the_record(run: Run, folder: Path, bundled_env: dict[str, str]) -> None:
    assert run.code == 0
    again = faceaudit("run", "plan.toml", "--json", "--out", folder / "lists", env=bundled_env, cwd=folder)
    assert json.loads(again.stdout)["evaluations"][0]["reused"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("darker = 0.25", "darkest = 0.25", "tone_band has no group 'darkest'"),
        ("list_groups", "list_size = 0\nlist_groups", "list_size"),
    ],
)
def test_a_mistake_in_the_plan_is_one_line(
    folder: Path, bundled_env: dict[str, str], before: str, after: str, words: str
) -> None:
    (folder / "wrong.toml").write_text(PLAN.replace(before, after, 1))
    wrong = faceaudit("run", "wrong.toml", "--quiet", env=bundled_env, cwd=folder)
    assert wrong.code == 2
    assert words in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_it_can_be_sealed_and_says_what_searches_leave_open(record: EvaluationRecord, folder: Path) -> None:
    (path,) = (folder / "lists").rglob("record.json")
    seal(path.parent)
    findings = verify(path.parent)
    assert [one for one in findings if one.outcome == "failed"] == []
    outcomes = {one.question: one.outcome for one in findings}
    for question in (
        "rates of searches in a list",
        "searches by rank and by size of the list",
        "contrasts, with both adjusted p-values",
        "differentials, intervals, nulls and verdicts",
    ):
        assert outcomes[question] == "established"
    assert outcomes["identification: confusion"] == "not established"
