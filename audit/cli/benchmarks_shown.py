"""What `faceaudit benchmarks list` and `show` print on a terminal."""

from __future__ import annotations

import textwrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit.benchmarks import catalogue, consent, descriptor, places
from audit.benchmarks.catalogue import MARKS, Entry
from audit.benchmarks.descriptor import Descriptor

VERDICTS = {
    "allowed": "Allowed",
    "acknowledge": "Allowed with an acknowledgement in the plan (--acknowledge TIER), which every report repeats",
    "refused": "Refused; no flag opens them. 'faceaudit benchmarks show NAME' says why, and names another set",
}
"""What the gate does, in the order of the list."""
STYLES = {"allowed": "green", "acknowledge": "yellow", "refused": "red"}
GROUPS = {
    "Consent and terms": ("consent", "minors", "withdrawal", "licence", "redistribution", "commercial", "biometric"),
    "What it holds": ("subjects", "images", "labels", "attributes", "tasks", "layout"),
    "Where it is from": ("access", "status", "citation"),
}
"""Facts of a set, as `show` groups them."""


def shipped(entry: Entry) -> Descriptor | None:
    """The shipped descriptor of a set, if there is one."""
    return next((known for short, known in descriptor.shipped().items() if catalogue.find(short) is entry), None)


def gating(entry: Entry) -> str:
    """The tier that gates a set."""
    return consent.strictest([entry.tier], place=entry.id)


def short_name(entry: Entry) -> str:
    """The name that commands take: that of the shipped descriptor, or else the id."""
    known = shipped(entry)
    return known.dataset.name if known else entry.id


def print_list(chosen: list[Entry], console: Console) -> None:
    """Print a table for each verdict, and how far facts were checked."""
    wide = console.width >= 100
    for verdict, heading in VERDICTS.items():
        rows = [entry for entry in chosen if consent.POLICY[gating(entry)].verdict == verdict]
        if not rows:
            continue
        console.print(Text(f"{heading}:", style=f"bold {STYLES[verdict]}"))
        table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
        for name in ("name", "tier", "people", "images", *(("set",) if wide else ())):
            table.add_column(name, no_wrap=True, overflow="ellipsis")
        for entry in rows:
            cells = [short_name(entry), entry.tier, _cut(entry, "subjects"), _cut(entry, "images")]
            table.add_row(*(Text(cell) for cell in [*cells, *([entry.name] if wide else [])]))
        console.print(table)
        console.print()
    console.print(f"{len(chosen)} of {len(catalogue.entries())} sets. Marks: (P) {MARKS['P']}, (M) {MARKS['M']}.")
    if not chosen:
        console.print("No set fits all filters. Words are looked for in the facts: try a shorter one.")
    console.print(consent.NOT_LEGAL_ADVICE)


def print_entry(entry: Entry, console: Console) -> None:
    """Print everything known of a set; of a refused one, why, and a consented alternative."""
    tier = gating(entry)
    rule = consent.POLICY[tier]
    console.print(Text(entry.name, style="bold"))
    names = dict.fromkeys([short_name(entry), entry.id, *entry.aliases])
    console.print(Text(f"names: {', '.join(names)}", style="dim"))
    as_classified = "" if entry.tier == tier else f" (classified {entry.tier}, gated by the strictest)"
    console.print(Text(f"tier {tier}{as_classified}: {rule.meaning}"))
    console.print(Text(_verdict(entry, tier), style=f"bold {STYLES[rule.verdict]}"))
    if rule.verdict == "refused":
        console.print(Text(consent.refusal(entry)))
        console.print(Text(consent.alternatives(entry)))
    elif entry.minors.lower().startswith("yes"):
        console.print(Text("People under 18 are in it: only a copy without them can be measured on.", style="yellow"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for heading, facts in GROUPS.items():
        table.add_row(Text(""), "")
        table.add_row(Text(heading, style="bold"), "")
        for fact in facts:
            table.add_row(Text(f"  {fact}"), Text(entry.fact(fact)))
    table.add_row(Text("  checked"), Text(MARKS[entry.verified] + ", where a fact is not marked otherwise"))
    table.add_row(Text("  source"), Text(entry.source))
    console.print(table)
    known = shipped(entry)
    if known is not None:
        console.print()
        console.print(Text(f"Consent wording: {known.dataset.statement}"))
        console.print(Text(f"  ({known.dataset.statement_source})"))
        console.print(Text(f"Descriptor {known.digest[:16]}..., shipped with the package"))
    console.print(consent.NOT_LEGAL_ADVICE)


def _verdict(entry: Entry, tier: str) -> str:
    verdict, name = consent.POLICY[tier].verdict, short_name(entry)
    if verdict == "refused":
        return "refused: never loaded, fetched or scored"
    command = f"faceaudit run --benchmark {name}" + (f" --acknowledge {tier}" if verdict == "acknowledge" else "")
    here = "" if shipped(entry) else f", once its folder with a croissant.json is in {places.ENVIRONMENT}"
    return f"{verdict.replace('acknowledge', 'needs an acknowledgement')}: {command}{here}"


def _cut(entry: Entry, fact: str) -> str:
    """Cut a fact to a column's width; its mark comes first, so that nothing cuts it off."""
    text, mark = str(getattr(entry, fact)), entry.mark(fact)
    return ("" if mark == "V" else f"({mark}) ") + textwrap.shorten(text, 14, placeholder="...")
