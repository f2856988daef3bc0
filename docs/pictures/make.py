"""Take the pictures of the documentation from the published reports: `python docs/pictures/make.py`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
WIDTH = 1100
PICTURES = {"rates.png": ("#figure-fmr",), "limits.png": ("#limits",)}
"""File to the parts of the report that it shows."""


def main() -> None:
    """Open the report of dlib on the London Set in headless Chromium and take its parts."""
    reports = sorted((ROOT / "results" / "london").glob("dlib@*/*/report.html"))
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if len(reports) != 1 or chromium is None:
        sys.exit(f"found {len(reports)} reports of dlib on London and Chromium at {chromium}: make results first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, device_scale_factor=1.5, color_scheme="light")
        page.goto(reports[0].as_uri())
        _first_page(page, HERE / "first-page.png")
        for name, parts in PICTURES.items():
            for part in parts:
                page.locator(part).screenshot(path=HERE / name)
        browser.close()
    for path in sorted(HERE.glob("*.png")):
        _small(path)


def _first_page(page: Page, path: Path) -> None:
    """From the title to the end of what stands alone."""
    bottom = page.locator("#short").bounding_box()
    if bottom is None:
        sys.exit("the report has no first page")
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": bottom["y"] + bottom["height"] + 16}
    page.screenshot(path=path, full_page=True, clip=clip)  # type: ignore[arg-type]


def _small(path: Path) -> None:
    """Fewer colours: a page of text and a few hues needs no more, and a repository keeps every version."""
    from PIL import Image  # noqa: PLC0415

    with Image.open(path) as picture:
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
