"""The recipe: benchmark + model -> templates -> comparisons -> counts -> rates -> differentials -> record -> report.

The only place that knows the order. The same command again answers from the finished record if nothing that decides a
number has changed (files, weights, plan, code); otherwise it takes every template that the cache has and computes what
is missing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from audit import record as records
from audit import results, tasks, upkeep
from audit.domain import Benchmark, FailureToAcquire, Sample
from audit.errors import DataError
from audit.evaluation import Evaluation
from audit.inputs import Progress, prepare, silent
from audit.inputs import admit as admit_comparing
from audit.models import ModelCard
from audit.plan import AuditPlan, RunOptions
from audit.recipe import from_pictures
from audit.recipe.from_templates import checkpoint_of, parts_folder
from audit.recipe.publishing import CARD, Made, card_text, described, lock_of, published, withdraw
from audit.record import EvaluationRecord
from audit.store import TemplateStore


def run(plan: AuditPlan, options: RunOptions | None = None) -> Evaluation:
    """Audit one model on one benchmark; the record and its report are written below `options.out`.

    Parameters
    ----------
    plan : everything that decides a number
    options : where data lie and results go, and how work is done; default: `RunOptions()`

    Raises
    ------
    Refused
        The benchmark's governance forbids it.
    AuditError
        See `audit.errors`.
    """
    options = options or RunOptions()
    progress = options.progress or silent
    began = time.perf_counter()
    lock = lock_of(options)
    job = _job(plan, options, progress)
    prepared = time.perf_counter()
    benchmark, card, digests = job.benchmark, job.card, job.digests
    folder = options.out / results.folder(benchmark.name, card.name, card.revision, digests.plan)
    withdraw(benchmark, job.pictures, job.files, folder, options)
    known = None if options.fresh else _known(folder, job)
    made = job.measure() if known is None else Made(known)
    measured = time.perf_counter()
    evaluation = published(made, folder, options, lock, reused=known is not None)
    for whose in ("judged", "setters"):
        if parts_folder(digests, whose, options.cache).exists():  # seldom: a finished run loads no compiler
            checkpoint_of(digests, whose, options.cache).clear()
    _tidy(job, options)
    steps = {"preparation": prepared - began, "report": time.perf_counter() - measured}
    return replace(evaluation, timing=steps)


def admit(plan: AuditPlan, options: RunOptions) -> None:
    """Pass the gates of a plan's task: a run would not be stopped before its first image.

    Raises
    ------
    AuditError
        Whatever would stop it.
    """
    task = tasks.of(plan)
    if task is None:
        admit_comparing(plan, options)
    else:
        tasks.admit(plan, options, task)


def ahead(plans: Sequence[AuditPlan], options: RunOptions) -> None:
    """Of several plans that look at the same pictures, do at once what they have in common; `run` then finds it done.

    A task that gains nothing from it does nothing here.
    """
    if options.fresh or len({plan.task for plan in plans}) != 1:
        return
    task = tasks.of(plans[0])
    together = getattr(task, "ahead", None)
    if task is None or together is None:
        return
    progress = options.progress or silent
    unknown = []
    for plan in plans:
        one = tasks.prepare(plan, options, progress, task)
        withdraw(one.benchmark, one.samples, one.files, options.out / _folder(one), options)
        if results.finished(options.out / _folder(one) / "record.json", one.digests) is None:
            unknown.append(one)
    if len(unknown) > 1:
        together(unknown, options, progress)


def _folder(one: tasks.TaskInputs[Any]) -> Path:
    return results.folder(one.benchmark.name, one.card.name, one.card.revision, one.digests.plan)


@dataclass(frozen=True, eq=False)
class _Job:
    """A run as far as every task has one: whose pictures, under which digests, and how the record is made."""

    benchmark: Benchmark
    card: ModelCard | tasks.TaskCard
    pictures: tuple[Sample, ...]
    files: Mapping[str, str | FailureToAcquire]
    digests: records.Digests
    measure: Callable[[], Made]


def _job(plan: AuditPlan, options: RunOptions, progress: Progress) -> _Job:
    task = tasks.of(plan)
    if task is not None:
        alone = tasks.prepare(plan, options, progress, task)

        def look() -> Made:
            record, tables = task.measure(alone, options, progress)
            return Made(record, described(alone.benchmark.descriptor, card_text(alone.card)), tables)

        return _Job(alone.benchmark, alone.card, alone.samples, alone.files, alone.digests, look)
    made = prepare(plan, options, progress)
    pictures = (*made.samples, *made.pictures)
    measure = partial(from_pictures.measure, made, options, progress)
    return _Job(made.benchmark, made.card, pictures, made.files, made.digests, measure)


def _known(folder: Path, job: _Job) -> EvaluationRecord | None:
    """The finished record of an earlier run; not one of a card, or of packages, that say something else by now."""
    record = results.finished(folder / "record.json", job.digests)
    if record is None or record.model.preprocessing != job.card.preprocessing:
        return None
    with contextlib.suppress(OSError):
        if (folder / CARD).read_bytes() == f"{card_text(job.card)}\n".encode():
            return record
    return None


def _tidy(job: _Job, options: RunOptions) -> None:
    """After the run: delete templates where the benchmark's terms ask for it, and hold the cache to its size."""
    if job.benchmark.delete_templates:
        TemplateStore(options.cache).forget(file for file in job.files.values() if isinstance(file, str))
    with contextlib.suppress(DataError):  # a cache that cannot be written cannot grow
        upkeep.clear(options.cache, max_size=upkeep.limit())
