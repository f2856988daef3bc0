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

LONDON = (
    "run", "--benchmark", "london", "--model", "dlib", "--model", "onnx:mobilefacenet.onnx",
    "--by", "gender,ethnicity", "--json",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A finished command."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_mib: float

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        return json.loads(self.stdout)["evaluations"]


def faceaudit(*arguments: str | Path, env: dict[str, str], cwd: Path, prefix: tuple[str, ...] = ()) -> Run:
    """Run `faceaudit` as a user does, in a process of its own, with its peak memory."""
    command = [*prefix, sys.executable, "-m", "audit", *map(str, arguments)]
    began = time.perf_counter()
    out, err = cwd / "stdout.txt", cwd / "stderr.txt"
    peak = 0
    with out.open("w") as stdout, err.open("w") as stderr:
        process = psutil.Popen(command, env={**os.environ, **env}, cwd=cwd, stdout=stdout, stderr=stderr)
        while process.poll() is None:
            peak = max(peak, _resident(process))
            time.sleep(0.05)
    seconds = time.perf_counter() - began
    return Run(process.returncode, out.read_text(), err.read_text(), seconds, peak / 2**20)


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
