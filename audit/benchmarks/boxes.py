"""Boxes of faces that a benchmark has marked: four columns of a table of samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from audit.domain import Box
from audit.errors import DataError

COLUMNS = ("box_left", "box_top", "box_width", "box_height")
_WAY_OUT = "Give pixels of the upright picture as numbers, width and height above 0, or leave all four cells empty"


def require_all_columns(columns: Iterable[str], path: Path) -> None:
    """Refuse a table that has some of the four columns.

    Raises
    ------
    DataError
        Naming those that are missing.
    """
    missing = [name for name in COLUMNS if name not in set(columns)]
    if 0 < len(missing) < len(COLUMNS):
        raise DataError(str(path), f"has no column {', '.join(missing)}", f"A box has {', '.join(COLUMNS)}")


def read(cells: Mapping[Any, Any], *, place: str) -> Box | None:
    """Left, top, right and bottom of a row's box; None where the row has none.

    Raises
    ------
    DataError
        If a cell is no number, some cells are empty, or the box has no area.
    """
    said = [str(cells.get(name, "")).strip() for name in COLUMNS]
    if not any(said):
        return None
    numbers = []
    for name, text in zip(COLUMNS, said, strict=True):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or (name in COLUMNS[2:] and number <= 0):
            raise DataError(f"{place}, column {name!r}", f"{text!r} is no side of a box", _WAY_OUT)
        numbers.append(number)
    left, top, width, height = numbers
    return left, top, left + width, top + height
