"""The comparison in a browser: three widths, light and dark, quiet, accessible, printable."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from looks import LOOKS, RULES, SHOWN, WHOLE, show
from playwright.sync_api import Browser
from policy_records import made_record

from audit.report import render_comparison
from audit.side_by_side import compare

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_of_three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three audits of the same people, with a picture of accuracy against disparity."""
    root = tmp_path_factory.mktemp("comparison")
    shifts = [{"a": 0.0, "b": b, "c": c} for b, c in ((0.05, 0.6), (0.05, 0.4), (0.3, 0.6))]
    records = [
        made_record(root / str(k), root / "cache", seed=k, people=70, shift=shift)[1]
        for k, shift in enumerate(shifts, start=1)
    ]
    return render_comparison(compare(records, root / "cache"), root / "out")[1]


def test_it_is_quiet_fits_and_axe_finds_no_violation(browser: Browser, page_of_three: Path, screenshots: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_of_three.as_uri())
    for width, scheme in SHOWN:
        show(page, width, scheme)
        if (width, scheme) in LOOKS:
            whole = (width, scheme) in WHOLE
            page.screenshot(path=screenshots / f"comparison-{width}-{scheme}.png", full_page=whole)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    for width, scheme in SHOWN:
        show(page, width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#figure-front-0 svg:visible").count() == 1
        if (width, scheme) in LOOKS:
            found = Axe().run(page, options=RULES).response
            assert [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found["violations"]] == []
            assert found["passes"]
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()
