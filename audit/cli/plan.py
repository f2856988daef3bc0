"""`faceaudit plan`: a plan locked before data are touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from audit.preregistration import Lock

app = typer.Typer(help="Plans: lock one before data are touched.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Plans: lock one before data are touched."""


@app.command("lock")
def lock_(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.toml", help="The plan, as 'faceaudit init' writes it.")],
    lock: Annotated[Path | None, typer.Option(metavar="FILE", help="The file to write; default: beside PLAN.")] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Folder that holds benchmarks or weights; put first.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of results; earlier ones of the plan are counted.")] = Path(
        "results"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the lock as JSON on stdout.")] = False,
) -> None:
    """Lock a plan: its settings, the digests of the benchmark's descriptor and of the weights, and the time.

    No image is read. 'faceaudit run' finds the lock beside the plan, and the record says whether it was kept to. The
    digest that is printed proves something to others once somebody who is not the auditor has noted it.
    """
    from audit import __version__, preregistration  # noqa: PLC0415 - the help text needs none of it
    from audit import plan as plans  # noqa: PLC0415
    from audit.benchmarks import data_entries  # noqa: PLC0415
    from audit.stated import stated  # noqa: PLC0415

    asked = plans.read(plan)
    path = preregistration.beside(plan) if lock is None else lock
    made = []
    for one in asked:
        found = stated(one, data_entries(data or ()))
        there = preregistration.already(out, found.plan.benchmark, found.model)
        made.append(
            preregistration.LockedPlan(
                plan=found.plan.model_dump(mode="json"),
                benchmark_digest=found.benchmark_digest,
                weights=found.weights,
                results=there,
            )
        )
    locked = preregistration.make(made, __version__)
    preregistration.write(locked, path)
    typer.echo(json.dumps(locked.model_dump(mode="json", by_alias=True)) if as_json else str(path))
    _explain(locked)


def _explain(locked: Lock) -> None:
    """What the lock is worth, and what takes away from it."""
    typer.echo(f"Digest of the lock: {locked.digest}", err=True)
    typer.echo(
        "Give it to somebody else now: a mail to whoever commissioned the audit, a registry, a signed commit. The time "
        "in the file is that of this machine.",
        err=True,
    )
    for one in locked.plans:
        if one.results:
            typer.echo(
                f"Evaluations of {one.plan['model']} on {one.plan['benchmark']} that lie in the folder of results "
                f"already: {one.results}. Every record under this lock will say so.",
                err=True,
            )
        if one.weights == "unknown":
            typer.echo(f"The weights of {one.plan['model']} are not here: the lock leaves their digest open.", err=True)
