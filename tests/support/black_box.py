"""A service on this machine that answers as a vendor's would, or as it is told to misbehave."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Embed = Callable[[NDArray[np.uint8]], list[float]]


@dataclass
class Answer:
    """What the server sends; a body that is bytes goes as it is."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    slow_s: float = 0.0
    length: int | None = None


@dataclass
class Request:
    """What it was sent."""

    path: str
    headers: dict[str, str]
    images: dict[str, NDArray[np.uint8]]
    others: dict[str, str]
    file_name: str | None
    at: float

    @property
    def image(self) -> NDArray[np.uint8]:
        """The only one."""
        (made,) = self.images.values()
        return made


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no news."""


class BlackBox:
    """Answers every request with `answer(request, index)`; all requests are kept."""

    def __init__(self, answer: Callable[[Request, int], Answer]) -> None:
        self.requests: list[Request] = []
        self._answer = answer
        self._lock = threading.Lock()
        box = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                request = read(self.path, dict(self.headers.items()), body)
                with box._lock:
                    box.requests.append(request)
                    index = len(box.requests) - 1
                box.send(self, box._answer(request, index))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        try:
            handler.send_response(answer.status)
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body) if answer.length is None else answer.length))
            handler.end_headers()
            time.sleep(answer.slow_s)
            handler.wfile.write(body)
            if answer.length is not None:
                handler.close_connection = True
        except OSError:  # the client had enough
            handler.close_connection = True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(answer: Callable[[Request, int], Answer]) -> Iterator[BlackBox]:
    """A service for as long as the block lasts."""
    box = BlackBox(answer)
    try:
        yield box
    finally:
        box.close()


def read(path: str, headers: dict[str, str], body: bytes) -> Request:
    """Take a request apart: a form with a file, or a JSON object with an image in base64."""
    kind = headers.get("Content-Type", "")
    others: dict[str, str] = {}
    contents: dict[str, bytes] = {}
    name = None
    if kind.startswith("multipart/form-data"):
        parser = email.parser.BytesParser(policy=email.policy.HTTP)
        form = parser.parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        for part in form.iter_parts():
            if part.get_filename():
                field = str(part.get_param("name", header="content-disposition"))
                contents[field], name = part.get_payload(decode=True), part.get_filename()
            else:
                others[str(part.get_param("name", header="content-disposition"))] = part.get_content().strip()
    else:
        sent = json.loads(body)
        contents = {key: base64.b64decode(sent.pop(key)) for key in ("image", "image2") if key in sent}
        others = sent
    pixels = {key: np.asarray(Image.open(io.BytesIO(value)).convert("RGB")) for key, value in contents.items()}
    return Request(path, headers, pixels, others, name, time.monotonic())
