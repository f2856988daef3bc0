"""`faceaudit cache`: look at the cache of templates, and clear it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from audit.upkeep import Held


def command(
    clear: Annotated[bool, typer.Option("--clear", help="Delete all templates and failures.")] = False,
    older_than: Annotated[
        str | None, typer.Option(help="Delete those that were not used for so long: 12h, 30d, 8w.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(help="Delete those used longest ago until so much is left: 500M, 20G.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on stdout.")] = False,
) -> None:
    """Show what the cache holds; with an option, delete from it first.

    Templates are biometric data: they lie in FACEAUDIT_CACHE, for their owner's eyes only, and can always be computed
    again. After a run the cache holds at most FACEAUDIT_CACHE_SIZE (20G).
    """
    from audit import upkeep  # noqa: PLC0415 - the command line loads what it needs

    asked = clear or older_than is not None or max_size is not None
    gone = None
    if asked:
        gone = upkeep.clear(
            older_than=None if older_than is None or clear else upkeep.span_of(older_than, "--older-than"),
            max_size=None if max_size is None or clear else upkeep.size_of(max_size, "--max-size"),
        )
    held = upkeep.look()
    if as_json:
        shown = {
            "cache": str(held.root), "outcomes": held.outcomes, "bytes": held.total_bytes, "settings": held.settings,
            "limit_bytes": upkeep.limit(), "oldest_use": held.oldest,
            "deleted": None if gone is None else {"files": gone.files, "bytes": gone.freed},
        }  # fmt: skip
        typer.echo(json.dumps(shown))
        return
    if gone is not None:
        typer.echo(f"Deleted {gone.files:,} files, {_size(gone.freed)}.")
    for line in _words(held, upkeep.limit()):
        typer.echo(line)


def _words(held: Held, limit: int) -> list[str]:
    if not held.outcomes and not held.others:
        return [f"{held.root} is empty."]
    of = f"{held.settings} combinations of weights and preprocessing"
    lines = [
        f"{held.root}",
        f"{held.outcomes:,} templates and failures of {of}, {_size(held.outcome_bytes)}",
        f"{held.others:,} other files (sums by person for compare, keys), {_size(held.other_bytes)}",
    ]
    if held.oldest is not None:
        lines.append(f"longest unused: {(time.time() - held.oldest) / 86_400:.1f} days; limit {_size(limit)}")
    return lines


def _size(count: int) -> str:
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
