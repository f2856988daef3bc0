"""What stands beside the rates reaches the record: when it is measured, and that it agrees with the rates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from audit import assemble, assemble_extras, groups
from audit import record as records
from audit.assemble_extras import Beside
from audit.compare import by_subject, halves
from audit.compare.all_pairs import AllPairs
from audit.domain import Attribute, Benchmark, Consent, Provenance, Subject
from audit.metrics import disparities, evaluation, points
from audit.metrics.evaluation import Acquired
from audit.plan import AuditPlan


@dataclass(frozen=True)
class Case:
    beside: Beside
    rates: list[records.Rate]
    contrasts: list[records.Contrast]


def measure(provenance: Provenance = "annotated", numeric: bool = True, **changes) -> Case:
    """80 people in two groups, 3 samples each, with ages; false non-matches grow with age."""
    plan = AuditPlan.model_validate({"benchmark": "s", "model": "m", "by": ("tone",), "fmr": (0.05,)} | changes)
    rng = np.random.default_rng(1)
    ages = rng.integers(18, 80, 80)
    subjects = tuple(
        Subject(f"s{k}", {"tone": ("ab"[k % 2],), "age": (str(age),) if k % 9 else ()}) for k, age in enumerate(ages)
    )
    attributes = {"tone": Attribute("tone", provenance)}
    if numeric:
        attributes["age"] = Attribute("age", "self-reported", "numeric", unit="years")
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    benchmark = Benchmark("s", "S", "1", Path(), consent, "c", attributes, ("tone",), subjects, (), "")
    grouping = groups.make(benchmark, ["tone"], subjects, plan.impostors)
    own = rng.normal(size=(80, 16)) + 1.2 * (np.arange(80) % 2)[:, None] * rng.normal(size=16)
    who = np.repeat(np.arange(80), 3)
    vectors = own[who] + rng.normal(size=(240, 16)) * (ages[who] / 50)[:, None]
    pairs = AllPairs(vectors.astype(np.float32), who, grouping.atom_of, grouping.atoms, "cosine")
    scores = points.exact_scores(pairs, grouping, plan.fmr)
    placed = points.operating_points(scores, grouping, plan.fmr)
    thresholds = np.unique([point.value for point in placed if point.value is not None])
    half = halves(grouping.atom_of, 5, np.random.default_rng(2))
    counts = pairs.at(thresholds, half, 5)
    acquired = Acquired(np.zeros(80, dtype=np.int64), np.full(80, 3))
    settings = disparities.Settings(0.95, 0.05, {"FMR": 2.0, "FNMR": 1.25, "FTA": 1.25}, 2, {}, 7, 200)
    one = evaluation.measure(counts, acquired, grouping, placed[0], level=0.95, min_subjects=2)
    evidence = disparities.Evidence(counts, acquired, half, 5)
    spreads = [assemble.differential(s, placed[0]) for s in disparities.spreads(one, evidence, grouping, settings)]
    beside = assemble_extras.beside(
        pairs, pairs, scores, counts, grouping, placed, spreads, plan, benchmark, [s.subject_id for s in subjects]
    )
    contrasts = [assemble.contrast(c, 2.0) for c in disparities.contrasts(one, grouping, settings)]
    return Case(beside, assemble.measured_rates(one, grouping), contrasts)


@pytest.mark.parametrize("impostors", [(), ("tone",)])
def test_observed_ratios_are_those_of_the_contrasts_with_the_rest(impostors: tuple[str, ...]) -> None:
    case = measure(impostors=impostors)
    printed = {(c.metric, records.group_text(c.group)): c.ratio for c in case.contrasts if c.against == "rest"}
    rows = [row for row in case.beside.label_noise if row.group is not None]
    assert {row.share for row in rows} == {0.05, 0.1, 0.2}
    assert len(rows) == 12
    for row in rows:
        assert row.observed == pytest.approx(printed[row.metric, records.group_text(row.group)])
        assert row.provenance == "annotated"
        assert row.interval.low <= row.median <= row.interval.high


@pytest.mark.parametrize(
    ("provenance", "changes", "shares"),
    [
        ("self-reported", {}, set()),
        ("assigned-by-design", {}, set()),
        ("self-reported", {"label_noise": (0.3,)}, {0.3}),
        ("undocumented", {}, {0.05, 0.1, 0.2}),
        ("annotated", {"label_noise": (0.01, 0.02)}, {0.01, 0.02}),
    ],
)
def test_labels_of_others_are_doubted_and_ones_own_on_request(provenance, changes, shares: set[float]) -> None:
    assert {row.share for row in measure(provenance, **changes).beside.label_noise} == shares


def test_curves_are_of_every_number_that_people_carry() -> None:
    curves = {curve.quantity: curve for curve in measure().beside.curves}
    assert set(curves) == {"FMR", "FNMR", "mated score", "non-mated score"}
    for curve in curves.values():
        assert (curve.subjects, curve.missing, curve.unit) == (71, 9, "years")
        assert len(curve.x) == len(curve.value) == len(curve.low) == len(curve.high) == len(curve.people) > 20
        assert curve.reason is None
    assert curves["FNMR"].value[-1] > curves["FNMR"].value[0] + 0.1
    assert curves["mated score"].value[-1] < curves["mated score"].value[0] - 0.1
    assert measure(numeric=False).beside.curves == []


def test_a_curve_without_bend_averages_to_the_rate() -> None:
    case = measure()
    curve = next(c for c in case.beside.curves if c.quantity == "FMR")
    overall = next(r for r in case.rates if r.metric == "FMR" and not r.group and r.view == "conditional")
    assert np.mean(curve.value) == pytest.approx(overall.value, rel=0.4)


def test_shifts_are_measured_without_either() -> None:
    beside = measure("self-reported", numeric=False).beside
    assert beside.label_noise == []
    rows = [row for row in beside.score_shifts if not row.mated and row.share == 0.05]
    assert [row.group["tone"] for row in rows] == ["a", "b"]
    assert rows[1].shift == pytest.approx(-rows[0].shift)
    assert rows[1].interval.low > 0  # people of b are made alike


def test_what_is_too_large_to_hold_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_subject, "MOST_ROWS", 10)
    beside = measure().beside
    assert {row.reason for row in beside.label_noise} == {assemble_extras.TOO_MANY}
    reasons = {curve.quantity: curve.reason for curve in beside.curves}
    assert reasons["FMR"] == assemble_extras.TOO_MANY
    assert reasons["FNMR"] is reasons["non-mated score"] is None
