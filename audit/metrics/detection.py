"""Faces that were found against faces that are there: matching, misses, false detections, errors of landmarks.

A *miss* is a face that is there and that no detection is matched to. A detection that is matched to no face is a *false
detection*; a second box round one face is one, too (as in PASCAL VOC, Everingham et al. 2010, IJCV 88:303). Where a
benchmark marks no place, and says only that a picture shows a face, any detection finds it, and those beyond the first
are false. What is not a number is never a detection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.domain import Box, Detections, Points

Floats = NDArray[np.float64]
Kind = Literal["box", "landmarks", "present", "none"]


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the face of a picture is, in pixels of the whole picture; `kind` says how that is known."""

    kind: Kind
    box: Box | None = None
    points: Points | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """What a detector made of one picture."""

    found: bool
    false: int
    """Detections that are no face, or the same one again."""
    kept: int
    """Detections at the declared confidence."""
    landmark_error: float | None = None
    """Mean distance of its landmarks from the marked ones over the distance of the pupils; None: not known."""


def overlap(boxes: Floats, box: Box) -> Floats:
    """Intersection over union of n boxes (left, top, right, bottom) with one; 0 for what has no area.

    >>> overlap(np.array([[0.0, 0.0, 2.0, 2.0], [5.0, 5.0, 6.0, 6.0]]), (1.0, 0.0, 3.0, 2.0)).tolist()
    [0.3333333333333333, 0.0]
    """
    low = np.maximum(boxes[:, :2], np.array(box[:2]))
    high = np.minimum(boxes[:, 2:4], np.array(box[2:]))
    both = np.prod(np.maximum(high - low, 0.0), axis=1)
    sides = np.maximum(boxes[:, 2:4] - boxes[:, :2], 0.0)
    either = np.prod(sides, axis=1) + (box[2] - box[0]) * (box[3] - box[1]) - both
    return np.asarray(np.divide(both, either, out=np.zeros(len(boxes)), where=either > 0))


def holds(boxes: Floats, points: Points) -> Floats:
    """Share of the points that lie inside each of n boxes, edges included."""
    at = np.array(points)[None]
    inside = (at >= boxes[:, None, :2]) & (at <= boxes[:, None, 2:4])
    return np.asarray(inside.all(axis=2).mean(axis=1))


def match(seen: Detections, truth: Truth, *, confidence: float, iou: float) -> Matched:
    """Match what was found in a picture with its face.

    Parameters
    ----------
    seen : Detections
        In the same pixels as `truth`.
    truth : Truth
        Of a kind other than "none".
    confidence : float
        A detection counts from this confidence on: `>=`.
    iou : float
        A box counts as the marked face from this overlap on: `>=`. Where landmarks alone are marked, it has to hold all
        of them.

    Notes
    -----
    Of several boxes that would do, the one that overlaps most is the face; of equal ones, the surest, then the first.
    """
    if truth.kind == "none":
        raise ValueError("a picture of which nothing is known cannot be matched")
    kept = np.isfinite(seen.boxes).all(axis=1) & (seen.boxes[:, 4] >= confidence)
    boxes = seen.boxes[kept]
    number = len(boxes)
    if truth.box is not None:
        fits = overlap(boxes, truth.box)
        good = fits >= iou
    elif truth.points is not None:
        fits = holds(boxes, truth.points)
        good = fits >= 1.0
    else:
        fits, good = boxes[:, 4].copy(), np.ones(number, dtype=bool)
    if not good.any():
        return Matched(False, number, number)
    best = int(np.lexsort((-boxes[:, 4], -np.where(good, fits, -np.inf)))[0])
    points = None if seen.points is None else seen.points[kept][best]
    return Matched(True, number - 1, number, None if points is None else landmark_error(points, truth.points))


def landmark_error(points: Floats, marked: Points | None) -> float | None:
    """Mean distance of landmarks from the marked ones, over the distance of the marked pupils.

    Parameters
    ----------
    points : float, 5 x 2
    marked : five of x and y, the pupils first; None gives None

    Source
    ------
    Jesorsky, Kirchberg & Frischholz (2001), AVBPA, for the eyes; in this form Zhang et al. (2014), ECCV.

    >>> landmark_error(np.array([[1.0, 0], [11, 0], [5, 5], [2, 8], [8, 8]]), ((0, 0), (10, 0), (5, 5), (2, 8), (8, 8)))
    0.04
    """
    if marked is None:
        return None
    there = np.array(marked, dtype=np.float64)
    between = float(np.hypot(*(there[1] - there[0])))
    if not between > 0 or not np.isfinite(points).all():
        return None
    return float(np.hypot(*(points - there).T).mean() / between)
