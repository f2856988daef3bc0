"""The page on what comparisons cost is what its program writes, but for the figures."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import comparison_ratios as measured
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def without_figures(text: str) -> list[str]:
    """Rows without their ratio, and all else but the machine."""
    lines = [re.sub(r"^(\|.*\|.*)\|.*\|(.*\|)$", r"\1|\2", line) for line in text.split("\n")]
    start = next(k for k, line in enumerate(lines) if line.startswith("Measured on"))
    return lines[:start] + lines[lines.index("", start) :]


def test_page_is_what_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ratio = {"ratio": 1.0, "side": 4096, "megabytes": 100.0, "seconds": 1.0}
    for name in ("against_products", "growth", "many_groups", "memory"):
        monkeypatch.setattr(measured, name, lambda *_, **__: ratio)
    before = PAGE.read_text(encoding="utf-8")
    out = tmp_path / "page.md"
    out.write_text(before, encoding="utf-8")
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.setattr("sys.argv", ["table.py", "--out", str(out), "--long"])
    spec = importlib.util.spec_from_file_location("table", Path(__file__).with_name("table.py"))
    table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(table)
    table.main()
    assert without_figures(out.read_text(encoding="utf-8")) == without_figures(before)
