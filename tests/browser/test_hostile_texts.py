"""Every text of a record attacks every page that shows it. Nothing runs, loads or leads elsewhere.

The policy of a page and the escaping of what stands in it are two walls, so each is tried without the other: the same
pages with their policy taken out, and a page with the policy and a script in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import hostile_texts
import pytest
import site_results
from playwright.sync_api import Browser, Page, Route

from audit.cli.publish import gated_catalogue
from audit.evaluation import Evaluation
from audit.report.site import publish

pytestmark = pytest.mark.browser
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n')
KINDS = {"beside": 0, "failing": 8, "crossing": 16}
"""Records, and which attack the first text of each gets."""
WATCH = "window.hits = []; window.hit = () => { window.hits.push(1) };"
TOUCH = """() => {
  document.querySelectorAll('details').forEach(d => { d.open = true });
  for (const e of document.querySelectorAll('*'))
    for (const kind of ['mouseover', 'focus', 'toggle', 'error', 'load'])
      e.dispatchEvent(new Event(kind));
}"""
FOUND = """() => [...document.querySelectorAll('*')].flatMap(e => [
  ...['script:not([src="filter.js"]):not([src="../filter.js"])', 'iframe', 'object', 'embed', 'base', 'form[action]',
      'template', 'meta[http-equiv]:not([http-equiv="Content-Security-Policy"])', 'img:not([src^="data:image/png"])',
      'link[rel~=stylesheet]']
    .filter(s => e.matches(s)).map(s => s + ' ' + e.outerHTML.slice(0, 120)),
  ...[...e.attributes].filter(a =>
      /^on/i.test(a.name) || /^\\s*javascript:/i.test(a.value) && /href|src|action/i.test(a.name))
    .map(a => a.name + '=' + a.value.slice(0, 80)),
])"""


WRITTEN_IN = (
    "<script>hit()</script><img src=x onerror=hit()><iframe src=//evil.example></iframe><base href=//evil.example>"
)


class Policies(HTMLParser):
    """The policies of a page, and what stands before the first of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.before: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "meta" and (said.get("http-equiv") or "").lower() == "content-security-policy":
            self.found.append(said["content"] or "")
        elif not self.found:
            self.before.append(tag)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pages: a site of attacked records, with their reports, and a notebook's view of one."""
    folder = tmp_path_factory.mktemp("hostile")
    builder = site_results.builder()
    for name, turn in KINDS.items():
        record, places = hostile_texts.attacked(getattr(builder, name)(), turn)
        assert len(places) >= 70
        site_results.put(folder / "results", name, record)
    shown = Evaluation(record, folder)._repr_html_()
    (folder / "notebook.html").write_text(f'<!doctype html><meta charset="utf-8">{shown}', encoding="utf-8")
    publish(folder / "results", folder / "site", catalogue=gated_catalogue(), base_url="https://example.org/")
    return folder


def pages(hostile: Path) -> list[Path]:
    """Every page but those of the documents and the catalogue, in which nothing of a record stands."""
    found = [p for p in sorted(hostile.rglob("*.html")) if not {"results", "method"} & set(p.parts)]
    return [p for p in found if p.name not in {"catalogue.html", "404.html"}]


@contextmanager
def watched(browser: Browser, place: Path) -> Iterator[tuple[Page, list[str], list[str]]]:
    """A page on which calls of `hit` are counted, with what it complained of and what it asked for."""
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.route("**/*", answer)
    page.goto(place.as_uri())
    yield page, complaints, asked
    context.close()


def test_the_watch_sees_each_attack_where_nothing_holds_it_back(browser: Browser, tmp_path: Path) -> None:
    """Or the tests below would show nothing."""
    shown = tmp_path / "plain.html"
    for payload in ("<img src=x onerror=hit()>", "<script>hit()</script>", '<i onmouseover="hit()">x</i>'):
        shown.write_text(f"<!doctype html><body>{payload}</body>")
        with watched(browser, shown) as (page, _, _):
            page.evaluate(TOUCH)
            page.wait_for_timeout(50)
            assert page.evaluate("window.hits.length") >= 1, payload
            assert page.evaluate(FOUND) != []
    shown.write_text(
        '<!doctype html><body><a href="javascript:hit()">x</a><iframe src="//evil.example"></iframe></body>'
    )
    with watched(browser, shown) as (page, _, _):
        assert len(page.evaluate(FOUND)) == 2


def test_with_its_policy_no_page_runs_loads_or_complains(browser: Browser, hostile: Path) -> None:
    places = pages(hostile)
    assert len(places) >= 13
    for place in places:
        with watched(browser, place) as (page, complaints, asked):
            page.evaluate(TOUCH)
            assert page.evaluate("window.hits.length") == 0, place
            assert page.evaluate(FOUND) == [], place
            assert (complaints, asked) == ([], []), place
            assert page.url == place.as_uri()


def test_without_its_policy_the_escaping_alone_holds(browser: Browser, hostile: Path) -> None:
    for place in pages(hostile):
        text = place.read_text(encoding="utf-8")
        bare, taken = POLICY.subn("", text)
        assert taken == (place.name != "notebook.html")
        other = place.with_name(f"bare-{place.name}.htm")
        other.write_text(bare, encoding="utf-8")
        with watched(browser, other) as (page, complaints, asked):
            page.evaluate(TOUCH)
            page.wait_for_timeout(20)
            assert page.evaluate("window.hits.length") == 0, place
            assert page.evaluate(FOUND) == [], place
            assert (complaints, asked) == ([], []), place
        other.unlink()


def test_the_attacks_stand_on_the_pages_as_text(browser: Browser, hostile: Path) -> None:
    """What did not run was there to be read."""
    for place in sorted(hostile.glob("site/evaluations/*/report.html")):
        with watched(browser, place) as (page, _, _):
            page.evaluate(TOUCH)
            said = page.locator("body").inner_text()
            assert said.count("hit()") >= 100
            shown = [p for p in hostile_texts.PAYLOADS if re.sub(r"\s+", "", p) in re.sub(r"\s+", "", said)]
            assert len(shown) >= 18, set(hostile_texts.PAYLOADS) - set(shown)


def test_without_its_escaping_the_policy_alone_holds(browser: Browser, hostile: Path, tmp_path: Path) -> None:
    """A script, a handler and a frame are written into one page of each kind, under its own policy."""
    for k, place in enumerate((min(hostile.glob("site/evaluations/*/report.html")), hostile / "site" / "index.html")):
        text = place.read_text(encoding="utf-8")
        shown = tmp_path / f"{k}.html"
        shown.write_text(text.replace("</body>", WRITTEN_IN + "</body>"), encoding="utf-8")
        with watched(browser, shown) as (page, complaints, asked):
            page.evaluate(TOUCH)
            page.wait_for_timeout(50)
            assert page.evaluate("window.hits.length") == 0
            assert page.evaluate("document.baseURI") == shown.as_uri()
            assert not [url for url in asked if "evil" in url]
            assert any("Content Security Policy" in said for said in complaints)


def test_every_page_has_one_strict_policy_before_anything_that_it_governs(hostile: Path) -> None:
    """Method pages, the catalogue and the page for wrong addresses too."""
    places = list((hostile / "site").rglob("*.html"))
    assert len(places) >= 45
    for place in places:
        found = Policies(place.read_text(encoding="utf-8"))
        assert len(found.found) == 1, place
        assert set(found.before) <= {"html", "head", "meta"}, place
        parts = dict(part.strip().split(" ", 1) for part in found.found[0].split(";"))
        style = parts.pop("style-src")
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]+'( 'sha256-[A-Za-z0-9+/=]+')*", style), place
        script = parts.pop("script-src", "'none'")
        report = place.name == "report.html" and place.parent.name != "method"
        assert script == ("'none'" if report else "'self'"), place
        assert parts == {
            "default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'",
        }, place  # fmt: skip
