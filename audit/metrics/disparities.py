"""Which groups are compared with which: contrasts and spreads of every family at one operating point.

A family is an attribute, or an intersection of attributes. Each of its groups is contrasted with the reference group
(`reference_of`) and with the pooled rest; p-values are adjusted, by Holm and by max-|z|, over what is declared as
`family`: metric x operating point x attributes. Spreads take the groups that are large enough, judged by what is known
before errors are counted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from audit.compare.counts import Floats, Ints, OperatingCounts, mask_cells
from audit.domain import DemographicGroup, Threshold
from audit.groups import Grouping
from audit.metrics.cells import Cells, join, log_rates, make_cells, pooled_design_effect
from audit.metrics.contrasts import Contrast, contrast
from audit.metrics.differentials import MEASURES
from audit.metrics.evaluation import Acquired, Measured, Metric
from audit.metrics.rates import interval
from audit.metrics.spreads import Spread, spread
from audit.metrics.support import excluded, expected_effective_errors
from audit.stats.multiplicity import holm, max_z
from audit.stats.nulls import wald_equality

_FAILURES = ("FTA", "NPR")
"""Compared only where something failed."""
MAX_Z_DRAWS = 20_000
"""Draws of the largest |z|: a p-value of .01 is then known to .0014."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the plan declares about verdicts."""

    level: float
    alpha: float
    margins: Mapping[str, float]
    min_subjects: int
    reference: Mapping[str, str]
    seed: int
    draws: int


@dataclass(frozen=True, slots=True)
class Contrasted:
    """A contrast and what it is between; `against` None is the pooled rest of the family."""

    metric: Metric
    group: DemographicGroup
    against: DemographicGroup | None
    family: str
    result: Contrast | None
    p_adjusted: float | None
    reason: str | None
    p_max_z: float | None = None


@dataclass(frozen=True, slots=True)
class Spreaded:
    """A spread and the groups that it is over."""

    metric: str
    attributes: tuple[str, ...]
    result: Spread
    included: tuple[DemographicGroup, ...]
    excluded: tuple[tuple[DemographicGroup, str], ...]


def contrasts(measured: Measured, grouping: Grouping, settings: Settings) -> Iterator[Contrasted]:
    """Contrast the groups of every family with the reference and with the rest."""
    for attributes, family in grouping.families().items():
        if len(family) < 2:
            continue
        reference = reference_of(grouping, attributes, settings.reference)
        for metric in _metrics(measured):
            name = f"{metric} | {measured.point.id} | {' x '.join(attributes)}"
            pairs = [*((k, reference) for k in family if k != reference), *((k, None) for k in family)]
            made = [_contrast(measured, grouping, metric, k, against, name, settings) for k, against in pairs]
            columns = [
                (measured.local(k), measured.local(k, rest=True) if against is None else measured.local(against))
                for k, against in pairs
            ]
            yield from _adjust(made, columns, measured, metric, _generator(settings, f"max-z|{name}"))


def _metrics(measured: Measured) -> list[Metric]:
    return [metric for metric, tally in measured.tallies.items() if metric not in _FAILURES or tally.errors[0]]


def reference_of(grouping: Grouping, attributes: Sequence[str], wanted: Mapping[str, str]) -> int:
    """The reference group of a family, as a position in the grouping.

    Of one attribute, the value that the plan names, else the value with most people (the first of equals). Of an
    intersection, the group that has every attribute's reference value; if nobody is in it, the group with most people.
    """
    families, people = grouping.families(), grouping.subjects
    family = families[tuple(attributes)]
    largest = max(family, key=lambda position: (people[position], -position))
    if len(attributes) == 1:
        named = [k for k in family if grouping.groups[k].as_dict()[attributes[0]] == wanted.get(attributes[0])]
        return named[0] if named else largest
    parts = {name: grouping.groups[reference_of(grouping, [name], wanted)].as_dict()[name] for name in attributes}
    return next((k for k in family if grouping.groups[k].as_dict() == parts), largest)


def _contrast(
    measured: Measured,
    grouping: Grouping,
    metric: Metric,
    position: int,
    against: int | None,
    family: str,
    settings: Settings,
) -> Contrasted:
    columns = [
        measured.local(position),
        measured.local(position, rest=True) if against is None else measured.local(against),
    ]
    other = None if against is None else grouping.groups[against]
    made = Contrasted(metric, grouping.groups[position], other, family, None, None, None)
    tally = measured.tallies[metric]
    for which, column in zip(("the group", "what it is compared with"), columns, strict=True):
        if tally.trials[column] == 0:
            return replace(made, reason=f"{which} has no comparison")
        if tally.subjects[column] < settings.min_subjects:
            return replace(made, reason=f"{which} has fewer than {settings.min_subjects} people")
    cells = cells_of(measured, metric, columns)
    of_rates = [
        interval(
            float(cells.rates[k]),
            float(cells.covariance[k, k]),
            int(cells.subjects[k]),
            settings.level,
            paired=tally.paired,
        )
        for k in (0, 1)
    ]
    result = contrast(
        cells,
        0,
        1,
        margin=settings.margins[metric],
        intervals=(of_rates[0], of_rates[1]),
        alpha=settings.alpha,
    )
    return replace(made, result=result, reason=result.reason)


def cells_of(measured: Measured, metric: Metric, columns: Sequence[int]) -> Cells:
    """Cells of one metric, by local columns."""
    tally = measured.tallies[metric]
    offset = measured.column(metric, 0)
    index = [offset + column for column in columns]
    return make_cells(
        tally.errors[list(columns)],
        tally.trials[list(columns)],
        tally.subjects[list(columns)],
        measured.covariance[np.ix_(index, index)],
        measured.zero_sizes[metric][list(columns)],
    )


def _adjust(
    made: Sequence[Contrasted],
    columns: Sequence[tuple[int, int]],
    measured: Measured,
    metric: Metric,
    rng: np.random.Generator,
) -> list[Contrasted]:
    """Adjust the p-values of a family: by Holm's method, and by the largest |z| with the correlations of its tests."""
    tested = {k: one.result.p for k, one in enumerate(made) if one.result is not None and one.result.p is not None}
    if not tested:
        return list(made)
    used = sorted({column for k in tested for column in columns[k]})
    _, sigma = log_rates(cells_of(measured, metric, used))
    lines = np.zeros((len(tested), len(used)))
    for row, k in enumerate(tested):
        lines[row, used.index(columns[k][0])] += 1
        lines[row, used.index(columns[k][1])] -= 1
    p = list(tested.values())
    stepped = dict(zip(tested, holm(p).tolist(), strict=True))
    largest = dict(zip(tested, max_z(p, lines @ sigma @ lines.T, MAX_Z_DRAWS, rng).tolist(), strict=True))
    return [replace(one, p_adjusted=stepped.get(k), p_max_z=largest.get(k)) for k, one in enumerate(made)]


def _generator(settings: Settings, name: str) -> np.random.Generator:
    """A generator of its own for everything that is drawn: no number depends on what else is computed."""
    return np.random.default_rng([settings.seed, zlib.crc32(name.encode())])


@dataclass(frozen=True, slots=True)
class Equality:
    """The test that all groups of a family have one rate; `freedom` is (K - 1, fewest people - 1)."""

    metric: Metric
    attributes: tuple[str, ...]
    included: tuple[DemographicGroup, ...]
    freedom: tuple[int, int] | None
    p: float | None
    reason: str | None


def equalities(measured: Measured, grouping: Grouping) -> Iterator[Equality]:
    """Test every family of groups for one rate: Wald's statistic on log rates, over the groups that enter spreads."""
    for attributes, family in grouping.families().items():
        for metric in _metrics(measured):
            left_out = _entering(measured, grouping, metric, family)
            chosen = [k for k in family if k not in left_out]
            made = Equality(metric, attributes, tuple(grouping.groups[k] for k in chosen), None, None, None)
            if len(chosen) < 2:
                yield replace(made, reason="fewer than two of the groups are large enough")
                continue
            cells = cells_of(measured, metric, chosen)
            if not cells.errors.any():
                yield replace(made, reason="no error in any group: equality cannot be tested")
                continue
            freedom = len(chosen) - 1, int(cells.subjects.min()) - 1
            p = wald_equality(*log_rates(cells), freedom[1])
            yield replace(made, freedom=freedom, p=p)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a cross-fit is computed from: counts, outcomes of extraction, and who is in which half.

    Parameters
    ----------
    half : int, shape (subjects,): bit s is the half of a subject in split s
    """

    counts: OperatingCounts
    acquired: Acquired
    half: Ints
    splits: int

    def inside(
        self, point: Threshold, grouping: Grouping, chosen: Sequence[int]
    ) -> Mapping[Metric, tuple[Floats, Floats]]:
        """As `Halved`: false matches between two people of one half, everything else by person."""
        counts, acquired = self.counts, self.acquired
        t = counts.at(_some(point.value))
        flat = np.array([mask_cells(grouping.within(k)) for k in chosen], dtype=np.float64).T
        members = grouping.member[list(chosen)][:, grouping.atom_of].astype(np.float64).T
        both = sides(self.half, self.splits)
        return {
            "FMR": (counts.half_errors[t] @ flat, counts.half_comparisons @ flat),
            "FNMR": ((both * counts.mated_errors[t]) @ members, (both * counts.mated) @ members),
            "FTA": ((both * acquired.failed) @ members, (both * acquired.samples) @ members),
        }


class Halved(Protocol):
    """What a cross-fit is computed from: errors and trials inside the halves of random splits of the people."""

    def inside(
        self, point: Threshold, grouping: Grouping, chosen: Sequence[int]
    ) -> Mapping[Metric, tuple[Floats, Floats]]:
        """Errors and trials of the chosen groups at a threshold, by metric, each of shape (splits, 2, groups)."""
        ...


def sides(half: Ints, splits: int) -> Floats:
    """Indicator of the halves, shape (splits, 2, subjects)."""
    second = (half[None, :] >> np.arange(splits)[:, None]) & 1
    return np.stack([1 - second, second], axis=1).astype(np.float64)


Fitted = Mapping[tuple[str, str, tuple[str, ...]], float | None]
"""Cross-fits that were computed before, by measure, metric and attributes."""


def spreads(
    measured: Measured, evidence: Halved | Fitted, grouping: Grouping, settings: Settings
) -> Iterator[Spreaded]:
    """Evaluate every measure over every family of groups."""
    for attributes, family in grouping.families().items():
        entering = {metric: _entering(measured, grouping, metric, family) for metric in _metrics(measured)}
        for measure in MEASURES.values():
            wanted: list[list[Metric]] = [["FMR", "FNMR"]] if measure.composite else [[m] for m in entering]
            if not entering.keys() >= {part for parts in wanted for part in parts}:
                continue  # composites are defined for verification alone
            for parts in wanted:
                left_out = {k: why for part in parts for k, why in entering[part].items()}
                chosen = [k for k in family if k not in left_out]
                result = _spread(measure.id, measured, evidence, grouping, parts, chosen, attributes, settings)
                yield Spreaded(
                    "+".join(parts),
                    attributes,
                    result,
                    tuple(grouping.groups[k] for k in chosen),
                    tuple((grouping.groups[k], why) for k, why in left_out.items()),
                )


def _entering(measured: Measured, grouping: Grouping, metric: Metric, family: Sequence[int]) -> dict[int, str]:
    """Groups that stay out of spreads, with the reason."""
    tally = measured.tallies[metric]
    variance = np.diag(measured.covariance)[measured.column(metric, 0) :][: len(tally.errors)]
    own = list(family)
    trials = tally.trials[own].sum()
    pooled = tally.errors[own].sum() / trials if trials else 0.0
    deff = pooled_design_effect(tally.errors[own], tally.trials[own], variance[own]) or 1.0
    people = grouping.subjects
    why = {}
    for k in family:
        if tally.trials[k] == 0:
            why[k] = "no comparison"
            continue
        expected = expected_effective_errors(float(pooled), float(tally.trials[k]), deff)
        reason = excluded(int(people[k]), expected)
        if reason is not None:
            why[k] = reason
    return why


def _spread(
    measure: str,
    measured: Measured,
    evidence: Halved | Fitted,
    grouping: Grouping,
    parts: Sequence[Metric],
    chosen: Sequence[int],
    attributes: Sequence[str],
    settings: Settings,
) -> Spread:
    margins = tuple(settings.margins[part] for part in parts)
    if len(chosen) < 2:
        return Spread(
            measure, None, None, None, None, None, None, None, None, {}, (), None, None,
            MEASURES[measure].margin(margins), None, "INCONCLUSIVE",
            f"{len(chosen)} of the groups is large enough; a spread needs two"
            if len(chosen) == 1 else "none of the groups is large enough; a spread needs two",
        )  # fmt: skip
    cells = [cells_of(measured, part, chosen) for part in parts]
    whole = cells[0]
    if len(parts) == 2:
        index = [measured.column(part, k) for part in parts for k in chosen]
        whole = join(cells[0], cells[1], measured.covariance[np.ix_(index, index)])
    name = f"{measure}|{'+'.join(parts)}|{measured.point.id}|{','.join(attributes)}"
    return spread(
        measure,
        whole,
        margins=margins,
        rng=_generator(settings, name),
        halves=None if isinstance(evidence, Mapping) else _halves(measured, evidence, grouping, parts, chosen),
        fitted=evidence.get((measure, "+".join(parts), tuple(attributes))) if isinstance(evidence, Mapping) else None,
        draws=settings.draws,
        level=settings.level,
        alpha=settings.alpha,
    )


def _halves(
    measured: Measured, evidence: Halved, grouping: Grouping, parts: Sequence[Metric], chosen: Sequence[int]
) -> tuple[Floats, Floats]:
    """Errors and trials inside the halves of every split, shape (splits, 2, groups of all parts)."""
    made = evidence.inside(measured.point, grouping, chosen)
    errors, totals = zip(*(made[part] for part in parts), strict=True)
    return np.concatenate(errors, axis=2), np.concatenate(totals, axis=2)


def _some(threshold: float | None) -> float:
    if threshold is None:
        raise ValueError("an operating point without a threshold has no rates")
    return threshold
