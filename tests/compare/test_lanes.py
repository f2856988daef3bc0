"""Bins of sixteen scores, thirty-two bins beside a limit, and products in shapes of tiles, beside numpy and a whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numba import njit

from audit.compare import blocks, kernel, threads, tiles
from audit.compare.counts import Grid
from audit.compare.lanes import LANES, WIDE, bins_of, lowest_bit, reached


@njit
def bits_of(row, at, limit):
    return reached(row, at, limit)


@njit
def place_of(bits):
    return lowest_bit(bits)


@njit
def bin_there(row, at, scale, low, top, made):
    bins_of(row, at, scale, low, top, made)


@pytest.mark.parametrize("size", [64, 1 << 14])
def test_bins_are_those_of_the_grid_at_every_edge_and_beyond(size: int) -> None:
    grid = Grid(-1.0, 1.0, size)
    edges = grid.edges()[:: size // 64].astype(np.float32)
    around = [edges, np.nextafter(edges, np.float32(-9)), np.nextafter(edges, np.float32(9))]
    row = np.concatenate([*around, [-np.inf, np.inf, -0.0, 0.0, 1e-30, -1e-30, 40, -40]]).astype(np.float32)
    for at in range(0, len(row) - LANES, 5):
        made = np.full(len(row), 60_000, dtype=np.uint16)
        bin_there(row, at, np.float32(grid.scale), np.float32(grid.first), np.float32(size - 1), made)
        assert made[at : at + LANES].tolist() == grid.bins(row[at : at + LANES].astype(np.float64)).tolist()
        assert (np.delete(made, np.s_[at : at + LANES]) == 60_000).all()


def test_bits_say_which_bins_are_not_below_the_limit() -> None:
    rng = np.random.default_rng(0)
    row = rng.choice(np.array([0, 1, 2, 3, 32_767, 32_768, 65_535], dtype=np.uint16), 300)
    for at in range(0, len(row) - WIDE, 7):
        for limit in (0, 1, 2, 3, 4, 32_767, 32_768, 65_535):
            expected = sum(1 << k for k in range(WIDE) if row[at + k] >= limit)
            assert bits_of(row, at, np.uint16(limit)) == expected


def test_the_lowest_bit_is_found() -> None:
    for bits in (1, 2, 3, 0b1011000, 1 << 15, 1 << 31, (1 << 32) - 1):
        assert place_of(np.uint32(bits)) == (bits & -bits).bit_length() - 1


@pytest.mark.parametrize("dimension", [16, 128, 512])
def test_a_product_is_the_same_in_every_shape_that_tiles_take(dimension: int) -> None:
    rng = np.random.default_rng(1)
    one, two = (torch.from_numpy(rng.standard_normal((blocks.BLOCK, dimension), dtype=np.float32)) for _ in "ab")
    with threads.one_thread_each():
        whole = torch.mm(one, two.T)
        for rows in range(tiles.STEP, blocks.BLOCK + 1, tiles.STEP):
            for columns in range(tiles.STEP, blocks.BLOCK + 1, tiles.STEP):
                part = torch.mm(one[-rows:], two[-columns:].T)
                assert torch.equal(part, whole[-rows:, -columns:]), (rows, columns)


@pytest.mark.parametrize("runs", [1, 3, 40])
def test_a_tile_is_counted_as_one_score_after_the_other(runs: int) -> None:
    """Stretches of columns of every length, cuts below, within and above all scores, and bins that are not kept."""
    rng = np.random.default_rng(runs)
    rows, columns, size = 23, 96, 64
    starts = np.r_[0, np.sort(rng.choice(np.arange(1, columns - 5), runs - 1, replace=False)), columns - 5]
    atoms = runs + 2
    row_atom = np.sort(rng.integers(0, 2, rows))
    buffer = (rng.standard_normal(rows * columns + WIDE) / 3).astype(np.float32)
    scores = buffer[: rows * columns].reshape(rows, columns)
    cells = atoms * (atoms + 1) // 2 + atoms
    cut = rng.choice(np.array([0, 20, 32, 45, size - 1, size]), cells)
    kept = rng.random((cells, size)) < 0.5
    grid = np.float32(size / 2)
    for banded in (False, True):
        histogram = np.zeros((cells, size), dtype=np.uint32)
        room = np.empty(rows * columns, np.uint32), np.empty(rows * columns, np.float32)
        held, owned = kernel.count_tile(
            scores, np.array([0, rows, 0, columns - 5]), row_atom, np.zeros(rows, np.int64), starts,
            np.arange(runs) + 2, atoms, grid, -grid, cut, banded, kept, histogram, *room, *room,
        )  # fmt: skip
        expected, places = np.zeros_like(histogram), []
        for r in range(rows):
            for c in range(columns - 5):
                cell = kernel.cell_of(int(row_atom[r]), int(np.searchsorted(starts, c, side="right")) + 1, atoms)
                bin_ = int(np.clip(np.floor(scores[r, c] * grid) + grid, 0, size - 1))
                expected[cell, bin_] += 1
                if bin_ >= cut[cell] and (not banded or kept[cell, bin_]):
                    places.append((r << kernel.SHIFT) | c)
        np.testing.assert_array_equal(histogram, expected)
        assert room[0][:held].tolist() == places
        np.testing.assert_array_equal(room[1][:held], [scores[p >> 16, p & kernel.LARGEST] for p in places])
        assert owned == 0
