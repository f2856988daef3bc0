"""Two models on the same simulated people: some people are hard for both, each model has errors of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit import assemble, groups, influence
from audit.compare import by_subject, halves
from audit.compare.all_pairs import AllPairs
from audit.comparison import Compared, Difference
from audit.domain import Attribute, Benchmark, Consent, DemographicGroup, Subject, Threshold
from audit.influence import Influence
from audit.metrics import evaluation
from audit.metrics.evaluation import Acquired, Measured
from audit.record import Rate
from audit.side_by_side.differences import _difference
from audit.side_by_side.pair import Pair
from audit.side_by_side.shared import Shared

DIMENSION, IMAGES = 24, 2
CONSENT = Consent("S1", "", "", "CC0", {}, "no", False, "none")


@dataclass
class Model:
    """What one model gave: templates, counts and the sums by person."""

    templates: np.ndarray
    owner: np.ndarray
    measured: Measured
    kept: Influence

    def rate(self, metric: str, **group: str) -> Rate:
        wanted = DemographicGroup.of(group)
        found = next(
            r for r in self.measured.rates
            if (r.metric, r.group, r.reference_group, r.view) == (metric, wanted, None, "conditional")
        )  # fmt: skip
        return assemble.rate(found, None)


def draw(people: int, rng: np.random.Generator, alike: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Templates of two models and their owners; the last half of the people are group b, who are more alike."""
    hard = 0.35 * rng.normal(size=people)
    common = np.zeros(DIMENSION)
    common[0] = 1.0
    found = []
    own = rng.normal(size=(people, DIMENSION))
    for _ in range(2):
        mine = 0.8 * own + 0.6 * rng.normal(size=(people, DIMENSION))
        mine += (1.0 + alike * (np.arange(people) >= people // 2))[:, None] * common
        noise = 0.8 * np.exp(hard + 0.15 * rng.normal(size=people))
        spread = noise[:, None, None] * rng.normal(size=(people, IMAGES, DIMENSION))
        made = (mine[:, None, :] + spread).reshape(-1, DIMENSION)
        found.append((made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32))
    return found[0], found[1], np.repeat(np.arange(people), IMAGES)


def measure(
    templates: np.ndarray, owner: np.ndarray, threshold: float, root: Path, *, lost: int = 0, listed: bool = True
) -> Model:
    """Count at a fixed threshold; the first `lost` samples have no template."""
    people = int(owner.max()) + 1
    subjects = [Subject(f"s{k}", {"g": ("ab"[k >= people // 2],)}) for k in range(people)]
    attributes = {"g": Attribute("g", "assigned-by-design")}
    benchmark = Benchmark("s", "S", "1", Path(), CONSENT, "c", attributes, ("g",), tuple(subjects), (), "")
    grouping = groups.make(benchmark, ("g",), subjects)
    templates, owner = templates[lost:], owner[lost:]
    pairs = AllPairs(templates, owner, grouping.atom_of, grouping.atoms, "cosine")
    at = np.array([threshold])
    half = halves(grouping.atom_of, 1, np.random.default_rng(0))
    point = Threshold("given-1", "given", DemographicGroup(), None, threshold, None, "given")
    failed = np.zeros(people, dtype=np.int64)
    failed[: -(-lost // IMAGES)] = IMAGES
    acquired = Acquired(failed, np.full(people, IMAGES))
    measured = evaluation.measure(pairs.at(at, half, 1), acquired, grouping, point, level=0.95, min_subjects=2)
    everybody = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
    table, _ = by_subject.collect(pairs, at, grouping.atom_of, everybody, pairs.scores().grid, [])
    names = [subject.subject_id for subject in subjects]
    kept = influence.make(names, "benchmark s", grouping, [measured], table if listed else None, root)
    return Model(templates, owner, measured, kept)


def pair(one: Model | None, two: Model | None, *, disjoint: bool = False) -> Pair:
    """The two as `compare` sees them; None: what people added is not known."""
    about = Compared(
        label="x", model="m", revision="", benchmark="s", version="", created="", people=0, samples=0, plan=""
    )
    shared = Shared.of(one.kept, two.kept) if one is not None and two is not None else None
    second = about.model_copy(update={"label": "y"})
    return Pair(about, second, None, None, shared, disjoint)  # type: ignore[arg-type] - records are not looked at here


def difference(one: Model, two: Model, metric: str, between: Pair | None = None, **group: str) -> Difference:
    return _difference(between or pair(one, two), "given-1", one.rate(metric, **group), two.rate(metric, **group), 0.95)
