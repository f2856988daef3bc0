"""One replicate after the other through the harness's own code: what intervals, tests and verdicts do.

Nothing of the statistics is written here a second time: thresholds, counts, rates, contrasts, equality tests and
spreads are those of a run. What is known here and not there is the truth (`population`). Naive methods stand beside:
Wilson's interval on comparisons as if they were independent, the two-proportion test, and the bootstrap of rows in its
limit.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import population
from population import GROUPS, Population, at, true_rates
from scipy.stats import norm

from audit import groups
from audit.compare import halves
from audit.compare.all_pairs import AllPairs
from audit.domain import Attribute, Benchmark, Consent, DemographicGroup, Subject
from audit.metrics import disparities, evaluation, points
from audit.metrics.evaluation import Acquired
from audit.stats.intervals import wilson

TARGETS = (1e-1, 1e-2, 1e-3)
SPLITS = 20


@dataclass
class Tally:
    """Sums over replicates of one metric at one target."""

    intervals: int = 0
    covered: int = 0
    naive: int = 0
    bootstrap: int = 0
    effective: float = 0.0
    width: float = 0.0
    contrasts: int = 0
    rejected: int = 0
    naive_rejected: int = 0
    tested: int = 0
    global_rejected: int = 0
    nulls: int = 0
    null_rejected: int = 0
    cross_fit: list[float] = field(default_factory=list)
    tests_by_replicate: list[float] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    worst_verdicts: Counter[str] = field(default_factory=Counter)
    thresholds: list[float] = field(default_factory=list)


def simulate(
    people: int, made: Population, replicates: int, seed: int, targets: tuple[float, ...] = TARGETS
) -> dict[tuple[str, float], Tally]:
    """Draw, compare, measure, and count what was right."""
    subjects = tuple(Subject(f"s{k}", {"g": (str(k // people),)}) for k in range(GROUPS * people))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    attribute = {"g": Attribute("g", "assigned-by-design")}
    benchmark = Benchmark("s", "S", "1", Path(), consent, "", attribute, ("g",), subjects, (), "")
    grouping = groups.make(benchmark, ["g"], subjects)
    settings = disparities.Settings(
        0.95, 0.05, {"FMR": 2.0, "FNMR": 1.25, "FTA": 1.25}, 2, {"g": "0"}, seed, 2000
    )  # fmt: skip
    tables = [true_rates(length) for length in (made.homophily, made.homophily if made.last is None else made.last)]
    found: dict[tuple[str, float], Tally] = {(m, t): Tally() for m in ("FMR", "FNMR") for t in targets}
    for replicate in range(replicates):
        rng = np.random.default_rng([seed, replicate])
        vectors, who = made.draw(people, rng)
        pairs = AllPairs(vectors, who, grouping.atom_of, grouping.atoms, "cosine")
        scores = points.exact_scores(pairs, grouping, targets)
        placed = [p for p in points.operating_points(scores, grouping, targets) if p.policy == "global"]
        placed = [p for p in placed if p.value is not None]
        half = halves(grouping.atom_of, SPLITS, rng)
        counts = pairs.at(np.unique([p.value for p in placed if p.value is not None]), half, SPLITS)
        acquired = Acquired(np.zeros(len(subjects), dtype=np.int64), np.bincount(who))
        evidence = disparities.Evidence(counts, acquired, half, SPLITS)
        for point in placed:
            measured = evaluation.measure(counts, acquired, grouping, point, level=0.95, min_subjects=2)
            _count(found, measured, grouping, evidence, settings, tables)
    return found


def _count(found, measured, grouping, evidence, settings, tables) -> None:  # noqa: PLR0912 - what is counted, in order
    target, threshold = measured.point.target_fmr, measured.point.value
    truth = {
        (metric, k): at(tables[k == GROUPS - 1][row], threshold)
        for row, metric in enumerate(("FMR", "FNMR"))
        for k in range(GROUPS)
    }
    for metric in ("FMR", "FNMR"):
        one = found[metric, target]
        one.thresholds.append(threshold)
        for k in range(GROUPS):
            group = DemographicGroup.of(g=str(k))
            rate = next(
                r for r in measured.rates
                if (r.metric, r.group, r.reference_group, r.view) == (metric, group, None, "conditional")
            )  # fmt: skip
            _cover(one, rate, truth[metric, k])
    tested: dict[str, list[bool]] = {"FMR": [], "FNMR": []}
    tallies = measured.tallies
    for c in disparities.contrasts(measured, grouping, settings):
        if c.result is None or c.result.p is None or c.metric == "FTA":
            continue
        one = found[c.metric, target]
        if c.against is not None:
            tested[c.metric].append(c.result.p < 0.05)
            one.naive_rejected += _two_proportions(tallies[c.metric], grouping, c.group, c.against) < 0.05
            if c.group == DemographicGroup.of(g=str(GROUPS - 1)):
                one.worst_verdicts[c.result.verdict] += 1
    for metric, rejected in tested.items():
        one = found[metric, target]
        one.contrasts += len(rejected)
        one.rejected += sum(rejected)
        if rejected:
            one.tests_by_replicate.append(float(np.mean(rejected)))
    for test in disparities.equalities(measured, grouping):
        if test.p is not None and test.metric != "FTA":
            found[test.metric, target].tested += 1
            found[test.metric, target].global_rejected += test.p < 0.05
    for metric in ("FMR", "FNMR"):
        family = grouping.families()["g",]
        left_out = disparities._entering(measured, grouping, metric, family)
        chosen = [k for k in family if k not in left_out]
        result = disparities._spread("max/geomean", measured, evidence, grouping, [metric], chosen, ("g",), settings)
        one = found[metric, target]
        if result.null_p is not None:
            one.nulls += 1
            one.null_rejected += result.null_p < 0.05
            one.verdicts[result.verdict] += 1
        if result.cross_fit is not None:
            one.cross_fit.append(result.cross_fit)


def _cover(one: Tally, rate, truth: float) -> None:
    p, n = rate.value, rate.trials
    low, high = wilson(p, n)
    spread = norm.isf(0.025) * math.sqrt(p * (1 - p) / n)
    one.intervals += 1
    one.covered += rate.interval.low <= truth <= rate.interval.high
    one.naive += low <= truth <= high
    one.bootstrap += p - spread <= truth <= p + spread
    one.effective += rate.effective_errors or 0.0
    one.width += rate.interval.high - rate.interval.low


def _two_proportions(tally, grouping, group: DemographicGroup, against: DemographicGroup) -> float:
    a, b = grouping.index(group), grouping.index(against)
    (ea, eb), (na, nb) = tally.errors[[a, b]], tally.trials[[a, b]]
    pooled = (ea + eb) / (na + nb)
    variance = pooled * (1 - pooled) * (1 / na + 1 / nb)
    return 2 * float(norm.sf(abs(ea / na - eb / nb) / math.sqrt(variance))) if variance > 0 else 1.0


HOMOPHILY = {"off": 0.0, "on": population.HOMOPHILY}
