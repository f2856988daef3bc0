"""The report in a browser: at phone, tablet and desktop width, light and dark, without script, by keyboard, printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import overclaims
import pytest
from axe_playwright_python.sync_playwright import Axe
from london_run import Run
from looks import LOOKS, RULES, SHOWN, WHOLE, WIDTHS, show
from playwright.sync_api import Browser, Page, Route

from audit import record as records

pytestmark = pytest.mark.browser

NAMES = ("london_like", "beside", "hostile", "crossing", "empty")


class Visit:
    """A page with what it complained about and what it asked for."""

    def __init__(self, page: Page, place: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/*", self._answer)
        page.goto(place.as_uri())

    def _answer(self, route: Route) -> None:
        url = route.request.url
        if url.startswith("file:"):
            route.continue_()
            return
        self.requests.append(url)
        route.abort()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Literal["light", "dark"]:
    return request.param


@pytest.fixture(params=list(WIDTHS))
def visit(
    request: pytest.FixtureRequest, scheme: Literal["light", "dark"], browser: Browser, reports: dict[str, Path]
) -> Iterator[Visit]:
    size = {"width": request.param, "height": WIDTHS[request.param]}
    context = browser.new_context(viewport=size, color_scheme=scheme)
    yield Visit(context.new_page(), reports["london_like"])
    context.close()


def opened(browser: Browser, place: Path, width: int, *, javascript: bool = True, scheme: str = "light") -> Visit:
    context = browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        java_script_enabled=javascript,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    return Visit(context.new_page(), place)


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")


def test_the_page_is_quiet_and_fits_its_screen(visit: Visit, scheme: str, screenshots: Path) -> None:
    page = visit.page
    size = page.viewport_size
    assert size is not None
    page.screenshot(path=screenshots / f"report-{size['width']}-{scheme}-first.png")
    if (size["width"], scheme) in WHOLE:
        page.screenshot(path=screenshots / f"report-{size['width']}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    unfold(page)
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert visit.complaints == []
    assert visit.requests == []


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("london_like", 390, "light"),
        ("london_like", 1440, "light"),
        ("london_like", 1440, "dark"),
        ("beside", 390, "light"),
        ("beside", 1440, "dark"),
        ("hostile", 390, "dark"),
        ("crossing", 768, "light"),
        ("empty", 390, "light"),
    ],
)
def test_axe_finds_no_violation(name: str, width: int, scheme: str, browser: Browser, reports: dict[str, Path]) -> None:
    visit = opened(browser, reports[name], width, scheme=scheme)
    unfold(visit.page)
    found = Axe().run(visit.page, options=RULES).response
    assert [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found["violations"]] == []
    assert found["passes"]
    visit.page.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_hostile_and_empty_pages_fit_a_phone(
    name: str, browser: Browser, reports: dict[str, Path], screenshots: Path
) -> None:
    visit = opened(browser, reports[name], 390)
    unfold(visit.page)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    visit.page.screenshot(path=screenshots / f"report-{name}-390.png", full_page=True)
    assert visit.complaints == []
    assert visit.requests == []
    visit.page.context.close()


def test_it_reads_without_javascript(browser: Browser, reports: dict[str, Path]) -> None:
    visit = opened(browser, reports["london_like"], 390, javascript=False)
    page = visit.page
    assert page.locator("h1").inner_text() == "dlib on Face Research Lab London Set"
    term = page.locator("details.term").first
    assert not term.locator("p").is_visible()
    term.locator("summary").click()
    assert term.locator("p").is_visible()
    assert page.locator("svg[role=img]:visible").count() >= 4
    page.context.close()


def test_explanations_and_tables_are_reachable_by_keyboard(browser: Browser, reports: dict[str, Path]) -> None:
    visit = opened(browser, reports["london_like"], 1440)
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    reached: set[str] = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        kind = page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className")
        if kind == "SUMMARY." and "SUMMARY." not in reached:
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.parentElement.open")
        reached.add(kind)
    assert {"A.", "SUMMARY.", "DIV.scroll"} <= reached
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.context.close()


def test_everything_that_opens_or_scrolls_takes_the_focus(browser: Browser, reports: dict[str, Path]) -> None:
    """With Tab alone, in the order of the page: every link, every explanation, every table and picture that scrolls."""
    visit = opened(browser, reports["beside"], 1440)
    page = visit.page
    wanted = page.evaluate(
        """() => { const found = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')]
        .filter(e => e.checkVisibility()); found.forEach((e, k) => e.dataset.k = k); return found.length }"""
    )
    reached = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("Number(document.activeElement.dataset.k)"))
    assert wanted > 40
    assert reached == list(range(wanted))
    page.context.close()


@pytest.mark.parametrize("name", ["london_like", "beside", "crossing"])
def test_the_first_page_is_one_sheet_of_paper(browser: Browser, reports: dict[str, Path], name: str) -> None:
    """A4 less the margins of the style sheet, at 96 pixels an inch: headline, answers and verdicts all stand on it."""
    context = browser.new_context(viewport={"width": round((210 - 28) / 25.4 * 96), "height": 1100})
    page = context.new_page()
    page.goto(reports[name].as_uri())
    page.emulate_media(media="print")
    assert page.locator("#table-verdicts tbody tr").count() == 3
    last = page.locator(".verdicts .note").bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= (297 - 32) / 25.4 * 96
    context.close()


def test_a_large_report_opens_and_scrolls_like_a_small_one(
    browser: Browser, reports: dict[str, Path], screenshots: Path
) -> None:
    """Time between frames while the page runs by: that of the large one is no more than a few of the small one's."""
    scroll = """async () => { const gaps = []; let last = performance.now(); const high = document.body.scrollHeight;
        for (let k = 0; k < 60; k++) { window.scrollTo(0, high * k / 60); await new Promise(requestAnimationFrame);
        const now = performance.now(); gaps.push(now - last); last = now } return gaps.sort((a, b) => a - b)[30] }"""
    median = {}
    for name in ("london_like", "large"):
        visit = opened(browser, reports[name], 1440)
        median[name] = visit.page.evaluate(scroll)
        assert visit.complaints == []
        assert visit.requests == []
        visit.page.context.close()
    assert median["large"] <= 4 * max(median["london_like"], 16.0)
    phone = opened(browser, reports["large"], 390)
    phone.page.screenshot(path=screenshots / "report-large-390-first.png")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.page.context.close()


def test_the_first_screen_answers_the_reviewer(browser: Browser, reports: dict[str, Path]) -> None:
    visit = opened(browser, reports["london_like"], 1440)
    page = visit.page
    for question in ("Which groups", "How large", "How sure", "How many people", "What is unknown", "May I rely"):
        box = page.get_by_role("heading", name=question).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 900, question
    assert (page.locator(".headline").bounding_box() or {"y": 9_999})["y"] < 250
    page.context.close()


def test_phone_and_desktop_each_see_one_drawing(browser: Browser, reports: dict[str, Path]) -> None:
    for width, shown, hidden in ((390, ".narrow", ".wide"), (1440, ".wide", ".narrow")):
        visit = opened(browser, reports["london_like"], width)
        assert visit.page.locator(f"#figure-fmr {shown} svg").is_visible()
        assert not visit.page.locator(f"#figure-fmr {hidden} svg").is_visible()
        visit.page.context.close()


def test_dark_pictures_are_readable(browser: Browser, reports: dict[str, Path]) -> None:
    visit = opened(browser, reports["london_like"], 1440, scheme="dark")
    texts = visit.page.locator("#figure-fmr .wide svg text")
    fills = {texts.nth(i).evaluate("e => getComputedStyle(e).fill") for i in range(texts.count())}
    assert fills <= {"rgb(233, 235, 238)", "rgb(173, 180, 190)"}
    visit.page.context.close()


def test_it_prints(browser: Browser, reports: dict[str, Path], screenshots: Path) -> None:
    visit = opened(browser, reports["london_like"], 1440)
    unfold(visit.page)
    data = visit.page.pdf(path=screenshots / "report-print.pdf", format="A4")
    assert data.startswith(b"%PDF")
    assert visit.complaints == []
    visit.page.context.close()


def looked_at(visit: Visit, screenshots: Path, name: str, *, axe: tuple[int, str]) -> None:
    """A report at three widths, light and dark: pictures as it opens, then all of it open; axe at one of them."""
    page = visit.page
    for width, look in LOOKS:
        show(page, width, look)
        page.screenshot(path=screenshots / f"{name}-{width}-{look}-first.png")
        if (width, look) in WHOLE:
            page.screenshot(path=screenshots / f"{name}-{width}-{look}.png", full_page=True)
    unfold(page)
    for width, look in SHOWN:
        show(page, width, look)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    show(page, *axe)
    assert Axe().run(page, options=RULES).response["violations"] == []
    assert visit.complaints == []
    assert visit.requests == []


def says_no_more_than_its_verdicts(one: dict[str, Any]) -> None:
    verdicts = overclaims.verdicts_of(records.read(Path(one["record"])))
    assert overclaims.found(Path(one["report"]).read_text(encoding="utf-8"), verdicts) == []


@pytest.mark.london
def test_the_real_reports_of_the_london_set(
    browser: Browser, london_results: tuple[Path, Run], screenshots: Path
) -> None:
    """What the first audit wrote, opened as a reviewer does; the pictures are kept."""
    for one, axe in zip(london_results[1].evaluations, LOOKS, strict=False):
        visit = opened(browser, Path(one["report"]), 1440)
        says_no_more_than_its_verdicts(one)
        assert "Face Research Lab London Set" in visit.page.title() + visit.page.inner_text("h1")
        assert "10 of 40" in visit.page.inner_text("main") or one["model"] != "dlib"
        looked_at(visit, screenshots, f"real-{one['model']}", axe=axe)
        visit.page.context.close()


def test_the_reports_of_the_rendered_people(
    browser: Browser, bundled: tuple[Path, Run, Run], screenshots: Path
) -> None:
    """What `faceaudit run` without arguments and the counterfactual task wrote."""
    for name, run, axe in zip(("bundled", "counterfactual"), bundled[1:], LOOKS[1:], strict=True):
        visit = opened(browser, Path(run.evaluations[0]["report"]), 1440)
        page = visit.page
        says_no_more_than_its_verdicts(run.evaluations[0])
        warning = page.get_by_text("These are not real people").first
        box, title = warning.bounding_box(), page.locator("h1").bounding_box()
        assert box is not None
        assert title is not None
        assert box["y"] < title["y"]
        if name == "counterfactual":
            assert page.locator(".answer h3").first.inner_text() == "What moves when one thing is changed?"
            page.locator("#series").screenshot(path=screenshots / f"{name}-series.png")
            assert page.locator("#figure-series-score").is_visible()
        looked_at(visit, screenshots, name, axe=axe)
        page.context.close()


def test_the_contents_give_way_to_the_answers_below_desktop_width(browser: Browser, reports: dict[str, Path]) -> None:
    visit = opened(browser, reports["london_like"], 768)
    assert (visit.page.locator(".headline").bounding_box() or {"y": 9_999})["y"] < 250
    show(visit.page, 1440, "light")
    assert visit.page.get_by_role("link", name="In short").is_visible()
    visit.page.context.close()
