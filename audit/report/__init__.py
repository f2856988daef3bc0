"""The report: a record in, pages that a reviewer can read out. It computes nothing and measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.errors import DataError
from audit.record import EvaluationRecord, dumps, write_text
from audit.report.view import make, terminal_table

__all__ = ["FORMATS", "render", "terminal_table"]

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
