"""Measured values below the histograms of what chance alone gives."""

from __future__ import annotations

from audit.report.charts.canvas import BLUE, GRID, MUTED, VERMILION, Canvas, Rows, Spec, draw_axis, fit, log_place
from audit.report.parts import HistogramPicture, HistogramRow

TOP, TALL, BELOW = 34.0, 40.0, 18.0


def draw_histograms(picture: HistogramPicture, width: int) -> Spec:
    """Draw one histogram a row, its 95 % point dashed, and the value with its interval under the base line."""
    narrow = width < 500
    longest = max((len(row.label) for row in picture.rows), default=0)
    left, right = (12, width - 12) if narrow else (min(330.0, max(150.0, 7.4 * longest + 16)), width - 220)
    step, top = TALL + BELOW + (20 if narrow else 8), TOP + (34 if narrow else 0)
    bottom = top + step * len(picture.rows)
    canvas = Canvas(width, bottom + 60)
    place = log_place(picture.domain, left, right)
    draw_axis(canvas, picture.ticks, place, top, bottom, picture.axis)
    for n, row in enumerate(picture.rows):
        base = top + step * (n + 1) - BELOW
        bars: Rows = [
            {"x": place(a), "x2": place(b), "y": round(base - TALL * h, 2), "y2": base} for a, b, h in row.bins if h
        ]
        canvas.rects(bars, GRID)
        canvas.rules([{"x": left, "x2": right, "y": base, "y2": base}], MUTED, size=0.8)
        if row.line is not None:
            canvas.rules([_upright(place(row.line), base - TALL, base)], VERMILION, size=1.5, dash=(5, 3))
        low, x, high = place(row.low), place(row.x), place(row.high)
        canvas.rules([{"x": low, "x2": high, "y": base + 9, "y2": base + 9}], BLUE, size=2.2)
        canvas.rules([_upright(e, base + 5, base + 13) for e in (low, high)], BLUE, size=1.4)
        canvas.rules([_upright(x, base - TALL, base + 9)], BLUE, size=1.4)
        canvas.points([{"x": x, "y": base + 9}], "circle", BLUE, BLUE)
        _words(canvas, row, base - TALL, left, right, narrow)
    _legend(canvas, picture, narrow)
    return canvas.spec()


def _upright(x: float, y: float, y2: float) -> dict[str, float]:
    return {"x": x, "x2": x, "y": y, "y2": y2}


def _words(canvas: Canvas, row: HistogramRow, y: float, left: float, right: float, narrow: bool) -> None:
    if narrow:
        canvas.texts([{"x": 0, "y": y - 10, "text": fit(row.label, canvas.width - 6.6 * len(row.detail) - 10)}])
        detail = {"x": canvas.width, "y": y - 10, "text": row.detail}
        canvas.texts([detail], colour=MUTED, size=11, align="right")
        return
    canvas.texts([{"x": 0, "y": y + TALL / 2, "text": fit(row.label, left - 12)}])
    canvas.texts([{"x": right + 14, "y": y + TALL / 2, "text": row.detail}], colour=MUTED)


def _legend(canvas: Canvas, picture: HistogramPicture, narrow: bool) -> None:
    """Below each other on a narrow page, beside each other on a wide one."""
    starts = ((0.0, 8.0), (0.0, 26.0), (0.0, 44.0)) if narrow else ((0.0, 9.0), (310.0, 9.0), (560.0, 9.0))
    (x, y), (x2, y2), (x3, y3) = starts
    canvas.rects([{"x": x, "x2": x + 14, "y": y - 5, "y2": y + 5}], GRID, stroke=MUTED)
    canvas.rules([_upright(x2 + 7, y2 - 6, y2 + 6)], VERMILION, size=1.5, dash=(5, 3))
    canvas.rules([{"x": x3, "x2": x3 + 14, "y": y3, "y2": y3}], BLUE, size=2.2)
    canvas.points([{"x": x3 + 7, "y": y3}], "circle", BLUE, BLUE, size=50)
    texts = ((x, y, picture.filled), (x2, y2, picture.line), (x3, y3, picture.measured))
    canvas.texts([{"x": a + 20, "y": b, "text": text} for a, b, text in texts], size=11)
