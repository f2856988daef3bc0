"""Fetch a benchmark from its public source, through `audit.download`.

Every file has a SHA-256; what is already right is not fetched again, and a broken download goes on where it broke. A
file appears under its name only when it is whole and right. Redirects are not followed: files come from the
descriptor's host. A digest that nobody computed is "unknown": then nothing is fetched unless the user gives one, and
that is recorded as self-declared (`receipt`).
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from audit.benchmarks import archives, receipt, recognise
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.receipt import Receipt, Source
from audit.benchmarks.schema import FileObject
from audit.cache_root import cache_root
from audit.download import PAGES, Wanted, download
from audit.errors import DataError

Progress = Callable[[str, int, int], None]
ARCHIVES = {"application/zip", "application/x-tar", "application/gzip", "application/x-gzip", "application/x-bzip2"}
"""Media types of files that hold the benchmark rather than being a part of it."""
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Job:
    file: FileObject
    url: str
    basis: receipt.Basis

    @property
    def wanted(self) -> Wanted:
        """For the download: redirects are not followed."""
        page = bool(set(self.file.encoding) & PAGES)
        return Wanted(self.file.path, str(self.file.sha256), self.file.bytes, page=page)


def cache_folder(name: str) -> Path:
    """Where an obtained benchmark lies: in the cache, as benchmarks/NAME."""
    return cache_root() / "benchmarks" / name


def missing_files(descriptor: Descriptor, folder: Path) -> int:
    """Count declared files that are not in a folder; archives that held them do not count."""
    return sum(not (folder / file.path).is_file() for file in descriptor.files.values() if not is_packed(file))


def is_packed(file: FileObject) -> bool:
    """Say whether a declared file is an archive with the benchmark in it."""
    return bool(set(file.encoding) & ARCHIVES)


def has_source(descriptor: Descriptor) -> bool:
    """Say whether every declared file has a public address."""
    return bool(descriptor.files) and all(_is_public(file.url) for file in descriptor.files.values())


def fetch(
    descriptor: Descriptor,
    folder: Path,
    *,
    base_url: str | None = None,
    digests: Mapping[str, str] | None = None,
    limits: archives.Limits | None = None,
    progress: Progress | None = None,
    received: Callable[[int], None] | None = None,
) -> Path:
    """Fetch every declared file that is not there yet, or not right.

    Parameters
    ----------
    descriptor : Descriptor
    folder : Path
        Where to; made if needed.
    base_url : str, optional
        A mirror that serves the files under their paths in the folder; else each file's own address.
    digests : mapping, optional
        Path of a file to the SHA-256 that the user gives where the descriptor knows none.
    limits : Limits, optional
        Of archives, where the source has them; they are unpacked into the folder.
    progress : callable, optional
        Called with ("obtain", files done, files in all).
    received : callable, optional
        Called with numbers of bytes as they arrive, from several threads.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        If a file has no public address or no known digest, cannot be fetched, or is not the described one.
    """
    jobs = _jobs(descriptor, base_url, digests or {})
    packed = [job for job in jobs if is_packed(job.file)]
    if packed and folder.is_dir() and any(folder.iterdir()):
        raise DataError(str(folder), "is there already", "It comes in an archive: remove the folder to take it again")
    _make(folder.parent if packed else folder)
    given = [
        Source(name=job.file.path, size=job.file.bytes, sha256=str(job.file.sha256), basis=job.basis)
        for job in jobs
        if job.basis != "described"
    ]

    def vouch(place: Path) -> None:
        """Say whose word the digests are before the files are there: a copy without its receipt would say nothing."""
        if given:
            receipt.write(place, Receipt.now(descriptor.dataset.name, given))

    if packed:
        _fetch_packed(packed, folder, descriptor.dataset.name, limits, vouch, progress, received)
    else:
        vouch(folder)
    _fetch_all([job for job in jobs if job not in packed], folder, progress, received)
    return folder


def _fetch_packed(
    jobs: Sequence[_Job],
    folder: Path,
    name: str,
    limits: archives.Limits | None,
    settle: Callable[[Path], None],
    progress: Progress | None,
    received: Callable[[int], None] | None,
) -> None:
    """Fetch archives, unpack them into the folder, and keep no second copy of anybody's pictures."""
    downloads = cache_root() / "downloads" / name
    _fetch_all(jobs, downloads, progress, received)
    archives.unpack(
        [downloads / job.file.path for job in jobs],
        folder,
        limits=limits,
        look=lambda paths: recognise.check_paths(paths, place=name),
        settle=settle,
        progress=progress,
    )
    shutil.rmtree(downloads, ignore_errors=True)


def _fetch_all(
    jobs: Sequence[_Job], folder: Path, progress: Progress | None, received: Callable[[int], None] | None
) -> None:
    stop = threading.Event()
    kept = cache_root() / "partial"
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [
            pool.submit(
                download,
                job.wanted,
                job.url,
                folder,
                kept / f"{job.file.sha256}-{number}",
                received=received or _ignore,
                stop=stop,
            )
            for number, job in enumerate(jobs)
        ]
        try:
            for done, one in enumerate(as_completed(running), start=1):
                one.result()
                if progress is not None:
                    progress("obtain", done, len(jobs))
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _ignore(_: int) -> None:
    """Nobody counts."""


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(str(folder), f"cannot be written: {error.strerror}", "Set FACEAUDIT_CACHE") from None


def _is_public(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" and bool(parts.hostname)


def _jobs(descriptor: Descriptor, base_url: str | None, digests: Mapping[str, str]) -> list[_Job]:
    place = str(descriptor.path)
    if not descriptor.files:
        raise DataError(place, "lists no files to fetch", "Ask the publisher for access, then use --data")
    for path in digests:
        if descriptor.declared(path) not in (None, "unknown"):
            raise DataError(
                f"--sha256 {path}",
                "the descriptor knows the SHA-256 of this file",
                "Leave it out: it is checked anyway",
            )
        if path not in descriptor.files:
            raise DataError(f"--sha256 {path}", "no such file", f"Files are {', '.join(list(descriptor.files)[:8])}")
    jobs = []
    for path, file in descriptor.files.items():
        basis: receipt.Basis = "described"
        if file.sha256 is None or file.sha256 == "unknown":
            if path not in digests:
                raise DataError(
                    place,
                    f"the SHA-256 of {path!r} is unknown",
                    f"Nothing is fetched without one: give it with --sha256 {path}=DIGEST, or in the descriptor",
                )
            file, basis = file.model_copy(update={"sha256": digests[path]}), "self-declared"  # noqa: PLW2901 - filled in
        url = f"{base_url.rstrip('/')}/{path}" if base_url else file.url
        if not base_url and not _is_public(url):
            raise DataError(
                f"{place}#/distribution/{path}",
                f"{url!r} is no https address",
                "This set has no public source: use --data with your own copy",
            )
        jobs.append(_Job(file, url, basis))
    return jobs
