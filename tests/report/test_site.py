"""The site: complete, linked, safe, the same bytes for the same results, and nobody else's files touched."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin
from xml.etree import ElementTree as ET

import pytest
import site_results as given

from audit.errors import DataError, NothingMeasured, PlanError
from audit.record import dumps
from audit.report import html, render, stamp
from audit.report.site import CatalogueEntry, method, publish
from audit.report.site.writer import MANIFEST
from audit.report.view import make

OVERCLAIMS = re.compile(r"unbiased|bias[\W_]*free|no\s+bias|is\s+fair", re.IGNORECASE)
ENTRY = CatalogueEntry(
    "lfw", "Labeled <b>Faces", "T6", "refused", "Refused: nobody was asked.", "Take london.", (("consent", "none"),)
)
PICTURE = "data:image/png;base64,"


class Links(HTMLParser):
    """Addresses that a page leads to or loads, and its ids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.to: list[str] = []
        self.loaded: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.events: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.to.append(value or "")
            elif name == "src":
                self.loaded.append((tag, value or ""))
            elif name == "id":
                self.ids.append(value or "")
            elif name.startswith("on"):
                self.events.append(name)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return given.mixed(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def site(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    publish(results, out, catalogue=[ENTRY], base_url="https://example.org/audits")
    return out


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Two evaluations whose reports are drawn quickly."""
    given.put(tmp_path / "results", "one", given.small())
    given.put(tmp_path / "results", "two", given.small(model={"name": "second"}))
    return tmp_path / "results"


def test_every_page_is_there(site: Path) -> None:
    names = set(files(site))
    assert {"index.html", "history.html", "catalogue.html", "404.html", "feed.xml", "sitemap.xml", "filter.js",
            "models/index.html", "benchmarks/index.html", "method/index.html",
            "method/statistics.html"} <= names  # fmt: skip
    assert sum(n.startswith("evaluations/") and n.endswith("record.json") for n in names) == 8
    assert sum(n.startswith("evaluations/") and n.endswith("report.html") for n in names) == 8
    assert sum(n.startswith("models/") for n in names) == 1 + 5
    assert sum(n.startswith("benchmarks/") for n in names) == 1 + 2


def test_every_link_is_relative_and_leads_somewhere(site: Path) -> None:
    made = files(site)
    pages = {name: Links(data.decode()) for name, data in made.items() if name.endswith(".html")}
    reached = {"index.html"}
    for name, page in pages.items():
        for address in page.to + [a for _, a in page.loaded]:
            if name == "404.html":
                assert address.startswith(("https://example.org/audits/", "#", "data:,"))
                continue
            if address.startswith(("#", "data:,", PICTURE)):
                continue
            if address.startswith("https://"):
                assert name.startswith("method/")
                continue
            target, _, part = address.partition("#")
            there = unquote(urljoin(f"http://s/{name}", target)).removeprefix("http://s/")
            assert there in made, f"{name} leads to {address}"
            assert not part or part in pages[there].ids
            reached.add(there)
    assert reached >= {n for n in made if n.endswith((".html", "record.json"))} - {"404.html"}


def test_nothing_is_loaded_from_elsewhere_and_no_script_stands_in_a_page(site: Path) -> None:
    for name, data in files(site).items():
        if not name.endswith(".html"):
            continue
        text = data.decode()
        page = Links(text)
        elsewhere = [what for what in page.loaded if not (what[0] == "img" and what[1].startswith(PICTURE))]
        assert elsewhere == ([("script", "filter.js")] if name == "index.html" else []), name
        assert name.startswith("method/") or "img" not in page.tags
        assert not page.events
        assert not page.tags & {"iframe", "object", "embed", "form", "base"}
        assert text.count("Content-Security-Policy") == 1
        assert "default-src 'none'" in text or "default-src &#39;none" in text
        assert "unsafe" not in text.split("<title>")[0]
        assert len(page.ids) == len(set(page.ids)), name
        assert 'style="' not in text, name


def test_no_overclaim_is_rendered_anywhere(site: Path) -> None:
    for name, data in files(site).items():
        if not name.endswith("record.json"):
            assert not OVERCLAIMS.search(name)
            assert not OVERCLAIMS.search(data.decode()), name
            assert not OVERCLAIMS.search(re.sub(r"<[^>]+>", "", data.decode())), name


def test_the_index_says_what_has_to_be_known(site: Path) -> None:
    index = (site / "index.html").read_text()
    assert "Evaluations: 8. Current: 5. Superseded: 2. Stale: 1." in index
    assert "not evidence about people" in index
    assert "used in lab-based and web-based studies" in index
    assert "nobody who could consent" in index
    assert index.count("unsigned") == 8
    assert "Two people withdrew &lt;b&gt;now&lt;/b&gt;." in index
    assert "An evaluation of 2026-11-22 with the same plan replaces it." in index
    assert "Could not be read: 2" in index
    assert "broken/cut" in index
    assert "s3cret" not in index
    assert "<script>alert" not in index
    assert "1 in 1,000" in index


def test_a_superseded_evaluation_says_so_on_its_page_and_its_report(site: Path) -> None:
    pages = [p for p in site.glob("evaluations/*/index.html") if "superseded." in p.read_text()]
    assert len(pages) == 2
    for page in pages:
        report = page.with_name("report.html").read_text()
        head = report[: report.index("<h1>")]
        assert '<p class="warning">superseded: ' in head
        assert 'href="index.html"' in head
    others = [p for p in site.glob("evaluations/*/report.html") if p.with_name("index.html") not in pages]
    assert not [p for p in others if "superseded" in p.read_text()]


def test_records_are_handed_on_byte_for_byte(site: Path, results: Path) -> None:
    wanted = sorted(p.read_bytes() for p in results.rglob("record.json") if "broken" not in p.parts)
    assert sorted(p.read_bytes() for p in site.glob("evaluations/*/record.json")) == wanted


def test_a_models_page_shows_its_card_and_its_history(site: Path) -> None:
    page = next(site.glob("models/dlib-*.html")).read_text()
    for text in ("e" * 64, "FaceScrub", "CC0-1.0", "resnet-v2", "2026-03-01"):
        assert text in page
    assert page.count('role="img"') >= 2
    alt = re.findall(r'aria-label="(False matches by group, evaluation[^"]*)"', page)[0]
    assert "2026-03-01, resnet-v1" in alt
    assert "16 of 4,704" in alt
    assert '<table id="table-rates-data-1">' in page


def test_a_benchmarks_page_shows_consent_labels_and_group_sizes(site: Path) -> None:
    page = next(site.glob("benchmarks/london-*.html")).read_text()
    assert "not documented who assigned it" in page
    assert "People by group" in page
    assert re.search(r"fewer|&lt; 2", page)


def test_the_catalogue_gives_refusals_with_reasons(site: Path) -> None:
    page = (site / "catalogue.html").read_text()
    assert "Labeled &lt;b&gt;Faces" in page
    assert "Refused: nobody was asked." in page
    assert "Take london." in page


def test_the_feed_is_atom_with_full_links_newest_first(site: Path, results: Path, tmp_path: Path) -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    root = ET.fromstring((site / "feed.xml").read_bytes())  # noqa: S314 - our own file
    assert root.tag == f"{atom}feed"
    assert all(root.find(f"{atom}{name}") is not None for name in ("id", "title", "updated", "author"))
    entries = root.findall(f"{atom}entry")
    assert len(entries) == 8
    moments = [e.findtext(f"{atom}updated") or "" for e in entries]
    assert moments == sorted(moments, reverse=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", m) for m in moments)
    assert len({e.findtext(f"{atom}id") for e in entries}) == 8
    for e in entries:
        link = e.find(f"{atom}link")
        assert link is not None
        address = link.get("href") or ""
        assert address.startswith("https://example.org/audits/evaluations/")
        assert (site / address.removeprefix("https://example.org/audits/")).is_file()
    named = ET.fromstring((site / "sitemap.xml").read_bytes())  # noqa: S314
    places = [e.text or "" for e in named.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert all((site / p.removeprefix("https://example.org/audits/")).is_file() for p in places)
    assert not [p for p in places if "404" in p]


def test_without_an_address_links_are_relative_and_a_note_says_so(few: Path, tmp_path: Path) -> None:
    publish(few, tmp_path / "site")
    made = files(tmp_path / "site")
    assert "sitemap.xml" not in made
    assert b'href="evaluations/' in made["feed.xml"]
    assert b"http://" not in made["feed.xml"].replace(b"http://www.w3.org/2005/Atom", b"")
    assert "its links are relative" in made["index.html"].decode()


def test_a_second_publication_changes_nothing(results: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written, and what would come out the same is neither filled in nor drawn."""

    def drawn(*_: object) -> None:
        raise AssertionError("a page was filled in again")

    monkeypatch.setattr(html, "environment", drawn)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in site.rglob("*") if p.is_file()}
    again = publish(results, site, catalogue=[ENTRY], base_url="https://example.org/audits")
    assert again.written == ()
    assert again.removed == ()
    assert again.drawn == 0
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in site.rglob("*") if p.is_file()} == before


def test_a_page_that_somebody_changed_is_made_again(few: Path, tmp_path: Path) -> None:
    """Its mark still says what it was made of; the list of files says that it is no longer that."""
    publish(few, tmp_path / "site")
    index = tmp_path / "site" / "index.html"
    made = index.read_text()
    index.write_text(made.replace("second", "another"))
    assert publish(few, tmp_path / "site").written == ("index.html",)
    assert index.read_text() == made


def test_the_same_results_elsewhere_give_the_same_bytes(few: Path, tmp_path: Path) -> None:
    publish(few, tmp_path / "a")
    other = tmp_path / "elsewhere" / "results"
    for place in ("two", "one"):
        given.put(other, place, given.small(model={"name": "second"} if place == "two" else {}))
    publish(other, tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_a_new_evaluation_leaves_the_pages_of_the_others_alone(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish(few, out)
    before = files(out)
    given.put(few, "three", given.small(model={"name": "third"}))
    done = publish(few, out)
    assert not [n for n in done.written if n in before and n.startswith(("evaluations/", "method/", "benchmarks/u"))]
    assert done.drawn == 1


def test_what_is_gone_from_the_results_leaves_the_site_and_what_others_put_there_stays(
    few: Path, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    publish(few, out)
    (out / "CNAME").write_text("audits.example.org")
    second = next(out.glob("models/second-*.html"))
    second.write_text("changed by hand")
    for file in (few / "two").iterdir():
        file.unlink()
    done = publish(few, out)
    assert (out / "CNAME").read_text() == "audits.example.org"
    assert second.read_text() == "changed by hand"
    assert len(done.removed) == 3
    assert len(list(out.glob("evaluations/*"))) == 1


def test_a_folder_of_somebody_else_is_refused(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(DataError, match="not empty and not a site of faceaudit") as caught:
        publish(few, out)
    assert "\n" not in str(caught.value)
    assert files(out) == {"thesis.tex": b"years of work"}
    (out / MANIFEST).write_text(json.dumps({"schema": "faceaudit/site-1", "state": "complete", "files": {"../x": "0"}}))
    with pytest.raises(DataError, match="not a site"):
        publish(few, out)
    with pytest.raises(DataError, match=r"not a site|cannot be"):
        publish(few, out / "thesis.tex")


def test_a_file_in_the_way_is_not_written_over(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish(few, out)
    manifest = json.loads((out / MANIFEST).read_text())
    del manifest["files"]["history.html"]
    (out / MANIFEST).write_text(json.dumps(manifest))
    (out / "history.html").write_text("mine")
    with pytest.raises(DataError, match="in the way"):
        publish(few, out)
    assert (out / "history.html").read_text() == "mine"


def test_a_publication_that_was_cut_off_is_finished_by_the_next(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"

    def cut(done: int, _: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(few, out, progress=cut)
    assert json.loads((out / MANIFEST).read_text())["state"] == "building"
    publish(few, out)
    publish(few, tmp_path / "straight")
    assert files(out) == files(tmp_path / "straight")
    assert not [p for p in out.rglob(".*") if p.is_file()]


def test_a_link_out_of_the_site_is_not_followed(few: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "site", tmp_path / "other"
    publish(few, out)
    other.mkdir()
    for file in (out / "models").iterdir():
        file.unlink()
    (out / "models").rmdir()
    (out / "models").symlink_to(other, target_is_directory=True)
    with pytest.raises(DataError, match="leads out of the site"):
        publish(few, out)
    assert not list(other.iterdir())


def test_hostile_names_have_plain_distinct_files(tmp_path: Path) -> None:
    for k, name in enumerate(given.HOSTILE_NAMES):
        given.put(tmp_path / "results", f"r{k}", given.small(model={"name": name, "revision": name}))
    done = publish(tmp_path / "results", tmp_path / "site")
    assert done.evaluations == len(given.HOSTILE_NAMES)
    names = list(files(tmp_path / "site"))
    assert all(re.fullmatch(r"[a-zA-Z0-9._/-]+", n) and ".." not in n for n in names)
    assert all(len(part) < 80 for n in names for part in n.split("/"))
    assert len({n.lower() for n in names}) == len(names)
    assert sum(n.startswith("models/") for n in names) == 1 + len(given.HOSTILE_NAMES)
    for name, data in files(tmp_path / "site").items():
        if name.endswith(".html"):
            text = data.decode()
            assert "<img" not in text.replace(f'<img src="{PICTURE}', "")
            assert "\u202e" not in text
            assert "49" not in re.findall(r"<h1>.*?</h1>", text)[0]
            assert name.endswith("report.html") or len(re.findall(r"<h1>.*?</h1>", text)[0]) < 300
            assert "x" * 6001 not in text
            assert not OVERCLAIMS.search(text)
    ET.fromstring((tmp_path / "site" / "feed.xml").read_bytes())  # noqa: S314


def test_a_report_beside_its_record_is_copied_if_it_is_still_true(tmp_path: Path) -> None:
    record = given.small()
    folder = given.put(tmp_path / "results", "one", record)
    render(record, folder)
    assert publish(tmp_path / "results", tmp_path / "site").drawn == 0
    copied = next((tmp_path / "site").glob("evaluations/*/report.html")).read_text()
    own = (folder / "report.html").read_text()
    assert re.sub(r'<div id="on-this-site">.*?</div>\n', "", copied, flags=re.DOTALL) == own


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</body>", "<script>alert(1)</script></body>"),
        ("</body>", '<meta http-equiv="refresh" content="0;url=https://example.org"></body>'),
        ("</body>", "This model is unbiased.</body>"),
        ("default-src", "x-src"),
        ('name="faceaudit-report" content="', 'name="faceaudit-report" content="0'),
    ],
)
def test_a_report_that_is_not_ours_is_drawn_again(tmp_path: Path, old: str, new: str) -> None:
    record = given.small()
    folder = given.put(tmp_path / "results", "one", record)
    (path,) = render(record, folder)
    path.write_text(path.read_text().replace(old, new, 1))
    assert publish(tmp_path / "results", tmp_path / "site").drawn == 1
    shown = next((tmp_path / "site").glob("evaluations/*/report.html")).read_text()
    assert "alert(1)" not in shown
    assert "refresh" not in shown
    assert "unbiased" not in shown


def test_the_stamp_follows_the_record() -> None:
    record = given.small()
    data = dumps(record).encode()
    page = html.page(make(record), stamp.stamp(data))
    policy = html.source_hash(html.style())
    assert stamp.is_made_here(page, policy, stamp.stamp(data))
    assert not stamp.is_made_here(page, policy, stamp.stamp(data + b" "))
    assert hashlib.sha256(data).hexdigest()[:32] in page


def test_nothing_readable_is_no_site(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        publish(tmp_path / "nowhere", tmp_path / "site")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "record.json").write_text("{}")
    with pytest.raises(NothingMeasured, match="1 found"):
        publish(tmp_path / "results", tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_records_that_fit_the_schema_and_make_no_sense_are_named(few: Path, tmp_path: Path) -> None:
    given.put(few, "timeless", given.small(created="yesterday <b>"))
    done = publish(few, tmp_path / "site")
    assert [(u.place, u.reason) for u in done.unreadable] == [("timeless", "cannot be shown (ValueError)")]


@pytest.mark.parametrize("name", ["distributions", "covariance", "acquisition"])
def test_a_fault_in_a_part_that_only_the_report_shows_is_found(few: Path, tmp_path: Path, name: str) -> None:
    """Without a true report beside it, a record is validated as a whole."""
    said = json.loads(dumps(given.small(model={"name": "faulty"})))
    said[name] = [{"nonsense": "s3cret-value"}]
    (few / "faulty").mkdir()
    (few / "faulty" / "record.json").write_text(json.dumps(said))
    (few / "faulty" / "report.html").write_text("<p>of something else</p>")
    done = publish(few, tmp_path / "site")
    assert [(u.place, u.reason) for u in done.unreadable] == [("faulty", "is no record that this version reads")]
    assert "s3cret" not in (tmp_path / "site" / "index.html").read_text()


@pytest.mark.parametrize("marker", ["", "[]", '{"on": 1}', '{"on": "2026-01-01"'])
def test_a_marker_that_cannot_be_read_marks_all_the_same(few: Path, tmp_path: Path, marker: str) -> None:
    (few / "one" / "superseded.json").write_text(marker)
    done = publish(few, tmp_path / "site")
    assert [u.place for u in done.unreadable] == ["one/superseded.json"]
    assert "the reason is not given" in (tmp_path / "site" / "index.html").read_text()


@pytest.mark.parametrize("address", ["example.org", "ftp://example.org", "https://", "https://a.org/?x=1", "file:///x"])
def test_an_address_must_be_one(few: Path, tmp_path: Path, address: str) -> None:
    with pytest.raises(PlanError, match="--base-url"):
        publish(few, tmp_path / "site", base_url=address)


def test_the_seal_is_what_the_caller_finds(few: Path, tmp_path: Path) -> None:
    publish(few, tmp_path / "site", seal=lambda folder: "signed" if folder.name == "one" else "broken")
    index = (tmp_path / "site" / "index.html").read_text()
    assert "<small>signed</small>" in index
    assert "seal broken" in index
    assert "unsigned" not in index


def test_method_pages_keep_links_among_themselves_and_lose_those_that_lead_nowhere() -> None:
    pages = method.render({
        "one": "# One\n\n[two](two.md#a-part) [code](../audit/x.py) [web](https://example.org) ![pic](p.png)\n\n"
        "![shown](pictures/s.png) ![other](https://example.org/s.png) "
        "<script>alert(1)</script> [bad](javascript:alert(1))\n\n| a | b |\n|--:|---|\n| 1 | 2 |\n",
        "two": "# Two\n\n## A part\n\n## A part\n",
    }, {"pictures/s.png": b"png"})  # fmt: skip
    one, two = (str(p.body) for p in pages)
    assert '<a href="two.html#a-part">two</a> code <a href="https://example.org">web</a> pic' in one
    assert '<img src="data:image/png;base64,cG5n" alt="shown" /> other ' in one
    assert "<script" not in one
    assert 'href="javascript' not in one
    assert '<td class="right">1</td>' in one
    assert [p.title for p in pages] == ["One", "Two"]
    assert 'id="a-part"' in two
    assert 'id="a-part-1"' in two


def test_pictures_of_the_guides_are_part_of_their_pages(site: Path) -> None:
    page = (site / "method" / "reviewers.html").read_text(encoding="utf-8")
    assert page.count(f'<img src="{PICTURE}iVBOR') == 3


def test_every_document_is_a_method_page() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    assert set(method.shipped()) == {p.stem for p in docs.glob("*.md")} - {"README"}


def test_a_counterfactual_evaluation_is_told_from_the_plain_one_beside_it(tmp_path: Path) -> None:
    """Same model, same benchmark, same people: the title and the row say which one changed a thing."""
    plan = {**given.small().plan, "task": "counterfactual"}
    given.put(tmp_path / "results", "plain", given.small())
    given.put(tmp_path / "results", "changed", given.small(plan=plan))
    publish(tmp_path / "results", tmp_path / "site")
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    history = (tmp_path / "site" / "history.html").read_text(encoding="utf-8")
    assert index.count("Also the same face with one thing changed.") == 1
    assert history.count(": the same face with one thing changed</a>") == 1
