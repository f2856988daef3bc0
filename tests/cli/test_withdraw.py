"""`faceaudit benchmarks withdraw`, as a keeper of data meets it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import SAMPLES, SUBJECTS, describe

from audit.benchmarks import load
from audit.cli import main

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "entry" / "made_up"
    (made / "images").mkdir(parents=True)
    for name in ("a1", "a2", "b1", "b2", "c1"):
        (made / "images" / f"{name}.png").write_bytes(name.encode())
    (made / "subjects.csv").write_text(SUBJECTS, encoding="utf-8")
    (made / "samples.csv").write_text(SAMPLES, encoding="utf-8")
    (made / "croissant.json").write_text(json.dumps(describe(made)), encoding="utf-8")
    return made


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["benchmarks", "withdraw", *map(str, arguments)])
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


def test_it_says_what_was_done_and_what_is_left_to_do(folder: Path, command: Command) -> None:
    code, out, err = command(folder, "001", "--date", "2026-01-31")
    assert (code, err) == (0, "")
    assert f"Recorded in {folder / 'withdrawn.csv'}" in out
    assert "never publish it" in out
    assert "2 pictures of theirs still lie here" in out
    assert str(folder / "images" / "a2.png") in out
    assert "b1" not in out
    withdrawn = load(str(folder)).withdrawn
    assert withdrawn is not None
    assert (withdrawn.date, withdrawn.subjects) == ("2026-01-31", ("001",))
    (folder / "images" / "a1.png").unlink()
    code, out, _ = command(folder, "001")
    assert code == 0
    assert "on the list already, since 2026-01-31; nothing was changed" in out
    assert "1 picture of theirs" in out


def test_by_name_and_with_the_id_from_standard_input(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("002\n003\n"))
    assert command("made_up", "-", "--data", folder.parent)[0] == 0
    withdrawn = load(str(folder)).withdrawn
    assert withdrawn is not None
    assert withdrawn.subjects == ("002",)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("1",), 2, "no such person in its tables. Did you mean '001'."),
        (("anna",), 2, "Ids are written as in '001'. If the rows are deleted already, add --already-removed"),
        (("001", "--date", "31.1.2026"), 2, "'31.1.2026' is no day"),
        (("001", "--date", "2999-01-01"), 2, "lies in the future"),
        ((" ",), 2, "SUBJECT_ID: is empty"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    folder: Path, command: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = command(folder, *arguments)
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert said in err
    assert not (folder / "withdrawn.csv").exists()


def test_a_folder_that_is_no_benchmark(tmp_path: Path, command: Command) -> None:
    code, _, err = command(tmp_path / "nowhere", "001")
    assert code == 2
    assert "no such folder" in err
