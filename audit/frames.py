"""Parts of a record as tidy pandas frames: one row a quantity, one column a field, the same columns for every record.

A group is one text (`gender=female & ethnicity=black`, `everyone` for all) and beside it one column for each attribute
(`gender`, `ethnicity`), empty where the row is not about it. Intervals become `low`, `high`, `level` and `method`. What
the record holds as null is missing here too; nothing is filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from pydantic import BaseModel

from audit.record import Contrast, Differential, EvaluationRecord, Rate, group_text

WHOLE = ("errors", "trials", "subjects")
"""Counts: whole numbers in every frame, an empty one too."""
BOUNDS = ("low", "high", "level", "method")
DEBIASED = ("cross_fit", "tau")
GROUP_LISTS = ("excluded", "zero_adjusted", "included")
"""Lists of groups, of which a frame gives the length."""
TAKEN_APART = frozenset({
    "group", "reference_group", "against", "interval", "difference_interval", "bootstrap", "groups", "debiased",
    "attributes", *GROUP_LISTS,
})  # fmt: skip
"""Fields of several values that become columns; other ones (curves, draws) stay in the record."""


def rates(record: EvaluationRecord) -> pd.DataFrame:
    """Error rates: one row a metric, view, group (or pair of groups) and operating point.

    Parameters
    ----------
    record : EvaluationRecord

    Returns
    -------
    frame with, among others, `metric`, `view`, `group`, `reference_group` (set for pairs of groups only),
    `operating_point`, `errors` of `trials` comparisons (samples for FTA), `subjects`, `value` in [0, 1], `low`, `high`,
    `effective_errors`, `support`
    """
    return _frame(Rate, record.rates, record)


def contrasts(record: EvaluationRecord) -> pd.DataFrame:
    """Ratios of one group's rate to another's, each with interval, p-values and verdict.

    `against` is a group, or `rest`: everyone else within the attribute. `difference_low` and `difference_high` bound
    the difference of the two rates.
    """
    return _frame(Contrast, record.contrasts, record)


def differentials(record: EvaluationRecord) -> pd.DataFrame:
    """Disparity measures over the groups of an attribute or an intersection, each with its null distribution.

    `attributes` joins their names with ` & `; `worst` and `best` are groups; `cross_fit` and `tau` are the de-biased
    companions; `excluded` counts the groups that were left out.
    """
    return _frame(Differential, record.differentials, record)


def _plain(kind: type[BaseModel]) -> list[str]:
    """Fields that a row can hold: single values, and what `_row` takes apart."""
    return [
        name
        for name, field in kind.model_fields.items()
        if name in TAKEN_APART or not re.search(r"dict|list|tuple|record\.", str(field.annotation))
    ]


def _frame(kind: type[BaseModel], parts: Iterable[BaseModel], record: EvaluationRecord) -> pd.DataFrame:
    """Rows of one kind of part; an empty list gives the same columns."""
    fields = _row(dict.fromkeys(_plain(kind)), ())
    attributes = [name for name in record.benchmark.attributes if name not in {*fields, *kind.model_fields}]
    rows = [_row(part.model_dump(include=set(_plain(kind))), attributes) for part in parts]
    columns = list(_row(dict.fromkeys(_plain(kind)), attributes))
    frame = pd.DataFrame(rows, columns=columns)
    numbers = {name for name in fields if name.endswith(("low", "high", "level")) or name in DEBIASED}
    numbers |= {
        name for name, field in kind.model_fields.items() if name in fields and "float" in str(field.annotation)
    }
    counts = [name for name in (*WHOLE, *GROUP_LISTS) if name in fields]
    return frame.astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(counts, "int64"))


def _row(values: dict[str, Any], attributes: Iterable[str]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in values.items():
        if name == "group":
            row[name] = group_text(value)
            row |= {attribute: (value or {}).get(attribute) for attribute in attributes}
        elif name in {"reference_group", "against"}:
            row[name] = group_text(value)
        elif name in {"interval", "difference_interval", "bootstrap"}:
            row |= _bounds(name, value or {})
        elif name == "groups":
            row |= {side: group_text((value or {}).get(side)) for side in ("worst", "best")}
        elif name == "debiased":
            row |= {part: (value or {}).get(part) for part in DEBIASED}
        elif name == "attributes":
            row[name] = " & ".join(value or ())
        elif name in GROUP_LISTS:
            row[name] = len(value or ())
        else:
            row[name] = value
    return row


def _bounds(name: str, interval: Mapping[str, Any]) -> dict[str, Any]:
    if name == "interval":
        return {bound: interval.get(bound) for bound in BOUNDS}
    prefix = name.removesuffix("_interval")
    return {f"{prefix}_{bound}": interval.get(bound) for bound in ("low", "high")}
