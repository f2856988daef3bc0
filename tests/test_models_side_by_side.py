"""Three real models on both benchmarks that are here, through the command line, and their records in one report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from london_run import faceaudit

from audit.record import read

MODELS = ("dlib", "mobilefacenet", "onnx:faceplugin_feature.onnx")
NAMES = ["dlib", "mobilefacenet", "faceplugin_feature"]


@pytest.mark.london
@pytest.mark.parametrize(("benchmark", "people"), [("london", 12), ("synthetic", 6)])
def test_three_models_on_a_benchmark_and_one_report_of_them(
    benchmark: str, people: int, london: Path, london_env: dict[str, str], tmp_path: Path
) -> None:
    chosen = [word for name in MODELS for word in ("--model", name)]
    limits = ("--limit", str(people), "--fmr", "0.1", "--out", "results", "--json")
    run = faceaudit("run", "--benchmark", benchmark, *chosen, *limits, env=london_env, cwd=tmp_path)
    assert run.code == 0, run.stderr
    records = [tmp_path / one["record"] for one in run.evaluations]
    made = [read(path) for path in records]
    assert [record.model.name for record in made] == NAMES
    assert {record.benchmark.name for record in made} == {benchmark}
    assert [record.model.training_sets[0].status for record in made[1:2]] == ["WITHDRAWN June 2019"]
    assert not any(record.model.self_declared for record in made)
    done = faceaudit("compare", *records, "--out", "side", "--json", env=london_env, cwd=tmp_path)
    assert done.code == 0, done.stderr
    compared = json.loads(done.stdout)
    page = (tmp_path / "side" / "comparison.html").read_text(encoding="utf-8")
    assert all(name in page for name in NAMES)
    assert len(compared["records"]) == 3
