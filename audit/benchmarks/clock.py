"""Whether the clock can be believed: how old a copy of a live set is must not depend on turning it back.

The latest day on which something here was written: the descriptor, the folder, the package itself, and the day on which
a live set was last let through, which the cache keeps. A clock before that day is wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import audit
from audit import whole_file
from audit.benchmarks.obtain import cache_folder

_MARK = "latest-day"


def latest(paths: Iterable[Path]) -> dt.date | None:
    """Latest day (UTC) on which one of some files, the package, or the mark in the cache was written."""
    days = []
    for path in (*paths, Path(audit.__file__)):
        with suppress(OSError):
            days.append(dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC).date())
    with suppress(OSError, ValueError):
        days.append(dt.date.fromisoformat(_mark().read_text(encoding="ascii").strip()))
    return max(days, default=None)


def keep(today: dt.date) -> None:
    """Remember the day on which a live set was let through; a cache that cannot be written keeps none."""
    with suppress(OSError):
        _mark().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole_file.write(_mark(), f"{today.isoformat()}\n".encode())


def _mark() -> Path:
    return cache_folder(_MARK).parent.parent / _MARK
