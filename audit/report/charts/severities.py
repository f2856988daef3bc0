"""What happens to a rate as pictures get worse: small multiples, a line a group with its band of uncertainty."""

from __future__ import annotations

import math

from audit.report.charts.canvas import (
    BLUE,
    GREEN,
    GRID,
    INK,
    MUTED,
    OCHRE,
    PURPLE,
    VERMILION,
    Canvas,
    Spec,
    fit,
    linear_place,
    wrap,
)  # fmt: skip
from audit.report.parts import SeverityPanel, SeverityPicture

LEFT, TALL, ABOVE, BELOW = 46.0, 130.0, 44.0, 26.0
STYLES: tuple[tuple[str, tuple[int, ...], str], ...] = (
    (BLUE, (), "circle"),
    (VERMILION, (6, 3), "square"),
    (GREEN, (2, 2), "triangle-up"),
    (PURPLE, (8, 3, 2, 3), "diamond"),
    (OCHRE, (10, 4), "triangle-down"),
    (INK, (1, 3), "cross"),
)
"""Colour, dash and shape of the lines: told apart by each of them alone."""
MOST_LINES = len(STYLES)


def draw_severities(picture: SeverityPicture, width: int) -> Spec:
    """Draw the panels with one legend above, all on one scale."""
    columns = 1 if width < 500 else min(3, len(picture.panels))
    side, step = width / columns, ABOVE + TALL + BELOW
    lines = math.ceil(len(picture.panels) / columns)
    in_row = 1 if width < 500 else 2 if len(picture.labels) < 3 else 3
    head = 22.0 * math.ceil(len(picture.labels) / in_row) + 8
    canvas = Canvas(width, head + lines * step + 44)
    _legend(canvas, picture, width, in_row)
    for n, panel in enumerate(picture.panels):
        _panel(canvas, picture, panel, n % columns * side, head + n // columns * step + ABOVE, side)
    below = wrap(f"{picture.x_axis}. {picture.y_axis}", width)
    canvas.texts(
        [{"x": width / 2, "y": head + lines * step + 18, "text": below}], colour=MUTED, size=11, align="center"
    )
    return canvas.spec()


def _legend(canvas: Canvas, picture: SeverityPicture, width: int, in_row: int) -> None:
    room = width / in_row
    for k, label in enumerate(picture.labels):
        colour, dash, shape = STYLES[k % MOST_LINES]
        x, y = k % in_row * room + 6, k // in_row * 22.0 + 12
        ends = [{"id": f"legend {k}", "k": n, "x": x + 30 * n, "y": y} for n in (0, 1)]
        canvas.lines(ends, colour, dash=dash)
        canvas.points([{"x": x + 15, "y": y}], shape, colour, colour, size=40)
        canvas.texts([{"x": x + 38, "y": y, "text": fit(label, room - 48)}], size=12)


def _panel(canvas: Canvas, picture: SeverityPicture, panel: SeverityPanel, x0: float, y0: float, side: float) -> None:
    left, right, bottom = x0 + LEFT, x0 + side - 14, y0 + TALL
    across = linear_place((picture.x_ticks[0].x, picture.x_ticks[-1].x), left, right)
    up = linear_place((picture.y_ticks[0].x, picture.y_ticks[-1].x), bottom, y0)
    canvas.rules([{"x": left, "x2": right, "y": up(t.x), "y2": up(t.x)} for t in picture.y_ticks], GRID, size=0.7)
    for k, line in enumerate(panel.lines):
        name = f"{x0:g} {y0:g} {k}"
        band = [
            {"id": name, "x": across(x), "y": up(high), "y2": up(low)}
            for x, low, high in zip(line.x, line.low, line.high, strict=True)
        ]
        canvas.areas(band, STYLES[k % MOST_LINES][0], opacity=0.15)
    for k, line in enumerate(panel.lines):
        colour, dash, shape = STYLES[k % MOST_LINES]
        name = f"{x0:g} {y0:g} {k}"
        points = [
            {"id": name, "k": n, "x": across(x), "y": up(y)}
            for n, (x, y) in enumerate(zip(line.x, line.value, strict=True))
        ]
        canvas.lines(points, colour, dash=dash)
        canvas.points([{"x": p["x"], "y": p["y"]} for p in points], shape, colour, colour, size=26)
    labels = [{"x": left - 6, "y": up(t.x), "text": t.label} for t in picture.y_ticks]
    canvas.texts(labels, colour=MUTED, size=11, align="right")
    below = [{"x": across(t.x), "y": bottom + 12, "text": t.label} for t in picture.x_ticks]
    canvas.texts(below, colour=MUTED, size=11, align="center")
    canvas.texts([{"x": x0 + 6, "y": y0 - 32, "text": fit(panel.label, side - 20)}], size=12, bold=True)
    canvas.texts([{"x": x0 + 6, "y": y0 - 16, "text": fit(panel.detail, side - 20, 11)}], colour=MUTED, size=11)
