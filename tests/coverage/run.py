"""The whole simulation, and the table of the documentation: `python tests/coverage/run.py --out docs/coverage.md`.

About an hour on two cores. Settings, seeds and numbers of replicates are fixed here.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(Path(__file__).parent)]

import numpy as np  # noqa: E402
import population  # noqa: E402
import simulate as engine  # noqa: E402
from population import GROUPS, Population, worse_by  # noqa: E402

PEOPLE = (30, 100, 300)
REPLICATES = 250
"""Eight groups each: 2,000 group intervals a setting."""
VERDICTS = 400


@dataclass(frozen=True)
class Job:
    """One setting: people a group, homophily, and by how many times the last group's FMR is worse at which target."""

    people: int
    homophily: str
    replicates: int
    ratio: float | None = None
    target: float | None = None

    def run(self) -> dict:
        """Simulate it."""
        length = engine.HOMOPHILY[self.homophily]
        seed = 1000 * self.people + (self.homophily == "on")
        if self.ratio is None or self.target is None:
            return engine.simulate(self.people, Population(length), self.replicates, seed)
        # The threshold depends on the last group, and the last group on the threshold: three rounds settle both.
        made = Population(length)
        for _ in range(3):
            pilot = engine.simulate(self.people, made, 12, seed + 7, (self.target,))
            made = worse_by(self.ratio, float(np.mean(pilot["FMR", self.target].thresholds)), length)
        return engine.simulate(self.people, made, self.replicates, seed + 13, (self.target,))


NULL = [Job(people, homophily, REPLICATES) for people in reversed(PEOPLE) for homophily in ("on", "off")]
SPREAD_AT_RHO = 2 ** (GROUPS / (GROUPS - 1))
"""One group so many times worse than seven others makes max/geomean 2."""
KNOWN = [
    Job(100, homophily, VERDICTS, ratio, 1e-2) for homophily in ("on", "off") for ratio in (6.0, 2.0, SPREAD_AT_RHO)
]  # fmt: skip


def share(hits: float, trials: int) -> tuple[float, float]:
    """A share and its Monte-Carlo standard error."""
    p = hits / trials if trials else math.nan
    return p, math.sqrt(max(p * (1 - p), 1e-12) / trials) if trials else math.nan


def bounds(effective: float) -> tuple[float, float]:
    """Coverage that is asked for, by expected effective errors."""
    return (0.92, 0.98) if effective >= 30 else (0.90, 0.985) if effective >= 10 else (0.88, 1.0)


def _plain(label: str) -> str:
    return label.replace(" | ", ", ")


def _percent(found: tuple[float, float]) -> str:
    return "–" if math.isnan(found[0]) else f"{100 * found[0]:.1f} ± {100 * found[1]:.1f}"


def coverage_rows(results: dict[Job, dict]) -> tuple[list[str], list[str]]:
    """Rows of the coverage table, and what missed its bound."""
    rows, missed = [], []
    for job in NULL:
        for (metric, target), one in results[job].items():
            if not one.intervals:
                continue
            effective = one.effective / one.intervals
            ours, naive, boot = (share(x, one.intervals) for x in (one.covered, one.naive, one.bootstrap))
            low, high = bounds(effective)
            fine = low - 2 * ours[1] <= ours[0] <= high + 2 * ours[1]
            label = f"{job.people} | {job.homophily} | {metric} | {target:g}"
            exact = low <= ours[0] <= high
            mark = "yes" if exact else "within 2 errors" if fine else "no"
            rows.append(
                f"| {label} | {effective:.1f} | {_percent(ours)} | {100 * low:g} to {100 * high:g} | {mark} | "
                f"{_percent(naive)} | {_percent(boot)} |"
            )
            if not exact:
                missed.append(
                    f"{label.replace(' | ', ', ')}: {_percent(ours)} % against {100 * low:g} to {100 * high:g} %"
                )
    return rows, missed


def test_rows(results: dict[Job, dict]) -> tuple[list[str], list[str]]:
    """Rows of the table of tests under equal rates, and what missed its bound."""
    rows, missed = [], []
    for job in NULL:
        for (metric, target), one in results[job].items():
            effective = one.effective / max(one.intervals, 1)
            if effective < 10 or not one.contrasts:
                continue
            # Contrasts of one replicate share their reference: their error is that of replicates.
            rates = np.array(one.tests_by_replicate)
            contrast = float(rates.mean()), float(rates.std(ddof=1) / math.sqrt(len(rates)))
            naive = share(one.naive_rejected, one.contrasts)
            equal, null = share(one.global_rejected, one.tested), share(one.null_rejected, one.nulls)
            logs = np.log(one.cross_fit)
            fit = float(np.exp(logs.mean())), float(logs.std(ddof=1) / math.sqrt(len(logs)))
            large = job.people >= 100
            checks = [
                ("contrasts", contrast, 0.0, 0.08 if large else 0.09),
                ("global test", equal, 0.0, 0.09 if large else 0.11),
                ("max/geomean under equal rates", null, 0.01 if large else 0.0, 0.08 if large else 1.0),
                ("cross-fit", fit, 0.95, 1.05),
            ]
            label = f"{job.people} | {job.homophily} | {metric} | {target:g}"
            for name, (value, error), low, high in checks:
                if not low <= value <= high:
                    missed.append(
                        f"{name}, {label.replace(' | ', ', ')}: {value:.3f} ± {error:.3f}, asked {low:g} to {high:g}"
                    )
            rows.append(
                f"| {label} | {effective:.1f} | {_percent(contrast)} | {_percent(naive)} | {_percent(equal)} | "
                f"{_percent(null)} | {fit[0]:.3f} ± {fit[1]:.3f} |"
            )
    return rows, missed


def verdict_rows(results: dict[Job, dict]) -> tuple[list[str], list[str]]:
    """Rows of the table of verdicts where the truth is known, and what missed its bound."""
    rows, missed = [], []
    for job in KNOWN:
        one = results[job]["FMR", job.target]
        for name, counts in (("contrast", one.worst_verdicts), ("max/geomean", one.verdicts)):
            total = sum(counts.values())
            disparity, equivalent = (share(counts[v], total) for v in ("DISPARITY", "EQUIVALENT"))
            label = f"{job.ratio:.3g} | {job.homophily} | {name}"
            effective = one.effective / one.intervals
            rows.append(f"| {label} | {effective:.1f} | {_percent(disparity)} | {_percent(equivalent)} | {total} |")
            at_rho = (name == "contrast" and job.ratio == 2.0) or (name == "max/geomean" and job.ratio == SPREAD_AT_RHO)
            if job.ratio == 6.0 and disparity[0] < 0.95:
                missed.append(f"{_plain(label)}: DISPARITY {_percent(disparity)} %, asked at least 95 %")
            if at_rho and equivalent[0] > 0.05 + 2 * equivalent[1]:
                missed.append(f"{_plain(label)}: EQUIVALENT {_percent(equivalent)} %, asked at most 5 %")
    return rows, missed


TEXT = """# Do the intervals hold? A simulation

*Made by `python tests/coverage/run.py --out docs/coverage.md`; every number below comes from that run. ± is one
Monte-Carlo standard error.*

An interval that is called 95 % should hold the truth 95 times in 100. With comparisons that share people it is easy to
be wrong, and no formula shows it: one has to try with people of whom the truth is known. Here they are simulated.

**Who.** {groups} groups of 30, 100 or 300 people, 2 to 4 images each. Templates have {dimension} numbers; everybody shares
a common direction; image noise differs from person to person by a factor exp(0.4 N), N standard normal, so that some
people match many others and some hardly anybody. With *homophily on*, people of a group look alike: false matches within
a group are {ratios} times as frequent as across groups at targets of 0.1, 0.01 and 0.001. All groups
are equally hard, so every disparity found is a false alarm. The threshold is set on the same data, as in a run. The truth
at that threshold is read from separate populations of {reference} people.

**How.** Thresholds, counts, rates, contrasts, tests and spreads are computed by the code of `faceaudit run`, not by a
copy of it. {replicates} replicates of {groups} groups give {intervals} intervals a row. Seeds are fixed.

**Beside it.** *Naive*: Wilson's interval with comparisons counted as if they were independent. *Row bootstrap*: resampling
comparisons, in its normal limit. *Two proportions*: the usual test of two rates, comparisons again counted as
independent. These are what most tools print.

## Intervals: how often do 95 % intervals hold the truth?

"Effective errors" is what support is judged by: errors after comparisons that share people are discounted. Bounds: 92 to
98 % from 30 effective errors, 90 to 98.5 % from 10, at least 88 % below.

| People | Homophily | Rate | Target FMR | Effective errors | faceaudit, % | Asked, % | Held | Naive, % | Row bootstrap, % |
|--:|:--|:--|--:|--:|--:|:--|:--|--:|--:|
{coverage}

## Tests where nothing differs: how often is there a false alarm?

At a level of 5 %; settings with at least 10 effective errors a group. Contrasts: a group against the reference group;
asked: at most 8 % from 100 people, 9 % at 30. Global test: all groups have one rate; at most 9 %, at 30 people 11 %.
Max/geomean: share of its null p-values below .05; 1 to 8 % from 100 people. Cross-fit: geometric mean of the de-biased
max/geomean, asked .95 to 1.05.

| People | Homophily | Rate | Target FMR | Effective errors | Contrasts, % | Two proportions, % | Global test, % | Max/geomean, % | Cross-fit |
|--:|:--|:--|--:|--:|--:|--:|--:|--:|--:|
{tests}

## Verdicts where the truth is known

100 people a group, target FMR 0.01, margin 2. The last group's true FMR is so many times that of each other one. At 6, a
DISPARITY is there and should be found in 95 % of runs. A true contrast of exactly 2, and a true max/geomean of exactly 2
(one group 2.21 times worse than seven others), must not be called EQUIVALENT in more than 5 %.

| True ratio | Homophily | Verdict on | Effective errors | DISPARITY, % | EQUIVALENT, % | Runs |
|--:|:--|:--|--:|--:|--:|--:|
{verdicts}

## What did not hold

{missed}
"""  # noqa: E501 - a row of a table is one line


def document(results: dict[Job, dict], seconds: float) -> str:
    """The page."""
    coverage, one = coverage_rows(results)
    tests, two = test_rows(results)
    verdicts, three = verdict_rows(results)
    tables = (
        population.true_rates(population.HOMOPHILY),
        population.true_rates(population.HOMOPHILY, population.HOMOPHILY),
    )
    ratios = []
    for target in engine.TARGETS:
        place = int(np.argmax(tables[1][0] <= target))
        ratios.append(f"{tables[0][0][place] / tables[1][0][place]:.1f}")
    missed = "\n".join(f"- {line}" for line in (*one, *two, *three)) or "Everything that was asked for held."
    return TEXT.format(
        groups=GROUPS, dimension=population.DIMENSION, ratios=", ".join(ratios[:-1]) + " and " + ratios[-1],
        reference="72,000", replicates=REPLICATES, intervals=f"{REPLICATES * GROUPS:,}", coverage="\n".join(coverage),
        tests="\n".join(tests), verdicts="\n".join(verdicts), missed=missed,
    )  # fmt: skip


def _run(job: Job) -> dict:
    began = time.perf_counter()
    made = job.run()
    print(f"{job} {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return made


def main() -> None:
    """Simulate everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    began = time.perf_counter()
    jobs = [*NULL, *KNOWN]
    with ProcessPoolExecutor(asked.processes) as pool:
        results = dict(zip(jobs, pool.map(_run, jobs), strict=True))
    asked.out.write_text(document(results, time.perf_counter() - began), encoding="utf-8")
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
