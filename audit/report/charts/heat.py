"""A square of group pairs."""

from __future__ import annotations

from audit.report.charts.canvas import BAND, GRID, INK, MUTED, VERMILION, Canvas, Spec, fit
from audit.report.parts import HeatPicture

HEAT = ("#fefefe", "#dcebf6", "#b5d5ec", "#7db6dd", "#3a87bd", "#08466f")


def draw_heat(picture: HeatPicture) -> Spec:
    """Draw a square of group pairs: a darker cell is a higher rate, and the counts stand in it."""
    k = len(picture.labels)
    side, high, left, top = (84 if k <= 8 else 66), 40, 150, 52
    canvas = Canvas(left + side * k + 2, top + high * k + 62)
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
        colour = MUTED if level is None else INK if level == 0 else "#fdfdfd" if level >= 4 else "#101114"
        canvas.texts(labels, colour=colour, size=11 if k <= 8 else 9, align="center")
    diagonal = [
        {"x": left + side * i, "x2": left + side * (i + 1), "y": top + high * i, "y2": top + high * (i + 1)}
        for i in range(k)
    ]
    edges = [{**d, "y2": d["y"]} for d in diagonal] + [{**d, "y": d["y2"]} for d in diagonal]
    edges += [{**d, "x2": d["x"]} for d in diagonal] + [{**d, "x": d["x2"]} for d in diagonal]
    canvas.rules(edges, VERMILION, size=2)
    canvas.texts(
        [{"x": 0, "y": top + high * (i + 0.5), "text": fit(t, left - 8)} for i, t in enumerate(picture.labels)]
    )
    heads = []
    for i, label in enumerate(picture.labels):
        parts = [fit(part, side, 11) for part in label.split(", ", 2)]
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
