"""How many comparisons there are: products of numbers of samples, without looking at one of them."""

from __future__ import annotations

import numpy as np

from audit.compare.counts import Floats, Ints, OperatingCounts, upper


def comparisons_of(
    sizes: Ints, atom_of: Ints, atoms: int, thresholds: Floats, half: Ints, splits: int
) -> OperatingCounts:
    """Comparisons of every sample with every other, no error among them.

    Parameters
    ----------
    sizes : (subjects,) samples of each subject
    atom_of : (subjects,)
    half, splits : as for `Comparisons.at`
    """
    made = OperatingCounts.empty(thresholds, len(atom_of), atoms, splits)
    by_atom = _by_atom(sizes, atom_of, atoms)
    made.comparisons[:] = sizes[:, None] * by_atom[None, :]
    made.comparisons[np.arange(len(atom_of)), atom_of] -= sizes**2
    made.mated[:] = sizes * (sizes - 1) // 2
    made.scc[:] = pairs_of_atoms(sizes**2, atom_of, atoms)
    for split in range(splits):
        for side in (0, 1):
            inside = sizes * (((half >> split) & 1) == side)
            made.half_comparisons[split, side] = pairs_of_atoms(inside, atom_of, atoms)
    return made


def pairs_of_atoms(weight: Ints, atom_of: Ints, atoms: int) -> Ints:
    """Sums over pairs of two different subjects of the product of their weights, by cell."""
    sums, squares = _by_atom(weight, atom_of, atoms), _by_atom(weight**2, atom_of, atoms)
    made = np.outer(sums, sums)
    np.fill_diagonal(made, (sums**2 - squares) // 2)
    return np.asarray(made[upper(atoms)])


def _by_atom(weight: Ints, atom_of: Ints, atoms: int) -> Ints:
    total = np.zeros(atoms, dtype=np.int64)
    np.add.at(total, atom_of, weight)
    return total
