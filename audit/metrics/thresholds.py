"""Decision thresholds at a target false match rate: set on observed scores, never between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SLACK = 1e-9
"""On the number of errors allowed: .07 * 100 is 7.000000000000001 and .29 * 100 is 28.999999999999996."""


@dataclass(frozen=True, slots=True)
class FmrThreshold:
    """A threshold at a target FMR, with what it achieves on the comparisons that set it.

    `value` is None where no comparison was given. Not `estimable`: fewer than one error is expected among these
    comparisons, so that the threshold rests on the target being 0 in all but name; `reason` then says how many
    comparisons there were.
    """

    value: float | None
    target: float
    errors: int
    trials: int
    estimable: bool
    reason: str | None = None

    @property
    def achieved(self) -> float | None:
        """FMR at the threshold, at most the target; None without comparisons."""
        return self.errors / self.trials if self.trials else None


def threshold_at_fmr(scores: ArrayLike, counts: ArrayLike, target: float) -> FmrThreshold:
    """Find the smallest observed non-mated score t with FMR(t) <= target; if none, just above the largest score.

    Parameters
    ----------
    scores : float64 array, V
        Distinct non-mated scores, ascending; larger means more alike, and a comparison is accepted iff score >= t.
    counts : int64 array, V
        Non-mated comparisons with each score. A score with none is not an observed one.
    target : float
        FMR in [0, 1].

    Notes
    -----
    Integers decide: `#{non-mated >= t} <= floor(target N + 1e-9)`. The target is never exceeded and nothing is
    interpolated.

    >>> threshold_at_fmr([0.1, 0.2, 0.3], [97, 2, 1], 0.01).value
    0.3
    >>> threshold_at_fmr([0.1, 0.2, 0.3], [97, 2, 1], 0.001).estimable
    False
    """
    return thresholds_at_fmr(scores, counts, [target])[0]


def thresholds_at_fmr(scores: ArrayLike, counts: ArrayLike, targets: Sequence[float]) -> list[FmrThreshold]:
    """As `threshold_at_fmr`, for each of several targets."""
    return thresholds_of(*observed(scores, counts), targets)


def thresholds_of(
    scores: NDArray[np.float64], counts: NDArray[np.int64], targets: Sequence[float]
) -> list[FmrThreshold]:
    """As `thresholds_at_fmr`, of scores that are known to be as `observed` gives them."""
    accepted = np.cumsum(counts[::-1])[::-1]
    return [_at_fmr(scores, accepted, target) for target in targets]


def _at_fmr(values: NDArray[np.float64], accepted: NDArray[np.int64], target: float) -> FmrThreshold:
    """`accepted` are the comparisons with each score or a larger one."""
    if not 0 <= target <= 1:
        raise ValueError(f"a target FMR lies in [0, 1], found {target}")
    trials = int(accepted[0]) if len(accepted) else 0
    if trials == 0:
        return FmrThreshold(None, target, 0, 0, False, "not estimable: no comparisons")
    allowed = math.floor(target * trials + _SLACK)
    first = int(np.searchsorted(-accepted, -allowed, side="left"))
    if first < values.size:
        value, errors = float(values[first]), int(accepted[first])
    else:
        value, errors = float(np.nextafter(values[-1], np.inf)), 0
    estimable = allowed >= 1
    reason = None if estimable else f"not estimable: {trials:,} comparisons, fewer than one error expected"
    return FmrThreshold(value, target, errors, trials, estimable, reason)


def observed(scores: ArrayLike, counts: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Check distinct ascending scores with whole counts, and leave out the scores that nobody had.

    Raises
    ------
    ValueError
        If scores do not ascend strictly, are not finite, or counts are negative or not whole.
    """
    values, numbers = np.asarray(scores, dtype=np.float64), np.asarray(counts)
    if values.ndim != 1 or values.shape != numbers.shape:
        raise ValueError(f"scores {values.shape} and counts {numbers.shape} must be lists of one length")
    if not np.all(np.isfinite(values)) or not np.all(np.diff(values) > 0):
        raise ValueError("scores must be finite and ascend strictly")
    whole = numbers.astype(np.int64)
    if not np.array_equal(whole, numbers) or np.any(whole < 0):
        raise ValueError("counts must be whole and not negative")
    kept = whole > 0
    return values[kept], whole[kept]
