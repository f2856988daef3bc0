"""`faceaudit publish`, as a user types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import site_results as given
from london_run import faceaudit

ENV = {"FACEAUDIT_DATA": ""}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    given.put(tmp_path / "results", "one", given.small())
    return tmp_path / "results"


def test_it_writes_a_site_and_warns_in_a_line_of_each_record_that_cannot_be_read(results: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (results / name).mkdir()
        (results / name / "record.json").write_text('{"secret": 1}')
    run = faceaudit("publish", results, "--out", tmp_path / "site", env=ENV, cwd=tmp_path)
    assert run.code == 0
    lines = run.stderr.splitlines()
    assert len(lines) == 2
    assert all(re.search(rf"results/{n}: could not be read: ", line) for n, line in zip("ab", lines, strict=True))
    assert "secret" not in run.stderr
    assert "1 evaluation(s), 2 could not be read" in run.stdout
    catalogue = (tmp_path / "site" / "catalogue.html").read_text()
    assert "Labeled Faces in the Wild" in catalogue or "LFW" in catalogue
    assert re.search(r"is refused: tier T[4-7]", catalogue)
    assert (tmp_path / "site" / "method" / "statistics.html").is_file()


def test_exit_codes(results: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    for arguments, code in (
        ((tmp_path / "empty", "--out", tmp_path / "site"), 4),
        ((tmp_path / "nowhere", "--out", tmp_path / "site"), 2),
        ((results, "--out", tmp_path / "mine"), 2),
        ((results,), 2),
        ((results, "--out", tmp_path / "site", "--base-url", "nonsense"), 2),
    ):
        run = faceaudit("publish", *arguments, env=ENV, cwd=tmp_path)
        assert run.code == code, run.stderr
        assert len(run.stderr.splitlines()) == 1
        assert run.stderr.startswith("faceaudit: ")
    assert not (tmp_path / "site").exists()
