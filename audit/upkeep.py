"""Looking after the cache: what lies in it, what has not been used for long, what exceeds its size.

What goes first is what was used longest ago. Any number of processes may use the cache meanwhile: an outcome that is
gone costs one recomputation, and nothing is ever half there. Folders stay: another process may be about to write.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.errors import DataError, PlanError
from audit.store import default_root

LIMIT = 20 * 2**30
"""Bytes that the cache may hold after a run, unless `FACEAUDIT_CACHE_SIZE` says otherwise."""
LIMIT_VARIABLE = "FACEAUDIT_CACHE_SIZE"
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNFINISHED = 3600.0
"""Seconds after which a write that was never finished is litter."""


@dataclass(frozen=True, slots=True)
class Held:
    """What lies in the cache: outcomes (templates and failures), and all else (sums by person, the cache's own key)."""

    root: Path
    outcomes: int
    outcome_bytes: int
    others: int
    other_bytes: int
    settings: int
    """Combinations of weights and preprocessing."""
    oldest: float | None
    """When the outcome that was used longest ago was used, in seconds since 1970."""

    @property
    def total_bytes(self) -> int:
        """Bytes of all files."""
        return self.outcome_bytes + self.other_bytes


@dataclass(frozen=True, slots=True)
class Cleared:
    """What has been deleted."""

    files: int
    freed: int


def look(root: Path | None = None) -> Held:
    """Count what lies in the cache; creates and changes nothing."""
    place = root or default_root()
    found = list(_files(place))
    outcomes = [(path, size, used) for path, size, used in found if path.suffix == ".outcome"]
    others = [size for path, size, _ in found if path.suffix != ".outcome"]
    return Held(
        place,
        len(outcomes),
        sum(size for _, size, _ in outcomes),
        len(others),
        sum(others),
        len({path.parent.parent for path, _, _ in outcomes}),
        min((used for _, _, used in outcomes), default=None),
    )


def clear(root: Path | None = None, *, older_than: float | None = None, max_size: int | None = None) -> Cleared:
    """Delete outcomes, and what unfinished writes left.

    Parameters
    ----------
    root : Path or None
        The cache folder; None takes the default one.
    older_than : float or None
        Only outcomes that were not used for so many seconds.
    max_size : int or None
        Only as many as it takes to hold at most so many bytes, those used longest ago first. With neither, all; with
        both, what either asks for.

    Raises
    ------
    DataError
        If a file cannot be deleted.
    """
    place, now = root or default_root(), time.time()
    entries = sorted((used, size, path) for path, size, used in _files(place / "templates"))
    everything = older_than is None and max_size is None
    held = sum(size for _, size, _ in entries)
    files = freed = 0
    for used, size, path in entries:
        litter = path.suffix != ".outcome"
        old = older_than is not None and now - used > older_than
        excess = max_size is not None and held - freed > max_size
        if (litter and now - used > _UNFINISHED) or (not litter and (everything or old or excess)):
            _delete(path)
            files, freed = files + 1, freed + size
    return Cleared(files, freed)


def limit() -> int:
    """Bytes that the cache may hold: `FACEAUDIT_CACHE_SIZE`, or else `LIMIT`.

    Raises
    ------
    PlanError
        If the variable holds no size.
    """
    said = os.environ.get(LIMIT_VARIABLE)
    return LIMIT if not said else size_of(said, LIMIT_VARIABLE)


def size_of(text: str, place: str) -> int:
    """Bytes of a size like 500M or 20G.

    Raises
    ------
    PlanError
        If it is none.

    Examples
    --------
    >>> size_of("1.5K", "--max-size")
    1536
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise PlanError(place, f"found {text!r}", "Give a size, for example 500M or 20G")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def span_of(text: str, place: str) -> float:
    """Seconds of a time like 12h or 30d.

    Raises
    ------
    PlanError
        If it is none.

    Examples
    --------
    >>> span_of("2h", "--older-than")
    7200.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", text.strip(), re.IGNORECASE)
    if found is None:
        raise PlanError(place, f"found {text!r}", "Give a time, for example 12h, 30d or 8w")
    return float(found[1]) * _SPANS[found[2].lower()]


def _files(folder: Path) -> Iterator[tuple[Path, int, float]]:
    """Every file below a folder, with its size and when it was used last; what vanishes meanwhile is left out."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            try:
                found = path.lstat()
            except OSError:
                continue
            yield path, found.st_size, found.st_mtime


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            str(path), f"cannot be deleted: {error.strerror}", "Make the cache writable, or delete it yourself"
        ) from error
