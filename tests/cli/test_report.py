"""`faceaudit report`: formats, near names, and records that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import site_results
from typer.testing import CliRunner

from audit.cli import app
from audit.errors import DataError
from audit.record import dumps

MAIN = {
    "html": "report.html",
    "pdf": "report.pdf",
    "md": "report.md",
    "card": "model_card.md",
    "csv": "tables/rates.csv",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("record")
    (made / "record.json").write_text(dumps(site_results.builder().ungrouped()), encoding="utf-8")
    return made


def told(*words: object) -> str:
    result = CliRunner().invoke(app, ["report", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def error(*words: object) -> str:
    with pytest.raises(DataError) as caught:
        CliRunner().invoke(app, ["report", *map(str, words)], catch_exceptions=False, standalone_mode=False)
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_it_writes_a_page_beside_the_record_by_default(folder: Path) -> None:
    assert told(folder).split() == [str(folder / "report.html")]
    assert (folder / "report.html").stat().st_size > 10_000


def test_every_format_at_once_into_another_folder(folder: Path, tmp_path: Path) -> None:
    said = told(folder / "record.json", "--format", "html,pdf", "--format", "md,csv, card", "--out", tmp_path / "new")
    for name in MAIN.values():
        assert str(tmp_path / "new" / name) in said.splitlines()
        assert (tmp_path / "new" / name).exists()
    written = {str(path) for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert written == set(said.splitlines())


def test_a_format_asked_for_twice_is_written_once(folder: Path, tmp_path: Path) -> None:
    assert told(folder, "--format", "card,card", "--out", tmp_path).split() == [str(tmp_path / "model_card.md")]


@pytest.mark.parametrize(
    ("given", "hint"),
    [("pfd", "'pdf'"), ("card,htm", "'html'"), ("word", "html, pdf, md, csv, card"), (",", "no format")],
)
def test_an_unknown_format_is_one_line_and_writes_nothing(given: str, hint: str, folder: Path, tmp_path: Path) -> None:
    assert hint in error(folder, "--format", given, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "recursion"),
        (b'{"schema": "faceaudit/record-1"}', "Field required"),
        (b"[]", "should be an object"),
    ],
)
def test_a_record_that_is_none_is_one_line(content: bytes, hint: str, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_bytes(content)
    assert hint in error(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_record_of_a_later_version_is_named_as_such(folder: Path, tmp_path: Path) -> None:
    later = {
        **json.loads((folder / "record.json").read_text()),
        "schema": "faceaudit/record-2\x1b[31m" + "x" * 999,
        "more": 1,
    }
    (tmp_path / "record.json").write_text(json.dumps(later))
    said = error(tmp_path)
    assert "is of another version: 'faceaudit/record-2\\x1b[31m" in said
    assert len(said) < 400


def test_a_record_that_does_not_exist_and_a_folder_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    assert "No such file" in error(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    assert "cannot be written" in error(folder, "--format", "card", "--out", tmp_path / "file" / "below")
