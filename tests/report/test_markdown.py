"""Markdown for a repository: names stay text, pictures lie beside it, tables keep their columns."""

from __future__ import annotations

import html as escapes
import re
import xml.etree.ElementTree as Tree
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from audit.record import EvaluationRecord
from audit.report import markdown, walk
from audit.report.view import make

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ATTACKS = {
    "female": "<script>alert(1)</script>", "black": "a | b `c` [x](javascript:alert(1)) ![y](//z)",
    "white": "# *h* _u_",
    "west_asian": "x" * 10_000, "east_asian": "@team #12 $x^2$ :smile: https://x.org www.x.org", "male": "</details>",
    "dlib": "1. - [ ] & &lt; <!-- net", "gender": "~~g~~ \\| <br>", "years": "\u202ey\x1b[31m",
}  # fmt: skip


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=40))
def test_an_escaped_text_reads_as_itself(text: str) -> None:
    wanted = " ".join(text.split())
    shown = PARSER.render(f"**a** {markdown.escape(text)} b")
    assert escapes.unescape(re.sub(r"</?(p|strong)>", "", shown)).strip() == f"a {wanted} b"


@pytest.mark.parametrize(
    "text", ["- a", "+ a", "1. a", "# a", "> a", "=== ", "---", "```", "| a |", "    a", ": a", "* a"]
)
def test_the_beginning_of_a_line_makes_no_block(text: str) -> None:
    tokens = PARSER.parse(markdown.escape(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert tokens[1].content.replace("\\", "") == " ".join(text.split())


def test_hostile_names_stay_text(builder: ModuleType) -> None:
    record = builder.renamed(builder.beside(), ATTACKS)
    text = markdown.page(make(record))
    shown = PARSER.render(text)
    assert set(re.findall(r"<(script|a|iframe|s|code|h6)\b", shown)) == set()
    assert set(re.findall(r'<img src="([^"]*)"', shown)) == {
        f"pictures/{name}" for name in markdown.pictures(make(record))
    }
    assert shown.count("<details>") == shown.count("</details>") > 5
    assert "x" * 49 not in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", text)
    for plain in ("<script>alert(1)</script>", "a | b `c` [x](javascript:alert(1)) ![y](//z)", "# *h* u"):
        assert plain in escapes.unescape(re.sub(r"</?(strong|em|p|td|br|li|th)[^>]*>", "", shown))


def test_every_table_keeps_its_columns_and_rows(any_record: EvaluationRecord) -> None:
    view = make(any_record)
    tokens = PARSER.parse(markdown.page(view))
    found: list[list[int]] = []
    for token in tokens:
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append(0)
        elif token.type in ("td_open", "th_open"):
            found[-1][-1] += 1
    assert found == [[len(table.columns)] * (1 + len(table.rows)) for table in walk.tables(view)]


def test_pictures_are_files_of_their_own_with_words_in_the_text(london_like: EvaluationRecord) -> None:
    view = make(london_like)
    text, pictures = markdown.page(view), markdown.pictures(view)
    figures = list(walk.figures(view))
    assert list(pictures) == [f"{figure.id}.svg" for figure in figures]
    for figure in figures:
        assert f"![{markdown.escape(figure.alt)}](pictures/{figure.id}.svg)" in text
        root = Tree.fromstring(pictures[f"{figure.id}.svg"])  # noqa: S314 - drawn here
        assert root[0].get("fill") == "#ffffff", "readable on a dark page"
        assert not {element.tag.rsplit("}")[-1] for element in root.iter()} & {"script", "image", "foreignObject", "a"}


def test_the_verdict_comes_first(london_like: EvaluationRecord) -> None:
    view = make(london_like)
    text = markdown.page(view)
    assert text.startswith(f"# {view.title}\n")
    assert text.index(view.headline) < text.index(markdown.escape(view.answers[0].question))
    assert text.index(view.answers[-1].question) < text.index(f"## {view.sections[0].title}")
