"""`faceaudit benchmarks check`: every defect of a folder, with file and row; exit code 1 if there is one.

The outcome is for the eyes of whoever keeps the data. It names files and rows, which may hold a person's id, so it is
not for publication.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit.cli.progress import Progress
from audit.errors import PlanError

if TYPE_CHECKING:
    from audit.benchmarks.checks import Finding, Outcome

SHOWN = 20
"""Findings of one kind that the summary lists; the JSON lists all."""


class Format(StrEnum):
    """How the summary is written."""

    md = "md"
    json = "json"


def command(
    benchmark: Annotated[str, typer.Argument(help="Folder, or name of a benchmark in a data entry.")],
    data: Annotated[list[Path] | None, typer.Option(help="Parent of benchmark folders; repeatable.")] = None,
    acknowledge: Annotated[list[str] | None, typer.Option(help="Consent tier knowingly accepted (T3, S2).")] = None,
    form: Annotated[Format, typer.Option("--format", help="md or json.")] = Format.md,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
    out: Annotated[Path | None, typer.Option(help="File of the summary; default: standard output.")] = None,
) -> None:
    """Find the defects of a benchmark's files, each with file and row. Exit code 1 if there is one."""
    from audit.benchmarks import checks, data_entries  # noqa: PLC0415 - pandas and pydantic load with it

    with Progress(benchmark) as progress:
        outcome = checks.check(
            benchmark, data=data_entries(data or ()), acknowledge=acknowledge or (), progress=progress
        )
    if as_json or form is Format.json:
        text = json.dumps(outcome.to_json(), indent=1, ensure_ascii=False) + "\n"
    else:
        text = "\n".join(_markdown(outcome)) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise PlanError(f"--out {out}", f"cannot be written: {error.strerror}", "Give a writable file") from None
    if outcome.defects:
        raise typer.Exit(1)


def _markdown(outcome: Outcome) -> Iterator[str]:
    from audit.benchmarks.checks import CHECKS  # noqa: PLC0415 - as above

    notes = len(outcome.findings) - outcome.defects
    yield f"# {outcome.name}: {_count(outcome.defects, 'defect')}, {_count(notes, 'note')}"
    yield ""
    yield f"{outcome.people} people, {outcome.images} image files. For the keeper of the data, not for publication."
    for name, group in groupby(outcome.findings, key=lambda finding: finding.check):
        found = list(group)
        check = CHECKS[name]
        yield ""
        yield f"## {check.severity}: {check.what} (`{name}`, {len(found)})"
        yield ""
        yield f"{check.why} {check.way_out}."
        yield ""
        yield from (f"- {_line(finding)}" for finding in found[:SHOWN])
        if len(found) > SHOWN:
            yield f"- and {len(found) - SHOWN} more; `--format json` lists all"


def _line(finding: Finding) -> str:
    value = f": `{finding.value!r}`" if finding.value else ""
    text = f"{finding.place}{value}" + (f" ({finding.text})" if finding.text else "")
    return "".join(each if each.isprintable() else "?" for each in text)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
