"""Asking a service over HTTP: credentials, pace, pauses, redirects and limits; every answer is distrusted."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from queue import LifoQueue
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from audit.domain import FailureToAcquire
from audit.errors import ModelError
from audit.models import service as services
from audit.models.guard import NoTemplateError
from audit.models.service import Service

if TYPE_CHECKING:
    import requests

_BUSY = {429, 500, 502, 503, 504}
_LOGIN = {401, 403, 407}
_MISPLACED = {404, 405, 410}
_SAME_AGAIN = {307, 308}
_REDIRECTS = 3
_CONNECT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 120.0
_GIVES_UP = 5
"""After so many images in a row that nobody answered, the run ends."""
NOT_ANSWERED = "the service did not answer"


class _BrokeOffError(Exception):
    """Another try may succeed; `pause` is what the service asked for, in seconds."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.pause = pause


class Client:
    """Sends images to one service and reads its answers; safe to use from several threads.

    Parameters
    ----------
    service : Service
    revision : what the service's version must be, where the card names a header for it

    Raises
    ------
    ModelError
        If the credentials are not in the environment.
    """

    def __init__(self, service: Service, revision: str) -> None:
        self.service, self._revision = service, revision
        self._headers = {"Accept": "application/json", **credentials(service)}
        self._sessions: LifoQueue[requests.Session] = LifoQueue()
        for _ in range(service.at_once):
            self._sessions.put(_session())
        self._lock = Lock()
        self._next = 0.0
        self._in_a_row = 0
        self._over: ModelError | None = None

    def ask(self, *images: bytes) -> Any:
        """Send one image, or the two of a comparison; the JSON of the answer.

        Raises
        ------
        NoTemplateError
            For this image alone: it was refused, or nobody answered.
        ModelError
            The service cannot be used at all: wrong credentials, wrong address, another version, or it is gone. It
            is then asked nothing more, whoever else was waiting to.
        """
        with self._borrowed() as session:
            if self._over is not None:
                raise self._over
            try:
                status, body = self._answer(session, images)
            except ModelError as error:
                self._over = error
                raise
        self._in_a_row = 0
        if status >= 400:
            return self._refused(status, body)
        return services.parsed(body)

    def _answer(self, session: requests.Session, images: Sequence[bytes]) -> tuple[int, bytes]:
        """Ask until there is an answer, or no try is left."""
        for left in range(self.service.tries - 1, -1, -1):
            try:
                return self._once(session, images)
            except _BrokeOffError as error:
                if not left:
                    raise self._unanswered(str(error)) from None
                self._rest(error.pause, self.service.tries - 1 - left)
        raise AssertionError("at least one try is made")

    @contextmanager
    def _borrowed(self) -> Iterator[requests.Session]:
        session = self._sessions.get()
        try:
            yield session
        finally:
            self._sessions.put(session)

    def _once(self, session: requests.Session, images: Sequence[bytes]) -> tuple[int, bytes]:
        import requests  # noqa: PLC0415 - loads slowly

        self._wait_for_turn()
        url, headers = self.service.url, self._headers
        until = time.monotonic() + self.service.timeout_s
        try:
            for _ in range(_REDIRECTS + 1):
                with session.post(
                    url,
                    headers=headers,
                    stream=True,
                    allow_redirects=False,
                    timeout=(min(_CONNECT_S, self.service.timeout_s), self.service.timeout_s),
                    **self._content(images),
                ) as answer:
                    if not 300 <= answer.status_code < 400:
                        return self._read(answer, until)
                    url = self._followed(answer, url)
                    headers = {"Accept": "application/json"}  # credentials are for the host of the card
        except requests.exceptions.SSLError:
            raise ModelError(self.service.host, "its certificate cannot be verified", "It is not asked") from None
        except (requests.RequestException, ValueError) as error:  # the latter of an address that is none
            raise _BrokeOffError(type(error).__name__) from None
        raise ModelError(self.service.host, "redirects in a circle", "Mend the card's url")

    def _content(self, images: Sequence[bytes]) -> dict[str, Any]:
        service = self.service
        fields = (service.field, service.second)[: len(images)]
        if service.send == "multipart":
            name, kind = f"image.{service.format}", f"image/{service.format}"
            files = {field: (name, image, kind) for field, image in zip(fields, images, strict=True)}
            return {"files": files, "data": service.also}
        sent = {field: base64.b64encode(image).decode() for field, image in zip(fields, images, strict=True)}
        return {"json": {**service.also, **sent}}

    def _followed(self, answer: requests.Response, url: str) -> str:
        """Where a redirect leads, if the card allows it."""
        target = urljoin(url, answer.headers.get("Location", ""))
        parts = urlsplit(target)
        if answer.status_code not in _SAME_AGAIN or parts.netloc not in self.service.hosts:
            raise ModelError(
                self.service.host,
                f"redirects ({answer.status_code}) to {parts.netloc[:100] or 'nowhere'}, which the card does not name; "
                "no image went there",
                "If that is right, mend the card's url or redirect_hosts",
            )
        if parts.scheme != urlsplit(self.service.url).scheme:
            raise ModelError(self.service.host, f"redirects to {parts.scheme}://", "Mend the card's url")
        return target

    def _read(self, answer: requests.Response, until: float) -> tuple[int, bytes]:
        status = answer.status_code
        if status in _BUSY:
            raise _BrokeOffError(f"{status}", _asked_for(answer.headers.get("Retry-After")))
        if status in _LOGIN:
            raise ModelError(
                self.service.host,
                f"refuses the credentials ({status})",
                f"Set {self.service.credentials} anew; what was computed is kept"
                if self.service.credentials
                else "Name the environment variable that holds them in the card: credentials",
            )
        if status in _MISPLACED:
            raise ModelError(self.service.host, f"has nothing at the card's url ({status})", "Mend the card's url")
        self._check_version(answer)
        body = bytearray()
        for block in answer.iter_content(1 << 14):
            body += block
            if len(body) > self.service.largest_answer:
                raise NoTemplateError(FailureToAcquire("template", "the service's answer is too large"))
            if time.monotonic() > until:
                raise _BrokeOffError("too slow")
        return status, bytes(body)

    def _check_version(self, answer: requests.Response) -> None:
        name = self.service.version_header
        found = None if name is None or not answer.ok else answer.headers.get(name, "")
        if found is not None and found != self._revision:
            raise ModelError(
                self.service.host,
                f"says {name}: {found[:60]!r}, and the card says revision {self._revision!r}: templates of two "
                "versions cannot be compared",
                "Set the card's revision to what the service says",
            )

    def _refused(self, status: int, body: bytes) -> Any:
        """An image that was refused: what the service says of it, if that is a failure that the card knows."""
        failure = NoTemplateError(FailureToAcquire("template", f"the service refused the image ({status})"))
        try:
            answer = services.parsed(body)
        except NoTemplateError:
            raise failure from None
        where = self.service.failure
        if where is None or services.looked_up(answer, where) in (None, False):
            raise failure
        return answer

    def _unanswered(self, why: str) -> NoTemplateError:
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= _GIVES_UP:
                raise ModelError(
                    self.service.host,
                    f"did not answer for {self._in_a_row} images in a row, {self.service.tries} tries each ({why})",
                    "Run the same command again when it does: what was computed is kept",
                )
        return NoTemplateError(FailureToAcquire("template", NOT_ANSWERED))

    def _rest(self, asked: float | None, tries: int) -> None:
        pause = _FIRST_PAUSE_S * 2**tries if asked is None else asked
        if pause > _LONGEST_PAUSE_S:
            raise ModelError(
                self.service.host,
                f"asks to be left alone for {pause:,.0f} s",
                "Run the same command again after that: what was computed is kept",
            )
        time.sleep(pause)

    def _wait_for_turn(self) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 1 / self.service.per_second
        time.sleep(turn - now)


def credentials(service: Service) -> dict[str, str]:
    """The header with the credentials; empty where the card names none.

    Raises
    ------
    ModelError
        If the environment does not hold them.
    """
    if service.credentials is None:
        return {}
    value = os.environ.get(service.credentials, "")
    if not value.strip() or not value.isprintable() or not value.isascii():
        raise ModelError(
            f"environment variable {service.credentials}",
            "holds no credentials",
            f"export {service.credentials}=... first",
        )
    return {service.header: f"{service.prefix}{value.strip()}"}


def _session() -> requests.Session:
    import requests  # noqa: PLC0415 - loads slowly

    made = requests.Session()
    made.auth = lambda request: request  # else a .netrc would add credentials of its own
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return made


def _asked_for(header: str | None) -> float | None:
    """Seconds that a service asks to be left alone for; the header is a number or a date."""
    from urllib3.exceptions import InvalidHeader  # noqa: PLC0415 - with requests
    from urllib3.util import Retry  # noqa: PLC0415 - as above

    try:
        return None if header is None else max(0.0, float(Retry().parse_retry_after(header)))
    except (InvalidHeader, ValueError, OverflowError):  # a number of thousands of digits, among others
        return None
