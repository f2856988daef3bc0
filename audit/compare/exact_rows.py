"""Rows of exact scores, out of what is held of tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.compare import kernel, threads
from audit.compare.blocks import Block
from audit.compare.counts import Floats, Grid, Ints, pair_cells
from audit.compare.tiles import Held

SIGN = np.uint32(1 << 31)
_State = tuple[NDArray[np.uint64], list[NDArray[np.uint64]]]
"""Of a thread: room for the rows of a tile, and the rows found so far."""


def rows_of(
    held: Sequence[Held], blocks: Sequence[Block], atoms: int, grid: Grid, kept: NDArray[np.bool_], workers: int
) -> tuple[Ints, Floats, Ints]:
    """Exact rows of the kept bins.

    Parameters
    ----------
    kept : (cells, bins); all of their scores are held

    Returns
    -------
    (cell, score, count), sorted by cell and score
    """
    pairs = pair_cells(atoms)
    scale, low = np.float32(grid.scale), np.float32(grid.first)
    likely, own_likely = kept[:pairs].any(axis=0), kept[pairs:].any(axis=0)

    most = max((max(len(one.place), len(one.own_place)) for one in held), default=0)

    def add(state: _State, one: Held) -> None:
        made, found = state
        row_atom, column_atom = (blocks[number].atoms for number in one.tile)
        for place, score, mated, some in (
            (one.place, one.score, False, likely),
            (one.own_place, one.own_score, True, own_likely),
        ):
            number = kernel.kept_rows(
                place, score, mated, row_atom, column_atom, atoms, scale, low, kept, some, made
            )  # fmt: skip
            found.append(made[:number].copy())

    def start() -> _State:
        return np.empty(most, dtype=np.uint64), []

    states = threads.each(held, workers, start, add) if kept.any() else []
    return _counted(np.concatenate([np.zeros(0, dtype=np.uint64), *(one for _, found in states for one in found)]))


def _counted(rows: NDArray[np.uint64]) -> tuple[Ints, Floats, Ints]:
    """Count equal rows, as `kernel.kept_rows` makes them."""
    rows = np.sort(rows)
    first = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]]) if len(rows) else np.zeros(0, dtype=np.int64)
    distinct = rows[first]
    turned = distinct.astype(np.uint32)
    score = np.where(turned & SIGN, turned ^ SIGN, ~turned).view(np.float32)
    return (distinct >> np.uint64(32)).astype(np.int64), score.astype(np.float64), np.diff(np.r_[first, len(rows)])
