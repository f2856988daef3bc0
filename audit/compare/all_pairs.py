"""Every sample with every other, by tiles.

Samples are sorted by atom and subject and cut into blocks that never split a subject; a tile is the product of two
blocks. Cosine, dot product and (negated) Euclidean distance are all matrix products; scores are float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Floats, Grid, Ints, OperatingCounts, ScoreCounts, pair_cell, pair_cells
from audit.compare.kernel import count_errors
from audit.errors import DataError

Similarity = Literal["cosine", "dot", "euclidean"]
BLOCK = 1024
"""Samples in a block: a tile of scores is 4 MB."""
NEAR = 1e-3
"""Squared distances below this part of the squared norms are computed again in float64: the product form cancels."""


@dataclass(frozen=True, eq=False)
class _Block:
    samples: slice
    offsets: Ints
    subjects: Ints


@dataclass(frozen=True, eq=False)
class _Tile:
    rows: _Block
    columns: _Block
    scores: NDArray[np.float32]

    @property
    def diagonal(self) -> bool:
        return self.rows is self.columns


class AllPairs:
    """All mated and non-mated comparisons of a set of templates.

    Parameters
    ----------
    vectors : float32, shape (samples, dimension); finite
    subject : int, shape (samples,): index of each sample's subject
    atom_of : int, shape (subjects,): atom of each subject
    atoms : number of atoms
    similarity : cosine, dot, or euclidean (the negated distance)
    progress : called with (tiles done, tiles in all)
    """

    def __init__(
        self,
        vectors: NDArray[np.float32],
        subject: Ints,
        atom_of: Ints,
        atoms: int,
        similarity: Similarity,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        vectors = np.asarray(vectors, dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise DataError("templates", "a template holds a number that is not finite", "Such a sample is a failure")
        order = np.lexsort((subject, atom_of[subject]))
        self._subject = np.asarray(subject, dtype=np.int64)[order]
        self._atom_of = np.asarray(atom_of, dtype=np.int64)
        self._atoms = atoms
        self._similarity = similarity
        self._progress = progress
        self._vectors = unit(vectors[order]) if similarity == "cosine" else np.ascontiguousarray(vectors[order])
        self._norms = np.einsum("ij,ij->i", self._vectors, self._vectors, dtype=np.float32)
        self._blocks = _cut(self._subject)
        self._grid = self._make_grid()
        self.samples: Ints | None = np.bincount(self._subject, minlength=len(self._atom_of))

    def scores(self, kept: NDArray[np.bool_] | None = None) -> ScoreCounts:
        """Count scores by cell (one pass)."""
        total = ScoreCounts.empty(self._atoms, self._grid, kept)
        for tile in self._tiles():
            subject_r, subject_c = self._subject[tile.rows.samples], self._subject[tile.columns.samples]
            mated = subject_r[:, None] == subject_c[None, :]
            use = np.triu(np.ones(mated.shape, dtype=bool), 1) if tile.diagonal else np.ones(mated.shape, dtype=bool)
            atom_r, atom_c = self._atom_of[subject_r], self._atom_of[subject_c]
            cell = pair_cell(atom_r[:, None], atom_c[None, :], self._atoms)
            cell = np.where(mated, pair_cells(self._atoms) + atom_r[:, None], cell)
            total = total.add(cell[use], tile.scores[use].astype(np.float64))
        return total

    def chunks(self, above: float | None = None) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Give the comparisons of one tile after the other (one pass)."""
        for tile in self._tiles():
            rows, columns = self._subject[tile.rows.samples], self._subject[tile.columns.samples]
            if above is not None:
                # A float64 limit: float32 would round it, and a score that equals it must be in.
                first, second = np.nonzero(tile.scores >= np.float64(above))
                if tile.diagonal:
                    upper = second > first
                    first, second = first[upper], second[upper]
                yield rows[first], columns[second], tile.scores[first, second].astype(np.float64)
            elif tile.diagonal:
                first, second = np.triu_indices(len(rows), 1)
                yield rows[first], columns[second], tile.scores[first, second].astype(np.float64)
            else:
                scores = tile.scores.ravel().astype(np.float64)
                yield np.repeat(rows, len(columns)), np.tile(columns, len(rows)), scores

    def at(self, thresholds: Floats, half: Ints, splits: int) -> OperatingCounts:
        """Count errors at ascending thresholds (one pass)."""
        total = OperatingCounts.empty(thresholds, len(self._atom_of), self._atoms, splits)
        for tile in self._tiles():
            count_errors(
                tile.scores,
                tile.rows.offsets,
                tile.rows.subjects,
                tile.columns.offsets,
                tile.columns.subjects,
                tile.diagonal,
                total.thresholds,
                self._atom_of,
                half,
                splits,
                total.errors,
                total.see,
                total.sec,
                total.mated_errors,
                total.half_errors,
            )
            self._add_comparisons(total, tile, half, splits)
        return total

    def _add_comparisons(self, total: OperatingCounts, tile: _Tile, half: Ints, splits: int) -> None:
        """Add how many comparisons a tile holds: a product of sample counts, without looking at one of them."""
        sizes_r, sizes_c = np.diff(tile.rows.offsets), np.diff(tile.columns.offsets)
        atoms_r, atoms_c = self._atom_of[tile.rows.subjects], self._atom_of[tile.columns.subjects]
        one_r, one_c = np.eye(self._atoms, dtype=np.int64)[atoms_r], np.eye(self._atoms, dtype=np.int64)[atoms_c]
        upper = np.triu_indices(self._atoms)
        if tile.diagonal:
            own = one_r * sizes_r[:, None]
            total.comparisons[tile.rows.subjects] += sizes_r[:, None] * (own.sum(axis=0) - own)
            total.mated[tile.rows.subjects] += sizes_r * (sizes_r - 1) // 2
        else:
            total.comparisons[tile.rows.subjects] += sizes_r[:, None] * (sizes_c @ one_c)
            total.comparisons[tile.columns.subjects] += sizes_c[:, None] * (sizes_r @ one_r)
        total.scc[:] += _products(one_r.T @ sizes_r**2, one_c.T @ sizes_c**2, one_r.T @ sizes_r**4, tile.diagonal)[
            upper
        ]
        for split in range(splits):
            for side in (0, 1):
                in_r = sizes_r * (((half[tile.rows.subjects] >> split) & 1) == side)
                in_c = sizes_c * (((half[tile.columns.subjects] >> split) & 1) == side)
                made = _products(one_r.T @ in_r, one_c.T @ in_c, one_r.T @ in_r**2, tile.diagonal)
                total.half_comparisons[split, side] += made[upper]

    def _tiles(self) -> Iterator[_Tile]:
        count = len(self._blocks) * (len(self._blocks) + 1) // 2
        done = 0
        for first, rows in enumerate(self._blocks):
            for columns in self._blocks[first:]:
                yield _Tile(rows, columns, self._compare(rows.samples, columns.samples))
                done += 1
                if self._progress is not None:
                    self._progress(done, count)

    def _compare(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        left, right = self._vectors[rows], self._vectors[columns]
        product = left @ right.T
        if self._similarity != "euclidean":
            return np.asarray(product)
        norms = self._norms[rows][:, None] + self._norms[columns][None, :]
        squared = norms - 2 * product
        near = np.nonzero(squared < NEAR * norms)
        apart = left[near[0]].astype(np.float64) - right[near[1]].astype(np.float64)
        squared[near] = np.einsum("ij,ij->i", apart, apart)
        return np.asarray(-np.sqrt(squared))

    def _make_grid(self) -> Grid:
        if self._similarity == "cosine":
            return Grid(-1.0, 1.0)
        largest = float(self._norms.max(initial=0.0)) or 1.0
        reach = 2.0 ** np.ceil(np.log2(2 * np.sqrt(largest) if self._similarity == "euclidean" else largest))
        return Grid(-float(reach), 0.0 if self._similarity == "euclidean" else float(reach))


def _products(left: Ints, right: Ints, squares: Ints, diagonal: bool) -> Ints:
    """Sums over unordered subject pairs of a product of subject sizes, by atom pair; shape (atoms, atoms)."""
    outer = np.outer(left, right)
    if not diagonal:
        made = outer + outer.T
        np.fill_diagonal(made, np.diag(outer))
        return np.asarray(made)
    made = outer.copy()
    np.fill_diagonal(made, (np.diag(outer) - squares) // 2)
    return np.asarray(made)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale templates to length 1, in float64.

    Raises
    ------
    DataError
        For a zero vector, which has no direction.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if len(vectors) and not (lengths > 0).all():
        raise DataError(
            "templates", "a template is the zero vector, which has no direction", "Such a sample is a failure"
        )
    return np.ascontiguousarray(vectors / lengths, dtype=np.float32)


def _cut(subject: Ints) -> list[_Block]:
    """Cut sorted samples into blocks of whole subjects, about `BLOCK` samples each."""
    starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]]) if len(subject) else np.zeros(0, dtype=np.int64)
    ends = np.r_[starts[1:], len(subject)]
    blocks = []
    first = 0
    while first < len(starts):
        last = first
        while last + 1 < len(starts) and ends[last + 1] - starts[first] <= BLOCK:
            last += 1
        offsets = np.r_[starts[first : last + 1], ends[last]] - starts[first]
        samples = slice(int(starts[first]), int(ends[last]))
        blocks.append(_Block(samples, offsets.astype(np.int64), subject[starts[first : last + 1]]))
        first = last + 1
    return blocks
