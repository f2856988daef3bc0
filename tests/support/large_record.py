"""A record of the size of a large audit: 64 intersections of two attributes, and their pairs, at five points."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

from site_results import builder

from audit import record as r

REGIONS = (
    "north africa",
    "west africa",
    "east asia",
    "south asia",
    "europe",
    "latin america",
    "middle east",
    "oceania",
)
AGES = ("18-24", "25-29", "30-34", "35-39", "40-49", "50-59", "60-69", "70+")
TARGETS = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)
EACH = 12


def large() -> r.EvaluationRecord:
    """Counts are made up; sizes, parts and their numbers are those of a real run on as many groups."""
    made, rng = builder(), random.Random(64)  # noqa: S311 - a picture for tests
    names = [("region",), ("age",), ("region", "age")]
    groups = [{}, *({"region": x} for x in REGIONS), *({"age": x} for x in AGES)]
    groups += [{"region": a, "age": b} for a, b in itertools.product(REGIONS, AGES)]
    sizes = [EACH * (64 if not g else 8 if len(g) == 1 else 1) for g in groups]
    pairs = [4 * n * (n - 1) // 2 for n in sizes]
    points = [f"global-fmr-{t:g}" for t in TARGETS]
    rates: list[r.Rate] = []
    contrasts: list[r.Contrast] = []
    for point, target in zip(points, TARGETS, strict=True):
        for group, n, trials in zip(groups, sizes, pairs, strict=True):
            wrong = min(trials // 2, int(trials * target * math.exp(rng.gauss(0, 0.8))))
            rates.append(made.rate("FMR", group, point, wrong, trials, n))
            rates.append(made.rate("FNMR", group, point, int(2 * n * rng.random() * 0.1), 2 * n, n))
            contrasts += [
                _contrast(rng, m, point, group, ratio) for m, ratio in (("FMR", 2.0), ("FNMR", 1.25)) if group
            ]
        for a, b in itertools.combinations(groups[17:], 2):
            rates.append(made.rate("FMR", a, point, rng.randrange(4), 4 * EACH * EACH, 2 * EACH, reference_group=b))
    counts = [
        r.GroupCount(group=g, subjects=n, samples=2 * n, mated=2 * n, nonmated=p)
        for g, n, p in zip(groups, sizes, pairs, strict=True)
    ]
    spreads = [_spread(made, metric, list(of), point) for of in names for metric in ("FMR", "FNMR") for point in points]
    labels = {
        k: r.AttributePart(provenance="self-reported", values=list(v)) for k, v in (("region", REGIONS), ("age", AGES))
    }
    base = made.london_like()
    return base.model_copy(update={
        "benchmark": base.benchmark.model_copy(update={"attributes": labels}),
        "samples": r.SamplesPart(
            total=2 * sizes[0], subjects=sizes[0], mated=2 * sizes[0], nonmated=pairs[0], by_group=counts
        ),
        "acquisition": [], "rates": rates, "contrasts": contrasts, "differentials": spreads,
        "operating_points": [
            base.operating_points[0].model_copy(update={"id": p, "target_fmr": t, "threshold": -t, "achieved_fmr": t})
            for p, t in zip(points, TARGETS, strict=True)
        ],
        "distributions": [d for g in groups for d in _distributions(rng, g)],
        "det": [_det(g, p) for g, p in zip(groups, pairs, strict=True)],
        "score_shifts": [
            _shift(rng, g, n, mated) for g, n in zip(groups[1:], sizes[1:], strict=True) for mated in (True, False)
        ],
    })  # fmt: skip


def _contrast(rng: random.Random, metric: str, point: str, group: r.Group, margin: float) -> r.Contrast:
    ratio, spread = math.exp(rng.gauss(0, 0.7)), math.exp(0.8 + rng.random())
    low, high = ratio / spread, ratio * spread
    return r.Contrast(
        metric=metric, operating_point=point, group=group, against="rest", ratio=ratio, p=0.2, p_adjusted=1.0,
        interval=r.IntervalPart(low=low, high=high, level=0.95, method="log ratio"), margin=margin,
        verdict="DISPARITY" if low > 1 and ratio >= margin else "INCONCLUSIVE",
        minimum_detectable_ratio=spread**1.4, family=f"{metric} | {point}",
    )  # fmt: skip


def _spread(made: Any, metric: str, attributes: list[str], point: str) -> r.Differential:
    return r.Differential(
        measure="max/geomean", metric=metric, attributes=attributes, operating_point=point, value=1.9,
        interval=r.IntervalPart(low=1.0, high=3.6, level=0.95, method="draws"), null_p=0.08, null_median=1.3,
        null_high=2.1, null_histogram=made.chance(), debiased={"cross_fit": 1.4, "tau": 0.3},
        groups=r.GroupsPart(worst=None, best=None), zero_adjusted=[], excluded=[], verdict="INCONCLUSIVE", margin=2.0,
        minimum_detectable_ratio=3.0,
    )  # fmt: skip


def _distributions(rng: random.Random, group: r.Group) -> list[r.Distribution]:
    edges = [k / 128 for k in range(257)]
    return [
        r.Distribution(group=group, reference_group=None, mated=mated, edges=edges, counts=[
            round(400 * math.exp(-((k - middle - rng.random()) ** 2) / 800)) for k in range(256)
        ])
        for mated, middle in ((True, 170), (False, 80))
    ]  # fmt: skip


def _det(group: r.Group, trials: int) -> r.DetCurve:
    steps = [min(1.0, 1.06**k / trials) for k in range(200)]
    return r.DetCurve(group=group, fmr=steps, fnmr=[0.4 * (1 - k / 200) for k in range(200)])


def _shift(rng: random.Random, group: r.Group, people: int, mated: bool) -> r.ScoreShift:
    value = rng.gauss(0, 0.4)
    return r.ScoreShift(
        attributes=list(group), group=group, mated=mated, share=0.1, value=0.5, rest=0.5, deviation=0.1, shift=value,
        interval=r.IntervalPart(low=value - 0.3, high=value + 0.3, level=0.95, method="MOVER"), subjects=people,
        rest_subjects=768 - people, trials=people, support="count-only",
    )  # fmt: skip
