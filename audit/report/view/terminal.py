"""The short table that a terminal shows."""

from __future__ import annotations

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from audit.record import EvaluationRecord, Group, OperatingPoint, Rate
from audit.report.strings import say
from audit.report.view import identification, rates, scenario, words
from audit.report.view.differences import VERDICT_SIGNS
from audit.report.view.findings import verdict
from audit.report.view.source import Source
from audit.report.view.summary import alerts, headline

STYLES = {"DISPARITY": "bold red", "EQUIVALENT": "green", "INCONCLUSIVE": "yellow"}


def comparisons_table(record: EvaluationRecord) -> RenderableType:
    """Groups with people, comparisons, rates at every shared threshold, support, and the verdicts below.

    Returns
    -------
    rich renderable; names are plain text, so markup or escapes in them do nothing
    """
    source = Source.of(record)
    title = say("terminal.title", model=source.record.model.name, benchmark=source.record.benchmark.title)
    table = Table(title=Text(title), title_justify="left")
    table.add_column(Text(say("groups.column_group")))
    for name in ("people", "comparisons"):
        table.add_column(Text(say(f"terminal.column_{name}")), justify="right")
    points = [point for point in source.shared if point.threshold is not None]
    for point in points:
        table.add_column(Text(say("terminal.column_fmr", target=words.target(point.target_fmr))), justify="right")
    table.add_column(Text(say("terminal.column_fnmr")), justify="right")
    table.add_column(Text(say("groups.column_support")))
    _row(table, source, {}, points)
    for attributes in source.attribute_sets():
        table.add_section()
        for group in source.groups(attributes):
            _row(table, source, group, points)
    return Stack(*(Text(line, style="bold") for line in alerts(source)), table, *_verdicts(source))


def _row(table: Table, source: Source, group: Group, points: list[OperatingPoint]) -> None:
    count = source.counts.get(frozenset(group.items()))
    samples = source.record.samples
    name = Text(words.group_name(group))
    if source.banded(group):
        table.add_row(name, Text(say("group.fewer", n=source.min_subjects)), *[Text("–")] * (len(points) + 3))
        return
    people = samples.subjects if not group else source.subjects(group)
    mated, nonmated = (samples.mated, samples.nonmated) if not group or count is None else (count.mated, count.nonmated)
    cells = [_cell(source.rate("FMR", group, point)) for point in points]
    fnmr = _cell(source.rate("FNMR", group, source.headline))
    support = rates.support_cell(rates.support_of(source, group, source.headline)).text
    pairs = say("terminal.pairs", mated=words.number(mated), nonmated=words.number(nonmated))
    table.add_row(name, words.number(people), pairs, *cells, fnmr, Text(support))


def _cell(rate: Rate | None) -> Text:
    cell = rates.rate_cell(rate)
    return Text(cell.text).append(f"\n{cell.note}", style="dim") if cell.note else Text(cell.text)


def _verdicts(source: Source) -> list[Text]:
    lines = []
    for metric in ("FMR", "FNMR"):
        for attributes in source.attribute_sets():
            found = verdict(source, metric, attributes)
            text = Text(f"{VERDICT_SIGNS[found]} {say('verdict.' + found)}", style=STYLES[found])
            text.append(f"  {say('metric.' + metric)}, {words.attributes_name(attributes)}", style="default")
            lines.append(text)
    sentence, evidence = headline(source)
    told = [Text(line) for line in (*identification.told(source), *scenario.told(source))]
    return [*lines, Text(sentence, style="bold"), Text(evidence), *told]
