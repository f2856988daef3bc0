"""Whether every rate of a record, its interval and its variance follow from the cells beside it.

Every check gives what is wrong, in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from audit import assemble
from audit import record as r
from audit.bundle.alike import first_difference
from audit.bundle.expected import NO_THRESHOLD, Key, condition_id
from audit.bundle.rebuild import Rebuilt, group_of, groups_of, measured_of, point_of, rates_of, settings, tallies_of
from audit.cell_table import (
    ACQUISITION,
    ACROSS,
    ALONE,
    COMPARED,
    CONDITION,
    GENERALISED,
    OWN,
    Name,
    among,
    listed,
    ranked,
)  # fmt: skip
from audit.counted import CELLS, Look, named
from audit.domain import ErrorRate
from audit.metrics import evaluation
from audit.metrics.evaluation import Measured
from audit.metrics.rates import Cell, Tally, error_rates

Wrong = Iterator[str]
Acquired = tuple[Tally | None, NDArray[np.float64]]


def within(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Rates of groups at thresholds and settings that hold for everyone, also with failures counted."""
    compared = {(one.measured.point.id, COMPARED): one for one in rebuilt.compared}
    for key, look in rebuilt.looks.items():
        if key[1] not in {COMPARED, ALONE, GENERALISED}:
            continue
        said = rebuilt.rates.get(key, [])
        known = compared.get(key)
        grouping = groups_of(look, rebuilt.grouping) if known is None else known.grouping
        one = measured_of(look, grouping, point_of(record, key[0]), record) if known is None else known.measured
        made = assemble.measured_rates(one, grouping)
        if key[1] == GENERALISED:
            made = [rate.model_copy(update={"view": "generalised"}) for rate in made]
        yield from _same(made, said, f"rates at {key[0]}")


def across(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """False matches between two groups."""
    plan = settings(record)
    names = [named(group.as_dict()) for group in rebuilt.grouping.groups]
    pairs = [Name("across", names[a], names[b], None) for a, b in evaluation.crossed(rebuilt.grouping)]
    for one in rebuilt.verified if pairs else ():
        look = rebuilt.looks[one.point.id, ACROSS]
        said = rebuilt.rates.get((one.point.id, ACROSS), [])
        if list(look.names) != pairs or look.metrics != ("FMR",):
            yield f"{CELLS} has other pairs of groups at {one.point.id} than the record"
            continue
        tally, variance = tallies_of(look)["FMR"], look.variances()[0]
        found = evaluation.of_crossed(
            tally, variance, rebuilt.grouping, one.point, level=plan.level, min_subjects=plan.min_subjects
        )
        made = assemble.measured_rates(_only(one, found), rebuilt.grouping)
        yield from _same(made, said, f"rates across groups at {one.point.id}")


def own(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Rates of groups at thresholds of their own."""
    for key, look in rebuilt.looks.items():
        if key[1] == OWN:
            made = [assemble.rate(rate, None) for rate in _rates(record, look)]
            yield from _same(made, rebuilt.rates.get(key, []), f"rates at {key[0]}")


def acquisition(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Failures to acquire of every group, in the record's rates and in its own table of them."""
    tally, variance = acquired(rebuilt)
    whole = [row for row in record.acquisition if row.stage is None]
    groups = rebuilt.grouping.groups
    if tally is None or len(whole) != len(groups):
        yield f"{len(whole)} rows of failures, and {len(groups)} groups"
        return
    plan = settings(record)
    found = error_rates(
        "FTA", tally, [Cell(group) for group in groups], variance, operating_point=None, level=plan.level,
        min_subjects=plan.min_subjects,
    )  # fmt: skip
    for rate, row in zip(found, whole, strict=True):
        made = r.Acquisition(
            group=rate.group.as_dict(), samples=rate.trials, subjects=rate.subjects, stage=None, reason=None,
            failures=rate.errors, value=rate.value, interval=assemble.interval(rate.interval), support=rate.support,
        )  # fmt: skip
        yield from _same([made], [row], f"failures of {r.group_text(row.group)}")
    said = [rate for rate in record.rates if rate.metric == "FTA"]
    yield from _same([assemble.rate(rate, rate.subjects) for rate in found], said, "rates of failures")


def acquired(rebuilt: Rebuilt) -> Acquired:
    """Failures to acquire of the record's groups, and variances of their rates."""
    names = [named(group.as_dict()) for group in rebuilt.grouping.groups]
    for one in rebuilt.verified[:1]:
        first = one.column("FTA", 0)
        return one.tallies["FTA"], np.diag(one.covariance)[first : first + len(names)]
    look = rebuilt.looks.get(("", ACQUISITION))
    if look is None or look.metrics != ("FTA",) or [name.group for name in look.names] != names:
        return None, np.zeros(0)
    return tallies_of(look)["FTA"], look.variances()[0]


def conditions(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Misses of a detector under every condition, group by group."""
    cells = record.detection.cells if record.detection is not None else []
    by_condition: dict[str, list[r.DetectionCell]] = {}
    for cell in cells:
        by_condition.setdefault(condition_id(cell.degradation, cell.severity), []).append(cell)
    for name, said in by_condition.items():
        look = rebuilt.looks[name, CONDITION]
        grouping = groups_of(look, rebuilt.grouping)
        rates = assemble.measured_rates(measured_of(look, grouping, point_of(record, name), record), grouping)
        if len(rates) != len(said):
            yield f"{len(said)} groups under {name}, and {len(rates)} in the cells"
            continue
        made = [
            cell.model_copy(
                update={
                    "group": rate.group, "misses": rate.errors, "pictures": rate.trials, "subjects": rate.subjects,
                    "value": rate.value, "interval": rate.interval, "upper_bound": rate.upper_bound,
                    "support": rate.support, "reason": rate.reason,
                }
            )
            for cell, rate in zip(said, rates, strict=True)
        ]  # fmt: skip
        yield from _same(made, said, f"misses under {name}")


def of_list(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """FPIR and FNIR at every rank, also with failures counted."""
    part = record.identification
    ranks = {} if part is None else {ranked(k): (k, k == part.ranks[0]) for k in part.ranks}
    sizes = dict[Key, Measured]()
    for key, look in rebuilt.looks.items():
        setting = key[1].removesuffix(", generalised")
        if setting not in ranks:
            continue
        rank, first = ranks[setting]
        base = (key[0], setting)
        if base not in sizes:
            sizes[base] = measured_of(rebuilt.looks[base], rebuilt.grouping, point_of(record, key[0]), record)
        found = _rates(record, look)
        one = _only(sizes[base], [rate for rate in found if first or rate.metric != "FPIR"])
        view = "conditional" if key == base else "generalised"
        made = [
            rate.model_copy(update={"view": view, "rank": rank if rate.metric == "FNIR" else None})
            for rate in assemble.measured_rates(one, rebuilt.grouping)
        ]
        yield from _same(made, rebuilt.rates.get(key, []), f"rates at {key[0]}, {key[1]}")


def curves_of_list(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Who is found among how many candidates, and how false alarms grow with the list."""
    part = record.identification
    if part is None:
        return
    longest = max((len(curve.found) for curve in part.cmc), default=0)
    by_rank = [_rates(record, rebuilt.looks[NO_THRESHOLD, among(k + 1)]) for k in range(longest)]
    for curve in part.cmc:
        column = [rate for rates in by_rank for rate in rates if rate.group.as_dict() == curve.group]
        known = [(rate, rate.interval) for rate in column if rate.value is not None and rate.interval is not None]
        made = curve.model_copy(
            update={
                "found": [1 - (rate.value or 0.0) for rate, _ in known],
                "low": [1 - interval.high for _, interval in known],
                "high": [1 - interval.low for _, interval in known],
            }
        )
        yield from _same([made], [curve], f"found among the first candidates, {r.group_text(curve.group)}")
    for row in part.growth:
        (rate,) = _rates(record, rebuilt.looks[row.operating_point, listed(row.people)])
        update = {"errors": rate.errors, "trials": rate.trials, "value": rate.value}
        again = row.model_copy(update={**update, "interval": assemble.interval(rate.interval)})
        yield from _same([again], [row], f"false alarms against {row.people} people at {row.operating_point}")


def _rates(record: r.EvaluationRecord, look: Look) -> list[ErrorRate]:
    """Rates of the groups that a look names."""
    return rates_of(look, [group_of(name.group) for name in look.names if name.role == "group"], record)


def _only(one: Measured, rates: list[ErrorRate]) -> Measured:
    return Measured(one.point, rates, one.tallies, one.covariance, one.zero_sizes, one.groups)


def _same(made: Sequence[BaseModel], said: Sequence[BaseModel], what: str) -> Wrong:
    wrong = first_difference(made, said, what)
    if wrong:
        yield wrong
