"""`faceaudit publish`: a folder of results as a static site."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit.errors import DataError

if TYPE_CHECKING:
    from audit.report.site import CatalogueEntry


def command(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder with record.json files at any depth.")],
    out: Annotated[Path, typer.Option(metavar="SITE", help="Folder of the site: new, empty, or made by this command.")],
    base_url: Annotated[
        str, typer.Option(help="Address under which it will be served, for the feed and the site map.")
    ] = "",
) -> None:
    """Publish evaluations as a static site that works from a folder, without a server and without scripts."""
    from audit.bundle import state  # noqa: PLC0415 - the help text needs none of it
    from audit.report.site import publish  # noqa: PLC0415

    done = publish(results, out, catalogue=gated_catalogue(), base_url=base_url, seal=state, beside=handed_on)
    for one in done.unreadable:
        typer.echo(f"faceaudit: {results / one.place}: could not be read: {one.reason}", err=True)
    typer.echo(str(out / "index.html"))
    drawn = f", {done.drawn} report(s) drawn" if done.drawn else ""
    typer.echo(
        f"{done.evaluations} evaluation(s), {len(done.unreadable)} could not be read; "
        f"{len(done.written)} file(s) written, {done.kept} unchanged, {len(done.removed)} removed{drawn}"
    )


def handed_on(folder: Path) -> dict[str, bytes]:
    """What a reader needs beside the record: its environment, to reproduce it, and the sealed folder, to check it.

    An environment that is none, or in which anything of a person or a machine is found, stays where it is.
    """
    from audit import bundle, environment, scan  # noqa: PLC0415

    whole = bundle.archived(folder)
    made = {} if whole is None else {"bundle.zip": whole}
    with contextlib.suppress(DataError, OSError):
        if environment.read(folder) is not None:
            content = (folder / environment.FILE).read_bytes()
            made |= {} if scan.look(environment.FILE, content) else {environment.FILE: content}
    return made


def gated_catalogue() -> list[CatalogueEntry]:
    """Give the catalogue with the gate's verdicts: the report's room knows neither."""
    from audit.benchmarks import catalogue, consent  # noqa: PLC0415
    from audit.report.site import CatalogueEntry  # noqa: PLC0415

    made = []
    for entry in catalogue.entries().values():
        tier = consent.strictest([entry.tier], place=entry.id)
        rule = consent.POLICY[tier]
        refused = rule.verdict == "refused"
        made.append(
            CatalogueEntry(
                id=entry.id,
                name=entry.name,
                tier=entry.tier,
                verdict=rule.verdict,
                reason=consent.refusal(entry)
                if refused
                else f"{rule.meaning[:1].upper()}{rule.meaning[1:]}: {entry.fact('consent')}",
                alternatives=consent.alternatives(entry) if refused else "",
                facts=(*((fact, entry.fact(fact)) for fact in catalogue.FACTS), ("source", entry.source)),
            )
        )
    return made
