"""`faceaudit report`: render a record again; nothing is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit.cli.marked import mention


def command(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A record.json, or the folder that holds it.")],
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="html (default), pdf, md, csv, card; repeatable, or separated by commas."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write; default: beside the record.")] = None,
    language: Annotated[str, typer.Option(help="Language of the report: one that has a catalogue.")] = "en",
) -> None:
    """Render the report of a record: a page, a PDF, Markdown, tables, a section for a model card."""
    from audit.cli.words import split  # noqa: PLC0415 - the help text needs none of it
    from audit.record import read  # noqa: PLC0415
    from audit.report import known, render  # noqa: PLC0415

    wanted = known(split(formats if formats is not None else ["html"]) or ())
    path = record / "record.json" if record.is_dir() else record
    mention([path])
    for written in render(read(path), out or path.parent, wanted, language=language):
        typer.echo(str(written))
