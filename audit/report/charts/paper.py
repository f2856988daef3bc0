"""Pictures on paper: at the width of a page, and cut into pieces where one would not fit its height."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from audit.report import charts
from audit.report.parts import (
    BandPicture,
    CurvePicture,
    HistogramPicture,
    Picture,
    RidgePicture,
    RowMark,
    RowPicture,
    SeverityPicture,
)

WIDTH, TALLEST = 740, 900
"""Of the text area of a page, in the pixels of a drawing."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One drawing, and the share of the page's width that it takes."""

    svg: str
    share: float


def sheets(picture: Picture, name: str) -> list[Sheet]:
    """Draw a picture for paper, in one piece or several that share their axes.

    Parameters
    ----------
    name : prefix of the ids inside, unique in the document
    """
    made = []
    for n, piece in enumerate(pieces(picture)):
        spec = charts.draw(piece, WIDTH)
        share = min(1.0, spec["width"] / WIDTH, TALLEST / spec["height"] * spec["width"] / WIDTH)
        made.append(Sheet(charts.svg(spec, f"{name}-p{n}-"), round(share, 4)))
    return made


def pieces(picture: Picture) -> list[Picture]:
    """Cut a picture that is a list of rows or panels where it would be taller than a page; others are shrunk."""
    height = charts.draw(picture, WIDTH)["height"]
    made: list[Picture] = [picture]
    if height <= TALLEST:
        return made
    if isinstance(picture, RowPicture):
        made = [replace(picture, rows=part) for part in _headed(picture.rows, _most(len(picture.rows), height))]
    elif isinstance(picture, RidgePicture | HistogramPicture):
        rows: tuple[Any, ...] = picture.rows
        made = [replace(picture, rows=part) for part in _even(rows, height)]
    elif isinstance(picture, CurvePicture | BandPicture | SeverityPicture):
        panels: tuple[Any, ...] = picture.panels
        made = [replace(picture, panels=part) for part in _even(panels, height)]
    return made


def _even(items: tuple[Any, ...], height: float) -> list[Any]:
    most = _most(len(items), height)
    return [items[start : start + most] for start in range(0, len(items), most)]


def _most(count: int, height: float) -> int:
    """How many rows of a picture stand on a page: all pages alike, a few fewer than fit, as titles are repeated."""
    pages = math.ceil(height / (0.9 * TALLEST))
    most = math.ceil((count + pages) / pages)  # a heading may be repeated on each
    return most + most % 2  # panels stand in pairs


def _headed(rows: tuple[RowMark, ...], most: int) -> list[tuple[RowMark, ...]]:
    """Cut rows; the heading above a row is repeated, and none stands last."""
    parts: list[list[RowMark]] = [[]]
    heading: RowMark | None = None
    for row in rows:
        if len(parts[-1]) >= most or (row.heading and len(parts[-1]) >= most - 1):
            parts.append([heading] if heading is not None and not row.heading else [])
        parts[-1].append(row)
        heading = row if row.heading else heading
    return [tuple(part) for part in parts]
