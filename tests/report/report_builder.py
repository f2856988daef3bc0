"""Builds records that look like the London audit, without measuring anything.

Counts of the hardest and the easiest group are those of a real run (dlib at a global FMR of 1e-3: Black women 9 of 40
on 5 people, white men 0 of 2,244 on 34 people); the others are plausible. Intervals are Wilson's on an effective size.
"""

from __future__ import annotations

import itertools
import math
import random
from statistics import NormalDist
from typing import Any

from audit import record as r

Z = NormalDist().inv_cdf(0.975)
PEOPLE = {
    ("female", "white"): 35, ("male", "white"): 34, ("male", "black"): 8, ("female", "black"): 5,
    ("female", "west_asian"): 5, ("male", "west_asian"): 5, ("male", "east_asian"): 5, ("female", "east_asian"): 4,
    ("male", "east_asian/white"): 1,
}  # fmt: skip
WRONG = {
    ("female", "black"): 9, ("female", "east_asian"): 2, ("female", "west_asian"): 1, ("female", "white"): 4,
    ("male", "black"): 2,
}  # fmt: skip
TARGETS = (1e-2, 1e-3)
GENDERS, ETHNICITIES = ("female", "male"), ("white", "black", "west_asian", "east_asian", "east_asian/white")


def groups() -> list[r.Group]:
    """Everyone, each attribute, each intersection that has people."""
    single = [{"gender": g} for g in GENDERS] + [{"ethnicity": e} for e in ETHNICITIES]
    return [{}, *single, *({"gender": g, "ethnicity": e} for g, e in PEOPLE)]


def inside(group: r.Group) -> list[tuple[str, str]]:
    """Cells of PEOPLE that a group holds."""
    return [c for c in PEOPLE if group.get("gender", c[0]) == c[0] and group.get("ethnicity", c[1]) == c[1]]


def people(group: r.Group) -> int:
    return sum(PEOPLE[c] for c in inside(group))


def nonmated(group: r.Group) -> int:
    n = people(group)
    return 4 * n * (n - 1) // 2


def interval(errors: float, trials: float, effective: float) -> r.IntervalPart:
    p, n = errors / trials, max(effective, 0.5)
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return r.IntervalPart(low=0.0 if errors == 0 else low, high=high, level=0.95, method="wilson, effective size")


def support(subjects: int, effective: float) -> str:
    if subjects < 30 or effective < 10:
        return "count-only"
    return "low-precision" if subjects < 100 or effective < 30 else "sufficient"


def rate(
    metric: str, group: r.Group, point: str | None, errors: int, trials: int, subjects: int, **more: Any
) -> r.Rate:
    base = {"metric": metric, "view": "conditional", "group": group, "operating_point": point, "errors": errors,
            "trials": trials, "subjects": subjects}  # fmt: skip
    reason = "no comparison" if trials == 0 else "fewer than 2 people" if subjects < 2 else None
    if reason:
        blank = {"value": None, "interval": None, "support": "count-only", "zero_errors": errors == 0, "reason": reason}
        return r.Rate(**{**base, **blank, **more})
    effective = max(trials / 9 if metric == "FMR" else trials, subjects / 2)
    worth = errors * effective / trials
    measured = {
        "value": errors / trials, "interval": interval(errors, trials, effective), "variance": 1e-6,
        "design_effect": 9.0, "effective_errors": worth, "support": support(subjects, worth),
        "zero_errors": errors == 0,
        "upper_bound": 1 - 0.05 ** (1 / effective) if errors == 0 else None,
    }  # fmt: skip
    return r.Rate(**{**base, **measured, **more})


def false_matches(group: r.Group, target: float) -> int:
    if not group:
        return int(20_604 * target)
    loose = 6 if target > 5e-3 else 1
    return min(nonmated(group) // 2, loose * sum(WRONG.get(c, 0) for c in inside(group)) + (14 if loose > 1 else 0))


def all_rates() -> list[r.Rate]:
    made = []
    for target in TARGETS:
        name = f"global-fmr-{target:g}"
        for group in groups():
            n = people(group)
            trials = 20_604 if not group else nonmated(group)
            made.append(rate("FMR", group, name, false_matches(group, target), trials, n))
            made.append(rate("FNMR", group, name, 0, n, n))
            for metric, wrong, of in (("FAR", false_matches(group, target), trials), ("FRR", 0, n)):
                made.append(rate(metric, group, name, wrong, of, n, view="generalised"))
        for names in (("gender",), ("ethnicity",), ("gender", "ethnicity")):
            family = [g for g in groups() if tuple(g) == names]
            for a, b in itertools.combinations(family, 2):
                trials = 4 * people(a) * people(b)
                wrong = 3 if {"black"} <= {*a.values()} & {*b.values()} else 1 if "gender" not in names else 0
                made.append(rate("FMR", a, name, min(wrong, trials), trials, people(a) + people(b), reference_group=b))
    for group in groups():
        made.append(rate("FTA", group, None, 0, 2 * people(group), people(group)))
        if group and people(group) > 7:
            made.append(rate("FNMR", group, own(group, 1e-2), 0, people(group), people(group)))
    return made


def own(group: r.Group, target: float) -> str:
    return f"per-group-fmr-{target:g}:{r.group_text(group)}"


def points() -> list[r.OperatingPoint]:
    made = []
    for target in (*TARGETS, 1e-6):
        fine = target > 1e-5
        made.append(r.OperatingPoint(
            id=f"global-fmr-{target:g}", policy="global", group={}, target_fmr=target,
            achieved_fmr=int(20_604 * target) / 20_604 if fine else None,
            threshold=-0.47 - 0.1 * math.log10(target) * -0.3 if fine else None,
            set_on="20,604 non-mated comparisons of this benchmark, all groups together",
            reason=None if fine else "not estimable: 20,604 comparisons",
        ))  # fmt: skip
        for group in groups()[1:]:
            fine = nonmated(group) * target >= 1
            made.append(r.OperatingPoint(
                id=own(group, target), policy="per-group", group=group, target_fmr=target,
                achieved_fmr=int(nonmated(group) * target) / nonmated(group) if fine else None,
                threshold=-0.52 if fine else None, set_on=f"{nonmated(group)} non-mated comparisons, within the group",
                reason=None if fine else f"not estimable: {nonmated(group):,} comparisons",
            ))  # fmt: skip
    return made


def contrast(metric: str, point: str, group: r.Group, against: Any, family: str) -> r.Contrast:
    base = {"metric": metric, "operating_point": point, "group": group, "against": against, "family": family,
            "margin": 2.0 if metric == "FMR" else 1.25}  # fmt: skip
    empty = {"ratio": None, "interval": None, "p": None, "p_adjusted": None, "verdict": "INCONCLUSIVE",
             "minimum_detectable_ratio": None, "reason": "no error in either group"}  # fmt: skip
    target = 1e-2 if "0.01" in point else 1e-3
    wrong, trials = false_matches(group, target), nonmated(group)
    other = {} if against == "rest" else against
    if metric == "FNMR" or not trials or not wrong or not nonmated(other):
        return r.Contrast(**base, **empty)
    other_wrong = max(false_matches(other, target) - (wrong if against == "rest" else 0), 0)
    other_rate = max(other_wrong, 1) / (nonmated(other) or 1)
    ratio = wrong / trials / other_rate
    spread = math.exp(1.1 + 6 / (wrong + 2))
    low, high = ratio / spread, ratio * spread
    verdict = "DISPARITY" if (low > 1 or high < 1) and not 0.5 < ratio < 2 else "INCONCLUSIVE"
    return r.Contrast(
        **base, ratio=ratio, at_least=other_wrong == 0, p=0.004, p_adjusted=0.03 if verdict == "DISPARITY" else 0.4,
        interval=r.IntervalPart(low=low, high=high, level=0.95, method="log ratio, Student's t"), verdict=verdict,
        material=low > 2, minimum_detectable_ratio=spread * 1.4,
    )  # fmt: skip


def contrasts() -> list[r.Contrast]:
    made = []
    largest = {("gender",): {"gender": "male"}, ("ethnicity",): {"ethnicity": "white"},
               ("gender", "ethnicity"): {"gender": "male", "ethnicity": "white"}}  # fmt: skip
    for target, metric, group in itertools.product(TARGETS, ("FMR", "FNMR"), groups()[1:]):
        point = f"global-fmr-{target:g}"
        reference = largest[tuple(group)]
        family = f"{metric} | {point} | {' & '.join(group)}"
        made += [contrast(metric, point, group, a, family) for a in ("rest", reference) if a != group]
    return made


def chance() -> r.Histogram:
    """Draws of a ratio under equal rates: most near 1.3, five in a hundred above 2.1."""
    edges = [math.exp(0.05 * k) for k in range(25)]
    shares = [max(0.0, 1 - abs(math.log(1.3) - 0.05 * k - 0.025)) ** 4 * math.exp(-0.16 * k) for k in range(24)]
    return r.Histogram(edges=edges, counts=[round(4000 * s / sum(shares)) for s in shares])


def differentials() -> list[r.Differential]:
    made = []
    for metric, names in itertools.product(("FMR", "FNMR"), (("gender",), ("ethnicity",), ("gender", "ethnicity"))):
        small = [g for g in groups() if tuple(g) == names and people(g) < 30]
        base: dict[str, Any] = {
            "metric": metric, "attributes": list(names), "operating_point": "global-fmr-0.001", "margin": 2.0,
            "excluded": [{"group": g, "reason": f"{people(g)} people, fewer than 30"} for g in small],
            "zero_adjusted": [],
        }  # fmt: skip
        for measure in ("max/geomean", "max/min", "gini", "garbe"):
            if metric == "FMR" and names == ("gender",) and measure != "garbe":
                worst, best = {"gender": "female"}, {"gender": "male"}
                made.append(r.Differential(
                    **base, measure=measure, value=1.9,
                    interval=r.IntervalPart(low=1.0, high=3.6, level=0.95, method="draws"),
                    null_p=0.08, null_median=1.3, null_high=2.1,
                    null_histogram=chance() if measure == "max/geomean" else None,
                    debiased={"cross_fit": 1.4, "tau": 0.3},
                    groups=r.GroupsPart(worst=worst, best=best), verdict="INCONCLUSIVE", minimum_detectable_ratio=3.0,
                ))  # fmt: skip
            else:
                made.append(r.Differential(
                    **base, measure=measure, value=None, interval=None, null_p=None,
                    debiased={"cross_fit": None, "tau": None},
                    groups=r.GroupsPart(worst=None, best=None), verdict="INCONCLUSIVE", minimum_detectable_ratio=None,
                    reason="fewer than 2 groups are large enough",
                ))  # fmt: skip
    return made


def histogram(rng: random.Random, middle: float, spread: float, n: int) -> tuple[list[float], list[int]]:
    edges = [round(-1.0 + 0.01 * k, 4) for k in range(101)]
    counts = [0] * 100
    for _ in range(n):
        counts[min(99, max(0, int((rng.gauss(middle, spread) + 1) * 100)))] += 1
    return edges, counts


def distributions() -> list[r.Distribution]:
    rng, made = random.Random(7), []  # noqa: S311 - a picture for tests
    for group in groups():
        for mated, middle, spread, n in (
            (True, -0.28, 0.05, people(group)),
            (False, -0.78, 0.08, min(nonmated(group), 3000)),
        ):
            edges, counts = histogram(rng, middle, spread, n)
            made.append(r.Distribution(group=group, reference_group=None, mated=mated, edges=edges, counts=counts))
    return made


def det(overlap: bool = False) -> list[r.DetCurve]:
    """Trade-offs: separated as in the real run, or overlapping."""
    made = []
    for group in groups():
        if nonmated(group) == 0:
            continue
        steps = [min(1.0, 3**k / nonmated(group)) for k in range(11)]
        fmr = [0.0, *dict.fromkeys(steps)]
        fnmr = [min(1.0, round(0.02 * k, 3)) for k in range(len(fmr), 0, -1)] if overlap else [0.0] * len(fmr)
        made.append(r.DetCurve(group=group, fmr=fmr, fnmr=[1.0, *fnmr[1:-1], 0.0]))
    return made


def acquisition(failed: int) -> list[r.Acquisition]:
    made = []
    for group in groups():
        n = people(group)
        wrong = failed if not group or "black" in group.values() else 0
        base: dict[str, Any] = {"group": group, "samples": 2 * n, "subjects": n, "support": support(n, wrong)}
        whole = interval(wrong, 2 * n, 2 * n) if n > 1 else None
        value = wrong / (2 * n) if n > 1 else None
        made.append(r.Acquisition(**base, stage=None, reason=None, failures=wrong, value=value, interval=whole))
        if wrong:
            made.append(
                r.Acquisition(**base, stage="detect", reason="no face found", failures=wrong, value=None, interval=None)
            )
    return made


def shift(group: r.Group, mated: bool, share: float) -> r.ScoreShift:
    """Groups of fewer than 10 people have no interval, those of fewer than 5 no shift."""
    n = people(group)
    base: dict[str, Any] = {
        "attributes": list(group), "group": group, "mated": mated, "share": share, "rest": -0.6,
        "rest_subjects": 102 - n, "trials": n if mated else nonmated(group),
        "support": "count-only" if n < 30 else "low-precision",
    }  # fmt: skip
    if n < 5:
        blank = dict.fromkeys(("value", "deviation", "shift", "interval"))
        return r.ScoreShift(**base, **blank, subjects=0, reason=f"the group has {base['trials']} comparisons")
    value = (1 - n / 40) * (0.5 if mated else 1.0)
    known = r.IntervalPart(low=value - 0.4, high=value + 0.6, level=0.95, method="MOVER")
    fine = n >= 10 and share > (0.2 if mated else 0.02)
    return r.ScoreShift(
        **base, value=-0.6 + value / 10, deviation=0.1, shift=value, interval=known if fine else None, subjects=n,
        reason=None if fine else "no interval: the group has too few independent comparisons",
    )  # fmt: skip


def shifts() -> list[r.ScoreShift]:
    return [
        shift(group, mated, share)
        for group in groups()[1:]
        for mated, shares in ((False, (0.05, 0.01)), (True, (0.25, 0.1)))
        for share in shares
    ]


def noise(attribute: str, group: r.Group | None, metric: str, share: float) -> r.LabelNoise:
    """False matches have ratios, none in white people; false non-matches have none."""
    base: dict[str, Any] = {"attribute": attribute, "provenance": "undocumented", "share": share, "metric": metric,
                            "operating_point": "global-fmr-0.001", "group": group}  # fmt: skip
    blank = dict.fromkeys(("observed", "expected", "median", "interval", "corrected"))
    if group is not None and people(group) < 2:
        return r.LabelNoise(**base, **blank, draws=0, reason="fewer than 2 people")
    if metric == "FNMR" or (attribute == "ethnicity" and group is None):
        return r.LabelNoise(**base, **blank, draws=0, reason="the observed ratio is not defined: no error")
    if group == {"ethnicity": "white"}:
        none = r.IntervalPart(low=0.0, high=0.0, level=0.95, method="draws")
        zeros = dict.fromkeys(("observed", "expected", "median", "corrected"), 0.0)
        return r.LabelNoise(**base, **zeros, interval=none, draws=200)
    seen = 2.4 - 2 * share
    drawn = r.IntervalPart(low=seen - 0.3, high=seen + 0.4, level=0.95, method="draws")
    far = share > 0.15
    return r.LabelNoise(
        **base, observed=2.4, expected=seen, median=seen, interval=drawn, draws=200,
        corrected=None if far else 2.4 + 3 * share,
        reason="not corrected: so many wrong labels would leave fewer errors than none" if far else None,
    )  # fmt: skip


def wrong_labels() -> list[r.LabelNoise]:
    return [
        noise(attribute, group, metric, share)
        for attribute in ("gender", "ethnicity")
        for share in (0.05, 0.1, 0.2)
        for metric in ("FMR", "FNMR")
        for group in (*(g for g in groups() if tuple(g) == (attribute,)), None)
    ]


def curve(quantity: str, point: str | None, values: list[float], half: float, **changes: Any) -> r.Curve:
    made: dict[str, Any] = {
        "attribute": "age", "provenance": "self-reported", "unit": "years", "quantity": quantity,
        "operating_point": point, "bandwidth": 5.7354, "x": [18.0 + k for k in range(len(values))], "value": values,
        "low": [v - half if point is None else max(0.0, v - half) for v in values],
        "high": [v + half if v or point is None else 0.4 for v in values],
        "people": [20.4 + k for k in range(len(values))], "subjects": 100, "missing": 2, "level": 0.95, "method": "m",
    }  # fmt: skip
    return r.Curve(**{**made, **changes})


def curves() -> list[r.Curve]:
    """One number with three curves, and one that is missing."""
    none: dict[str, Any] = {name: [] for name in ("x", "value", "low", "high", "people")}
    why = {"bandwidth": None, "reason": "28 people with a number and a comparison, fewer than 30", **none}
    return [
        curve("mated score", None, [-0.2 - 0.001 * k for k in range(33)], 0.05),
        curve("non-mated score", None, [], 0.0, **why),
        curve("FNMR", "global-fmr-0.001", [0.0] * 33, 0.0),
        curve("FMR", "global-fmr-0.01", [0.5] * 33, 0.1),
        curve("FMR", "global-fmr-0.001", [max(0.0, 0.02 - 0.001 * k) for k in range(33)], 0.004),
    ]


def capture_gap(quantity: str, group: r.Group, against: r.Group, **changes: Any) -> r.ConditionGap:
    """A gap at equal capture conditions; `numbers` are before, after and change, each with an interval of +- 30 %."""
    rate = quantity in {"FMR", "FNMR"}
    numbers = changes.pop("numbers", (3.0, 1.5, 0.5))
    width = changes.pop("width", 0.3)
    made: dict[str, Any] = {
        "attribute": next(iter(group)), "group": group, "against": against, "quantity": quantity,
        "operating_point": "global-fmr-0.01" if rate else None,
        "people": (49, 53), "errors": (64, 21) if rate else None,
        "comparisons": (4704, 5512), "missing": 12, "overlap": 0.2, "support": "sufficient",
    }  # fmt: skip
    for name, x in zip(("before", "after", "change"), numbers, strict=True):
        half = width * (x or 1.0)
        bounds = r.IntervalPart(low=(x or 0.0) - half, high=(x or 0.0) + half, level=0.95, method="joint sandwich")
        made |= {name: x, f"{name}_interval": None if x is None else bounds}
    return r.ConditionGap(**{**made, **changes})


def capture_part() -> r.Conditions:
    """Gaps of every kind of sentence, some that could not be formed, and two measures."""
    female, male, white = {"gender": "female"}, {"gender": "male"}, {"ethnicity": "white"}
    none = {"numbers": (None, None, None), "overlap": None, "support": "count-only"}
    few = "fewer than 10 people whose capture conditions are known"
    gaps = [
        capture_gap("FMR", female, male),
        capture_gap("FMR", {"ethnicity": "black"}, white, numbers=(20.0, 30.0, 1.5), overlap=0.83),
        capture_gap("FMR", {"ethnicity": "west_asian"}, white, numbers=(5.0, 4.0, 0.8), width=0.6),
        capture_gap("FMR", {"ethnicity": "east_asian"}, white, support="count-only", numbers=(70.0, 4e5, 5700.0)),
        capture_gap("FMR", {"ethnicity": "east_asian/white"}, white, reason=few, **none),
        capture_gap("FNMR", female, male, reason="no error in one of the two groups", **none),
        capture_gap("mated score", female, male, numbers=(-0.04, -0.03, 0.01), support="low-precision"),
        capture_gap("non-mated score", female, male, reason=few, **none),
    ]
    bounds = r.IntervalPart(low=0.6, high=0.9, level=0.95, method="joint sandwich")
    effect = r.ConditionEffect(
        attribute="gender", quantity="FMR", operating_point="global-fmr-0.01", measure="sharpness", column="mean",
        deviation=0.21, value=0.74, interval=bounds,
    )  # fmt: skip
    measures = [
        r.CaptureMeasure(
            measure=name, unit=unit, definition="a definition", source="a source", scale="linear",
            failures={"detect: no face": 3}, groups=[
                r.MeasureGroup(group=g, people=people(g), samples=2 * people(g), missing=1, quantiles=q)
                for g, q in (({}, (1.0, 2, 3, 4, 5)), (female, (1.5, 2, 2.5, 3, 5)), (white, None))
            ],
        )
        for name, unit in (("sharpness", ""), ("size", "pixels"))
    ]  # fmt: skip
    left = r.LeftOutMeasure(
        attribute="gender", quantity="FMR", operating_point="global-fmr-0.01", measure="roll", reason="the same"
    )
    return r.Conditions(
        found="faces of MTCNN", measures=measures, gaps=gaps, effects=[effect], left_out=[left], every=False, rows=4000,
        several={"ethnicity": 3},
        method="m",
    )  # fmt: skip


def conditioned(**changes: Any) -> r.EvaluationRecord:
    """The same audit with what goes with capture conditions."""
    return london_like(**{"conditions": capture_part(), **changes})


def beside(**changes: Any) -> r.EvaluationRecord:
    """The same audit with what stands beside the rates: score shifts, wrong labels, smooth curves."""
    return london_like(**{"score_shifts": shifts(), "label_noise": wrong_labels(), "curves": curves(), **changes})


def london_like(**changes: Any) -> r.EvaluationRecord:
    """The London audit with dlib, or nearly."""
    labels = {"gender": list(GENDERS), "ethnicity": list(ETHNICITIES)}
    base: dict[str, Any] = {
        "schema": r.SCHEMA, "created": "2026-11-22T12:00:00+00:00", "seed": 20_260_101,
        "software": {"faceaudit": "0.1.0", "python": "3.11.9", "numpy": "2.4.6"},
        "hardware": {"cpu": "x86_64, 2 cores", "accelerator": "none"}, "timing": {"extract": 92.1},
        "digests": r.Digests(benchmark="b" * 64, samples="5" * 64, weights="e" * 64, plan="a" * 64, code="c" * 64),
        "benchmark": r.BenchmarkPart(
            name="london", title="Face Research Lab London Set", version="5", consent_tier="T2",
            consent_statement="used in lab-based and web-based studies in their original or altered forms and to "
            "illustrate research (e.g., in scientific journals, news media or presentations)",
            consent_source="figshare, doi 10.6084/m9.figshare.5047666.v5", licence="CC BY 4.0",
            purposes={"evaluation": "allowed", "biometric": "not-named", "commercial": "allowed"},
            citation="DeBruine & Jones (2017), Face Research Lab London Set, version 5, figshare", live=False,
            notices=["Biometric use is not named in the consent wording."],
            attributes={k: r.AttributePart(provenance="undocumented", values=v) for k, v in labels.items()},
        ),
        "model": r.ModelPart(
            name="dlib", revision="resnet-v1", weights_sha256="e" * 64, licence="CC0-1.0",
            training_data="about 3 million faces: FaceScrub, VGG and images scraped from the internet",
            training_consent="none known: the people in the training images were not asked",
            similarity="negated distance",
            dimension=128, preprocessing="mtcnn-dlib5-150",
            preprocessing_text="faces found by MTCNN, five landmarks by dlib, cut out at 150 pixels",
        ),
        "plan": {"task": "verification", "benchmark": "london", "model": "dlib", "by": ["gender", "ethnicity"],
                 "fmr": list(TARGETS), "level": 0.95, "margin_fmr": 2.0, "margin_fnmr": 1.25,
                 "min_subjects": 2, "limit": None},
        "samples": r.SamplesPart(
            total=204, subjects=102, mated=102, nonmated=20_604,
            by_group=[r.GroupCount(group=g, subjects=people(g), samples=2 * people(g), mated=people(g),
                                   nonmated=20_604 if not g else nonmated(g)) for g in groups()],
        ),
        "acquisition": acquisition(0), "operating_points": points(), "rates": all_rates(),
        "differentials": differentials(),
        "contrasts": contrasts(), "distributions": distributions(), "det": det(),
        "summary": r.Summary(eer_rocch=0.0, auc=1.0, d_prime=7.1, exact=True,
                             fnmr_at_fmr=[r.FnmrAtFmr(target_fmr=1e-3, achieved_fmr=20 / 20_604, fnmr=0.0)]),
        "warnings": ["1 value of ethnicity is not documented in the descriptor: east_asian/white"],
        "limits": ["One mated pair a person: false non-matches cannot be resolved by group.",
                   "Studio portraits of one session in one place."],
    }  # fmt: skip
    return r.EvaluationRecord(**{**base, **changes})


def renamed(record: r.EvaluationRecord, names: dict[str, str]) -> r.EvaluationRecord:
    """The same record with texts replaced wherever they stand, keys included."""

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return names.get(value, value)
        if isinstance(value, dict):
            return {walk(k): walk(v) for k, v in value.items()}
        return [walk(v) for v in value] if isinstance(value, list) else value

    return r.EvaluationRecord.model_validate(walk(record.model_dump(by_alias=True)))


HOSTILE = {
    "female": "<script>alert(1)</script>", "black": "\u202egnorw\u202c \x1b[31m", "white": "لون أبيض",
    "west_asian": "x" * 10_000,
    "east_asian": "👩🏽‍🦱=1+1", "east_asian/white": "{{7*7}} {% raw %}", "gender": 'a" onload="x',
    "dlib": "Unbiased & Bias-Free\nNet", "age": "<i>age</i>" + "z" * 10_000, "years": "\x1b<u>years</u>",
}  # fmt: skip


def hostile() -> r.EvaluationRecord:
    """The same audit of people whose labels attack the page."""
    return renamed(beside(), HOSTILE)


def failing() -> r.EvaluationRecord:
    """The same audit with failed images, a withheld claim in a quotation, and an undocumented consent."""
    record = london_like(acquisition=acquisition(3))
    quote = record.benchmark.model_copy(
        update={"consent_tier": "undocumented", "consent_statement": "", "notices": ["This set is fair and unbiased."]}
    )
    return record.model_copy(update={"benchmark": quote})


def empty() -> r.EvaluationRecord:
    """Nothing could be measured, nothing is grouped."""
    record = london_like()
    point = record.operating_points[0].model_copy(
        update={"threshold": None, "achieved_fmr": None, "reason": "not estimable"}
    )
    samples = record.samples.model_copy(update={"by_group": []})
    return record.model_copy(update={
        "operating_points": [point], "rates": [], "contrasts": [], "differentials": [], "distributions": [], "det": [],
        "acquisition": [], "samples": samples, "warnings": [], "limits": [],
    })  # fmt: skip


def ungrouped() -> r.EvaluationRecord:
    """An audit of everyone together."""
    record = london_like()
    whole = [rate for rate in record.rates if not rate.group and rate.reference_group is None]
    samples = record.samples.model_copy(update={"by_group": record.samples.by_group[:1]})
    return record.model_copy(update={
        "rates": whole, "contrasts": [], "differentials": [], "samples": samples, "acquisition": record.acquisition[:1],
        "distributions": record.distributions[:2], "det": record.det[:1],
    })  # fmt: skip


def equivalent() -> r.EvaluationRecord:
    """Every contrast and every spread lies within the margin."""
    record = london_like()
    narrow = r.IntervalPart(low=0.8, high=1.3, level=0.95, method="draws")
    contrasts = [
        c.model_copy(
            update={
                "ratio": 1.02,
                "interval": narrow,
                "verdict": "EQUIVALENT",
                "at_least": False,
                "material": False,
                "p": 0.8,
                "p_adjusted": 1.0,
                "reason": None,
            }
        )
        for c in record.contrasts
    ]
    spreads = [
        d.model_copy(update={"value": 1.1, "interval": narrow, "verdict": "EQUIVALENT", "null_p": 0.7})
        for d in record.differentials
    ]
    return record.model_copy(update={"contrasts": contrasts, "differentials": spreads})


def crossing() -> r.EvaluationRecord:
    """Mated and non-mated scores overlap, so that there are trade-offs to draw, and every group may be quoted."""
    record = beside(det=det(overlap=True))
    rates = [rate.model_copy(update={"support": "sufficient"}) for rate in record.rates]
    return record.model_copy(update={"rates": rates})
