"""The process in which hostile files are read: it may crash, hang or grow, and its parent looks on.

What was found goes to stdout, a JSON object a line. The input at hand lies in the working folder, so that the parent
has it if this process dies.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import logging
import os
import random
import re
import resource
import shutil
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]

import mutate
import targets
from targets import Target, never

CORPUS = Path(__file__).parent / "corpus"
SLOW_S = 10.0
"""Seconds of this process's own time that one input may take."""
MOST_MEMORY = 1 << 30
"""Bytes that one input may add to the resident memory."""
LEAST = 8
"""Inputs that a target is fed with at least, however little time it has."""
LATE = 20.0
"""How much longer than its processor time a target may take by the clock: some wait for answers."""
HEADROOM = 3 << 30
"""Bytes of address space beyond what the process has when it begins: above it, allocations fail."""
LONGEST_LINE = 4000
"""Characters of a refusal at most: one line that a person can read."""
_VARIES = re.compile(r"\d+|'[^']*'|\"[^\"]*\"|/\S+")
"""Parts of a message that depend on the input."""
_CHANGES = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.chmod",
    "os.truncate",
    "shutil.move",
}
_NEVER = {
    "socket.connect",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "pickle.find_class",
}


class OutsideError(BaseException):
    """Something was about to be changed outside the folder, started, or fetched; no `except Exception` may hide it."""


@dataclass
class Watch:
    """What an input does to the world, by Python's audit events: only below `inside` may anything change."""

    inside: str = ""
    on: bool = False
    seen: list[str] = field(default_factory=list)
    may: Callable[[str, tuple[Any, ...]], bool] = never

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on or (event not in _CHANGES and event not in _NEVER and event != "open"):
            return
        if event in _NEVER:
            if not self.may(event, args):
                self._found(f"{event} {args[:2]!r}"[:200])
            return
        if event == "open":
            path, mode, flags = args
            writes = (
                bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)) if isinstance(flags, int) else False
            )
            if isinstance(mode, str):
                writes = writes or bool(set(mode) & set("wax+"))
            if not writes or isinstance(path, int):
                return
            changed: tuple[Any, ...] = (path,)
        else:
            two = event in {"os.rename", "os.link", "shutil.move"}
            folder = args[-1] if not two and len(args) > 1 and isinstance(args[-1], int) else -1
            changed = tuple(_below(folder, one) for one in (args[:2] if two else args[:1]))
        for path in changed:
            if isinstance(path, str | bytes | os.PathLike) and not self._is_inside(os.fsdecode(path)):
                self._found(f"{event} {os.fsdecode(path)!r}"[:200])

    def _is_inside(self, path: str) -> bool:
        if path in {os.devnull, "/dev/tty"}:
            return True
        real = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
        return real == self.inside or real.startswith(self.inside + os.sep)

    def _found(self, what: str) -> None:
        self.seen.append(what)
        raise OutsideError(what)

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.seen.clear()
        self.on = True
        try:
            yield
        finally:
            self.on = False


def _below(folder: int, path: Any) -> Any:
    """A path that was given with an open folder, as shutil does; -1 is none."""
    if folder < 0 or not isinstance(path, str | bytes) or os.path.isabs(path):
        return path
    try:
        return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path))
    except OSError:
        return path


WATCH = Watch()


def _peak() -> int:
    """Largest resident memory since `_forget_peak`, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) << 10


def _forget_peak() -> None:
    with open("/proc/self/clear_refs", "w", encoding="ascii") as asked:
        asked.write("5")


def spent() -> float:
    """Seconds of processor time of this process and of those that it has started and seen end."""
    return sum(os.times()[:4])


@dataclass(frozen=True)
class Outcome:
    """What became of an input.

    Parameters
    ----------
    word : "taken", "refused", or what is wrong: "crash", "slow", "memory", "outside", "line"
    mark : where it ended: inputs with a new one have led somewhere new
    text : what a person wants to see of it
    """

    word: str
    mark: str
    text: str = ""

    @property
    def wrong(self) -> bool:
        return self.word not in {"taken", "refused"}


def feed(target: Target, path: Path) -> Outcome:
    """Have one input read, and judge what happens."""
    from audit.errors import AuditError

    _forget_peak()
    before, began = _peak(), spent()
    with WATCH.watching(), warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
        warnings.simplefilter("ignore")
        try:
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                found = target.parse(path)
            made = Outcome("taken", f"taken {_shape(found)}")
        except AuditError as error:
            made = _refusal(error)
        except OutsideError as error:
            made = Outcome("outside", f"outside {error}", str(error))
        except BaseException as error:  # noqa: BLE001 - that is what is looked for
            last = _where(error)
            made = Outcome("crash", f"crash {type(error).__name__} {last}", _told(error))
    if WATCH.seen and not made.wrong:
        made = Outcome("outside", f"outside {WATCH.seen[0]}", WATCH.seen[0])
    seconds, grown = spent() - began, _peak() - before
    if seconds > SLOW_S and not made.wrong:
        return Outcome("slow", f"slow {made.mark}", f"{seconds:.1f} s of processor time; {made.mark}")
    if grown > MOST_MEMORY and not made.wrong:
        return Outcome("memory", f"memory {made.mark}", f"{grown >> 20} MiB; {made.mark}")
    return made


def _shape(found: object) -> str:
    """What kind of thing came out; failures count as different ones by their words."""
    if isinstance(found, tuple):
        return "+".join(_shape(one) for one in found[:2])
    reason = getattr(found, "reason", None)
    return type(found).__name__ if reason is None else f"failure {reason}"


def _refusal(error: Exception) -> Outcome:
    said = str(error)
    mark = f"refused {_where(error)} {_VARIES.sub('', getattr(error, 'found', ''))[:40]}"
    odd = next((c for c in said if not c.isprintable()), None)
    if odd is not None:
        return Outcome("line", f"line {_where(error)}", f"holds {odd!r}: {said[:300]!r}")
    if len(said) > LONGEST_LINE:
        return Outcome("line", f"line {_where(error)}", f"{len(said)} characters: {said[:300]!r}")
    return Outcome("refused", mark)


def _told(error: BaseException) -> str:
    """The end of a traceback, its long lines cut."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(line if len(line) < 240 else f"{line[:120]} ... {line[-100:]}" for line in lines[-24:])


def _where(error: BaseException) -> str:
    """File and line of the product's own code that was the last to be in."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}audit{os.sep}" in frame.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "outside"


@dataclass
class Feeding:
    """One target and the inputs that it is fed with."""

    target: Target
    work: Path
    rng: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    marks: set[str] = field(default_factory=set)
    pool: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.box = self.work / self.target.name
        shutil.rmtree(self.box, ignore_errors=True)
        self.box.mkdir(parents=True)
        self.folder = self.box / "folder"
        self.folder.mkdir()
        self.target.beside(self.folder)
        self.path = self.folder / self.target.file
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lying = self._lie()

    def _lie(self) -> set[str]:
        return {str(path) for place in (self.work, self.box, self.folder) for path in place.iterdir()} | {
            str(self.path)
        }

    def one(self, data: bytes, *, sound: bool = False) -> None:
        """Feed one input; report it if it is wrong, keep it if it led somewhere new."""
        self.path.write_bytes(data)
        WATCH.inside, WATCH.may = str(self.box.resolve()), self.target.may
        outcome = feed(self.target, self.path)
        left = self._lie() - self.lying
        if left and not outcome.wrong:
            outcome = Outcome("outside", "outside left", f"left lying: {sorted(left)[:3]}")
        for path in left:
            place = Path(path)
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        self.counts[outcome.word] += 1
        if sound and outcome.word == "crash":
            say(found="seed", target=self.target.name, text=outcome.text)
        if outcome.mark in self.marks:
            return
        self.marks.add(outcome.mark)
        if outcome.wrong:
            say(found=outcome.word, target=self.target.name, mark=outcome.mark, text=outcome.text, data=data.hex())
        else:
            self.pool.append(data)
            say(new=self.target.name, mark=outcome.mark, data=data.hex() if len(data) <= 2048 else "")

    def seeds(self) -> None:
        """Sound files first, then what is kept of earlier days."""
        for number, data in enumerate(self.target.seeds()):
            if number == 0:  # what loads with the first file is no deed of that file
                self.path.write_bytes(data)
                with contextlib.suppress(Exception):
                    self.target.parse(self.path)
                self.lying = self._lie()
            self.one(data, sound=True)
            self.pool.append(data)
        for path in sorted((CORPUS / self.target.name).glob("*")):
            self.one(path.read_bytes())

    def feed(self, seconds: float, most: int | None) -> None:
        """Feed mutated inputs for some seconds of processor time, or so many."""
        until, late, number = spent() + seconds, time.monotonic() + LATE * seconds, 0
        while number < LEAST or (spent() < until and time.monotonic() < late and (most is None or number < most)):
            self.one(mutate.mutated(self.pool, self.target.kind, self.rng))
            number += 1
            if number % 200 == 0:
                gc.collect()


def say(**what: Any) -> None:
    """Tell the parent."""
    sys.__stdout__.write(json.dumps(what) + "\n")
    sys.__stdout__.flush()


def main() -> None:
    """child.py WORK SEED SECONDS TARGET..."""
    work, seed, seconds, names = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:]
    os.environ["FACEAUDIT_CACHE"] = str(work / "cache")
    os.environ["FACEAUDIT_DATA"] = ""
    logging.disable(logging.CRITICAL)
    sys.addaudithook(WATCH)
    targets.scratch(work / "scratch")
    (work / "cache").mkdir(exist_ok=True)
    _begin_drawing()
    for name in names:
        target = targets.BY_NAME[name]
        say(begins=name)
        _unbound()  # seeds load libraries, each with gigabytes of addresses
        seeded = hashlib.sha256(f"{seed} {name}".encode()).digest()
        began = spent()
        feeding = Feeding(target, work, random.Random(seeded))
        feeding.seeds()
        say(memory="bounded")
        _bound()
        feeding.feed(seconds, None)
        say(ends=name, counts=dict(feeding.counts), seconds=spent() - began)


def _begin_drawing() -> None:
    """Charts are drawn by an engine that reserves 66 GiB of addresses as it begins: before there is a limit."""
    from audit.report.charts.lettering import drawn

    drawn({"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "layer": [], "width": 1, "height": 1})


def _unbound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _bound() -> None:
    with open("/proc/self/statm", encoding="ascii") as statm:
        now = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + HEADROOM, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
