"""Marks gathered into a Vega-Lite specification: colours, labels and axes that all pictures share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from audit.report.parts import Line

INK, MUTED, GRID, PAPER = "#1b1e23", "#565b63", "#d3d7dd", "#ffffff"
BLUE, VERMILION, BAND = "#0072b2", "#d55e00", "#e9eef4"
GREEN, PURPLE, OCHRE = "#009e73", "#cc79a7", "#a67c00"
FONT = "sans-serif"
Spec = dict[str, Any]
Rows = list[Spec]


class Canvas:
    """Marks with positions in pixels, gathered by style: one Altair layer a style, in the order of first use."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._marks: dict[tuple[str, str], tuple[dict[str, Any], tuple[str, ...], Rows]] = {}

    def _add(self, kind: str, rows: Rows, channels: tuple[str, ...], **style: Any) -> None:
        if rows:
            self._marks.setdefault((kind, repr(style)), (style, channels, []))[2].extend(rows)

    def rules(self, rows: Rows, colour: str, *, size: float = 1, dash: Sequence[int] = ()) -> None:
        """Draw lines from (x, y) to (x2, y2)."""
        dashed = {"strokeDash": list(dash)} if dash else {}
        self._add("rule", rows, ("x", "y", "x2", "y2"), color=colour, strokeWidth=size, **dashed)

    def rects(self, rows: Rows, colour: str, *, stroke: str | None = None) -> None:
        """Fill rectangles between (x, y) and (x2, y2)."""
        stroked = {"stroke": stroke} if stroke else {}
        self._add("rect", rows, ("x", "y", "x2", "y2"), fill=colour, fillOpacity=1, **stroked)

    def points(self, rows: Rows, shape: str, colour: str, fill: str | None, *, size: int = 80) -> None:
        """Draw symbols at (x, y)."""
        style = {"shape": shape, "size": size, "stroke": colour, "strokeWidth": 1.6, "opacity": 1}
        self._add("point", rows, ("x", "y"), fill=fill or PAPER, **style)

    def texts(
        self,
        rows: Rows,
        *,
        colour: str = INK,
        size: int = 12,
        align: str = "left",
        bold: bool = False,
        baseline: str = "middle",
    ) -> None:
        """Write `text` at (x, y)."""
        weight = "bold" if bold else "normal"
        style = {"align": align, "baseline": baseline, "fontSize": size, "color": colour, "fontWeight": weight}
        self._add("text", rows, ("x", "y"), lineBreak="\n", **style)

    def lines(self, rows: Rows, colour: str, *, size: float = 2, dash: Sequence[int] = ()) -> None:
        """Draw polylines through (x, y), one per `id`, in the order of `k`."""
        dashed = {"strokeDash": list(dash)} if dash else {}
        self._add("line", rows, ("x", "y"), color=colour, strokeWidth=size, **dashed)

    def areas(self, rows: Rows, colour: str, *, opacity: float = 1) -> None:
        """Fill between y and y2 along x, one per `id`."""
        self._add("area", rows, ("x", "y", "y2"), color=colour, opacity=opacity)

    def spec(self) -> Spec:
        """Put the layers together."""
        layers = []
        for (kind, _), (style, channels, rows) in self._marks.items():
            encoding: Spec = {
                c: {"field": c, "type": "quantitative", "scale": None, "axis": None} for c in channels[:2]
            }
            encoding |= {c: {"field": c} for c in channels[2:]}
            if kind == "text":
                encoding["text"] = {"field": "text", "type": "nominal"}
            if kind in {"line", "area"}:
                encoding["detail"] = {"field": "id", "type": "nominal"}
            if kind == "line":
                encoding["order"] = {"field": "k", "type": "quantitative"}
            layers.append({"data": {"values": rows}, "mark": {"type": kind, **style}, "encoding": encoding})
        return {
            "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
            "width": self.width,
            "height": self.height,
            "autosize": {"type": "none"},
            "padding": 0,
            "background": "transparent",
            "config": {"font": FONT, "aria": False, "view": {"stroke": None}},
            "layer": layers,
        }


def log_place(domain: tuple[float, float], left: float, right: float) -> Callable[[float], float]:
    """Place a value between two pixels on a logarithmic scale; what lies outside stands at the edge."""
    a, b = math.log(domain[0]), math.log(domain[1])

    def place(x: float) -> float:
        share = (math.log(max(x, 1e-300)) - a) / (b - a)
        return round(left + (right - left) * min(1.0, max(0.0, share)), 2)

    return place


def linear_place(domain: tuple[float, float], left: float, right: float) -> Callable[[float], float]:
    """Place a value between two pixels on a linear scale; what lies outside stands at the edge."""
    low, high = domain

    def place(x: float) -> float:
        return round(left + (right - left) * min(1.0, max(0.0, (x - low) / (high - low))), 2)

    return place


def fit(text: str, pixels: float, size: int = 12) -> str:
    """Cut a label that would run into its neighbour (0.58 em is the mean width of a letter)."""
    room = max(4, int(pixels / (0.58 * size)))
    return text if len(text) <= room else text[: room - 1] + "…"


def wrap(text: str, pixels: float) -> str:
    """Break a title into two lines where it would not fit in one."""
    if 6.6 * len(text) <= pixels:
        return text
    spaces = [i for i, c in enumerate(text) if c == " "]
    middle = min(spaces, key=lambda i: abs(i - len(text) / 2), default=len(text))
    return f"{text[:middle]}\n{text[middle + 1 :]}"


def draw_axis(
    canvas: Canvas, ticks: Sequence[Line], place: Callable[[float], float], top: float, bottom: float, title: str
) -> None:
    """Draw grid lines, their labels as far as they fit, and the title below."""
    canvas.rules([{"x": place(t.x), "x2": place(t.x), "y": top, "y2": bottom} for t in ticks], GRID)
    last, labels = -1e9, []
    for t in ticks:
        room = 3.4 * len(t.label)
        if place(t.x) - last >= 9 + 6.2 * len(t.label):
            labels.append({"x": min(max(place(t.x), room), canvas.width - room), "y": bottom + 14, "text": t.label})
            last = place(t.x)
    canvas.texts(labels, colour=MUTED, size=11, align="center")
    middle = (place(ticks[0].x) + place(ticks[-1].x)) / 2 if ticks else canvas.width / 2
    canvas.texts(
        [{"x": middle, "y": bottom + 34, "text": wrap(title, canvas.width)}], colour=MUTED, size=11, align="center"
    )
