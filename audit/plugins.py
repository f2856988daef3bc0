"""What other packages add: models and benchmarks under entry points, known by name at once and imported when asked for.

A package names them in its metadata, in the groups `faceaudit.models`, `faceaudit.detectors` and
`faceaudit.benchmarks`. Reading names imports nothing. A plug-in never takes the name of something shipped, two of one
name are both left out, and one that is broken is a line that says so; docs/own-model.md shows how one is written.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

MODELS = "faceaudit.models"
BENCHMARKS = "faceaudit.benchmarks"
DETECTORS = "faceaudit.detectors"


class BrokenError(Exception):
    """A plug-in that cannot be used: one line that names it."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a plug-in that brings its own adapter; one that needs none is the `Path` of its card alone.

    Parameters
    ----------
    card : a card in TOML, as docs/models.md describes it
    loader : "module:function" of the plug-in; the function takes (card, *, workers, device) and gives a `FaceModel`
    packages : distributions whose version decides a number
    """

    card: Path
    loader: str
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Plug-ins of a group by name, and a line for each that is left out."""

    entries: dict[str, EntryPoint]
    left_out: tuple[str, ...]


def found(group: str, shipped: Collection[str]) -> Found:
    """Find the plug-ins of a group by their metadata; nothing of theirs is imported.

    Parameters
    ----------
    group : str
        `MODELS`, `DETECTORS` or `BENCHMARKS`.
    shipped : names that no plug-in may have
    """
    kept: dict[str, EntryPoint] = {}
    twice: dict[str, list[str]] = {}
    left_out = []
    for entry in sorted(entry_points(group=group), key=_owner):
        if entry.name in shipped:
            left_out.append(f"plug-in {entry.name!r} of {_owner(entry)} is left out: the name is that of a shipped one")
        elif entry.name in kept or entry.name in twice:
            first = kept.pop(entry.name, None)
            twice.setdefault(entry.name, [] if first is None else [_owner(first)]).append(_owner(entry))
        else:
            kept[entry.name] = entry
    left_out += [
        f"plug-ins {name!r} of {' and '.join(who)} are left out: one name twice" for name, who in twice.items()
    ]
    return Found(kept, tuple(left_out))


def load(entry: EntryPoint, *kinds: type) -> Any:
    """Import a plug-in.

    Parameters
    ----------
    entry : EntryPoint
    kinds : what it may be

    Raises
    ------
    BrokenError
        If its import fails, or it is something else.
    """
    try:
        made = entry.load()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        text = " ".join(str(error).split())[:200]
        raise BrokenError(f"{named(entry)} is broken: {type(error).__name__}: {text}") from error
    if not isinstance(made, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise BrokenError(f"{named(entry)} is broken: {entry.value} is a {type(made).__name__}, not a {wanted}")
    return made


def named(entry: EntryPoint) -> str:
    """A plug-in as messages name it."""
    return f"plug-in {entry.name!r} of {_owner(entry)}"


def _owner(entry: EntryPoint) -> str:
    return "an unnamed package" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
