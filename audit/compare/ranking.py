"""The compiled part of a comparison with a list: what one probe's scores with everybody on it come down to.

Of each probe four numbers remain: the score of its mate, the mate's rank, and the two highest scores of other people.
"""

# numba compiles these with its own rules of mixed arithmetic, which numpy's stubs do not know.
# mypy: disable-error-code="arg-type,index,assignment"

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Scores = NDArray[np.float32]
LANES, STRETCH = 64, 256


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _highest(row: Scores) -> np.float32:
    """Highest of the scores, in lanes: a running maximum of floats would keep the compiler from vectorising."""
    lanes = np.full(LANES, -np.inf, dtype=np.float32)
    whole = len(row) // LANES * LANES
    for start in range(0, whole, LANES):
        for k in range(LANES):
            lanes[k] = row[start + k] if row[start + k] > lanes[k] else lanes[k]
    top = np.float32(-np.inf)
    for k in range(LANES):
        top = max(top, lanes[k])
    for k in range(whole, len(row)):
        top = max(top, row[k])
    return top


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _not_below(row: Scores, score: np.float32) -> int:
    """How many scores are at least as high."""
    count = np.int32(0)
    for c in range(len(row)):
        count += np.int32(row[c] >= score)
    return int(count)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _two_highest(row: Scores) -> tuple[np.float32, np.float32]:
    """Both highest of the scores; equal ones count twice."""
    first = np.full(LANES, -np.inf, dtype=np.float32)
    second = np.full(LANES, -np.inf, dtype=np.float32)
    whole = len(row) // LANES * LANES
    for start in range(0, whole, LANES):
        for k in range(LANES):
            x = row[start + k]
            less = x if x < first[k] else first[k]
            first[k] = x if x > first[k] else first[k]
            second[k] = less if less > second[k] else second[k]
    top, after = np.float32(-np.inf), np.float32(-np.inf)
    for k in range(LANES):
        after = max(after, min(top, first[k]), second[k])
        top = max(top, first[k])
    for k in range(whole, len(row)):
        after = max(after, min(top, row[k]))
        top = max(top, row[k])
    return top, after


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _place(row: Scores, score: np.float32) -> int:
    """Where a score that is there stands first: by stretches, which the compiler can look through at once."""
    start = 0
    while _not_below(row[start : start + STRETCH], score) == 0:
        start += STRETCH
    while row[start] != score:
        start += 1
    return start


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rank_rows(
    strip: NDArray[np.float32],
    first: Ints,
    own: Ints,
    sizes: Ints,
    mate: Scores,
    rank: Ints,
    best: NDArray[np.float32],
    second: Scores,
    candidate: Ints,
) -> None:
    """Rank the list for each probe of a strip.

    Parameters
    ----------
    strip : (blocks, rows, side) scores of the probes with the references, in blocks of references
    first : (people + 1,) where the references of each person on the list begin, and their number; a person's score is
        the highest of her references
    own : (probes,) the probe's person on the list; -1: she is not on it
    mate, rank : (probes,) filled where `own` is not -1: her score, and 1 + other people with a score not below it
    sizes : (parts,) ascending: how many of the first people on the list are a part of it; the last is all of them
    best : (parts, probes) filled where `own` is -1: highest score in each part
    candidate : (probes,) filled: whose the highest is (of equals, the first on the list); not of mates at rank 1
    second : (probes,) filled there: the next highest
    """
    side, people = strip.shape[2], len(first) - 1
    total = first[people]
    scores = np.empty(total, dtype=np.float32)
    row = scores if people == total else np.empty(people, dtype=np.float32)
    for r in range(len(own)):
        for start in range(0, total, side):
            stop = min(start + side, total)
            scores[start:stop] = strip[start // side, r, : stop - start]
        if people != total:
            for p in range(people):
                row[p] = _highest(scores[first[p] : first[p + 1]])
        if own[r] >= 0:
            mate[r] = row[own[r]]
            row[own[r]] = -np.inf
            above = _not_below(row, mate[r])
            rank[r] = 1 + above
            if above:
                candidate[r] = _place(row, _highest(row))
            continue
        top, after = np.float32(-np.inf), np.float32(-np.inf)
        for k in range(len(sizes)):
            one, two = _two_highest(row[(sizes[k - 1] if k else 0) : sizes[k]])
            after = max(after, min(top, one), two)
            top = max(top, one)
            best[k, r] = top
        second[r] = after
        candidate[r] = _place(row, top)
