"""Rows of exact scores, out of what is held of tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.compare import kernel, threads
from audit.compare.blocks import Block
from audit.compare.counts import Floats, Grid, Ints, pair_cells
from audit.compare.tiles import Held

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
    """Count equal rows, as `kernel.kept_rows` makes them; they are sorted where they lie."""
    rows.sort()
    cell, score, count = np.empty(len(rows), np.int64), np.empty(len(rows), np.float64), np.empty(len(rows), np.int64)
    made = kernel.count_rows(rows, cell, score, count)
    return cell[:made], score[:made], count[:made]
