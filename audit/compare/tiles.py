"""Tiles of scores: made by matrix products, counted while they are in cache, several at a time.

Every thread takes the next tile, multiplies on its own core and counts: products and counting overlap, and nothing is
shared but the list of tiles. What a tile leaves behind are integers and the scores of its tail, so that the outcome
does not depend on who counted what, or when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.compare import bfloat16, kernel
from audit.compare.blocks import Block, Blocks, Scores
from audit.compare.counts import Grid, Ints, pair_cells
from audit.compare.lanes import WIDE

NEAR = 1e-3
"""Squared distances below this part of the squared norms are computed again in float64: the product form cancels."""
LARGEST_COUNT = (1 << 32) - 1
"""Of 32 bits."""
PIECE = 1 << 22
"""Comparisons for which room is made at a time; memory is taken only as they come."""
STEP = 128
"""Products have multiples of so many rows and columns: in these shapes BLAS adds up every score in the same order."""
HEIGHT, SLICE = 1024, 256
"""Rows of scores that are made at once; fewer of a block with itself, without most of what lies below the diagonal."""
SQUARE = 4
"""Tiles follow each other in squares of so many blocks: few blocks are read again and again."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """Which scores of a tile are held.

    Parameters
    ----------
    cut : (cells,) the bin from which they are; the number of bins: none
    kept : (cells, bins) among these, the ones that are; None: all
    """

    cut: Ints
    kept: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class Held:
    """Scores held of one tile; a place is row << 16 | column.

    Comparisons of one row subject stand together.
    """

    tile: tuple[int, int]
    place: NDArray[np.uint32]
    score: Scores
    own_place: NDArray[np.uint32]
    own_score: Scores

    @property
    def size(self) -> int:
        """How many are held."""
        return len(self.place) + len(self.own_place)


class _Room:
    """Memory for what is held, in large pieces: what is written stays where it is, and is not copied.

    Parameters
    ----------
    most : comparisons for which there must be room at once
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._make()

    def _make(self) -> None:
        size = max(self._most, PIECE)
        self._used, self._place, self._score = 0, np.empty(size, np.uint32), np.empty(size, np.float32)

    def free(self) -> tuple[NDArray[np.uint32], Scores]:
        """Places and scores to write into."""
        if len(self._place) - self._used < self._most:
            self._make()
        return self._place[self._used :], self._score[self._used :]

    def keep(self, number: int) -> tuple[NDArray[np.uint32], Scores]:
        """The first ones, which are not given again."""
        first, self._used = self._used, self._used + number
        return self._place[first : self._used], self._score[first : self._used]


class ByBlas:
    """Products of float32 numbers by BLAS, on one core."""

    def __init__(self, blocks: Blocks) -> None:
        import torch  # noqa: PLC0415 - loads in seconds, and listed pairs never need it

        self._torch, self._blocks = torch, blocks
        room = min(blocks.side, HEIGHT) * blocks.side + WIDE
        self._product = torch.from_numpy(np.empty(room, dtype=np.float32))

    def __call__(self, rows: Block, columns: Block, window: Ints) -> Scores:
        """Scores of a window, in rows and columns up to the next step; their memory is used again."""
        left, right = self._blocks.load(rows), self._blocks.load(columns)
        side, (r, r_end, c, c_end) = self._blocks.side, window.tolist()
        one = left[0][r : r + min(-(-(r_end - r) // STEP) * STEP, side)]
        two = right[0][c : c + min(-(-(c_end - c) // STEP) * STEP, side)]
        product = self._product[: len(one) * len(two)].view(len(one), len(two))
        self._torch.mm(one, two.T, out=product)
        scores: Scores = product.numpy()
        _to_distances(self._blocks, scores, rows, columns, window)
        return scores


class ByTerms:
    """Products of float32 numbers in terms of bfloat16, by the processor's matrix unit."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks, self._width = blocks, blocks.side + bfloat16.GAP
        self._product = bfloat16.aligned((min(blocks.side, HEIGHT) * self._width + WIDE,), np.float32)

    def __call__(self, rows: Block, columns: Block, window: Ints) -> Scores:
        """As of `ByBlas`."""
        r, r_end, c, c_end = window.tolist()
        high, wide = (-(-size // bfloat16.PANEL) * bfloat16.PANEL for size in (r_end - r, c_end - c))
        scores = self._product[: high * self._width].reshape(high, self._width)
        bfloat16.multiply(self._blocks.terms(rows), self._blocks.terms(columns), (r, r + high, c, c + wide), scores)
        _to_distances(self._blocks, scores, rows, columns, window)
        return scores


def _to_distances(blocks: Blocks, scores: Scores, rows: Block, columns: Block, window: Ints) -> None:
    """Turn products into distances, in place, where these are wanted."""
    if blocks.similarity != "euclidean":
        return
    side, (r, r_end, c, c_end) = blocks.side, window.tolist()
    left, right = blocks.load(rows), blocks.load(columns)
    one, two = left[0].numpy()[r : r + side], right[0].numpy()[c : c + side]
    sizes = np.array([r_end - r, c_end - c], dtype=np.int64)
    norms = left[1][r : r + side], right[1][c : c + side]
    kernel.to_distances(scores, one, two, *norms, sizes, np.float32(NEAR))


class Counter:
    """Counts tiles on a processor core, with buffers that are used again and again.

    Parameters
    ----------
    blocks : templates
    atoms : number of atoms
    grid : of the histogram
    by_terms : multiply with the processor's matrix unit, or as it does
    """

    def __init__(self, blocks: Blocks, atoms: int, grid: Grid, *, by_terms: bool = False) -> None:
        side = blocks.side
        self._blocks, self._atoms = blocks, atoms
        most = min(side, HEIGHT) * side
        self._multiply = (ByTerms if by_terms else ByBlas)(blocks)
        self._room = _Room(most)
        self._scale, self._low = np.float32(grid.scale), np.float32(grid.first)
        self._none = np.zeros((1, 1), dtype=bool)
        self.histogram = np.zeros((pair_cells(atoms) + atoms, grid.size), dtype=np.uint32)
        self._total: Ints | None = None
        self._counted = 0

    def count(self, rows: Block, columns: Block, wanted: Wanted) -> Held:
        """Count one tile into `histogram`, and give what is held of it."""
        side, itself = self._blocks.side, rows is columns
        self._spill(rows.size * columns.size)
        parts = []
        high = min(side, SLICE if itself else HEIGHT)
        for r in range(0, rows.size, high):
            for c in range(r if itself else 0, columns.size, side):
                window = np.array([r, min(r + high, rows.size), c, min(c + side, columns.size)], dtype=np.int64)
                scores = self._multiply(rows, columns, window)
                parts.append(self._window(scores, rows, columns, window, wanted))
        if len(parts) == 1:
            return Held((rows.number, columns.number), *parts[0])
        place, score, own_place, own_score = (np.concatenate(column) for column in zip(*parts, strict=True))
        if columns.size > side:  # rows come in several windows
            order = np.argsort(place, kind="stable")
            place, score = place[order], score[order]
        return Held((rows.number, columns.number), place, score, own_place, own_score)

    def finish(self) -> NDArray[np.integer]:
        """All counts since the last time, (cells, bins)."""
        made = self.histogram if self._total is None else self._total + self.histogram
        # `zeros` writes nothing yet, as `zeros_like` would.
        self._total, self._counted, self.histogram = None, 0, np.zeros(self.histogram.shape, dtype=np.uint32)
        return made

    def _spill(self, comparisons: int) -> None:
        """Empty the 32-bit counts before they could run over."""
        if self._counted + comparisons > LARGEST_COUNT:
            self._total = self.finish().astype(np.int64)
        self._counted += comparisons

    def _window(
        self, scores: Scores, rows: Block, columns: Block, window: Ints, wanted: Wanted
    ) -> tuple[NDArray[Any], ...]:
        runs, itself = columns.runs, rows is columns
        most = rows.mated(slice(*window[:2])) if itself else 0
        own = np.empty(most + 1, np.uint32), np.empty(most + 1, np.float32)  # one more is written, and not held
        held, owned = kernel.count_tile(
            scores,
            window,
            rows.atoms,
            rows.ends if itself else np.zeros(rows.size, dtype=np.int64),
            runs[0],
            runs[1],
            self._atoms,
            self._scale,
            self._low,
            wanted.cut,
            wanted.kept is not None,
            self._none if wanted.kept is None else wanted.kept,
            self.histogram,
            *self._room.free(),
            *own,
        )
        return *self._room.keep(held), own[0][:owned], own[1][:owned]


def order(blocks: Sequence[Block]) -> Iterator[tuple[Block, Block]]:
    """All tiles of the upper triangle, square after square."""
    count = len(blocks)
    for top in range(0, count, SQUARE):
        for left in range(top, count, SQUARE):
            for rows in blocks[top : top + SQUARE]:
                yield from ((rows, columns) for columns in blocks[max(left, rows.number) : left + SQUARE])
