"""All formats say the same: every block is in every one of them, and every number is in every one of them."""

from __future__ import annotations

import csv
import html as escapes
import io
import itertools
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import overclaims
import pypdfium2
import pytest
from markdown_it import MarkdownIt

from audit.errors import DataError
from audit.record import EvaluationRecord
from audit.report import FORMATS, html, markdown, parts, pdf, render, tables, walk
from audit.report.view import make

NOT_PROSE = {"id", "kind", "mark", "tone", "verdict", "alt", "picture", "language", "marker"}
"""Fields that are no text of the page; what a picture shows is looked at as a picture."""


def squeezed(text: str) -> str:
    """Only what is read: no white space, nothing invisible."""
    return re.sub(r"[\s\u200b\u2068\u2069\ufffe\x02]", "", text)


def of_page(page: str) -> str:
    page = re.sub(r"<style>.*?</style>|<svg .*?</svg>", "", page, flags=re.DOTALL)
    return squeezed(escapes.unescape(re.sub(r"<[^>]+>", "", page)))


def of_markdown(text: str) -> str:
    return of_page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def of_pdf(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    try:
        footer = re.compile(rf"{re.escape(document.get_metadata_dict()['Title'])}\s+\d+ / \d+\s*$")
        pages = [page.get_textpage().get_text_bounded() for page in document]
        return squeezed("".join(footer.sub("", page) for page in pages))
    finally:
        document.close()


def sample(kind: Any, names: Iterator[str], place: str = "") -> Any:
    """Make a value of a type with a text of its own in every field that is prose."""
    if kind is str:
        return "left" if place in NOT_PROSE else next(names)
    if kind in (float, int, bool):
        return kind(1)
    origin = get_origin(kind)
    if origin is Literal:
        return get_args(kind)[0]
    if origin is tuple:
        inner = [one for one in get_args(kind) if one is not Ellipsis]
        return tuple(sample(one, names, place) for one in inner)
    if origin in (typing.Union, types.UnionType):
        return sample(get_args(kind)[0], names, place)
    assert is_dataclass(kind), f"no sample of {kind}"
    hints = get_type_hints(kind, vars(parts))
    return kind(**{field.name: sample(hints[field.name], names, field.name) for field in fields(kind)})


def block_of(kind: type, names: Iterator[str]) -> Any:
    hints = get_type_hints(kind, vars(parts))
    made = {}
    for field in fields(kind):
        if field.name == "picture":
            made["picture"] = parts.RowPicture((parts.RowMark("a", "b", "solid", 0.1),), (), (0.01, 1.0), "axis")
        elif field.name == "blocks":
            made["blocks"] = (parts.Paragraph(next(names)),)
        elif field.name == "id":
            made["id"] = "an-id"
        else:
            made[field.name] = sample(hints[field.name], names, field.name)
    return kind(**made)


def holding(view: parts.ReportView, block: Any) -> parts.ReportView:
    return replace(view, sections=(parts.Section("one", "One", "Lead.", (block,)),))


@pytest.mark.parametrize("kind", get_args(parts.Block), ids=lambda kind: kind.__name__)
def test_every_kind_of_block_is_rendered_in_every_format(kind: type, london_like: EvaluationRecord) -> None:
    given: list[str] = []

    def named() -> Iterator[str]:
        for n in itertools.count():
            given.append(f"mark{n}mark")
            yield given[-1]

    view = holding(make(london_like), block_of(kind, named()))
    assert given
    rendered = {
        "html": of_page(html.page(view)),
        "md": of_markdown(markdown.page(view)),
        "pdf": of_pdf(pdf.document(view, london_like.created)),
    }
    for name, text in rendered.items():
        assert not [mark for mark in given if mark not in text], name
    if kind in (parts.Table, parts.Figure):
        files = "".join(tables.text(tables.shown(table)) for table in walk.tables(view))
        assert [mark for mark in given if mark in files]


def test_an_unknown_block_is_an_error_in_every_format(london_like: EvaluationRecord) -> None:
    view = holding(make(london_like), parts.Term("word", "text"))
    for rendering in (html.page, markdown.page, lambda v: pdf.document(v, "")):
        with pytest.raises((AssertionError, TypeError), match=r"Term|word"):
            rendering(view)


def row_texts(table: parts.Table) -> list[str]:
    return [squeezed("".join(cell.text + cell.note for cell in row)) for row in table.rows]


def test_every_row_of_every_table_is_the_same_in_every_format(
    any_record: EvaluationRecord, any_page: str, any_pdf: bytes
) -> None:
    view = make(any_record)
    shown = {"html": of_page(any_page), "md": of_markdown(markdown.page(view)), "pdf": of_pdf(any_pdf)}
    files = tables.files(any_record, view)
    for table in walk.tables(view):
        wide = len(table.columns) > pdf.MOST_COLUMNS
        for text in row_texts(table):
            for name, whole in shown.items():
                assert (wide and name == "pdf") or _in(text, whole, name), f"{name}: {table.id}: {text}"
        lines = list(csv.reader(io.StringIO(files[f"{table.id.lower()}.csv"])))[1:]
        assert [_plain("".join(line)) for line in lines] == [_plain(text) for text in _headed(table)]


def _in(text: str, whole: str, name: str) -> bool:
    if text in whole:
        return True
    strange = re.search(r"[^\x20-\x7e–×−●◐○▲≥≈∞…“”?≡]", text)  # set by its code, or in the order of its script
    return name == "pdf" and strange is not None


def _headed(table: parts.Table) -> list[str]:
    made, part = [], ""
    for row in table.rows:
        if len(row) < len(table.columns):
            part = row[0].text
        else:
            made.append(part + "".join(cell.text + cell.note for cell in row))
    return made


def _plain(text: str) -> str:
    return squeezed(text).replace(",", "").replace("\u2212", "-").replace("'", "")


def test_the_first_answers_and_the_verdict_are_in_every_format(london_like: EvaluationRecord, tmp_path: Path) -> None:
    view = make(london_like)
    written = render(london_like, tmp_path, tuple(FORMATS))
    card = (tmp_path / "model_card.md").read_text(encoding="utf-8")
    texts = [
        of_page((tmp_path / "report.html").read_text(encoding="utf-8")),
        of_markdown((tmp_path / "report.md").read_text(encoding="utf-8")),
        of_pdf((tmp_path / "report.pdf").read_bytes()),
        of_markdown(card.split("---", 2)[2]),
    ]
    for text in texts:
        for said in (view.headline, view.evidence, *(a.answer for a in view.answers)):
            assert squeezed(said) in text
    assert sorted(written) == sorted(path for path in tmp_path.rglob("*") if path.is_file()), "and nothing else"
    assert {path.stat().st_mode & 0o777 for path in written} == {0o644}
    assert {path.parent.name for path in written} == {tmp_path.name, "pictures", "tables"}


def test_no_format_overclaims(any_record: EvaluationRecord, any_pdf: bytes) -> None:
    from audit.report import model_card  # noqa: PLC0415

    view = make(any_record)
    texts = [markdown.page(view), model_card.page(any_record, view), *tables.files(any_record, view).values()]
    document = pypdfium2.PdfDocument(any_pdf)
    texts.append(" ".join(page.get_textpage().get_text_bounded() for page in document))
    for text in texts:
        assert overclaims.found(text, overclaims.verdicts_of(any_record)) == []


def test_the_same_record_gives_the_same_files(builder: ModuleType, tmp_path: Path) -> None:
    for name in ("a", "b"):
        render(builder.ungrouped(), tmp_path / name, tuple(FORMATS))
    first = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    second = {p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()}
    assert first == second


@pytest.mark.parametrize(("given", "hint"), [("pfd", "Did you mean 'pdf'?"), ("HTML", "'html'"), ("docx", "Known")])
def test_an_unknown_format_names_the_nearest(
    given: str, hint: str, london_like: EvaluationRecord, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="unknown format") as caught:
        render(london_like, tmp_path, ("html", given))
    assert hint in str(caught.value)
    assert not list(tmp_path.iterdir())
