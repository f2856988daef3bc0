"""Tasks without comparisons: a model looks at one picture at a time, and nobody is compared with anybody.

A table one can read. A task is a module with three functions: `describe` (the card of the model that it is about),
`choose` (which pictures are looked at) and `measure` (from what is known before an image is decoded to the record). The
gates, the people, the digests and the finished record are the same for all of them, and the recipe knows the order. A
trial belongs to one person, so rates are those of `audit.metrics.by_person`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from audit.counted import Counted
from audit.inputs import Progress
from audit.plan import AuditPlan, RunOptions
from audit.record import EvaluationRecord
from audit.tasks.inputs import Knows, TaskCard, TaskInputs, admit, prepare, refuse_comparing

__all__ = ["TASKS", "Task", "TaskCard", "TaskInputs", "admit", "of", "prepare", "refuse_comparing"]

TASKS: dict[str, str] = {
    "detection": "audit.tasks.detection",
    "attributes": "audit.tasks.attributes",
}
"""Task of a plan to the module that knows it."""


class Task(Knows, Protocol):
    """What such a module has."""

    def measure(
        self, inputs: TaskInputs[Any], options: RunOptions, progress: Progress
    ) -> tuple[EvaluationRecord, Counted]:
        """Look at every picture, and make the record, and the tables that its rates follow from."""
        ...


def of(plan: AuditPlan) -> Task | None:
    """The module of a plan's task; None where people are compared."""
    where = TASKS.get(plan.task)
    if where is None:
        return None
    module: Any = import_module(where)
    return module  # type: ignore[no-any-return]
