"""A reproduction as it is shown: what was compared, what differs, how far, in words."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from audit.report.parts import Block, Cell, Listing, Paragraph, ReportView, Section, Table
from audit.report.strings import say, spoken
from audit.report.view import words
from audit.report.view.clean import scrub_reproduction
from audit.reproduction import Difference, Reproduction, Tally

MOST_ROWS = 60
_WORDS = {
    "identical": "identical",
    "within rounding": "rounding",
    "within intervals": "intervals",
    "not reproduced": "beyond",
    "other inputs": "inputs",
}
_HOW = {"measured again": "measured", "templates from the cache": "cached", "compared": "compared"}
_COLUMNS = ("compared", "identical", "rounding", "interval", "unjudged", "beyond")


def make_reproduction(found: Reproduction) -> ReportView:
    """Turn a reproduction into what is shown."""
    shown = scrub_reproduction(found)
    sections = (
        Section("again-kinds", say("again.tallies_title"), say("again.tallies_lead"), (_kinds(shown),)),
        Section(
            "again-differences", say("again.differences_title"), say("again.differences_lead"), _differences(shown)
        ),
        Section("again-inputs", say("again.digests_title"), _code(shown), _inputs(shown)),
        Section("again-environment", say("again.environment_title"), _environment(shown), _surroundings(shown)),
        Section("again-how", say("again.how_title"), "", (Listing(_methods()),)),
    )
    return ReportView(
        language=spoken(),
        title=say("again.title", model=shown.model, benchmark=shown.benchmark),
        subtitle=say("again.subtitle", recorded=shown.recorded, made=shown.again),
        consent=say(f"again.how_{_HOW[shown.how]}"),
        verdict="EQUIVALENT" if shown.reproduced else "DISPARITY",
        verdict_label=say(f"again.label_{_WORDS[shown.outcome]}"),
        headline=_headline(shown),
        evidence=_code(shown),
        alerts=(),
        answers=(),
        sections=sections,
        footer=say("again.footer", schema=shown.schema_),
    )


def reproduction_table(found: Reproduction) -> RenderableType:
    """Table for a terminal: a row a kind."""
    shown = scrub_reproduction(found)
    made = RichTable()
    made.add_column(Text(say("again.column_kind")))
    for name in _COLUMNS:
        made.add_column(Text(say(f"again.column_{name}")), justify="right")
    for row in shown.tallies:
        numbers = (words.number(getattr(row, name)) for name in _COLUMNS)
        made.add_row(Text(say(f"again.kind_{row.kind}")), *numbers, style="bold" if row.beyond else "")
    return made


def reproduction_lines(found: Reproduction, most: int = 10) -> list[str]:
    """What a terminal says below the table: the outcome, inputs, environment, and the gravest differences."""
    shown = scrub_reproduction(found)
    lines = [f"{say(f'again.label_{_WORDS[shown.outcome]}')}: {_headline(shown)}", say(f"again.how_{_HOW[shown.how]}")]
    lines += [_code(shown), _environment(shown)]
    lines += [f"  {row.name}: {row.recorded} -> {row.again}" for row in (*shown.settings, *shown.environment)[:most]]
    grave = [row for row in shown.differences if row.judgement in ("beyond", "unjudged")]
    return lines + [f"  {row.place}: {_value(row.recorded)} -> {_value(row.again)}" for row in grave[:most]]


def _headline(shown: Reproduction) -> str:
    total = {name: words.number(sum(getattr(row, name) for row in shown.tallies)) for name in _COLUMNS}
    names = [
        say(f"digest.{one.name}")
        for one in shown.digests
        if not one.same and one.name in ("benchmark", "samples", "weights")
    ]
    names += [words.plain(one.name) for one in shown.settings]
    verdicts = words.number(shown.verdicts_changed)
    return say(f"again.{_WORDS[shown.outcome]}", names=words.join(names, most=9), verdicts=verdicts, **total)


def _code(shown: Reproduction) -> str:
    same = all(one.same for one in shown.digests if one.name == "code")
    return say("again.same_code" if same else "again.code")


def _environment(shown: Reproduction) -> str:
    n, total = len(shown.environment), shown.environment_compared
    said = say("again.environment_changed" if n else "again.environment_same", n=words.number(n or total), total=total)
    return said if shown.environment_from == "environment.json" else f"{said} {say('again.environment_record')}"


def _kinds(shown: Reproduction) -> Table:
    columns = tuple(say(f"again.column_{name}") for name in ("kind", *_COLUMNS))
    return Table("kinds", say("again.tallies_caption"), columns, tuple(map(_kind, shown.tallies)))


def _kind(row: Tally) -> tuple[Cell, ...]:
    numbers = (
        Cell(words.number(n), kind="number", mark="disparity" if name == "beyond" and n else "")
        for name in _COLUMNS for n in (getattr(row, name),)
    )  # fmt: skip
    return (Cell(say(f"again.kind_{row.kind}"), kind="name"), *numbers)


def _differences(shown: Reproduction) -> tuple[Block, ...]:
    if not shown.differences:
        return (Paragraph(say("again.none")),)
    columns = tuple(say(f"again.column_{name}") for name in ("place", "recorded", "again", "judgement"))
    rest = len(shown.differences) + shown.left_out - MOST_ROWS
    note = say("again.differences_more", n=words.number(rest)) if rest > 0 else ""
    rows = tuple(map(_difference, shown.differences[:MOST_ROWS]))
    return (Table("differences", say("again.differences_caption"), columns, rows, note),)


def _difference(row: Difference) -> tuple[Cell, ...]:
    judged = Cell(say(f"again.column_{row.judgement}"), mark="disparity" if row.judgement == "beyond" else "")
    return (Cell(row.place, kind="name"), Cell(_value(row.recorded)), Cell(_value(row.again)), judged)


def _inputs(shown: Reproduction) -> tuple[Block, ...]:
    columns = tuple(say(f"again.column_{name}") for name in ("name", "recorded", "again", "same"))
    rows = tuple(
        (
            Cell(say(f"digest.{one.name}"), kind="name"), Cell(one.recorded[:16]), Cell(one.again[:16]),
            Cell(say("side.yes" if one.same else "side.no")),
        )
        for one in shown.digests
    )  # fmt: skip
    made: tuple[Block, ...] = (Table("digests", say("again.digests_caption"), columns, rows),)
    if shown.settings:
        made += (_changed("settings", say("again.settings_caption"), shown.settings),)
    return made


def _surroundings(shown: Reproduction) -> tuple[Block, ...]:
    if not shown.environment:
        return (Paragraph(say("again.none")),)
    return (_changed("environment", say("again.environment_caption"), shown.environment),)


def _changed(name: str, caption: str, rows: list[Any]) -> Table:
    columns = tuple(say(f"again.column_{name}") for name in ("name", "recorded", "again"))
    body = tuple(
        (Cell(r.name, kind="name"), Cell(words.setting(r.recorded)), Cell(words.setting(r.again))) for r in rows
    )
    return Table(name, caption, columns, body)


def _methods() -> tuple[str, ...]:
    return tuple(say(f"again.method_{name}") for name in ("rounding", "interval", "unjudged", "beyond"))


def _value(value: Any) -> str:
    """A number with all its digits: what differs may stand in the last one."""
    return "–" if value is None else str(value)
