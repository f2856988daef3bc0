"""A simulated benchmark of people in groups, compared, counted and measured at one operating point."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audit import groups
from audit.compare import halves
from audit.compare.all_pairs import AllPairs
from audit.domain import Attribute, Benchmark, Consent, DemographicGroup, Subject, Threshold
from audit.metrics import disparities, evaluation, points
from audit.metrics.evaluation import Acquired

SETTINGS = disparities.Settings(0.95, 0.05, {"FMR": 2.0, "FNMR": 1.25, "FTA": 1.25}, 2, {}, 7, 500)


def people(sizes: dict[str, int]) -> tuple[Benchmark, list[Subject]]:
    subjects = [
        Subject(f"{group}{k}", {"tone": (group,), "sex": (("f", "m")[k % 2],)})
        for group, size in sizes.items()
        for k in range(size)
    ]
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    attributes = {"tone": Attribute("tone", "assigned-by-design"), "sex": Attribute("sex", "assigned-by-design")}
    return Benchmark("s", "S", "1", Path(), consent, "c", attributes, ("tone",), tuple(subjects), (), ""), subjects


def templates(
    sizes: dict[str, int], alike: dict[str, float], images: int, seed: int, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Templates of people whose group shares a direction: the more, the more alike they are."""
    rng = np.random.default_rng(seed)
    vectors, owner = [], []
    person = 0
    for group, size in sizes.items():
        common = rng.normal(size=32)
        for _ in range(size):
            own = rng.normal(size=32) + alike.get(group, 0.0) * common
            vectors += [own + noise * rng.normal(size=32) for _ in range(images)]
            owner += [person] * images
            person += 1
    return np.array(vectors, dtype=np.float32), np.array(owner)


class Case:
    """A simulated benchmark, compared and counted."""

    def __init__(
        self, sizes: dict[str, int], alike: dict[str, float], by=("tone",), target=0.05, seed=1, noise=0.7
    ) -> None:
        images = 2
        benchmark, subjects = people(sizes)
        vectors, owner = templates(sizes, alike, images, seed, noise)
        self.grouping = groups.make(benchmark, by, subjects)
        pairs = self.pairs = AllPairs(vectors, owner, self.grouping.atom_of, self.grouping.atoms, "cosine")
        self.scores = points.exact_scores(pairs, self.grouping, [target])
        self.points = points.operating_points(self.scores, self.grouping, [target])
        thresholds = np.unique([p.value for p in self.points if p.value is not None])
        half = halves(self.grouping.atom_of, 10, np.random.default_rng(seed))
        self.counts = pairs.at(thresholds, half, 10)
        samples = np.full(len(subjects), images)
        self.acquired = Acquired(np.zeros(len(subjects), dtype=np.int64), samples)
        self.evidence = disparities.Evidence(self.counts, self.acquired, half, 10)
        self.point: Threshold = self.points[0]
        self.measured = evaluation.measure(
            self.counts, self.acquired, self.grouping, self.point, level=0.95, min_subjects=2
        )

    def rate(self, metric: str, **group: str):
        wanted = DemographicGroup.of(group)
        return next(
            r for r in self.measured.rates
            if r.metric == metric and r.group == wanted and r.reference_group is None and r.view == "conditional"
        )  # fmt: skip
