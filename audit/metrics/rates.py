"""Error rates of cells, with the subject-level sums that their uncertainty rests on.

Definitions (ISO/IEC 19795-1): FMR = non-mated comparisons with score >= threshold / non-mated comparisons; FNMR = mated
comparisons with score < threshold / mated comparisons; FTA = samples without a template / samples. Generalised rates
count failures to acquire against the system: FRR = FTA + FNMR (1 - FTA), FAR = FMR (1 - FTA).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.compare.counts import Floats, Ints, OperatingCounts, mask_cells
from audit.domain import DemographicGroup, ErrorRate, Interval
from audit.metrics.support import support
from audit.stats import clustered, intervals

KORN_GRAUBARD_BELOW = 10.0
"""Effective errors below which FNMR and FTA take the Korn-Graubard interval."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of K cells and their residual sums by subject.

    Parameters
    ----------
    errors, trials, subjects : int arrays of shape (K,); subjects are those that contribute a trial
    residuals : float array of shape (n, K): for each subject, the sum of errors - rate x trials of what it took part in
    cross : float array of shape (K, K): sums over subject pairs of products of residuals; zeros for rates per subject
    paired : do trials belong to two subjects
    """

    errors: Ints
    trials: Ints
    subjects: Ints
    residuals: Floats
    cross: Floats
    paired: bool

    @property
    def rates(self) -> Floats:
        """Errors per trial; 0 where there is no trial (such a cell is never printed as a number)."""
        return np.asarray(self.errors / np.maximum(self.trials, 1))


def joint_covariance(paired: Tally, *own: Tally) -> Floats:
    """Covariance of the rates of pair cells, followed by those of single subjects; NaN where there is no trial."""
    everything = (paired, *own)
    return clustered.joint_covariance(
        paired.residuals,
        paired.cross,
        np.hstack([cells.residuals for cells in own]) if own else np.zeros((len(paired.residuals), 0)),
        np.concatenate([cells.trials for cells in everything]),
        np.concatenate([cells.rates for cells in everything]),
        np.concatenate([cells.subjects for cells in everything]),
    )


def nonmated(counts: OperatingCounts, atom_of: Ints, masks: NDArray[np.bool_], threshold: float) -> Tally:
    """False matches in cells given by atom masks, at a threshold.

    Parameters
    ----------
    masks : bool, shape (K, atoms, atoms), symmetric
    """
    t = counts.at(threshold)
    cells = len(masks)
    made = np.zeros((len(atom_of), cells))
    wrong = np.zeros((len(atom_of), cells))
    for atom in range(counts.comparisons.shape[1]):
        rows = atom_of == atom
        weight = masks[:, atom, :].T.astype(np.float64)
        made[rows] = counts.comparisons[rows] @ weight
        wrong[rows] = counts.errors[t][rows] @ weight
    errors, trials = wrong.sum(axis=0) / 2, made.sum(axis=0) / 2
    p = errors / np.maximum(trials, 1)
    flat = np.array([mask_cells(mask) for mask in masks], dtype=np.float64).reshape(cells, -1)
    see, sec, scc = (flat * sums @ flat.T for sums in (counts.see[t], counts.sec[t], counts.scc))
    cross = see - (p[:, None] + p[None, :]) * sec + p[:, None] * p[None, :] * scc
    subjects = (made > 0).sum(axis=0)
    return Tally(_ints(errors), _ints(trials), subjects, wrong - made * p, cross, paired=True)


def by_subject(errors: Ints, trials: Ints, inside: NDArray[np.bool_]) -> Tally:
    """Rates of which every trial belongs to one subject: FNMR, FTA.

    Parameters
    ----------
    errors, trials : int, shape (n,)
    inside : bool, shape (K, n): does the subject belong to the cell
    """
    wrong, made = (errors[None, :] * inside).T, (trials[None, :] * inside).T
    total, tried = wrong.sum(axis=0), made.sum(axis=0)
    p = total / np.maximum(tried, 1)
    return Tally(total, tried, (made > 0).sum(axis=0), wrong - made * p, np.zeros((0, 0)), paired=False)


@dataclass(frozen=True)
class Cell:
    """What a column of `Tally` is the rate of."""

    group: DemographicGroup
    reference_group: DemographicGroup | None = None


def error_rates(
    metric: str,
    cells: Tally,
    names: Sequence[Cell],
    variance: Floats,
    *,
    operating_point: str | None,
    level: float,
    min_subjects: int,
) -> list[ErrorRate]:
    """Turn counts into rates with intervals, one a cell.

    The interval is Wilson's at the effective size N* = max(p(1-p)/variance, floor), floor = people/2 for comparisons of
    two people and people otherwise; below 10 effective errors, FNMR and FTA take Korn and Graubard's.
    """
    made = []
    for k, name in enumerate(names):
        rate = ErrorRate(
            metric,
            name.group,
            int(cells.errors[k]),
            int(cells.trials[k]),
            int(cells.subjects[k]),
            reference_group=name.reference_group,
            operating_point=operating_point,
        )
        if rate.trials == 0:
            made.append(replace(rate, reason=NO_TRIALS[metric]))
        elif rate.subjects < min_subjects:
            people = "1 person" if rate.subjects == 1 else f"{rate.subjects} people"
            why = f"rests on {people}; fewer than {min_subjects} are not given as a rate"
            made.append(replace(rate, suppressed=True, reason=why))
        else:
            made.append(_sure(rate, rate.errors / rate.trials, float(variance[k]), level, paired=cells.paired))
    return made


def interval(p: float, variance: float, subjects: int, level: float, *, paired: bool) -> Interval:
    """Interval of a rate; the effective size is not below half the people for pairs of them, or the people."""
    floor = subjects / 2 if paired else float(subjects)
    found = intervals.clustered_interval(p, variance, floor, level, exact_below=0.0 if paired else KORN_GRAUBARD_BELOW)
    return Interval(found.low, found.high, level, found.method)


def _sure(rate: ErrorRate, p: float, variance: float, level: float, *, paired: bool) -> ErrorRate:
    """Give a rate its interval and support."""
    effective = intervals.effective_errors(p, variance) or 0.0
    return replace(
        rate,
        interval=interval(p, variance, rate.subjects, level, paired=paired),
        variance=variance,
        design_effect=clustered.design_effect(variance, p, rate.trials),
        effective_errors=effective,
        support=support(rate.subjects, effective),
    )


def generalise(rate: ErrorRate, acquisition: ErrorRate, covariance: float, level: float) -> ErrorRate:
    """Compose a conditional rate with the failures to acquire of its group: FMR -> FAR, FNMR -> FRR.

    The variance is that of the delta method; `covariance` is between the two rates. Errors and trials stay those of the
    comparisons that were made.
    """
    paired = rate.metric == "FMR"
    made = replace(rate, metric="FAR" if paired else "FRR", view="generalised")
    p, f = rate.value, acquisition.value
    if p is None or f is None or rate.variance is None or acquisition.variance is None:
        return replace(made, suppressed=True, reason=rate.reason or acquisition.reason)
    composed = p * (1 - f) if paired else f + p * (1 - f)
    if f == 0:
        return replace(made, point=composed)
    to_p, to_f = 1 - f, -p if paired else 1 - p
    variance = to_p**2 * rate.variance + to_f**2 * acquisition.variance + 2 * to_p * to_f * covariance
    return _sure(replace(made, point=composed), composed, max(variance, 0.0), level, paired=paired)


NO_TRIALS = {
    "FMR": "no non-mated comparison",
    "FNMR": "no mated comparison",
    "FTA": "no sample",
    "FPIR": "nobody was tested who is not on the list",
    "FNIR": "nobody was tested who is on the list",
    "MISS": "no picture with a face",
    "FDET": "no picture",
    "CER": "no picture with a true label that the model can say",
    "OFF": "no picture of somebody whose age is known",
    "PASS": "no picture of somebody known to be under the limit",
    "STOP": "no picture of somebody known to be of the challenge age",
    "NPR": "no picture of somebody of whom the truth is known",
}


def _ints(values: Floats) -> Ints:
    return np.asarray(np.rint(values), dtype=np.int64)
