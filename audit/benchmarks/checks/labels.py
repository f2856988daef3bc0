"""What is wrong with labels: missing, undocumented, spelt in two ways, no numbers, of children, of two kinds."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from audit.benchmarks.checks.raw import Row, Table
from audit.benchmarks.checks.table import Finding
from audit.benchmarks.people import is_number
from audit.benchmarks.schema import AttributeSpec, Dataset

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", "."})
"""Spellings of "missing", in lower case, unless the descriptor documents one as a value."""

PLAUSIBLE = {"years": (0.0, 120.0), "degrees": (-360.0, 360.0), "%": (0.0, 100.0), "percent": (0.0, 100.0)}
ADULT = 18


def check(table: Table, key: str, dataset: Dataset | None, separator: str | None) -> Iterator[Finding]:
    """Check a table of people, attribute by attribute; without a descriptor every column is one."""
    rows = [row for row in table.rows if row.whole]
    yield from _people_twice(rows, key)
    if dataset is None:
        for column in table.header:
            if column != key:
                yield from _categories(rows, column, None, separator)
                yield from _missing(rows, column, None)
                yield from _ages(rows, column, None)
        return
    described = {key}
    for spec in dataset.attributes:
        for column in (spec.column or spec.name, *spec.annotators):
            described.add(column)
            if column not in table.header:
                yield Finding("attribute-without-column", table.file, 1, column)
                continue
            if column not in spec.annotators:
                yield from _missing(rows, column, spec)
            if spec.kind == "numeric":
                yield from _numbers(rows, column, spec)
                yield from _ages(rows, column, spec)
            else:
                yield from _categories(rows, column, spec, separator)
    for column in table.header:
        if column not in described:
            yield Finding("undescribed-column", table.file, 1, column)


def _people_twice(rows: Sequence[Row], key: str) -> Iterator[Finding]:
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(row.cells.get(key, ""), row)
        if before is row or not row.cells.get(key):
            continue
        differing = [column for column, cell in row.cells.items() if cell != before.cells[column]]
        for column in differing:
            yield row.finding("two-values", column, f"another value stands in row {before.number}")
        if not differing:
            yield row.finding("repeated-subject-row", key, f"as row {before.number}")


def _is_missing(value: str, spec: AttributeSpec | None) -> bool:
    if spec is not None and value in spec.missing_values:
        return True
    return value.strip().lower() in MISSING and (spec is None or value not in spec.documented)


def _missing(rows: Sequence[Row], column: str, spec: AttributeSpec | None) -> Iterator[Finding]:
    return (row.finding("missing-label", column) for row in rows if _is_missing(row.cells[column], spec))


def _values(cell: str, spec: AttributeSpec | None, separator: str | None) -> list[str]:
    parts = cell.split(separator) if separator else [cell]
    return [part for part in dict.fromkeys(parts) if not _is_missing(part, spec)]


def _categories(
    rows: Sequence[Row], column: str, spec: AttributeSpec | None, separator: str | None
) -> Iterator[Finding]:
    held = [(row, value) for row in rows for value in _values(row.cells[column], spec, separator)]
    counts = Counter(value for _, value in held)
    documented = spec.documented if spec is not None else ()
    usual = _usual(counts, documented)
    for row, value in held:
        other = usual[_folded(value)]
        if value != other:
            form = unicodedata.normalize("NFC", value) == unicodedata.normalize("NFC", other)
            text = "another Unicode form stands elsewhere" if form else f"elsewhere it is {other!r}"
            yield row.finding("label-unicode" if form else "label-spelling", column, text, value)
        elif documented and value not in documented:
            yield row.finding("undocumented-label", column, value=value)
    if rows and len(usual) == 1:
        yield Finding("constant-attribute", rows[0].file, None, column)
    merged = Counter[str]()
    for value, count in counts.items():
        merged[usual[_folded(value)]] += count
    numbers = all(is_number(value) for value in counts)
    # Without a descriptor, a column of numbers is a quantity and one of many single values holds names.
    alone = [value for value, count in merged.items() if count < 2]
    if not (spec is None and (numbers or len(alone) > 12)):
        yield from (Finding("small-group", rows[0].file, None, column, value) for value in alone)


def _usual(counts: Counter[str], documented: Sequence[str]) -> dict[str, str]:
    """Folded value to its right spelling: the documented one, else the most frequent one."""
    found: dict[str, str] = {}
    for value in (*documented, *(value for value, _ in counts.most_common())):
        if value in counts or value in documented:
            found.setdefault(_folded(value), value)
    return {folded: value for folded, value in found.items() if folded in {_folded(each) for each in counts}}


def _folded(value: str) -> str:
    return " ".join(re.split(r"[\s_]+", unicodedata.normalize("NFKC", value).casefold().strip()))


def _numbers(rows: Sequence[Row], column: str, spec: AttributeSpec) -> Iterator[Finding]:
    low, high = PLAUSIBLE.get(spec.unit, PLAUSIBLE["years"] if _is_age(column, spec) else (-math.inf, math.inf))
    cells = [(row, row.cells[column]) for row in rows if not _is_missing(row.cells[column], spec)]
    held = [(row, cell) for row, cell in cells if cell not in spec.words]
    for row, cell in held:
        if not is_number(cell):
            yield row.finding("not-a-number", column)
        elif not low <= float(cell) <= high:
            yield row.finding("implausible-number", column, f"plausible: {low:g} to {high:g}")
    if held and len({cell for _, cell in held}) == 1:
        yield Finding("constant-attribute", rows[0].file, None, column)


def _ages(rows: Sequence[Row], column: str, spec: AttributeSpec | None) -> Iterator[Finding]:
    """Children, by any column of ages in years."""
    if not _is_age(column, spec):
        return
    for row in rows:
        cell = row.cells[column]
        if is_number(cell) and 0 <= float(cell) < ADULT:
            yield row.finding("minor", column)


def _is_age(column: str, spec: AttributeSpec | None) -> bool:
    names = f"{column} {spec.name}" if spec is not None else column
    words = re.split(r"[^a-z]+", names.lower())
    return "age" in words or (spec is not None and spec.unit == "years")
