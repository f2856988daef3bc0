"""Sums of errors at thresholds, by subject and by subject pair, over what is held of tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.compare import error_kernel, kernel
from audit.compare.blocks import Block
from audit.compare.counts import Floats, Ints, OperatingCounts, pair_cells, upper
from audit.compare.tiles import Held


class Sums:
    """Where errors at thresholds are added up.

    Parameters
    ----------
    thresholds : (T,) ascending
    samples, atom_of : (subjects,) samples and atom of each
    atoms : number of atoms
    half, splits : as for `Comparisons.at`
    asked : (T, pair cells) the cells that each threshold is asked for
    """

    def __init__(
        self,
        thresholds: Floats,
        samples: Ints,
        atom_of: Ints,
        atoms: int,
        half: Ints,
        splits: int,
        asked: NDArray[np.bool_],
    ) -> None:
        self._thresholds, self._samples, self._atom_of = thresholds, samples, atom_of
        self._atoms, self._splits, self._asked = atoms, splits, asked
        self._half = (half[:, None] >> np.arange(splits) & 1).astype(np.uint8)
        lanes = np.zeros((len(samples), -(-splits // error_kernel.LANES) * error_kernel.LANES), dtype=np.uint8)
        lanes[:, :splits] = self._half
        self._words = lanes.view(np.uint64)
        # Some thresholds are asked for mated comparisons only.
        self._some = np.flatnonzero(asked.any(axis=1))
        self._limits = thresholds[self._some]
        limits, cells = len(self._some), pair_cells(atoms)
        self._errors = np.zeros((len(samples), atoms, limits), dtype=np.int64)
        self._squares = np.zeros((cells, limits), dtype=np.int64)
        self._products = np.zeros((cells, limits), dtype=np.int64)
        self._both = np.zeros((cells, limits, splits), dtype=np.int64)
        self._own = np.zeros((len(thresholds), len(samples)), dtype=np.int64)

    def add(self, rows: Block, columns: Block, held: Held) -> None:
        """Add the errors among what is held of a tile."""
        if len(self._limits):
            error_kernel.add_errors(
                held.place,
                held.score,
                rows.owner,
                columns.owner,
                rows.subjects,
                columns.subjects,
                self._samples,
                self._atom_of,
                self._limits,
                self._words,
                self._errors,
                self._squares,
                self._products,
                self._both,
            )
        error_kernel.add_own_errors(
            held.own_place, held.own_score, rows.owner, rows.subjects, self._thresholds, self._own
        )

    def merge(self, other: Sums) -> Sums:
        """Take in what another thread has added up."""
        for mine, theirs in zip(self._sums(), other._sums(), strict=True):
            np.add(mine, theirs, out=mine)
        return self

    def _sums(self) -> tuple[Ints, ...]:
        return self._errors, self._squares, self._products, self._both, self._own

    def made(self) -> OperatingCounts:
        """The errors, in the cells that each threshold is asked for."""
        empty = OperatingCounts.empty(self._thresholds, len(self._samples), self._atoms, self._splits)
        asked = self._asked[self._some]
        empty.mated_errors[:] = self._own
        if len(asked) == len(self._asked) and asked.all():
            empty.errors[:] = self._errors.transpose(2, 0, 1)
            empty.see[:], empty.sec[:], empty.half_errors[:] = self._squares.T, self._products.T, self._by_half()
            return empty
        table = np.zeros((len(asked), self._atoms, self._atoms), dtype=bool)
        one, two = upper(self._atoms)
        table[:, one, two] = table[:, two, one] = asked
        empty.errors[self._some] = np.where(table[:, self._atom_of], self._errors.transpose(2, 0, 1), 0)
        empty.see[self._some] = np.where(asked, self._squares.T, 0)
        empty.sec[self._some] = np.where(asked, self._products.T, 0)
        empty.half_errors[self._some] = np.where(asked[:, None, None], self._by_half(), 0)
        return empty

    def _by_half(self) -> Ints:
        """Errors within the first and the second half, (T, splits, 2, cells).

        A pair of which one subject at least is in the second half counts once among the errors of its subjects there,
        and once more if both are. Sums of whole numbers are exact in float64 far beyond these.
        """
        atoms, limits = self._atoms, len(self._limits)
        made = np.zeros((limits, self._splits, 2, pair_cells(atoms)), dtype=np.int64)
        made[:, :, 1] = self._both.transpose(1, 2, 0)
        total = np.zeros((atoms, atoms, limits))
        second = np.zeros((self._splits, atoms, atoms, limits))
        for a in range(atoms):
            who = np.flatnonzero(self._atom_of == a)
            errors = self._errors[who].reshape(len(who), atoms * limits).astype(np.float64)
            total[a] = errors.sum(axis=0).reshape(atoms, limits)
            second[:, a] = (self._half[who].T.astype(np.float64) @ errors).reshape(self._splits, atoms, limits)
        one, two = upper(atoms)
        within = one == two
        pairs = np.where(within[:, None], total[one, two] / 2, total[one, two])
        touching = second[:, one, two] + np.where(within[:, None], 0, second[:, two, one])
        made[:, :, 0] = (pairs - touching).transpose(2, 0, 1).astype(np.int64) + made[:, :, 1]
        return made


class OwnSums:
    """Where errors at thresholds of each cell's own are added up.

    Parameters
    ----------
    limits : (S, atoms, atoms) thresholds of non-mated comparisons, symmetric; infinite where none is asked for
    own_limits : (S, atoms) thresholds of mated ones; minus infinity where none is asked for
    samples, atom_of : as for `Sums`
    """

    def __init__(self, limits: Floats, own_limits: Floats, samples: Ints, atom_of: Ints) -> None:
        slots, atoms = own_limits.shape
        self._limits = np.ascontiguousarray(limits[(slice(None), *upper(atoms))].T)
        self._own_limits, self._samples, self._atom_of = own_limits, samples, atom_of
        self._lowest = np.min(limits, axis=0, initial=np.inf)
        self._errors = np.zeros((len(samples), atoms, slots), dtype=np.int64)
        self._squares = np.zeros((pair_cells(atoms), slots), dtype=np.int64)
        self._products = np.zeros((pair_cells(atoms), slots), dtype=np.int64)
        self._own = np.zeros((slots, len(samples)), dtype=np.int64)

    def add(self, rows: Block, columns: Block, held: Held) -> None:
        """Add the errors among what is held of a tile."""
        if (self._lowest[rows.runs[1][:, None], columns.runs[1]] < np.inf).any():
            error_kernel.add_own_group_errors(
                held.place, held.score, rows.owner, columns.owner, rows.subjects, columns.subjects, self._samples,
                self._atom_of, rows.atoms, columns.atoms, self._limits, self._lowest, self._errors, self._squares,
                self._products,
            )  # fmt: skip
        if len(held.own_place) == 0:
            return
        who = rows.subjects[rows.owner[held.own_place >> kernel.SHIFT]]
        for slot, limits in enumerate(self._own_limits):
            wrong = held.own_score < limits[self._atom_of[who]]
            self._own[slot] += np.bincount(who[wrong], minlength=self._own.shape[1])

    def merge(self, other: OwnSums) -> OwnSums:
        """Take in what another thread has added up."""
        for mine, theirs in zip(self._sums(), other._sums(), strict=True):
            np.add(mine, theirs, out=mine)
        return self

    def _sums(self) -> tuple[Ints, ...]:
        return self._errors, self._squares, self._products, self._own

    def made(self) -> OperatingCounts:
        """The errors; slots stand in place of thresholds."""
        slots, people = self._own.shape
        empty = OperatingCounts.empty(np.arange(slots, dtype=np.float64), people, self._errors.shape[1], 0)
        empty.errors[:] = self._errors.transpose(2, 0, 1)
        empty.see[:], empty.sec[:] = self._squares.T, self._products.T
        empty.mated_errors[:] = self._own
        return empty
