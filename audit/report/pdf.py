"""The report as a tagged PDF (PDF/UA-1): typst sets the same view that the page shows.

Texts travel as one JSON value and are placed as strings, so that nothing in a record is ever read as markup. Only the
fonts inside typst are used; a character that none of them has is printed as its code, as invisible ones are everywhere.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from operator import attrgetter
from typing import Any, assert_never

import typst

from audit.errors import DataError
from audit.report import parts, walk
from audit.report.charts import paper
from audit.report.letters import coded, drawable, missing, typeset, unusual
from audit.report.strings import say

Data = dict[str, Any]
MOST_COLUMNS = 9
"""A wider table is cut into several, each with the first column."""
LONGEST_WORD = 24
FULL = 55.0
"""Widths of columns from which a table takes the whole page."""
_WORD = re.compile(rf"\S{{{LONGEST_WORD},}}")


def document(view: parts.ReportView, created: str) -> bytes:
    """Render a report as PDF; the same view and time give the same bytes.

    Parameters
    ----------
    created : when the record was made, ISO 8601; the document carries this time, or none if it is not one

    Raises
    ------
    DataError
        If typst cannot set it.
    """
    made = _seconds(created)
    text = json.dumps({**_document(view), "dated": made is not None}, ensure_ascii=False)
    try:
        return typeset(template(), coded(text, missing(text)), made)
    except typst.TypstError:  # letters that can be set one by one, and not in this order
        return _last(coded(text, {*unusual(text), *missing(text)}), made)


def _last(text: str, made: int | None) -> bytes:
    try:
        return typeset(template(), text, made)
    except typst.TypstError as error:
        raise DataError("report.pdf", f"cannot be set: {error.message}", "The other formats do not need it") from error


@cache
def template() -> bytes:
    """Read the template."""
    return resources.files("audit.report").joinpath("templates", "report.typ").read_bytes()


def _seconds(created: str) -> int | None:
    try:
        time = datetime.fromisoformat(created)
        return max(0, int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()))
    except (ValueError, OverflowError, OSError):
        return None


def _document(view: parts.ReportView) -> Data:
    short = view.title if len(view.title) <= 100 else view.title[:99] + "…"
    return {
        **{name: getattr(view, name) for name in ("language", "title", "verdict", "verdict_label", "headline")},
        **{name: getattr(view, name) for name in ("evidence", "alerts", "consent", "subtitle", "footer")},
        "short_title": short,
        "answers": [asdict(answer) for answer in view.answers],
        "verdicts": [] if view.verdicts is None else [_table(view.verdicts)],
        "sections": [
            {"part": part if n == 0 else "", **_section(section)}
            for part, sections in itertools.groupby(view.sections, key=attrgetter("part"))
            for n, section in enumerate(sections)
        ],
        "data": [
            {"id": figure.id, "title": figure.title, "table": _table(figure.table)} for figure in walk.figures(view)
        ],
        "words": {
            **{name: say(f"page.{name}") for name in ("brand", "short", "contents")},
            **{name: say(f"paper.{name}") for name in ("author", "table", "figure", "data", "data_lead")},
            **{name: say(f"paper.{name}") for name in ("to_data", "to_figure")},
        },
    }


def _section(section: parts.Section) -> Data:
    glossary = section.id == "glossary"
    return {
        "title": section.title,
        "lead": "" if glossary else section.lead,  # which speaks of opening in place
        "blocks": [_block(block) for block in section.blocks],
        "terms": [(term.word, term.text) for term in section.terms if glossary],
    }


def _block(block: parts.Block) -> Data:
    made: Data
    match block:
        case parts.Table():
            made = _table(block)
        case parts.Figure():
            made = _figure(block)
        case parts.Fold():
            made = {"title": block.title, "blocks": [_block(inner) for inner in block.blocks]}
        case parts.Facts():
            made = {"items": [(breakable(name), breakable(text)) for name, text in block.items]}
        case parts.Listing() | parts.Notices():
            made = {"items": [breakable(item) for item in block.items]}
        case parts.Paragraph() | parts.Quote() | parts.Findings():
            made = asdict(block)
        case _:
            assert_never(block)
    return {"block": type(block).__name__, **made}


def _figure(figure: parts.Figure) -> Data:
    drawn = paper.sheets(figure.picture, figure.id)
    more = (say("paper.continued", title=figure.title, n=n + 1, total=len(drawn)) for n in range(1, len(drawn)))
    alts = (figure.alt, *more)
    return {
        **{name: getattr(figure, name) for name in ("id", "title", "caption")},
        "sheets": [
            {"svg": drawable(sheet.svg), "share": sheet.share, "alt": alt}
            for sheet, alt in zip(drawn, alts, strict=True)
        ],
    }


def _table(table: parts.Table) -> Data:
    width = len(table.columns)
    total = max(1, math.ceil((width - 1) / (MOST_COLUMNS - 1)))
    step = math.ceil((width - 1) / total)
    made = []
    for n in range(total):
        chosen = (0, *range(1 + n * step, min(1 + (n + 1) * step, width)))
        caption = say("paper.part", caption=table.caption, n=n + 1, total=total) if total > 1 else table.caption
        rows = [row if len(row) == 1 else tuple(row[k] for k in chosen) for row in walk.rows(table)]
        made.append(_part(caption, [table.columns[k] for k in chosen], rows))
    return {"note": table.note, "parts": made}


def _part(caption: str, columns: list[str], rows: list[tuple[parts.Cell, ...]]) -> Data:
    whole = [row for row in rows if len(row) == len(columns)]
    held = [[row[k] for row in whole] for k in range(len(columns))]
    widths = [_width(name, cells) for name, cells in zip(columns, held, strict=True)]
    return {
        "caption": caption,
        "columns": [breakable(name) for name in columns],
        "right": [k > 0 and all(c.kind == "number" or c.text == "–" for c in cells) for k, cells in enumerate(held)],
        "widths": widths,
        "share": min(1.0, sum(widths) / FULL),
        "rows": [[{"text": breakable(c.text), "note": breakable(c.note), "kind": c.kind} for c in row] for row in rows],
    }


def _width(name: str, cells: list[parts.Cell]) -> float:
    """Share of a column: by its longest word, and less by its longest text; names of groups stay on a line."""
    texts = [name, *(text for cell in cells for text in (cell.text, cell.note))]
    word = max((len(word) for text in texts for word in text.split()), default=1)
    longest = max(len(text) for text in texts)
    named = max((len(cell.text) for cell in cells if cell.kind == "name"), default=0)
    return max(float(min(word, LONGEST_WORD)), math.pow(min(longest, 60), 0.75), min(named, 34) * 0.8, 5.0)


def breakable(text: str) -> str:
    """Let a long word break: digests and made-up names would run out of their column."""
    return _WORD.sub(lambda word: "\u200b".join(re.findall(r".{1,12}", word[0])), text)
