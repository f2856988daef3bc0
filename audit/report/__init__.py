"""The report: a record in, pages that a reviewer can read out. It computes nothing and measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.comparison import Comparison
from audit.errors import DataError
from audit.record import EvaluationRecord, dumps, write_text
from audit.report.view import make, terminal_table
from audit.report.view.side_by_side import comparison_table, make_comparison, remark_lines

__all__ = ["FORMATS", "comparison_table", "remark_lines", "render", "render_comparison", "terminal_table"]

FORMATS = ("html",)


def render(record: EvaluationRecord, out: Path, formats: Sequence[str] = ("html",)) -> list[Path]:
    """Write a report of a record.

    Parameters
    ----------
    out : folder; `report.html` is written there, atomically
    formats : any of `FORMATS`

    Returns
    -------
    paths written

    Raises
    ------
    DataError
        If a format is unknown or the folder cannot be written.
    """
    for name in formats:
        if name not in FORMATS:
            raise DataError("--format", f"unknown format {name!r}", f"Known formats: {', '.join(FORMATS)}")
    from audit.report import html, stamp  # noqa: PLC0415 - Altair and vl-convert are heavy; a terminal table needs neither

    shown = make(record)
    written = []
    for name in dict.fromkeys(formats):
        path = out / f"report.{name}"
        write_text(path, html.page(shown, stamp.stamp(dumps(record).encode())))
        written.append(path)
    return written


def render_comparison(comparison: Comparison, out: Path) -> list[Path]:
    """Write compare.json and comparison.html.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    from audit.report import html  # noqa: PLC0415 - as above

    data, page = out / "compare.json", out / "comparison.html"
    write_text(data, comparison.model_dump_json(by_alias=True, indent=1) + "\n")
    write_text(page, html.page(make_comparison(comparison)))
    return [data, page]
