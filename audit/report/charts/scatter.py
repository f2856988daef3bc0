"""Points with intervals in both directions: what costs accuracy against what differs between groups."""

from __future__ import annotations

from audit.report.charts.canvas import (
    BAND,
    BLUE,
    GRID,
    INK,
    MUTED,
    Canvas,
    Spec,
    draw_axis,
    fit,
    linear_place,
    log_place,
)
from audit.report.parts import ScatterPicture

SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
"""A record keeps its shape; fills repeat in three kinds, so that eighteen records are told apart without colour."""
TALL, TOP, LEFT = 320.0, 44.0, 58.0


def draw_scatter(picture: ScatterPicture, width: int) -> Spec:
    """Draw the points, their intervals, and a legend below."""
    bottom = TOP + TALL
    canvas = Canvas(width, bottom + 56 + 20 * len(picture.marks))
    across, up = linear_place(picture.x_domain, LEFT, width - 24), log_place(picture.y_domain, bottom, TOP)
    canvas.rules([{"x": LEFT, "x2": width - 24, "y": up(t.x), "y2": up(t.x)} for t in picture.y_ticks], GRID)
    canvas.texts(
        [{"x": LEFT - 6, "y": up(t.x), "text": t.label} for t in picture.y_ticks], colour=MUTED, size=11, align="right"
    )
    draw_axis(canvas, picture.x_ticks, across, TOP, bottom, picture.x_axis)
    canvas.texts([{"x": 0, "y": 10, "text": fit(picture.y_axis, width, 11)}], colour=MUTED, size=11)
    canvas.texts([{"x": LEFT + 4, "y": bottom - 10, "text": picture.better}], colour=MUTED, size=11)
    for mark in picture.marks:
        x, y = across(mark.x), up(mark.y)
        if mark.x_bounds:
            canvas.rules([{"x": across(mark.x_bounds[0]), "x2": across(mark.x_bounds[1]), "y": y, "y2": y}], BLUE)
        if mark.y_bounds:
            canvas.rules([{"x": x, "x2": x, "y": up(mark.y_bounds[0]), "y2": up(mark.y_bounds[1])}], BLUE)
    for k, mark in enumerate(picture.marks):
        shape, fill = SHAPES[k % len(SHAPES)], (BLUE, None, BAND)[k // len(SHAPES) % 3]
        below = bottom + 62 + 20 * k
        canvas.points([{"x": across(mark.x), "y": up(mark.y)}, {"x": 10, "y": below}], shape, BLUE, fill, size=90)
        canvas.texts([{"x": 24, "y": below, "text": fit(mark.label, width - 30)}], colour=INK, size=12)
    return canvas.spec()
