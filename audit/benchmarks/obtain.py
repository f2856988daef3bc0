"""Fetch a benchmark from its public source: the only module of the room that uses the network.

Every file has a SHA-256; what is already right is not fetched again, so an interrupted run resumes. A file appears
under its name only when it is whole and right. Redirects are not followed: files come from the descriptor's host.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.schema import FileObject
from audit.errors import DataError

Progress = Callable[[str, int, int], None]
_AT_ONCE = 4
_TIMEOUT_S = (10.0, 60.0)
_LARGEST = 1 << 30
"""Bytes, for a file without a declared size."""


def cache_folder(name: str) -> Path:
    """Where an obtained benchmark lies: `FACEAUDIT_CACHE`, or the user's cache folder, then benchmarks/NAME."""
    root = os.environ.get("FACEAUDIT_CACHE")
    return Path(root or platformdirs.user_cache_dir("faceaudit")) / "benchmarks" / name


def missing_files(descriptor: Descriptor, folder: Path) -> int:
    """Count declared files that are not in a folder."""
    return sum(not (folder / path).is_file() for path in descriptor.files)


def fetch(
    descriptor: Descriptor, folder: Path, *, base_url: str | None = None, progress: Progress | None = None
) -> Path:
    """Fetch every declared file that is not there yet, or not right.

    Parameters
    ----------
    descriptor : Descriptor
    folder : Path
        Where to; made if needed.
    base_url : str, optional
        A mirror that serves the files under their paths in the folder; else each file's own address.
    progress : callable, optional
        Called with ("obtain", files done, files in all).

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        If a file has no public address or no known digest, cannot be fetched, or is not the described one.
    """
    addresses = _addresses(descriptor, base_url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(str(folder), f"cannot be written: {error.strerror}", "Set FACEAUDIT_CACHE") from None
    total = len(addresses)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        jobs = [pool.submit(_fetch_one, descriptor.files[path], url, folder) for path, url in addresses.items()]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                if progress is not None:
                    progress("obtain", done, total)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return folder


def _addresses(descriptor: Descriptor, base_url: str | None) -> Mapping[str, str]:
    place = str(descriptor.path)
    if not descriptor.files:
        raise DataError(place, "lists no files to fetch", "Ask the publisher for access, then use --data")
    addresses = {}
    for path, file in descriptor.files.items():
        if file.sha256 is None or file.sha256 == "unknown":
            raise DataError(
                place, f"the SHA-256 of {path!r} is unknown", "Nothing is fetched without one: give it there"
            )
        url = f"{base_url.rstrip('/')}/{path}" if base_url else file.url
        parts = urlsplit(url)
        if not base_url and (parts.scheme != "https" or not parts.hostname):
            raise DataError(
                f"{place}#/distribution/{path}",
                f"{url!r} is no https address",
                "This set has no public source: use --data with your own copy",
            )
        addresses[path] = url
    return addresses


def _fetch_one(file: FileObject, url: str, folder: Path) -> None:
    import pooch  # noqa: PLC0415 - loads requests, which a run without --obtain does not need

    pooch.get_logger().setLevel(logging.ERROR)
    target = folder / file.path
    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=partial(_download, limit=file.bytes or _LARGEST),
        )
    except ValueError as error:
        if "hash" not in str(error).lower():
            raise DataError(url, f"cannot be fetched: {error}", "Try again later") from None
        raise DataError(
            url, f"is not the described file: SHA-256 differs from {file.sha256}", "Report it; it is not used"
        ) from None
    except OSError as error:
        raise DataError(
            url, f"cannot be fetched: {error}", "Try again: what is already there is kept; or use --data with a copy"
        ) from None


def _download(url: str, output: str, _: object, *, limit: int) -> None:
    """Write what an address serves to a temporary file of pooch, up to the declared size.

    Pooch's own downloader leaves the connection open when the server answers with an error, and follows redirects.
    """
    import requests  # noqa: PLC0415 - see above

    try:
        with requests.get(url, stream=True, timeout=_TIMEOUT_S, allow_redirects=False) as answer:
            answer.raise_for_status()
            if answer.is_redirect:
                raise OSError(
                    f"{answer.status_code} redirects to {answer.headers.get('Location')}, which is not followed"
                )
            written = 0
            with Path(output).open("wb") as stream:
                for block in answer.iter_content(1 << 16):
                    written += len(block)
                    if written > limit:
                        raise OSError(f"it is larger than the {limit} bytes that were declared")
                    stream.write(block)
    except requests.ConnectionError as error:  # its own text is a chain of internals
        raise OSError("the server cannot be reached, or broke off") from error
