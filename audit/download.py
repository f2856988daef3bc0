"""One file from one address: what arrived before a connection broke is kept, and only the rest is asked for again.

Benchmarks and weights come through here, each with a known SHA-256; a redirect is followed to hosts that were named for
the file, and to no other.
"""

from __future__ import annotations

import errno
import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from audit.errors import DataError

if TYPE_CHECKING:
    import requests

_TIMEOUT_S = (10.0, 60.0)
_LARGEST = 1 << 30
"""Bytes, for a file without a declared size."""
_PAUSES_S = (0.5, 1.0, 2.0)
"""Between tries, while the server breaks off or is busy."""
_BLOCK = 1 << 16
_BUSY = {429, 500, 502, 503, 504}
PAGES = {"text/html", "application/xhtml+xml"}
_HOPS = 5
"""Redirects in a row."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is to be fetched.

    Parameters
    ----------
    path : str
        Where it lands, below the folder.
    sha256 : str
    bytes : int, optional
    hosts : tuple of str
        Hosts that a download may be sent on to; none: redirects are not followed.
    page : bool
        Whether it is a web page, so that one is not a sign of a login.
    """

    path: str
    sha256: str
    bytes: int | None = None
    hosts: tuple[str, ...] = ()
    page: bool = False


class _BrokeOffError(OSError):
    """The connection, not the file: another try may go on."""


def download(
    file: Wanted, url: str, folder: Path, partial_file: Path, *, received: Callable[[int], None], stop: Event
) -> None:
    """Fetch a file unless it is there and right; it appears under its name only whole and right.

    Parameters
    ----------
    file : Wanted
    url : str
    folder : Path
        The file lands below it, at its path.
    partial_file : Path
        Where what arrived is kept until it is whole.
    received : callable
        Called with the number of bytes that arrived; with a negative one if they have to be fetched again.
    stop : Event
        Set to give up soon.

    Raises
    ------
    DataError
        If it cannot be fetched, or is not the described one.
    """
    import pooch  # noqa: PLC0415 - loads requests, which a run without --obtain does not need

    pooch.get_logger().setLevel(logging.ERROR)
    target = folder / file.path
    whole = partial_file.with_name(f"{partial_file.name}.whole")
    for resumed in (partial_file.exists(), False):
        try:
            if target.is_file() and pooch.file_hash(str(target), alg="sha256") == file.sha256:
                return
            pooch.retrieve(
                url,
                known_hash=f"sha256:{file.sha256}",
                fname=whole.name,
                path=whole.parent,  # pooch makes files of its own there, and a killed process leaves them
                downloader=partial(_fetch, file=file, kept=partial_file, received=received, stop=stop),
            )
            _place(whole, target)
        except ValueError as error:
            if "hash" not in str(error).lower():
                raise DataError(url, f"cannot be fetched: {error}", "Try again later") from None
            if resumed:  # its beginning may be of an earlier release: once more, from the start
                continue
            raise DataError(
                url, f"is not the described file: SHA-256 differs from {file.sha256}", "Report it; it is not used"
            ) from None
        except OSError as error:
            full = error.errno in _FULL
            way_out = "Make room and try again" if full else "Try again"
            found = "the disk is full" if full else f"cannot be fetched: {error}"
            raise DataError(
                url, found, f"{way_out}: what is already there is kept; or use a copy of your own"
            ) from None
        return


def _place(whole: Path, target: Path) -> None:
    """Give a file its name; from another file system, by way of one beside it, always the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        whole.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.unfinished")
        shutil.copyfile(whole, beside)
        beside.replace(target)
        whole.unlink()


def _fetch(
    url: str, output: str, _: object, *, file: Wanted, kept: Path, received: Callable[[int], None], stop: Event
) -> None:
    """Write what an address serves to a temporary file of pooch.

    Pooch's own downloaders begin anew after every break, and follow redirects.
    """
    kept.parent.mkdir(parents=True, exist_ok=True)
    if kept.exists():
        received(kept.stat().st_size)
    for pause in (*_PAUSES_S, None):
        try:
            _once(url, file, kept, received, stop)
        except _BrokeOffError:
            if pause is None or stop.wait(pause):
                raise
        else:
            break
    shutil.move(kept, output)


def _once(url: str, file: Wanted, kept: Path, received: Callable[[int], None], stop: Event) -> None:
    """Ask once, for what is not there yet."""
    import requests  # noqa: PLC0415 - see above

    have = kept.stat().st_size if kept.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with _ask(url, file, headers) as answer:
            goes_on = _check_answer(answer, file, have)
            if have and not goes_on:
                received(-have)
                kept.unlink()
                if answer.status_code == 416:
                    raise _BrokeOffError("the server has no such part of it")
            _write(answer, file, kept, received, stop)
    except requests.RequestException as error:  # its own text is a chain of internals
        if isinstance(error, requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError):
            raise _BrokeOffError("the server cannot be reached, or broke off") from error
        raise


def _ask(url: str, file: Wanted, headers: dict[str, str]) -> requests.Response:
    """Ask an address, and those that it sends on to as far as their hosts were named."""
    import requests  # noqa: PLC0415 - see above

    for _ in range(_HOPS + 1):
        answer = requests.get(url, stream=True, timeout=_TIMEOUT_S, allow_redirects=False, headers=headers)
        if not answer.is_redirect:
            return answer
        answer.close()
        url = _next(url, answer, file)
    raise OSError(f"it was sent on more than {_HOPS} times")


def _next(url: str, answer: requests.Response, file: Wanted) -> str:
    said = answer.headers.get("Location", "")
    here, there = urlsplit(url), urlsplit(urljoin(url, said))
    if not file.hosts:
        raise OSError(f"{answer.status_code} redirects to {said}, which is not followed")
    if there.scheme not in {"https", here.scheme}:
        raise OSError(f"{answer.status_code} redirects to {said}, which is no https address")
    if there.hostname not in {here.hostname, *file.hosts}:
        raise OSError(
            f"{answer.status_code} redirects to the host {there.hostname}, which is not among those named for it "
            f"({', '.join(file.hosts)})"
        )
    return there.geturl()


def _check_answer(answer: requests.Response, file: Wanted, have: int) -> bool:
    """Say whether the answer goes on behind what is there; an answer that is not the file is an error."""
    status = answer.status_code
    if status in (401, 403, 407):
        raise OSError(
            f"{status}: the server wants a login; ask for access, download it yourself, and give it with --from"
        )
    if status in _BUSY:
        raise _BrokeOffError(f"{status} {answer.reason}")
    if status == 416 and have:
        return False
    if status in (404, 410):
        raise OSError(f"{status}: there is no such file at this address")
    if status not in (200, 206):
        raise OSError(f"the server answered {status} {answer.reason}")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in PAGES and not file.page:
        raise OSError("the server sent a web page and not the file: often a login, or a form to fill in")
    goes_on = status == 206
    if goes_on:
        start = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if start is None or int(start[1]) != have:
            raise OSError("the server sent another part of the file than was asked for")
    _check_length(answer.headers.get("Content-Length"), have if goes_on else 0, file)
    return goes_on


def _check_length(offered: str | None, have: int, file: Wanted) -> None:
    if offered is None or not offered.isdecimal():
        return
    total = have + int(offered)
    if total > (file.bytes or _LARGEST):
        raise OSError(f"it is larger than the {file.bytes or _LARGEST} bytes that were declared")
    if file.bytes is not None and total < file.bytes:
        raise OSError(f"it has {total} bytes, and {file.bytes} were declared")


def _write(answer: requests.Response, file: Wanted, kept: Path, received: Callable[[int], None], stop: Event) -> None:
    limit = file.bytes or _LARGEST
    written = kept.stat().st_size if kept.exists() else 0
    with kept.open("ab") as stream:
        for block in answer.iter_content(_BLOCK):
            written += len(block)
            if written > limit:
                stream.truncate(0)
                raise OSError(f"it is larger than the {limit} bytes that were declared")
            stream.write(block)
            received(len(block))
            if stop.is_set():
                raise OSError("interrupted")
    if file.bytes is not None and written < file.bytes:
        raise _BrokeOffError(f"the server broke off after {written} of {file.bytes} bytes")
