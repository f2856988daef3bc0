"""Tiles on an accelerator, with torch: the same counts from the same steps, on larger tiles.

Products are float32 throughout (no TF32). They are summed in another order than on a processor: a score differs by up
to `TOLERANCE` of the scores' reach. A comparison that close to an edge of the grid may fall on its other side, no other
can. What is held comes back to memory; everything after the tile is the code of the processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from audit.compare import kernel
from audit.compare.blocks import Block, Blocks
from audit.compare.counts import Grid, Ints, pair_cell, pair_cells
from audit.compare.tiles import NEAR, Held, Wanted
from audit.errors import PlanError

TOLERANCE = 1e-5
"""Of the reach of the scores (1 for cosines), at up to 4,096 numbers a template."""
SIDE = 8192
"""Samples in a block: a tile of scores is 256 MB."""


def require(device: str) -> None:
    """Find out before the work that there is no such device.

    Raises
    ------
    PlanError
        Naming it.
    """
    import torch  # noqa: PLC0415 - loads in seconds

    if device == "cuda" and not torch.cuda.is_available():
        raise PlanError("--device", "found 'cuda', but torch sees no CUDA device", "Take --device cpu")


class DeviceCounter:
    """Counts tiles on a torch device; in place of `tiles.Counter`."""

    def __init__(self, blocks: Blocks, atoms: int, grid: Grid, device: str = "cuda") -> None:
        import torch  # noqa: PLC0415 - loads in seconds

        self._torch, self._device, self._blocks, self._atoms, self._grid = torch, device, blocks, atoms, grid
        one, two = np.meshgrid(np.arange(atoms), np.arange(atoms), indexing="ij")
        self._cells = self._there(pair_cell(one, two, atoms))
        self._shape = (pair_cells(atoms) + atoms, grid.size)
        self._histogram = torch.zeros(self._shape[0] * self._shape[1], dtype=torch.int64, device=device)
        self._ready: dict[int, tuple[Any, Any, Any, Any]] = {}
        self._asked: tuple[Wanted | None, Any, Any] = (None, None, None)

    def finish(self) -> Ints:
        """All counts since the last time, (cells, bins)."""
        made = self._histogram.cpu().numpy().reshape(self._shape).copy()
        self._histogram.zero_()
        return np.asarray(made)

    def count(self, rows: Block, columns: Block, wanted: Wanted) -> Held:
        """Count one tile, and give what is held of it."""
        torch = self._torch
        scores = self._compare(rows, columns)
        (_, _, atom_r, owner_r), (_, _, atom_c, owner_c) = self._load(rows), self._load(columns)
        cell = self._cells[atom_r][:, atom_c]
        if rows is columns:
            mated = owner_r[:, None] == owner_c[None, :]
            cell = torch.where(mated, pair_cells(self._atoms) + atom_r[:, None], cell)
        bins = (torch.floor(scores * self._grid.scale) - self._grid.first).clamp_(0, self._grid.size - 1).long()
        flat = cell * self._grid.size + bins
        cut, kept = self._limits(wanted)
        hold = bins >= cut[cell]
        if kept is not None:
            hold &= kept[flat]
        if rows is columns:
            later = torch.ones_like(hold).triu_(1)
            hold &= later
            flat = flat[later]
        self._histogram += torch.bincount(flat.reshape(-1), minlength=len(self._histogram))
        return self._held(rows, columns, scores, cell, hold)

    def _held(self, rows: Block, columns: Block, scores: Any, cell: Any, hold: Any) -> Held:
        one, two = self._torch.nonzero(hold, as_tuple=True)
        own = (cell[one, two] >= pair_cells(self._atoms)).cpu().numpy()
        place = ((one << kernel.SHIFT) | two).cpu().numpy().astype(np.uint32)
        score = scores[one, two].cpu().numpy()
        return Held((rows.number, columns.number), place[~own], score[~own], place[own], score[own])

    def _compare(self, rows: Block, columns: Block) -> Any:
        torch = self._torch
        left, right = self._load(rows), self._load(columns)
        product = torch.mm(left[0], right[0].T)[: rows.size, : columns.size]
        if self._blocks.similarity != "euclidean":
            return product
        norms = left[1][: rows.size, None] + right[1][None, : columns.size]
        squared = norms - 2 * product
        one, two = torch.nonzero(squared < NEAR * norms, as_tuple=True)
        for first in range(0, len(one), 1 << 16):
            some = slice(first, first + (1 << 16))
            apart = left[0][one[some]].double() - right[0][two[some]].double()
            squared[one[some], two[some]] = (apart * apart).sum(dim=1).float()
        return -torch.sqrt(squared)

    def _load(self, block: Block) -> tuple[Any, Any, Any, Any]:
        """Templates, squared lengths, atoms and owners of a block, on the device."""
        if block.number not in self._ready:
            tensor, norms = self._blocks.load(block)
            while len(self._ready) > 64:
                self._ready.pop(next(iter(self._ready)))
            self._ready[block.number] = (
                tensor.to(self._device), self._there(norms), self._there(block.atoms), self._there(block.owner)
            )  # fmt: skip
        return self._ready[block.number]

    def _limits(self, wanted: Wanted) -> tuple[Any, Any]:
        if self._asked[0] is not wanted:
            kept = None if wanted.kept is None else self._there(wanted.kept.ravel())
            self._asked = (wanted, self._there(wanted.cut), kept)
        return self._asked[1], self._asked[2]

    def _there(self, values: np.ndarray[Any, Any]) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(values)).to(self._device)
