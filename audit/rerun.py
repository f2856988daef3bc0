"""The plan of a record, run again: where a record's words lead back to files, and what has to be the same before work.

A record names no path. A benchmark of the catalogue and a published model are found by their names; a model's file by
its digest in the data folders, or the user names it. Other weights, another descriptor, other pictures or labels stop
the run before anything is measured, unless the user asks to see what they change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit import benchmarks, inputs, models, plan, recipe, results, scoring, tasks, templates
from audit.domain import Benchmark
from audit.errors import DataError, ModelError, PlanError
from audit.evaluation import Evaluation
from audit.models import weights
from audit.plan import AuditPlan, RunOptions
from audit.record import EvaluationRecord

_ENDINGS = {"onnx": ".onnx", "exported": ".pt2"}
"""How files of weights end that are looked for by their digest."""
_ANYWAY = "or give --anyway to see what that changes"


@dataclass(frozen=True, slots=True)
class Given:
    """What a record does not hold.

    Parameters
    ----------
    record : the record's file
    benchmark : a name, or a folder; None: as the record names it
    model : as `faceaudit run --model` takes it; None: as the record names it, a file by its digest
    subjects : table of people, for templates of undescribed people
    acknowledge : consent tiers that whoever runs it again accepts; what somebody else accepted is not taken over
    anyway : go on with other weights, pictures or labels
    """

    record: Path
    benchmark: str | None = None
    model: str | None = None
    subjects: Path | None = None
    acknowledge: tuple[str, ...] = ()
    anyway: bool = False


def rerun(record: EvaluationRecord, given: Given, options: RunOptions) -> Evaluation:
    """Run a record's plan again.

    Raises
    ------
    PlanError
        If the record lacks something that was not given, or would be overwritten.
    DataError, ModelError
        If benchmark or weights are not those of the record.
    AuditError
        As `audit.recipe.run`.
    """
    asked = planned(record, given, options)
    name = record.benchmark.name, record.model.name, record.model.revision
    target = options.out / results.folder(*name, record.digests.plan) / "record.json"
    if target.resolve() == given.record.resolve():
        raise PlanError("--out", f"{target} is the record itself, and would be overwritten", "Give another folder")
    if templates.is_given(asked.model):
        return templates.evaluate(asked, given.subjects, options)
    if not given.anyway:
        require_same(record, asked, options)
    return recipe.run(asked, options)


def planned(record: EvaluationRecord, given: Given, options: RunOptions) -> AuditPlan:
    """Make the plan of a record, with names that lead to files.

    Raises
    ------
    PlanError
        If the record is of scores that somebody computed, or does not say where something lies.
    """
    if record.model.source == scoring.SOURCE:
        raise PlanError(
            str(given.record),
            "was made from scores that somebody else computed",
            "Run 'faceaudit score' on them again, and give its record with --against",
        )
    values: dict[str, Any] = {
        **record.plan,
        "model": _model(record, given, options),
        "acknowledge": given.acknowledge,
    }
    _require_name(str(record.plan.get("benchmark")), given)
    if given.benchmark is not None:
        values["benchmark"] = given.benchmark
    elif given.subjects is not None:
        values["benchmark"] = templates.UNDESCRIBED
    return plan.make(values, place=f"{given.record}#/plan")


def _require_name(benchmark: str, given: Given) -> None:
    """A record names a benchmark; one that names a folder was not made here, and that folder is not opened."""
    if given.benchmark is None and (any(mark in benchmark for mark in "/\\") or benchmark.startswith((".", "~"))):
        raise DataError(
            f"{given.record}#/plan/benchmark", "is a path, which no record has", "Give the benchmark with --benchmark"
        )


def _model(record: EvaluationRecord, given: Given, options: RunOptions) -> str:
    said = str(record.plan.get("model", ""))
    kind, colon, _ = said.partition(":")
    if given.model is not None or not colon:
        return said if given.model is None else given.model
    known = record.digests.weights
    found = next(_by_digest(kind, known, options), None)
    if found is not None:
        return f"{kind}:{found}"
    what = f" with the SHA-256 {known}" if known != "unknown" else ""
    raise PlanError(
        str(given.record),
        f"its model {said} is a file{what}, and no data folder holds it",
        f"Give it with --model {kind}:FILE, or put its folder into FACEAUDIT_DATA",
    )


def _by_digest(kind: str, wanted: str, options: RunOptions) -> Iterator[Path]:
    """Files of the data folders that have a digest."""
    if kind not in _ENDINGS:
        return
    for entry in benchmarks.data_entries(options.data):
        for path in sorted(entry.glob(f"*{_ENDINGS[kind]}")):
            if path.stat().st_size <= weights.LARGEST and weights.digest(path) == wanted:
                yield path


def require_same(record: EvaluationRecord, asked: AuditPlan, options: RunOptions) -> None:
    """Refuse other weights, another descriptor, other pictures or labels than those of the record.

    Raises
    ------
    ModelError, DataError
        With both digests.
    """
    task = tasks.of(asked)
    data, progress = benchmarks.data_entries(options.data), options.progress or inputs.silent
    card: Any = (
        models.describe(asked.model, data=data, plan=asked)
        if task is None
        else task.describe(asked.model, data=data, plan=asked)
    )
    before, now = record.digests.weights, card.weights_sha256
    if now != before:
        raise ModelError(
            f"model {asked.model}",
            f"has weights with the SHA-256 {now[:12]}..., and the record's have {before[:12]}...",
            f"Give the record's with --model or FACEAUDIT_DATA, {_ANYWAY}",
        )
    found = inputs.prepare(asked, options, progress) if task is None else tasks.prepare(asked, options, progress, task)
    name = record.benchmark.name
    if found.digests.benchmark != record.digests.benchmark:
        raise DataError(
            f"benchmark {asked.benchmark}",
            f"its descriptor is not that of the record: SHA-256 {found.digests.benchmark[:12]}..., and there "
            f"{record.digests.benchmark[:12]}...",
            f"Give the record's version of {name} with --benchmark or --data, {_ANYWAY}",
        )
    if found.digests.samples != record.digests.samples:
        raise DataError(
            f"benchmark {asked.benchmark}",
            _what_changed(record, found.benchmark, found.judged if isinstance(found, inputs.Inputs) else found.people),
            f"Give the pictures and tables that the record was made from, {_ANYWAY}",
        )


def _what_changed(record: EvaluationRecord, benchmark: Benchmark, people: inputs.People) -> str:
    """What can be told of other samples: withdrawals, numbers, or that contents differ."""
    out, before = benchmark.withdrawn, record.benchmark.withdrawn
    listed = (0 if before is None else before.listed), (0 if out is None else out.listed)
    if listed[0] != listed[1]:
        return f"its list of withdrawals has {listed[1]} people, and had {listed[0]} when the record was made"
    images, subjects = len(people.samples), len(people.subjects)
    if (images, subjects) != (record.samples.total, record.samples.subjects):
        return (
            f"has {images:,} pictures of {subjects:,} people, and the record is of {record.samples.total:,} of "
            f"{record.samples.subjects:,}"
        )
    return "its pictures, their rows or its labels are not those of the record"
