"""Detection error trade-offs as small multiples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

from audit.report.charts.canvas import BAND, BLUE, GRID, MUTED, Canvas, Spec, fit
from audit.report.parts import CurvePicture


def draw_curves(picture: CurvePicture, width: int) -> Spec:
    """Draw DET curves as small multiples on probit axes, with a strip of its own for rates without errors."""
    columns = 2 if width < 500 else 4
    gap, strip = 38, 16
    side = (width - gap * columns - 6) / columns
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
    kept = {(round(x / 4), round(y / 4)): (x, y) for x, y in zeros}.values()
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
    shown = picture.ticks[1::2]
    canvas.texts(
        [{"x": x0 + strip + inner * scaled(t.x), "y": y0 + side + 8, "text": t.label} for t in shown],
        colour=MUTED,
        size=10,
        align="center",
    )
    canvas.texts(
        [{"x": x0 - 3, "y": y0 + inner - inner * scaled(t.x), "text": t.label} for t in shown],
        colour=MUTED,
        size=10,
        align="right",
    )
    canvas.texts(
        [
            {"x": x0 - 3, "y": y0 + side - strip / 2, "text": picture.zero},
        ],
        colour=MUTED,
        size=10,
        align="right",
    )
    canvas.texts([{"x": x0, "y": y0 - 20, "text": fit(label, side + 10)}], size=12)
    canvas.texts([{"x": x0, "y": y0 - 7, "text": detail}], size=10, colour=MUTED)
