"""Disturb commands, start them again, and hold what is there against what an undisturbed run left.

A trial is one command with one fault. It ends well if the result is that of the undisturbed run, or if one line says
what is wrong and the same command, started again, brings about that result. Everything else is a loss.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]

import works
from started import HANGS_S, Ended, Host
from works import Found, Work

CLOCK_JUMPS = {
    "a year ahead": 400 * 86_400,
    "a year back": -400 * 86_400,
    "to 1973": -1_690_000_000,
    "an hour back": -3600,
}


def compiled(folder: Path) -> Path | None:
    """The layer that fails as told (shim.c); None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return None
    made = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"], check=True)
    return made


@dataclass
class Row:
    """Trials of one work and one kind of fault."""

    trials: int = 0
    met: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    left: int = 0


@dataclass
class Campaign:
    """Trials, and what came of them."""

    place: Path
    rng: random.Random
    hosts: list[Host]
    shim: Path | None
    rows: dict[tuple[str, str], Row] = field(default_factory=lambda: defaultdict(Row))
    losses: list[str] = field(default_factory=list)
    lines: Counter[str] = field(default_factory=Counter)
    calm: dict[str, Found] = field(default_factory=dict)
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    calls: dict[str, Counter[str]] = field(default_factory=dict)
    number: int = 0

    def fresh(self, work: Work) -> Path:
        """A new folder with the inputs of a work."""
        self.number += 1
        folder = self.place / f"t{self.number}"
        folder.mkdir()
        work.prepare(folder)
        return folder

    def undisturbed(self, work: Work) -> None:
        """Run it once in peace: what must be there, how long each stage takes, which calls it makes."""
        folder = self.fresh(work)
        log = folder.with_name(folder.name + "-calls")
        counting = {"fault": f"any,0,{folder},1,-1,count,{log}"} if self.shim else {}
        job = self.hosts[0].begin(work, folder, **counting)
        began: dict[str, float] = {}
        taken: dict[str, float] = {}
        while job.running():
            seen = job.stages()
            for stage in work.stages:
                if stage in seen and stage not in began:
                    began[stage] = time.monotonic()
            time.sleep(0.002)
        ended = job.end()
        if ended.code:
            raise RuntimeError(f"{work.name}, undisturbed: {ended.code}\n{ended.stderr}")
        missing = set(work.stages) - set(ended.stages)
        if missing:
            raise RuntimeError(
                f"{work.name} never came to {missing}: host.STAGES names functions that it does not call"
            )
        order = sorted(began, key=lambda stage: began[stage])
        stop = time.monotonic()
        for stage, after in zip(order, [*order, None][1:], strict=True):
            taken[stage] = (stop if after is None else began[after]) - began[stage]
        self.calm[work.name] = work.found(folder)
        if work.name == works.CLUSTER and self.calm[work.name] != self.calm["run"]:
            raise RuntimeError(f"{work.name}: {_difference(self.calm['run'], self.calm[work.name])}")
        self.seconds[work.name] = taken
        if log.exists():
            self.calls[work.name] = Counter(line.split()[0] for line in log.read_text().splitlines())
        works.keep_calm(work.name, folder)

    # The faults

    def kill_in_stage(self, work: Work, stage: str) -> None:
        """SIGKILL at a random moment of a stage."""
        folder = self.fresh(work)
        job = self.hosts[0].begin(work, folder)
        met = False
        if job.reached(stage):
            time.sleep(self.rng.random() * 0.95 * self.seconds[work.name].get(stage, 0.05))
            met = job.running()
            job.kill()
        self.judge(work, f"SIGKILL during {stage}", folder, job.end(), met=met)

    def at_a_call(self, work: Work, kind: str) -> None:
        """Something happens at a random call to a file: the process is killed, or the call fails."""
        counts = self.calls.get(work.name, Counter())
        ops = [op for op in OPS[kind] if counts[op]]
        if not ops:
            return
        op = self.rng.choice(ops)
        first = self.rng.randint(1, counts[op])
        number, how = CALLS[kind]
        times = self.rng.choice((1, -1)) if how in {"error", "torn"} else 1
        if kind in {"read-only file system", "disk full"}:
            times = -1
        folder = self.fresh(work)
        log = folder.with_name(folder.name + "-hits")
        what = "change" if kind == "read-only file system" else op
        fault = f"{what},{number},{folder},{first},{times},{how},{log}"
        ended = self.hosts[0].begin(work, folder, fault=fault).end()
        self.judge(work, kind, folder, ended, met=log.exists(), about=fault)

    def clock(self, work: Work) -> None:
        """The wall clock jumps at a random moment."""
        folder = self.fresh(work)
        name, jump = self.rng.choice(list(CLOCK_JUMPS.items()))
        log = folder.with_name(folder.name + "-hits")
        fault = f"clock,{jump},,{self.rng.randint(1, 12)},-1,error,{log}"
        ended = self.hosts[0].begin(work, folder, fault=fault).end()
        self.judge(work, "clock jumps", folder, ended, met=log.exists(), about=name)

    def slow(self, work: Work) -> None:
        """Every call to a file takes some milliseconds."""
        folder = self.fresh(work)
        log = folder.with_name(folder.name + "-hits")
        fault = f"any,{self.rng.choice((500, 2000, 5000))},{folder},1,-1,slow,{log}"
        ended = self.hosts[0].begin(work, folder, fault=fault).end()
        self.judge(work, "slow disk", folder, ended, met=log.exists(), about=fault)

    def memory(self, work: Work) -> None:
        """Little memory beyond what a process has that has loaded everything (`ulimit -v`)."""
        folder = self.fresh(work)
        room = int(2 ** self.rng.uniform(25.5, 33))
        ended = self.hosts[0].begin(work, folder, memory=room).end()
        self.judge(work, "memory limit", folder, ended, met=ended.code != 0, about=f"{room >> 20} MiB")

    def mounted(self, work: Work) -> None:
        """A cache that is really full (a small tmpfs), or a folder that is really read-only."""
        folder = self.fresh(work)
        for name in ("cache", "out"):
            (folder / name).mkdir(exist_ok=True)
        name, lines = self.rng.choice(
            [
                (
                    "cache on a full disk",
                    [f"mount -t tmpfs -o size={self.rng.choice((4, 16, 40))}k none {folder}/cache"],
                ),
                (
                    "read-only cache",
                    [f"mount --bind {folder}/cache {folder}/cache", f"mount -o remount,ro,bind {folder}/cache"],
                ),
                (
                    "read-only results",
                    [f"mount --bind {folder}/out {folder}/out", f"mount -o remount,ro,bind {folder}/out"],
                ),
            ]
        )
        ended = self.hosts[0].begin(work, folder, mounts=lines).end()
        self.judge(work, name, folder, ended, met=True)

    def lose_worker(self, work: Work, stage: str) -> None:
        """SIGKILL to one of two Ray workers at a random moment of a stage.

        A comparison of few templates takes them a millisecond: they are held until their work lies before them.
        """
        folder = self.fresh(work)
        job = self.hosts[0].begin(work, folder)
        met = False
        if job.reached(stage):
            while job.running() and not (workers := job.workers()):
                time.sleep(0.05)  # looking takes its time, too
            if stage == "comparison":
                for pid in workers:
                    _signal(pid, signal.SIGSTOP)
            time.sleep(self.rng.random() * 2)
            workers = job.workers()
            chosen = self.rng.choice(workers[:2]) if workers else 0
            met = job.running() and job.stages()[-1] == stage and _signal(chosen, signal.SIGKILL)
            for pid in workers:
                _signal(pid, signal.SIGCONT)
        self.judge(work, f"Ray worker lost during {stage}", folder, job.end(), met=met)

    def two_at_once(self, work: Work) -> None:
        """The same command twice, at the same time, in the same folder."""
        folder = self.fresh(work)
        other = folder.with_name(folder.name + "b")
        other.symlink_to(folder)
        one = self.hosts[0].begin(work, folder)
        time.sleep(self.rng.random() * 0.3)
        two = self.hosts[1].begin(work, other)
        ends = [two.end(), one.end()]
        for ended in ends:
            self.judge(work, "two at once", folder, ended, met=True, tidy=False)
        other.unlink()
        self._tidy(folder)

    # What came of them

    def judge(
        self, work: Work, kind: str, folder: Path, ended: Ended, *, met: bool, about: str = "", tidy: bool = True
    ) -> None:
        """Count a trial; start the command again unless all is there."""
        row = self.rows[work.name, kind]
        row.trials += 1
        row.met += met
        word, why = self._word(work, kind, folder, ended)
        if word in {"killed", "said", "counted"}:
            again = self.hosts[0].begin(work, folder).end()
            now = self._found(work, folder)
            if self._there(work, now, again):
                row.left += bool(litter(folder))
            else:
                differs = _difference(self.calm[work.name], now)
                word, why = "loss", f"{why}; started again: {again.code} {again.stderr[-1500:]} {differs}"
        row.ends[word] += 1
        if word in {"loss", "unclear", "hang"}:
            self.losses.append(f"{work.name}, {kind} ({about}): {word}: {why}")
            print(f"LOSS {self.losses[-1]}", file=sys.stderr, flush=True)
        elif word == "said" and ended.said:
            self.lines[f"{work.name} | {kind} | {ended.said.replace(str(folder), 'FOLDER')}"] += 1
        if tidy:
            self._tidy(folder)

    def _there(self, work: Work, now: Found, again: Ended) -> bool:
        """All is there: by the second run, or by the first, which the second then says ("is there already")."""
        return now == self.calm[work.name] and (again.code == 0 or again.said is not None)

    def _found(self, work: Work, folder: Path) -> Found:
        try:
            return work.found(folder)
        except Exception as error:  # noqa: BLE001 - half a file reads as anything
            return {"broken": repr(error)[:300]}

    def _word(self, work: Work, kind: str, folder: Path, ended: Ended) -> tuple[str, str]:
        now = self._found(work, folder)
        if "broken" in now:
            return "loss", f"half a result: {now['broken']}"
        if ended.hung:
            return "hang", f"{HANGS_S} s; {ended.stages}"
        if ended.code == 0:
            return self._done(work, now, ended)
        if ended.code == -signal.SIGKILL and "kill" in kind.lower():
            return "killed", ""
        if ended.said is not None:
            return "said", ended.said
        return "unclear", f"exit {ended.code}, stages {ended.stages[-3:]}:\n{ended.stderr[-2500:]}"

    def _done(self, work: Work, now: Found, ended: Ended) -> tuple[str, str]:
        if now == self.calm[work.name]:
            return "same", ""
        differs = f"done, but differs: {_difference(self.calm[work.name], now)}\n{ended.stderr[-600:]}"
        return ("counted" if _of_the_machine(now) else "loss"), differs

    def _tidy(self, folder: Path) -> None:
        for place in folder.parent.glob(f"{folder.name}*"):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place, ignore_errors=True)
            elif place.name.startswith(f"{folder.name}-"):
                place.unlink()

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """A server of files for what is obtained."""
        from file_server import serving

        home = self.place / "served"
        home.mkdir()
        works._weights(home)
        with serving(home / "served") as running:
            works.serve_at(running.url)
            yield


def _signal(pid: int, number: int) -> bool:
    """Send a signal; False if nobody is there."""
    if not pid:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


OPS = {
    "SIGKILL at a call to a file": ("open", "write", "rename", "unlink", "read"),
    "SIGKILL after half a write": ("write",),
    "EIO at a write": ("write",),
    "EIO after half a write": ("write",),
    "EIO at fsync": ("fsync",),
    "EIO at a rename": ("rename",),
    "EIO at a read": ("read",),
    "EIO at a deletion": ("unlink",),
    "disk full": ("write",),
    "read-only file system": ("open", "unlink"),
}
CALLS = {
    "SIGKILL at a call to a file": (0, "kill"),
    "SIGKILL after half a write": (0, "torn-kill"),
    "EIO at a write": (errno.EIO, "error"),
    "EIO after half a write": (errno.EIO, "torn"),
    "EIO at fsync": (errno.EIO, "error"),
    "EIO at a rename": (errno.EIO, "error"),
    "EIO at a read": (errno.EIO, "error"),
    "EIO at a deletion": (errno.EIO, "error"),
    "disk full": (errno.ENOSPC, "torn"),
    "read-only file system": (errno.EROFS, "error"),
}
"""Kind of fault to the number that the call returns, and how (`shim.c`)."""


def _of_the_machine(found: Found) -> bool:
    """Whether a record says that images failed for reasons that lie with the machine."""
    reasons = {str(row["reason"]) for row in found.get("record", {}).get("acquisition", []) if row["reason"]}
    return any(reason.endswith("during the run") or "Input/output error" in reason for reason in reasons)


def litter(folder: Path) -> list[str]:
    """Half-written files beside what is meant for others."""
    return [
        path.relative_to(folder).as_posix()
        for name in ("out", "site", "pages", "data", "weights")
        for path in (folder / name).rglob("*")
        if path.name.startswith(".") or "unfinished" in path.name
    ]


def _difference(one: Any, two: Any, at: str = "") -> str:
    """The first few places at which two documents differ."""
    found: list[str] = []

    def walk(a: Any, b: Any, at: str) -> None:
        if len(found) > 4 or a == b:
            return
        if isinstance(a, dict) and isinstance(b, dict):
            for key in sorted({*a, *b}):
                walk(a.get(key), b.get(key), f"{at}/{key}")
        elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            for index, (x, y) in enumerate(zip(a, b, strict=True)):
                walk(x, y, f"{at}/{index}")
        else:
            found.append(f"{at}: {str(a)[:80]} -> {str(b)[:80]}")

    walk(one, two, at)
    return "; ".join(found)
