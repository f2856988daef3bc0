"""`faceaudit models list|show|obtain`: what can be audited, its papers, and its weights."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit.cli import attribute_models, detector_models
from audit.errors import ModelError, PlanError

if TYPE_CHECKING:
    from audit.models.attributes import AttributeCard, AttributeCardFile
    from audit.models.card import ModelCard
    from audit.models.card_file import CardFile, WeightFile
    from audit.models.detection import DetectorCardFile, FaceDetectorCard

    Shown = CardFile | ModelCard | AttributeCardFile | AttributeCard | DetectorCardFile | FaceDetectorCard

app = typer.Typer(help="Models that can be audited: status, licence, training data, digests.", no_args_is_help=True)

DATA = typer.Option(help="Folder that holds weights; put first.")
JSON = typer.Option("--json", help="Print JSON.")
STATUS = {
    "extra": "extra missing",
    "weights": "weights missing",
    "right weights": "weights wrong",
    "digest": "no published digest",
}
"""What `ModelError.missing` is called."""


@app.command("list")
def list_models(
    data: Annotated[list[Path] | None, DATA] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """List the models of the table: ready or what is missing, licence of the weights, consent in the training data."""
    from audit.benchmarks import data_entries  # noqa: PLC0415 - the help text needs none of it
    from audit.models import KINDS, MODELS, described, plugged, taken  # noqa: PLC0415

    places = data_entries(data or ())
    rows = [_row(name, described(name), places) for name in MODELS]
    added = plugged.found(taken())
    for line in added.left_out:
        typer.echo(f"Warning: {line}", err=True)
    for name in added.entries:
        try:
            rows.append(_row_of(name, "ready", _describe(name, places), None))
        except ModelError as error:
            typer.echo(f"Warning: {error}", err=True)
    of_attributes = [_attribute_row(name, places) for name in attribute_models.names()]
    for line in detector_models.left_out():
        typer.echo(f"Warning: {line}", err=True)
    of_detectors = list(_detector_rows(places))
    if as_json:
        typer.echo(json.dumps([*rows, *of_attributes, *of_detectors], ensure_ascii=False))
        return
    _print(rows)
    typer.echo(f"Any other model: {' or '.join(KINDS.values())}")
    typer.echo(f"\nAttribute models. {attribute_models.NOTICE}")
    _print(of_attributes)
    typer.echo(f"\nFace detectors. {detector_models.NOTICE}")
    _print(of_detectors)


def _detector_rows(places: tuple[Path, ...]) -> Iterator[dict[str, Any]]:
    for name in detector_models.names():
        try:
            card, error = detector_models.resolved(name, places)
        except ModelError as broken:
            typer.echo(f"Warning: {broken}", err=True)
            continue
        yield _row_of(name, _word(error), card, error)


def _print(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        way_out = "" if row["status"] == "ready" else f": {row['way_out']}"
        typer.echo(f"{row['model']}: {row['status']}{way_out}")
        for one in row.get("says", ()):
            typer.echo(f"  says: {one['attribute']} ({', '.join(one['labels']) or 'years'})")
        typer.echo(f"  licence of the weights: {row['weights_licence']}")
        typer.echo(f"  trained on: {row['training_data']}. Consent: {row['training_consent']}")


def _attribute_row(name: str, places: tuple[Path, ...]) -> dict[str, Any]:
    card, error = attribute_models.resolved(name, places)
    return {**_row_of(name, _word(error), card, error), "says": attribute_models.sayings(card)}


def _word(error: ModelError | None) -> str:
    return "ready" if error is None else STATUS.get(error.missing, "cannot run")


def _row(name: str, file: CardFile, places: tuple[Path, ...]) -> dict[str, Any]:
    """Ready, or what is missing and the way out; and what a reader has to know before choosing it."""
    status, error = _status(name, file, places)
    return _row_of(name, status, file, error)


def _row_of(name: str, status: str, card: Shown, error: ModelError | None) -> dict[str, Any]:
    return {
        "model": name,
        "status": status,
        "found": error.found if error else "",
        "way_out": error.way_out if error else "",
        **_papers(card),
    }


def _status(name: str, file: CardFile, places: tuple[Path, ...]) -> tuple[str, ModelError | None]:
    from audit.models import adapters  # noqa: PLC0415

    try:
        adapters.of(file.adapter, f"model {name}")
        _describe(name, places)
    except ModelError as error:
        return _word(error), error
    return "ready", None


def _papers(file: Shown) -> dict[str, Any]:
    """Licences and training data; consent as the catalogue knows it."""
    from audit import trained_on  # noqa: PLC0415

    return {
        "licence": file.licence,
        "weights_licence": licence_of_weights(file),
        "research_only": file.research_only,
        "training_data": trained_on.data(file),
        "training_consent": trained_on.people(file),
        "training_sets": [one.model_dump() for one in trained_on.sets(file.training_sets)],
    }


def licence_of_weights(card: Shown) -> str:
    """Say under which licence weights are, and whether they are for research alone."""
    said = card.weights_licence or "not stated separately"
    return f"{said} (research only)" if card.research_only and "research only" not in said else said


def _describe(name: str, places: tuple[Path, ...]) -> ModelCard:
    from audit.models import describe  # noqa: PLC0415
    from audit.plan import make  # noqa: PLC0415

    return describe(name, data=places, plan=make({"benchmark": "-", "model": name}))


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="Name in the table, onnx:FILE, card:FILE.toml, ...")],
    data: Annotated[list[Path] | None, DATA] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Show a model's card in plain words: status, weights, licences, training data, preprocessing, paper."""
    from audit.benchmarks import data_entries  # noqa: PLC0415
    from audit.models import MODELS, described  # noqa: PLC0415

    places = data_entries(data or ())
    status, error = "ready", None
    card: Shown
    if attribute_models.known(name, places):
        card, error = attribute_models.resolved(name, places)
        status = _word(error)
    elif detector_models.known(name, places):
        card, error = detector_models.resolved(name, places)
        status = _word(error)
    elif name in MODELS or name.startswith("card:"):
        file = described(name, data=places)
        status, error = _status(name, file, places)
        card = file if error else _describe(name, places)
    else:
        card = _describe(name, places)
    if as_json:
        shown = card.model_dump(mode="json") | {"status": status, "way_out": error.way_out if error else ""}
        typer.echo(json.dumps(shown | _papers(card), indent=1, ensure_ascii=False))
        return
    typer.echo("\n".join(_words(card, status, error)))


def _words(card: Shown, status: str, error: ModelError | None) -> Iterator[str]:
    from audit import trained_on  # noqa: PLC0415
    from audit.models.attributes import AttributeCard, AttributeCardFile  # noqa: PLC0415
    from audit.models.card import ModelCard as Resolved  # noqa: PLC0415
    from audit.models.detection import DetectorCardFile, FaceDetectorCard  # noqa: PLC0415

    yield f"{card.name}: {status}"
    if error:
        yield f"  {error}"
    if isinstance(card, Resolved | AttributeCard | FaceDetectorCard):
        yield f"Revision: {card.revision}"
        yield f"Weights: SHA-256 {card.weights_sha256} ({card.digest_source})"
        if card.self_declared:
            yield "  Self-declared: the digest, and all that this card says, are the word of whoever wrote it."
    elif card.weights is None:
        yield "Weights: built into the package that it comes with"
    else:
        yield f"Weights: {card.weights.file}, SHA-256 {card.weights.sha256}"
        yield f"  {card.weights.digest_source or 'nobody computed or published a digest that is known here'}"
        if card.weights.url:
            yield f"  {card.weights.url}"
    yield f"Licence of the code: {card.licence}"
    yield f"Licence of the weights: {licence_of_weights(card)}"
    yield f"Trained on: {trained_on.data(card)}"
    yield f"Consent of these people: {trained_on.people(card)}"
    if isinstance(card, AttributeCard | AttributeCardFile):
        yield from attribute_models.words(card)
    elif isinstance(card, FaceDetectorCard | DetectorCardFile):
        yield from detector_models.words(card)
    else:
        yield f"Compared by: {card.similarity} of {card.dimension} numbers"
        if card.vendor_threshold:
            said = card.vendor_threshold
            yield f"Threshold that comes with it: {said.value:g} ({said.unit}): {said.meaning} ({said.source})"
    if isinstance(card, Resolved | AttributeCard | FaceDetectorCard):
        yield f"From picture to network: {card.preprocessing_text}"
    if card.paper:
        yield f"Paper: {card.paper.title} ({card.paper.year}), {card.paper.link}"
    yield f"Source: {card.source or 'not stated'}"


@app.command("obtain")
def obtain_model(
    name: Annotated[str, typer.Argument(help="Name in the table, or card:FILE.toml.")],
    into: Annotated[Path | None, typer.Option(help="Folder for the weights; default: the cache.")] = None,
    from_: Annotated[
        Path | None, typer.Option("--from", help="A copy that you brought along, for a site without a network.")
    ] = None,
    data: Annotated[list[Path] | None, DATA] = None,
) -> None:
    """Fetch the weights of a model from the address in its card, or take a copy; only with the digest of the card."""
    from rich.console import Console  # noqa: PLC0415

    from audit.benchmarks import data_entries  # noqa: PLC0415
    from audit.models import described, weights  # noqa: PLC0415
    from audit.models.obtain import fetch, take, wanted  # noqa: PLC0415

    places = data_entries(data or ())
    card = _of_files(name, places) if detector_models.known(name, places) else described(name, data=places)
    files = wanted(card)
    folder = into or weights.obtained()
    messages = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in _before(card):
        messages.print(line, markup=False)
    if from_ is not None:
        typer.echo(take(_only(files, card.name), from_.expanduser(), folder))
        return
    for file in files:
        typer.echo(_fetched(file, folder, fetch))


def _of_files(name: str, places: tuple[Path, ...]) -> Any:
    """The card of a detector that has files of its own."""
    from audit.models import detection  # noqa: PLC0415

    card = detection.described(name, data=places)
    if card.weights is None:
        raise ModelError(f"detector {name}", "comes with a package: there is nothing to obtain", "Install its extra")
    return card


def _before(card: CardFile) -> Iterator[str]:
    """What somebody should know before weights are on their machine."""
    from audit import trained_on  # noqa: PLC0415

    yield f"{card.name}: licence of the weights: {licence_of_weights(card)}"
    yield f"{card.name}: trained on {trained_on.data(card)}. Consent: {trained_on.people(card)}"


def _only(files: list[WeightFile], name: str) -> WeightFile:
    if len(files) != 1:
        raise PlanError("--from", f"{name} has {len(files)} files", "Put them into a folder of FACEAUDIT_DATA")
    return files[0]


def _fetched(file: WeightFile, folder: Path, fetch: Any) -> Path:
    from audit.cli.obtain import Bytes  # noqa: PLC0415

    stop = threading.Event()
    with Bytes(file.file, [file.bytes]) as shown:
        try:
            path: Path = fetch(file, folder, received=shown, stop=stop)
        except KeyboardInterrupt:
            stop.set()
            raise
    typer.echo(shown.summary(), err=True)
    return path
