"""A few helper processes that compute descriptors outside this process's global lock."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import weakref
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

_PROGRAM = Path(__file__).with_name("dlib_worker.py")
_Process = subprocess.Popen[bytes]


class Helpers:
    """Processes of `dlib_worker`; any thread may ask, each process answers one request at a time.

    Parameters
    ----------
    weights : Path
        The network's file.
    count : int
        How many processes.
    chip : int
        Side of a chip in pixels.
    dimension : int
        Numbers in a descriptor.
    """

    def __init__(self, weights: Path, count: int, *, chip: int, dimension: int) -> None:
        self._command = [sys.executable, "-P", str(_PROGRAM), str(weights), str(chip)]
        self._dimension = dimension
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        self._all: list[_Process] = []
        self._end = weakref.finalize(self, _end, self._all)
        for _ in range(count):
            self._idle.put(self._start())

    def descriptor(self, chip: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Compute the descriptor of a chip, uint8, size x size x 3, RGB.

        A process that died (memory taken away, for example) is replaced and asked again once: its death says
        nothing about the image.

        Raises
        ------
        RuntimeError
            If dlib refuses the chip, or two processes died of it.
        """
        process = self._idle.get()
        try:
            answer = self._ask(process, chip)
            if answer is None:
                process = self._replace(process)
                answer = self._ask(process, chip)
            if answer is None:
                process = self._replace(process)
                raise RuntimeError("the helper process ended twice on one image")
        finally:
            self._idle.put(process)
        return answer

    def close(self) -> None:
        """End the processes; idempotent, and done anyway when the object goes."""
        self._end()

    def _start(self) -> _Process:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, this package's file, the card's path
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._all.append(process)
        return process

    def _replace(self, process: _Process) -> _Process:
        self._all.remove(process)
        _end([process])
        return self._start()

    def _ask(self, process: _Process, chip: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        to, back = _pipes(process)
        try:
            to.write(np.ascontiguousarray(chip).tobytes())
            to.flush()
            status = back.read(1)
            if status == b"\x01":
                raise RuntimeError("dlib refused the chip")
            content = back.read(8 * self._dimension)
        except OSError:
            return None
        if len(content) != 8 * self._dimension:
            return None
        return np.frombuffer(content, "<f8").astype(np.float64)


def _pipes(process: _Process) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a helper process has no pipes")
    return process.stdin, process.stdout


def _end(processes: list[_Process]) -> None:
    for process in processes:
        for pipe in _pipes(process):
            with contextlib.suppress(OSError):  # the other end may have gone: that is what is wanted
                pipe.close()
    for process in processes:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
