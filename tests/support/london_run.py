"""The London audit through the command line, run once for all tests that look at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    with out.open("w") as stdout, err.open("w") as stderr:
        process = subprocess.Popen(command, env={**os.environ, **env}, cwd=cwd, stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    return Run(process.returncode, out.read_text(), err.read_text(), seconds, usage.ru_maxrss / 1024)
