"""What a plan says of a benchmark and a model, before any of their data are touched: names, settings, digests.

A descriptor and a card are read, and weights hashed if they are here; no image and no table of people is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit import benchmarks, models, tasks
from audit.benchmarks import places
from audit.errors import ModelError, PlanError
from audit.inputs import model_name
from audit.plan import AuditPlan
from audit.preregistration import UNKNOWN
from audit.templates import PREFIX, UNDESCRIBED, is_given


@dataclass(frozen=True, slots=True)
class Stated:
    """A plan under the names that its record will have.

    Parameters
    ----------
    plan : with the benchmark's name, the model's name, and the attributes that the descriptor's default stands for
    model : name of the model, as the folder of its results has it
    benchmark_digest, weights : SHA-256; weights "unknown" if they are not here
    """

    plan: AuditPlan
    model: str
    benchmark_digest: str
    weights: str


def stated(plan: AuditPlan, data: Sequence[Path]) -> Stated:
    """Find out what a plan says, and that it could be run as far as that can be told.

    Raises
    ------
    Refused
        By the gate.
    AuditError
        Unknown benchmark, model or attribute.
    """
    if plan.benchmark == UNDESCRIBED and is_given(plan.model):
        raise PlanError("plan: benchmark", "templates without a descriptor name no benchmark", "Name one to lock it")
    found = places.find(plan.benchmark, data=data)
    dataset = found.descriptor.dataset
    benchmarks.pass_gate(found, place=plan.benchmark, acknowledge=plan.acknowledge, purposes=plan.all_purposes)
    by = dataset.default_by if plan.by is None else plan.by
    known = list(found.descriptor.attributes)
    for setting, names in (("by", by), ("impostors", plan.impostors), ("reference", plan.reference)):
        for name in names:
            if name not in known:
                raise PlanError(
                    f"plan: {setting}", f"{dataset.name} has no attribute {name!r}", f"It has: {', '.join(known)}"
                )
    model, weights, changed = _model(plan, data)
    shown = plan.model_copy(update={"benchmark": dataset.name, "by": tuple(by), **changed})
    return Stated(shown, model, found.descriptor.digest, weights)


def _model(plan: AuditPlan, data: Sequence[Path]) -> tuple[str, str, dict[str, str]]:
    """Name and digest of the model, and what a plan says of it in a record."""
    if is_given(plan.model):
        name = Path(plan.model.removeprefix(PREFIX)).stem
        return name, UNKNOWN, {"model": f"{PREFIX}{name}", "similarity": plan.similarity or "cosine"}
    task = tasks.of(plan)
    if task is not None:
        tasks.refuse_comparing(plan)
    try:
        card: Any = (
            models.describe(plan.model, data=data, plan=plan)
            if task is None
            else task.describe(plan.model, data=data, plan=plan)
        )
    except ModelError as error:
        if not error.missing or ":" in plan.model:  # a file that is not here has no name yet
            raise
        return plan.model, UNKNOWN, {}
    return card.name, card.weights_sha256, {"model": model_name(plan, card)}
