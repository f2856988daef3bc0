"""`faceaudit benchmarks`: the catalogue, with consent, licence, status, and how far each fact was checked."""

from __future__ import annotations

import json
import textwrap
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from audit.benchmarks import catalogue, consent, descriptor
from audit.benchmarks.catalogue import MARKS
from audit.errors import DataError

app = typer.Typer(help="The catalogue of benchmarks: list, show, check, obtain, new, measure.", no_args_is_help=True)


@app.command("list")
def list_(
    tier: Annotated[str | None, typer.Option(help="Consent tier that gates the set, for example T2.")] = None,
    task: Annotated[str | None, typer.Option(help="Word in the tasks, for example verification.")] = None,
    attribute: Annotated[str | None, typer.Option(help="Word in the attributes, for example age.")] = None,
    licence: Annotated[str | None, typer.Option(help="Word in the licence, for example CC BY.")] = None,
    access: Annotated[str | None, typer.Option(help="Word in the access, for example open.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List the data sets of the catalogue; those that the gate refuses are marked."""
    words = {"tasks": task, "attributes": attribute, "licence": licence, "access": access}
    chosen = [
        entry
        for entry in catalogue.entries().values()
        if (tier is None or _gating(entry) == consent.strictest([tier], place="--tier"))
        and all(word is None or word.lower() in str(getattr(entry, fact)).lower() for fact, word in words.items())
    ]
    if as_json:
        typer.echo(json.dumps([_summary(entry) for entry in chosen], indent=1, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "tier", "gate", "people", "images"):
        table.add_column(heading, no_wrap=True)
    for entry in chosen:
        short = shipped_of(entry)
        name = short.dataset.name if short else entry.id
        verdict = consent.POLICY[_gating(entry)].verdict
        table.add_row(name, entry.tier, verdict, _short(entry, "subjects"), _short(entry, "images"))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{len(chosen)} of {len(catalogue.entries())}. Marks: (P) {MARKS['P']}, (M) {MARKS['M']}.")
    console.print(consent.NOT_LEGAL_ADVICE)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name or alias in the catalogue.")],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Show everything known of a data set; of a refused one, why, and a consented alternative."""
    entry = entry_of(name)
    facts = [(fact, entry.fact(fact)) for fact in catalogue.FACTS]
    described = shipped_of(entry)
    if as_json:
        made: dict[str, Any] = {**_summary(entry), "facts": dict(facts), "marks": _marks(entry), "source": entry.source}
        if _refused(entry):
            made |= {"reason": consent.refusal(entry), "alternatives": consent.alternatives(entry)}
        if described is not None:
            made |= {"descriptor_sha256": described.digest, "consent_statement": described.dataset.statement}
        typer.echo(json.dumps(made, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{entry.name}[/]  ({entry.id}{''.join(f', {alias}' for alias in entry.aliases)})")
    tier = _gating(entry)
    console.print(f"tier {entry.tier}: {consent.POLICY[tier].verdict}; {consent.POLICY[tier].meaning}")
    if _refused(entry):
        console.print(consent.refusal(entry), markup=False)
        console.print(consent.alternatives(entry), markup=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for fact, text in [*facts, ("source", entry.source)]:
        table.add_row(fact, text.replace("[", r"\["))
    console.print(table)
    if described is not None:
        console.print(f"descriptor {described.digest}", markup=False)
        console.print(f"consent wording: {described.dataset.statement}", markup=False)
    console.print(consent.NOT_LEGAL_ADVICE)


def entry_of(name: str) -> catalogue.Entry:
    """Find a set of the catalogue, or suggest the nearest name."""
    entry = catalogue.find(name)
    if entry is None:
        near = catalogue.near(name)
        hint = f"Did you mean {near!r}?" if near else "See 'faceaudit benchmarks list'"
        raise DataError(name, "is not in the catalogue", hint)
    return entry


def shipped_of(entry: catalogue.Entry) -> descriptor.Descriptor | None:
    """Find the shipped descriptor of a set, if there is one."""
    return next((known for short, known in descriptor.shipped().items() if catalogue.find(short) is entry), None)


def _gating(entry: catalogue.Entry) -> str:
    return consent.strictest([entry.tier], place=entry.id)


def _refused(entry: catalogue.Entry) -> bool:
    return consent.POLICY[_gating(entry)].verdict == "refused"


def _short(entry: catalogue.Entry, fact: str) -> str:
    """Cut a fact to a column's width; its mark comes first, so that nothing cuts it off."""
    text, mark = str(getattr(entry, fact)), entry.mark(fact)
    return ("" if mark == "V" else f"({mark}) ") + textwrap.shorten(text, 14, placeholder="...")


def _marks(entry: catalogue.Entry) -> dict[str, str]:
    return {fact: catalogue.MARKS[entry.mark(fact)] for fact in catalogue.FACTS}


def _summary(entry: catalogue.Entry) -> dict[str, Any]:
    return {
        "name": entry.id,
        "aliases": list(entry.aliases),
        "title": entry.name,
        "tier": entry.tier,
        "gate": consent.POLICY[_gating(entry)].verdict,
        "subjects": entry.fact("subjects"),
        "images": entry.fact("images"),
        "verified": catalogue.MARKS[entry.verified],
        "descriptor": shipped_of(entry) is not None,
    }
