"""The room of benchmarks: from a name or a folder to subjects, samples and consent.

`LAYOUTS` is the table of arrangements that can be read; a layout is one module with one function. `load` is the only
way in: it finds the data, validates the descriptor, passes the gate of `consent`, and only then reads.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from audit.benchmarks import consent, content, places, recognise
from audit.benchmarks.consent import Purpose
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.obtain import cache_folder, fetch, missing_files
from audit.benchmarks.places import data_entries
from audit.domain import Benchmark
from audit.errors import DataError

__all__ = ["LAYOUTS", "data_entries", "load"]

LAYOUTS: dict[str, str] = {
    "general": "audit.benchmarks.general:read",
    "london": "audit.benchmarks.london:read",
}
"""Layout to the function that reads it: (folder, descriptor) -> content.Content."""


def load(
    name_or_folder: str,
    *,
    data: Sequence[Path] = (),
    obtain: bool = False,
    acknowledge: Sequence[str] = (),
    purposes: Sequence[Purpose] = ("evaluation", "biometric"),
    progress: Callable[[str, int, int], None] | None = None,
) -> Benchmark:
    """Find a benchmark, pass the gate, and read it.

    Parameters
    ----------
    name_or_folder : str
        A name or alias of the catalogue, the name of a folder in a data entry, or a path.
    data : sequence of Path
        Parents of benchmark folders, searched in order; see `data_entries` for those of the environment.
    obtain : bool
        Fetch from the public source into the cache if it is in no data entry. The only way that the network is used.
    acknowledge : sequence of str
        Consent tiers that the plan knowingly accepts.
    purposes : sequence of str
        What the run does: a purpose that the terms forbid is refused.
    progress : callable, optional
        Called with ("obtain", files done, files in all).

    Raises
    ------
    Refused
        By the gate: no image was touched.
    DataError
        Unknown, not here, or not what its descriptor says; one line says what to do.
    """
    found = places.find(name_or_folder, data=data)
    described = found.descriptor
    dataset = described.dataset
    agreed = consent.gate(dataset, place=name_or_folder, known=found.known, acknowledge=acknowledge, purposes=purposes)
    reader = _reader(described)
    root = found.root or _cached(described, name_or_folder, obtain=obtain, progress=progress)
    read = reader(root, described)
    recognise.check_paths((sample.path.relative_to(root).as_posix() for sample in read.samples), place=name_or_folder)
    changed = tuple(dict.fromkeys(level.sample.path for level in read.series))
    recognise.check_paths((path.relative_to(root).as_posix() for path in changed), place=name_or_folder)
    content.check_declared((*read.samples, *(level.sample for level in read.series)), described)
    return Benchmark(
        name=dataset.name,
        title=dataset.title,
        version=dataset.version,
        root=root,
        consent=agreed,
        citation=dataset.citation,
        attributes=described.attributes,
        default_by=dataset.default_by,
        subjects=read.subjects,
        samples=read.samples,
        digest=described.digest,
        pairs=read.pairs,
        series=read.series,
        limits=(*dataset.limitations, *dataset.biases),
        notes=read.notes,
        delete_templates=dataset.delete_templates,
    )


def _reader(described: Descriptor) -> Callable[[Path, Descriptor], Content]:
    layout = described.dataset.layout
    if layout not in LAYOUTS:
        near = difflib.get_close_matches(layout, LAYOUTS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Layouts are {', '.join(LAYOUTS)}"
        raise DataError(f"{described.path}#/faceaudit:layout", f"unknown layout {layout!r}", hint)
    module, _, function = LAYOUTS[layout].partition(":")
    reader: Callable[[Path, Descriptor], Content] = getattr(import_module(module), function)
    return reader


def _cached(
    described: Descriptor, name: str, *, obtain: bool, progress: Callable[[str, int, int], None] | None
) -> Path:
    folder = cache_folder(described.dataset.name)
    if obtain:  # what is right already is not fetched again, what was damaged is
        return fetch(described, folder, progress=progress)
    state = ""
    if folder.is_dir():
        missing = missing_files(described, folder)
        if not missing:
            return folder
        state = f" ({missing} of {len(described.files)} files of an earlier download are missing)"
    raise DataError(
        name,
        f"its data are in no data entry{state}",
        f"Set {places.ENVIRONMENT} (or --data) to the parent of the folder {described.dataset.name!r}, "
        "or add --obtain to fetch it from its public source",
    )
