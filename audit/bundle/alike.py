"""Whether two parts of a record say the same, up to what differs between machines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

CLOSE = 1e-6
"""Relative: the last bits of a sum depend on the linear algebra library; a number that is shown has four digits."""
SHARES = {"null_p": 2e-3, "p_max_z": 2e-3}
"""Of p-values that are counted among draws: a draw or two may fall on the other side of a tie."""
DRAWS = {"null_histogram"}


def first_difference(made: Sequence[BaseModel], said: Sequence[BaseModel], what: str) -> str | None:
    """Find the first place where computed parts are not those of the record, in words; None: they are the same."""
    if len(made) != len(said):
        return f"{len(said)} {what} in the record, {len(made)} computed"
    for number, (one, other) in enumerate(zip(made, said, strict=True)):
        found = _differs(one.model_dump(mode="json"), other.model_dump(mode="json"), "")
        if found:
            return f"{what} {number}: {found}"
    return None


def _differs(made: Any, said: Any, where: str) -> str | None:
    if isinstance(made, dict) and isinstance(said, dict):
        if made.keys() != said.keys():
            return f"{where}: other keys"
        name = where.rpartition("/")[2]
        if name in DRAWS:
            return None if _same_draws(made, said) else f"{where}: other draws"
        return next((d for key in made if (d := _differs(made[key], said[key], f"{where}/{key}"))), None)
    if isinstance(made, list) and isinstance(said, list):
        if len(made) != len(said):
            return f"{where}: {len(said)} entries, computed {len(made)}"
        pairs = enumerate(zip(made, said, strict=True))
        return next((d for k, (one, other) in pairs if (d := _differs(one, other, f"{where}/{k}"))), None)
    same = _same_number(made, said, where) if _number(made) and _number(said) else made == said
    return None if same else f"{where.lstrip('/')} is {_short(said)}, computed {_short(made)}"


def _number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _same_number(made: float, said: float, where: str) -> bool:
    if isinstance(made, int) and isinstance(said, int):
        return made == said
    return math.isclose(made, said, rel_tol=CLOSE, abs_tol=SHARES.get(where.rpartition("/")[2], 1e-12))


def _same_draws(made: dict[str, Any], said: dict[str, Any]) -> bool:
    """Histograms of the same draws: their ends are extremes, and a draw on an edge may fall on either side."""
    edges = zip(made["edges"], said["edges"], strict=False)
    moved = sum(abs(one - other) for one, other in zip(made["counts"], said["counts"], strict=False))
    same = len(made["edges"]) == len(said["edges"]) and len(made["counts"]) == len(said["counts"])
    return same and all(math.isclose(*pair, rel_tol=CLOSE) for pair in edges) and moved <= 4


def _short(value: Any) -> str:
    text = f"{value:.9g}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else " " for c in text[:60])
