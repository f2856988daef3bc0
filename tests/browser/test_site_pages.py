"""The site in a browser, from its folder: every page at three widths, light and dark; keyboard, print, no script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from looks import LOOKS, RULES, SHOWN, WHOLE, WIDTHS, show
from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

PAGES = {
    "index": "index.html", "models": "models/index.html", "model": "models/dlib-*.html",
    "hostile": "models/claim-withheld-*.html", "benchmarks": "benchmarks/index.html",
    "benchmark": "benchmarks/london-*.html", "history": "history.html", "catalogue": "catalogue.html",
    "methods": "method/index.html", "method": "method/statistics.html", "missing": "404.html",
    "evaluation": "evaluations/london-marked-*/index.html", "report": "evaluations/london-marked-*/report.html",
}  # fmt: skip
LONG = {"catalogue", "method"}
"""Long pages: axe at one width, pictures of what is seen first."""


@contextmanager
def opened(
    browser: Browser, place: Path, width: int, *, scheme: str = "light", javascript: bool = True
) -> Iterator[Page]:
    """A page; at the end it has complained of nothing and asked for nothing outside its folder."""
    context = browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=javascript,
    )
    page, complaints, requests = context.new_page(), [], []

    def answer(route: Route) -> None:
        if not route.request.url.startswith("file:"):
            requests.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route("**/*", answer)
    page.goto(place.as_uri())
    yield page
    assert complaints == []
    assert requests == []
    context.close()


def find(site: Path, name: str) -> Path:
    (place,) = site.glob(PAGES[name])
    return place


@pytest.mark.parametrize("name", PAGES)
def test_pages_fit_and_axe_finds_no_violation(browser: Browser, published: Path, screenshots: Path, name: str) -> None:
    """At every width, light and dark, without loading the page again."""
    with opened(browser, find(published, name), 1440) as page:
        for width, scheme in LOOKS:
            show(page, width, scheme)
            whole = name not in LONG and (width, scheme) in WHOLE
            page.screenshot(path=screenshots / f"site-{name}-{width}-{scheme}.png", full_page=whole)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        for width, scheme in SHOWN:
            show(page, width, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if (width, scheme) in LOOKS and (name not in LONG or width == 768):
                found = Axe().run(page, options=RULES).response
                assert [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found["violations"]] == []
                assert found["passes"]


def test_filters_and_sorting_of_the_index(browser: Browser, published: Path) -> None:
    with opened(browser, find(published, "index"), 1440) as page:
        rows = page.locator("#evaluations tbody tr")
        assert rows.count() == 8
        assert page.locator("#filters output").inner_text() == "8 of 8 shown"
        page.get_by_label("Status").select_option("superseded")
        assert page.locator("#evaluations tbody tr:visible").count() == 2
        page.get_by_label("Search models and benchmarks").fill("MARKED")
        assert page.locator("#evaluations tbody tr:visible").count() == 1
        page.get_by_role("button", name="Show all").click()
        assert page.locator("#evaluations tbody tr:visible").count() == 8
        page.get_by_role("button", name="Date").click()
        days = page.locator("#evaluations time").all_inner_texts()
        assert days == sorted(days)
        assert page.locator("th[data-key=day]").get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Enter")
        assert page.locator("#evaluations time").all_inner_texts() == days[::-1]
        page.get_by_role("button", name="People").click()
        assert page.locator("th[data-key=day]").get_attribute("aria-sort") is None


def test_everything_is_readable_and_linked_without_a_script(browser: Browser, published: Path) -> None:
    with opened(browser, find(published, "index"), 390, javascript=False) as page:
        assert page.locator("#evaluations tbody tr:visible").count() == 8
        assert not page.locator("#filters").is_visible()
        page.get_by_role("link", name="Models").click()
        page.get_by_role("link", name="old net").click()
        assert page.locator("h1").inner_text() == "old net"
        page.locator("#evaluations a").first.click()
        page.get_by_role("link", name="Read the report").click()
        assert "old net" in page.locator("h1").inner_text()
        page.get_by_role("link", name="About this evaluation").click()
        assert page.get_by_role("link", name="Download record.json").is_visible()


def test_everything_is_reached_by_keyboard(browser: Browser, published: Path) -> None:
    with opened(browser, find(published, "index"), 1440) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        reached = set()
        for _ in range(30):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.tagName"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        assert {"A", "INPUT", "SELECT", "BUTTON"} <= reached


@pytest.mark.parametrize("name", ["index", "model", "benchmark", "catalogue"])
def test_it_prints(browser: Browser, published: Path, screenshots: Path, name: str) -> None:
    with opened(browser, find(published, name), 1440) as page:
        data = page.pdf(path=screenshots / f"site-{name}-print.pdf", format="A4")
        assert data.startswith(b"%PDF")
        page.emulate_media(media="print")
        assert not page.locator("nav").is_visible()
