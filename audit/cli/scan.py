"""`faceaudit scan`: look into files for what tells of a single person, before they are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders with all that is in them.")],
    ids: Annotated[
        list[Path] | None, typer.Option(help="CSV with subject_id or sample_id: none of them may be found. Repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON on stdout.")] = False,
) -> None:
    """Look for pictures, templates, ids, paths and keys in reports, records, tables and notebooks. Exit 1 if found."""
    from audit import scan  # noqa: PLC0415 - the help text needs none of it
    from audit.bundle.folder import content, listed  # noqa: PLC0415
    from audit.cli.known_ids import from_tables  # noqa: PLC0415

    known = from_tables(ids or [])
    leaks, number = [], 0
    for path in paths:
        names = listed(path) if path.is_dir() else [path.name]
        for name in names:
            number += 1
            found = scan.look(name, content(path if path.is_dir() else path.parent, name), known)
            leaks += [scan.Leak(str(path / name if path.is_dir() else path), leak.reason) for leak in found]
    if as_json:
        said = [{"place": leak.place, "reason": leak.reason} for leak in leaks]
        typer.echo(json.dumps({"files": number, "findings": said}, indent=1))
    else:
        for leak in leaks:
            typer.echo(f"{leak.place}: {leak.reason}")
        typer.echo(f"{number} files, {len(leaks)} findings" + ("" if known.names else "; no ids were looked for"))
    raise typer.Exit(1 if leaks else 0)
