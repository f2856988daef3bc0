"""The London audit through the command line, run once for all tests that look at it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import warm

LONDON = (
    "run", "--benchmark", "london", "--model", "dlib", "--model", "onnx:mobilefacenet.onnx",
    "--by", "gender,ethnicity", "--json",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A finished command; `peak_mib` is that of a new process, and 0 where it was not watched."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_mib: float

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        return json.loads(self.stdout)["evaluations"]


def faceaudit(
    *arguments: str | Path, env: dict[str, str], cwd: Path, prefix: tuple[str, ...] = (), new: bool = False
) -> Run:
    """Run `faceaudit` as a user does, in a process of its own.

    Parameters
    ----------
    prefix : a command that starts the command
    new : a process that has loaded nothing yet, for times and memory; else one that has (`warm.py`)
    """
    out, err = cwd / "stdout.txt", cwd / "stderr.txt"
    words, variables = [*map(str, arguments)], {**os.environ, **env}
    began = time.perf_counter()
    code = None if new or prefix else warm.run(words, variables, cwd, out, err)
    peak = 0
    if code is None:
        code, peak = _watched([*prefix, sys.executable, "-m", "audit", *words], variables, cwd, out, err)
    seconds = time.perf_counter() - began
    return Run(code, out.read_text(), err.read_text(), seconds, peak / 2**20)


def _watched(command: list[str], env: dict[str, str], cwd: Path, out: Path, err: Path) -> tuple[int, int]:
    """The exit code of a command, and its peak memory in bytes."""
    peak = 0
    with out.open("w") as stdout, err.open("w") as stderr:
        process = psutil.Popen(command, env=env, cwd=cwd, stdout=stdout, stderr=stderr)
        while process.poll() is None:
            peak = max(peak, _resident(process))
            time.sleep(0.05)
    return process.returncode, peak


def _resident(process: psutil.Process) -> int:
    """Resident bytes of a process and all its helpers; pages that they share count in each."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += one.memory_info().rss
    return total
