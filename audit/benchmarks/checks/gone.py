"""The list of withdrawals: whether it can be read, and who is on it and still stands in the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from audit.benchmarks import withdrawals
from audit.benchmarks.checks.rows import Arranged
from audit.benchmarks.checks.table import Finding
from audit.errors import DataError

_PLACE = re.compile(r"(?P<file>.*?)(?:, row (?P<row>\d+))?(?:, column '(?P<column>\w+)')?")


def check(root: Path, arranged: Arranged | None) -> Iterator[Finding]:
    """Find what is wrong with the list, and people on it; none where there is no list."""
    try:
        listed = withdrawals.read(root)
    except DataError as error:
        place = _PLACE.fullmatch(error.place)
        row = place["row"] if place else None
        column = place["column"] if place else None
        name = Path(place["file"] if place else withdrawals.LIST).name
        yield Finding("withdrawals-unreadable", name, int(row) if row else None, column, text=error.found)
        return
    if listed is None or arranged is None:
        return
    out = set(listed.of({row.cells.get(arranged.key, "") for row in arranged.people.rows}))
    for row in arranged.people.rows:
        if row.cells.get(arranged.key, "") in out:
            yield row.finding("withdrawn-row", arranged.key)
