"""Every picture of every kind of report on one sheet, which CI keeps: in light, in dark, in grey, and for a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import site_results
from london_run import Run
from markupsafe import escape
from playwright.sync_api import Browser

from audit import record as records
from audit.record import EvaluationRecord
from audit.report import charts, html, parts
from audit.report.view import make

pytestmark = pytest.mark.browser
KINDS = {
    parts.RowPicture, parts.HeatPicture, parts.CurvePicture, parts.RidgePicture, parts.BandPicture,
    parts.HistogramPicture,
}  # fmt: skip
SHEET = (
    "main{max-width:none;padding:1rem}section{border:0;padding:0}.pair{display:flex;gap:2rem;align-items:flex-start}"
    ".narrow{display:block}.grey svg{filter:grayscale(1)}h2{margin-top:2rem}"
)


def figures(blocks: tuple[parts.Block, ...]) -> Iterator[parts.Figure]:
    for block in blocks:
        if isinstance(block, parts.Figure):
            yield block
        elif isinstance(block, parts.Fold):
            yield from figures(block.blocks)


def all_figures(record: EvaluationRecord) -> list[parts.Figure]:
    return [figure for section in make(record).sections for figure in figures(section.blocks)]


def sheet(named: dict[str, list[parts.Figure]], grey: str) -> str:
    """One page: the wide and the narrow drawing of each figure beside each other."""
    body = []
    for n, (name, found) in enumerate(named.items()):
        body.append(f"<h2>{escape(name)}</h2>")
        for figure in found:
            wide, narrow = charts.svgs(figure.picture, f"s{n}-{figure.id}")
            drawn = [f'<div class="picture">{wide}</div>'] + (
                [f'<div class="picture">{narrow}</div>'] * (narrow != wide)
            )
            body.append(f"<figure><figcaption><strong>{escape(figure.title)}</strong></figcaption>")
            body.append(f'<div class="pair {grey}">{"".join(drawn)}</div></figure>')
    head = f'<meta charset="utf-8"><title>Charts</title><style>{html.style()}{SHEET}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main>{"".join(body)}</main></body></html>'


def test_the_contact_sheet_of_all_charts(browser: Browser, screenshots: Path, bundled: tuple[Path, Run, Run]) -> None:
    """Made-up records that hold every kind, and what `faceaudit run` and its counterfactual task measured."""
    made = site_results.builder()
    named = {
        "A small benchmark, scores apart": all_figures(made.beside()),
        "Every group may be quoted, scores overlap": all_figures(made.crossing()),
    }
    for name, run in zip(("The rendered people", "The same face with one thing changed"), bundled[1:], strict=True):
        found = all_figures(records.read(Path(run.evaluations[0]["record"])))
        named[name] = [f for f in found if f.id.startswith("series")] if run is bundled[2] else found
    assert {type(f.picture) for found in named.values() for f in found} >= KINDS
    assert {f.id for f in named["The same face with one thing changed"]} == {"series-score", "series-rejected"}
    folder = screenshots.parent / "charts"
    folder.mkdir(exist_ok=True)
    for look, scheme, grey in (("light", "light", ""), ("dark", "dark", ""), ("grey", "light", "grey")):
        place = folder / f"contact-sheet-{look}.html"
        place.write_text(sheet(named, grey), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": 1320, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        page = context.new_page()
        page.goto(place.as_uri())
        drawn = page.locator("svg")
        assert drawn.count() >= 30
        assert all(drawn.nth(k).bounding_box() for k in range(drawn.count()))
        page.screenshot(path=folder / f"contact-sheet-{look}.png", full_page=True)
        context.close()
