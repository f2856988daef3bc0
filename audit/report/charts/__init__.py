"""Pictures as Vega-Lite specifications, rendered to SVG text that needs no script: one drawing for screen and print.

Altair validates and shows the same specifications (`altair_chart`); building them through its classes took ten times as
long as rendering them. Colours are those of Okabe and Ito (2008), told apart by shape and dash as well; every colour is
one of a few, so that a page can exchange them for a dark background by attribute selectors. Positions are given in
pixels and text is never measured for layout, so a drawing does not depend on the fonts of the machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from audit.report.charts.bands import draw_bands
from audit.report.charts.canvas import Spec
from audit.report.charts.curves import draw_curves
from audit.report.charts.heat import draw_heat
from audit.report.charts.histograms import draw_histograms
from audit.report.charts.lettering import drawn
from audit.report.charts.ridges import draw_ridges
from audit.report.charts.rows import draw_rows
from audit.report.charts.scatter import draw_scatter
from audit.report.charts.severities import draw_severities
from audit.report.parts import (
    BandPicture,
    CurvePicture,
    HeatPicture,
    HistogramPicture,
    Picture,
    RidgePicture,
    RowPicture,
    ScatterPicture,
    SeverityPicture,
)

if TYPE_CHECKING:
    import altair as alt

WIDE, NARROW = 840, 340
MOST_NARROW = 40
"""A longer list of rows is drawn once, and scrolled sideways on a phone: text takes most of the time and the bytes."""
DRAWN_BY: dict[type, Callable[[Any, int], Spec]] = {
    RowPicture: draw_rows,
    HistogramPicture: draw_histograms,
    RidgePicture: draw_ridges,
    BandPicture: draw_bands,
    SeverityPicture: draw_severities,
    ScatterPicture: draw_scatter,
    CurvePicture: draw_curves,
}


def svgs(picture: Picture, name: str) -> tuple[str, str]:
    """Draw a picture for a wide and for a narrow page.

    Parameters
    ----------
    name : prefix of the ids inside, unique on the page

    Returns
    -------
    (wide, narrow) SVG texts; the same one twice where the picture cannot be narrower
    """
    wide = svg(draw(picture, WIDE), f"{name}-w")
    if isinstance(picture, HeatPicture) or (isinstance(picture, RowPicture) and len(picture.rows) > MOST_NARROW):
        return wide, wide
    return wide, svg(draw(picture, NARROW), f"{name}-n")


def draw(picture: Picture, width: int = WIDE) -> Spec:
    """Draw a picture as a Vega-Lite specification with its data inside."""
    return draw_heat(picture) if isinstance(picture, HeatPicture) else DRAWN_BY[type(picture)](picture, width)


def altair_chart(picture: Picture, width: int = WIDE) -> alt.LayerChart:
    """Give the same drawing as an Altair chart, validated: what a notebook shows."""
    import altair as alt  # noqa: PLC0415 - its start and its checks take longer than drawing a whole report

    return alt.LayerChart.from_dict(draw(picture, width))


def svg(spec: Spec, name: str) -> str:
    """Render a drawing to SVG text; ids inside begin with `name`."""
    text = drawn(spec)
    ids = dict.fromkeys(re.findall(r'\bid="([^"]+)"', text))
    for number, old in enumerate(ids):
        text = text.replace(f'id="{old}"', f'id="{name}{number}"').replace(f"url(#{old})", f"url(#{name}{number})")
    text = re.sub(r' (role|aria-[a-z]+|class|pointer-events)="[^"]*"', "", text)
    return re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d{2})\d+", r"\1", tag[0]), text)  # positions, never labels
