"""Explicit protocols: the pairs of samples that are compared, and their folds.

Where pairs stand in folds, the threshold of each fold is set on the others and judged on that one. So a column that
looks like folds is read as them or refused, never passed over; and every fold has mated and non-mated pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from audit.benchmarks import tables
from audit.domain import Sample
from audit.errors import DataError

Pair = tuple[str, str]
FOLD = "fold"


def read(path: Path, samples: Sequence[Sample]) -> tuple[tuple[Pair, ...], dict[Pair, str]]:
    """Read `pairs.csv`: `probe`, `reference` (sample ids), and optionally `fold`.

    Returns
    -------
    (pairs, folds) : pairs in their order; the fold of every pair, empty where there are none

    Raises
    ------
    DataError
        Naming row, column and value.
    """
    frame: pd.DataFrame = tables.read(path, required=["probe", "reference"])
    owner = {sample.sample_id: sample.subject_id for sample in samples}
    folded = _has_folds(path, [str(name) for name in frame.columns])
    rows: dict[frozenset[str], int] = {}
    folds: dict[Pair, str] = {}
    listed = []
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        pair = probe, reference = str(cells["probe"]), str(cells["reference"])
        for column, sample in (("probe", probe), ("reference", reference)):
            if sample not in owner:
                raise DataError(
                    f"{path}, row {row}, column {column!r}", f"{sample!r} is not in samples.csv", "Correct the id"
                )
        both = frozenset(pair)
        if len(both) == 1:
            raise DataError(f"{path}, row {row}", f"{probe!r} is compared with itself", "Remove the row")
        if both in rows:
            raise DataError(
                f"{path}, row {row}", f"{probe!r} and {reference!r} stand in row {rows[both]} too", "Remove one of them"
            )
        rows[both] = row
        listed.append(pair)
        if folded:
            folds[pair] = str(cells[FOLD]).strip()
            if not folds[pair]:
                raise DataError(f"{path}, row {row}, column {FOLD!r}", "is empty", "Give every pair a fold, or none")
    for fold, why in lacking(folds, owner):
        raise DataError(
            f"{path}, column {FOLD!r}",
            f"fold {fold!r} {why}",
            "Take two folds or more, with pairs of one person and of two",
        )
    return tuple(listed), folds


def _has_folds(path: Path, columns: Sequence[str]) -> bool:
    """Whether there is a column of folds; one that is spelt otherwise would silently be none."""
    for name in misspelt(columns):
        raise DataError(f"{path}, column {name!r}", "would not be read", f"Call it {FOLD!r}")
    return FOLD in columns


def misspelt(columns: Sequence[str]) -> list[str]:
    """Columns that are meant to be `fold`."""
    return [name for name in columns if name != FOLD and name.strip().lower().rstrip("s") == FOLD]


def lacking(folds: Mapping[Pair, str], owner: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name folds that cannot be judged, and why: one fold alone, and one in which one of the errors cannot be made."""
    kinds: dict[str, set[bool]] = {}
    for (probe, reference), fold in folds.items():
        kinds.setdefault(fold, set()).add(owner[probe] == owner[reference])
    for fold, mated in kinds.items():
        if len(kinds) == 1:
            yield fold, "is the only one"
        elif len(mated) == 1:
            yield fold, f"has no {'non-mated' if True in mated else 'mated'} pair"
