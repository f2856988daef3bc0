"""Cross-fit of a disparity measure: groups chosen on one half of the subjects, the measure evaluated on the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from audit.metrics.differentials import Measure


def cross_fit(errors: ArrayLike, totals: ArrayLike, measure: Measure) -> float | None:
    """Average a measure over splits of the subjects, choosing groups and evaluating on different people.

    Parameters
    ----------
    errors, totals : arrays, S splits x 2 halves x K
        Errors and comparisons inside each half of each split, subjects being halved within every group; the threshold
        is that of all data. For a composite measure K is twice the groups, FMR first.
    measure : Measure

    Returns
    -------
    float, or None where a half of a group holds no comparison

    Notes
    -----
    Rates are evaluated as `(e + .5)/(M + 1)`. Both directions of every split count, and ratios are averaged in
    logarithms: luck cancels, so that under equal rates the value lies around 1, on either side of it.
    """
    e, m = np.asarray(errors, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    if e.ndim != 3 or e.shape != m.shape or e.shape[1] != 2:
        raise ValueError(f"errors {e.shape} and totals {m.shape} must be splits x 2 x groups")
    groups = e.shape[2] // (2 if measure.composite else 1)
    if e.shape[0] == 0 or groups < 2 or not np.all(m > 0):
        return None
    values = measure((e / m), ((e + 0.5) / (m + 1))[:, ::-1])
    return float(np.exp(np.log(values).mean())) if measure.scale == "ratio" else float(values.mean())
