"""Which groups may be told finely: held against a plain search over every set of people, on drawn tables of labels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from simulated import Case, people

from audit import groups
from audit.domain import Attribute, Benchmark, Subject
from audit.groups import Grouping
from audit.metrics.disclosure import FEWEST, told_finely


def grouping_of(sizes: dict[tuple[str, ...], int], names: tuple[str, ...]) -> Grouping:
    benchmark: Benchmark = people({"a": 1})[0]
    subjects = [
        Subject(f"{key}{k}", {name: (value,) for name, value in zip(names, key, strict=True)})
        for key, size in sizes.items()
        for k in range(size)
    ]
    attributes = {name: Attribute(name, "assigned-by-design") for name in names}
    described = type("Described", (), {"name": benchmark.name, "attributes": attributes})()
    return groups.make(described, names, subjects)


def isolates(members: np.ndarray, sizes: np.ndarray, fewest: int) -> bool:
    """Does some combination of rows rest on fewer than `fewest` people? By ranks, over every set of atoms.

    A vector of the row space that vanishes outside of a set exists iff the rows lose rank without the set's columns.
    """
    whole = np.linalg.matrix_rank(members.astype(float))
    atoms = range(members.shape[1])
    for number in range(1, members.shape[1] + 1):
        for some in itertools.combinations(atoms, number):
            if sizes[list(some)].sum() < fewest:
                rest = [k for k in atoms if k not in some]
                if not rest or np.linalg.matrix_rank(members[:, rest].astype(float)) < whole:
                    return True
    return False


@pytest.mark.parametrize("seed", range(40))
def test_no_combination_of_finely_told_groups_rests_on_a_few(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (("x", "y", "z")[: rng.integers(1, 4)], ("k", "l", "m")[: rng.integers(1, 4)])
    sizes = {key: int(rng.choice([0, 1, 2, 4, 9, 15, 40])) for key in itertools.product(*shape)}
    sizes = {key: size for key, size in sizes.items() if size} or {("x", "k"): 12}
    grouping = grouping_of(sizes, ("one", "two"))
    fine = told_finely(grouping)
    per_atom = np.bincount(grouping.atom_of, minlength=grouping.atoms)
    if fine.any():
        assert not isolates(grouping.member[fine], per_atom, FEWEST)
    assert not fine[grouping.subjects < FEWEST].any()


@pytest.mark.parametrize("seed", range(40))
def test_scores_across_people_are_told_by_no_combination_either(seed: int) -> None:
    """Non-mated comparisons within groups are cells of atom pairs: none that touch a few people stand alone."""
    rng = np.random.default_rng(1000 + seed)
    sizes = {key: int(rng.choice([1, 3, 8, 20])) for key in itertools.product("xyz"[: rng.integers(2, 4)], "kl")}
    grouping = grouping_of(sizes, ("one", "two"))
    fine = told_finely(grouping)
    if not fine.any():
        return
    per_atom = np.bincount(grouping.atom_of, minlength=grouping.atoms)
    upper = np.triu_indices(grouping.atoms)
    cells = np.array([grouping.within(k)[upper] for k in np.flatnonzero(fine)], dtype=float)
    whole = np.linalg.matrix_rank(cells)
    for number in (1, 2, 3):
        for some in itertools.combinations(range(grouping.atoms), number):
            if per_atom[list(some)].sum() < FEWEST:
                apart = ~(np.isin(upper[0], some) | np.isin(upper[1], some))
                assert np.linalg.matrix_rank(cells[:, apart]) == whole, (sizes, some)


def test_what_remains_of_everyone_is_not_told() -> None:
    """A group of three is left out; so is another, or everyone less the others would be the three."""
    grouping = grouping_of({("a",): 40, ("b",): 30, ("c",): 3}, ("one",))
    told = {str(group): bool(fine) for group, fine in zip(grouping.groups, told_finely(grouping), strict=True)}
    assert told == {"everyone": True, "one=a": True, "one=b": False, "one=c": False}


def test_two_small_groups_hide_each_other_if_they_are_many_together() -> None:
    grouping = grouping_of({("a",): 40, ("b",): 6, ("c",): 7}, ("one",))
    assert told_finely(grouping).tolist() == [True, True, False, False]


def test_large_groups_are_all_told() -> None:
    assert told_finely(Case({"a": 30, "b": 20}, {}).grouping).all()


def test_many_small_labels_take_no_time() -> None:
    rng = np.random.default_rng(3)
    sizes = {(f"a{i}", f"b{j}"): int(rng.integers(1, 6)) for i in range(12) for j in range(12)}
    fine = told_finely(grouping_of(sizes, ("one", "two")))
    assert fine[0]
    assert fine.sum() > 15
