"""Plans: validated before data are touched, with the near name and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.errors import PlanError
from audit.plan import AuditPlan, expand, make, read

BASE = {"benchmark": "london", "model": "dlib"}


def test_digest_follows_every_setting_that_decides_a_number_and_no_other() -> None:
    plan = make(BASE)
    assert plan.digest() == make(BASE).digest()
    assert plan.digest() != make({**BASE, "seed": 1}).digest()
    assert plan.digest() != make({**BASE, "fmr": [1e-3]}).digest()
    assert make({**BASE, "fmr": (1e-3, 1e-2)}).digest() == make({**BASE, "fmr": (1e-2, 1e-3, 1e-3)}).digest()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fmr": (0,)}, ["fmr", "between 0 and 1"]),
        ({"fmr": ()}, ["fmr"]),
        ({"by": ("age", "age")}, ["by", "twice"]),
        ({"min_subjects": 1}, ["min_subjects"]),
        ({"margin_fmr": 1}, ["margin_fmr"]),
        ({"level": 95}, ["level"]),
        ({"label_noise": (0.1, 10)}, ["label_noise", "at most 0.5, found 10"]),
        ({"precision": 0.2, "calibration": 0.5}, ["precision", "leave calibration out"]),
        ({"sample_nonmated": 3}, ["sample_nonmated", "at random instead of making all"]),
        ({"several_faces": "smallest"}, ["several_faces", "smallest"]),
        ({"bencmark": "x"}, ["unknown setting 'bencmark'", "Did you mean 'benchmark'"]),
        ({"zzzz": "x"}, ["unknown setting 'zzzz'", "Known settings"]),
        ({"benchmark": ""}, ["benchmark"]),
    ],
)
def test_a_wrong_setting_is_named(change: dict, words: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        make({**BASE, **change})
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_plans_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        make(BASE).seed = 3  # type: ignore[misc]


def test_one_plan_for_every_model_flags_win(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('benchmark = "london"\nmodels = ["dlib", "onnx:a.onnx", "dlib"]\nfmr = [1e-2]\n')
    plans = read(path, {"fmr": (1e-3,)})
    assert [plan.model for plan in plans] == ["dlib", "onnx:a.onnx"]
    assert {plan.fmr for plan in plans} == {(1e-3,)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("benchmark = ", "not valid TOML"),
        ('benchmark = "a"\nmodels = []', "expected a list of names"),
        ('benchmark = "a"\nmodels = ["b"]\nmodel = "c"', "both 'model' and 'models'"),
        ('benchmark = "a"', "model"),
    ],
)
def test_a_broken_plan_file_says_where(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(PlanError, match=words) as caught:
        read(path)
    assert "plan.toml" in str(caught.value)


def test_missing_and_unreadable_plans(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no such plan"):
        read(tmp_path / "none.toml")
    with pytest.raises(PlanError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PlanError, match="not valid TOML"):
        read(tmp_path / "bytes.toml")


def test_a_single_model_needs_no_list() -> None:
    assert expand(BASE) == [AuditPlan(**BASE)]
