"""A word on standard error for records that are superseded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer


def mention(records: Iterable[Path]) -> None:
    """Say of each record that is marked superseded why it is: nothing stops, and nobody overlooks it."""
    from audit import superseded  # noqa: PLC0415 - the help text needs none of it

    for path in records:
        said = superseded.said(path)
        if said is not None:
            typer.echo(f"faceaudit: note: {path} is {said}", err=True)
