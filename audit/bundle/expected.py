"""Which cells a record needs beside it: those of every rate, and nothing else. Names alone decide, no number does."""

from __future__ import annotations

from audit.cell_table import (
    ACQUISITION,
    ACROSS,
    ALONE,
    COMPARED,
    CONDITION,
    GENERALISED,
    OWN,
    among,
    listed,
    ranked,
)  # fmt: skip
from audit.record import EvaluationRecord, OperatingPoint, Rate

Key = tuple[str, str]
"""Operating point and setting of a look."""
NO_THRESHOLD = "rank-only"


def verification(record: EvaluationRecord) -> bool:
    """Whether people were compared: only then there are scores."""
    return bool(record.distributions)


def compared_points(record: EvaluationRecord) -> list[Key]:
    """Looks of which groups are compared, in the order of the record's contrasts."""
    if verification(record):
        made = [(point.id, COMPARED) for point in _everyone(record)]
    else:
        made = [(one.operating_point, COMPARED) for one in record.covariance]
    part = record.identification
    if part is not None and part.ranks:
        placed = [point.id for point in part.operating_points if point.threshold is not None]
        made += [(name, ranked(part.ranks[0])) for name in (*placed, NO_THRESHOLD)]
    return made


def expected(record: EvaluationRecord, *, crossed: bool) -> list[Key]:
    """Every look that a run writes; `crossed`: there are pairs of groups."""
    made = compared_points(record)
    if verification(record):
        made += [(point.id, ACROSS) for point in _everyone(record) if crossed]
        made += [(p.id, OWN) for p in record.operating_points if p.policy == "per-group" and p.threshold is not None]
    else:
        made.append(("", ACQUISITION))
    if record.attributes is not None:
        told = {name for name, _ in made}
        made += [(point.id, ALONE) for point in record.operating_points if point.id not in told]
        made += [(point.id, GENERALISED) for point in record.operating_points]
    if record.detection is not None:
        made += [(condition_id(cell.degradation, cell.severity), CONDITION) for cell in record.detection.cells]
    return list(dict.fromkeys([*made, *_of_list(record)]))


def _of_list(record: EvaluationRecord) -> list[Key]:
    part = record.identification
    if part is None:
        return []
    placed = [point.id for point in part.operating_points if point.threshold is not None]
    points = [*placed, NO_THRESHOLD, *(point.id for point in _everyone(record))]
    made = [(name, ranked(k, generalised=g)) for name in points for k in part.ranks for g in (False, True)]
    longest = max((len(curve.found) for curve in part.cmc), default=0)
    made += [(NO_THRESHOLD, among(k)) for k in range(1, longest + 1)]
    return [*made, *((one.operating_point, listed(one.people)) for one in part.growth)]


def by_look(record: EvaluationRecord) -> dict[Key, list[Rate]]:
    """The record's rates, each under the look that it is of; no rate is left out."""
    compared = frozenset(compared_points(record))
    own = frozenset(point.id for point in record.operating_points if point.policy == "per-group")
    made: dict[Key, list[Rate]] = {}
    for rate in record.rates:
        made.setdefault(_key(rate, record, compared, own), []).append(rate)
    return made


def _key(rate: Rate, record: EvaluationRecord, compared: frozenset[Key], own: frozenset[str]) -> Key:
    point = rate.operating_point or ""
    if rate.metric == "FTA":
        return "", ACQUISITION
    if rate.reference_group is not None:
        return point, ACROSS
    if rate.metric in {"FPIR", "FNIR"}:
        ranks = record.identification.ranks if record.identification is not None else []
        rank = (ranks[0] if ranks else 0) if rate.rank is None else rate.rank
        return point, ranked(rank, generalised=rate.view == "generalised")
    if verification(record):
        return point, OWN if point in own else COMPARED
    if rate.view == "generalised":
        return point, GENERALISED
    return point, COMPARED if (point, COMPARED) in compared else ALONE


def condition_id(degradation: str | None, severity: int) -> str:
    """How pictures were made worse, as their cells call it."""
    return "as-taken" if degradation is None else f"{degradation}-{severity}"


def _everyone(record: EvaluationRecord) -> list[OperatingPoint]:
    """Thresholds for everyone."""
    return [point for point in record.operating_points if point.policy != "per-group" and point.threshold is not None]
