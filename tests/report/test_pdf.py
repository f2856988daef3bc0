"""The PDF: tagged, titled, with its fonts, and made of texts that are never markup."""

from __future__ import annotations

import io
import itertools
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pypdf
import pypdfium2
import pytest
import typst

from audit.record import EvaluationRecord, dumps
from audit.report import parts, pdf, walk
from audit.report.charts import paper
from audit.report.view import make

ROOT = Path(__file__).resolve().parents[2]
CODE = {
    "female": '#eval("1+1")', "black": '#read("/etc/passwd")', "white": "*bold* _x_ $x^2$ <label> @ref",
    "west_asian": "= Heading #pagebreak()", "east_asian": '"}] \\ "', "dlib": '#panic("x") // net', "gender": "/* x",
    "male": "漢字 👩🏽‍🦱 e\u0301", "years": "\u202eyears",
}  # fmt: skip


@pytest.fixture(scope="module")
def reader(london_pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(london_pdf))


def elements(node: Any) -> Iterator[dict[str, Any]]:
    """Every structure element below a node, in reading order."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for child in node:
            yield from elements(child)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from elements(node["/K"])


def kinds(reader: pypdf.PdfReader) -> Counter[str]:
    return Counter(str(element["/S"]) for element in elements(reader.trailer["/Root"]["/StructTreeRoot"]))


def titles(outline: list[Any]) -> list[str]:
    return [t for entry in outline for t in (titles(entry) if isinstance(entry, list) else [str(entry["/Title"])])]


def text_of(content: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def test_it_says_that_it_is_accessible_and_has_title_language_and_date(
    reader: pypdf.PdfReader, london_like: EvaluationRecord
) -> None:
    root = reader.trailer["/Root"]
    view = make(london_like)
    assert root["/MarkInfo"]["/Marked"] is True or root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert reader.metadata.title == view.title
    assert reader.metadata.creation_date.isoformat() == "2026-11-22T12:00:00+00:00"
    metadata = root["/Metadata"].get_data().decode()
    assert "pdfuaid:part>1<" in metadata


def test_the_bookmarks_are_the_sections(reader: pypdf.PdfReader, london_like: EvaluationRecord) -> None:
    found = titles(reader.outline)
    for section in make(london_like).sections:
        assert section.title in found
    folds = [b.title for s in make(london_like).sections for b in s.blocks if isinstance(b, parts.Fold)]
    assert set(folds) <= set(found)


def test_every_font_is_embedded_and_comes_with_typst(any_pdf: bytes) -> None:
    allowed = {name.replace(" ", "") for name in typst.Fonts(include_system_fonts=False).families()}
    fonts = {}
    for page in pypdf.PdfReader(io.BytesIO(any_pdf)).pages:
        found = page.get("/Resources", {}).get("/Font", {})
        fonts |= {str(font.get_object()["/BaseFont"]): font.get_object() for font in found.values()}
    assert fonts
    for name, font in fonts.items():
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")), name
        assert any(name.split("+")[1].startswith(family) for family in allowed), name


def test_every_picture_has_words_and_every_table_has_heads(
    reader: pypdf.PdfReader, london_like: EvaluationRecord
) -> None:
    view = make(london_like)
    figures = list(walk.figures(view))
    sheets = sum(len(paper.pieces(figure.picture)) for figure in figures)
    tree = list(elements(reader.trailer["/Root"]["/StructTreeRoot"]))
    alts = [str(e["/Alt"]) for e in tree if e["/S"] == "/Figure" and "/Alt" in e]
    assert len(alts) == sheets
    assert {figure.alt for figure in figures} <= set(alts)
    tables = [e for e in tree if e["/S"] == "/Table"]
    assert len(tables) >= len(figures)
    for table in tables:
        inside = list(elements(table["/K"]))
        heads = [e for e in inside if e["/S"] == "/TH"]
        assert heads
        assert all("/Scope" in str(head.get("/A")) for head in heads)


def test_headings_descend_one_by_one(reader: pypdf.PdfReader) -> None:
    levels = [
        int(str(e["/S"])[2:])
        for e in elements(reader.trailer["/Root"]["/StructTreeRoot"])
        if re.fullmatch(r"/H[1-6]", str(e["/S"]))
    ]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_it_runs_nothing_and_leads_nowhere_outside(any_pdf: bytes) -> None:
    found = pypdf.PdfReader(io.BytesIO(any_pdf))
    root = found.trailer["/Root"]
    assert not {"/OpenAction", "/AA", "/AcroForm"} & set(root)
    assert not {"/JavaScript", "/EmbeddedFiles"} & set(root.get("/Names", {}))
    for page in found.pages:
        for note in page.get("/Annots", []):
            link = note.get_object()
            assert link["/Subtype"] == "/Link"
            assert "/Dest" in link or link["/A"]["/S"] == "/GoTo"
    assert b"/URI" not in any_pdf


def test_the_first_page_stands_alone_and_pages_are_plausible(london_pdf: bytes, london_like: EvaluationRecord) -> None:
    pages = text_of(london_pdf)
    first = " ".join(pages[0].split())
    view = make(london_like)
    for answer in view.answers:
        assert answer.question in first
    assert view.verdict_label in first
    assert pages[1].startswith("Contents")
    assert 15 <= len(pages) <= 60
    assert f"1 / {len(pages)}" in first


def test_code_in_names_is_text(builder: ModuleType, tmp_path: Path) -> None:
    plain, hostile = builder.beside(), builder.renamed(builder.beside(), CODE)
    made = pdf.document(make(hostile), hostile.created)
    text = " ".join(" ".join(text_of(made)).split())
    for name in ('#eval("1+1")', '#read("/etc/passwd")', "*bold* x $x^2$ <label> @ref", "= Heading #pagebreak()"):
        assert name in text
    for planted in ('"}] \\ "', '#panic("x") // net', "/* x", r"\u6f22\u5b57 \u1f469\u1f3fd\u1f9b1"):
        assert planted in text
    assert "root:" not in text
    reads = [pypdf.PdfReader(io.BytesIO(content)) for content in (made, pdf.document(make(plain), plain.created))]
    assert len(titles(reads[0].outline)) == len(titles(reads[1].outline))
    assert kinds(reads[0])["/Table"] == kinds(reads[1])["/Table"]


@pytest.mark.parametrize("created", ["", "soon", "9999-12-31T00:00:00+00:00", "0001-01-01"])
def test_a_strange_date_makes_no_difference(created: str, builder: ModuleType) -> None:
    found = pypdf.PdfReader(io.BytesIO(pdf.document(make(builder.empty()), created)))
    assert found.metadata.title


def test_letters_that_do_not_go_together_are_given_by_their_codes(builder: ModuleType) -> None:
    """Each of these can be set, and a Hebrew accent on a Latin letter cannot."""
    record = builder.renamed(builder.empty(), {"dlib": "e\u05a9 net"})
    assert "e\\u05a9 net" in text_of(pdf.document(make(record), record.created))[0]


def test_another_process_writes_the_same_bytes(builder: ModuleType, tmp_path: Path) -> None:
    record = builder.ungrouped()
    (tmp_path / "record.json").write_text(dumps(record), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from audit.record import read; from audit.report import render;"
        "render(read(Path('record.json')), Path('out'), ('pdf',))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    assert (tmp_path / "out" / "report.pdf").read_bytes() == pdf.document(make(record), record.created)


def test_a_picture_that_is_taller_than_a_page_is_cut_and_loses_nothing() -> None:
    rows: list[parts.RowMark] = []
    for family in range(3):
        rows.append(parts.RowMark(f"family {family}", "", "none", heading=True))
        rows += [parts.RowMark(f"{family}.{n}", "1 of 9", "solid", 0.1) for n in range(40)]
    picture = parts.RowPicture(tuple(rows), (), (0.01, 1.0), "axis")
    cut = paper.pieces(picture)
    assert len(cut) > 1
    kept = [row.label for piece in cut for row in piece.rows if not row.heading]
    assert kept == [row.label for row in rows if not row.heading]
    for piece in cut:
        assert piece.rows[0].heading
        assert not piece.rows[-1].heading
        assert piece.domain == picture.domain
    assert all(0 < sheet.share <= 1 for sheet in paper.sheets(picture, "x"))


def test_a_heading_without_a_row_of_its_own_is_set(builder: ModuleType) -> None:
    """typst breaks down (a panic, no error) where one heading follows another."""
    view = make(builder.empty())
    cell, number = parts.Cell("a heading"), (parts.Cell("x"), parts.Cell("1"))
    for rows in (((cell,), (cell,), number), (number, (cell,)), ((cell,),)):
        table = parts.Table("t", "A table", ("One", "Two"), rows)
        made = replace(view, sections=(replace(view.sections[0], blocks=(table,)),))
        assert "a heading" in " ".join(text_of(pdf.document(made, "2026-11-22T12:00:00+00:00")))


def test_a_wide_table_is_cut_and_loses_nothing() -> None:
    columns = tuple(f"c{n}" for n in range(20))
    table = parts.Table("t", "Wide", columns, (tuple(parts.Cell(f"v{n}") for n in range(20)), (parts.Cell("over"),)))
    cut = pdf._table(table)["parts"]
    assert [part["columns"][0] for part in cut] == ["c0"] * len(cut)
    assert [name for part in cut for name in part["columns"][1:]] == list(columns[1:])
    assert max(len(part["columns"]) for part in cut) <= pdf.MOST_COLUMNS
    assert [cell["text"] for part in cut for cell in part["rows"][0][1:]] == [f"v{n}" for n in range(1, 20)]


@pytest.mark.parametrize("name", ["london_like", "hostile"])
def test_its_pages_are_kept_as_pictures(name: str, builder: ModuleType, london_pdf: bytes) -> None:
    """CI keeps them in artifacts/pages; a page is never empty."""
    record = getattr(builder, name)()
    content = london_pdf if name == "london_like" else pdf.document(make(record), record.created)
    folder = ROOT / "artifacts" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    document = pypdfium2.PdfDocument(content)
    for number, page in enumerate(document, 1):
        picture = page.render(scale=1).to_pil().convert("L")
        assert picture.getextrema()[0] < 100, f"page {number} of {name} is empty"
        picture.save(folder / f"{name}-{number:02}.png")
    document.close()
