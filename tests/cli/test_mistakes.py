"""A mistake is one line: place, value, way out; and an exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from london_run import Run, faceaudit


@pytest.fixture
def cli(tmp_path: Path, london_env: dict[str, str]):
    def call(*arguments: str, **env: str) -> Run:
        return faceaudit(*arguments, env={**london_env, **env}, cwd=tmp_path)

    return call


def assert_one_line(run: Run, code: int, *words: str) -> None:
    assert run.code == code, run.stderr
    assert run.stderr.count("\n") == 1, run.stderr
    assert run.stderr.startswith("faceaudit: ")
    assert "Traceback" not in run.stderr
    for word in words:
        assert word in run.stderr
    assert run.stdout == ""


LONDON = ("run", "--benchmark", "london", "--model", "dlib")


@pytest.mark.london
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "--benchmark", "london", "--model", "dlibb"), 2, ("unknown model 'dlibb'", "Did you mean 'dlib'")),
        (("run", "--benchmark", "london", "--model", "onnx:nowhere.onnx"), 2, ("nowhere.onnx",)),
        (("run", "--benchmark", "londn", "--model", "dlib"), 2, ("londn", "london")),
        ((*LONDON, "--by", "gendre"), 2, ("--by gendre", "Did you mean 'gender'")),
        ((*LONDON, "--fmr", "often"), 2, ("--fmr", "often")),
        ((*LONDON, "--fmr", "1.5"), 2, ("fmr", "between 0 and 1", "1.5")),
        ((*LONDON, "--fmr", "1e-6"), 4, ("not estimable", "20,604 comparisons", "--fmr")),
        ((*LONDON, "--limit", "1"), 2, ("limit",)),
        ((*LONDON, "--device", "tpu"), 2, ("--device", "tpu", "cpu")),
        (("run", "--benchmark", "london"), 2, ("--model",)),
        (("run", "plan.toml"), 2, ("plan.toml", "no such plan")),
        ((*LONDON, "--modle", "x"), 2, ("--modle",)),
        (("walk",), 2, ("walk",)),
        (("report", "nowhere/record.json"), 2, ("nowhere/record.json",)),
        (("report", ".", "--format", "docx"), 2, ("docx", "html")),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else "",
)
def test_mistakes(cli, arguments: tuple[str, ...], code: int, words: tuple[str, ...]) -> None:
    assert_one_line(cli(*arguments), code, *words)


@pytest.mark.parametrize("name", ["lfw", "MegaFace", "vggface2", "rfw", "ppb", "morph2"])
def test_refused_benchmarks_exit_with_three(cli, name: str) -> None:
    run = cli("run", "--benchmark", name, "--model", "dlib")
    assert run.code == 3, run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.london
def test_a_plan_with_an_unknown_setting_names_the_nearest(cli, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('benchmark = "london"\nmodels = ["dlib"]\nmargin_frm = 3\n')
    assert_one_line(cli("run", "plan.toml"), 2, "unknown setting 'margin_frm'", "Did you mean 'margin_fmr'")


@pytest.mark.london
def test_an_unwritable_output_folder_is_found_before_the_work(cli, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    assert_one_line(cli(*LONDON, "--out", str(tmp_path / "taken")), 2, "taken", "--out")


def test_help_needs_no_data(cli) -> None:
    run = cli("--help")
    assert run.code == 0
    for verb in ("run", "report", "benchmarks", "models"):
        assert verb in run.stdout


def test_a_reader_that_leaves_early_is_no_mistake(tmp_path: Path) -> None:
    code = f"{sys.executable} -m audit benchmarks list | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


def test_version(cli) -> None:
    assert cli("--version").stdout.startswith("faceaudit 0.")


@pytest.mark.london
def test_weights_that_are_not_the_published_ones_never_run(cli, tmp_path: Path, shared: Path) -> None:
    model = tmp_path / "mobilefacenet.onnx"
    content = bytearray((shared / "models" / "mobilefacenet.onnx").read_bytes())
    content[100_000] ^= 1
    model.write_bytes(bytes(content))
    run = cli("run", "--benchmark", "london", "--model", f"onnx:{model}")
    assert_one_line(run, 2, "mobilefacenet.onnx")
