"""`faceaudit benchmarks`: the catalogue, with consent, licence, status, and how far each fact was checked."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from audit.benchmarks import catalogue, consent, plugged
from audit.cli.benchmarks_shown import gating as _gating
from audit.cli.benchmarks_shown import print_entry, print_list
from audit.cli.benchmarks_shown import shipped as _shipped
from audit.errors import DataError, PlanError

app = typer.Typer(
    help="The catalogue of benchmarks: list, show, check, obtain, new, measure, withdraw.", no_args_is_help=True
)


@app.command("list")
def list_(
    tier: Annotated[str | None, typer.Option(help="Consent tier that gates the set, for example T2.")] = None,
    task: Annotated[str | None, typer.Option(help="Word in the tasks, for example verification.")] = None,
    attribute: Annotated[str | None, typer.Option(help="Word in the attributes, for example age.")] = None,
    licence: Annotated[str | None, typer.Option(help="Word in the licence, for example CC BY.")] = None,
    access: Annotated[str | None, typer.Option(help="Word in the access, for example open.")] = None,
    gate: Annotated[str | None, typer.Option(help="What the gate does: allowed, acknowledge or refused.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List the data sets of the catalogue; those that the gate refuses are marked."""
    words = {"tasks": task, "attributes": attribute, "licence": licence, "access": access}
    verdicts = {rule.verdict for rule in consent.POLICY.values()}
    if gate is not None and gate not in verdicts:
        raise PlanError("--gate", f"{gate!r} is nothing that the gate does", f"It is {', '.join(sorted(verdicts))}")
    chosen = [
        entry
        for entry in catalogue.entries().values()
        if (tier is None or _gating(entry) == consent.strictest([tier], place="--tier"))
        and (gate is None or consent.POLICY[_gating(entry)].verdict == gate)
        and all(word is None or word.lower() in str(getattr(entry, fact)).lower() for fact, word in words.items())
    ]
    if as_json:
        typer.echo(json.dumps([_summary(entry) for entry in chosen], indent=1, ensure_ascii=False))
        return
    print_list(chosen, Console(highlight=False))
    usable, left_out = plugged.status()
    for name in usable:
        typer.echo(f"{name}: added by a plug-in")
    for line in left_out:
        typer.echo(f"Warning: {line}", err=True)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name or alias in the catalogue.")],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Show everything known of a data set; of a refused one, why, and a consented alternative."""
    entry = entry_of(name)
    facts = [(fact, entry.fact(fact)) for fact in catalogue.FACTS]
    described = _shipped(entry)
    if as_json:
        made: dict[str, Any] = {**_summary(entry), "facts": dict(facts), "marks": _marks(entry), "source": entry.source}
        if _refused(entry):
            made |= {"reason": consent.refusal(entry), "alternatives": consent.alternatives(entry)}
        if described is not None:
            made |= {"descriptor_sha256": described.digest, "consent_statement": described.dataset.statement}
        typer.echo(json.dumps(made, indent=1, ensure_ascii=False))
        return
    print_entry(entry, Console(highlight=False))


def entry_of(name: str) -> catalogue.Entry:
    """Find a set of the catalogue, or suggest the nearest name."""
    entry = catalogue.find(name)
    if entry is None:
        near = catalogue.near(name)
        hint = f"Did you mean {near!r}?" if near else "See 'faceaudit benchmarks list'"
        raise DataError(name, "is not in the catalogue", hint)
    return entry


def _refused(entry: catalogue.Entry) -> bool:
    return consent.POLICY[_gating(entry)].verdict == "refused"


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
        "descriptor": _shipped(entry) is not None,
    }
