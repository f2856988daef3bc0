"""What the cache still holds of people who withdrew, found and deleted before anything is answered from it.

Templates lie under the digests of images, sums under those of records: neither names a person. So the cache keeps, for
every benchmark, which images belong to whom, people as the keyed hashes of `audit.influence`. By that a person is found
whose pictures and rows are gone already: somebody whom the cache knows and the benchmark does not have any more, where
there is a list of withdrawals or the set is live.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from audit import decode, influence
from audit.domain import Benchmark, FailureToAcquire, Sample
from audit.errors import DataError
from audit.store import TemplateStore, default_root

People = dict[str, list[str]]
"""Keyed hash of a person to the SHA-256 of her images."""


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
    that was obtained into the cache (emptied, since the descriptor still declares them).

    Parameters
    ----------
    samples, files : of this run, with the digests of their files; empty where only scores are known
    domain : within what ids name the same people, as `influence.domain`; None: nothing was kept
    root : the cache folder; None is the default

    Raises
    ------
    DataError
        If something of a withdrawn person cannot be deleted.
    """
    if domain is None:
        return Forgotten()
    out = benchmark.withdrawn
    path = _path(domain, root)
    known = _read(path)
    gone: set[str] = set()
    if out is not None or benchmark.consent.live:
        here = influence.hashes((subject.subject_id for subject in benchmark.subjects), domain, root)
        gone = set(known) - set(here)
    if out is not None:
        gone |= set(influence.hashes(out.subjects, domain, root))
    found = Forgotten()
    if gone:
        images = {image for name in gone for image in known.get(name, ())} | _digests(out.samples if out else ())
        found = Forgotten(
            len(gone),
            TemplateStore(root).forget(images),
            influence.forget(gone, root),
            _empty(out.samples if out else (), (root or default_root()) / "benchmarks"),
        )
    _remember(path, known, gone, _owned(samples, files, domain, root))
    return found


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


def _remember(path: Path, known: People, gone: set[str], owned: People) -> None:
    kept = {name: images for name, images in known.items() if name not in gone}
    for name, images in owned.items():
        kept[name] = sorted({*kept.get(name, ()), *images})
    if kept == known:
        return
    try:
        influence.write_private(path, json.dumps(kept, sort_keys=True).encode())
    except OSError as error:
        if gone:
            raise _stays(path, error) from error


def _read(path: Path) -> People:
    try:
        found = json.loads(path.read_bytes())
        return {str(name): [str(image) for image in images] for name, images in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


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
