"""Faces as one vector, as the store keeps outcomes: pixels of the whole picture in one that was looked at, and rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.domain import Detections, Picture, Template

_HEAD = 3
"""Numbers before those of faces: pixels of the whole picture in one that was looked at (x, y), and numbers a face."""


def reduced(picture: Picture, working_size: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A picture at most `working_size` long, and how many pixels of the whole one lie in one of its (x, y)."""
    image = picture.pixels
    height, width = image.shape[:2]
    share = min(1.0, working_size / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = image if share == 1.0 else np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
    return small, np.array([width / size[0], height / size[1]]) * picture.reduction


def pack(found: Detections, scale: NDArray[np.float64]) -> Template:
    """All faces as one vector: scale, numbers a face, then box, confidence and points of each."""
    columns = [found.boxes.reshape(-1, 5)]
    if found.points is not None:
        columns.append(found.points.reshape(len(found.boxes), 10))
    rows = np.hstack(columns)
    return Template(np.r_[scale, rows.shape[1], rows.ravel()].astype(np.float32), len(rows))


def unpack(kept: Template) -> Detections | None:
    """The same in pixels of the whole picture; None for what `pack` did not make."""
    vector = kept.vector.astype(np.float64)
    if len(vector) < _HEAD or vector[2] not in {5.0, 15.0} or (len(vector) - _HEAD) % int(vector[2]):
        return None
    rows = vector[_HEAD:].reshape(-1, int(vector[2]))
    points = rows[:, 5:].reshape(-1, 5, 2) if rows.shape[1] > 5 else None
    return Detections(rows[:, :5], points).scaled(vector[:2])
