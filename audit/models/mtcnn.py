"""MTCNN's cascade (Zhang et al. 2016) on facenet-pytorch's weights: the same boxes, in a fraction of the time.

The library spends most of its time on averaging the image down, once a scale and once a candidate. Here that is done
from one table of sums, exactly: sums of whole numbers, divided as the library divides them. Tests hold boxes and
landmarks against the library's own. One image at a time, so that a face does not depend on its neighbours. All but the
convolutions is compiled (`audit.models.windows`).
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
from audit.models import windows

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
        sums = windows.table_of_sums(
            np.require(image, np.uint8, ["C", "W"])
        )  # of one kind, so that it is compiled once
        with torch.inference_mode():
            boxes = self._refine(sums, self._propose(sums))
            return self._locate(sums, boxes)

    def _propose(self, sums: NDArray[np.int32]) -> Floats:
        """Candidates of all scales, squares."""
        height, width = sums.shape[0] - 1, sums.shape[1] - 1
        scale, side = _CELL / self._smallest, min(height, width) * _CELL / self._smallest
        whole, found = np.array([[0, 0, width, height]]), []
        while side >= _CELL:
            pixels = windows.averages(sums, whole, int(height * scale + 1), int(width * scale + 1))
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
        x = _pooled(net, self._put(pixels), 1, 2)
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
        x = _pooled(net, self._put(crops), 1, 3)
        x = _pooled(net, x, 2, 3)
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
        x = _pooled(net, self._put(crops), 1, 3)
        x = _pooled(net, x, 2, 3)
        x = _pooled(net, x, 3, 2)
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
    out, slope = f.conv2d(x, net[f"conv{layer}.weight"], net[f"conv{layer}.bias"]), net[f"prelu{layer}.weight"]
    if out.device.type != "cpu":
        return f.prelu(out, slope)
    values = _values(out)
    windows.bend(values.reshape(-1, values.shape[2] * values.shape[3]), slope.numpy())
    return _tensor(values)


def _pooled(net: _State, x: Tensor, layer: int, size: int) -> Tensor:
    """The same, and the largest of size x size, every second row and column."""
    out, slope = f.conv2d(x, net[f"conv{layer}.weight"], net[f"conv{layer}.bias"]), net[f"prelu{layer}.weight"]
    if out.device.type != "cpu":
        return f.max_pool2d(f.prelu(out, slope), size, 2, ceil_mode=True)
    return _tensor(windows.bent_pool(_values(out), slope.numpy(), size))


def _values(x: Tensor) -> Floats:
    """Count x height x width x channels; no copy, as long as convolutions answer in the order of their weights."""
    values: Floats = x.permute(0, 2, 3, 1).numpy()
    return np.ascontiguousarray(values)


def _tensor(values: Floats) -> Tensor:
    return torch.from_numpy(values).permute(0, 3, 1, 2)


def _dense(net: _State, x: Tensor, layer: int) -> Tensor:
    flat = x.permute(0, 3, 2, 1).reshape(len(x), -1)
    out = f.linear(flat, net[f"dense{layer}.weight"], net[f"dense{layer}.bias"])
    return f.prelu(out, net[f"prelu{layer}.weight"])


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
    low = np.maximum(edges[:, :2], 1) - 1
    high = np.minimum(edges[:, 2:], (width, height))
    inside = (high > low).all(axis=1)
    edges = np.column_stack([low, high])[inside]
    parts = (edges[first : first + _AT_ONCE] for first in range(0, len(edges), _AT_ONCE))
    return boxes[inside], (windows.averages(sums, part, side, side) for part in parts)


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
    gone: NDArray[np.bool_] = windows.suppressed(boxes, order, np.float32(most), of_smaller)
    return order[~gone]
