"""A server of files in this process, with every way that a server can fail."""

from __future__ import annotations

import dataclasses
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

Answers = dict[str, tuple[int, dict[str, str], bytes]]
"""Name of a fault to status, headers and body."""
ANSWERS: Answers = {
    "busy": (503, {}, b""),
    "login": (401, {"WWW-Authenticate": "Basic"}, b""),
    "forbidden": (403, {}, b""),
    "web page": (200, {"Content-Type": "text/html; charset=utf-8"}, b"<!DOCTYPE html><form>Sign in</form>"),
    "no content": (204, {}, b""),
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, in parts where asked; `faults` maps a path to how it goes wrong, `asked` records what was asked."""

    def __init__(
        self, *args: Any, faults: dict[str, str], asked: list[str], ranges: list[str], answers: Answers, **more: Any
    ) -> None:
        self.faults, self.asked, self.ranges, self.answers = faults, asked, ranges, answers
        super().__init__(*args, **more)

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.asked.append(path)
        wanted = self.headers.get("Range", "")
        self.ranges.append(wanted)
        fault = self.faults.get(path, "")
        file = Path(self.directory) / path
        if fault in self.answers:
            return self._answer(*self.answers[fault])
        if not file.is_file():
            return self._answer(404, {}, b"no")
        body = file.read_bytes()
        match fault:
            case "longer":
                body *= 3
            case "shorter":
                body = body[:-5]
            case "corrupt":
                body = bytes(len(body))
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and fault != "no ranges" else 0
        if start >= len(body):
            return self._answer(416, {"Content-Range": f"bytes */{len(body)}"}, b"")
        headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        if fault == "wrong part" and start:
            headers = {"Content-Range": f"bytes 0-{len(body) - 1}/{len(body)}"}
        cut = len(body[start:]) // 2 if fault in ("truncated", "wrong part", "no ranges") else None
        if fault == "breaks once":
            cut = len(body) // 2
            del self.faults[path]
        return self._answer(206 if start else 200, headers, body[start:], cut)

    def _answer(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/octet-stream", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        pass


@dataclasses.dataclass
class Server:
    url: str
    faults: dict[str, str]
    asked: list[str]
    ranges: list[str]
    answers: Answers
    close: Callable[[], None]


@contextmanager
def serving(folder: Path, *, answers: Answers | None = None) -> Iterator[Server]:
    """Serve the files of a folder on this machine alone."""
    known = ANSWERS | (answers or {})
    faults: dict[str, str] = {}
    asked: list[str] = []
    ranges: list[str] = []
    handler = partial(Handler, directory=str(folder), faults=faults, asked=asked, ranges=ranges, answers=known)
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.05,))
    thread.start()

    def close() -> None:
        if thread.is_alive():
            running.shutdown()
            running.server_close()
            thread.join()

    try:
        yield Server(f"http://127.0.0.1:{running.server_port}", faults, asked, ranges, known, close)
    finally:
        close()
