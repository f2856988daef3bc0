"""Benchmarks and layouts that other packages add; see `audit.plugins`.

An entry point of the group `faceaudit.benchmarks` is the `Path` of a folder with a descriptor, or, for a layout, the
function that reads it. Whatever they bring passes the same gate: they can add what may be measured on, and open
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit import plugins
from audit.benchmarks import catalogue, descriptor
from audit.errors import DataError

_WAY_OUT = "Mend its package, or uninstall it"


def found() -> plugins.Found:
    """Plug-ins by name; none has the name of a set of the catalogue or of a shipped one."""
    taken = {*catalogue.entries(), *descriptor.shipped()}
    taken |= {alias for entry in catalogue.entries().values() for alias in entry.aliases}
    by_name = plugins.found(plugins.BENCHMARKS, taken)
    similar = {name for name in by_name.entries if catalogue.find(name) is not None}
    return plugins.Found(
        {name: entry for name, entry in by_name.entries.items() if name not in similar},
        (
            *by_name.left_out,
            *(f"{plugins.named(by_name.entries[n])} is left out: the name is that of a shipped one" for n in similar),
        ),
    )


def folder(name: str) -> Path | None:
    """Folder of the benchmark that a plug-in brings under this name; None: there is none.

    Raises
    ------
    DataError
        If the plug-in is broken.
    """
    made = _loaded(name)
    return made if isinstance(made, Path) else None


def reader(layout: str) -> Callable[..., Any] | None:
    """Function that reads a layout that a plug-in brings; None: there is none.

    Raises
    ------
    DataError
        If the plug-in is broken.
    """
    made = _loaded(layout)
    return made if made is not None and not isinstance(made, Path) else None


def status() -> tuple[list[str], list[str]]:
    """Import every plug-in: those that can be used, and a line for each that is left out."""
    by_name = found()
    usable, left_out = [], list(by_name.left_out)
    for name, entry in by_name.entries.items():
        try:
            _load(entry)
        except plugins.BrokenError as error:
            left_out.append(str(error))
        else:
            usable.append(name)
    return usable, left_out


def _loaded(name: str) -> Any:
    entry = found().entries.get(name)
    if entry is None:
        return None
    try:
        return _load(entry)
    except plugins.BrokenError as error:
        raise DataError(name, str(error), _WAY_OUT) from None


def _load(entry: Any) -> Any:
    return plugins.load(entry, Path, type(_load))
