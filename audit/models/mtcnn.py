"""MTCNN's cascade (Zhang et al. 2016) on facenet-pytorch's weights: the same boxes, in less than half the time.

The library spends most of its time on averaging the image down, once a scale and once a candidate. Here that is done
from one table of sums, exactly: sums of whole numbers, divided as the library divides them. Tests hold boxes and
landmarks against the library's own. One image at a time, so that a face does not depend on its neighbours.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as f

from audit.errors import ModelError

THRESHOLDS = (0.6, 0.7, 0.7)
FACTOR = 0.709
_CELL, _STRIDE = 12, 2
_AT_ONCE = 256
"""Candidates that are cut out at a time: a picture of noise has thousands."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
_State = dict[str, Tensor]


def folder() -> Path | None:
    """Folder of the weights in facenet-pytorch's wheel, which is not imported: it loads all of torchvision."""
    spec = find_spec("facenet_pytorch")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "data"


class Cascade:
    """Proposals, refinement and landmarks. Safe to call from several threads.

    Parameters
    ----------
    smallest_face : int
        Side, in pixels, of the smallest face looked for.
    device : str
        Where the three networks run.

    Raises
    ------
    ModelError
        If facenet-pytorch is not installed.
    """

    def __init__(self, smallest_face: int, device: str = "cpu") -> None:
        where = folder()
        if where is None:
            raise ModelError("detector mtcnn", "facenet-pytorch is not installed", "pip install facenet-pytorch==2.5.3")
        self._smallest, self._device = smallest_face, device
        self._p, self._r, self._o = (_state(where / f"{net}net.pt", device) for net in "pro")
        heads = ("conv4_1", "conv4_2")
        self._p["heads.weight"] = torch.cat([self._p[f"{name}.weight"] for name in heads])
        self._p["heads.bias"] = torch.cat([self._p[f"{name}.bias"] for name in heads])

    def find(self, image: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Find all faces.

        Parameters
        ----------
        image : uint8, height x width x 3, RGB

        Returns
        -------
        boxes : float32, n x 5
            Left, top, right, bottom, confidence.
        points : float32, n x 5 x 2
        """
        sums = _table_of_sums(image)
        with torch.inference_mode():
            boxes = self._refine(sums, self._propose(sums))
            return self._locate(sums, boxes)

    def _propose(self, sums: NDArray[np.int32]) -> Floats:
        """Candidates of all scales, squares."""
        height, width = sums.shape[0] - 1, sums.shape[1] - 1
        scale, side = _CELL / self._smallest, min(height, width) * _CELL / self._smallest
        found = []
        while side >= _CELL:
            pixels = _pyramid_level(sums, int(height * scale + 1), int(width * scale + 1))
            probability, move = self._proposals(pixels)
            boxes = _cells(probability, move, scale)
            found.append(boxes[_suppress(boxes, 0.5)])
            scale, side = scale * FACTOR, side * FACTOR
        boxes = np.concatenate(found) if found else np.zeros((0, 9), np.float32)
        boxes = boxes[_suppress(boxes, 0.7)]
        size = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
        return _square(np.column_stack([boxes[:, :4] + boxes[:, 5:9] * size, boxes[:, 4]]))

    def _proposals(self, pixels: Floats) -> tuple[Floats, Floats]:
        net = self._p
        x = f.max_pool2d(_convolve(net, self._put(pixels[np.newaxis]), 1), 2, 2, ceil_mode=True)
        x = _convolve(net, _convolve(net, x, 2), 3)
        out = f.conv2d(x, net["heads.weight"], net["heads.bias"])[0]
        face = f.softmax(out[:2], dim=0)[1]
        return face.cpu().numpy(), out[2:].cpu().numpy()

    def _refine(self, sums: NDArray[np.int32], boxes: Floats) -> Floats:
        boxes, crops = _crops(sums, boxes, 24)
        out = [self._refinements(part) for part in crops]
        if not out:
            return np.zeros((0, 5), np.float32)
        score, move = (np.concatenate(parts) for parts in zip(*out, strict=True))
        kept = score > THRESHOLDS[1]
        boxes, move = np.column_stack([boxes[kept, :4], score[kept]]), move[kept]
        left = _suppress(boxes, 0.7)
        return _square(_moved(boxes[left], move[left]))

    def _refinements(self, crops: Floats) -> tuple[Floats, Floats]:
        net = self._r
        x = f.max_pool2d(_convolve(net, self._put(crops), 1), 3, 2, ceil_mode=True)
        x = f.max_pool2d(_convolve(net, x, 2), 3, 2, ceil_mode=True)
        x = _dense(net, _convolve(net, x, 3), 4)
        score = f.softmax(f.linear(x, net["dense5_1.weight"], net["dense5_1.bias"]), dim=1)[:, 1]
        return score.cpu().numpy(), f.linear(x, net["dense5_2.weight"], net["dense5_2.bias"]).cpu().numpy()

    def _locate(self, sums: NDArray[np.int32], boxes: Floats) -> tuple[Floats, Floats]:
        boxes, crops = _crops(sums, boxes, 48)
        out = [self._landmarks(part) for part in crops]
        if not out:
            return np.zeros((0, 5), np.float32), np.zeros((0, 5, 2), np.float32)
        score, move, places = (np.concatenate(parts) for parts in zip(*out, strict=True))
        kept = score > THRESHOLDS[2]
        boxes, move, places = np.column_stack([boxes[kept, :4], score[kept]]), move[kept], places[kept]
        size = (boxes[:, 2:4] - boxes[:, :2] + 1)[:, np.newaxis]
        points = size * places.reshape(-1, 2, 5).transpose(0, 2, 1) + boxes[:, np.newaxis, :2] - 1
        boxes = _moved(boxes, move)
        left = _suppress(boxes, 0.7, of_smaller=True)
        return boxes[left], points[left].astype(np.float32)

    def _landmarks(self, crops: Floats) -> tuple[Floats, Floats, Floats]:
        net = self._o
        x = f.max_pool2d(_convolve(net, self._put(crops), 1), 3, 2, ceil_mode=True)
        x = f.max_pool2d(_convolve(net, x, 2), 3, 2, ceil_mode=True)
        x = f.max_pool2d(_convolve(net, x, 3), 2, 2, ceil_mode=True)
        x = _dense(net, _convolve(net, x, 4), 5)
        score = f.softmax(f.linear(x, net["dense6_1.weight"], net["dense6_1.bias"]), dim=1)[:, 1]
        move, places = (f.linear(x, net[f"dense6_{k}.weight"], net[f"dense6_{k}.bias"]) for k in (2, 3))
        return score.cpu().numpy(), move.cpu().numpy(), places.cpu().numpy()

    def _put(self, pixels: Floats) -> Tensor:
        """Turn n x height x width x 3 into the networks' n x 3 x height x width; memory stays as it lies."""
        return torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2)


def _state(path: Path, device: str) -> _State:
    state: _State = torch.load(io.BytesIO(path.read_bytes()), map_location=device, weights_only=True)
    return {
        name: value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value
        for name, value in state.items()
    }


def _convolve(net: _State, x: Tensor, layer: int) -> Tensor:
    out = f.conv2d(x, net[f"conv{layer}.weight"], net[f"conv{layer}.bias"])
    return f.prelu(out, net[f"prelu{layer}.weight"])


def _dense(net: _State, x: Tensor, layer: int) -> Tensor:
    flat = x.permute(0, 3, 2, 1).reshape(len(x), -1)
    out = f.linear(flat, net[f"dense{layer}.weight"], net[f"dense{layer}.bias"])
    return f.prelu(out, net[f"prelu{layer}.weight"])


def _table_of_sums(image: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(height + 1) x (width + 1) x 3: sum of all pixels above and left.

    Overflow cancels in differences, as long as a window's sum is below 2^31: eight million white pixels.
    """
    height, width = image.shape[:2]
    sums = np.zeros((height + 1, width + 1, 3), np.int32)
    np.cumsum(image, axis=1, dtype=np.int32, out=sums[1:, 1:])
    for row in range(2, height + 1):
        sums[row] += sums[row - 1]
    return sums


def _pyramid_level(sums: NDArray[np.int32], height: int, width: int) -> Floats:
    """Image averaged down to height x width, in the networks' scale."""
    top, bottom = _windows(np.array([sums.shape[0] - 1]), height)
    left, right = _windows(np.array([sums.shape[1] - 1]), width)
    rows = sums.take(bottom[0], axis=0)
    rows -= sums.take(top[0], axis=0)
    cells = rows.take(right[0], axis=1)
    cells -= rows.take(left[0], axis=1)
    return _mean(cells, (bottom - top)[0][:, np.newaxis, np.newaxis], (right - left)[0][np.newaxis, :, np.newaxis])


def _windows(size: Ints, parts: int) -> tuple[Ints, Ints]:
    """Where the parts of adaptive average pooling begin and end, a row a size."""
    k = np.arange(parts)
    begin = k * size[:, np.newaxis] // parts
    return begin, -((-(k + 1) * size[:, np.newaxis]) // parts)


def _mean(sums: NDArray[np.int32], rows: Ints, columns: Ints) -> Floats:
    mean = sums.astype(np.float32)
    mean /= rows.astype(np.float32)
    mean /= columns.astype(np.float32)
    mean -= np.float32(127.5)
    mean *= np.float32(0.0078125)
    return mean


def _cells(probability: Floats, move: Floats, scale: float) -> Floats:
    """Rows: left, top, right, bottom, probability and four shifts of every cell that may show a face."""
    rows, columns = np.nonzero(probability >= THRESHOLDS[0])
    corner = np.column_stack([columns, rows]).astype(np.float32) * _STRIDE
    low = np.floor((corner + 1) / np.float32(scale))
    high = np.floor((corner + _CELL) / np.float32(scale))
    return np.column_stack([low, high, probability[rows, columns], move[:, rows, columns].T])


def _crops(sums: NDArray[np.int32], boxes: Floats, side: int) -> tuple[Floats, Iterator[Floats]]:
    """Boxes that touch the image, and their pixels averaged to side x side, some at a time."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    edges = np.trunc(boxes[:, :4]).astype(np.int64)
    left, top = (np.maximum(edges[:, k], 1) - 1 for k in (0, 1))
    right, bottom = np.minimum(edges[:, 2], width), np.minimum(edges[:, 3], height)
    inside = (right > left) & (bottom > top)
    left, top, right, bottom = left[inside], top[inside], right[inside], bottom[inside]
    flat, stride = sums.reshape(-1, 3), width + 1

    def cut() -> Iterator[Floats]:
        for first in range(0, len(left), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            y0, y1 = (top[some, np.newaxis] + part for part in _windows(bottom[some] - top[some], side))
            x0, x1 = (left[some, np.newaxis] + part for part in _windows(right[some] - left[some], side))
            above, below = y0[:, :, np.newaxis] * stride, y1[:, :, np.newaxis] * stride
            before, behind = x0[:, np.newaxis], x1[:, np.newaxis]
            cells = flat.take(below + behind, axis=0)
            cells -= flat.take(above + behind, axis=0)
            cells -= flat.take(below + before, axis=0)
            cells += flat.take(above + before, axis=0)
            yield _mean(cells, (y1 - y0)[:, :, np.newaxis, np.newaxis], (x1 - x0)[:, np.newaxis, :, np.newaxis])

    return boxes[inside], cut()


def _square(boxes: Floats) -> Floats:
    """Make the shorter side as long as the longer, about the same middle."""
    size = boxes[:, 2:4] - boxes[:, :2]
    longer = size.max(axis=1, keepdims=True) if len(boxes) else size[:, :1]
    corner = boxes[:, :2] + size * np.float32(0.5) - longer * np.float32(0.5)
    return np.column_stack([corner, corner + longer, boxes[:, 4:]])


def _moved(boxes: Floats, move: Floats) -> Floats:
    size = np.tile(boxes[:, 2:4] - boxes[:, :2] + 1, 2)
    return np.column_stack([boxes[:, :4] + move * size, boxes[:, 4:]])


def _suppress(boxes: Floats, most: float, *, of_smaller: bool = False) -> Ints:
    """Non-maximum suppression: indices of the boxes that stay, the most probable first.

    A box goes if more than `most` of the union with a better one (with `of_smaller`: of the smaller of the two, whole
    pixels counted) is common to both.
    """
    order = np.argsort(-boxes[:, 4], kind="stable")
    edge = np.float32(1 if of_smaller else 0)
    low, high = boxes[order, :2], boxes[order, 2:4]
    area = (high - low + edge).prod(axis=1)
    alive = np.ones(len(order), dtype=bool)
    for best in range(len(order)):
        if not alive[best]:
            continue
        rest = best + 1 + np.flatnonzero(alive[best + 1 :])
        if not len(rest):
            break
        common = np.minimum(high[best], high[rest]) - np.maximum(low[best], low[rest]) + edge
        shared = np.maximum(common, 0).prod(axis=1)
        whole = np.minimum(area[best], area[rest]) if of_smaller else area[best] + area[rest] - shared
        alive[rest[shared > np.float32(most) * whole]] = False
    return order[alive]
