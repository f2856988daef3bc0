"""The report as Markdown, for a repository: one file that reads alone, its pictures as SVG files beside it.

Pictures lie beside the text because a file host shows a linked SVG and drops one that stands inline; without them the
file says the same, since every picture has its words and its table. Whatever comes from a record is escaped, so that
it is never markup, a link, a mention or a formula.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import assert_never

from audit.report import charts, parts, walk
from audit.report.strings import say

PICTURES = "pictures"
"""Folder beside the file."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&$#@])")
_FIRST = re.compile(r"^([-+=:]|\d+(?=[.)](\s|$)))")
_LINK = re.compile(r"(?i)(https?|ftp|mailto|xmpp)(?=:)|\bwww(?=\.)")


def page(view: parts.ReportView) -> str:
    """Render a report as Markdown text; the pictures that it links are those of `pictures`."""
    made = [f"# {escape(view.title)}", escape(view.subtitle), escape(view.consent)]
    made += [f"> **{escape(alert)}**" for alert in view.alerts]
    made += [f"## {say('page.short')}", *short(view, 3)]
    part = ""
    for section in view.sections:
        if section.part != part:
            part = section.part
            made += ["---", f"**{escape(part)}**"]
        made.append(f"## {escape(section.title)}")
        if section.lead and section.id != "glossary":  # which speaks of opening in place
            made.append(f"*{escape(section.lead)}*")
        made += _blocks(section.blocks, 3)
        if section.id == "glossary":
            made += _blocks((parts.Facts(tuple((term.word, term.text) for term in section.terms)),), 3)
    made += ["---", escape(view.footer)]
    return joined(made)


def short(view: parts.ReportView, level: int) -> list[str]:
    """The verdict and the answers, as paragraphs."""
    made = [f"**{escape(view.verdict_label)}.** **{escape(view.headline)}**"]
    if view.evidence:
        made.append(escape(view.evidence))
    for answer in view.answers:
        made += [f"{'#' * level} {escape(answer.question)}", escape(answer.answer)]
        if answer.details:
            made.append(listing(answer.details))
    return made if view.verdicts is None else [*made, *table(view.verdicts)]


def pictures(view: parts.ReportView) -> dict[str, str]:
    """Every picture as the text of an SVG file, by its name; on white, since a page may be dark."""
    found: dict[str, str] = {}
    for figure in walk.figures(view):
        opened, rest = charts.svg(charts.draw(figure.picture), f"{figure.id}-").split(">", 1)
        found[f"{figure.id}.svg"] = f'{opened}><rect width="100%" height="100%" fill="#ffffff"/>{rest}\n'
    return found


def joined(paragraphs: Iterable[str]) -> str:
    """Put paragraphs together."""
    return "\n\n".join(paragraphs) + "\n"


def escape(text: str) -> str:
    r"""Make a text mean itself in Markdown.

    >>> escape("*a* | [x](y) <b> &amp; $1$"), escape("- 1. # a"), escape("1. www.x.org")
    ('\\*a\\* \\| \\[x\\](y) \\<b\\> \\&amp; \\$1\\$', '\\- 1. \\# a', '1\\. www\\.x.org')
    """
    flat = " ".join(_SPECIAL.sub(r"\\\1", text).split())
    flat = _LINK.sub(lambda found: f"{found[0]}\\", flat)
    return _FIRST.sub(lambda found: f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}", flat)


def _blocks(blocks: Iterable[parts.Block], level: int) -> list[str]:
    return [line for block in blocks for line in _block(block, level)]


def _block(block: parts.Block, level: int) -> list[str]:
    made: list[str]
    match block:
        case parts.Paragraph():
            text = escape(block.text)
            made = [f"> **{text}**" if block.tone == "warning" else text]
        case parts.Listing():
            made = [listing(block.items)]
        case parts.Notices():
            made = ["\n".join(f"> - {escape(item)}" for item in block.items)]
        case parts.Facts():
            made = ["\n".join(f"- **{escape(name)}**: {escape(text)}" for name, text in block.items)]
        case parts.Quote():
            made = [f"> {escape(block.text)}\n>\n> — {escape(block.source)}"]
        case parts.Table():
            made = table(block)
        case parts.Figure():
            made = _figure(block)
        case parts.Findings():
            made = _findings(block, level)
        case parts.Fold():
            made = _folded(block.title, _blocks(block.blocks, level + 1))
        case _:
            assert_never(block)
    return made


def listing(items: Iterable[str]) -> str:
    """Render a list."""
    return "\n".join(f"- {escape(item)}" for item in items)


def _folded(title: str, inside: list[str]) -> list[str]:
    return ["<details>", f"<summary>{html.escape(' '.join(title.split()))}</summary>", *inside, "</details>"]


def table(block: parts.Table) -> list[str]:
    """Render a table: caption, rows, note. A heading over rows is a row of which the other cells are empty."""
    width = len(block.columns)
    rows = ["| " + " | ".join(escape(name) for name in block.columns) + " |"]
    rows.append("|" + "|".join(" ---: " if _right(block, k) else " --- " for k in range(width)) + "|")
    for row in walk.rows(block):
        cells = [_cell(cell, bold=len(row) == 1) for cell in row]
        rows.append("| " + " | ".join(cells + [""] * (width - len(cells))) + " |")
    made = [f"**{escape(block.caption)}**", "\n".join(rows)]
    return [*made, f"*{escape(block.note)}*"] if block.note else made


def _right(block: parts.Table, column: int) -> bool:
    held = [row[column] for row in walk.rows(block) if len(row) == len(block.columns)]
    return column > 0 and all(cell.kind == "number" or cell.text == "–" for cell in held)


def _cell(cell: parts.Cell, *, bold: bool) -> str:
    text = escape(cell.text)
    if text and (bold or cell.kind == "name"):
        text = f"**{text}**"
    return f"{text}<br>{escape(cell.note)}" if cell.note else text


def _figure(figure: parts.Figure) -> list[str]:
    return [
        f"**{escape(figure.title)}** {escape(figure.caption)}",
        f"![{escape(figure.alt)}]({PICTURES}/{figure.id}.svg)",
        *_folded(f"{say('page.data')}: {figure.title}", table(figure.table)),
    ]


def _findings(block: parts.Findings, level: int) -> list[str]:
    made = [f"{'#' * min(level, 6)} {escape(block.title)}", escape(block.text)]
    for found in block.items:
        lines = [f"- **{escape(found.label)}: {escape(found.title)}**", escape(found.text)]
        made.append("  \n  ".join([*lines, *(escape(line) for line in found.evidence)]))
    return made
