"""Feed every parser hostile files: `python tests/fuzz/fuzz.py --minutes 60 [--target NAME]... [--seed N] [--keep]`.

Prints a line for every wrong outcome and a table of counts; exits with 1 if there was any. Wrong are a crash (anything
but an AuditError of one line, or a counted failure), 10 seconds of processor time, 1 GiB of memory, a change outside
the folder, a process or connection, and a pickle that is read. `--keep` adds inputs that led somewhere new to
tests/fuzz/corpus, which every run begins with. Runs of an hour and more are best split by target, a process each; with
`--tally FOLDER` their counts come together in one table (`--minutes 0 --tally FOLDER --docs docs/faults.md`).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

from child import CORPUS
from targets import BY_NAME, ROOT  # puts the support modules on the path

from into_document import replace_below  # isort: skip

HANGS_S = 120.0
"""Seconds of its processor time without a sign of life after which a process hangs: the machine may be busy."""
STANDS_S = 900.0
"""The same by the clock, for a process that waits and does nothing."""
KEPT = 5
"""Inputs a target that `--keep` adds at most."""


@dataclass
class Wrong:
    """A wrong outcome and the input that led to it."""

    target: str
    what: str
    text: str
    data: bytes

    def __str__(self) -> str:
        shown = self.data[:120] if len(self.data) > 120 else self.data
        return f"{self.target}: {self.what}: {self.text.strip()}\n    input ({len(self.data)} bytes): {shown!r}"


@dataclass
class Result:
    """Counts of every target, and what was wrong."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    marks: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    minutes: float = 0.0
    runs: int = 1
    place: Path | None = None
    wrong: list[Wrong] = field(default_factory=list)
    tell: Callable[[Wrong], None] | None = None
    new: dict[str, dict[str, bytes]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, one: Wrong) -> None:
        """Note a wrong outcome, and say so at once."""
        self.wrong.append(one)
        if self.tell is not None:
            self.tell(one)

    def save(self) -> None:
        """Keep the counts so far, if there is a place for them."""
        if self.place is not None:
            said = {"minutes": self.minutes, "wrong": len(self.wrong), "counts": self.counts}
            self.place.parent.mkdir(parents=True, exist_ok=True)
            self.place.write_text(json.dumps(said | {"marks": {name: sorted(one) for name, one in self.marks.items()}}))

    @property
    def inputs(self) -> int:
        return sum(sum(one.values()) for one in self.counts.values())

    def table(self) -> str:
        """Markdown: a row a target."""
        rows = [
            "| parser | inputs | taken | refused in one line | wrong | ways it ended |",
            "|---|--:|--:|--:|--:|--:|",
        ]
        for name in BY_NAME:
            if name in self.counts:
                one = self.counts[name]
                good = one["taken"] + one["refused"]
                rows.append(
                    f"| {name} | {sum(one.values()):,} | {one['taken']:,} | {one['refused']:,} | "
                    f"{sum(one.values()) - good:,} | {len(self.marks[name]):,} |"
                )
        return "\n".join(rows)


def fuzz(names: Sequence[str], seconds: float, seed: int, work: Path, result: Result | None = None) -> Result:
    """Feed some targets, each for some seconds of processor time; after one that dies or hangs, the rest."""
    result = result or Result()
    left, again = list(names), 0
    with contextlib.suppress(KeyboardInterrupt):  # what was counted until then is shown
        while left:
            left = _one_process(left, seconds, f"{seed}.{again}", work / f"p{again}", result)
            again += 1
    return result


def _one_process(names: Sequence[str], seconds: float, seed: str, work: Path, result: Result) -> list[str]:
    """Returns the targets that are left."""
    work.mkdir(parents=True)
    command = [sys.executable, str(Path(__file__).with_name("child.py")), str(work), seed, str(seconds), *names]
    with (work / "stderr").open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT)
    said: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_listen, args=(process, said), daemon=True).start()
    at, done = "", 0
    moved, input_of, spent = time.monotonic(), 0.0, 0.0
    while True:
        try:
            line = said.get(timeout=1.0)
        except queue.Empty:
            now = _changed(work, at)
            if now != input_of:
                moved, input_of, spent = time.monotonic(), now, _spent(process.pid)
            if _spent(process.pid) - spent > HANGS_S or time.monotonic() - moved > STANDS_S:
                process.kill()
                result.counts[at]["hang"] += 1
                result.add(Wrong(at, "hang", f"{HANGS_S:.0f} s without an end", _at_hand(work, at)))
                process.wait()
            continue
        moved, spent = time.monotonic(), _spent(process.pid)
        if line is None:
            break
        event = json.loads(line)
        if "begins" in event:
            at = event["begins"]
        elif "ends" in event:
            done += 1
            result.counts[at].update(event["counts"])
            result.minutes += event["seconds"] / 60
            result.save()
        elif "new" in event:
            result.marks[at].add(event["mark"])
            if event["data"]:
                result.new[at][event["mark"]] = bytes.fromhex(event["data"])
        elif "found" in event:
            result.marks[at].add(event.get("mark", event["found"]))
            result.add(Wrong(at, event["found"], event["text"], bytes.fromhex(event.get("data", ""))))
    code = process.wait()
    assert process.stdout is not None
    process.stdout.close()
    if done < len(names) and not (result.wrong and result.wrong[-1].what == "hang" and result.wrong[-1].target == at):
        result.counts[at]["died"] += 1
        last = (work / "stderr").read_text(errors="replace")[-1500:]
        result.add(Wrong(at, f"died with {code}", last, _at_hand(work, at)))
    return list(names[done + (done < len(names)) :])


def _spent(pid: int) -> float:
    """Seconds of processor time of a process, all of its threads together."""
    try:
        numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def _listen(process: subprocess.Popen[str], said: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        said.put(line)
    said.put(None)


def _input(work: Path, name: str) -> Path:
    return work / name / "folder" / BY_NAME[name].file if name else work / "none"


def _changed(work: Path, name: str) -> float:
    try:
        return _input(work, name).stat().st_mtime
    except OSError:
        return 0.0


def _at_hand(work: Path, name: str) -> bytes:
    try:
        return _input(work, name).read_bytes()
    except OSError:
        return b""


def _keep(result: Result) -> None:
    for name, found in result.new.items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        there = len(list(folder.iterdir()))
        for data in sorted(found.values(), key=len)[: max(0, KEPT - there)]:
            (folder / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)


def together(folder: Path) -> tuple[Result, int]:
    """Counts of all runs that were kept in a folder, and how many wrong outcomes they met."""
    whole, wrong = Result(runs=0), 0
    for path in sorted(folder.glob("*.json")):
        said = json.loads(path.read_text())
        whole.minutes += said["minutes"]
        whole.runs += 1
        wrong += said["wrong"]
        for name, counts in said["counts"].items():
            whole.counts[name].update(counts)
            whole.marks[name].update(said["marks"].get(name, ()))
    return whole, wrong


def main() -> int:
    """Read the flags, feed, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="processor time, shared by the targets")
    parser.add_argument("--target", action="append", choices=list(BY_NAME), help="repeatable; default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="add inputs that led somewhere new to the corpus")
    parser.add_argument("--failures", type=Path, help="folder for the inputs of wrong outcomes")
    parser.add_argument(
        "--tally", type=Path, help="folder in which this run's counts are kept; tables are of all in it"
    )
    parser.add_argument("--docs", type=Path, help="put the table into this page, below its heading")
    asked = parser.parse_args()
    names = asked.target or list(BY_NAME)

    def tell(one: Wrong) -> None:
        print(one, end="\n\n", flush=True)
        if asked.failures:
            asked.failures.mkdir(parents=True, exist_ok=True)
            name = f"{one.target}-{one.what.split()[0]}-{hashlib.sha256(one.data).hexdigest()[:8]}"
            (asked.failures / name).write_bytes(one.data)

    place = None if asked.tally is None else asked.tally / f"{asked.seed}-{'+'.join(asked.target or ['all'])[:60]}.json"
    result = Result(tell=tell, place=place)
    if asked.minutes > 0:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as work:
            fuzz(names, 60 * asked.minutes / len(names), asked.seed, Path(work), result)
    shown, wrong = (result, len(result.wrong)) if asked.tally is None else together(asked.tally)
    counted = (
        f"{shown.inputs:,} inputs in {shown.minutes:,.0f} minutes of processor time ({shown.runs} runs); "
        f"{wrong} different wrong outcomes."
    )
    print(f"{shown.table()}\n\n{counted}")
    if asked.docs:
        replace_below(asked.docs, "## What the fuzzing showed", f"{counted}\n\n{shown.table()}")
    if asked.keep:
        _keep(result)
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
