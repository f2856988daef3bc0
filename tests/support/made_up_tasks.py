"""Records of every task beside verification, with their tables, from drawn outcomes of eighty people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from made_up_list import base, inputs

from audit import assemble_identification
from audit import record as records
from audit.bundle.sealing import plan_digest, plan_of
from audit.counted import Counted
from audit.degradations import Condition
from audit.groups import Grouping
from audit.metrics.attributes import Decided
from audit.metrics.evaluation import Acquired
from audit.plan import AuditPlan
from audit.record import EvaluationRecord
from audit.tasks import attributes
from audit.tasks.detection import _look, part
from audit.tasks.detection.count import Counts
from audit.tasks.found import Found

EMPTY = {
    "rates": [], "contrasts": [], "differentials": [], "global_tests": [], "covariance": [], "distributions": [],
    "operating_points": [], "det": [], "score_shifts": [], "label_noise": [], "annotators": [], "curves": [],
    "experimental": [], "counterfactuals": [], "storage": [], "acquisition": [], "timing": {}, "warnings": [],
}  # fmt: skip
PICTURES = 4


def searches() -> tuple[EvaluationRecord, Counted]:
    """Searches in a list, without the comparisons of one with one beside them."""
    tested = inputs(fpir=(0.1, 0.02), ranks=(1, 3), fmr=(0.01,))
    shown = _failures(Found(tested.plan, tested.grouping, {}))
    record, looks = assemble_identification.added(_record(tested.plan, tested.grouping, shown), tested)
    return record, shown.tables().and_looks(looks)


def detection() -> tuple[EvaluationRecord, Counted]:
    """A detector that misses more faces of one group than of the other, and more of worse pictures."""
    plan, grouping, rng = _plan("detection", degradations=("blur",), severities=(1, 3)), inputs().grouping, _rng()
    conditions = [Condition(), Condition("blur", 1), Condition("blur", 3)]
    people = len(grouping.atom_of)
    shape = len(conditions), people
    hard = np.array([0.1, 0.2, 0.4])[:, None] + 0.2 * grouping.member[1, grouping.atom_of] * rng.random(people)
    counts = Counts(
        conditions, rng.binomial(PICTURES, hard), np.full(shape, PICTURES), rng.binomial(PICTURES, 0.1, shape),
        rng.binomial(PICTURES, 0.1, shape), np.zeros(shape), np.zeros(shape, dtype=np.int64), {"box": 320}, {}, 0,
    )  # fmt: skip
    shown = Found(plan, grouping, {"MISS": plan.margin_fnmr, "FDET": plan.margin_fnmr, "FTA": plan.margin_fnmr})
    _look(shown, counts, plan, 0.5)
    _failures(shown)
    missed = part.measured(counts, grouping, plan)
    shown.looks += part.looks(missed, grouping)
    card: Any = SimpleNamespace(meaning="made up", box="made up")
    made = part.part(counts, grouping, plan, card, 0.5, missed)
    return _with(plan, grouping, shown, detection=made), shown.tables()


def said() -> tuple[EvaluationRecord, Counted]:
    """An attribute model that is wrong about one group more often than about another; also of smiling people apart."""
    plan, grouping, rng = _plan("attributes"), inputs().grouping, _rng()
    people = len(grouping.atom_of)
    wrong = np.where(grouping.member[1, grouping.atom_of], 0.4, 0.15) * rng.random(people)
    shown = Found(plan, grouping, dict.fromkeys(attributes.METRICS, plan.margin_attributes))
    for metric, name in (("CER", "gender"), ("OFF", "age off by more than 5")):
        trials = rng.integers(1, PICTURES + 1, people)
        one = Decided(name, metric, rng.binomial(trials, wrong), trials, rng.binomial(1, 0.1, people), "made up")  # type: ignore[arg-type]
        for condition in ({}, {"expression": "smiling"}):
            attributes._look(shown, one, grouping, condition)
    _failures(shown)
    found = records.AttributesPart(labels=[], ages=None, parts=[], left_out={})
    return _with(plan, grouping, shown, attributes=found), shown.tables()


MADE: dict[str, Callable[[], tuple[EvaluationRecord, Counted]]] = {
    "identification": searches, "detection": detection, "attributes": said,
}  # fmt: skip


def write(folder: Path, record: EvaluationRecord, tables: Counted) -> Path:
    """The folder that a run would write, without a report."""
    folder.mkdir(parents=True)
    for name, content in tables.files().items():
        (folder / name).write_bytes(content)
    records.write(record, folder / "record.json")
    return folder


def _rng() -> np.random.Generator:
    return np.random.default_rng(11)


def _plan(task: str, **more: Any) -> AuditPlan:
    return inputs().plan.model_copy(update={"task": task, **more})


def _failures(shown: Found) -> Found:
    people = len(shown.grouping.atom_of)
    failed = _rng().binomial(PICTURES, 0.1, people)
    outcomes = Acquired(failed, np.full(people, PICTURES), {("detect", "no face"): failed})
    shown.parts = shown.acquisition(outcomes)[1]  # type: ignore[attr-defined]
    return shown


def _with(plan: AuditPlan, grouping: Grouping, shown: Found, **parts: Any) -> EvaluationRecord:
    made = {
        "operating_points": shown.points, "contrasts": shown.contrasts, "differentials": shown.differentials,
        "global_tests": shown.global_tests, "covariance": shown.covariances,
    }  # fmt: skip
    return _record(plan, grouping, shown).model_copy(update={**made, **parts})


def _record(plan: AuditPlan, grouping: Grouping, shown: Found) -> EvaluationRecord:
    old = base()
    sizes = zip(grouping.groups, grouping.subjects.tolist(), strict=True)
    rows = [
        records.GroupCount(group=group.as_dict(), subjects=n, samples=PICTURES * n, mated=0, nonmated=0)
        for group, n in sizes
    ]
    whole = {"total": rows[0].samples, "subjects": rows[0].subjects, "mated": 0, "nonmated": 0, "by_group": rows}
    summary = records.Summary(eer_rocch=None, auc=None, d_prime=None, fnmr_at_fmr=[], exact=True)
    update = {
        **EMPTY, "seed": plan.seed, "plan": plan.model_dump(mode="json"), "summary": summary, "scenario": None,
        "samples": old.samples.model_copy(update=whole), "rates": shown.rates, "acquisition": shown.parts,  # type: ignore[attr-defined]
    }  # fmt: skip
    made = old.model_copy(update=update)
    digests = made.digests.model_copy(update={"plan": plan_digest(plan_of(made))})
    return made.model_copy(update={"digests": digests})
