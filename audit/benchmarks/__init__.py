"""The room of benchmarks: from a name or a folder to subjects, samples and consent.

`LAYOUTS` is the table of arrangements that can be read; a layout is one module with one function. `load` is the only
way in: it finds the data, validates the descriptor, passes the gate of `consent`, and only then reads.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from audit.benchmarks import clock, consent, content, own_copy, places, plugged, receipt, recognise, sums, withdrawals
from audit.benchmarks.consent import Purpose
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.obtain import cache_folder, fetch, missing_files
from audit.benchmarks.places import data_entries
from audit.domain import Benchmark, Consent
from audit.errors import DataError

__all__ = ["LAYOUTS", "TakenOut", "data_entries", "load", "pass_gate", "reader_of", "take_out"]


@dataclass(frozen=True, slots=True)
class TakenOut:
    """Whose list it was, since when the person was on it already (None: not yet), and pictures that still lie there."""

    folder: Path
    before: dt.date | None
    pictures: tuple[Path, ...]


LAYOUTS: dict[str, str] = {
    "general": "audit.benchmarks.general:read",
    "london": "audit.benchmarks.london:read",
    "face_place": "audit.benchmarks.face_place:read",
    "fhibe": "audit.benchmarks.fhibe:read",
    "ccv2": "audit.benchmarks.ccv2:read",
    "cfd": "audit.benchmarks.cfd:read",
    "radiate": "audit.benchmarks.radiate:read",
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
    if found.root is None and not found.descriptor.files:  # how fresh a copy is can be asked once there is one
        found = places.in_folder(found, _cached(found.descriptor, name_or_folder, obtain=False, progress=None))
    described = found.descriptor
    dataset = described.dataset
    agreed = pass_gate(found, place=name_or_folder, acknowledge=acknowledge, purposes=purposes)
    root = found.root or _cached(described, name_or_folder, obtain=obtain, progress=progress)
    read = sums.fill(reader_of(described)(root, described), root, described)
    pictures = (*read.samples, *(level.sample for level in read.series))
    recognise.check_samples((sample.path for sample in pictures), root, place=name_or_folder)
    read, withdrawn = withdrawals.apply(read, (root, described.path.parent), root, dataset.attributes)
    content.check_declared((*read.samples, *(level.sample for level in read.series)), described)
    return Benchmark(
        name=dataset.name,
        title=dataset.title,
        version=own_copy.read(root).version or read.version or dataset.version,
        root=root,
        consent=agreed,
        citation=dataset.citation,
        attributes=described.attributes,
        default_by=dataset.default_by,
        subjects=read.subjects,
        samples=read.samples,
        digest=described.digest,
        pairs=read.pairs,
        folds=read.folds,
        series=read.series,
        limits=(*dataset.limitations, *dataset.biases),
        notes=(*read.notes, *receipt.notes(root)),
        withdrawn=withdrawn,
        delete_templates=dataset.delete_templates,
        descriptor=described.published,
    )


def pass_gate(found: places.Found, *, place: str, acknowledge: Sequence[str], purposes: Sequence[Purpose]) -> Consent:
    """Pass the gate with all that is known of a set: catalogue, shipped descriptor, arrangement, clock.

    Raises
    ------
    Refused
        With the reason and a way out.
    """
    dataset, today = found.descriptor.dataset, dt.datetime.now(tz=dt.UTC).date()
    recognise.check_described(dataset, place=place)
    here = [found.descriptor.path, *([found.root] if found.root is not None else [])]
    agreed = consent.gate(
        dataset,
        place=place,
        known=found.known,
        shipped=places.shipped_of(found.known),
        acknowledge=acknowledge,
        purposes=purposes,
        today=today,
        seen=clock.latest(here) if dataset.live else None,
    )
    if dataset.live:
        clock.keep(today)
    return agreed


def take_out(
    name_or_folder: str,
    subject: str,
    day: dt.date,
    *,
    data: Sequence[Path] = (),
    unlisted: bool = False,
) -> TakenOut:
    """Put a person on the list of withdrawals beside a benchmark's data; the id is written nowhere.

    The gate is not asked: a person may withdraw from a set that is too old to be measured on.

    Parameters
    ----------
    name_or_folder, data
        As for `load`.
    unlisted : bool
        The tables do not hold the person any more.

    Raises
    ------
    Refused
        If the set is one that the gate never opens.
    DataError
        If the benchmark is not here, or does not know the person.
    """
    found = places.find(name_or_folder, data=data)
    described = found.descriptor
    root = found.root or _cached(described, name_or_folder, obtain=False, progress=None)
    read = reader_of(described)(root, described)
    known = [person.subject_id for person in read.subjects]
    if subject not in known and not unlisted:
        padded = [name for name in known if name.lstrip("0") == subject.lstrip("0")]
        near = padded or difflib.get_close_matches(subject, known, n=1)
        hint = f"Did you mean {near[0]!r}" if near else f"Ids are written as in {known[0]!r}"
        raise DataError(
            f"{name_or_folder}, subject {subject!r}",
            "no such person in its tables",
            f"{hint}. If the rows are deleted already, add --already-removed",
        )
    before = withdrawals.add(root, subject, day)
    pictures = {
        sample.path
        for sample in (*read.samples, *(level.sample for level in read.series))
        if sample.subject_id == subject and sample.path.is_file()
    }
    return TakenOut(root, before, tuple(sorted(pictures)))


def reader_of(described: Descriptor) -> Callable[[Path, Descriptor], Content]:
    """Find the function that reads the layout of a descriptor.

    Raises
    ------
    DataError
        For a layout that is not in `LAYOUTS`, with the nearest that is.
    """
    layout = described.dataset.layout
    if layout not in LAYOUTS:
        added = plugged.reader(layout)
        if added is not None:
            return added
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
    if not described.files and not folder.is_dir():
        raise DataError(
            name,
            "its data are in no data entry, and it has no public source",
            f"Ask for it at {described.dataset.url} ('faceaudit benchmarks obtain {described.dataset.name}' says how), "
            f"then set {places.ENVIRONMENT} (or --data) to the parent of its folder {described.dataset.name!r}",
        )
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
