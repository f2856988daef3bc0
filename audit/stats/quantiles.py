"""Quantiles of measurements of which several may belong to one person."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.stats.intervals import effective_size, korn_graubard

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClusteredQuantile:
    """A quantile with its interval, clustered by subject."""

    value: float
    low: float
    high: float
    observations: int
    subjects: int


def clustered_quantile(
    values: ArrayLike, owner: ArrayLike, share: float, level: float = 0.95
) -> ClusteredQuantile | None:
    """Smallest measurement that at least `share` of all do not exceed, with Woodruff's interval clustered by person.

    Parameters
    ----------
    values : float array, m
    owner : int array, m
        The person whom each belongs to.
    share : float
        In (0, 1); .9 for P90. No interpolation: the quantile is a measurement.

    Returns
    -------
    ClusteredQuantile in the unit of the measurements; None for fewer than two people with one

    Notes
    -----
    The interval of the proportion `share` at the quantile (Korn and Graubard's, from its clustered variance: few
    measurements lie beyond a high quantile) is carried over to the measurements: its two ends are the quantiles at
    these proportions.

    Source
    ------
    Woodruff (1952), JASA 47:635-646; `audit.stats.intervals.korn_graubard`.

    >>> clustered_quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], range(10), 0.9).value
    9.0
    """
    x, who = np.asarray(values, dtype=np.float64), np.asarray(owner, dtype=np.int64)
    if not 0 < share < 1:
        raise ValueError(f"a share lies in (0, 1), found {share}")
    counts = np.bincount(who)
    people = int((counts > 0).sum())
    if people < 2:
        return None
    ordered = np.sort(x)
    found = _at(ordered, share)
    below = np.bincount(who, weights=x <= found, minlength=len(counts))
    p = float((x <= found).mean())
    residuals = below - p * counts
    variance = float((residuals**2).sum() * people / (people - 1) / len(x) ** 2)
    size = effective_size(share, max(variance, share * (1 - share) / len(x)), float(people))
    low, high = korn_graubard(1 - share, size, level)
    return ClusteredQuantile(found, _at(ordered, 1 - high), _at(ordered, 1 - low), len(x), people)


def _at(ordered: Floats, share: float) -> float:
    """Smallest of the ordered values that at least `share` of them do not exceed."""
    rank = math.ceil(share * len(ordered) - 1e-9)
    return float(ordered[min(max(rank, 1), len(ordered)) - 1])
