"""The parent's side of one sealed process: started, asked, never believed, and ended."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit.errors import ModelError
from audit.sandbox import channel, probe
from audit.sandbox.lane import Lane, Limits, NoAnswerError, plain
from audit.sandbox.runs import KINDS, Kind

_log = logging.getLogger(__name__)
_ROOT = str(Path(__file__).resolve().parents[2])
_START = """
import sys
sys.path.insert(0, sys.argv[2])
from audit.sandbox import worker
sys.path.pop(0)
sys.path.extend(sys.argv[3:])
worker.main([int(one) for one in sys.argv[1].split(",")])
"""
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/urandom", "/dev/null")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
_COMPILED = "compiled"
"""Folder that torch wants to find or make before it loads an exported program."""
_FILES = 256
"""Open files of a process, beside one a lane."""
_LANE = 256 << 20
"""Bytes of address space that a lane takes: the stack of its thread, and what the C library keeps for it."""
WAY_OUT = "Run on Linux with Landlock and seccomp (a container on such a host will do), or give the model as ONNX"


class Child:
    """One process with one network.

    Parameters
    ----------
    content : the bytes that were checked
    kind : of file, in `audit.sandbox.runs.KINDS`
    place : what an error names
    limits : Limits
    lanes : how many may ask it at the same time

    Attributes
    ----------
    about : what it says of the network, and is not believed

    Raises
    ------
    ModelError
        If a protection cannot be had.
    NoAnswerError
        If the file cannot be loaded within the limits.
    """

    def __init__(self, content: bytes, kind: str, place: str, limits: Limits, lanes: int = 1) -> None:
        self._place, self._limits, self._kind = place, limits, KINDS[kind]
        with contextlib.ExitStack() as undo:
            folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="faceaudit-sandbox-")))
            home, forbidden = folder / "home", folder / "outside"
            (home / _COMPILED).mkdir(parents=True)
            forbidden.write_bytes(secrets.token_bytes(16))
            environment, packages = _environment(home), _packages(self._kind)
            self._sockets, self._process = _started(undo, lanes, environment, home, packages)
            self._finish = weakref.finalize(self, undo.pop_all().close)
        job = {
            "readable": [*_readable(packages), str(home)],
            "memory": limits.memory + 4 * len(content) + lanes * _LANE,
            "files": _FILES + lanes,
            "forbidden": str(forbidden),
            "environment": sorted(environment),
            "kind": kind,
            "seconds": int(max(limits.start_s, limits.answer_s)) + 5,
        }
        try:
            self.about = self._opened(job, content)
        except BaseException:
            self._finish()
            raise

    def _opened(self, job: dict[str, Any], content: bytes) -> dict[str, Any]:
        until, line = time.monotonic() + self._limits.start_s, self.lanes()[0]
        line.send(channel.pack(job), until)
        found, _ = line.receive(0, until)
        proved = found.get("held")
        lacking = ["seal"]
        if isinstance(proved, dict):
            lacking = [name for name in probe.PROTECTIONS if proved.get(name) is not True]
        why = plain(found.get("unsealed") or f"not in force: {', '.join(lacking)}")
        if lacking and self._kind.program:
            raise ModelError(self._place, f"is a program, and runs only in a sandbox: {why}", WAY_OUT)
        if not isinstance(proved, dict):
            raise NoAnswerError(why)
        if lacking:
            _log.info("%s: runs in a process of its own, within bounds, and not sealed: %s", self._place, why)
        line.send(channel.pack({}, len(content)), until)
        line.send(content, until)
        found, _ = line.receive(0, until)
        if found.get("ready") is not True:
            raise line.failed(found)
        about = found.get("about")
        return about if isinstance(about, dict) else {}

    def lanes(self) -> list[Lane]:
        """Ways to ask, each for one thread at a time; the process lives as long as one of them does."""
        return [Lane(self, connection, self._limits) for connection in self._sockets]

    def stop(self) -> None:
        """End the process, so that whoever waits for an answer waits no longer."""
        _end(self._process)

    def close(self) -> None:
        """End the process, when nobody waits for it."""
        self._finish()

    def why(self) -> str:
        """How the process has ended."""
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return "it closed its connection"
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with code {code}"


def _started(
    undo: contextlib.ExitStack, lanes: int, environment: dict[str, str], home: Path, packages: list[str]
) -> tuple[list[socket.socket], subprocess.Popen[bytes]]:
    """Start a process, and give our ends of its lanes; `undo` learns how to end all of it."""
    ours, theirs = list[socket.socket](), list[socket.socket]()
    for _ in range(lanes):
        for ends, end in zip((ours, theirs), socket.socketpair(), strict=True):
            ends.append(undo.enter_context(end))
    numbers = [end.fileno() for end in theirs]
    process = subprocess.Popen(  # noqa: S603 - this Python, and code of this package
        [sys.executable, "-I", "-B", "-c", _START, ",".join(map(str, numbers)), _ROOT, *packages],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=numbers,
        start_new_session=True,
    )
    undo.callback(_end, process)
    for end in theirs:
        end.close()
    return ours, process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _environment(home: Path) -> dict[str, str]:
    compiled = {"TORCHINDUCTOR_CACHE_DIR": str(home / _COMPILED)}
    made = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", **_ONE_THREAD, **compiled}
    libraries = os.environ.get("LD_LIBRARY_PATH")
    return made | ({"LD_LIBRARY_PATH": libraries} if libraries else {})


def _readable(packages: Sequence[str]) -> list[str]:
    """What a process needs to load Python, its packages and their libraries."""
    places = [sys.prefix, sys.base_prefix, *packages, *_LIBRARIES, *_MACHINE]
    return [*places, *filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))]


def _packages(kind: Kind) -> list[str]:
    """Folders that hold what a kind is read with, wherever this process has it from."""
    found = [importlib.util.find_spec(package) for package in kind.packages]
    return sorted({str(Path(spec.origin).parents[1]) for spec in found if spec is not None and spec.origin})
