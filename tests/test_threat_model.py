"""What the page on threats claims is shown by tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
CLAIM = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| tried")]


def test_every_test_that_the_page_names_is_there() -> None:
    named = CLAIM.findall(PAGE)
    assert len(named) > 50
    for file, name in named:
        path = ROOT / file
        assert path.is_file(), file
        functions = [n.name for n in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef)]
        assert any(function.startswith("test_") for function in functions), file
        assert not name or name in functions, f"{file}::{name}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_claim_names_what_shows_it_and_a_row_without_one_is_open(row: str) -> None:
    holds, *rest = (cell.strip() for cell in row.split("|")[2:])
    not_held = " ".join(rest).strip()
    if not CLAIM.search(holds):
        assert not_held, row


def test_every_attacker_has_rows() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.M)[1:]
    assert len(sections) == 5
    for section in sections:
        assert section.count("\n| ") > 4, section[:40]
