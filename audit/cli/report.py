"""`faceaudit report`: render a record again; nothing is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit.cli.marked import mention
from audit.errors import PlanError


def command(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A record.json, or the folder that holds it.")],
    formats: Annotated[str, typer.Option("--format", help="html")] = "html",
    out: Annotated[Path | None, typer.Option(help="Where to write; default: beside the record.")] = None,
) -> None:
    """Render the report of a record."""
    from audit.record import read  # noqa: PLC0415 - the help text needs none of it
    from audit.report import FORMATS, render  # noqa: PLC0415

    wanted = [word.strip() for word in formats.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in FORMATS]
    if unknown or not wanted:
        raise PlanError("--format", f"unknown format {', '.join(unknown)!r}", f"Allowed: {', '.join(FORMATS)}")
    path = record / "record.json" if record.is_dir() else record
    mention([path])
    for written in render(read(path), out or path.parent, wanted):
        typer.echo(str(written))
