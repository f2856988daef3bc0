"""The parent's side of one sealed process: started, asked, never believed, and ended."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.sandbox import channel, probe

_ROOT = str(Path(__file__).resolve().parents[2])
_START = """
import sys
sys.path.insert(0, sys.argv[2])
from audit.sandbox import worker
sys.path.pop(0)
sys.path.extend(sys.argv[3:])
worker.main(int(sys.argv[1]))
"""
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/urandom", "/dev/null")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
_COMPILED = "compiled"
"""Folder that torch wants to find or make before it loads an exported program."""
WAY_OUT = "Run on Linux with Landlock and seccomp (a container on such a host will do), or give the model as ONNX"


class NoAnswerError(Exception):
    """One input has no answer; the text says why. The next one may have an answer."""


class EndedError(NoAnswerError):
    """The process is gone as well."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sealed process may take.

    Parameters
    ----------
    start_s : seconds to start and to load
    answer_s : seconds for one request
    memory : bytes of address space, beside four times the size of the archive
    answer : bytes of an answer
    """

    start_s: float = 180.0
    answer_s: float = 60.0
    memory: int = 8 << 30
    answer: int = 16 << 20


class Child:
    """One process with one archive.

    Parameters
    ----------
    archive : the bytes that were checked
    kind : "export" or "script"
    place : what an error names
    limits : Limits

    Raises
    ------
    ModelError
        If a protection cannot be had, or the archive cannot be loaded within the limits.
    """

    def __init__(self, archive: bytes, kind: str, place: str, limits: Limits) -> None:
        self._place, self._limits = place, limits
        self._folder = tempfile.TemporaryDirectory(prefix="faceaudit-sandbox-")
        home = Path(self._folder.name) / "home"
        (home / _COMPILED).mkdir(parents=True)
        forbidden = Path(self._folder.name) / "outside"
        forbidden.write_bytes(secrets.token_bytes(16))
        environment = _environment(home)
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this Python, and code of this package
                [sys.executable, "-I", "-B", "-c", _START, str(theirs.fileno()), _ROOT, *_packages()],
                env=environment,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._finish = weakref.finalize(self, _end, self._process, self._socket, self._folder)
        try:
            self._open(archive, kind, home, forbidden, sorted(environment))
        except (NoAnswerError, ModelError) as error:
            self._finish()
            if isinstance(error, ModelError):
                raise
            raise ModelError(place, f"cannot be loaded in the sandbox: {error}", "Export it again") from None

    def _open(self, archive: bytes, kind: str, home: Path, forbidden: Path, environment: list[str]) -> None:
        job = {
            "readable": [*_readable(), str(home)],
            "memory": self._limits.memory + 4 * len(archive),
            "forbidden": str(forbidden),
            "environment": environment,
            "largest": max(len(archive), self._limits.answer),
            "kind": kind,
            "seconds": int(self._limits.start_s) + 5,
        }
        until = time.monotonic() + self._limits.start_s
        self._send(channel.pack(job), until)
        found, _ = self._receive(0, until)
        proved = found.get("held")
        lacking = [] if isinstance(proved, dict) else ["seal"]
        if isinstance(proved, dict):
            lacking = [name for name in probe.PROTECTIONS if proved.get(name) is not True]
        if lacking:
            why = _plain(found.get("unsealed") or f"not in force: {', '.join(lacking)}")
            raise ModelError(self._place, f"is a program, and runs only in a sandbox: {why}", WAY_OUT)
        self._send(channel.pack({}, len(archive)), until)
        self._send(archive, until)
        found, _ = self._receive(0, until)
        if found.get("ready") is not True:
            raise NoAnswerError(_plain(found.get("error", "an answer that makes no sense")))

    def ask(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the model.

        Parameters
        ----------
        values : float32, n x ...
            Inputs, which are given to the model one by one.

        Returns
        -------
        float32, n x d

        Raises
        ------
        NoAnswerError
            The model failed on one of them.
        EndedError
            The process ended, did not answer in time, or answered with something that is no array of numbers.
        """
        until = time.monotonic() + self._limits.answer_s
        body = np.ascontiguousarray(values, "<f4").tobytes()
        try:
            self._send(channel.pack({"shape": list(values.shape)}, len(body)) + body, until)
            header, content = self._receive(self._limits.answer, until)
            if "error" in header:
                raise NoAnswerError(_plain(header["error"]))
            return _array(header.get("shape"), content, len(values))
        except EndedError:
            self._finish()
            raise

    def close(self) -> None:
        """End the process."""
        self._finish()

    def _send(self, content: bytes, until: float) -> None:
        try:
            self._socket.settimeout(max(0.01, until - time.monotonic()))
            self._socket.sendall(content)
        except TimeoutError:
            raise EndedError("it did not take what it was sent in time") from None
        except OSError:
            raise EndedError(self._why()) from None

    def _receive(self, largest: int, until: float) -> tuple[dict[str, Any], bytes]:
        def take(size: int) -> bytes:
            parts = bytearray()
            while len(parts) < size:
                self._socket.settimeout(max(0.01, until - time.monotonic()))
                part = self._socket.recv(min(size - len(parts), 1 << 20))
                if not part:
                    raise EndedError(self._why())
                parts += part
            return bytes(parts)

        try:
            return channel.receive(take, largest)
        except TimeoutError:
            raise EndedError("it did not answer in time") from None
        except OSError:
            raise EndedError(self._why()) from None
        except channel.GarbageError as error:
            raise EndedError(f"it answered with {error}") from None

    def _why(self) -> str:
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return "it closed its connection"
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with code {code}"


def _array(shape: Any, content: bytes, inputs: int) -> NDArray[np.float32]:
    fits = isinstance(shape, list) and len(shape) == 2 and all(type(side) is int and side > 0 for side in shape)
    if not fits or shape[0] != inputs or shape[0] * shape[1] * 4 != len(content):
        raise EndedError("it answered with something that is no array")
    return np.frombuffer(content, "<f4").reshape(shape).astype(np.float32)


def _environment(home: Path) -> dict[str, str]:
    compiled = {"TORCHINDUCTOR_CACHE_DIR": str(home / _COMPILED)}
    made = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", **_ONE_THREAD, **compiled}
    libraries = os.environ.get("LD_LIBRARY_PATH")
    return made | ({"LD_LIBRARY_PATH": libraries} if libraries else {})


def _readable() -> list[str]:
    """What a process needs to load Python, torch and their libraries."""
    places = [sys.prefix, sys.base_prefix, *_packages(), *_LIBRARIES, *_MACHINE]
    return [*places, *filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))]


def _packages() -> list[str]:
    """Folders that hold torch and numpy, wherever this process has them from."""
    found = [importlib.util.find_spec(package) for package in ("torch", "numpy")]
    return sorted({str(Path(spec.origin).parents[1]) for spec in found if spec is not None and spec.origin})


def _plain(text: object) -> str:
    """A line of text from a process that is not believed."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))[:300]


def _end(process: subprocess.Popen[bytes], connection: socket.socket, folder: tempfile.TemporaryDirectory[str]) -> None:
    connection.close()
    process.kill()
    process.wait()
    folder.cleanup()
