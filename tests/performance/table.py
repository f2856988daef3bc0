"""Measure what comparisons cost and write the ratios: python tests/performance/table.py --out FILE [--long]."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1] / "support")]

import comparison_ratios as measured  # noqa: E402 - the two lines above say where these are

from audit import provenance  # noqa: E402

HEAD = """# What comparisons cost

Ratios, measured side by side in one process (medians of interleaved pairs); seconds depend on the machine and are not
promised. Everything that an audit needs is inside: exact thresholds for everyone and for every group, distributions,
and the sums by person that clustered intervals rest on. The matrix products alone are torch's, float32, on all cores,
at the fastest of tile sides 512 to 4,096, with an output that is used again.

`python tests/performance/table.py --out docs/performance.md --long` measures again and writes this table.

"""
TABLE = """| what | beside what | ratio | wanted |
|---|---|---|---|
"""


def rows(*, long: bool) -> list[tuple[str, str, str, str]]:
    """Measure; (what, beside what, ratio, wanted)."""
    made = []
    repeats = 5 if long else 3
    size = 20_000 if long else 8_000
    for dimension, wanted in ((512, "at most 1.20"), (128, "at most 1.6, aiming at 1.3")):
        found = measured.against_products(size, dimension, repeats=repeats)
        beside = f"the products alone, tiles of {found['side']:,}"
        made.append((f"{size:,} templates of {dimension}, 8 groups", beside, f"{found['ratio']:.2f}", wanted))
    one = measured.memory("ours", 20_000, 512)
    made.append(
        (
            "20,000 templates of 512: peak memory",
            "the templates themselves",
            f"+{one['megabytes']:.0f} MB",
            "at most 300 MB",
        )
    )
    size = 8_000 if long else 4_000
    mine = measured.memory("ours", size, 128)
    for name, key in (("scikit-learn's roc_curve on all scores", "roc"), ("a pandas group-by of all scores", "pandas")):
        peer = measured.memory(key, size, 128)
        wanted = ("at least 30", "at least 10") if key == "roc" else ("stated", "stated")
        made.append(
            (f"{name}, {size:,} templates of 128: time", "this", f"{peer['seconds'] / mine['seconds']:.0f}", wanted[0])
        )
        made.append(
            (
                f"{name}, {size:,} templates of 128: memory",
                "this",
                f"{peer['megabytes'] / mine['megabytes']:.0f}",
                wanted[1],
            )
        )
    few, many = (10_000, 80_000) if long else (6_000, 16_000)
    found = measured.growth(few, many, 512 if long else 128, repeats=repeats)
    made.append(
        (
            f"time of one comparison among {many:,} templates of {512 if long else 128}",
            f"among {few:,}",
            f"{found['ratio']:.2f}",
            "at most 1.15",
        )
    )
    size = 20_000 if long else 8_000
    found = measured.many_groups(size, 512, repeats=repeats)
    made.append((f"64 groups, {size:,} templates of 512", "one group", f"{found['ratio']:.2f}", "at most 1.15"))
    return made


def page(made: list[tuple[str, str, str, str]], machine: str, before: str) -> str:
    """The whole page; what stands below the table of the page before is kept."""
    lines = "".join(f"| {' | '.join(row)} |\n" for row in made)
    below = before[before.rindex("|\n") + 2 :] if "|\n" in before else ""
    return f"{HEAD}{machine}\n\n{TABLE}{lines}{below}"


def here() -> str:
    """The machine, and how busy it was before anything was measured."""
    hardware = provenance.hardware("cpu")
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    also = f" Other work kept it busy at the same time (load {busy:.1f})." if busy > 0.5 else ""
    return f"Measured on {hardware['cores']} cores of {hardware['processor']}, {platform.system()}.{also}"


def main() -> None:
    """Write the page."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--long", action="store_true")
    asked = ask.parse_args()
    machine, before = here(), asked.out.read_text(encoding="utf-8") if asked.out.exists() else ""
    text = page(rows(long=asked.long), machine, before)
    asked.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
