"""`faceaudit benchmarks withdraw`: put a person on the list of withdrawals beside a benchmark's data."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer

from audit.errors import PlanError

SHOWN = 20
"""Pictures that are listed by name."""


def command(
    benchmark: Annotated[str, typer.Argument(help="Folder of the data, or name of a benchmark in a data entry.")],
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT_ID", help="As the tables write it; '-' reads it from standard input.")
    ],
    date: Annotated[str | None, typer.Option(help="Day of the withdrawal, such as 2026-01-31; default: today.")] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Parent of benchmark folders; repeatable.")] = None,
    already_removed: Annotated[
        bool, typer.Option("--already-removed", help="The tables do not hold this person any more.")
    ] = False,
) -> None:
    """Record that a person withdrew: from the next run on nothing of theirs is used, and the cache forgets them.

    The list (withdrawn.csv) holds a salted hash, never the id. Doing it twice changes nothing.
    """
    from audit.benchmarks import data_entries, take_out  # noqa: PLC0415 - pandas loads with it
    from audit.benchmarks.withdrawals import LIST, SALT  # noqa: PLC0415

    who = sys.stdin.readline().strip("\r\n") if subject == "-" else subject
    if not who.strip():
        raise PlanError("SUBJECT_ID", "is empty", "Give the id as the tables write it")
    made = take_out(benchmark, who, _day(date), data=data_entries(data or ()), unlisted=already_removed)
    if made.before is not None:
        typer.echo(f"This person is on the list already, since {made.before}; nothing was changed.")
    else:
        typer.echo(f"Recorded in {made.folder / LIST}. Keep {SALT} with the data, and never publish it.")
        typer.echo("The next run leaves this person out, clears the cache of them, and marks earlier records.")
    if made.pictures:
        number = len(made.pictures)
        typer.echo(f"{number} picture{'s' if number > 1 else ''} of theirs still lie here, for you to delete:")
        for path in made.pictures[:SHOWN]:
            typer.echo(f"  {path}")
        if number > SHOWN:
            typer.echo(f"  and {number - SHOWN} more")


def _day(text: str | None) -> dt.date:
    if text is None:
        return dt.datetime.now().astimezone().date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise PlanError("--date", f"{text!r} is no day", "For example: --date 2026-01-31") from None
