"""Values with intervals, one row each."""

from __future__ import annotations

from collections.abc import Callable

from audit.report.charts.canvas import (
    BAND,
    BLUE,
    GRID,
    INK,
    MUTED,
    PAPER,
    VERMILION,
    Canvas,
    Rows,
    Spec,
    draw_axis,
    fit,
    linear_place,
    log_place,
)
from audit.report.parts import RowMark, RowPicture


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
    canvas = Canvas(width, bottom + 60)
    place = (linear_place if picture.linear else log_place)(picture.domain, left, right)
    if picture.band:
        canvas.rects([{"x": place(picture.band[0]), "x2": place(picture.band[1]), "y": head, "y2": bottom}], BAND)
    draw_axis(canvas, picture.ticks, place, head, bottom, picture.axis)
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


def _row_texts(
    canvas: Canvas, picture: RowPicture, tops: list[float], centre: list[float], left: float, right: float, narrow: bool
) -> None:
    heads = [(r, t) for r, t in zip(picture.rows, tops, strict=True) if r.heading]
    canvas.texts([{"x": 0, "y": t + 12, "text": r.label} for r, t in heads], size=12, bold=True)
    canvas.rules([{"x": 0, "x2": canvas.width, "y": t + 22, "y2": t + 22} for _, t in heads], MUTED, size=0.8)
    rest = [(r, t, c) for r, t, c in zip(picture.rows, tops, centre, strict=True) if not r.heading]
    if narrow:
        room = [canvas.width - 6.6 * len(r.detail) - 10 for r, _, _ in rest]
        labels: Rows = [{"x": 0, "y": t + 12, "text": fit(r.label, w)} for (r, t, _), w in zip(rest, room, strict=True)]
        canvas.rects(
            [{"x": 0, "x2": 7 * len(row["text"]), "y": row["y"] - 8, "y2": row["y"] + 8} for row in labels], PAPER
        )
        details = [{"x": canvas.width, "y": t + 12, "text": r.detail} for r, t, _ in rest]
        canvas.texts(labels, size=12)
        canvas.texts(details, colour=MUTED, size=11, align="right")
        return
    canvas.texts([{"x": 0, "y": c, "text": fit(r.label, left - 12)} for r, _, c in rest], size=12)
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
    canvas.points([{"x": x, "y": y}], "circle", BLUE, BLUE if row.marker == "solid" else None)
    if row.marker == "half":
        canvas.points([{"x": x, "y": y}], "circle", BLUE, BLUE, size=8)
