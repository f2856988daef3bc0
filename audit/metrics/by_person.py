"""Rates of which every trial belongs to one person, with their joint covariance: tasks that compare nobody.

A trial is a picture, or a picture under a condition; outcomes of one person's trials depend on each other, and those of
two people do not. The variance is that of METHODS section 3 for mated rates: sums of residuals by person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.compare.counts import Floats, Ints
from audit.domain import DemographicGroup, ErrorRate, Threshold
from audit.groups import Grouping
from audit.metrics.disparities import sides
from audit.metrics.evaluation import Measured, Metric, atom_columns, zero_sizes
from audit.metrics.rates import Cell, Tally, by_subject, error_rates, joint_covariance

Trials = Mapping[Metric, tuple[Ints, Ints]]
"""Metric to errors and trials of every person, each of shape (people,)."""


def point(name: str, value: float | None, said: str) -> Threshold:
    """A setting at which errors are counted, in the place of a decision threshold.

    Parameters
    ----------
    name : its id
    value : the confidence from which something counts as found, if there is one
    said : where it was set
    """
    return Threshold(name, "given", DemographicGroup(), None, value, None, said)


def measure(trials: Trials, grouping: Grouping, at: Threshold, *, level: float, min_subjects: int) -> Measured:
    """Measure every group, and the rest of every group.

    Parameters
    ----------
    trials : by metric; everyone of the grouping, in its order
    at : where the errors were counted
    level : of the intervals
    min_subjects : cells of fewer people have no rate
    """
    inside = atom_columns(grouping)[:, grouping.atom_of]
    tallies: dict[Metric, Tally] = {name: by_subject(*counts, inside) for name, counts in trials.items()}
    covariance = joint_covariance(nobody(len(grouping.atom_of)), *tallies.values())
    variance = np.diag(covariance).reshape(len(tallies), -1)
    total = len(grouping.groups)
    names = [Cell(group) for group in grouping.groups]
    rates: list[ErrorRate] = []
    for k, (metric, tally) in enumerate(tallies.items()):
        rates += error_rates(
            metric, tally, names, variance[k], operating_point=at.id, level=level, min_subjects=min_subjects
        )
    return Measured(at, rates, tallies, covariance, zero_sizes(tallies, variance, total), total)


def nobody(people: int) -> Tally:
    """No cell of comparisons, for a joint covariance of such rates alone."""
    none = np.zeros(0, dtype=np.int64)
    return Tally(none, none, none, np.zeros((people, 0)), np.zeros((0, 0)), paired=True)


@dataclass(frozen=True, eq=False)
class PersonEvidence:
    """As `disparities.Evidence`: errors and trials inside the halves of random splits of the people.

    Parameters
    ----------
    half : int, shape (people,): bit s is the half of a person in split s
    """

    trials: Trials
    half: Ints
    splits: int

    def inside(
        self, point: Threshold, grouping: Grouping, chosen: Sequence[int]
    ) -> Mapping[Metric, tuple[Floats, Floats]]:
        """Errors and trials of the chosen groups, by metric, each of shape (splits, 2, groups)."""
        del point
        members = grouping.member[list(chosen)][:, grouping.atom_of].astype(np.float64).T
        both = sides(self.half, self.splits)
        return {
            metric: ((both * errors) @ members, (both * tried) @ members)
            for metric, (errors, tried) in self.trials.items()
        }
