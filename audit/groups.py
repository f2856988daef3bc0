"""Who belongs where: bins, groups, intersections, and the masks that say within and across.

Subjects that share every label form an *atom*. Any cell of the evaluation (everyone, within a group, across two groups,
the rest) is a set of atom pairs: a symmetric boolean mask of shape atoms x atoms. Counts are kept by atom, so one pass
over the comparisons serves every cell, groups may overlap, and a person with several values counts in each.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audit.domain import UNKNOWN, Attribute, DemographicGroup, Subject
from audit.errors import PlanError

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of a benchmark's subjects.

    Parameters
    ----------
    attributes : names, in the order asked for
    groups : everyone first, then the values of each attribute, then every intersection
    atom_of : int array of shape (subjects,): the atom of each subject
    member : bool array of shape (groups, atoms): does the atom belong to the group
    allowed : bool array of shape (atoms, atoms): which non-mated comparisons the impostor policy admits; None: all
    """

    attributes: tuple[str, ...]
    groups: tuple[DemographicGroup, ...]
    atom_of: NDArray[np.int64]
    member: Mask
    allowed: Mask | None = None

    @property
    def atoms(self) -> int:
        """Number of distinct combinations of labels."""
        return int(self.member.shape[1])

    @property
    def subjects(self) -> NDArray[np.int64]:
        """People in each group, shape (groups,)."""
        sizes = np.bincount(self.atom_of, minlength=self.atoms)
        return np.asarray(self.member @ sizes, dtype=np.int64)

    def index(self, group: DemographicGroup) -> int:
        """Position of a group."""
        return self._places[group]

    @cached_property
    def _places(self) -> dict[DemographicGroup, int]:
        return {group: place for place, group in enumerate(self.groups)}

    def families(self) -> dict[tuple[str, ...], list[int]]:
        """Indices of the groups of each attribute and each intersection: those that are compared with each other."""
        found: dict[tuple[str, ...], list[int]] = {}
        for position, group in enumerate(self.groups):
            if group.items:
                found.setdefault(group.attributes, []).append(position)
        return found

    def several(self) -> dict[str, int]:
        """People in more than one group of an attribute, by attribute; none where its groups are disjoint."""
        sizes = np.bincount(self.atom_of, minlength=self.atoms)
        held = {
            names[0]: int(sizes[self.member[family].sum(axis=0) > 1].sum())
            for names, family in self.families().items()
            if len(names) == 1
        }
        return {name: people for name, people in held.items() if people}

    def within(self, position: int) -> Mask:
        """Mask of comparisons of two members of a group, shape (atoms, atoms)."""
        row = self.member[position]
        return self._admit(row[:, None] & row[None, :])

    def across(self, first: int, second: int) -> Mask:
        """Mask of comparisons of a member of one group with a member of another."""
        one, two = self.member[first], self.member[second]
        return self._admit((one[:, None] & two[None, :]) | (two[:, None] & one[None, :]))

    def _admit(self, mask: Mask) -> Mask:
        return np.asarray(mask if self.allowed is None else mask & self.allowed)


def labels(subject: Subject, attribute: Attribute) -> tuple[str, ...]:
    """Values of a subject, binned where the attribute is numeric; missing ones are the value 'unknown'.

    A value of a numeric attribute that is not a number ("prefer not to say") stays a value of its own.
    """
    values = subject.attributes.get(attribute.name, ())
    if not values:
        return (UNKNOWN,)
    if attribute.kind == "numeric" and attribute.edges:
        values = tuple(_bin(value, attribute.edges) for value in values)
    return tuple(dict.fromkeys(values))


def _bin(value: str, edges: Sequence[float]) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return UNKNOWN
    return bin_names(edges)[int(np.searchsorted(edges, number, side="right"))]


def bin_names(edges: Sequence[float]) -> list[str]:
    """Names of the bins between declared edges.

    >>> bin_names([25, 35])
    ['under 25', '25 to under 35', '35 and over']
    """
    inner = [f"{low:g} to under {high:g}" for low, high in itertools.pairwise(edges)]
    return [f"under {edges[0]:g}", *inner, f"{edges[-1]:g} and over"]


class Described(Protocol):
    """Something with a name and described attributes: a benchmark, or a table of people."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """By name."""
        ...


def make(
    benchmark: Described, by: Sequence[str], subjects: Sequence[Subject], impostors: Sequence[str] = ()
) -> Grouping:
    """Group subjects by attributes: everyone, each attribute alone, every intersection that somebody belongs to.

    Parameters
    ----------
    by : attributes to group by
    impostors : attributes of which two different people must share a value to be compared (NIST's practice for sex, age
        band and origin); none: everybody is compared with everybody

    Raises
    ------
    PlanError
        For an attribute that the benchmark does not have, with the nearest name.
    """
    places = dict.fromkeys(impostors, "impostors") | dict.fromkeys(by, "--by")
    attributes = [_attribute(benchmark, name, places[name]) for name in dict.fromkeys([*by, *impostors])]
    carried = [tuple(labels(subject, attribute) for attribute in attributes) for subject in subjects]
    atoms = sorted(set(carried))
    position = {atom: index for index, atom in enumerate(atoms)}
    order = [_value_order(attribute, {v for atom in atoms for v in atom[k]}) for k, attribute in enumerate(attributes)]
    groups = [DemographicGroup()]
    rows = [np.ones(len(atoms), dtype=bool)]
    for size in range(1, len(by) + 1):
        for chosen in itertools.combinations(range(len(by)), size):
            for values in itertools.product(*(order[k] for k in chosen)):
                pairs = list(zip(chosen, values, strict=True))
                row = np.array([all(value in atom[k] for k, value in pairs) for atom in atoms], dtype=bool)
                if row.any():
                    groups.append(DemographicGroup(tuple((by[k], value) for k, value in pairs)))
                    rows.append(row)
    atom_of = np.array([position[atom] for atom in carried], dtype=np.int64)
    return Grouping(tuple(by), tuple(groups), atom_of, np.array(rows), _shared(attributes, atoms, impostors))


def _shared(
    attributes: Sequence[Attribute], atoms: Sequence[tuple[tuple[str, ...], ...]], impostors: Sequence[str]
) -> Mask | None:
    """Pairs of atoms that share a value of every attribute of the impostor policy."""
    matched = [k for k, attribute in enumerate(attributes) if attribute.name in impostors]
    if not matched:
        return None
    return np.array([[all(set(one[k]) & set(two[k]) for k in matched) for two in atoms] for one in atoms], dtype=bool)


def _attribute(benchmark: Described, name: str, place: str) -> Attribute:
    if name in benchmark.attributes:
        attribute = benchmark.attributes[name]
        if attribute.kind == "numeric" and not attribute.edges:
            raise PlanError(
                f"{place} {name}",
                "this attribute is a number without declared bins",
                "Declare its bin edges in the descriptor",
            )
        return attribute
    near = difflib.get_close_matches(name, benchmark.attributes, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise PlanError(
        f"{place} {name}",
        f"benchmark {benchmark.name!r} has no such attribute",
        f"{hint}It has: {', '.join(benchmark.attributes)}",
    )


def _value_order(attribute: Attribute, present: set[str]) -> list[str]:
    declared = bin_names(attribute.edges) if attribute.kind == "numeric" else list(attribute.values)
    known = [value for value in declared if value in present]
    others = sorted(present - set(known) - {UNKNOWN})
    return known + others + ([UNKNOWN] if UNKNOWN in present else [])
