"""`faceaudit models list|show`: what can be audited, and its papers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit.errors import ModelError

if TYPE_CHECKING:
    from audit.models import ModelCard
    from audit.models.card_file import CardFile

app = typer.Typer(help="Models that can be audited: status, licence, training data, digests.", no_args_is_help=True)

DATA = typer.Option(help="Folder that holds weights; put first.")


@app.command("list")
def list_models(
    data: Annotated[list[Path] | None, DATA] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models of the table, each ready or with what is missing."""
    from audit.benchmarks import data_entries  # noqa: PLC0415 - the help text needs none of it
    from audit.models import KINDS, MODELS, plugged, taken  # noqa: PLC0415

    places = data_entries(data or ())
    rows = [_row(name, places) for name in MODELS]
    added = plugged.found(taken())
    for line in added.left_out:
        typer.echo(f"Warning: {line}", err=True)
    for name in added.entries:
        try:
            rows.append(_row_of(name, "ready", _describe(name, places)))
        except ModelError as error:
            typer.echo(f"Warning: {error}", err=True)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['model']}: {row['status']}{'' if row['status'] == 'ready' else '. ' + row['way_out']}")
        typer.echo(f"  weights: {row['weights_licence']}")
        typer.echo(f"  trained on {row['training_data']}. {row['training_consent']}")
    typer.echo(f"Any other: {' or '.join(KINDS.values())}")


def _row(name: str, places: tuple[Path, ...]) -> dict[str, Any]:
    """Ready, or what is missing and the way out; and what a reader has to know before choosing it."""
    from audit.models import MODELS, card_file  # noqa: PLC0415

    file = card_file.published(MODELS[name])
    try:
        _describe(name, places)
        status, found, way_out = "ready", "", ""
    except ModelError as error:
        words = {"extra": "extra missing", "weights": "weights missing", "digest": "no published digest"}
        status, found, way_out = words.get(error.missing, "weights wrong"), error.found, error.way_out
    return _row_of(name, status, file, found, way_out)


def _row_of(name: str, status: str, file: CardFile | ModelCard, found: str = "", way_out: str = "") -> dict[str, Any]:
    from audit import trained_on  # noqa: PLC0415

    return {
        "model": name,
        "status": status,
        "found": found,
        "way_out": way_out,
        "licence": file.licence,
        "weights_licence": licence_of_weights(file),
        "training_data": trained_on.data(file),
        "training_consent": trained_on.people(file),
    }


def licence_of_weights(card: CardFile | ModelCard) -> str:
    """Say under which licence weights are, and whether they are for research alone."""
    said = card.weights_licence or "licence not stated"
    return f"{said} (research only)" if card.research_only and "research only" not in said else said


def _describe(name: str, places: tuple[Path, ...]) -> ModelCard:
    from audit.models import describe  # noqa: PLC0415
    from audit.plan import make  # noqa: PLC0415

    return describe(name, data=places, plan=make({"benchmark": "-", "model": name}))


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="Name in the table, onnx:FILE, or card:FILE.toml.")],
    data: Annotated[list[Path] | None, DATA] = None,
) -> None:
    """Show a model's card: weights, licence, training data, preprocessing."""
    from audit.benchmarks import data_entries  # noqa: PLC0415

    card = _describe(name, data_entries(data or ()))
    typer.echo(json.dumps(card.model_dump(mode="json"), indent=1, ensure_ascii=False))
