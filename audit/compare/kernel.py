"""The compiled part of comparison: errors of subject pairs in one tile of scores."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_errors(  # noqa: PLR0912 - one loop nest: numba compiles it as a whole
    scores: NDArray[np.float32],
    rows: Ints,
    row_subject: Ints,
    columns: Ints,
    column_subject: Ints,
    diagonal: bool,
    thresholds: NDArray[np.float64],
    atom_of: Ints,
    half: Ints,
    splits: int,
    errors: Ints,
    see: Ints,
    sec: Ints,
    mated_errors: Ints,
    half_errors: Ints,
) -> None:
    """Add the errors of one tile to the sums of `OperatingCounts`, in place.

    Parameters
    ----------
    scores : float32, shape (samples in rows, samples in columns)
    rows, columns : offsets of each subject's samples in the tile, one more than subjects
    row_subject, column_subject : subject index of each range
    diagonal : rows and columns are the same samples; then only the upper triangle counts
    thresholds : (T,) ascending
    half : (subjects,) bit s says in which half a subject is in split s
    """
    limits = len(thresholds)
    atoms = errors.shape[2]
    found = np.zeros(limits, dtype=np.int64)
    for p in range(len(row_subject)):
        i = row_subject[p]
        a = atom_of[i]
        for q in range(p if diagonal else 0, len(column_subject)):
            j = column_subject[q]
            if i == j:
                for r in range(rows[p], rows[p + 1]):
                    for c in range(r + 1, rows[p + 1]):
                        for t in range(limits):
                            if scores[r, c] < thresholds[t]:
                                mated_errors[t, i] += 1
                continue
            reached = 0
            for r in range(rows[p], rows[p + 1]):
                for c in range(columns[q], columns[q + 1]):
                    t = 0
                    while t < limits and scores[r, c] >= thresholds[t]:
                        found[t] += 1
                        t += 1
                    reached = max(reached, t)
            if reached == 0:
                continue
            b = atom_of[j]
            low, high = min(a, b), max(a, b)
            cell = low * atoms - low * (low - 1) // 2 + (high - low)
            size = (rows[p + 1] - rows[p]) * (columns[q + 1] - columns[q])
            same = ~(half[i] ^ half[j])
            for t in range(reached):
                e = found[t]
                found[t] = 0
                errors[t, i, b] += e
                errors[t, j, a] += e
                see[t, cell] += e * e
                sec[t, cell] += e * size
                for s in range(splits):
                    if (same >> s) & 1:
                        half_errors[t, s, (half[i] >> s) & 1, cell] += e
