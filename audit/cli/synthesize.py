"""`faceaudit synthesize`: make a benchmark of rendered people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from audit.errors import PlanError


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Empty, new, or holding a part of the same set.")],
    people: Annotated[int, typer.Option(help="How many people; 324 crosses all factors evenly.")] = 324,
    series: Annotated[int, typer.Option(help="Of how many people single factors are changed.")] = 60,
    seed: Annotated[int, typer.Option(help="Of every random draw.")] = 1,
    share: Annotated[
        list[str] | None,
        typer.Option(help="What all people share, to see what carries identity: hair, skin; repeatable."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes; 0 takes the number of cores.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no summary.")] = False,
) -> None:
    """Render a benchmark of people who do not exist: pictures, tables, parameters and a descriptor."""
    from audit.cli.progress import Progress  # noqa: PLC0415 - the renderer loads only when it is needed
    from audit.synthesis.design import Settings  # noqa: PLC0415
    from audit.synthesis.write import write  # noqa: PLC0415

    try:
        settings = Settings.model_validate(
            {"people": people, "series": series, "seed": seed, "shared": sorted(set(share or ()))}
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = {"shared": "share"}.get(str(first["loc"][0]), str(first["loc"][0]))
        raise PlanError(
            f"--{name}", f"{first['msg']} (found {first['input']!r})", "See faceaudit synthesize --help"
        ) from None
    with Progress(str(folder), quiet=quiet) as progress:
        lines = write(folder, settings, workers=workers, progress=progress)
    if not quiet:
        typer.echo(f"{len(lines)} people, {sum(len(line.files) for line in lines)} pictures in {folder}")
        typer.echo(f"Audit a model on them: faceaudit run --benchmark {folder} --model dlib")
