"""Disturb every command in every way: `python tests/faults/disturb.py --campaign 300 [--seed N] [--docs FILE]`.

Prints a Markdown table with counts, the lines that users saw, and every loss in full; exits with 1 if there was one.
Campaigns of other seeds and works may run side by side: with `--tally FOLDER` their counts come together in one table.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

import campaign as engine
from campaign import CALLS, Campaign
from started import Host
from works import CLUSTER, WORKS, Work  # puts the support modules on the path

from into_document import replace_below  # isort: skip

HEADS = (
    "command", "what happens", "trials", "met", "the same result", "one line, resumed", "counted, resumed",
    "killed, resumed", "losses",
)  # fmt: skip
ALL = "**all**"
Trial = Callable[[Campaign], None]
ORDER = [
    "SIGKILL during",
    "SIGKILL",
    "EIO",
    "disk full",
    "read-only",
    "cache on a full disk",
    "clock",
    "memory",
    "slow",
    "two",
    "Ray",
]
"""How rows of the table are ordered."""


def trials(asked: Sequence[Work], *, shim: bool, mounts: bool) -> list[tuple[str, float, Trial]]:
    """Every kind of trial there is: its name, how often it is drawn, and what does it."""
    made: list[tuple[str, float, Trial]] = []

    def add(name: str, weight: float, work: Work, do: Callable[[Campaign, Work], None]) -> None:
        made.append((f"{work.name}: {name}", weight, lambda c: do(c, work)))

    for work in asked:
        if work.name == CLUSTER:
            for stage in work.stages:
                add(f"a Ray worker lost in {stage}", 3.0, work, lambda c, w, s=stage: c.lose_worker(w, s))
            continue
        for stage in work.stages:
            add(f"kill in {stage}", 3.0, work, lambda c, w, s=stage: c.kill_in_stage(w, s))
        if shim:
            for kind in CALLS:
                add(kind, 1.0, work, lambda c, w, k=kind: c.at_a_call(w, k))
            add("clock", 1.0, work, Campaign.clock)
            add("slow", 0.5, work, Campaign.slow)
        add("memory", 1.0, work, Campaign.memory)
        if work.name in {"run", "run, templates cached", "score", "publish", "cache --clear"}:
            add("two at once", 1.0, work, Campaign.two_at_once)
        if mounts and work.name == "run":
            add("mounted", 2.0, work, Campaign.mounted)
    return made


def conduct(
    number: int,
    seed: int,
    place: Path,
    *,
    minutes: float = 1e9,
    names: Sequence[str] = (),
    only: str = "",
    every: bool = False,
    tally: Path | None = None,
) -> Campaign:
    """Do so many trials; with `every`, first one of each kind; with `tally`, what came of them is kept after each."""
    rng = random.Random(seed)
    shim = engine.compiled(place)
    hosts = [Host(shim), Host(shim)]
    made = Campaign(place, rng, hosts, shim)
    asked = [work for work in WORKS if not names or work.name in names]
    if importlib.util.find_spec("ray") is None:
        asked = [work for work in asked if work.name != CLUSTER]
    needed = {work.needs for work in asked} | {work.name for work in asked}
    try:
        with made.served():
            for work in WORKS:
                if work.name in needed:
                    made.undisturbed(work)
            kinds = [one for one in trials(asked, shim=shim is not None, mounts=_can_mount()) if only in one[0]]
            until = time.monotonic() + 60 * minutes
            order = rng.sample(kinds, len(kinds)) if every else []
            for k in range(number):
                if time.monotonic() > until:
                    break
                chosen = order[k] if k < len(order) else rng.choices(kinds, [weight for _, weight, _ in kinds])[0]
                chosen[2](made)
                if tally is not None:
                    keep(made, tally)
                if sys.stderr.isatty() or k % 20 == 0:
                    print(f"{k + 1}/{number} {chosen[0]}, {len(made.losses)} losses", file=sys.stderr, flush=True)
    finally:
        for host in hosts:
            host.close()
    return made


def _can_mount() -> bool:
    import os
    import subprocess

    asked = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"]
    return os.geteuid() == 0 and subprocess.run(asked, check=False, capture_output=True).returncode == 0


def table(made: Campaign, by: int) -> str:
    """Markdown: a row a command (0) or a kind of fault (1), and one for all."""
    gathered: dict[str, list[int]] = {}
    for key in sorted(made.rows, key=_place):
        row = made.rows[key]
        lost = sum(row.ends[word] for word in ("loss", "unclear", "hang"))
        numbers = [row.trials, row.met, *(row.ends[word] for word in ("same", "said", "counted", "killed")), lost]
        for name in (key[by], ALL):
            before = gathered.get(name, [0] * len(numbers))
            gathered[name] = [a + b for a, b in zip(before, numbers, strict=True)]
    gathered[ALL] = gathered.pop(ALL, [0] * 7)
    rows = [f"| {' | '.join((HEADS[by], *HEADS[2:]))} |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    return "\n".join(
        [*rows, *(f"| {name} | {' | '.join(f'{n:,}' for n in numbers)} |" for name, numbers in gathered.items())]
    )


def _place(key: tuple[str, str]) -> tuple[int, int, str]:
    works = [work.name for work in WORKS]
    return works.index(key[0]), next((k for k, word in enumerate(ORDER) if key[1].startswith(word)), 99), key[1]


def keep(made: Campaign, place: Path) -> None:
    """Write down what came of a campaign's trials."""
    rows = [
        {"work": work, "kind": kind, "trials": row.trials, "met": row.met, "ends": row.ends, "left": row.left}
        for (work, kind), row in made.rows.items()
    ]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"rows": rows, "losses": made.losses}))


def together(folder: Path) -> tuple[Campaign, str]:
    """All campaigns of which something was kept in a folder, as one, and their seeds."""
    whole = Campaign(folder, random.Random(0), [], None)
    kept = sorted(folder.glob("*.json"))
    for path in kept:
        said = json.loads(path.read_text())
        whole.losses += said["losses"]
        for one in said["rows"]:
            row = whole.rows[one["work"], one["kind"]]
            row.trials, row.met, row.left = row.trials + one["trials"], row.met + one["met"], row.left + one["left"]
            row.ends.update(one["ends"])
    return whole, ", ".join(path.stem for path in kept)


def summary(made: Campaign, seed: int | str) -> str:
    """One sentence of counts."""
    trials = sum(row.trials for row in made.rows.values())
    met = sum(row.met for row in made.rows.values())
    kills = sum(row.met for (_, kind), row in made.rows.items() if "SIGKILL" in kind)
    return (
        f"{trials:,} trials (seed {seed}); {met:,} met their fault, {kills:,} of them a SIGKILL; "
        f"{len(made.losses):,} losses."
    )


def main() -> int:
    """Read the flags, disturb, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaign", type=int, default=100, metavar="N", help="trials")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long, whatever N says")
    parser.add_argument("--work", action="append", default=[], help="one command alone; repeatable")
    parser.add_argument("--fault", default="", help="only kinds of faults with this in their name")
    parser.add_argument("--tally", type=Path, help="folder in which counts are kept; tables are of all in it")
    parser.add_argument("--docs", type=Path, help="put the table into this document, between its marks")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        tally = None if asked.tally is None else asked.tally / f"{asked.seed}.json"
        made = conduct(
            asked.campaign,
            asked.seed,
            Path(place),
            minutes=asked.minutes,
            names=asked.work,
            only=asked.fault,
            tally=tally,
        )
    whole, seeds = (made, str(asked.seed)) if asked.tally is None else together(asked.tally)
    shown = f"{summary(whole, seeds)}\n\n{table(whole, 1)}\n\n{table(whole, 0)}"
    print(shown)
    left = sum(row.left for row in made.rows.values())
    print(f"\n{time.monotonic() - began:.0f} s, seed {asked.seed}; something unfinished was left lying {left} times")
    print("\nWhat was said:")
    for line, count in made.lines.most_common():
        print(f"{count:4} x {line}")
    for loss in made.losses:
        print(f"\nLOSS {loss}")
    if asked.docs:
        replace_below(asked.docs, "## What the campaign showed", shown)
    return 1 if made.losses else 0


if __name__ == "__main__":
    sys.exit(main())
