"""dlib's face network in torch, from its published file of weights: the same numbers, at the speed of the machine.

dlib's own network takes 0.14 s an image on one core and holds Python's global lock; its published architecture
(residual blocks of 3 x 3 convolutions, He et al. 2015, with half the filters) is plain enough to run here. Tests hold
its output equal to dlib's within 1e-5.

The file is dlib's serialisation: an integer is one byte that says how many bytes follow (0x80: negative) and these
bytes, low first; a tensor is a version, four integers (samples, channels, rows, columns) and float32 values, low byte
first. Layers stand from the input to the output, each with its name: 29 convolutions, each with an affine scale and
shift, and one product.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as f

from audit.errors import ModelError

MEAN = (122.782, 117.001, 104.298)
"""Mean colour that dlib's input layer subtracts, before it divides by 256."""
SCALE = 256.0
BLOCKS: tuple[tuple[int, bool], ...] = (
    *((32, False),) * 3,
    *((64, True), (64, False), (64, False), (64, False)),
    *((128, True), (128, False), (128, False)),
    *((256, True), (256, False), (256, False)),
    (256, True),
)
"""Residual blocks from input to output: filters, and whether the block halves the picture."""


class DlibNet(nn.Module):
    """Chip to 128 numbers.

    Parameters
    ----------
    convolutions : (weight, bias) of the 29 convolutions with their affine layers folded in, from input to output
    product : float32, shape (256, 128)
    """

    def __init__(self, convolutions: list[tuple[Tensor, Tensor]], product: Tensor) -> None:
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(weight, requires_grad=False) for weight, _ in convolutions])
        self.biases = nn.ParameterList([nn.Parameter(bias, requires_grad=False) for _, bias in convolutions])
        self.product = nn.Parameter(product, requires_grad=False)

    def forward(self, chips: Tensor) -> Tensor:
        """Compute descriptors.

        Parameters
        ----------
        chips : float32, n x 3 x 150 x 150, RGB, 0 to 255

        Returns
        -------
        float32, n x 128
        """
        x = (chips - torch.tensor(MEAN, device=chips.device).view(1, 3, 1, 1)) / SCALE
        x = f.max_pool2d(f.relu(f.conv2d(x, self.weights[0], self.biases[0], stride=2)), 3, 2)
        layer = 1
        for _, halves in BLOCKS:
            stride, padding = (2, 0) if halves else (1, 1)
            y = f.relu(f.conv2d(x, self.weights[layer], self.biases[layer], stride=stride, padding=padding))
            y = f.conv2d(y, self.weights[layer + 1], self.biases[layer + 1], padding=1)
            x = f.relu(_add(y, f.avg_pool2d(x, 2, 2) if halves else x))
            layer += 2
        return x.mean(dim=(2, 3)) @ self.product


def _add(one: Tensor, other: Tensor) -> Tensor:
    """Add where both are; what one of them lacks counts as zero (dlib's `add_prev`)."""
    size = [max(a, b) for a, b in zip(one.shape[1:], other.shape[1:], strict=True)]
    return _pad(one, size) + _pad(other, size)


def _pad(x: Tensor, size: list[int]) -> Tensor:
    channels, rows, columns = (wanted - there for wanted, there in zip(size, x.shape[1:], strict=True))
    return f.pad(x, (0, columns, 0, rows, 0, channels)) if channels or rows or columns else x


def read(content: bytes, place: Path) -> DlibNet:
    """Build the network from the bytes of dlib_face_recognition_resnet_model_v1.dat.

    Raises
    ------
    ModelError
        If the file does not hold this network.
    """
    try:
        kernels = [_tensor(content, start) for start in _layers(content, b"\x05con_4")]
        scales = [_tensor(content, start) for start in _layers(content, b"\x07affine_")]
        (last,) = _layers(content, b"\x04fc_2")
        product = _tensor(content, _integer(content, _integer(content, last)[1])[1]).reshape(256, 128)
        convolutions = [
            _fold(kernel, scale, *shape) for kernel, scale, shape in zip(kernels, scales, _shapes(), strict=True)
        ]
    except (ValueError, IndexError, OverflowError) as error:
        raise ModelError(
            str(place), "does not hold dlib's face network", "Put the published file in its place"
        ) from error
    net = DlibNet(convolutions, torch.from_numpy(product.copy())).eval()
    return net.to(memory_format=torch.channels_last)


def _shapes() -> list[tuple[int, int, int]]:
    """(filters, channels, width) of every convolution."""
    widths = [32, *(filters for filters, _ in BLOCKS)]
    shapes = [(32, 3, 7)]
    for before, filters in pairwise(widths):
        shapes += [(filters, before, 3), (filters, filters, 3)]
    return shapes


def _fold(
    kernel: NDArray[np.float32], scale: NDArray[np.float32], filters: int, channels: int, width: int
) -> tuple[Tensor, Tensor]:
    """Fold the affine layer behind a convolution into it."""
    gamma, beta = scale.astype(np.float64).reshape(2, filters)
    values = kernel.astype(np.float64)
    weight = values[:-filters].reshape(filters, channels, width, width) * gamma[:, None, None, None]
    bias = values[-filters:] * gamma + beta
    return torch.from_numpy(weight.astype(np.float32)), torch.from_numpy(bias.astype(np.float32))


def _layers(content: bytes, name: bytes) -> list[int]:
    """Where the contents of the layers of a name begin."""
    found, start = [], content.find(name)
    while start >= 0:
        found.append(start + len(name))
        start = content.find(name, start + len(name))
    return found


def _integer(content: bytes, start: int) -> tuple[int, int]:
    """Read an integer; returns it and where the next thing begins."""
    size = content[start] & 0x7F
    if not 1 <= size <= 8 or content[start] & 0x80:
        raise ValueError(f"no size at byte {start}")
    return int.from_bytes(content[start + 1 : start + 1 + size], "little"), start + 1 + size


def _tensor(content: bytes, start: int) -> NDArray[np.float32]:
    """Read a tensor, flat."""
    version, start = _integer(content, start)
    if version != 2:
        raise ValueError(f"tensor of version {version} at byte {start}")
    count = 1
    for _ in range(4):
        size, start = _integer(content, start)
        count *= size
    return np.frombuffer(content, "<f4", count, start)
