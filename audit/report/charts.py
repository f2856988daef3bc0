"""Pictures as Vega-Lite specifications, rendered to SVG text that needs no script: one drawing for screen and print.

Altair validates and shows the same specifications (`altair_chart`); building them through its classes took ten times as long
as rendering them. Colours are those of Okabe and Ito (2008), told apart by shape and dash as well; every colour is one of
`COLOURS`, so that a page can exchange them for a dark background by attribute selectors. Positions are given in pixels and
text is never measured for layout, so a drawing does not depend on the fonts of the machine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import vl_convert

from audit.report.parts import CurvePicture, HeatPicture, Line, Picture, RidgePicture, RowMark, RowPicture

if TYPE_CHECKING:
    import altair as alt

INK, MUTED, GRID, PAPER = "#1b1e23", "#565b63", "#d3d7dd", "#ffffff"
BLUE, VERMILION, BAND = "#0072b2", "#d55e00", "#e9eef4"
HEAT = ("#fefefe", "#dcebf6", "#b5d5ec", "#7db6dd", "#3a87bd", "#08466f")
COLOURS = (INK, MUTED, GRID, PAPER, BLUE, VERMILION, BAND)
FONT = "sans-serif"
WIDE, NARROW = 840, 340
Spec = dict[str, Any]
Rows = list[Spec]


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
    return draw_curves(picture, width)


def altair_chart(picture: Picture, width: int = WIDE) -> alt.LayerChart:
    """Give the same drawing as an Altair chart, validated: what a notebook shows."""
    import altair as alt  # noqa: PLC0415 - its start and its checks take longer than drawing a whole report

    return alt.LayerChart.from_dict(draw(picture, width))


def _svg(spec: Spec, name: str) -> str:
    svg: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    ids = dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))
    for number, old in enumerate(ids):
        svg = svg.replace(f'id="{old}"', f'id="{name}{number}"').replace(f"url(#{old})", f"url(#{name}{number})")
    svg = re.sub(r' (role|aria-[a-z]+|class|pointer-events)="[^"]*"', "", svg)
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", svg)


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

    def areas(self, rows: Rows, colour: str) -> None:
        """Fill between y and y2 along x, one per `id`."""
        self._add("area", rows, ("x", "y", "y2"), color=colour, opacity=1)

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


def _log(domain: tuple[float, float], left: float, right: float) -> Callable[[float], float]:
    a, b = math.log(domain[0]), math.log(domain[1])

    def place(x: float) -> float:
        share = (math.log(max(x, 1e-300)) - a) / (b - a)
        return round(left + (right - left) * min(1.0, max(0.0, share)), 2)

    return place


def _fit(text: str, pixels: float, size: int = 12) -> str:
    """Cut a label that would run into its neighbour (0.58 em is the mean width of a letter)."""
    room = max(4, int(pixels / (0.58 * size)))
    return text if len(text) <= room else text[: room - 1] + "…"


def draw_rows(picture: RowPicture, width: int) -> Spec:
    """Draw labels, intervals and counts: beside each other on a wide page, above each other on a narrow one."""
    narrow = width < 500
    longest = max((len(row.label) for row in picture.rows), default=0)
    left, right = (12, width - 12) if narrow else (min(330.0, max(150.0, 7.4 * longest + 16)), width - 220)
    step = 42 if narrow else 26
    head = 26
    tops: list[float] = []
    y: float = head
    for row in picture.rows:
        y += 10 if row.heading and tops else 0
        tops.append(y)
        y += 24 if row.heading else step
    bottom = y + 6
    canvas = Canvas(width, bottom + 46)
    place = _log(picture.domain, left, right)
    if picture.band:
        canvas.rects([{"x": place(picture.band[0]), "x2": place(picture.band[1]), "y": head, "y2": bottom}], BAND)
    _axis(canvas, picture.ticks, place, head, bottom, picture.axis)
    for line in picture.lines:
        x = place(line.x)
        canvas.rules([{"x": x, "x2": x, "y": head - 4, "y2": bottom}], VERMILION, size=1.5, dash=(5, 3))
        align = "left" if x < width / 3 else "right" if x > 2 * width / 3 else "center"
        canvas.texts([{"x": x, "y": 12, "text": line.label}], colour=INK, size=11, align=align)
    centre = [top + (31 if narrow else step / 2) for top in tops]
    _row_texts(canvas, picture, tops, centre, left, right, narrow)
    for row, y_row in zip(picture.rows, centre, strict=True):
        _row_mark(canvas, row, y_row, place, left)
    return canvas.spec()


def _axis(
    canvas: Canvas, ticks: Sequence[Line], place: Callable[[float], float], top: float, bottom: float, title: str
) -> None:
    canvas.rules([{"x": place(t.x), "x2": place(t.x), "y": top, "y2": bottom} for t in ticks], GRID)
    last, labels = -1e9, []
    for t in ticks:
        if place(t.x) - last >= 9 + 6.2 * len(t.label):
            labels.append({"x": min(max(place(t.x), 14), canvas.width - 16), "y": bottom + 14, "text": t.label})
            last = place(t.x)
    canvas.texts(labels, colour=MUTED, size=11, align="center")
    middle = (place(ticks[0].x) + place(ticks[-1].x)) / 2 if ticks else canvas.width / 2
    canvas.texts([{"x": middle, "y": bottom + 34, "text": title}], colour=MUTED, size=11, align="center")


def _row_texts(
    canvas: Canvas, picture: RowPicture, tops: list[float], centre: list[float], left: float, right: float, narrow: bool
) -> None:
    heads = [(r, t) for r, t in zip(picture.rows, tops, strict=True) if r.heading]
    canvas.texts([{"x": 0, "y": t + 12, "text": r.label} for r, t in heads], size=12, bold=True)
    canvas.rules([{"x": 0, "x2": canvas.width, "y": t + 22, "y2": t + 22} for _, t in heads], MUTED, size=0.8)
    rest = [(r, t, c) for r, t, c in zip(picture.rows, tops, centre, strict=True) if not r.heading]
    if narrow:
        room = [canvas.width - 6.6 * len(r.detail) - 10 for r, _, _ in rest]
        labels: Rows = [
            {"x": 0, "y": t + 12, "text": _fit(r.label, w)} for (r, t, _), w in zip(rest, room, strict=True)
        ]
        canvas.rects(
            [{"x": 0, "x2": 7 * len(row["text"]), "y": row["y"] - 8, "y2": row["y"] + 8} for row in labels], PAPER
        )
        details = [{"x": canvas.width, "y": t + 12, "text": r.detail} for r, t, _ in rest]
        canvas.texts(labels, size=12)
        canvas.texts(details, colour=MUTED, size=11, align="right")
        return
    canvas.texts([{"x": 0, "y": c, "text": _fit(r.label, left - 12)} for r, _, c in rest], size=12)
    canvas.texts([{"x": right + 14, "y": c, "text": r.detail} for r, _, c in rest], colour=MUTED, size=12)


def _row_mark(canvas: Canvas, row: RowMark, y: float, place: Callable[[float], float], left: float) -> None:
    if row.band:
        canvas.rects([{"x": place(row.band[0]), "x2": place(row.band[1]), "y": y - 9, "y2": y + 9}], GRID)
    if row.marker == "none" or row.x is None:
        return
    x = place(row.x)
    if row.marker == "bound":
        canvas.rules([{"x": left, "x2": x, "y": y, "y2": y}], BLUE, size=1.4, dash=(2, 3))
        canvas.rules([{"x": x, "x2": x, "y": y - 6, "y2": y + 6}], BLUE, size=1.6)
        canvas.points([{"x": left + 4, "y": y}], "triangle-left", BLUE, None, size=60)
        return
    if row.low is not None and row.high is not None:
        low, high = place(row.low), place(row.high)
        canvas.rules([{"x": low, "x2": high, "y": y, "y2": y}], BLUE, size=2.2 if row.marker == "solid" else 1.4)
        canvas.rules([{"x": e, "x2": e, "y": y - 4, "y2": y + 4} for e in (low, high)], BLUE, size=1.4)
    fill = BLUE if row.marker == "solid" else BAND if row.marker == "half" else None
    canvas.points([{"x": x, "y": y}], "circle", BLUE, fill)


def draw_heat(picture: HeatPicture) -> Spec:
    """Draw a square of group pairs: a darker cell is a higher rate, and the counts stand in it."""
    k = len(picture.labels)
    side, high, left, top = (84 if k <= 8 else 66), 40, 150, 52
    canvas = Canvas(left + side * k + 2, top + high * k + 76)
    levels = (None, *range(len(HEAT)))
    for level in levels:
        boxes = [
            {
                "x": left + side * c.column,
                "x2": left + side * (c.column + 1),
                "y": top + high * c.row,
                "y2": top + high * (c.row + 1),
            }
            for c in picture.cells
            if c.level == level
        ]
        canvas.rects(boxes, BAND if level is None else HEAT[level], stroke=GRID)
    for level in levels:
        labels = [
            {"x": left + side * (c.column + 0.5), "y": top + high * (c.row + 0.5), "text": c.text}
            for c in picture.cells
            if c.level == level
        ]
        colour = MUTED if level is None else "#fdfdfd" if level >= 4 else "#101114"
        canvas.texts(labels, colour=colour, size=11 if k <= 8 else 9, align="center")
    diagonal = [
        {"x": left + side * i, "x2": left + side * (i + 1), "y": top + high * i, "y2": top + high * (i + 1)}
        for i in range(k)
    ]
    edges = [{**d, "y2": d["y"]} for d in diagonal] + [{**d, "y": d["y2"]} for d in diagonal]
    edges += [{**d, "x2": d["x"]} for d in diagonal] + [{**d, "x": d["x2"]} for d in diagonal]
    canvas.rules(edges, VERMILION, size=2)
    canvas.texts(
        [{"x": 0, "y": top + high * (i + 0.5), "text": _fit(t, left - 8)} for i, t in enumerate(picture.labels)]
    )
    heads = []
    for i, label in enumerate(picture.labels):
        parts = [_fit(part, side, 11) for part in label.split(", ", 2)]
        heads += [
            {"x": left + side * (i + 0.5), "y": top - 10 - 13 * (len(parts) - 1 - n), "text": part}
            for n, part in enumerate(parts)
        ]
    canvas.texts(heads, size=11, align="center")
    _legend(canvas, picture, top + high * k + 24)
    return canvas.spec()


def _legend(canvas: Canvas, picture: HeatPicture, y: float) -> None:
    used = {cell.level for cell in picture.cells}
    entries = [(HEAT[n], text) for n, text in enumerate(picture.legend) if n in used]
    if None in used:
        entries.append((BAND, picture.empty))
    per_line = max(1, int(canvas.width // 112))
    for i, (colour, text) in enumerate(entries):
        x, row = (i % per_line) * 112, y + 20 * (i // per_line)
        canvas.rects([{"x": x + 1, "x2": x + 15, "y": row - 6, "y2": row + 6}], colour, stroke=MUTED)
        canvas.texts([{"x": x + 20, "y": row, "text": text}], size=11, colour=MUTED)


def draw_ridges(picture: RidgePicture, width: int) -> Spec:
    """Draw histograms under each other: non-mated scores filled, mated scores as an outline."""
    narrow = width < 500
    longest = max((len(row.label) for row in picture.rows), default=0)
    left, right = (12, width - 12) if narrow else (min(330.0, max(150.0, 7.4 * longest + 16)), width - 180)
    step, top = (64 if narrow else 46), 66
    low, high = picture.centres[0], picture.centres[-1]

    def place(x: float) -> float:
        return round(left + (right - left) * (x - low) / (high - low), 2)

    bottom = top + step * len(picture.rows)
    canvas = Canvas(width, bottom + 46)
    _axis(canvas, picture.ticks, place, top, bottom, picture.axis)
    tall = step - (28 if narrow else 10)
    fills, outlines, bases = [], [], []
    for n, row in enumerate(picture.rows):
        base = top + step * (n + 1) - 2
        bases.append({"x": left, "x2": right, "y": base, "y2": base})
        for k, centre in enumerate(picture.centres):
            fills.append({"id": n, "x": place(centre), "y": base - tall * row.nonmated[k], "y2": base})
            outlines.append({"id": n, "k": k, "x": place(centre), "y": base - tall * row.mated[k]})
    canvas.rules(bases, GRID)
    canvas.areas(fills, GRID)
    canvas.lines(outlines, BLUE, size=1.6)
    ordered = sorted(picture.lines, key=lambda line: line.x)
    for n, line in enumerate(ordered):
        x, after = place(line.x), n >= len(ordered) // 2
        level = top - 10 - 14 * (len(ordered) - 1 - n if after else n)
        canvas.rules([{"x": x, "x2": x, "y": level - 4, "y2": bottom}], VERMILION, size=1.3, dash=(5, 3))
        label = {"x": x + (5 if after else -5), "y": level, "text": line.label}
        canvas.texts([label], size=11, align="left" if after else "right")
    _ridge_texts(canvas, picture, top, step, left, right, narrow)
    return canvas.spec()


def _ridge_texts(
    canvas: Canvas, picture: RidgePicture, top: float, step: float, left: float, right: float, narrow: bool
) -> None:
    canvas.rects([{"x": 0, "x2": 14, "y": 4, "y2": 14}], GRID, stroke=MUTED)
    canvas.texts([{"x": 20, "y": 9, "text": picture.nonmated}], size=11)
    x = canvas.width / 2
    canvas.rules([{"x": x, "x2": x + 16, "y": 9, "y2": 9}], BLUE, size=2)
    canvas.texts([{"x": x + 22, "y": 9, "text": picture.mated}], size=11)
    offset = 12 if narrow else step / 2 + 6
    labels = [
        {"x": 0, "y": top + step * n + offset, "text": _fit(r.label, left - 12 if not narrow else 150)}
        for n, r in enumerate(picture.rows)
    ]
    canvas.texts(labels, size=12)
    align, x = ("right", canvas.width) if narrow else ("left", right + 14)
    details = [{"x": x, "y": top + step * n + offset, "text": r.detail} for n, r in enumerate(picture.rows)]
    canvas.texts(details, colour=MUTED, size=11, align=align)
    canvas.texts([{"x": x, "y": top - 10, "text": picture.head}], colour=MUTED, size=11, align=align)


def draw_curves(picture: CurvePicture, width: int) -> Spec:
    """Draw DET curves as small multiples on probit axes, with a strip of its own for rates without errors."""
    columns = 2 if width < 500 else 4
    gap, strip = 34, 16
    side = (width - gap * columns) / columns
    tall = side + 44
    lines = math.ceil(len(picture.panels) / columns)
    canvas = Canvas(width, int(lines * tall + 44))
    probit = NormalDist().inv_cdf
    a, b = probit(picture.ticks[0].x), probit(0.6)

    def scaled(p: float) -> float:
        return min(1.0, max(0.0, (probit(min(max(p, 1e-9), 1 - 1e-9)) - a) / (b - a)))

    for n, panel in enumerate(picture.panels):
        x0, y0 = (n % columns) * (side + gap) + gap, (n // columns) * tall + 34
        inner = side - strip

        def at(point: tuple[float, float], x0: float = x0, y0: float = y0, inner: float = inner) -> tuple[float, float]:
            fmr, fnmr = point
            x = x0 + strip + inner * scaled(fmr) if fmr else x0 + strip / 2
            y = y0 + inner - inner * scaled(fnmr) if fnmr else y0 + inner + strip / 2
            return round(x, 2), round(y, 2)

        _panel(canvas, picture, panel.label, panel.detail, x0, y0, side, strip, scaled)
        _curve(canvas, picture.everyone, at, MUTED, dash=(3, 2), size=1)
        _curve(canvas, panel.points, at, BLUE, dash=(), size=2)
    text = f"{picture.x_axis}   ·   {picture.y_axis}"
    canvas.texts(
        [{"x": width / 2, "y": lines * tall + 22, "text": text.replace("   ·   ", "\n") if width < 500 else text}],
        colour=MUTED,
        size=11,
        align="center",
    )
    return canvas.spec()


def _curve(
    canvas: Canvas,
    points: Sequence[tuple[float, float]],
    at: Callable[[tuple[float, float]], tuple[float, float]],
    colour: str,
    *,
    dash: Sequence[int],
    size: float,
) -> None:
    inside = [at(p) for p in points if p[0] > 0 and p[1] > 0]
    name = f"{size} {at((0, 0))}"
    canvas.lines(
        [{"id": name, "k": k, "x": x, "y": y} for k, (x, y) in enumerate(inside)], colour, size=size, dash=dash
    )
    zeros = [at(p) for p in points if p[0] == 0 or p[1] == 0]
    kept = list(dict.fromkeys((round(x / 4) * 4, round(y / 4) * 4) for x, y in zeros))
    canvas.points([{"x": x, "y": y} for x, y in kept], "circle", colour, None, size=14 if size > 1 else 5)


def _panel(
    canvas: Canvas,
    picture: CurvePicture,
    label: str,
    detail: str,
    x0: float,
    y0: float,
    side: float,
    strip: float,
    scaled: Callable[[float], float],
) -> None:
    inner = side - strip
    canvas.rects(
        [
            {"x": x0, "x2": x0 + strip, "y": y0, "y2": y0 + side},
            {"x": x0, "x2": x0 + side, "y": y0 + inner, "y2": y0 + side},
        ],
        BAND,
    )
    grid = [
        {"x": x0 + strip + inner * scaled(t.x), "y": y0, "x2": x0 + strip + inner * scaled(t.x), "y2": y0 + inner}
        for t in picture.ticks
    ]
    grid += [
        {
            "x": x0 + strip,
            "y": y0 + inner - inner * scaled(t.x),
            "x2": x0 + side,
            "y2": y0 + inner - inner * scaled(t.x),
        }
        for t in picture.ticks
    ]
    canvas.rules(grid, GRID, size=0.7)
    shown = [
        t for t in picture.ticks if t.label in {picture.ticks[0].label, picture.ticks[2].label, picture.ticks[4].label}
    ]
    canvas.texts(
        [{"x": x0 + strip + inner * scaled(t.x), "y": y0 + side + 8, "text": t.label} for t in shown],
        colour=MUTED,
        size=9,
        align="center",
    )
    canvas.texts(
        [{"x": x0 - 3, "y": y0 + inner - inner * scaled(t.x), "text": t.label} for t in shown],
        colour=MUTED,
        size=9,
        align="right",
    )
    canvas.texts(
        [
            {"x": x0 - 3, "y": y0 + side - strip / 2, "text": picture.zero},
        ],
        colour=MUTED,
        size=9,
        align="right",
    )
    canvas.texts([{"x": x0, "y": y0 - 20, "text": _fit(label, side + 10)}], size=12)
    canvas.texts([{"x": x0, "y": y0 - 7, "text": detail}], size=10, colour=MUTED)
