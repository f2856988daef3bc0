"""What the cache still holds of people who withdrew, found and deleted before anything is answered from it.

Templates lie under the digests of images, sums under those of records: neither names a person. So the cache keeps, for
every benchmark, which images belong to whom, people as the keyed hashes of `audit.influence`. By that a person is found
whose pictures and rows are gone already: somebody whom the cache knows and the benchmark does not have any more, where
there is a list of withdrawals or the set is live. It keeps too how many were on the list: one that is shorter, or was
lost with a new copy of the data, would bring people back.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from audit import decode, influence
from audit.domain import Benchmark, FailureToAcquire, Sample
from audit.errors import DataError, Refused
from audit.store import COMPARISONS, TemplateStore, default_root

People = dict[str, list[str]]
"""Keyed hash of a person to the SHA-256 of her images."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the cache remembers of a benchmark: its people, and how many were on its list of withdrawals."""

    people: People
    listed: int = 0


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was deleted."""

    people: int = 0
    templates: int = 0
    sums: int = 0
    pictures: int = 0


def clear(
    benchmark: Benchmark,
    samples: Iterable[Sample],
    files: Mapping[str, str | FailureToAcquire],
    domain: str | None,
    root: Path | None = None,
) -> Forgotten:
    """Delete all that the cache holds of people who are out, and remember whose images the others are.

    Templates of every model and preprocessing go, sums of every audit that counted them, and their pictures in a copy
    that was obtained into the cache (emptied, since the descriptor still declares them). When somebody new is out,
    comparisons that were under way go too: their parts hold scores of everyone.

    Parameters
    ----------
    samples, files : of this run, with the digests of their files; empty where only scores are known
    domain : within what ids name the same people, as `influence.domain`; None: nothing was kept
    root : the cache folder; None is the default

    Raises
    ------
    Refused
        If the list of withdrawals has become shorter.
    DataError
        If something of a withdrawn person cannot be deleted.
    """
    if domain is None:
        return Forgotten()
    out = benchmark.withdrawn
    path = _path(domain, root)
    memory = _read(path)
    known, listed = memory.people, out.listed if out is not None else 0
    if listed < memory.listed:
        raise Refused(
            benchmark.name,
            f"its list of withdrawals is shorter than before ({listed} instead of {memory.listed} people): "
            "somebody who withdrew would be measured again",
            f"Restore withdrawn.csv and its salt beside the data. If people gave their consent anew, delete {path}",
        )
    gone: set[str] = set()
    if out is not None or benchmark.consent.live:
        gone = set(known) - _hashes([subject.subject_id for subject in benchmark.subjects], domain, root)
    if out is not None:
        gone |= _hashes(out.subjects, domain, root)
    found = Forgotten()
    if listed > memory.listed or not gone.isdisjoint(known):
        _drop((root or default_root()) / COMPARISONS)
    if gone:
        images = {image for name in gone for image in known.get(name, ())} | _digests(out.samples if out else ())
        found = Forgotten(
            len(gone),
            TemplateStore(root).forget(images),
            influence.forget(gone, root),
            _empty(out.samples if out else (), (root or default_root()) / "benchmarks"),
        )
    _remember(path, memory, gone, _owned(samples, files, domain, root), listed)
    return found


def _drop(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _stays(folder, error) from error


def _hashes(subjects: Iterable[str], domain: str, root: Path | None) -> set[str]:
    try:
        return set(influence.hashes(subjects, domain, root))
    except OSError as error:
        raise DataError(
            str(root or default_root()),
            f"cache cannot be written: {error.strerror}",
            "People may leave this benchmark, so the cache must be able to tell whom it knows: make it writable",
        ) from error


def _digests(samples: Iterable[Sample]) -> set[str]:
    """Digests of pictures: as declared, and of the files that still lie here."""
    declared = {sample.sha256 for sample in samples if sample.sha256 not in (None, "unknown")}
    here = (decode.fingerprint(sample.path) for sample in samples)
    return {name for name in declared if name} | {name for name in here if isinstance(name, str)}


def _owned(
    samples: Iterable[Sample], files: Mapping[str, str | FailureToAcquire], domain: str, root: Path | None
) -> People:
    people: dict[str, list[str]] = {}
    for sample in samples:
        digest = files[sample.sample_id]
        if isinstance(digest, str):
            people.setdefault(sample.subject_id, []).append(digest)
    if not people:
        return {}
    with suppress(OSError):  # a cache that cannot be written keeps no template either
        return dict(zip(influence.hashes(people, domain, root), people.values(), strict=True))
    return {}


def _remember(path: Path, known: Memory, gone: set[str], owned: People, listed: int) -> None:
    kept = {name: images for name, images in known.people.items() if name not in gone}
    for name, images in owned.items():
        kept[name] = sorted({*kept.get(name, ()), *images})
    if Memory(kept, listed) == known:
        return
    try:
        influence.write_private(path, json.dumps({"listed": listed, "people": kept}, sort_keys=True).encode())
    except OSError as error:
        if gone:
            raise _stays(path, error) from error


def _read(path: Path) -> Memory:
    try:
        found = json.loads(path.read_bytes())
        people = {str(name): [str(image) for image in images] for name, images in found["people"].items()}
        return Memory(people, int(found["listed"]))
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        return Memory({})


def _path(domain: str, root: Path | None) -> Path:
    return (root or default_root()) / "people" / f"{hashlib.sha256(domain.encode()).hexdigest()[:32]}.json"


def _empty(samples: Iterable[Sample], obtained: Path) -> int:
    """Empty the pictures that lie in a copy of our own; those in a folder of the user are the keeper's to delete."""
    emptied = 0
    for sample in samples:
        if sample.path.is_file() and sample.path.resolve().is_relative_to(obtained.resolve()):
            try:
                if sample.path.stat().st_size:
                    sample.path.write_bytes(b"")
                    emptied += 1
            except OSError as error:
                raise _stays(sample.path, error) from error
    return emptied


def _stays(path: Path, error: OSError) -> DataError:
    return DataError(
        str(path),
        f"something of a withdrawn person cannot be deleted: {error.strerror}",
        "Make the cache writable, or delete this file yourself",
    )
