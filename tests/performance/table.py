"""Measure what comparisons cost and write the ratios, row by row.

python tests/performance/table.py --out FILE [--long] [--row NAME ...]

Rows that are not measured keep their figures, and each is written as soon as it is measured: it can be stopped at any
time, and goes on with --row.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1] / "support")]

import comparison_ratios as measured  # noqa: E402 - the two lines above say where these are

from audit import provenance  # noqa: E402

HEAD = """# What comparisons cost

Ratios, measured side by side in one process (medians of interleaved pairs); seconds depend on the machine and are not
promised. Everything that an audit needs is inside: exact thresholds for everyone and for every group, distributions,
and the sums by person that clustered intervals rest on. The matrix products alone are torch's, float32, on all cores,
at the fastest of tile sides 512 to 4,096, with an output that is used again. *Load* is that of the minute before a row
was measured: far above 0, other work took part of the machine, and ratios are uncertain by some tenths.

`python tests/performance/table.py --out docs/performance.md --long` measures again and writes this table (15 minutes on
two idle cores); `--row NAME` measures one row.

"""
TABLE = """| row | what | beside what | ratio | wanted | load |
|---|---|---|---|---|---|
"""
UNKNOWN = "not measured"


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Parameters
    ----------
    name : to choose it by
    what, beside, wanted : as they are written
    measure : gives the ratio, as it is written
    """

    name: str
    what: str
    beside: str
    wanted: str
    measure: Callable[[], str]


def rows(*, long: bool) -> list[Row]:
    """All lines, at the sizes that figures are promised for or at small ones."""
    size, peers, repeats = (20_000, 8_000, 5) if long else (8_000, 4_000, 3)
    few, many, growing = (10_000, 80_000, 512) if long else (6_000, 16_000, 128)

    def products(dimension: int, **how: object) -> Callable[[], str]:
        return lambda: f"{measured.against_products(size, dimension, repeats=repeats, **how)['ratio']:.2f}"

    def peer(which: str, key: str) -> Callable[[], str]:
        return lambda: f"{measured.memory(which, peers, 128)[key] / measured.memory('ours', peers, 128)[key]:.0f}"

    made = [
        Row(f"products-{d}", f"{size:,} templates of {d}, 8 groups", "the products alone", wanted, products(d))
        for d, wanted in ((512, "at most 1.20"), (128, "at most 1.6, aiming at 1.3"))
    ]
    made += [
        Row(
            f"float32-{d}", f"{size:,} templates of {d}, 8 groups, without a matrix unit", "the products alone",
            "stated", products(d, by_terms=False),
        )
        for d in (512, 128)
    ]  # fmt: skip
    made += [
        Row(
            "groups", f"64 groups, {size:,} templates of 512", "one group", "at most 1.15",
            lambda: f"{measured.many_groups(size, 512, repeats=repeats)['ratio']:.2f}",
        ),
        Row(
            "memory", "20,000 templates of 512: peak memory", "the templates themselves", "at most 300 MB",
            lambda: f"+{measured.memory('ours', 20_000, 512)['megabytes']:.0f} MB",
        ),
    ]  # fmt: skip
    for which, name, time_, space in (
        ("roc", "scikit-learn's roc_curve on all scores", "at least 30", "at least 10"),
        ("pandas", "a pandas group-by of all scores", "stated", "stated"),
    ):
        made += [
            Row(f"{which}-{word}", f"{name}, {peers:,} templates of 128: {word}", "this", wanted, peer(which, key))
            for word, key, wanted in (("time", "seconds", time_), ("memory", "megabytes", space))
        ]
    made.append(
        Row(
            "growth", f"time of one comparison among {many:,} templates of {growing}", f"among {few:,}", "at most 1.15",
            lambda: f"{measured.growth(few, many, growing, repeats=repeats)['ratio']:.2f}",
        )
    )  # fmt: skip
    return made + (_largest() if long else [])


def _largest() -> list[Row]:
    """Lines that have no small form."""

    def once(tones: int) -> Callable[[], str]:
        def measure() -> str:
            found = measured.many_comparisons(100_000, 128, tones)
            return f"{found['ratio']:.2f}, +{found['megabytes']:.0f} MB"

        return measure

    return [
        Row(
            f"100000-{tones}", f"100,000 templates of 128, {tones} groups, once", "the products alone",
            "at most 1.6, 1,536 MB", once(tones),
        )
        for tones in (8, 64)
    ] + [
        Row(
            "ray", "two Ray workers of one thread, 50,000 templates of 512", "one such worker", "at least 1.6",
            lambda: f"{measured.ray_workers(50_000, 512)['ratio']:.2f}",
        )
    ]  # fmt: skip


def page(made: list[Row], known: dict[str, tuple[str, str]], machine: str, below: str) -> str:
    """The whole page; `known` are ratio and load by what stands in a line."""
    lines = ""
    for row in made:
        ratio, load = known.get(row.what, (UNKNOWN, ""))
        lines += f"| {row.name} | {row.what} | {row.beside} | {ratio} | {row.wanted} | {load} |\n"
    return f"{HEAD}{machine}\n\n{TABLE}{lines}{below}"


def read(before: str) -> tuple[dict[str, tuple[str, str]], str]:
    """What a page says: ratio and load by what stands in a line, and the text below the table."""
    _, _, table = before.partition(TABLE)
    lines = table.splitlines(keepends=True)
    own = list(itertools.takewhile(lambda line: line.startswith("|"), lines))
    cells = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in own]
    return {line[1]: (line[3], line[5]) for line in cells if line[3] != UNKNOWN}, "".join(lines[len(own) :])


def here() -> str:
    """The machine."""
    hardware = provenance.hardware("cpu")
    return f"Measured on {hardware['cores']} cores of {hardware['processor']}, {platform.system()}."


def main() -> None:
    """Measure, and write the page after every row."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--long", action="store_true", help="the sizes that figures are promised for")
    ask.add_argument("--row", action="append", help="measure this row only; may be given several times")
    asked = ask.parse_args()
    made = rows(long=asked.long)
    chosen = [row for row in made if asked.row is None or row.name in asked.row]
    if asked.row and len(chosen) < len(set(asked.row)):
        ask.error(f"--row: choose from {', '.join(row.name for row in made)}")
    known, below = read(asked.out.read_text(encoding="utf-8") if asked.out.exists() else "")
    for row in chosen:
        load, began = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0, time.monotonic()
        sys.stderr.write(f"{row.name}: {row.what} ... ")
        sys.stderr.flush()
        known[row.what] = row.measure(), f"{load:.1f}"
        sys.stderr.write(f"{known[row.what][0]} ({time.monotonic() - began:.0f} s, load {load:.1f} before)\n")
        asked.out.write_text(page(made, known, here(), below), encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # what a peer says at its start-up
    main()
