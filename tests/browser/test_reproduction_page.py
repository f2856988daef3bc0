"""The page of a reproduction in a browser: three widths, light and dark, quiet, accessible."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from looks import LOOKS, RULES, SHOWN, WHOLE, show
from playwright.sync_api import Browser

from audit import record as records
from audit.record import EvaluationRecord
from audit.report import render_reproduction
from audit.reproducing import compare

pytestmark = pytest.mark.browser
FIXED = Path(__file__).resolve().parents[1] / "report" / "snapshots" / "record.json"


@pytest.fixture(scope="module")
def page_of_differences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every contrast with another verdict, other weights, another setting and another processor."""
    record = records.read(FIXED)
    data = record.model_dump(mode="json", by_alias=True)
    for row in data["contrasts"]:
        row["verdict"] = "EQUIVALENT" if row["verdict"] != "EQUIVALENT" else "DISPARITY"
    data["digests"]["weights"], data["hardware"]["processor"] = "0" * 64, "another one, with a rather long name " * 3
    data["plan"][next(iter(data["plan"]))] = ["other", "settings"]
    found = compare(record, EvaluationRecord.model_validate(data))
    return render_reproduction(found, tmp_path_factory.mktemp("reproduction"))[1]


def test_it_is_quiet_fits_and_axe_finds_no_violation(
    browser: Browser, page_of_differences: Path, screenshots: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(page_of_differences.as_uri())
    for width, scheme in SHOWN:
        show(page, width, scheme)
        if (width, scheme) in LOOKS:
            whole = (width, scheme) in WHOLE
            page.screenshot(path=screenshots / f"reproduction-{width}-{scheme}.png", full_page=whole)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if (width, scheme) in LOOKS:
            found = Axe().run(page, options=RULES).response
            assert [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found["violations"]] == []
            assert found["passes"]
    assert page.locator("#again-kinds tbody tr").count() == 7
    assert said == []
    context.close()
