"""`faceaudit compare`: records side by side, with intervals of the differences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit.cli.marked import mention


def command(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORD RECORD...", help="record.json files, or the folders that hold them.")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for compare.json and comparison.html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No table.")] = False,
) -> None:
    """Compare every record with the first: rates and disparities, paired where the same people were measured."""
    from audit.record import read  # noqa: PLC0415 - the help text needs none of it
    from audit.side_by_side import compare  # noqa: PLC0415

    mention(records)
    found = compare([read(path / "record.json" if path.is_dir() else path) for path in records])
    written = []
    if out is not None:
        from audit.report import render_comparison  # noqa: PLC0415

        written = render_comparison(found, out)
    if as_json:
        typer.echo(found.model_dump_json(by_alias=True, indent=1))
        return
    if quiet:
        return
    from rich.console import Console  # noqa: PLC0415

    from audit.report import comparison_table, remark_lines  # noqa: PLC0415

    console = Console()
    for line in remark_lines(found):
        console.print(line, highlight=False, markup=False)
    console.print(comparison_table(found))
    for path in written:
        console.print(f"Written: {path}", highlight=False, soft_wrap=True, markup=False)
