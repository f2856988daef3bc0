"""Who is on the list that faces are compared with, and who is tested against it: drawn by the plan, before any score.

People on the list give it some of their pictures, and are tested with the others: they should be found (mated probes).
Everybody else is tested with all pictures and should not be (non-mated probes). Nothing of this leaves an evaluation
but how many people of which group were on the list.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import NothingMeasured, PlanError
from audit.groups import Grouping
from audit.plan import AuditPlan

Ints = NDArray[np.int64]
STREAM = 2
"""Number of this draw's stream beside the plan's seed."""


@dataclass(frozen=True, eq=False)
class WatchList:
    """Samples on both sides.

    Parameters
    ----------
    references : (G,) samples on the list, those of a person beside each other, people in random order
    probes : (P,) samples that are tested, of people on the list and of others
    listed : (subjects,) is the person on the list
    unlistable : people who have too few pictures to be on the list
    untested : of them, those who are left out, as nobody is tested who is not on the list
    """

    references: Ints
    probes: Ints
    listed: NDArray[np.bool_]
    unlistable: int
    untested: int


def draw(owner: Ints, grouping: Grouping, plan: AuditPlan, place: str) -> WatchList:
    """Draw the list.

    Parameters
    ----------
    owner : (samples,) subject of each sample
    grouping : of the subjects; `plan.list_by` is one of its attributes
    place : what is drawn from, for messages

    Raises
    ------
    PlanError
        If the list cannot be composed so.
    NothingMeasured
        If nobody has pictures enough to be on the list.
    """
    rng = np.random.default_rng([plan.seed, STREAM])
    pictures = np.bincount(owner, minlength=len(grouping.atom_of))
    able = pictures > plan.list_images
    if able.sum() < 2:
        raise NothingMeasured(
            place,
            f"{able.sum()} people have more than {plan.list_images} picture(s), and a list needs two such people: "
            f"{plan.list_images} for the list and one to be tested with",
            "Take fewer list_images, or a benchmark with more pictures a person",
        )
    stratum, shares = _strata(grouping, plan, able)
    wanted = _numbers(stratum, shares, able, plan, place, rng)
    chosen = [rng.permutation(np.flatnonzero(able & (stratum == k)))[:number] for k, number in enumerate(wanted)]
    people = rng.permutation(np.concatenate(chosen))
    listed = np.zeros(len(able), dtype=bool)
    listed[people] = True
    closed = plan.list_share == 1 and plan.list_size is None and plan.list_by is None
    own = _samples_of(owner, len(pictures))
    mixed = [rng.permutation(own[person]) for person in people]
    references = np.concatenate([samples[: plan.list_images] for samples in mixed])
    tested = np.ones(len(owner), dtype=bool)
    tested[references] = False
    if closed:
        tested &= listed[owner]
    return WatchList(
        references, np.flatnonzero(tested), listed, int((~able).sum()), int((~listed).sum()) if closed else 0
    )


def _samples_of(owner: Ints, people: int) -> list[Ints]:
    order = np.argsort(owner, kind="stable")
    return np.split(order, np.cumsum(np.bincount(owner, minlength=people))[:-1])


def _strata(grouping: Grouping, plan: AuditPlan, able: NDArray[np.bool_]) -> tuple[Ints, NDArray[np.float64]]:
    """Part of the list that everybody belongs to, and the share of each part.

    Without `list_by`, parts are the combinations of labels, with the shares that they have among the able.
    """
    if plan.list_by is None:
        sizes = np.bincount(grouping.atom_of[able], minlength=grouping.atoms)
        return grouping.atom_of, sizes / sizes.sum()
    families = grouping.families()
    if (plan.list_by,) not in families:
        known = ", ".join(grouping.attributes) or "none"
        raise PlanError(
            "plan: list_by", f"people are not grouped by {plan.list_by!r}", f"Add it to --by; grouped by: {known}"
        )
    family = families[plan.list_by,]
    names = [grouping.groups[position].as_dict()[plan.list_by] for position in family]
    shares = plan.list_groups or dict.fromkeys(names, 1 / len(names))
    for name in shares:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise PlanError(
                "plan: list_groups", f"{plan.list_by} has no group {name!r}", f"{hint}It has: {', '.join(names)}"
            )
    first = np.argmax(grouping.member[family], axis=0)  # who has several values counts in the first
    return first[grouping.atom_of], np.array([shares.get(name, 0.0) for name in names])


def _numbers(
    stratum: Ints,
    shares: NDArray[np.float64],
    able: NDArray[np.bool_],
    plan: AuditPlan,
    place: str,
    rng: np.random.Generator,
) -> Ints:
    """How many people of each part are on the list."""
    room = np.bincount(stratum[able], minlength=len(shares))
    used = shares > 0
    total = plan.list_size
    if total is None and plan.list_by is None:
        total = round(plan.list_share * int(room.sum()))
    elif total is None:
        total = int(np.floor((plan.list_share * room[used] / shares[used]).min() + 1e-9))
    wanted = apportion(total, shares, rng)
    short = np.flatnonzero(wanted > room)
    if len(short):
        raise PlanError(
            f"{place}: list_size",
            f"a list of {total} people takes {wanted[short[0]]} of a group in which {room[short[0]]} can be on it",
            f"Take a smaller list_size, or another composition; {room.sum()} people could be on the list",
        )
    if total < 2:
        raise PlanError(
            f"{place}: list_share", f"the list would have {total} people, and needs two", "Take a larger one"
        )
    return wanted


def apportion(total: int, shares: Sequence[float] | NDArray[np.float64], rng: np.random.Generator) -> Ints:
    """Divide `total` by shares that add up to 1: largest remainders, ties at random.

    >>> apportion(10, [0.55, 0.45], np.random.default_rng(1)).sum()
    np.int64(10)
    >>> apportion(8, [0.5, 0.25, 0.25], np.random.default_rng(1)).tolist()
    [4, 2, 2]
    """
    exact = total * np.asarray(shares, dtype=np.float64)
    made = np.floor(exact + 1e-9).astype(np.int64)
    order = np.lexsort((rng.random(len(exact)), -np.round(exact - made, 9)))
    made[order[: total - int(made.sum())]] += 1
    return made
