"""What a model behind an address answers: bytes over HTTP, sound or not, all at once or in drips."""

from __future__ import annotations

import json
import socket
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from .base import Target

DRIP_S = 0.05
"""Pause between two pieces of an answer that asks for it by a header."""
PATIENCE_S = 2.0
"""Of the client, as its card says."""
LONGEST_S = 30.0
"""For an answer with all redirects, by a clock that stands while this process does: a busy machine stops it."""
TICK_S = 0.05


class _Clock:
    """Counts the ticks that this process was awake for."""

    def __init__(self) -> None:
        self.seconds = 0.0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            time.sleep(TICK_S)
            self.seconds += TICK_S


class _Server:
    """Gives every request the bytes of the moment, as they are, and hangs up."""

    def __init__(self) -> None:
        self.answer = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._one, args=(connection, self.answer), daemon=True).start()

    def _one(self, connection: socket.socket, answer: bytes) -> None:
        with connection:
            connection.settimeout(5)
            try:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(1 << 16) or b"\r\n\r\n"
                head, _, rest = asked.partition(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                while len(rest) < length and (more := connection.recv(1 << 16)):
                    rest += more
                piece = 1 + len(answer) // 100 if b"x-drip" in answer.lower()[:4096] else len(answer) or 1
                for at in range(0, len(answer), piece):
                    connection.sendall(answer[at : at + piece])
                    time.sleep(DRIP_S if piece < len(answer) else 0)
                connection.shutdown(socket.SHUT_WR)
            except OSError:  # the client had enough
                return


@cache
def _server() -> _Server:
    return _Server()


@cache
def _clock() -> _Clock:
    return _Clock()


def _connects(event: str, args: tuple[Any, ...]) -> bool:
    """To this server, and nowhere else."""
    return event == "socket.connect" and tuple(args[1][:2]) == ("127.0.0.1", _server().port)


def _card(score: bool) -> Any:
    from audit.models.service import Service

    where: dict[str, Any] = {"score": "result.score"} if score else {"template": "faces[0].embedding"}
    more = {"failure": "error.code", "no_face": ["NO_FACE"], "per_second": 1000, "tries": 1, "timeout_s": PATIENCE_S}
    return Service(url=f"http://127.0.0.1:{_server().port}/v1", version_header="X-Revision", **where, **more)


def _asked(path: Path, *, score: bool) -> object:
    from audit.models import service as services
    from audit.models.guard import NoTemplateError
    from audit.models.service_client import Client

    service = _card(score)
    _server().answer = path.read_bytes()
    client, began = Client(service, "2026-03"), _clock().seconds
    try:
        said = client.ask(*[b"picture"] * (2 if score else 1))
        return services.score_of(said, service) if score else services.template_of(said, service, 4)
    except NoTemplateError as error:
        return error.failure
    finally:
        took = _clock().seconds - began
        if took > LONGEST_S:
            raise TimeoutError(f"{took:.0f} s for an answer, {PATIENCE_S} s were allowed")


def _answer(said: Any, status: str = "200 OK", *more: str) -> bytes:
    body = json.dumps(said).encode()
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/json", "X-Revision: 2026-03", *more)
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _templates() -> list[bytes]:
    return [
        _answer({"faces": [{"embedding": [0.5, -1, 2e-3, 4]}], "error": None}),
        _answer({"error": {"code": "NO_FACE", "message": "none"}}),
        _answer({"error": {"code": "TOO_DARK"}}, "422 Unprocessable"),
        _answer({"faces": [{"embedding": [0.5, 1, 2, 3]}]}, "200 OK", "X-Drip: 1"),
        _answer({}, "429 Too Many Requests", "Retry-After: 3"),
        b"HTTP/1.1 200 OK\r\nX-Revision: 2026-03\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ]


def _scores() -> list[bytes]:
    return [_answer({"result": {"score": 0.75}}), _answer({"result": {"score": -3}, "error": {"code": "x"}}, "400 Bad")]


TARGETS = (
    Target(
        "answered-template", "answer.http", "http", _templates, lambda path: _asked(path, score=False), may=_connects
    ),
    Target("answered-score", "answer.http", "http", _scores, lambda path: _asked(path, score=True), may=_connects),
)
