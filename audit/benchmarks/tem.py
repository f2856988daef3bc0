"""Landmark files of Psychomorph and WebMorph (`.tem`): a count, then a line of x and y for every point.

What follows the points (which of them are joined by lines, for drawing) is not read. The files are untrusted: their
size is looked at before they are, and every mistake is named by its line.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.errors import DataError

SUFFIX = ".tem"
MOST_BYTES = 2**20
MOST_POINTS = 10_000
_FARTHEST = 1e6
"""Pixels: no picture that is decoded is as wide."""
_WAY_OUT = "Restore the published file, or remove it: the picture then counts as one without landmarks"


def read(path: Path) -> NDArray[np.float64]:
    """Read the landmarks of a picture.

    Parameters
    ----------
    path : Path

    Returns
    -------
    float64, points x 2
        x and y in pixels of the picture, from its upper left corner; what they mean depends on the template.

    Raises
    ------
    DataError
        Naming the file and the line.
    """
    lines = _text(path).split("\n")
    count = _count(path, lines[0].strip())
    rows = [_point(path, number, line) for number, line in enumerate(lines[1 : count + 1], start=2)]
    if len(rows) < count:
        raise DataError(str(path), f"announces {count} points and has {len(rows)}", _WAY_OUT)
    return np.array(rows, np.float64)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(str(path), f"is larger than {MOST_BYTES // 2**10} KiB", _WAY_OUT)
        return path.read_bytes().decode("ascii")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, byte {error.start}", "is no text", _WAY_OUT) from None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", _WAY_OUT) from None


def _count(path: Path, text: str) -> int:
    if not text.isdecimal() or len(text) > len(str(MOST_POINTS)) or not 0 < int(text) <= MOST_POINTS:
        raise DataError(f"{path}, line 1", f"{text[:20]!r} is no number of points (1 to {MOST_POINTS})", _WAY_OUT)
    return int(text)


def _point(path: Path, number: int, line: str) -> tuple[float, float]:
    try:
        x, y = (float(cell) for cell in line.split())
    except ValueError:
        x = y = math.nan
    if not (abs(x) <= _FARTHEST and abs(y) <= _FARTHEST):
        raise DataError(f"{path}, line {number}", f"{line.strip()[:40]!r} is no point: two numbers", _WAY_OUT)
    return x, y
