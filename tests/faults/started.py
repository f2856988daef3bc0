"""Commands that are started from a host, looked at while they run, and killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from works import ROOT, Work, environment

HANGS_S = 900.0
"""Seconds after which a command hangs; an undisturbed one takes a few, but the machine may be busy."""
MOST_LINES = 4
"""Lines that a command may say on the way to its end: a notice of the cache, or of withdrawals, and the one line."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stderr: str
    seconds: float
    stages: tuple[str, ...]
    hung: bool = False

    @property
    def said(self) -> str | None:
        """The one line, if it was one."""
        lines = self.stderr.strip().splitlines()
        good = (
            lines
            and lines[-1].startswith("faceaudit: ")
            and len(lines) <= MOST_LINES
            and "Traceback" not in self.stderr
        )
        return lines[-1] if good else None


class Host:
    """A process that starts commands, one at a time."""

    def __init__(self, shim: Path | None) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        env.pop("FAULTS", None)
        if shim is not None:
            env["LD_PRELOAD"] = str(shim)
        command = [sys.executable, str(Path(__file__).with_name("host.py"))]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT, start_new_session=True
        )

    def begin(self, work: Work, folder: Path, **faults: Any) -> Job:
        """Start a work in its folder."""
        said = folder.with_name(folder.name + "-said")
        said.mkdir(exist_ok=True)
        stages = said / "stages"
        stages.unlink(missing_ok=True)
        job = {
            "argv": work.argv(folder), "cwd": str(folder), "env": environment(folder) | work.more,
            "stages": str(stages), "stdout": str(said / "stdout"), "stderr": str(said / "stderr"), **faults,
        }  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return Job(self._answer()["pid"], self, said, time.monotonic())

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the host has died")
        answer: dict[str, int] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@dataclass
class Job:
    """A command that runs."""

    pid: int
    host: Host
    said: Path
    began: float

    def stages(self) -> tuple[str, ...]:
        try:
            return tuple((self.said / "stages").read_text().split())
        except FileNotFoundError:
            return ()

    def reached(self, stage: str) -> bool:
        """Wait for a stage to begin; False if the command ends before."""
        while self.running():
            if stage in self.stages():
                return True
            time.sleep(0.002)
        return False

    def running(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def workers(self) -> list[int]:
        """Ray's worker processes below this command; those that are at work first."""
        found = [(pid, _title(pid)) for pid in _below(self.pid)]
        workers = [(pid, title) for pid, title in found if title.startswith("ray::") and "Agent" not in title]
        return [pid for pid, title in sorted(workers, key=lambda one: one[1].startswith("ray::IDLE"))]

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> Ended:
        """Wait for it."""
        hung = False
        while self.running():
            if time.monotonic() - self.began > HANGS_S:
                hung = True
                self.kill()
            time.sleep(0.01)
        code = self.host._answer()["status"]
        stderr = (self.said / "stderr").read_text(errors="replace")
        return Ended(code, stderr, time.monotonic() - self.began, self.stages(), hung)


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _below(pid: int) -> list[int]:
    """Processes that a process has started, and those that they have."""
    try:
        text = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return []
    return [one for child in map(int, text.split()) for one in (child, *_below(child))]
