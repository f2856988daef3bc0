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
    second = half >> np.arange(splits)[:, None] & 1
    inside = sizes * np.stack([1 - second, second], axis=1)
    made.half_comparisons[:] = pairs_of_atoms(inside, atom_of, atoms)
    return made


def pairs_of_atoms(weight: Ints, atom_of: Ints, atoms: int) -> Ints:
    """Sums over pairs of two different subjects of the product of their weights, by cell.

    Parameters
    ----------
    weight : (..., subjects)

    Returns
    -------
    (..., cells)
    """
    sums, squares = _by_atom(weight, atom_of, atoms), _by_atom(weight**2, atom_of, atoms)
    one, two = upper(atoms)
    return np.asarray(np.where(one == two, (sums**2 - squares)[..., one] // 2, sums[..., one] * sums[..., two]))


def _by_atom(weight: Ints, atom_of: Ints, atoms: int) -> Ints:
    order = np.argsort(atom_of, kind="stable")
    starts = np.searchsorted(atom_of[order], np.arange(atoms + 1))
    running = np.cumsum(np.insert(weight[..., order], 0, 0, axis=-1), axis=-1, dtype=np.int64)
    return np.diff(running[..., starts])
