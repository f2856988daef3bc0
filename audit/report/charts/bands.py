"""Smooth curves with their bands as small multiples."""

from __future__ import annotations

import math

from audit.report.charts.canvas import BLUE, GRID, MUTED, Canvas, Rows, Spec, fit, linear_place, wrap
from audit.report.parts import BandPanel, BandPicture

LEFT, TALL, ABOVE, BELOW = 54.0, 150.0, 44.0, 26.0


def draw_bands(picture: BandPicture, width: int) -> Spec:
    """Draw one panel beside or below the other, all over the same axis, each with a scale of its own."""
    columns = 1 if width < 500 else min(2, len(picture.panels))
    side = width / columns
    step = ABOVE + TALL + BELOW
    lines = math.ceil(len(picture.panels) / columns)
    canvas = Canvas(width, lines * step + 40)
    for n, panel in enumerate(picture.panels):
        _panel(canvas, picture, panel, n % columns * side, n // columns * step + ABOVE, side)
    text = wrap(picture.axis, width)
    canvas.texts([{"x": width / 2, "y": lines * step + 16, "text": text}], colour=MUTED, size=11, align="center")
    return canvas.spec()


def _panel(canvas: Canvas, picture: BandPicture, panel: BandPanel, x0: float, y0: float, side: float) -> None:
    left, right, bottom = x0 + LEFT, x0 + side - 18, y0 + TALL
    across, up = linear_place(picture.domain, left, right), linear_place(panel.domain, bottom, y0)
    points = list(zip(panel.x, panel.value, panel.low, panel.high, strict=True))
    name = f"{panel.label} {x0:g} {y0:g}"
    canvas.areas([{"id": name, "x": across(x), "y": up(high), "y2": up(low)} for x, _, low, high in points], GRID)
    canvas.rules([{"x": left, "x2": right, "y": up(t.x), "y2": up(t.x)} for t in panel.ticks], GRID, size=0.7)
    canvas.rules([{"x": across(t.x), "x2": across(t.x), "y": y0, "y2": bottom} for t in picture.ticks], GRID, size=0.7)
    curve: Rows = [{"id": name, "k": k, "x": across(x), "y": up(value)} for k, (x, value, _, _) in enumerate(points)]
    canvas.lines(curve, BLUE, size=2)
    labels = [{"x": left - 6, "y": up(t.x), "text": t.label} for t in panel.ticks]
    canvas.texts(labels, colour=MUTED, size=11, align="right")
    below = [{"x": across(t.x), "y": bottom + 12, "text": t.label} for t in picture.ticks]
    canvas.texts(below, colour=MUTED, size=11, align="center")
    canvas.texts([{"x": x0 + 6, "y": y0 - 32, "text": fit(panel.label, side - 20)}], size=12, bold=True)
    canvas.texts([{"x": x0 + 6, "y": y0 - 16, "text": fit(panel.detail, side - 20, 11)}], colour=MUTED, size=11)
