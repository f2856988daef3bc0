"""The vertex bootstrap of rates: people are drawn anew, and the threshold is set anew on what they compare.

People are drawn with replacement within each atom (people of the same labels), as many as there are; w_i is how often i
was drawn. A comparison of i and j then counts w_i w_j times, a mated one or a failure of i w_i times. Two copies of one
person are no two people: the w_i (w_i - 1)/2 pairs of copies are filled with the observed rate, which neither adds nor
removes errors. A global threshold that was set on these comparisons is set again in every replicate by the rule of
`audit.metrics.thresholds`, with weights; a threshold that was given stays.

Only the upper tail of non-mated scores decides: comparisons are kept from the score on at which the observed FMR is
`REACH` times the largest target.

It is a witness beside the draws, on the safe side: where errors are few, what single comparisons add to the variance
counts about three times (a product of two Poisson weights has variance 3). FNMR has no such part.

Source: Snijders & Borgatti (1999), Connections 22:161-170 (vertex bootstrap of statistics of pairs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit.compare import Comparisons
from audit.compare.by_subject import PairErrors
from audit.compare.counts import Floats, Ints, mask_cells, pair_cell, pair_cells
from audit.domain import Interval, Threshold
from audit.groups import Grouping
from audit.metrics.differentials import MEASURES

REACH = 5.0
FEWEST_DRAWN = 5
MOST_ROWS = 1 << 22
"""Comparisons of the tail that may be held."""
METHOD = "vertex bootstrap, percentile"
TOO_MANY = f"more than {MOST_ROWS:,} comparisons lie in the tail: too many to hold"


@dataclass(frozen=True, eq=False)
class Tail:
    """Non-mated comparisons in falling order of score, and all mated ones.

    Parameters
    ----------
    first, second, cell, score : (R,) subjects, atom pair and score of the non-mated ones
    mated, mated_score : (M,) subject and score
    """

    first: Ints
    second: Ints
    cell: Ints
    score: Floats
    mated: Ints
    mated_score: Floats


@dataclass(frozen=True, eq=False)
class Resampled:
    """Rates of every group in every replicate, (B, groups); NaN where a replicate has no comparison of a group."""

    fmr: Floats
    fnmr: Floats


def tail(comparisons: Comparisons, grouping: Grouping, lowest: float) -> Tail | None:
    """Collect the non-mated comparisons of scores not below `lowest`, and the mated ones; None if they are too many."""
    atom_of, atoms = grouping.atom_of, grouping.atoms
    allowed = np.ones((atoms, atoms), dtype=bool) if grouping.allowed is None else grouping.allowed
    parts: list[tuple[Ints, Ints, Floats]] = []
    own: list[tuple[Ints, Floats]] = []
    held = 0
    for first, second, score in comparisons.chunks():
        same = first == second
        own.append((first[same], score[same]))
        fits = ~same & allowed[atom_of[first], atom_of[second]]
        keep = fits & (score >= lowest)
        held += int(keep.sum())
        if held > MOST_ROWS:
            return None
        parts.append((first[keep], second[keep], score[keep]))
    one, two, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(-score, kind="stable")
    one, two, score = one[order], two[order], score[order]
    cell = pair_cell(atom_of[one], atom_of[two], atoms)
    return Tail(one, two, cell, score, np.concatenate([o[0] for o in own]), np.concatenate([o[1] for o in own]))


def resample(
    held: Tail, pairs: PairErrors, grouping: Grouping, point: Threshold, replicates: int, rng: np.random.Generator
) -> Resampled | None:
    """Draw people anew and measure every group.

    Parameters
    ----------
    pairs : how often every two people were compared (its errors are not used)
    point : a global or given operating point with a threshold

    Returns
    -------
    None where a replicate's threshold lies below the tail that is held
    """
    if point.value is None:
        raise ValueError(f"{point.id} has no threshold")
    atom_of, atoms = grouping.atom_of, grouping.atoms
    cells = pair_cells(atoms)
    groups = len(grouping.groups)
    flat = np.array([mask_cells(grouping.within(k)) for k in range(groups)], dtype=np.float64).T
    inside = grouping.member[:, atom_of].astype(np.float64)
    members = strata(grouping)
    ends = np.flatnonzero(np.r_[held.score[1:] != held.score[:-1], True]) if len(held.score) else np.zeros(0, np.int64)
    seen = int(np.searchsorted(-held.score, -point.value, side="right"))
    compared, _ = _trials(pairs, np.ones(len(atom_of)), atoms)
    observed = _ratio(np.bincount(held.cell[:seen], minlength=cells) @ flat, compared @ flat)
    overall = np.arange(1, len(held.score) + 1) / max(compared.sum(), 1.0)
    mated = np.bincount(held.mated, minlength=len(atom_of)).astype(np.float64)
    made = Resampled(*(np.full((replicates, groups), np.nan) for _ in range(2)))
    for b in range(replicates):
        w = np.zeros(len(atom_of))
        for who in members:
            w[who] = rng.multinomial(len(who), np.full(len(who), 1 / len(who)))
        trials, copies = _trials(pairs, w, atoms)
        weight = w[held.first] * w[held.second]
        upto, threshold = seen, point.value
        if point.policy == "global" and point.target_fmr is not None:
            total = trials.sum() + copies.sum()
            rate = (np.cumsum(weight) + copies.sum() * overall)[ends] / max(total, 1.0)
            met = int(np.searchsorted(rate, point.target_fmr + 1e-12, side="right"))
            if met == len(ends):
                return None
            upto = int(ends[met - 1]) + 1 if met else 0
            threshold = float(held.score[upto - 1]) if upto else float(np.nextafter(held.score[0], np.inf))
        errors = np.bincount(held.cell[:upto], weight[:upto], cells)
        filled = copies @ flat
        made.fmr[b] = _ratio(errors @ flat + filled * observed, trials @ flat + filled)
        wrong = np.bincount(held.mated, held.mated_score < threshold, len(atom_of))
        made.fnmr[b] = _ratio(inside @ (w * wrong), inside @ (w * mated))
    return made


def strata(grouping: Grouping) -> list[Ints]:
    """People who are drawn among themselves: those of the same labels.

    Where groups overlap, labels have many combinations, and of a combination that one person has, the same person would
    be drawn every time, as if she could not have been another. There, people of combinations with fewer than
    `FEWEST_DRAWN` people are drawn together.
    """
    atom_of = grouping.atom_of
    sizes = np.bincount(atom_of, minlength=grouping.atoms)
    rare = sizes < FEWEST_DRAWN if grouping.several() else np.zeros(grouping.atoms, dtype=bool)
    made = [np.flatnonzero(atom_of == atom) for atom in np.flatnonzero(~rare)]
    return [*made, np.flatnonzero(rare[atom_of])] if rare.any() else made


def _trials(pairs: PairErrors, w: Floats, atoms: int) -> tuple[Floats, Floats]:
    """Weighted comparisons of different people, and of copies of one person, by pair of atoms, (cells,) each."""
    atom_of = pairs.atom_of
    upper = np.triu_indices(atoms)
    copies = np.zeros((atoms, atoms))
    if pairs.samples is None:
        cell = pair_cell(atom_of[pairs.first], atom_of[pairs.second], atoms)
        trials = np.bincount(cell, pairs.trials * w[pairs.first] * w[pairs.second], pair_cells(atoms))
        rows = np.bincount(cell, minlength=pair_cells(atoms))
        mean = np.bincount(cell, pairs.trials, pair_cells(atoms)) / np.maximum(rows, 1)
        own = mean[pair_cell(np.arange(atoms), np.arange(atoms), atoms)]
        np.fill_diagonal(copies, np.bincount(atom_of, w * (w - 1) / 2, atoms) * own)
        return np.asarray(trials, dtype=np.float64), copies[upper]
    size = pairs.samples.astype(np.float64)
    sums = np.bincount(atom_of, size * w, atoms)
    made = np.outer(sums, sums)
    np.fill_diagonal(made, (sums**2 - np.bincount(atom_of, (size * w) ** 2, atoms)) / 2)
    np.fill_diagonal(copies, np.bincount(atom_of, size**2 * w * (w - 1) / 2, atoms))
    allowed = pairs.allowed.astype(np.float64)
    return (made * allowed)[upper], (copies * allowed)[upper]


def _ratio(errors: Floats, trials: Floats) -> Floats:
    return np.asarray(np.divide(errors, trials, out=np.full(len(trials), np.nan), where=trials > 0))


def interval(
    measure_id: str, metric: str, made: Resampled, columns: Sequence[int], zero_sizes: Floats, level: float
) -> Interval | None:
    """Percentiles of a measure over the replicates.

    Parameters
    ----------
    metric : "FMR", "FNMR", or "FMR+FNMR" for composites
    columns : positions of the groups that enter
    zero_sizes : N0 of these groups (for composites of both rates, side by side): a zero is `p~` in a replicate

    Returns
    -------
    None where fewer than nine in ten replicates have a rate for every group
    """
    index = list(columns)
    parts = {"FMR": made.fmr[:, index], "FNMR": made.fnmr[:, index]}
    return _percentiles(measure_id, np.hstack([parts[name] for name in metric.split("+")]), zero_sizes, level)


def _percentiles(measure_id: str, rates: Floats, zero_sizes: Floats, level: float) -> Interval | None:
    measure = MEASURES[measure_id]
    whole = np.isfinite(rates).all(axis=1)
    if whole.mean() < 0.9:
        return None
    rates = rates[whole]
    if measure.zeros != "keep":
        rates = np.where(rates == 0, 0.5 / (zero_sizes + 1), rates)
    live = rates.any(axis=1)
    values = measure(rates[live], rates[live])
    if not len(values) or not np.isfinite(values).all():
        return None
    low, high = (float(x) for x in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))
    return Interval(low, high, level, METHOD)
