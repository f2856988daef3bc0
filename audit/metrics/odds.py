"""Odds ratios of errors between groups, and whether a group loses more than another as pictures get worse.

Logistic regression on single trials, with errors clustered by person (statsmodels; Liang & Zeger 1986, Biometrika
73:13, with statsmodels' small-sample factor). An odds ratio is further from 1 than the ratio of rates that it stands
for, the more so the higher the rates.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from audit.domain import Interval

Floats = NDArray[np.float64]
METHOD = "logistic regression, clustered by person"


@dataclass(frozen=True, eq=False)
class Logit:
    """Coefficients of a logistic regression, their covariance (clustered), and how many people and trials."""

    coefficients: Floats
    covariance: Floats
    people: int
    trials: int

    @property
    def errors(self) -> Floats:
        """Standard errors."""
        return np.sqrt(np.diag(self.covariance))


class NotEstimableError(Exception):
    """The model has no estimate: the text says why."""


def logit(failed: ArrayLike, design: ArrayLike, person: ArrayLike) -> Logit:
    """Fit a logistic regression with errors clustered by person.

    Parameters
    ----------
    failed : 0 or 1, trials
    design : float, trials x columns, the constant among them
    person : int, trials

    Raises
    ------
    NotEstimableError
        If a column tells errors apart from successes completely, or columns depend on each other.
    """
    from statsmodels.discrete.discrete_model import Logit as Model  # noqa: PLC0415 - takes a second to import
    from statsmodels.tools.sm_exceptions import PerfectSeparationError  # noqa: PLC0415

    y, x = np.asarray(failed, np.float64), np.asarray(design, np.float64)
    cluster = np.asarray(person)
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise NotEstimableError("columns of the model depend on each other")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of separation and convergence, which are looked at below
        try:
            fit = Model(y, x).fit(disp=0, maxiter=200, cov_type="cluster", cov_kwds={"groups": cluster})
        except (PerfectSeparationError, np.linalg.LinAlgError):
            raise NotEstimableError("errors are told apart completely") from None
    coefficients, covariance = np.asarray(fit.params), np.asarray(fit.cov_params())
    settled = bool(fit.mle_retvals["converged"]) and np.isfinite(covariance).all() and np.abs(coefficients).max() < 50
    if not settled:
        raise NotEstimableError("the regression does not settle")
    return Logit(coefficients, covariance, len(np.unique(cluster)), len(y))


@dataclass(frozen=True, slots=True)
class OddsRatio:
    """Odds of an error in a group over those in the reference group, at the same severity."""

    group: int
    ratio: float | None
    interval: Interval | None
    p: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Interaction:
    """Whether odds grow with severity alike in all groups: Wald's test, and by how much each differs a step.

    `steps` are, for the groups of `groups`, the factor by which their odds grow a step over that of the reference.
    """

    groups: tuple[int, ...]
    steps: tuple[tuple[float, Interval], ...]
    freedom: int
    p: float | None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Trials:
    """Counts under one degradation, from the picture as it was taken (severity 0) on.

    Parameters
    ----------
    errors, made : int, severities x people: what failed, out of how many
    severities : their numbers
    member : bool, groups x people; a person may be in several groups of a family, and then counts in each
    """

    errors: NDArray[np.int64]
    made: NDArray[np.int64]
    severities: Sequence[int]
    member: NDArray[np.bool_]


def compare(trials: Trials, reference: int, level: float) -> tuple[list[OddsRatio], Interaction]:
    """Odds ratios of all groups against one, and the interaction of group and severity.

    Groups in which nothing ever failed, or everything did, have no odds: they are left out of the models and say so.

    Parameters
    ----------
    reference : index of the group that the others are compared with
    level : of the intervals
    """
    usable, why = _usable(trials)
    others = [k for k in range(len(trials.member)) if k != reference]
    if reference not in usable:
        reason = f"the group that others are compared with: {why[reference]}"
        none = Interaction((), (), 0, None, reason)
        return [OddsRatio(k, None, None, None, reason) for k in others], none
    chosen = [reference, *(k for k in others if k in usable)]
    if len(chosen) < 2:
        lacking = "fewer than two groups have both errors and successes"
        return [OddsRatio(k, None, None, None, why[k]) for k in others], Interaction((), (), 0, None, lacking)
    failed, group, severity, person = _rows(trials, chosen)
    dummies = np.array([group == k for k in range(1, len(chosen))], dtype=np.float64).T
    constant = np.ones((len(failed), 1))
    steps = severity[:, None].astype(np.float64)
    made: dict[int, OddsRatio] = {k: OddsRatio(k, None, None, None, text) for k, text in why.items()}
    try:
        alone = logit(failed, np.hstack([constant, dummies, steps]), person)
        for n, k in enumerate(chosen[1:], start=1):
            made[k] = OddsRatio(k, *_ratio(alone, n, level))
    except NotEstimableError as error:
        made |= {k: OddsRatio(k, None, None, None, str(error)) for k in chosen[1:]}
    ratios = [made[k] for k in others]
    try:
        both = logit(failed, np.hstack([constant, dummies, steps, dummies * steps]), person)
    except NotEstimableError as error:
        return ratios, Interaction(tuple(chosen[1:]), (), len(chosen) - 1, None, str(error))
    return ratios, _interaction(both, chosen, level)


def _interaction(fit: Logit, chosen: Sequence[int], level: float) -> Interaction:
    from scipy.stats import chi2  # noqa: PLC0415 - beside its only use

    count = len(chosen) - 1
    first = len(fit.coefficients) - count
    beta, sigma = fit.coefficients[first:], fit.covariance[first:, first:]
    statistic = float(beta @ np.linalg.pinv(sigma) @ beta)
    steps = []
    for n in range(count):
        ratio, interval, _ = _ratio(fit, first + n, level)
        steps.append((ratio, interval))
    return Interaction(tuple(chosen[1:]), tuple(steps), count, float(chi2.sf(statistic, count)))


def _ratio(fit: Logit, column: int, level: float) -> tuple[float, Interval, float]:
    beta, error = float(fit.coefficients[column]), float(fit.errors[column])
    z = float(norm.isf((1 - level) / 2))
    interval = Interval(math.exp(beta - z * error), math.exp(beta + z * error), level, METHOD)
    return math.exp(beta), interval, float(2 * norm.sf(abs(beta) / error)) if error > 0 else 1.0


def _usable(trials: Trials) -> tuple[list[int], dict[int, str]]:
    """Groups that have odds, and why the others have none."""
    usable, why = [], {}
    for k, inside in enumerate(trials.member):
        errors, made = int(trials.errors[:, inside].sum()), int(trials.made[:, inside].sum())
        people = int((trials.made[:, inside].sum(axis=0) > 0).sum())
        if people < 2:
            why[k] = "fewer than two people"
        elif errors == 0:
            why[k] = f"nothing failed in {made} trials"
        elif errors == made:
            why[k] = f"everything failed in {made} trials"
        else:
            usable.append(k)
    return usable, why


def _rows(
    trials: Trials, chosen: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """One row a trial: failed, group (index in `chosen`), severity, person."""
    failed, group, severity, person = [], [], [], []
    for number, k in enumerate(chosen):
        for who in np.flatnonzero(trials.member[k]):
            for row, step in enumerate(trials.severities):
                made, wrong = int(trials.made[row, who]), int(trials.errors[row, who])
                failed += [1] * wrong + [0] * (made - wrong)
                group += [number] * made
                severity += [int(step)] * made
                person += [int(who)] * made
    return tuple(np.array(x, dtype=np.int64) for x in (failed, group, severity, person))  # type: ignore[return-value]
