"""faceaudit: demographic error disparities of face models on consented public benchmarks.

The public names load on first use, so that importing the package does nothing and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.domain import Benchmark, DemographicGroup, ErrorRate, Interval, Threshold
    from audit.errors import AuditError
    from audit.evaluation import Evaluation
    from audit.plan import AuditPlan, RunOptions
    from audit.recipe import run
    from audit.record import EvaluationRecord
    from audit.record import read as read_record
    from audit.report import render

__version__ = "0.1.0"

_WHERE = {
    "AuditError": "audit.errors",
    "AuditPlan": "audit.plan",
    "Benchmark": "audit.domain",
    "DemographicGroup": "audit.domain",
    "ErrorRate": "audit.domain",
    "Evaluation": "audit.evaluation",
    "EvaluationRecord": "audit.record",
    "Interval": "audit.domain",
    "RunOptions": "audit.plan",
    "Threshold": "audit.domain",
    "read_record": "audit.record:read",
    "render": "audit.report",
    "run": "audit.recipe",
}

__all__ = [
    "AuditError",
    "AuditPlan",
    "Benchmark",
    "DemographicGroup",
    "ErrorRate",
    "Evaluation",
    "EvaluationRecord",
    "Interval",
    "RunOptions",
    "Threshold",
    "read_record",
    "render",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'audit' has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    return getattr(import_module(module), attribute or name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
