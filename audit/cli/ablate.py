"""`faceaudit run --ablate`: the same audit once more with one setting of the preparation changed, and both compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from audit.errors import PlanError
from audit.plan import AuditPlan, RunOptions, make

if TYPE_CHECKING:
    from audit.evaluation import Evaluation

SETTINGS = ("detector", "alignment", "margin", "working_size", "smallest_face", "several_faces")
"""What may be changed: all of it lies between the picture and the network."""
HELP = "Audit once more with SETTING=VALUE (detector=dlib-hog, alignment=box, ...), and compare: what comes from it?"


def other(plan: AuditPlan, given: str) -> AuditPlan:
    """The same plan with one setting changed; `given` is SETTING=VALUE.

    Raises
    ------
    PlanError
        If it names another setting, no value, or the one that the plan has anyway.
    """
    name, _, value = (part.strip() for part in given.partition("="))
    if name not in SETTINGS or not value:
        raise PlanError("--ablate", f"found {given!r}", f"Write SETTING=VALUE with one of {', '.join(SETTINGS)}")
    made = make({**plan.model_dump(), name: value}, place="--ablate")
    if made == plan:
        raise PlanError("--ablate", f"the plan has {name} = {value} anyway", "Take another value")
    return made


def require_difference(plan: AuditPlan, changed: AuditPlan, options: RunOptions) -> None:
    """Find out before any image is read that both plans prepare pictures in the same way.

    Raises
    ------
    PlanError
        For example if a model aligns by five landmarks as it is, or if templates are given and nothing is prepared.
    """
    from audit.inputs import admit  # noqa: PLC0415 - the help text needs none of it
    from audit.tasks import TASKS  # noqa: PLC0415
    from audit.templates import is_given  # noqa: PLC0415

    if plan.task in TASKS:
        raise PlanError("--ablate", f"task {plan.task} makes no templates", "Run both plans and compare their records")
    if is_given(plan.model):
        raise PlanError("--ablate", "templates are given: no picture is prepared", "Name a model and a benchmark")
    (_, one, _), (_, two, _) = admit(plan, options), admit(changed, options)
    if one.preprocessing == two.preprocessing:
        raise PlanError("--ablate", f"{one.name} prepares its pictures in this way anyway", "Take another value")


def compared(first: Evaluation, second: Evaluation, given: str, *, silent: bool) -> Path:
    """Compare both, write compare.json and comparison.html beside them, and print the tables.

    Returns
    -------
    path of compare.json
    """
    from rich.console import Console  # noqa: PLC0415 - the help text needs none of it

    from audit.report import comparison_table, remark_lines, render_comparison  # noqa: PLC0415
    from audit.side_by_side import compare  # noqa: PLC0415

    name = given.partition("=")[0].strip()
    records = [first.record, second.record]
    found = compare(records, names=[f"{name} {record.plan[name]}" for record in records])
    out = first.folder.parent / f"ablation-{first.folder.name}-{second.folder.name}"
    data, page = render_comparison(found, out)
    if not silent:
        console = Console()
        for line in remark_lines(found):
            console.print(line, highlight=False, markup=False)
        console.print(comparison_table(found))
        typer.echo(f"Comparison: {page}")
    return data
