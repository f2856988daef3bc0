"""Pictures as Vega-Lite specifications, rendered to SVG text that needs no script: one drawing for screen and print.

Altair validates and shows the same specifications (`altair_chart`); building them through its classes took ten times as
long as rendering them. Colours are those of Okabe and Ito (2008), told apart by shape and dash as well; every colour is
one of a few, so that a page can exchange them for a dark background by attribute selectors. Positions are given in
pixels and text is never measured for layout, so a drawing does not depend on the fonts of the machine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit.report.charts.bands import draw_bands
from audit.report.charts.canvas import Spec
from audit.report.charts.curves import draw_curves
from audit.report.charts.heat import draw_heat
from audit.report.charts.lettering import drawn
from audit.report.charts.ridges import draw_ridges
from audit.report.charts.rows import draw_rows
from audit.report.charts.scatter import draw_scatter
from audit.report.parts import BandPicture, HeatPicture, Picture, RidgePicture, RowPicture, ScatterPicture

if TYPE_CHECKING:
    import altair as alt

WIDE, NARROW = 840, 340


def svgs(picture: Picture, name: str) -> tuple[str, str]:
    """Draw a picture for a wide and for a narrow page.

    Parameters
    ----------
    name : prefix of the ids inside, unique on the page

    Returns
    -------
    (wide, narrow) SVG texts; the same one twice where the picture cannot be narrower
    """
    wide = _svg(draw(picture, WIDE), f"{name}-w")
    if isinstance(picture, HeatPicture):
        return wide, wide
    return wide, _svg(draw(picture, NARROW), f"{name}-n")


def draw(picture: Picture, width: int = WIDE) -> Spec:
    """Draw a picture as a Vega-Lite specification with its data inside."""
    if isinstance(picture, RowPicture):
        return draw_rows(picture, width)
    if isinstance(picture, HeatPicture):
        return draw_heat(picture)
    if isinstance(picture, RidgePicture):
        return draw_ridges(picture, width)
    if isinstance(picture, BandPicture):
        return draw_bands(picture, width)
    if isinstance(picture, ScatterPicture):
        return draw_scatter(picture, width)
    return draw_curves(picture, width)


def altair_chart(picture: Picture, width: int = WIDE) -> alt.LayerChart:
    """Give the same drawing as an Altair chart, validated: what a notebook shows."""
    import altair as alt  # noqa: PLC0415 - its start and its checks take longer than drawing a whole report

    return alt.LayerChart.from_dict(draw(picture, width))


def _svg(spec: Spec, name: str) -> str:
    svg = drawn(spec)
    ids = dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))
    for number, old in enumerate(ids):
        svg = svg.replace(f'id="{old}"', f'id="{name}{number}"').replace(f"url(#{old})", f"url(#{name}{number})")
    svg = re.sub(r' (role|aria-[a-z]+|class|pointer-events)="[^"]*"', "", svg)
    return re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d{2})\d+", r"\1", tag[0]), svg)  # positions, never labels
