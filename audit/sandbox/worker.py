"""The other side: a process that seals itself, takes a file, and then answers arrays with arrays."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from audit.sandbox import channel, probe, seal
from audit.sandbox.runs import KINDS, Kind, Run


class _Line:
    """One connection with the parent, by its descriptor; the parent is believed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def receive(self) -> tuple[dict[str, Any], bytearray]:
        return channel.receive(self._take, sys.maxsize)

    def say(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def _take(self, size: int) -> bytearray:
        taken, at = bytearray(size), 0
        with memoryview(taken) as view:
            while at < size:
                got = os.readv(self._descriptor, [view[at : at + (1 << 20)]])
                if not got:
                    os._exit(0)
                at += got
        return taken


class _Patience:
    """Ends this process some time after it was last asked something that it has not answered, parent or no parent."""

    def __init__(self, seconds: int) -> None:
        self._seconds, self._busy, self._lock = seconds, 0, Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._busy += 1
            signal.alarm(self._seconds)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._busy -= 1
            if not self._busy:
                signal.alarm(0)


def main(descriptors: list[int]) -> None:
    """Serve one parent over sockets that are open as `descriptors`."""
    line = _Line(descriptors[0])
    job, _ = line.receive()
    kind = KINDS[job["kind"]]
    held = _prepared(kind, job, descriptors)
    line.say(channel.pack(held))
    if "held" not in held:
        return
    _, content = line.receive()
    patience = _Patience(job["seconds"])
    with patience:
        try:
            run, about = kind.load(content)
            del content
            for descriptor in descriptors[1:]:
                Thread(target=_serve, args=(_Line(descriptor), run, patience), daemon=True).start()
            ready = channel.pack({"ready": True, "about": about})
        except BaseException as error:  # noqa: BLE001 - the parent is told whatever it was
            line.say(_failed(error))
            return
    line.say(ready)
    _serve(line, run, patience)


def _prepared(kind: Kind, job: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """Import what the kind needs, then seal; what is to be said of it."""
    tempfile.tempdir = os.environ["TMPDIR"]  # Python looks for one by writing a file
    with contextlib.suppress(OSError):  # if the machine's memory runs out, then this process ends and not the audit
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    try:
        for module in kind.before:  # nothing of the file precedes the seal
            import_module(module)
        seal.seal(job["readable"], memory=job["memory"], files=job["files"])
    except (seal.UnsealedError, ImportError, OSError, ValueError) as error:
        said = {"unsealed": _said(error)}
        if kind.program or isinstance(error, ImportError):
            return said
        seal.bound(memory=job["memory"], files=job["files"])
        return said | {"held": {}}
    return {"held": probe.held(job["forbidden"], descriptors, job["environment"])}


def _serve(line: _Line, run: Run, patience: _Patience) -> None:
    """Answer, one question after the other, until the parent is gone."""
    try:
        while True:
            header, body = line.receive()
            with patience:
                try:
                    (values,) = channel.arrays(header, body)
                    answer = channel.pack_arrays({}, run(values, header["wanted"]))
                except BaseException as error:  # noqa: BLE001 - as above
                    answer = _failed(error)
                line.say(answer)
    finally:
        os._exit(1)


def _failed(error: BaseException) -> bytes:
    return channel.pack({"error": _said(error), "kind": type(error).__name__})


def _said(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}{': ' * bool(lines)}{lines[-1] if lines else ''}"
    return text if len(text) < 400 else f"{text[:190]} ... {text[-200:]}"  # where it was; and last, what it was
