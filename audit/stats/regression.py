"""Weighted regression of outcomes whose trials share subjects, as influence of every trial on what is estimated.

A trial belongs to one subject, or to two. With `A = sum w v x x'` (v the variance function: m (1 - m) for a logistic
model, 1 for a linear one) a trial's influence on the coefficients is `A^-1 w (y - m) x`, and every smooth quantity has
an influence made of these. The covariance of quantities with influences f (trials x quantities) is::

    V = S'S - Y'Y,   Y[d] = sum of f over the trials of the pair d,   S[i] = sum of f over the trials of subject i

A pair shares *two* subjects with itself and would be counted twice, hence Y'Y; it is left out for trials of one
subject, where V is the usual cluster sandwich. With trials drawn with probability 1/w, V holds what the drawing adds.

Sources: Liang & Zeger (1986), Biometrika, for clusters; Aronow, Samii & Assenova (2015), Political Analysis, and
Fogliato et al. (2024), IJCV, for pairs; Binder (1983), Int. Stat. Review, for weights. Fits: statsmodels.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = Literal["logistic", "linear"]
LARGEST = 15.0
"""A coefficient of a column of deviation 1 beyond it is one without bound: e^15 times the odds."""
ITERATIONS = 60


class SeparatedError(ValueError):
    """The columns tell errors from non-errors without a mistake: coefficients have no finite estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A regression that was fitted.

    Parameters
    ----------
    coefficients : (k,)
    fitted : (trials,) expected outcomes m
    influence : (trials, k) of every trial on the coefficients
    inverse : (k, k) A^-1
    """

    kind: Kind
    coefficients: Floats
    fitted: Floats
    influence: Floats
    inverse: Floats

    def expected(self, design: Floats) -> Floats:
        """Outcomes that are expected for other columns, (rows,)."""
        predictor = design @ self.coefficients
        return np.asarray(_logistic(predictor) if self.kind == "logistic" else predictor)


def fit(design: Floats, outcome: Floats, weight: Floats, kind: Kind) -> Fit:
    """Fit by weighted (pseudo-)likelihood.

    Parameters
    ----------
    design : (trials, k) of full rank; the constant is one of the columns
    outcome : (trials,) 0 or 1 for a logistic model
    weight : (trials,) above 0: how many trials each stands for

    Raises
    ------
    SeparatedError
        If a logistic model has no finite estimate.
    """
    import statsmodels.api as sm  # noqa: PLC0415 - takes seconds to load, and most runs ask for no regression

    family = sm.families.Binomial() if kind == "logistic" else sm.families.Gaussian()
    scale = float(weight.mean())  # the estimate does not depend on it, and the likelihood keeps its size
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = sm.GLM(outcome, design, family=family, freq_weights=weight / scale).fit(
                maxiter=ITERATIONS, tol=1e-11, tol_criterion="params"
            )
        coefficients = np.asarray(made.params, dtype=np.float64)
    except (np.linalg.LinAlgError, ValueError) as error:
        raise SeparatedError(str(error)) from error
    if not np.isfinite(coefficients).all():
        raise SeparatedError("not finite")
    predictor = design @ coefficients
    mean = _logistic(predictor) if kind == "logistic" else predictor
    spread = design.std(axis=0)
    if kind == "logistic" and (not made.converged or np.abs(coefficients * np.where(spread > 0, 1, 0)).max() > LARGEST):
        raise SeparatedError("no finite estimate")
    curve = weight * (mean * (1 - mean) if kind == "logistic" else 1.0)
    try:
        inverse = np.asarray(np.linalg.inv(design.T @ (curve[:, None] * design)), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise SeparatedError(str(error)) from error
    influence = (weight * (outcome - mean))[:, None] * design @ inverse
    return Fit(kind, coefficients, np.asarray(mean), influence, inverse)


def clustered(influence: Floats, first: Ints, second: Ints | None = None) -> Floats:
    """Covariance of quantities from the influence of trials that share subjects; no small-sample factor.

    Parameters
    ----------
    influence : (trials, q)
    first, second : (trials,) subjects; `second` None, or the same: trials of one subject

    Returns
    -------
    (q, q); diagonals of pairs are not below those of independent pairs

    Examples
    --------
    Three pairs of three subjects, influence 1 each: every subject sums 2, so 3 x 4 less the 3 pairs' own squares.

    >>> clustered(np.ones((3, 1)), np.array([0, 0, 1]), np.array([1, 2, 2])).tolist()
    [[9.0]]
    """
    people = int(max(first.max(initial=-1), -1 if second is None else second.max(initial=-1))) + 1
    if second is None:
        own = _sums(first, influence, people)
        return np.asarray(own.T @ own)
    low, high = np.minimum(first, second), np.maximum(first, second)
    pairs, place = np.unique(low * people + high, return_inverse=True)
    by_pair = _sums(place, influence, len(pairs))
    one, two = pairs // max(people, 1), pairs % max(people, 1)
    apart = one != two
    rows = _sums(one, by_pair, people) + _sums(two[apart], by_pair[apart], people)
    shared = by_pair[apart].T @ by_pair[apart]
    made = rows.T @ rows - shared
    least = np.einsum("dq,dq->q", by_pair, by_pair)
    np.fill_diagonal(made, np.maximum(np.diag(made), least))
    return np.asarray(made)


def _sums(place: Ints, values: Floats, size: int) -> Floats:
    made = [np.bincount(place, column, size).astype(np.float64) for column in values.T]
    return np.column_stack(made).reshape(size, values.shape[1])


def _logistic(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -500, 500))))
