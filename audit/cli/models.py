"""`faceaudit models list|show`: what can be audited, and its papers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from audit.errors import ModelError

NAMES = {"onnx": "onnx:FILE"}
"""How entries of the table that take a file are written."""

app = typer.Typer(help="Models that can be audited: status, licence, training data, digests.", no_args_is_help=True)


@app.command("list")
def list_models(
    data: Annotated[list[Path] | None, typer.Option(help="Folder that holds weights; put first.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models of the table, each ready or with what is missing."""
    from audit.benchmarks import data_entries  # noqa: PLC0415 - the help text needs none of it
    from audit.models import MODELS  # noqa: PLC0415

    places = data_entries(data or ())
    rows = [{"model": NAMES.get(name, name), "status": _status(name, places)} for name in MODELS]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    width = max(len(row["model"]) for row in rows)
    for row in rows:
        typer.echo(f"{row['model']:<{width}}  {row['status']}")


def _status(name: str, data: tuple[Path, ...]) -> str:
    """Ready, or what is missing and the way out."""
    from audit.models import describe  # noqa: PLC0415
    from audit.plan import make  # noqa: PLC0415

    if name in NAMES:
        return "ready for any file that has a card"
    try:
        card = describe(name, data=data, plan=make({"benchmark": "-", "model": name}))
    except ModelError as error:
        return str(error)
    return f"ready ({card.licence})"


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="Name in the table, or onnx:FILE.")],
    data: Annotated[list[Path] | None, typer.Option(help="Folder that holds weights; put first.")] = None,
) -> None:
    """Show a model's card: weights, licence, training data, preprocessing."""
    from audit.benchmarks import data_entries  # noqa: PLC0415
    from audit.models import describe  # noqa: PLC0415
    from audit.plan import make  # noqa: PLC0415

    card = describe(name, data=data_entries(data or ()), plan=make({"benchmark": "-", "model": name}))
    typer.echo(json.dumps(card.model_dump(mode="json"), indent=1, ensure_ascii=False))
