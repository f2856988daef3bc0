"""`faceaudit init`: five questions, a plan that `run` accepts, and nothing overwritten."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from london_run import faceaudit
from made_up import describe
from typer.testing import CliRunner

from audit import plan, plan_file
from audit.cli import app, main
from audit.errors import AuditError, PlanError, Refused
from audit.inputs import admit

QUESTIONS = 5


def ask(*arguments: str, said: str = "") -> tuple[str, BaseException | None]:
    """Run it in this process, answering on standard input; what it wrote to stderr, and what went wrong."""
    result = CliRunner().invoke(app, ["init", *arguments], input=said)
    error = result.exception
    return result.stderr, None if isinstance(error, SystemExit) else error


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_five_enters_give_the_defaults() -> None:
    stderr, error = ask(said="\n" * QUESTIONS)
    assert error is None
    assert [f"{n}/5" in stderr for n in range(1, 7)] == [True] * QUESTIONS + [False]
    asked = plan.read(Path("plan.toml"))
    assert ask("quiet.toml", "--yes")[0].count("/5") == 0
    assert asked == plan.read(Path("quiet.toml"))
    only = asked[0]
    assert (only.benchmark, only.model, only.fmr) == ("synthetic", "dlib", (1e-2, 1e-3))
    assert (only.by, only.margin_fmr, only.margin_fnmr) == (("morph", "tone_band"), 2.0, 1.25)


def test_answers_become_the_plan_and_flags_are_not_asked_for() -> None:
    stderr, error = ask(
        "p.toml", "--benchmark", "london", "--margin", "3", said="dlib, facenet-casia-webface\nethnicity\n1 in 1,000\n"
    )
    assert error is None
    assert "1/5" not in stderr
    assert "5/5" not in stderr
    first, second = plan.read(Path("p.toml"))
    assert (first.model, second.model) == ("dlib", "facenet-casia-webface")
    assert (first.by, first.fmr, first.margin_fmr, first.margin_fnmr) == (("ethnicity",), (1e-3,), 3.0, 1.25)
    assert "Not ready yet" in stderr
    assert stderr.index("faceaudit plan lock p.toml") < stderr.index("faceaudit run p.toml")


def test_a_wrong_answer_is_explained_and_asked_again() -> None:
    said = "lodon\nlfw\nlondon\ndlibb\ndlib\ngendre\nnone\noften\n2\n0.1%\nmuch\n0.5\n2,1.1\n"
    stderr, error = ask("p.toml", said=said)
    assert error is None
    for hint in (
        "Did you mean 'london'", "LFW is refused: tier T6", "Did you mean 'dlib'", "Did you mean 'gender'",
        "'often' in 'often' is no rate", "between 0 and 1", "'much'", "above 1",
    ):  # fmt: skip
        assert hint in stderr
    only = plan.read(Path("p.toml"))[0]
    assert (only.by, only.fmr, only.margin_fnmr) == ((), (1e-3,), 1.1)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("--benchmark", "lodon"), AuditError, "Did you mean 'london'"),
        (("--benchmark", "megaface"), Refused, "refused"),
        (("--model", "dlibb"), AuditError, "Did you mean 'dlib'"),
        (("--model", "onnx:"), AuditError, "onnx:FILE"),
        (("--model", ","), PlanError, "names no model"),
        (("--by", "tone"), PlanError, "Did you mean 'tone_band'"),
        (("--fmr", "1 in 0"), PlanError, "no rate"),
        (("--fmr", "nan"), PlanError, "between 0 and 1"),
        (("--margin", "inf"), PlanError, "above 1"),
        (("--margin", "2,2,2"), PlanError, "One or two"),
        (("--acknowledge", "T6"), PlanError, "cannot be acknowledged"),
    ],
)
def test_a_wrong_flag_stops_it_and_writes_nothing(
    arguments: tuple[str, ...], kind: type[AuditError], words: str, tmp_path: Path
) -> None:
    _, error = ask("--yes", *arguments)
    assert isinstance(error, kind)
    assert words in str(error)
    assert list(tmp_path.iterdir()) == []


def test_a_tier_that_needs_an_acknowledgement_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "legacy"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a1.png").write_bytes(b"no picture is opened")
    changes = {"faceaudit__consentTier": "T3", "faceaudit__signedOffBy": None, "faceaudit__signedOffOn": None}
    (folder / "croissant.json").write_text(json.dumps(describe(folder, **changes)))
    stderr, error = ask("p.toml", "--benchmark", str(folder), said="y\n\n\n\n\n")
    assert error is None
    assert "Do you accept that knowingly?" in stderr
    assert plan.read(Path("p.toml"))[0].acknowledge == ("T3",)
    _, error = ask("q.toml", "--yes", "--benchmark", str(folder))
    assert isinstance(error, Refused)
    assert ask("q.toml", "--yes", "--benchmark", str(folder), "--acknowledge", "T3")[1] is None
    assert plan.read(Path("q.toml"))[0].acknowledge == ("T3",)


def test_an_answer_that_never_comes_is_one_line(tmp_path: Path) -> None:
    _, error = ask("p.toml", said="london\n")
    assert isinstance(error, PlanError)
    assert "question 2 of 5 was not answered" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_an_interruption_and_not_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    import typer  # noqa: PLC0415 - its prompt is what Ctrl-C reaches

    def interrupted(*_: object, **__: object) -> str:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise typer.Abort from None

    monkeypatch.setattr(typer, "prompt", interrupted)
    with pytest.raises(SystemExit) as left:
        main(["init"])
    assert left.value.code == 130
    assert list(Path.cwd().iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("mine")
    _, error = ask("--yes")
    assert isinstance(error, PlanError)
    assert "plan.toml: is there already" in str(error)
    assert (tmp_path / "plan.toml").read_text() == "mine"


def test_run_takes_the_plan_as_it_is(tmp_path: Path, bundled_env: dict[str, str]) -> None:
    """The command writes it; what stands before the first image of `run` lets it through."""
    made = faceaudit("init", "--yes", env=bundled_env, cwd=tmp_path)
    assert (made.code, made.stdout) == (0, "plan.toml\n"), made.stderr
    (only,) = plan.read(tmp_path / "plan.toml")
    benchmark, card, groups = admit(only, plan.RunOptions(out=tmp_path / "results"))
    assert (benchmark.name, card.name, groups.attributes) == ("synthetic", "dlib", ("morph", "tone_band"))


def test_every_setting_that_is_left_open_is_a_real_one() -> None:
    for name, example, _ in plan_file.OPEN:
        value = tomllib.loads(f"{name} = {example}")
        plan.make({"benchmark": "b", "model": "m", **value})


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=3, unique=True),
    benchmark=st.text(min_size=1, max_size=30),
)
def test_any_name_survives_or_is_refused(names: list[str], benchmark: str) -> None:
    """Quotes, line ends, comment marks and control characters in a name stay inside their string."""
    wanted: dict[str, Any] = {"benchmark": benchmark, "models": names, "fmr": [1e-3]}
    try:
        expected = plan.expand(wanted)
    except PlanError:
        return
    try:
        text = plan_file.text(wanted, remarks=[benchmark])
    except PlanError:
        return
    assert plan.expand(tomllib.loads(text)) == expected


def test_the_gate_is_that_of_a_run(tmp_path: Path) -> None:
    """Also by what a descriptor lists and nobody has unpacked yet."""
    folder = tmp_path / "own"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a1.png").write_bytes(b"no picture is opened")
    made = describe(folder)
    made["distribution"].append(made["distribution"][0] | {"@id": "img_align_celeba/000001.jpg"})
    (folder / "croissant.json").write_text(json.dumps(made))
    _, error = ask("p.toml", "--yes", "--benchmark", str(folder))
    assert isinstance(error, Refused)
    assert not Path("p.toml").exists()
