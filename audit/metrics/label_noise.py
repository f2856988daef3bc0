"""Label noise: what a disparity would look like if a share of an attribute's labels were wrong.

Labels that somebody else assigned are wrong at times. Wrong labels mix groups, so that their rates move towards each
other, and a disparity looks smaller than it is. Two questions, for a share eps of wrong labels (each known label is
replaced, independently, with probability eps by another known value, all others equally likely):

- *forward*: what would these data show if eps more of the labels were wrong? Seeded draws (median, percentiles), and
  the ratio of the expected counts, which needs no draw;
- *backward*: which disparity lies behind the observed one, if eps of the labels are wrong? With T the matrix of
  probabilities that a label p is recorded as q, `E[observed] = T' X T` for sums X over ordered pairs of people and
  `T' x` for sums over people; both are solved for X (the matrix method of Barron 1977, Biometrics 33:414-418).

For mated comparisons a relabelled rate is, in expectation, an average of the groups' rates: no ratio of two of them
exceeds that of the largest to the smallest as labelled, whatever eps (the attenuation bound). For non-mated comparisons
wrong labels bring cross-group comparisons into groups, and no such bound holds.

Subjects are relabelled, not comparisons: counts are taken anew from the table of subject pairs. Which comparisons the
impostor policy admits stays as it was carried out. The label 'unknown' neither becomes another nor is given.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.compare.by_subject import PairErrors
from audit.compare.counts import Floats, Ints
from audit.compare.threads import cores
from audit.domain import UNKNOWN, DemographicGroup, Interval
from audit.groups import Grouping, Mask

METHOD = "percentiles of draws of wrong labels"
DRAWS = 200
_NONE = 1e-9
"""Counts below are none: what solving for them leaves of zero."""


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """A ratio of error rates with a share of the labels wrong.

    `group` None: max/geomean over `included`; else the rate of the group over that of the pooled rest. `expected`,
    `median` and `interval` look forward, `corrected` backward. `draws` is how many draws defined the ratio.
    """

    attribute: str
    share: float
    metric: str
    operating_point: str
    group: DemographicGroup | None
    observed: float | None
    expected: float | None
    corrected: float | None
    median: float | None
    interval: Interval | None
    draws: int
    reason: str | None


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of one attribute, as patterns: sets of values that people carry.

    Parameters
    ----------
    positions : (K,) the values' groups, as positions in the grouping
    pattern : (P, K) which values a pattern holds
    of : (n,) pattern of each subject
    known : (K,) is the value one that a wrong label can be
    """

    positions: tuple[int, ...]
    pattern: Mask
    of: Ints
    known: Mask

    def transition(self, share: float) -> Floats:
        """Probability that people of pattern p are recorded as q, (P, P)."""
        size = len(self.pattern)
        single = {int(np.argmax(row)): q for q, row in enumerate(self.pattern) if row.sum() == 1}
        made = np.eye(size)
        for p, row in enumerate(self.pattern):
            others = [single[v] for v in np.flatnonzero(self.known & ~row).tolist()]
            if others and not (row & ~self.known).any():
                made[p, p] = 1 - share
                made[p, others] = share / len(others)
        return made

    def masks(self) -> tuple[Mask, Mask]:
        """Cells over pattern pairs (2K, P, P) and patterns (2K, P): the groups, then the rest of each."""
        together = self.pattern.T[:, :, None] & self.pattern.T[:, None, :]
        values = np.arange(len(self.positions))
        rest = [np.delete(together, k, axis=0).any(axis=0) for k in values]
        alone = [np.delete(self.pattern.T, k, axis=0).any(axis=0) for k in values]
        return np.concatenate([together, np.array(rest)]), np.concatenate([self.pattern.T, np.array(alone)])


def labels_of(grouping: Grouping, attribute: str) -> Labels:
    """Labels of an attribute of the grouping."""
    positions = grouping.families()[attribute,]
    carried = grouping.member[positions][:, grouping.atom_of].T
    values = len(positions)
    # Every value alone is a pattern, also where nobody carries it alone: wrong labels may make it so.
    pattern, inverse = np.unique(np.concatenate([np.eye(values, dtype=bool), carried]), axis=0, return_inverse=True)
    known = np.array([grouping.groups[k].as_dict()[attribute] != UNKNOWN for k in positions])
    return Labels(tuple(positions), pattern, inverse.reshape(-1)[values:].astype(np.int64), known)


def relabel(labels: Labels, share: float, rng: np.random.Generator) -> Ints:
    """Draw wrong labels: the pattern of each subject."""
    bounds = np.cumsum(labels.transition(share), axis=1)[labels.of]
    return np.asarray((rng.random(len(labels.of))[:, None] > bounds[:, :-1]).sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Counted:
    """Errors and trials by subject at T operating points.

    Parameters
    ----------
    points : (T,) ids
    pairs : non-mated errors by subject pair, at the T thresholds in the order of `at`
    at : (T,) row of each point in `pairs.errors`
    mated_errors : (T, n); mated : (n,)
    """

    points: Sequence[str]
    pairs: PairErrors
    at: Sequence[int]
    mated_errors: Ints
    mated: Ints

    def between(self, label: Ints, size: int) -> tuple[list[Floats], Floats, list[Floats], Floats]:
        """Sums by label: non-mated errors of every point and trials (P, P), mated errors and trials (P,)."""
        return (
            [self.pairs.errors_between(t, label, size) for t in self.at],
            self.pairs.trials_between(label, size),
            [np.bincount(label, errors, size).astype(np.float64) for errors in self.mated_errors],
            np.bincount(label, self.mated, size).astype(np.float64),
        )


@dataclass(frozen=True, eq=False)
class _Rates:
    """Rates of groups and rests (points, 2 metrics, 2K); NaN where there is no trial or the sums are no counts."""

    values: Floats

    def ratios(self) -> Floats:
        """Of the groups to their rests, (points, 2, K); NaN where undefined."""
        own, rest = np.split(self.values, 2, axis=-1)
        return np.asarray(np.divide(own, rest, out=np.full_like(own, np.nan), where=rest > 0))

    def spread(self, chosen: Sequence[int], point: int, metric: int) -> float:
        """Max/geomean of the chosen groups; NaN unless all their rates are above 0."""
        rates = self.values[point, metric, list(chosen)]
        if len(rates) < 2 or not np.all(rates > 0):
            return float("nan")
        return float(rates.max() / np.exp(np.log(rates).mean()))


def label_noise(
    attribute: str,
    counted: Counted,
    grouping: Grouping,
    shares: Sequence[float],
    included: Sequence[Sequence[Sequence[DemographicGroup]]],
    *,
    seed: int,
    level: float,
    min_subjects: int,
    draws: int = DRAWS,
) -> list[LabelNoise]:
    """Evaluate the disparities of an attribute with shares of its labels wrong.

    Parameters
    ----------
    included : for every point and metric (FMR, FNMR), the groups that enter max/geomean
    level : of the percentiles of the draws

    Returns
    -------
    list, for every share, point and metric: every group against its rest, then max/geomean
    """
    labels = labels_of(grouping, attribute)
    made: list[LabelNoise] = []
    for share in shares:
        rng = np.random.default_rng([seed, zlib.crc32(f"label noise|{attribute}|{share:g}".encode())])
        drawn_labels = (relabel(labels, share, rng) for _ in range(draws))
        with ThreadPoolExecutor(cores()) as pool:
            looks = list(pool.map(lambda label: _look(counted, labels, label), drawn_labels))
        known = _observed(counted, labels, share)
        ratios = [rates.ratios() for rates in known]
        drawn_ratios = np.array([rates.ratios() for rates in looks])
        for point, name in enumerate(counted.points):
            for metric, metric_name in enumerate(("FMR", "FNMR")):
                blank = LabelNoise(
                    attribute, share, metric_name, name, None, None, None, None, None, None, 0, None
                )  # fmt: skip
                for k, position in enumerate(labels.positions):
                    one = replace(blank, group=grouping.groups[position])
                    if grouping.subjects[position] < min_subjects:
                        made.append(replace(one, reason=f"fewer than {min_subjects} people"))
                        continue
                    values = [float(found[point, metric, k]) for found in ratios]
                    made.append(_row(one, values, drawn_ratios[:, point, metric, k], level))
                chosen = [labels.positions.index(grouping.index(group)) for group in included[point][metric]]
                values = [rates.spread(chosen, point, metric) for rates in known]
                drawn = np.array([rates.spread(chosen, point, metric) for rates in looks])
                made.append(_row(blank, values, drawn, level))
    return made


@dataclass(frozen=True, slots=True)
class AnnotatorRatio:
    """A ratio of error rates with the labels of one annotator in place of those that were used.

    `group` None: max/geomean over the groups that enter it; else the rate of the group over that of the pooled rest.
    `agreeing` of `people` carry the label that was used.
    """

    attribute: str
    annotator: int
    metric: str
    operating_point: str
    group: DemographicGroup | None
    used: float | None
    ratio: float | None
    agreeing: int
    people: int


def by_annotator(
    attribute: str,
    counted: Counted,
    grouping: Grouping,
    said: Sequence[Mask],
    included: Sequence[Sequence[Sequence[DemographicGroup]]],
    *,
    min_subjects: int,
) -> list[AnnotatorRatio]:
    """Evaluate the disparities of an attribute with each annotator's labels.

    Parameters
    ----------
    said : for every annotator, which values of the attribute (in the grouping's order) each person got, (n, K); a
        person without any belongs to no group

    Returns
    -------
    list, for every annotator, point and metric: every group against its rest, then max/geomean
    """
    labels = labels_of(grouping, attribute)
    used = _look(counted, labels, labels.of)
    carried = labels.pattern[labels.of]
    made = []
    for number, rows in enumerate(said, start=1):
        pattern, inverse = np.unique(rows, axis=0, return_inverse=True)
        own = Labels(labels.positions, pattern, inverse.reshape(-1).astype(np.int64), labels.known)
        look = _look(counted, own, own.of)
        people = rows.any(axis=1)
        agreeing = int((rows == carried).all(axis=1)[people].sum())
        ratios = used.ratios(), look.ratios()
        for point, name in enumerate(counted.points):
            for metric, metric_name in enumerate(("FMR", "FNMR")):
                blank = AnnotatorRatio(
                    attribute, number, metric_name, name, None, None, None, agreeing, int(people.sum())
                )  # fmt: skip
                for k, position in enumerate(labels.positions):
                    few = min(int(grouping.subjects[position]), int(rows[:, k].sum())) < min_subjects
                    pair = [None if few else _number(found[point, metric, k]) for found in ratios]
                    made.append(replace(blank, group=grouping.groups[position], used=pair[0], ratio=pair[1]))
                chosen = [labels.positions.index(grouping.index(group)) for group in included[point][metric]]
                pair = [_number(rates.spread(chosen, point, metric)) for rates in (used, look)]
                made.append(replace(blank, used=pair[0], ratio=pair[1]))
    return made


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _row(one: LabelNoise, values: Sequence[float], drawn: Floats, level: float) -> LabelNoise:
    """Fill in what is defined, and say what is not."""
    observed, expected, corrected = (None if np.isnan(value) else value for value in values)
    known = drawn[~np.isnan(drawn)]
    one = replace(one, observed=observed, expected=expected, draws=len(known))
    if observed is None:
        return replace(one, expected=None, reason="the observed ratio is not defined: no comparison, or no error")
    one = replace(one, corrected=corrected)
    why = None if corrected is not None else "not corrected: so many wrong labels would leave fewer errors than none"
    if 2 * len(known) < len(drawn):
        return replace(one, reason=f"defined in {len(known)} of {len(drawn)} draws" + (f"; {why}" if why else ""))
    low, median, high = np.quantile(known, [(1 - level) / 2, 0.5, (1 + level) / 2])
    interval = Interval(float(low), float(high), level, METHOD)
    return replace(one, median=float(median), interval=interval, reason=why)


def _look(counted: Counted, labels: Labels, label: Ints) -> _Rates:
    return _rates(*counted.between(label, len(labels.pattern)), labels)


def _observed(counted: Counted, labels: Labels, share: float) -> tuple[_Rates, _Rates, _Rates]:
    """Rates as labelled, expected with `share` more labels wrong, and behind the labels if `share` of them are."""
    sums = counted.between(labels.of, len(labels.pattern))
    forward = labels.transition(share)
    none = np.full((len(counted.points), 2, 2 * len(labels.positions)), np.nan)
    # At a share of (K - 1)/K a label says nothing: nothing can be inferred back.
    singular = np.linalg.matrix_rank(forward) < len(forward)
    behind = (
        _Rates(none) if singular else _rates(*_mix(sums, np.asarray(np.linalg.inv(forward), dtype=np.float64)), labels)
    )
    return _rates(*sums, labels), _rates(*_mix(sums, forward), labels), behind


def _mix(
    sums: tuple[list[Floats], Floats, list[Floats], Floats], by: Floats
) -> tuple[list[Floats], Floats, list[Floats], Floats]:
    """Give T' X T of the sums over pairs, T' x of those over people."""
    errors, trials, mated_errors, mated = sums
    return [by.T @ x @ by for x in errors], by.T @ trials @ by, [by.T @ x for x in mated_errors], by.T @ mated


def _rates(
    errors: Sequence[Floats], trials: Floats, mated_errors: Sequence[Floats], mated: Floats, labels: Labels
) -> _Rates:
    pairs, people = labels.masks()
    flat = pairs.reshape(len(pairs), -1).astype(np.float64)
    made = [
        [_divide(flat @ e.ravel(), flat @ trials.ravel()), _divide(people @ m, people @ mated)]
        for e, m in zip(errors, mated_errors, strict=True)
    ]
    return _Rates(np.array(made).reshape(len(errors), 2, len(pairs)))


def _divide(errors: Floats, trials: Floats) -> Floats:
    """Rates; NaN without trials, or with fewer errors than none."""
    fine: NDArray[np.bool_] = (trials > _NONE) & (errors > -_NONE)
    errors = np.where(np.abs(errors) < _NONE, 0.0, errors)
    return np.asarray(np.divide(errors, trials, out=np.full(len(trials), np.nan), where=fine))
