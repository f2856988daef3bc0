"""`faceaudit run --ablate`: two audits that differ in one setting of the preparation, and their comparison."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from london_run import faceaudit

from audit.cli import ablate
from audit.comparison import Comparison
from audit.errors import PlanError
from audit.plan import RunOptions, make
from audit.record import read

PLAN = make({"benchmark": "london", "model": "onnx:mobilefacenet.onnx"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("detector", "Write SETTING=VALUE with one of detector, alignment"),
        ("seed=1", "Write SETTING=VALUE with one of detector, alignment"),
        ("detector=mtcnn", "the plan has detector = mtcnn anyway"),
        ("detector=hog", "'mtcnn', 'dlib-hog' or 'truth'"),
        ("margin=9", "less than or equal to 1"),
    ],
)
def test_what_cannot_be_changed_is_said(given: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        ablate.other(PLAN, given)


def test_one_setting_is_changed_and_read_as_in_a_plan() -> None:
    assert ablate.other(PLAN, "margin = 0.2") == PLAN.model_copy(update={"margin": 0.2})
    assert ablate.other(PLAN, "working_size=400") == PLAN.model_copy(update={"working_size": 400})


@pytest.mark.london
def test_a_way_that_the_model_goes_anyway_is_refused_before_any_picture(shared: Path, tmp_path: Path) -> None:
    options = RunOptions(data=(shared / "benchmarks", shared / "models"), out=tmp_path)
    with pytest.raises(PlanError, match="mobilefacenet prepares its pictures in this way anyway"):
        ablate.require_difference(PLAN, ablate.other(PLAN, "alignment=arcface"), options)
    given = PLAN.model_copy(update={"model": "templates:t.npz"})
    with pytest.raises(PlanError, match="templates are given"):
        ablate.require_difference(given, ablate.other(given, "alignment=box"), options)


@pytest.mark.london
def test_two_detectors_on_the_london_set(london_env: dict[str, str], tmp_path: Path) -> None:
    run = faceaudit(
        "run", "--benchmark", "london", "--model", "onnx:mobilefacenet.onnx", "--by", "gender", "--fmr", "0.05",
        "--limit", "10", "--ablate", "detector=dlib-hog", "--json", "--out", tmp_path / "out",
        env=london_env, cwd=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.stderr
    one, two = (read(Path(made["record"])) for made in run.evaluations)
    assert [record.plan["detector"] for record in (one, two)] == ["mtcnn", "dlib-hog"]
    assert one.model.weights_sha256 == two.model.weights_sha256
    assert "dlib's frontal detector" in two.model.preprocessing_text
    (data,) = json.loads(run.stdout)["comparisons"]
    assert Path(data).parent.parent == Path(run.evaluations[0]["record"]).parent.parent
    assert (Path(data).parent / "comparison.html").is_file()
    found = Comparison.model_validate_json(Path(data).read_text())
    assert [shown.label for shown in found.records] == ["detector mtcnn", "detector dlib-hog"]
    assert {(row.metric, tuple(row.group.values())) for row in found.splits} >= {("FRR", ("male",))}
    for row in found.splits:
        assert row.detection + row.templates == pytest.approx(row.second - row.first, abs=1e-9)
        rates = [
            {
                rate.group["gender"]: rate.value
                for rate in record.rates
                if (rate.metric, rate.operating_point, rate.view) == (row.metric, row.operating_point, "generalised")
                and rate.reference_group is None
                and list(rate.group) == ["gender"]
            }
            for record in (one, two)
        ]
        if all(rates):  # the records' own generalised rates are the witness
            (group,), (against,) = row.group.values(), row.against.values()
            assert row.first == pytest.approx(rates[0][group] - rates[0][against], abs=1e-6)
            assert row.second == pytest.approx(rates[1][group] - rates[1][against], abs=1e-6)
    assert any(row.metric == "FRR" for row in found.splits)
