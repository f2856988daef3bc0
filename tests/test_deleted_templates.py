"""Where a benchmark's terms ask for it, no template outlives the run; the same command then answers from its record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from london_run import faceaudit
from made_up import describe
from PIL import Image

from audit import benchmarks

PEOPLE = 6


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Six of the bundled rendered people, two pictures each, described as an own collection."""
    folder = tmp_path / "own"
    (folder / "images").mkdir(parents=True)
    shipped = benchmarks.load("synthetic").samples
    names = list(dict.fromkeys(sample.subject_id for sample in shipped))[:PEOPLE]
    rows, people = ["sample_id,path,subject_id"], ["subject_id,gender,origin,age"]
    for number, name in enumerate(names):
        people.append(f"p{number},{'female' if number % 2 else 'male'},NA,30")
        for turn, sample in enumerate([sample for sample in shipped if sample.subject_id == name][:2]):
            place = f"images/{number}-{turn}.png"
            Image.open(sample.path).save(folder / place)
            rows.append(f"s{number}-{turn},{place},p{number}")
    (folder / "samples.csv").write_text("\n".join(rows) + "\n")
    (folder / "subjects.csv").write_text("\n".join(people) + "\n")
    (folder / "croissant.json").write_text(json.dumps(describe(folder, faceaudit__deleteTemplates=True)))
    return folder


def test_templates_are_deleted_after_the_run_and_the_record_answers(own: Path, tmp_path: Path) -> None:
    cache, out = tmp_path / "cache", tmp_path / "results"
    arguments = ("run", "--benchmark", own, "--model", "dlib", "--fmr", "0.1", "--json", "--out", out)
    first = faceaudit(*arguments, env={"FACEAUDIT_CACHE": str(cache)}, cwd=tmp_path)
    assert first.code == 0, first.stderr
    made = first.evaluations[0]
    assert (made["reused"], made["samples"], made["subjects"]) == (False, 2 * PEOPLE, PEOPLE)
    assert not list(cache.rglob("*.outcome"))
    content = Path(made["record"]).read_bytes()
    assert json.loads(content)["timing"]["template"] > 0  # there were templates

    again = faceaudit(*arguments, "--profile", env={"FACEAUDIT_CACHE": str(cache)}, cwd=tmp_path)
    assert again.code == 0, again.stderr
    assert again.evaluations[0]["reused"]
    assert again.evaluations[0]["rates"] == made["rates"]
    assert "answered from the finished record" in again.stderr
    assert Path(made["record"]).read_bytes() == content
    assert not list(cache.rglob("*.outcome"))
