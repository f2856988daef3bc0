"""Where the tails begin whose scores are held: estimated from the comparisons of a few samples, on the safe side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.compare import threads, tiles
from audit.compare.blocks import Blocks
from audit.compare.counts import Grid, Ints, Reach, mask_cells, pair_cells
from audit.compare.design import pairs_of_atoms
from audit.compare.tiles import Counter, Wanted

MOST_HELD = 1 << 27
"""Comparisons that may be held, 8 bytes each."""
PILOT = 1024
"""Samples that are compared to find out where tails begin."""
COARSE = 4
"""Bins of the grid that are one to the pilot: its table of cells takes so many times less memory."""
MARGIN = 1.25
"""The pilot's tail is taken so many times as large, and three standard errors more."""


def cuts(blocks: Blocks, atoms: int, grid: Grid, sizes: Ints, reach: Sequence[Reach]) -> Ints:
    """Bins from which scores are held, by cell: where the pilot says that the tails begin, if they have room.

    Parameters
    ----------
    sizes : (subjects,) samples of each

    Returns
    -------
    (cells,) the number of bins where none is held
    """
    pairs, coarse = pair_cells(atoms), Grid(grid.low, grid.high, grid.size // COARSE)
    size = coarse.size
    mated = int((sizes * (sizes - 1) // 2).sum())
    cut = np.r_[np.full(pairs, size), np.full(atoms, 0 if mated <= MOST_HELD // 2 else size)]
    if not reach:
        return np.asarray(cut * COARSE)
    below = np.zeros((pairs, size + 1), dtype=np.uint32)
    np.cumsum(_pilot(blocks, atoms, coarse)[:pairs], axis=1, out=below[:, 1:])
    compared, total = pairs_of_atoms(sizes, blocks.atom_of, atoms), below[:, size].astype(np.int64)
    seen = np.zeros(pairs, dtype=np.int64)
    for one in reach:
        chosen = np.flatnonzero(mask_cells(one.mask))
        tail = total[chosen].sum() - below[chosen].sum(axis=0, dtype=np.int64)[:size]
        expected = MARGIN * one.share * tail[0]
        enough = np.flatnonzero(tail >= expected + 3 * np.sqrt(expected) + 3)
        start = np.minimum(cut[chosen], enough[-1] if len(enough) else 0)
        wider = seen.copy()
        wider[chosen] = total[chosen] - below[chosen, start]
        pooled = wider.sum() / max(total.sum(), 1)
        if (compared * (wider + pooled) / (total + 1)).sum() <= MOST_HELD:
            cut[chosen], seen = start, wider
    return np.asarray(cut * COARSE)


def _pilot(blocks: Blocks, atoms: int, grid: Grid) -> NDArray[np.uint32]:
    """Histogram of the comparisons of a few samples, evenly spread over the people of every atom."""
    atom = blocks.atom_of[blocks.subject]
    number = np.bincount(atom, minlength=atoms)
    each = np.maximum(4, PILOT * number // max(len(atom), 1))
    index = np.concatenate([
        start + np.unique(np.linspace(0, many - 1, min(some, many)).astype(np.int64))
        for start, many, some in zip(np.cumsum(number) - number, number, each, strict=True)
    ])  # fmt: skip
    some = blocks.part(index)
    counter = Counter(some, atoms, grid)
    nothing = Wanted(np.full(pair_cells(atoms) + atoms, grid.size))
    with threads.one_thread_each():
        for rows, columns in tiles.order(some.cut):
            counter.count(rows, columns, nothing)
    return counter.histogram
