"""Detection error trade-off and what summarises it: EER, AUC, d'.

Everything is made from distinct ascending scores with the number of mated and of non-mated comparisons at each; numbers
may be weights. Accept iff score >= threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

PROBIT_ZERO = -8.12636044
"""Where a rate of 0 stands on a probit axis, by bob.measure's convention; it must be marked as a zero when plotted."""
PROBIT_ONE = 8.12635793
"""Where a rate of 1 stands on a probit axis, by the same convention."""


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCurve:
    """FMR and FNMR at every threshold that matters: the V distinct scores, and above the largest.

    `thresholds` ascend (V + 1, the last is infinite), so `fmr` falls from 1 to 0 and `fnmr` rises from 0 to 1.
    """

    thresholds: Floats
    fmr: Floats
    fnmr: Floats


def error_curve(scores: ArrayLike, mated: ArrayLike, nonmated: ArrayLike) -> ErrorCurve | None:
    """Compute both error rates at every distinct score.

    Parameters
    ----------
    scores : float array, V
        Distinct, ascending.
    mated, nonmated : arrays, V
        Comparisons (or weights) at each score; not negative.

    Returns
    -------
    ErrorCurve, or None where mated or non-mated comparisons are missing
    """
    values, m, n = _checked(scores, mated, nonmated)
    if m.sum() == 0 or n.sum() == 0:
        return None
    below_m = np.concatenate([[0.0], np.cumsum(m)])
    below_n = np.concatenate([[0.0], np.cumsum(n)])
    fmr, fnmr = (below_n[-1] - below_n) / below_n[-1], below_m / below_m[-1]
    return ErrorCurve(np.append(values, np.inf), fmr, fnmr)


def probit(rates: ArrayLike) -> Floats:
    """Map rates to the axis of a DET plot, the normal quantile; 0 and 1 get a marked place at the end.

    Source
    ------
    Martin et al. (1997), "The DET curve in assessment of detection task performance".
    """
    x = np.asarray(rates, dtype=np.float64)
    inside = ndtri(np.clip(x, 1e-300, 1 - 1e-16))
    return np.where(x <= 0, PROBIT_ZERO, np.where(x >= 1, PROBIT_ONE, np.clip(inside, PROBIT_ZERO, PROBIT_ONE)))


def hull(curve: ErrorCurve) -> NDArray[np.int64]:
    """Indices of the operating points on the convex hull of the ROC, in order of thresholds.

    Notes
    -----
    A point on or above the chord between its two neighbours is not a corner of the hull, whichever neighbours remain
    later: all such points leave at once, until none is left.
    """
    index = _staircase_corners(curve)
    while index.size > 2:
        x, y = curve.fmr[index], curve.fnmr[index]
        dx, dy = np.diff(x), np.diff(y)
        turn = dx[:-1] * dy[1:] - dy[:-1] * dx[1:]
        # Thresholds ascend: FMR falls and FNMR rises, so a corner towards the origin turns right.
        keep = np.concatenate([[True], turn < 0, [True]])
        if keep.all():
            break
        index = index[keep]
    return index


def eer_rocch(curve: ErrorCurve) -> float:
    """Equal error rate of the ROC convex hull: where the hull crosses FMR = FNMR.

    It is the largest half-total error that the best threshold (or mixture of two) can be forced to by a choice of
    priors, and, unlike interpolated EERs, unique.

    Source
    ------
    Brümmer & de Villiers (2013), "The BOSARIS toolkit", section on ROCCH-EER.
    """
    corners = hull(curve)
    x, y = curve.fmr[corners], curve.fnmr[corners]
    gap = y - x
    right = int(np.searchsorted(gap, 0.0, side="left"))
    if gap[right] == 0:
        return float(x[right])
    left = right - 1
    share = -gap[left] / (gap[right] - gap[left])
    return float(x[left] + share * (x[right] - x[left]))


def auc(scores: ArrayLike, mated: ArrayLike, nonmated: ArrayLike) -> float | None:
    """Probability that a mated comparison scores above a non-mated one, ties counting one half (Mann-Whitney)."""
    _, m, n = _checked(scores, mated, nonmated)
    total = m.sum() * n.sum()
    if total == 0:
        return None
    below = np.cumsum(n) - n
    return float((m * (below + n / 2)).sum() / total)


def d_prime(scores: ArrayLike, mated: ArrayLike, nonmated: ArrayLike) -> float | None:
    """Difference of the mean scores over the root of the mean variance, ddof 0; None where there is no variance."""
    values, m, n = _checked(scores, mated, nonmated)
    if m.sum() == 0 or n.sum() == 0:
        return None
    (mean_m, variance_m), (mean_n, variance_n) = _moments(values, m), _moments(values, n)
    spread = (variance_m + variance_n) / 2
    return float((mean_m - mean_n) / np.sqrt(spread)) if spread > 0 else None


def thin(curve: ErrorCurve, limit: int = 512) -> tuple[Floats, Floats]:
    """Choose at most `limit` points of a DET for a picture: corners of the hull first, then evenly along the curve.

    Returns
    -------
    (fmr, fnmr), at ascending thresholds: FMR falls from 1 to 0, FNMR rises from 0 to 1
    """
    if limit < 2:
        raise ValueError(f"a curve has two ends, found a limit of {limit}")
    kept = hull(curve)
    steps = _staircase_corners(curve)
    if steps.size <= limit:
        kept = steps
    elif kept.size > limit:
        kept = kept[np.unique(np.linspace(0, kept.size - 1, limit).round().astype(np.int64))]
    else:
        # Even in probit coordinates, where the curve is looked at; the jumps to 0 and 1 have no points to give.
        px, py = (_inner_probit(rates[steps]) for rates in (curve.fmr, curve.fnmr))
        way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(px), np.diff(py)))])
        marks = np.searchsorted(way, np.linspace(0, way[-1], limit - kept.size + 2)[1:-1])
        kept = np.union1d(kept, steps[marks])
    return curve.fmr[kept], curve.fnmr[kept]


def _inner_probit(rates: Floats) -> Floats:
    inside = rates[(rates > 0) & (rates < 1)]
    return probit(np.clip(rates, inside.min(), inside.max()) if inside.size else rates)


def _staircase_corners(curve: ErrorCurve) -> NDArray[np.int64]:
    """Indices without the points inside a horizontal or vertical run of the staircase."""
    dx, dy = np.diff(curve.fmr), np.diff(curve.fnmr)
    flat, steep = dy == 0, dx == 0
    inside = (flat[:-1] & flat[1:]) | (steep[:-1] & steep[1:])
    return np.flatnonzero(np.concatenate([[True], ~inside, [True]]))


def _moments(values: Floats, weights: Floats) -> tuple[float, float]:
    total = weights.sum()
    # Centred first: squares of large scores would cancel.
    origin = float(values[np.argmax(weights)])
    mean = float((weights * (values - origin)).sum() / total)
    variance = float((weights * (values - origin - mean) ** 2).sum() / total)
    return origin + mean, variance


def _checked(scores: ArrayLike, mated: ArrayLike, nonmated: ArrayLike) -> tuple[Floats, Floats, Floats]:
    values = np.asarray(scores, dtype=np.float64)
    m, n = np.asarray(mated, dtype=np.float64), np.asarray(nonmated, dtype=np.float64)
    if values.ndim != 1 or not values.shape == m.shape == n.shape:
        raise ValueError(f"scores {values.shape}, mated {m.shape} and non-mated {n.shape} must be lists of one length")
    if not np.all(np.isfinite(values)) or not np.all(np.diff(values) > 0):
        raise ValueError("scores must be finite and ascend strictly")
    if not np.all(m >= 0) or not np.all(n >= 0):
        raise ValueError("numbers of comparisons are not negative")
    return values, m, n
