"""The report as a tagged PDF (PDF/UA-1): typst sets the same view that the page shows.

Texts travel as one JSON value and are placed as strings, so that nothing in a record is ever read as markup. Only the
fonts inside typst are used; a character that none of them has is printed as its code, as invisible ones are everywhere.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, assert_never

import typst

from audit.errors import DataError
from audit.report import parts
from audit.report.charts import paper
from audit.report.strings import say

Data = dict[str, Any]
STANDARD = "ua-1"
MOST_COLUMNS = 9
"""A wider table is cut into several, each with the first column."""
LONGEST_WORD = 24
FULL = 55.0
"""Widths of columns from which a table takes the whole page."""
_WORD = re.compile(rf"\S{{{LONGEST_WORD},}}")
PROBE = rb"""#set document(title: "-")
#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"))
#let texts = json(bytes(sys.inputs.view))
#texts.plain
#strong(texts.plain)
#image(bytes(texts.drawn), format: "svg", alt: "-")"""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><g font-family="sans-serif">'
    '<text y="5">{0}</text><text y="9" font-weight="bold">{0}</text></g></svg>'
)
ORDINARY = re.compile(
    r"[\u00a0-\u017f\u0391-\u03c9\u0410-\u044f\u2010-\u2026\u2190-\u2193\u2212\u2260-\u2265\u25cb\u25cf\u25d0]"
)
"""What the fonts certainly have, alone and beside each other; for texts whose marks and letters do not go together."""


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
        return _set(template(), _coded(text, missing(text)), made)
    except typst.TypstError:  # letters that can be set one by one, and not in this order
        strange = {c for c in text if ord(c) > 126 and not ORDINARY.match(c)}
        return _last(_coded(text, {*strange, *missing(text)}), made)


def _last(text: str, made: int | None) -> bytes:
    try:
        return _set(template(), text, made)
    except typst.TypstError as error:
        raise DataError("report.pdf", f"cannot be set: {error.message}", "The other formats do not need it") from error


def _coded(text: str, characters: Iterable[str]) -> str:
    """Print characters inside JSON as their codes; what only shapes or orders letters goes."""
    return text.translate({ord(c): "" if unicodedata.category(c) == "Cf" else rf"\\u{ord(c):04x}" for c in characters})


@cache
def template() -> bytes:
    """Read the template."""
    return resources.files("audit.report").joinpath("templates", "report.typ").read_bytes()


def missing(text: str) -> list[str]:
    """List the characters of a text that no font here has, found by setting them."""
    unusual = sorted({c for c in text if ord(c) > 126})
    return list(_missing("".join(unusual)))


@cache
def _missing(unusual: str) -> tuple[str, ...]:
    if not unusual or _settable(unusual):
        return ()
    if len(unusual) == 1:
        return (unusual,)
    half = len(unusual) // 2
    return _missing(unusual[:half]) + _missing(unusual[half:])


def _settable(text: str) -> bool:
    try:
        words = " ".join(f"a{c}b" for c in text)
        _set(PROBE, json.dumps({"plain": words, "drawn": SVG.format(_drawable(words))}), 0)
    except typst.TypstError:
        return False
    return True


def _drawable(svg: str) -> str:
    """Leave out what only shapes or orders letters: in a picture it would be a letter without a glyph."""
    return "".join(c for c in svg if c.isascii() or unicodedata.category(c) != "Cf")


def _set(source: bytes, text: str, timestamp: int | None) -> bytes:
    made = typst.compile(
        source,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=STANDARD,
        sys_inputs={"view": text},
        timestamp=timestamp or 0,
    )
    return made


def _seconds(created: str) -> int | None:
    try:
        return max(0, int(datetime.fromisoformat(created).timestamp()))
    except (ValueError, OverflowError, OSError):
        return None


def _document(view: parts.ReportView) -> Data:
    short = view.title if len(view.title) <= 100 else view.title[:99] + "…"
    return {
        **{name: getattr(view, name) for name in ("language", "title", "verdict", "verdict_label", "headline")},
        **{name: getattr(view, name) for name in ("evidence", "alerts", "consent", "subtitle", "footer")},
        "short_title": short,
        "answers": [asdict(answer) for answer in view.answers],
        "sections": [_section(section) for section in view.sections],
        "data": [
            {"id": figure.id, "title": figure.title, "table": _table(figure.table)} for figure in figures(view.sections)
        ],
        "words": {
            **{name: say(f"page.{name}") for name in ("brand", "short", "contents")},
            **{name: say(f"paper.{name}") for name in ("author", "table", "figure", "data", "data_lead")},
            **{name: say(f"paper.{name}") for name in ("to_data", "to_figure")},
        },
    }


def figures(sections: Iterable[parts.Section]) -> Iterator[parts.Figure]:
    """Every figure, in order, folded ones too."""
    for section in sections:
        yield from _figures(section.blocks)


def _figures(blocks: Iterable[parts.Block]) -> Iterator[parts.Figure]:
    for block in blocks:
        if isinstance(block, parts.Figure):
            yield block
        elif isinstance(block, parts.Fold):
            yield from _figures(block.blocks)


def _section(section: parts.Section) -> Data:
    explained = section.terms if section.id == "glossary" else ()
    return {
        "title": section.title,
        "lead": section.lead,
        "blocks": [_block(block) for block in section.blocks],
        "terms": [(term.word, term.text) for term in explained],
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
            {"svg": _drawable(sheet.svg), "share": sheet.share, "alt": alt}
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
        rows = [row if len(row) == 1 else tuple(row[k] for k in chosen) for row in table.rows]
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
    return max(min(word, LONGEST_WORD), min(longest, 60) ** 0.75, min(named, 34) * 0.8, 5)


def breakable(text: str) -> str:
    """Let a long word break: digests and made-up names would run out of their column."""
    return _WORD.sub(lambda word: "\u200b".join(re.findall(r".{1,12}", word[0])), text)
