"""Score distributions under each other."""

from __future__ import annotations

from audit.report.charts.canvas import BLUE, GRID, MUTED, VERMILION, Canvas, Spec, draw_axis, fit
from audit.report.parts import RidgePicture


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
    canvas = Canvas(width, bottom + 60)
    draw_axis(canvas, picture.ticks, place, top, bottom, picture.axis)
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
        {"x": 0, "y": top + step * n + offset, "text": fit(r.label, left - 12 if not narrow else 150)}
        for n, r in enumerate(picture.rows)
    ]
    canvas.texts(labels, size=12)
    align, x = ("right", canvas.width) if narrow else ("left", right + 14)
    details = [{"x": x, "y": top + step * n + offset, "text": r.detail} for n, r in enumerate(picture.rows)]
    canvas.texts(details, colour=MUTED, size=11, align=align)
