"""The compiled part of the cascade: window sums of an image, and what follows a convolution.

Whole numbers are summed and divided as numpy would, so every result is the same to the last bit; without Python's
global lock, so that images on several threads do not wait for each other.
"""

# numba compiles these with its own rules of mixed arithmetic, which numpy's stubs do not know.
# mypy: disable-error-code="arg-type,index,assignment"

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Sums = NDArray[np.int32]

_MIDDLE, _SCALE = np.float32(127.5), np.float32(0.0078125)
"""What facenet-pytorch takes off a pixel, and multiplies the rest with."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def table_of_sums(image: NDArray[np.uint8]) -> Sums:
    """(height + 1) x (width + 1) x 3: sum of all pixels above and left.

    Overflow cancels in differences, as long as a window's sum is below 2^31: eight million white pixels.
    """
    height, width = image.shape[:2]
    sums = np.empty((height + 1, width + 1, 3), np.int32)
    sums[0] = 0
    for y in range(height):
        red = green = blue = np.int32(0)
        sums[y + 1, 0] = 0
        for x in range(width):
            red += np.int32(image[y, x, 0])
            green += np.int32(image[y, x, 1])
            blue += np.int32(image[y, x, 2])
            sums[y + 1, x + 1, 0] = sums[y, x + 1, 0] + red
            sums[y + 1, x + 1, 1] = sums[y, x + 1, 1] + green
            sums[y + 1, x + 1, 2] = sums[y, x + 1, 2] + blue
    return sums


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def averages(sums: Sums, boxes: Ints, height: int, width: int) -> Floats:
    """Average every box down, as adaptive average pooling does, in the networks' scale.

    Parameters
    ----------
    sums : int32, from `table_of_sums`
    boxes : int64, n x 4
        Left, top, right, bottom in whole pixels, inside the image.
    height, width : int

    Returns
    -------
    float32, n x height x width x 3
    """
    made = np.empty((len(boxes), height, width, 3), np.float32)
    before, behind = np.empty(width, np.int64), np.empty(width, np.int64)
    columns = np.empty(width, np.float32)
    for k in range(len(boxes)):
        left, top = boxes[k, 0], boxes[k, 1]
        wide, high = boxes[k, 2] - left, boxes[k, 3] - top
        for j in range(width):
            before[j], behind[j] = left + j * wide // width, left - (-(j + 1) * wide // width)
            columns[j] = behind[j] - before[j]
        for i in range(height):
            above, below = top + i * high // height, top - (-(i + 1) * high // height)
            rows = np.float32(below - above)
            for j in range(width):
                for c in range(3):
                    lower = sums[below, behind[j], c] - sums[below, before[j], c]
                    upper = sums[above, behind[j], c] - sums[above, before[j], c]
                    made[k, i, j, c] = (np.float32(np.int32(lower - upper)) / rows / columns[j] - _MIDDLE) * _SCALE
    return made


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def bent_pool(x: Floats, slope: Floats, size: int) -> Floats:
    """Parametric rectification, then the largest of size x size values, every second row and column.

    Parameters
    ----------
    x : float32, n x height x width x channels, C order
    slope : float32, channels
        What negative values are multiplied with.
    size : int
        2 or 3; windows at the edge may be cut off.

    Returns
    -------
    float32, n x rows x columns x channels
    """
    count, height, width, channels = x.shape
    rows, columns = (height - size + 1) // 2 + 1, (width - size + 1) // 2 + 1
    made = np.empty((count, rows, columns, channels), np.float32)
    flat = x.reshape(count, height, width * channels)
    slopes, largest = np.empty(width * channels, np.float32), np.empty(width * channels, np.float32)
    for k in range(len(slopes)):
        slopes[k] = slope[k % channels]
    for n in range(count):
        for i in range(rows):
            largest[:] = -np.inf
            for y in range(2 * i, min(2 * i + size, height)):
                row = flat[n, y]
                for k in range(len(row)):
                    value = row[k] if row[k] > 0 else row[k] * slopes[k]
                    largest[k] = value if value > largest[k] else largest[k]
            for j in range(columns):
                first, end = 2 * j, min(2 * j + size, width)
                for c in range(channels):
                    made[n, i, j, c] = largest[first * channels + c]
                for z in range(first + 1, end):
                    for c in range(channels):
                        value = largest[z * channels + c]
                        made[n, i, j, c] = value if value > made[n, i, j, c] else made[n, i, j, c]
    return made


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def bend(x: Floats, slope: Floats) -> None:
    """Parametric rectification in place.

    Parameters
    ----------
    x : float32, rows x (columns times channels), C order
    slope : float32, channels
    """
    slopes = np.empty(x.shape[1], np.float32)
    for k in range(len(slopes)):
        slopes[k] = slope[k % len(slope)]
    for row in x:
        for k in range(len(row)):
            row[k] = row[k] if row[k] > 0 else row[k] * slopes[k]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def suppressed(boxes: Floats, order: Ints, most: np.float32, of_smaller: bool) -> NDArray[np.bool_]:
    """Which boxes go in non-maximum suppression.

    Parameters
    ----------
    boxes : float32, n x at least 4
        Left, top, right, bottom.
    order : int64, n
        Indices of the boxes, the best first.
    most : float32
        A box goes if more than this share of the union with a better one that stays is common to both.
    of_smaller : bool
        The share is of the smaller of the two instead, whole pixels counted.

    Returns
    -------
    bool, n, in `order`
    """
    gone = np.zeros(len(order), np.bool_)
    edge = np.float32(1 if of_smaller else 0)
    for first in range(len(order)):
        if gone[first]:
            continue
        a = boxes[order[first]]
        area = (a[2] - a[0] + edge) * (a[3] - a[1] + edge)
        for second in range(first + 1, len(order)):
            b = boxes[order[second]]
            wide = max(min(a[2], b[2]) - max(a[0], b[0]) + edge, np.float32(0))
            high = max(min(a[3], b[3]) - max(a[1], b[1]) + edge, np.float32(0))
            other = (b[2] - b[0] + edge) * (b[3] - b[1] + edge)
            shared = wide * high
            whole = min(area, other) if of_smaller else area + other - shared
            gone[second] = gone[second] or shared > most * whole
    return gone
