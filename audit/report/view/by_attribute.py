"""The first page beside its answers: a verdict in plain words for every attribute, and what was not tested at all."""

from __future__ import annotations

from audit.report.parts import Answer, Cell, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.differences import VERDICT_SIGNS
from audit.report.view.findings import METRICS, chance_text, finding, opposite
from audit.report.view.source import Source

MOST_ROWS = 8
"""The first page is one page; the section of findings holds them all."""


def verdict_table(source: Source) -> Table | None:
    """One row an attribute or intersection, one column a kind of error; nothing where nothing was compared."""
    sets = source.attribute_sets()
    if source.headline is None or not sets:
        return None
    rows = tuple(
        (
            Cell(words.attributes_name(attributes), say("first.groups", n=len(source.groups(attributes))), kind="name"),
            *(_cell(source, metric, attributes) for metric in METRICS),
        )
        for attributes in sets[:MOST_ROWS]
    )
    columns = (say("spread.column_attributes"), *(say(f"first.column_{metric}") for metric in METRICS))
    note = say("first.cut", n=MOST_ROWS, total=len(sets)) if len(sets) > MOST_ROWS else say("first.note")
    return Table("verdicts", say("first.caption"), columns, rows, note)


def _cell(source: Source, metric: str, attributes: tuple[str, ...]) -> Cell:
    """A verdict, the claim that it allows, and the counts behind it."""
    found = finding(source, metric, attributes)
    claim, chance = _claim(source, metric, attributes) if found.verdict == "DISPARITY" else ("", "")
    claims = {"DISPARITY": claim or found.text, "EQUIVALENT": found.text}
    behind = found.evidence[:1] if found.verdict != "EQUIVALENT" else ()
    words_of = (claims.get(found.verdict, ""), *behind, chance)
    sign = VERDICT_SIGNS[found.verdict]
    return Cell(f"{sign} {found.label}", " ".join(filter(None, words_of)), mark=found.verdict.lower())


def _claim(source: Source, metric: str, attributes: tuple[str, ...]) -> tuple[str, str]:
    """The leading disparity in few words, and whether it could be chance; nothing where only the spread shows one."""
    for c in source.contrasts(metric, attributes, source.headline):
        if c.verdict == "DISPARITY":
            key = "first.more" if (c.ratio or 1.0) >= 1 else "first.less"
            against = words.quoted(opposite(source, c))
            return say(key, group=words.quoted(c.group), against=against), chance_text(source, c)
    return "", ""


def not_tested(source: Source) -> Answer:
    """What this evaluation did not look at, so that nobody reads its silence as an answer."""
    attributes = dict.fromkeys(name for names in source.attribute_sets() for name in names)
    details = []
    if attributes:
        named = words.join(map(words.plain, attributes), most=6)
        details.append(say("first.untested_groups", attributes=named))
    skipped = [point for point in source.shared if point.threshold is None]
    if skipped and source.headline is not None:
        details.append(say("first.untested_points", targets=words.join(words.target(p.target_fmr) for p in skipped)))
    withheld = sum(source.banded(count.group) for count in source.record.samples.by_group)
    if withheld:
        key = "first.untested_small" if withheld > 1 else "first.untested_one"
        details.append(say(key, n=words.number(withheld), least=source.min_subjects))
    task = "first.untested_task" if source.record.identification is None else "first.untested_task_list"
    return Answer(say("question.untested"), say(task), tuple(details))
