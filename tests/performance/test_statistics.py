"""What the statistics cost: beside the comparisons that they are about, and beside a bootstrap of the same errors."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from audit import assemble_extras, groups
from audit import record as records
from audit.compare import halves
from audit.compare.all_pairs import AllPairs
from audit.domain import Attribute, Benchmark, Consent, Subject
from audit.inputs import People
from audit.metrics import disparities
from audit.metrics.evaluation import Acquired
from audit.plan import AuditPlan
from audit.recipe import from_scores

PEOPLE = 5000
pytestmark = pytest.mark.performance


class Clock:
    """Seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def audited(people: int, images: int, dimension: int, tones: int, clock: Clock) -> None:
    """Compare made-up people and measure everything, stage by stage as the recipe does."""
    rng = np.random.default_rng(1)
    subjects = tuple(Subject(f"s{k}", {"tone": (f"t{k % tones}",)}) for k in range(people))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    benchmark = Benchmark(
        "s", "S", "1", Path(), consent, "c", {"tone": Attribute("tone", "annotated")}, ("tone",), subjects, (), ""
    )
    grouping = groups.make(benchmark, ["tone"], subjects)
    own = rng.normal(size=(people, dimension)).astype(np.float32)
    who = np.repeat(np.arange(people), images)
    vectors = own[who] + 2 * rng.standard_normal((people * images, dimension), dtype=np.float32)
    plan = AuditPlan(benchmark="s", model="m", by=("tone",))
    pairs = AllPairs(vectors, who, grouping.atom_of, grouping.atoms, "cosine")
    everyone = People(tuple(subject.subject_id for subject in subjects), grouping, ())
    scored = from_scores.Scored(
        plan, benchmark, SimpleNamespace(vendor_threshold=None), None,  # type: ignore[arg-type]
        everyone, everyone, pairs, pairs,
        Acquired(np.zeros(people, dtype=np.int64), np.full(people, images)), "cosine",
    )  # fmt: skip
    with clock("comparisons"):
        scores, placed, _ = from_scores._place(scored)
    half = halves(grouping.atom_of, plan.splits, np.random.default_rng(plan.seed))
    thresholds = np.unique([point.value for point in placed if point.value is not None])
    with clock("comparisons"):
        counts = pairs.at(thresholds, half, plan.splits)
    with clock("statistics"):
        found = from_scores._find(scored, placed, disparities.Evidence(counts, scored.acquired, half, plan.splits))
    assert len(found.measured) == 2
    assert len(found.differentials) > 20
    with clock("beside"):
        assemble_extras.beside(
            pairs, pairs, scores, counts, grouping, placed, found.differentials, plan, benchmark, everyone.subjects
        )


def test_statistics_take_less_than_the_comparisons(capsys: pytest.CaptureFixture[str]) -> None:
    """20,000 templates of 512 numbers in 8 groups: all groups, operating points, intervals, contrasts, aggregates.

    A quarter of the comparisons' time until these took a fifth of what they did; what stands beside counts in full.
    """
    import scipy.stats  # noqa: F401, PLC0415 - a second of start-up, before the clock starts

    audited(64, 2, 32, 8, Clock())  # compiles
    clock = Clock()
    audited(PEOPLE, 4, 512, 8, clock)
    comparisons, statistics, beside = (clock.seconds[name] for name in ("comparisons", "statistics", "beside"))
    with capsys.disabled():
        print(
            f"\ncomparisons {comparisons:.1f} s; statistics {statistics:.1f} s ({statistics / comparisons:.1%}); "
            f"score shift and label noise {beside:.1f} s ({beside / comparisons:.1%})"
        )
    assert statistics <= comparisons
    assert beside <= 4 * comparisons


def test_the_bootstrap_of_cimat_is_a_hundred_times_slower(capsys: pytest.CaptureFixture[str]) -> None:
    """From the scores of 300 people, 4 images each, to intervals at a threshold: 100 draws of its bootstrap for FMR and
    FNMR of everyone, against all rates of everyone, four groups and the pairs of groups here."""
    cimat = pytest.importorskip(
        "cimat", reason="pip install --no-deps cimat==0.1.2; it pins an old numpy, and runs on this"
    )
    rng = np.random.default_rng(2)
    people, images = 300, 4
    who = np.repeat(np.arange(people), images)
    vectors = rng.normal(size=(people, 16))[who] + 0.7 * rng.normal(size=(people * images, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    one, two = np.triu_indices(len(who), 1)
    values = np.einsum("ij,ij->i", vectors[one], vectors[two])
    table: dict[int, dict[int, list[float]]] = {k: {} for k in range(people)}
    for i, j, value in zip(who[one], who[two], values, strict=True):
        table[i].setdefault(j, []).append(float(value))
        if i != j:
            table[j].setdefault(i, []).append(float(value))
    labels = np.arange(people) % 4
    from audit.compare.pairs import ListedPairs  # noqa: PLC0415 - compiled before the clock starts
    from audit.metrics import evaluation, points  # noqa: PLC0415

    subjects = tuple(Subject(f"s{k}", {"g": (str(label),)}) for k, label in enumerate(labels))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    benchmark = Benchmark(
        "s", "S", "1", Path(), consent, "", {"g": Attribute("g", "annotated")}, ("g",), subjects, (), ""
    )
    grouping = groups.make(benchmark, ["g"], subjects)
    acquired = Acquired(np.zeros(people, dtype=np.int64), np.full(people, images))

    pairs = ListedPairs(who[one], who[two], values, grouping.atom_of, grouping.atoms)
    point = points.operating_points(points.exact_scores(pairs, grouping, (1e-2,)), grouping, (1e-2,))[0]
    nobody = np.zeros(people, dtype=np.int64)

    def intervals() -> list[records.Rate]:
        listed = ListedPairs(who[one], who[two], values, grouping.atom_of, grouping.atoms)
        counts = listed.at(np.array([point.value]), nobody, 0)
        return evaluation.measure(counts, acquired, grouping, point, level=0.95, min_subjects=2).rates

    intervals()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        made = intervals()
        times.append(time.perf_counter() - began)
    ours = float(np.median(times))
    everyone = next(rate for rate in made if rate.metric == "FMR" and not rate.group.items)
    estimator = cimat.UncertaintyEstimator(table)
    began = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        estimator.run_bootstrap(B=100)
    theirs = time.perf_counter() - began
    with capsys.disabled():
        print(
            f"\n{len(values):,} comparisons: {ours * 1e3:.0f} ms; bootstrap of cimat, 100 draws, {theirs:.1f} s: "
            f"{theirs / ours:.0f} x"
        )
    assert everyone.trials == people * (people - 1) // 2 * images**2
    assert theirs >= 100 * ours
