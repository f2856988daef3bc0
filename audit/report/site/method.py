"""The method pages: the Markdown of docs/, as pages of the site.

Markdown-it renders CommonMark with tables; HTML in the text is shown, not obeyed. A link to another shipped page leads
to its page here, one to a web address stays, and any other is plain text, so that nothing on the site leads nowhere.
A shipped picture becomes part of the page, since nothing is loaded; of any other the alternative text stands in its
place.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

import audit.report
from audit.errors import DataError
from audit.report.strings import say

if TYPE_CHECKING:
    from markdown_it.token import Token


INDEX = "README.md"
"""The documents' own index: the site makes one of its own."""


@dataclass(frozen=True, slots=True)
class MethodPage:
    """One page: its file name without ending, its title, and its HTML."""

    name: str
    title: str
    body: Markup


def shipped() -> dict[str, str]:
    """Read the documents: from an installed wheel, else beside the package in a clone.

    Raises
    ------
    DataError
        If neither is there.
    """
    documents = [path for path in sorted(_folder().glob("*.md")) if path.name != INDEX]
    return {path.stem: path.read_text(encoding="utf-8") for path in documents}


def pictures() -> dict[str, bytes]:
    """Read the pictures of the documents: place below the documents to the content of the file."""
    folder = _folder()
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def _folder() -> Path:
    package = Path(audit.report.__file__).resolve().parents[1]
    for folder in (package / "_data" / "docs", package.parent / "docs"):
        if any(folder.glob("*.md")):
            return folder
    raise DataError(str(package), "the method pages are missing", "Install faceaudit again")


def render(documents: Mapping[str, str], drawn: Mapping[str, bytes] | None = None) -> list[MethodPage]:
    """Make a page of each document.

    Parameters
    ----------
    documents : file name without ending to Markdown
    drawn : place of a picture, as the documents name it, to a PNG
    """
    pages = [_page(name, text, set(documents), drawn or {}) for name, text in documents.items()]
    return sorted(pages, key=lambda p: p.name)


def _page(name: str, text: str, known: set[str], drawn: Mapping[str, bytes]) -> MethodPage:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only publishing needs it

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    title = name.replace("-", " ").capitalize()
    taken: set[str] = set()
    for k, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[k + 1].content
            if token.tag == "h1":
                title = re.sub(r"[*`_]", "", words)
            token.attrSet("id", _anchor(words, taken))
        if token.children:
            token.children = _safe_links(token.children, known, drawn)
    body = parser.renderer.render(tokens, parser.options, {})
    body = re.sub(r"<h1 [^>]*>.*?</h1>\n?", "", body, count=1, flags=re.DOTALL)
    region = f'<div class="scroll" role="region" tabindex="0" aria-label="{say("publish.method_table")} %d">'
    number = iter(range(1, 10_000))
    body = re.sub(r"<table>", lambda _: region % next(number) + "<table>", body).replace("</table>", "</table></div>")
    pre = f'<pre role="region" tabindex="0" aria-label="{say("publish.method_code")} %d">'
    number = iter(range(1, 10_000))
    body = re.sub(r"<pre>", lambda _: pre % next(number), body)
    body = body.replace(' style="text-align:right"', ' class="right"')
    body = re.sub(r' style="[^"]*"', "", body)
    return MethodPage(name, title, Markup(body))  # noqa: S704 - made by the renderer, HTML in the text is escaped


def _anchor(heading: str, taken: set[str]) -> str:
    """The anchor that code hosts give a heading, so that links inside a document work on both."""
    base = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") or "part"
    anchor, n = base, 1
    while anchor in taken:
        anchor, n = f"{base}-{n}", n + 1
    taken.add(anchor)
    return anchor


def _safe_links(tokens: Sequence[Token], known: set[str], drawn: Mapping[str, bytes]) -> list[Token]:
    """Send links to pages of this site where there is one; take out those that lead nowhere."""
    kept: list[Token] = []
    opened: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            target = _target(str(token.attrGet("href") or ""), known)
            opened.append(target is not None)
            if target is None:
                continue
            token.attrSet("href", target)
        elif token.type == "link_close":
            if not opened.pop():
                continue
        elif token.type == "image" and (picture := drawn.get(str(token.attrGet("src")))):
            token.attrSet("src", f"data:image/png;base64,{base64.b64encode(picture).decode()}")
        elif token.type == "image":
            token.type, token.tag, token.attrs, token.children = "text", "", {}, None
        kept.append(token)
    return kept


def _target(href: str, known: set[str]) -> str | None:
    if href.startswith(("#", "https://", "http://")):
        return href
    path, _, part = href.partition("#")
    name = path.removeprefix("./").removeprefix("docs/")
    if name.endswith(".md") and name[:-3] in known:
        return f"{name[:-3]}.html{'#' + part if part else ''}"
    return None
