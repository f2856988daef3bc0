"""`faceaudit gate`: a policy judged on a record, for procurement and CI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from audit.cli.marked import mention


def command(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A record.json, or the folder that holds it.")],
    policy: Annotated[Path, typer.Option(help="POLICY.toml: named rules with limits and confidence.")],
    against: Annotated[Path | None, typer.Option(help="An earlier record, for rules about an increase.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Also write the findings as JUnit XML.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No table; a line for each open or violated rule.")] = False,
) -> None:
    """Exit 0 if the policy is kept, 1 if it is violated with the declared confidence, 5 if the data cannot tell."""
    from audit import policy as room  # noqa: PLC0415 - the help text needs none of it
    from audit.policy import show  # noqa: PLC0415
    from audit.record import read, write_text  # noqa: PLC0415

    rules = room.read(policy)
    path = _file(record)
    mention([path] if against is None else [path, _file(against)])
    outcome = room.judge(rules, read(path), None if against is None else read(_file(against)), path=path)
    if junit is not None:
        write_text(junit, show.junit(outcome))
    in_ci = "CI" in os.environ or "GITHUB_ACTIONS" in os.environ
    if as_json:
        typer.echo(outcome.model_dump_json(by_alias=True, indent=1))
    elif quiet:
        for finding in outcome.findings:
            if finding.verdict in {"VIOLATED", "INCONCLUSIVE"}:
                typer.echo(show.line(finding))
    else:
        if not in_ci:  # a log has no width, and its reader searches for lines
            from rich.console import Console  # noqa: PLC0415

            Console().print(show.table(outcome))
        said = list(show.lines(outcome))
        for text in said if in_ci else said[-1:]:
            typer.echo(text)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for text in show.github(outcome):
            typer.echo(text, err=as_json)
    raise typer.Exit(outcome.exit_code)


def _file(path: Path) -> Path:
    return path / "record.json" if path.is_dir() else path
