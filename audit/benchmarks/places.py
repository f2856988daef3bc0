"""Where a benchmark lies: from what the user named to a folder and its descriptor.

A name is looked up as ENTRY/NAME in the data entries. A folder brings its own descriptor, or is known by the marks of
a shipped one. Sets that the gate refuses stop here, by name or by arrangement.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from audit.benchmarks import catalogue, consent, descriptor, own_copy, plugged, recognise, schema
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.obtain import cache_folder
from audit.errors import DataError

ENVIRONMENT = "FACEAUDIT_DATA"


@dataclass(frozen=True, slots=True)
class Found:
    """A descriptor, the folder of its data (None: not here yet), and the sets that it was recognised as."""

    descriptor: Descriptor
    root: Path | None
    known: tuple[catalogue.Entry, ...]


def data_entries(extra: Sequence[Path] = ()) -> tuple[Path, ...]:
    """List the parents of benchmark folders: those given, then those of FACEAUDIT_DATA (separated by ':')."""
    parts = os.environ.get(ENVIRONMENT, "").split(":")
    return tuple(dict.fromkeys([*extra, *(Path(part).expanduser() for part in parts if part)]))


def find(name: str, *, data: Sequence[Path]) -> Found:
    """Find a benchmark by name or folder.

    Raises
    ------
    Refused
        If it is a set that the gate refuses.
    DataError
        If it is unknown (with the nearest known name), or has no descriptor.
    """
    if any(mark in name for mark in "/\\") or name.startswith((".", "~")):
        return _folder(Path(name).expanduser(), place=name)
    entry = catalogue.find(name)
    if entry is not None:
        consent.check_entry(entry, place=name)
    known = _shipped(name, entry)
    for folder in _candidates(name, entry, known, data):
        found = _folder(folder, place=name)
        _check_same(found, name, entry, known)
        return found
    if known is not None:
        kept = cache_folder(known.dataset.name)
        if (kept / descriptor.FILE_NAME).is_file():  # a copy that was taken in, with a descriptor of its own
            found = _folder(kept, place=name)
            _check_same(found, name, entry, known)
            return found
        return Found(known, _bundled(known), _recognised(known, None, entry))
    if entry is not None:
        raise DataError(
            name,
            f"is in the catalogue, but no descriptor of it is shipped and no folder {name!r} is in a data entry",
            f"Access: {entry.fact('access')}. Put a folder with {descriptor.FILE_NAME} at ENTRY/{name} "
            f"and ENTRY into {ENVIRONMENT} (or --data)",
        )
    if Path(name).is_dir():
        return _folder(Path(name), place=name)
    added = plugged.folder(name)
    if added is not None:
        return _of_plugin(name, added)
    near = catalogue.near(name)
    hint = f"Did you mean {near!r}?" if near else "See 'faceaudit benchmarks list'"
    raise DataError(name, "no such benchmark, and no such folder", hint)


def _of_plugin(name: str, folder: Path) -> Found:
    """A folder that a plug-in brings: looked at, and gated, like any other."""
    found = _folder(folder, place=name)
    if found.descriptor.dataset.name != name:
        raise DataError(
            f"plug-in {name!r}",
            f"its descriptor is of {found.descriptor.dataset.name!r}",
            "Its package has to name the benchmark as its descriptor does",
        )
    return found


def _bundled(known: Descriptor) -> Path | None:
    """The shipped folder itself, if it holds the data and not only the descriptor."""
    folder = known.path.parent
    return folder if known.files and all((folder / path).is_file() for path in known.files) else None


def _folder(root: Path, *, place: str) -> Found:
    if not root.is_dir():
        raise DataError(place, "no such folder", "Give the name of a benchmark, or an existing folder")
    recognise.check_folder(root, place=place)
    file = root / descriptor.FILE_NAME
    if file.exists():
        described = descriptor.read(file)
    else:
        matching = _matching(root)
        if not matching:
            raise DataError(
                place,
                f"has no {descriptor.FILE_NAME}, and its files are not arranged like a described benchmark",
                f"Describe it in {file}: consent, licence, labels, files",
            )
        described = matching[0]
    return in_folder(Found(described, None, _recognised(described, root, None)), root)


def in_folder(found: Found, root: Path) -> Found:
    """Say of which folder it was found what its owner states of this copy (`own_copy`)."""
    described = found.descriptor
    return replace(found, root=root, descriptor=replace(described, dataset=own_copy.apply(described, root)))


def _matching(root: Path) -> list[Descriptor]:
    """Shipped descriptors whose marks are all in a folder."""
    return [
        known
        for known in descriptor.shipped().values()
        if known.dataset.recognised_by and all(there(root, mark) for mark in known.dataset.recognised_by)
    ]


def there(root: Path, mark: str) -> bool:
    """Say whether a mark is in a folder: a relative path, with '*' within a part, or several of them with '|'."""
    return any(next(root.glob(each), None) is not None for each in mark.split("|"))


def _recognised(described: Descriptor, root: Path | None, entry: catalogue.Entry | None) -> tuple[catalogue.Entry, ...]:
    found = {known.id: known for known in recognise.by_descriptor(described.dataset)}
    if root is not None:
        found |= {known.id: known for known in recognise.by_name(k.dataset.name for k in _matching(root))}
    if entry is not None:
        found[entry.id] = entry
    return tuple(found.values())


def shipped_of(known: Iterable[catalogue.Entry]) -> tuple[schema.Dataset, ...]:
    """Shipped descriptors of sets of the catalogue."""
    ids = {entry.id for entry in known}
    return tuple(
        found.dataset
        for short, found in descriptor.shipped().items()
        if (entry := catalogue.find(short)) is not None and entry.id in ids
    )


def _shipped(name: str, entry: catalogue.Entry | None) -> Descriptor | None:
    for short, known in descriptor.shipped().items():
        if catalogue.normal(short) == catalogue.normal(name) or (entry and catalogue.find(short) is entry):
            return known
    return None


def _candidates(
    name: str, entry: catalogue.Entry | None, known: Descriptor | None, data: Sequence[Path]
) -> Iterator[Path]:
    names = [name, *([known.dataset.name] if known else []), *([entry.id, *entry.aliases] if entry else [])]
    for parent in data:
        for candidate in dict.fromkeys(names):
            if (parent / candidate).is_dir():
                yield parent / candidate


def _check_same(found: Found, name: str, entry: catalogue.Entry | None, known: Descriptor | None) -> None:
    """A folder found under a name must describe the set of that name."""
    short = found.descriptor.dataset.name
    if entry is not None and catalogue.find(short) is entry:
        return
    if known is not None and short == known.dataset.name:
        return
    if entry is None and known is None:
        return
    raise DataError(
        str(found.root), f"was found as {name!r}, but its descriptor is of {short!r}", "Give the folder itself instead"
    )
