"""How much of a change of a disparity comes from detection, and how much from the templates.

One model, two preparations of the same pictures. A generalised rate is composed of the failures to acquire A and of the
errors of what was acquired F: FRR = A + F (1 - A), FAR = F (1 - A). Between the two, with means over both::

    change of FRR = (change of A) (1 - mean F) + (change of F) (1 - mean A)
    change of FAR = (change of A) (  - mean F) + (change of F) (1 - mean A)

exactly. The change of a disparity (group less reference) is the difference of these sums: its first terms are what
detection adds, its second terms what the templates add.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from audit.comparison import Difference, Split
from audit.record import Contrast, EvaluationRecord, Group, IntervalPart
from audit.side_by_side.pair import Pair, point_name
from audit.stats.contrasts import mover_difference

GENERALISED: dict[str, Literal["FRR", "FAR"]] = {"FNMR": "FRR", "FMR": "FAR"}
Key = tuple[str, str | None, frozenset[tuple[str, str]]]


def splits(pair: Pair, differences: Sequence[Difference], level: float) -> list[Split]:
    """Split the change of every disparity between two groups that both records have.

    Parameters
    ----------
    pair : two records; anything but one model with two preparations of the same pictures gives an empty list
    differences : of all pairs; those of this one are picked out
    """
    if not prepared_differently(pair.first, pair.second):
        return []
    rows: dict[Key, Difference] = {
        (d.metric, d.operating_point, frozenset(d.group.items())): d
        for d in differences if (d.a, d.b) == (pair.a.label, pair.b.label) and d.difference is not None
    }  # fmt: skip
    names = {point.id: point_name(point) for point in pair.first.operating_points}
    made = []
    for contrast in pair.first.contrasts:
        name = names.get(contrast.operating_point or "")
        if contrast.metric in GENERALISED and isinstance(contrast.against, dict) and name is not None:
            found = _split(rows, contrast, contrast.against, name, level)
            made += [] if found is None else [found]
    return made


def prepared_differently(a: EvaluationRecord, b: EvaluationRecord) -> bool:
    """Whether two records are of the same weights and pictures, and of two known ways from one to the other."""
    ways = {a.model.preprocessing, b.model.preprocessing}
    return (
        a.model.weights_sha256 == b.model.weights_sha256
        and a.digests.samples == b.digests.samples
        and len(ways) == 2
        and "unknown" not in ways
    )


def _split(rows: dict[Key, Difference], contrast: Contrast, against: Group, name: str, level: float) -> Split | None:
    sides = [frozenset(group.items()) for group in (contrast.group, against)]
    lost = [rows.get(("FTA", None, side)) for side in sides]
    wrong = [rows.get((contrast.metric, name, side)) for side in sides]
    whole = [(a, f) for a, f in zip(lost, wrong, strict=True) if a is not None and f is not None]
    if len(whole) != len(sides):
        return None
    refused = contrast.metric == "FNMR"
    parts = [_terms(a, f, refused=refused, level=level) for a, f in whole]
    rates = [[_composed(a, f, k, refused=refused) for k in (0, 1)] for a, f in whole]
    detection, templates = (_less(parts[0][k], parts[1][k], level) for k in (0, 1))
    return Split(
        a=whole[0][0].a, b=whole[0][0].b, metric=GENERALISED[contrast.metric], operating_point=name,
        group=contrast.group, against=against, first=rates[0][0] - rates[1][0], second=rates[0][1] - rates[1][1],
        detection=detection[0], detection_interval=detection[1], templates=templates[0],
        templates_interval=templates[1],
    )  # fmt: skip


def _values(d: Difference) -> tuple[float, float]:
    return d.first.value or 0.0, d.second.value or 0.0


def _composed(lost: Difference, wrong: Difference, k: int, *, refused: bool) -> float:
    a, f = _values(lost)[k], _values(wrong)[k]
    return (a if refused else 0.0) + f * (1 - a)


Term = tuple[float, tuple[float, float] | None]
"""A value with its interval, if it has one of the level."""


def _terms(lost: Difference, wrong: Difference, *, refused: bool, level: float) -> tuple[Term, Term]:
    """What failures and errors add to the change of a group's generalised rate."""
    a, f = sum(_values(lost)) / 2, sum(_values(wrong)) / 2
    return _scaled(lost, (1 - f) if refused else -f, level), _scaled(wrong, 1 - a, level)


def _scaled(d: Difference, weight: float, level: float) -> Term:
    value = weight * (d.difference or 0.0)
    if d.difference_interval is None or d.difference_interval.level != level:
        return value, None
    low, high = sorted((weight * d.difference_interval.low, weight * d.difference_interval.high))
    return value, (low, high)


def _less(group: Term, against: Term, level: float) -> tuple[float, IntervalPart | None]:
    """One group's term less that of another; nobody is in both, so they are independent."""
    value = group[0] - against[0]
    if group[1] is None or against[1] is None:
        return value, None
    low, high = mover_difference(group[0], group[1], against[0], against[1])
    return value, IntervalPart(low=low, high=high, level=level, method="MOVER of paired differences")
