"""The page on what comparisons cost is what its program writes, but for the figures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import comparison_ratios as measured
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def without_figures(text: str) -> list[str]:
    """Rows without their ratio and load, and all else but the machine."""
    lines = []
    for line in text.split("\n"):
        cells = line.split("|")
        lines.append("|".join([*cells[:4], *cells[5:6]]) if line.startswith("|") else line)
    start = next(k for k, line in enumerate(lines) if line.startswith("Measured on"))
    return lines[:start] + lines[lines.index("", start) :]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch):
    """The program, with measures that take no time."""
    found = {"ratio": 7.0, "side": 4096, "megabytes": 100.0, "seconds": 1.0}
    for name in ("against_products", "growth", "many_groups", "memory", "many_comparisons", "ray_workers"):
        monkeypatch.setattr(measured, name, lambda *_, **__: found)
    monkeypatch.setattr("sys.path", [*sys.path])
    spec = importlib.util.spec_from_file_location("table", Path(__file__).with_name("table.py"))
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "table", module)
    spec.loader.exec_module(module)
    return module


def written(table, monkeypatch: pytest.MonkeyPatch, out: Path, *more: str) -> str:
    monkeypatch.setattr("sys.argv", ["table.py", "--out", str(out), "--long", *more])
    table.main()
    return out.read_text(encoding="utf-8")


def test_page_is_what_is_written(table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = PAGE.read_text(encoding="utf-8")
    out = tmp_path / "page.md"
    out.write_text(before, encoding="utf-8")
    assert without_figures(written(table, monkeypatch, out)) == without_figures(before)


def test_one_row_is_measured_and_the_others_stay(table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    out.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    before = table.read(out.read_text(encoding="utf-8"))[0]
    after = table.read(written(table, monkeypatch, out, "--row", "growth"))[0]
    growth = next(row.what for row in table.rows(long=True) if row.name == "growth")
    assert after.pop(growth)[0] == "7.00"
    before.pop(growth, None)
    assert after == before


def test_a_row_that_does_not_exist_is_refused(table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit):
        written(table, monkeypatch, tmp_path / "page.md", "--row", "speed")
    assert "choose from products-512" in capsys.readouterr().err
