"""Score shift: how far the tail of a group's scores lies from that of the rest, where errors are too few to be counted.

The tail of non-mated comparisons is the upper one (`score >= q` has share alpha), that of mated ones the lower one
(`score < q` has share alpha): where false matches and false non-matches come from. Scope of ISO/IEC 19795-10.

The interval of a quantile is Woodruff's: the error rate at the observed quantile gives a subject-clustered effective
number of trials N*; the interval holds every score at which an error rate of alpha would not be rejected by the
interval that rates have here (Wilson's, or Korn and Graubard's). Two quantiles are subtracted by MOVER.

Sources: Woodruff (1952), JASA 47:635-646; Francisco & Fuller (1991), Annals of Statistics 19:454-469; Zou & Donner
(2008), Statistics in Medicine 27:1693-1702.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.compare.counts import Floats, Ints, OperatingCounts, Reach, ScoreCounts
from audit.domain import DemographicGroup, Interval, Support
from audit.groups import Grouping, Mask
from audit.metrics.evaluation import columns
from audit.metrics.rates import KORN_GRAUBARD_BELOW, Tally, by_subject, joint_covariance, nonmated
from audit.metrics.support import support
from audit.stats.contrasts import mover_difference
from audit.stats.intervals import effective_size, korn_graubard, wilson

UPPER = (0.05, 0.01, 0.001)
"""Shares of non-mated comparisons beyond the quantiles that are given."""
LOWER = (0.25, 0.1, 0.05)
"""Shares of mated comparisons below the quantiles that are given."""
MOST = 1 << 24
"""Integers that the counts at the quantiles may take (128 MB); beyond, quantiles share the nearest design effect."""
METHOD = "MOVER on subject-clustered Woodruff intervals; the standard deviation is taken as known"


@dataclass(frozen=True, eq=False)
class Tail:
    """A tail quantile of one column of `evaluation.columns` (a group, or the rest of it).

    Parameters
    ----------
    column : which column
    mated : of mated comparisons, from below; else of non-mated ones, from above
    share : alpha, the share of comparisons beyond the quantile
    scores : (V,) distinct scores, ascending
    errors : (V,) rate of errors with the threshold at each of them
    trials : comparisons
    mean, variance : of the scores, ddof 0
    value : the quantile, an observed score; None where it cannot be estimated
    """

    column: int
    mated: bool
    share: float
    scores: Floats
    errors: Floats
    trials: int
    mean: float
    variance: float
    value: float | None


@dataclass(frozen=True, slots=True)
class ScoreShift:
    """Quantiles of a group and of the pooled rest of its family, and their difference.

    `shift` is (value - rest) in pooled standard deviations: the root of the variances of the two within, weighted by
    comparisons. Above 0, the group's scores lie higher: more false matches (non-mated), fewer false non-matches
    (mated). `value` and `rest` are scores.
    """

    attributes: tuple[str, ...]
    group: DemographicGroup
    mated: bool
    share: float
    value: float | None
    rest: float | None
    deviation: float | None
    shift: float | None
    interval: Interval | None
    subjects: int
    rest_subjects: int
    trials: int
    support: Support
    reason: str | None


def tails(scores: ScoreCounts, grouping: Grouping) -> list[Tail]:
    """Tail quantiles of every group and of its rest, from the distribution of scores."""
    masks, inside = columns(grouping)
    if not len(grouping.atom_of):
        return []
    first = np.array([int(np.argmax(grouping.atom_of == atom)) for atom in range(grouping.atoms)])
    made = []
    for column in range(1, len(masks)):
        for mated, shares in ((False, UPPER), (True, LOWER)):
            # An atom without people here has no comparison: which of its subjects is asked does not matter.
            chosen = inside[column][first] if mated else masks[column]
            found = scores.distribution(scores.chosen(chosen, mated=mated))
            made += [_tail(column, mated, share, *found) for share in shares]
    return made


def _tail(column: int, mated: bool, share: float, scores: Floats, counts: Ints) -> Tail:
    trials = int(counts.sum())
    if trials == 0:
        return Tail(column, mated, share, scores, np.zeros(0), 0, 0.0, 0.0, None)
    below = np.cumsum(counts) - counts
    wrong = below if mated else trials - below
    allowed = int(np.floor(share * trials + 1e-9))
    kept = np.flatnonzero(wrong <= allowed)
    value = float(scores[kept[-1 if mated else 0]]) if allowed and len(kept) else None
    mean = float(scores @ counts / trials)
    variance = float((scores - mean) ** 2 @ counts / trials)
    return Tail(column, mated, share, scores, wrong / trials, trials, mean, variance, value)


def reach(grouping: Grouping) -> list[Reach]:
    """Tails of non-mated scores in which the quantiles lie."""
    if not len(grouping.atom_of):
        return []
    return [Reach(mask, max(UPPER)) for mask in columns(grouping)[0]]


def thresholds(found: Sequence[Tail], subjects: int, grouping: Grouping) -> tuple[Floats, Mask]:
    """Scores at which errors by subject are needed: the quantiles, or an even choice where they are too many.

    Returns
    -------
    (thresholds, cells) : (T,) and the cells that each is needed for, (T, atoms, atoms)
    """
    wanted = np.unique([tail.value for tail in found if tail.value is not None])
    most = max(8, MOST // max(1, subjects * grouping.atoms))
    if len(wanted) > most:
        wanted = np.asarray(wanted[np.linspace(0, len(wanted) - 1, most).round().astype(np.int64)])
    cells = np.zeros((len(wanted), grouping.atoms, grouping.atoms), dtype=bool)
    masks = columns(grouping)[0]
    for tail in found:
        if tail.value is not None and not tail.mated:
            cells[nearest(wanted, tail.value)] |= masks[tail.column]
    return wanted, cells


def nearest(thresholds: Floats, value: float) -> int:
    """Number of the threshold that errors at a value are counted at."""
    return int(np.argmin(np.abs(thresholds - value)))


def shifts(
    found: Sequence[Tail], counts: OperatingCounts, grouping: Grouping, *, level: float, min_subjects: int
) -> list[ScoreShift]:
    """Compare every group's tails with those of its rest.

    Parameters
    ----------
    counts : errors by subject at `thresholds(found, ...)`

    Notes
    -----
    People of a group and of its rest are taken as different; where somebody carries several values the two are
    positively correlated, and the interval is on the safe (wide) side. The standard deviation is taken as known: it
    rests on all comparisons, the quantile on the tail.
    """
    masks, inside = columns(grouping)
    total = len(grouping.groups)
    index = {(tail.column, tail.mated, tail.share): tail for tail in found}
    made = []
    for attributes, family in grouping.families().items():
        if len(family) < 2:
            continue
        for position in family:
            for mated, shares in ((False, UPPER), (True, LOWER)):
                for share in shares:
                    pair = [index[column, mated, share] for column in (position, total + position - 1)]
                    sizes = [_size(tail, counts, grouping, masks, inside) for tail in pair]
                    one = _shift(pair, sizes, level, min_subjects)
                    made.append(replace(one, attributes=attributes, group=grouping.groups[position]))
    return made


@dataclass(frozen=True, slots=True)
class _Size:
    """Effective trials behind the error rate at a quantile, and the people."""

    effective: float
    subjects: int


def _size(tail: Tail, counts: OperatingCounts, grouping: Grouping, masks: Mask, inside: Mask) -> _Size:
    if tail.value is None or not len(counts.thresholds):
        return _Size(0.0, 0)
    t = nearest(counts.thresholds, tail.value)
    tally: Tally
    if tail.mated:
        tally = by_subject(counts.mated_errors[t], counts.mated, inside[tail.column][None])
        none = np.zeros(0, dtype=np.int64)
        empty = Tally(none, none, none, np.zeros((len(counts.mated), 0)), np.zeros((0, 0)), paired=True)
        variance = float(joint_covariance(empty, tally)[0, 0])
    else:
        tally = nonmated(counts, grouping.atom_of, masks[tail.column][None], float(counts.thresholds[t]))
        variance = float(joint_covariance(tally)[0, 0])
    people = int(tally.subjects[0])
    floor = float(people) if tail.mated else people / 2
    return _Size(effective_size(float(tally.rates[0]), variance, floor), people)


def _shift(pair: Sequence[Tail], sizes: Sequence[_Size], level: float, min_subjects: int) -> ScoreShift:
    own, rest = pair
    shown = [tail.value if size.subjects >= min_subjects else None for tail, size in zip(pair, sizes, strict=True)]
    made = ScoreShift(
        (), DemographicGroup(), own.mated, own.share, shown[0], shown[1], None, None, None,
        sizes[0].subjects, sizes[1].subjects, own.trials, "count-only", None,
    )  # fmt: skip
    for which, tail, size in zip(("the group", "the rest"), pair, sizes, strict=True):
        if tail.value is None:
            return replace(made, reason=f"{which} has {_why(tail)}")
        if size.subjects < min_subjects:
            return replace(made, reason=f"{which} has fewer than {min_subjects} people")
    deviation = float(np.sqrt((own.variance * own.trials + rest.variance * rest.trials) / (own.trials + rest.trials)))
    if not deviation > 0 or own.value is None or rest.value is None:
        return replace(made, reason="all scores are equal")
    shift = (own.value - rest.value) / deviation
    few = min(size.subjects for size in sizes)
    made = replace(
        made,
        deviation=deviation,
        shift=shift,
        support=support(few, min(own.share * size.effective for size in sizes)),
    )
    bounds = [quantile_interval(tail, size.effective, level) for tail, size in zip(pair, sizes, strict=True)]
    if bounds[0] is None or bounds[1] is None:
        which = "the group" if bounds[0] is None else "the rest"
        return replace(made, reason=f"no interval: {which} has too few independent comparisons beyond {own.share:g}")
    low, high = mover_difference(own.value, bounds[0], rest.value, bounds[1])
    return replace(made, interval=Interval(low / deviation, high / deviation, level, METHOD))


def _why(tail: Tail) -> str:
    """Why a quantile cannot be estimated."""
    if tail.trials == 0:
        return "no comparison"
    if tail.share * tail.trials < 1:
        return f"{tail.trials:,} comparison{'s' if tail.trials > 1 else ''}, fewer than {1 / tail.share:g}"
    return f"more than {tail.share:g} of its comparisons at one extreme score"


def quantile_interval(tail: Tail, size: float, level: float) -> tuple[float, float] | None:
    """Woodruff's interval of a tail quantile; None where it has no end: the sample does not reach that far.

    Parameters
    ----------
    size : effective trials N* behind the rate at the quantile
    level : two-sided confidence level

    Notes
    -----
    Bounds are observed scores, on the outer side of the step that they lie on.
    """
    if tail.value is None:
        return None
    exact = tail.mated and tail.share * size < KORN_GRAUBARD_BELOW
    few, many = acceptable(tail.share, size, level, exact=exact)
    if few <= 0 or many >= 1:
        return None
    scores, errors = tail.scores, tail.errors
    last = len(scores) - 1
    if tail.mated:
        reached = np.flatnonzero(errors >= few)
        low = max(int(reached[0]) - 1, 0) if len(reached) else last
        high = int(np.flatnonzero(errors <= many)[-1])
    else:
        reached = np.flatnonzero(errors <= many)
        low = max(int(reached[0]) - 1, 0) if len(reached) else last
        high = int(np.flatnonzero(errors >= few)[-1])
    return min(float(scores[low]), tail.value), max(float(scores[high]), tail.value)


def acceptable(share: float, size: float, level: float, *, exact: bool) -> tuple[float, float]:
    """Smallest and largest observed rate whose interval, at an effective size, holds the rate `share`.

    >>> few, many = acceptable(0.1, 100, 0.95, exact=False)
    >>> round(few, 4), round(many, 4)  # Wilson's inverted: .1 -+ 1.96 sqrt(.1 .9 / 100)
    (0.0412, 0.1588)
    """
    interval = korn_graubard if exact else wilson
    few = 0.0 if interval(0.0, size, level)[1] >= share else _cross(lambda p: interval(p, size, level)[1], share, 0.0)
    many = 1.0 if interval(1.0, size, level)[0] <= share else _cross(lambda p: interval(p, size, level)[0], share, 1.0)
    return few, many


def _cross(bound: Callable[[float], float], share: float, outer: float) -> float:
    """Where an increasing bound crosses `share`, by bisection between an outer rate and `share` itself."""
    inner = share
    for _ in range(60):
        middle = (inner + outer) / 2
        held = bound(middle) >= share if outer < share else bound(middle) <= share
        inner, outer = (middle, outer) if held else (inner, middle)
    return inner
