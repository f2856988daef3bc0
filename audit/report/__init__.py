"""The report: a record in, pages that a reviewer can read out. It computes nothing and measures nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from audit.comparison import Comparison
from audit.errors import DataError
from audit.record import EvaluationRecord, dumps, making_sense, write_bytes, write_text
from audit.report.parts import ReportView
from audit.report.strings import LANGUAGE, speaking
from audit.report.view import make, terminal_table
from audit.report.view.locked import lock_line
from audit.report.view.reproduction import make_reproduction, reproduction_lines, reproduction_table
from audit.report.view.side_by_side import comparison_table, make_comparison, remark_lines
from audit.reproduction import Reproduction

__all__ = [
    "FORMATS",
    "comparison_table",
    "drawn",
    "known",
    "lock_line",
    "remark_lines",
    "render",
    "render_comparison",
    "render_reproduction",
    "reproduction_lines",
    "reproduction_table",
    "terminal_table",
]

FORMATS = {
    "html": "report.html, one self-contained page",
    "pdf": "report.pdf, tagged, for print and archive",
    "md": "report.md with pictures/, for a repository",
    "csv": "tables/, every table and the record's frames",
    "card": "model_card.md, the section of a Hugging Face model card",
}
"""Name of a format and what it writes."""


def known(formats: Sequence[str]) -> tuple[str, ...]:
    """Check names of formats, each once.

    Raises
    ------
    DataError
        For a format that does not exist, with the nearest name, or for none at all.
    """
    for name in formats:
        if name not in FORMATS:
            near = difflib.get_close_matches(name.lower(), FORMATS, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise DataError("--format", f"unknown format {name!r}", f"{hint}Known formats: {', '.join(FORMATS)}")
    if not formats:
        raise DataError("--format", "no format was given", f"Known formats: {', '.join(FORMATS)}")
    return tuple(dict.fromkeys(formats))


def render(
    record: EvaluationRecord, out: Path, formats: Sequence[str] = ("html",), *, language: str = LANGUAGE
) -> list[Path]:
    """Write a report of a record, in one format or several that say the same.

    Parameters
    ----------
    out : folder; everything that is written there is meant to be published, and each file is replaced as a whole
    formats : any of `FORMATS`
    language : one that has a catalogue beside `en.toml`

    Returns
    -------
    paths written, the main file of each format first

    Raises
    ------
    DataError
        If a format or a language is unknown, the record makes no sense, or the folder cannot be written.
    """
    made = drawn(record, formats, language=language)
    for place, content in made.items():
        write_bytes(out / place, content)
    return [out / place for place in made]


def drawn(
    record: EvaluationRecord, formats: Sequence[str] = ("html",), *, language: str = LANGUAGE
) -> dict[str, bytes]:
    """As `render`, into memory: the files by their place, the main file of each format first."""
    wanted = known(formats)
    with speaking(language), making_sense(f"record of {record.model.name[:100]}"):
        shown = make(record)
        made = [file for name in wanted for file in _files(name, record, shown)]
    return {place: content if isinstance(content, bytes) else content.encode("utf-8") for place, content in made}


def _files(name: str, record: EvaluationRecord, shown: ReportView) -> Iterator[tuple[str, str | bytes]]:
    """Make the files of a format; vl-convert, typst and pandas load with the format that needs them."""
    if name == "html":
        from audit.report import html, stamp  # noqa: PLC0415

        yield "report.html", html.page(shown, stamp.stamp(dumps(record).encode()))
    elif name == "pdf":
        from audit.report import pdf  # noqa: PLC0415

        yield "report.pdf", pdf.document(shown, record.created)
    elif name == "md":
        from audit.report import markdown  # noqa: PLC0415

        yield "report.md", markdown.page(shown)
        for file, svg in markdown.pictures(shown).items():
            yield f"{markdown.PICTURES}/{file}", svg
    elif name == "csv":
        from audit.report import tables  # noqa: PLC0415

        for file, text in tables.files(record, shown).items():
            yield f"{tables.FOLDER}/{file}", text
    else:
        from audit.report import model_card  # noqa: PLC0415

        yield "model_card.md", model_card.page(record, shown)


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
    with making_sense("comparison"):
        shown = html.page(make_comparison(comparison))
    write_text(page, shown)
    return [data, page]


def render_reproduction(found: Reproduction, out: Path) -> list[Path]:
    """Write reproduction.json, reproduction.html and reproduction.md, which say the same.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    from audit.report import html, markdown  # noqa: PLC0415 - as above

    shown = make_reproduction(found)
    texts = {
        "reproduction.json": found.model_dump_json(by_alias=True, indent=1) + "\n",
        "reproduction.html": html.page(shown),
        "reproduction.md": markdown.page(shown),
    }
    for name, text in texts.items():
        write_text(out / name, text)
    return [out / name for name in texts]
