"""The compiled part of the cascade against torch, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as f
from torchvision.ops import nms

from audit.models import windows


def test_averages_are_those_of_adaptive_pooling() -> None:
    """Down, up, of windows that do not divide the size, and of a part of the image."""
    image = np.random.default_rng(1).integers(0, 256, (61, 83, 3), dtype=np.uint8)
    sums = windows.table_of_sums(image)
    planes = torch.from_numpy(image.transpose(2, 0, 1).copy()).float()[None]
    boxes = np.array([[0, 0, 83, 61], [5, 7, 48, 60], [82, 60, 83, 61]])
    for size in ((61, 83), (24, 24), (7, 80), (48, 90)):
        for (left, top, right, bottom), ours in zip(boxes, windows.averages(sums, boxes, *size), strict=True):
            part = planes[:, :, top:bottom, left:right]
            theirs = (f.interpolate(part, size=size, mode="area") - 127.5) * 0.0078125
            assert np.array_equal(ours.transpose(2, 0, 1), theirs[0].numpy())


def test_overflow_of_the_table_cancels() -> None:
    """White, and so large that the last sums do not fit into 32 bits."""
    white = np.full((3000, 3000, 3), 255, np.uint8)
    sums = windows.table_of_sums(white)
    assert sums.min() < 0
    assert np.all(windows.averages(sums, np.array([[0, 0, 3000, 3000]]), 12, 12) == (255 - 127.5) / 128)


@pytest.mark.parametrize(("height", "width", "channels", "size"), [(9, 14, 10, 2), (22, 23, 28, 3), (3, 3, 5, 3)])
def test_rectification_and_pooling_are_torchs(height: int, width: int, channels: int, size: int) -> None:
    """Slopes below 0 too: there the largest value is not where the largest input was."""
    values = torch.randn(3, channels, height, width, generator=torch.Generator().manual_seed(2))
    slope = torch.linspace(-1, 1, channels)
    rows = values.permute(0, 2, 3, 1).contiguous().numpy()
    ours = windows.bent_pool(rows, slope.numpy(), size)
    theirs = f.max_pool2d(f.prelu(values, slope), size, 2, ceil_mode=True)
    assert np.array_equal(ours.transpose(0, 3, 1, 2), theirs.numpy())
    windows.bend(rows.reshape(-1, width * channels), slope.numpy())
    assert np.array_equal(rows.transpose(0, 3, 1, 2), f.prelu(values, slope).numpy())


def test_suppression_is_torchvisions() -> None:
    rng = np.random.default_rng(3)
    corner, score = rng.uniform(0, 100, (300, 2)), rng.uniform(0, 1, 300)
    boxes = np.column_stack([corner, corner + rng.uniform(20, 60, (300, 2))]).astype(np.float32)
    order = np.argsort(-score)
    for most in (0.5, 0.7):
        gone = windows.suppressed(boxes, order, np.float32(most), False)
        theirs = nms(torch.from_numpy(boxes), torch.from_numpy(score.astype(np.float32)), most)
        assert 0 < gone.sum() < 300
        assert order[~gone].tolist() == theirs.tolist()
