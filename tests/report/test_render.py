"""The whole page: safe, self-contained, deterministic, and never saying more than the verdicts."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from audit.errors import DataError
from audit.record import EvaluationRecord
from audit.report import html, render
from audit.report.view import make

OVERCLAIMS = re.compile(r"unbiased|bias[\s\u2010-\u2015-]*free|no\s+bias|is\s+fair", re.IGNORECASE)


class Tags(HTMLParser):
    """Elements with attributes, the headings in order, and every id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_it_writes_one_page_and_names_it(london_like: EvaluationRecord, tmp_path: Path) -> None:
    assert render(london_like, tmp_path / "new" / "folder") == [tmp_path / "new" / "folder" / "report.html"]
    assert [p.name for p in (tmp_path / "new" / "folder").iterdir()] == ["report.html"]


def test_an_unknown_format_is_refused_before_anything_is_written(london_like: EvaluationRecord, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown format 'docx'"):
        render(london_like, tmp_path, ("html", "docx"))
    assert not list(tmp_path.iterdir())


def test_the_same_record_gives_the_same_bytes(builder: ModuleType, london_page: str) -> None:
    assert html.page(make(builder.london_like())) == london_page


def test_no_overclaim_stands_anywhere(any_page: str) -> None:
    assert not OVERCLAIMS.search(any_page)
    assert not OVERCLAIMS.search(re.sub(r"<[^>]+>", "", any_page))


def test_the_page_is_small_and_asks_for_nothing_from_outside(any_page: str) -> None:
    assert len(any_page.encode()) <= 1_500_000
    found = Tags(any_page)
    for tag, attributes in found.tags:
        assert tag not in {"script", "iframe", "object", "embed", "form", "img", "base"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))


def test_the_policy_allows_one_style_sheet_and_no_script(any_page: str) -> None:
    policies = [m for m in Tags(any_page).named("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    policy = policies[0]["content"] or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script" not in policy
    assert 'style="' not in any_page


def test_ids_are_unique_and_every_reference_has_its_target(any_page: str) -> None:
    found = Tags(any_page)
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = {(a.get("href") or "")[1:] for a in found.named("a")}
    for _, attributes in found.tags:
        wanted |= {*(attributes.get("aria-labelledby") or "").split()}
        wanted |= set(re.findall(r"url\(#([^)]+)\)", " ".join(v or "" for v in attributes.values())))
    assert wanted <= set(ids)


def test_headings_descend_one_by_one(any_page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Tags(any_page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_picture_has_words_and_a_table(london_page: str) -> None:
    found = Tags(london_page)
    pictures = found.named("svg")
    assert len(pictures) >= 10
    for picture in pictures:
        assert picture["role"] == "img"
        assert len(picture["aria-label"] or "") > 40
    figures = len([f for f in found.named("figure") if (f.get("id") or "").startswith("figure-")])
    assert london_page.count("The numbers as a table") == figures


def test_every_table_is_headed_labelled_and_reachable(any_page: str) -> None:
    found = Tags(any_page)
    scopes = {th.get("scope") for th in found.named("th")}
    assert scopes <= {"col", "row", "rowgroup"}
    regions = [d for d in found.named("div") if d.get("role") == "region"]
    assert all(d.get("tabindex") == "0" and (d.get("aria-labelledby") or d.get("aria-label")) for d in regions)
    assert len(found.named("table")) == len(found.named("caption"))


def test_hostile_names_stay_text(builder: ModuleType) -> None:
    page = html.page(make(builder.hostile()))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{7*7}}" in page
    for c in ("\u202e", "\u202c", "\x1b", "\x00"):
        assert c not in page
    assert "x" * 49 not in page
    assert "z" * 49 not in page
    assert "<i>age" not in page
    assert "&lt;i&gt;age&lt;/i&gt;" in page
    assert "<u>" not in page
    assert "[claim withheld]" in page


def test_the_consent_statement_stands_word_for_word(london_like: EvaluationRecord, london_page: str) -> None:
    assert london_like.benchmark.consent_statement in london_page
    assert london_like.benchmark.notices[0] in london_page
    assert london_like.model.training_consent in london_page


def test_undocumented_consent_is_said_first(builder: ModuleType) -> None:
    page = html.page(make(builder.failing()))
    assert page.index("Nothing is documented about the consent") < page.index('class="headline')


def test_no_name_of_one_person_group_gives_a_count(builder: ModuleType, london_page: str) -> None:
    rows = re.findall(r"<tr>.*?</tr>", london_page, re.DOTALL)
    alone = [row for row in rows if "east asian/white" in row.split("</th>")[0]]
    assert len(alone) == 6
    assert all("withheld: fewer than 2 people" in row for row in alone)
    assert not any(re.search(r"\d+ of \d+", row) for row in alone)
    assert "1 person" not in london_page
