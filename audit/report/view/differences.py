"""Differences between groups as tables: spreads with what chance alone gives, and contrasts with their verdicts."""

from __future__ import annotations

from audit.record import Contrast, Differential
from audit.report.parts import Cell, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.source import Source

VERDICT_SIGNS = {"DISPARITY": "▲", "EQUIVALENT": "=", "INCONCLUSIVE": "?"}
MOST_ROWS = 400


def verdict_cell(verdict: str) -> Cell:
    """Print a verdict with its sign."""
    return Cell(f"{VERDICT_SIGNS[verdict]} {say('verdict.' + verdict)}", mark=verdict.lower())


def spread_tables(source: Source) -> list[Table]:
    """One table of disparity measures per kind of error and attribute set, at the headline threshold."""
    made = []
    metrics = dict.fromkeys(d.metric for d in source.record.differentials)
    for attributes in source.attribute_sets():
        rows = [_spread_row(d) for metric in metrics for d in source.spreads(metric, attributes, source.headline)]
        if rows:
            names = ("measure", "value", "chance", "p", "cross_fit", "groups", "verdict")
            caption = say("spread.caption", attributes=words.attributes_name(attributes))
            columns = tuple(say(f"spread.column_{name}") for name in names)
            number = source.attribute_sets().index(attributes)
            made.append(Table(f"spread-{number}", caption, columns, tuple(rows)))
    return made


def _spread_row(d: Differential) -> tuple[Cell, ...]:
    name = Cell(words.key_word("measure", d.measure.replace("/", "_")), words.key_word("metric", d.metric), kind="name")
    if d.value is None:
        return (
            name,
            Cell("–", d.reason or say("rate.unmeasured"), kind="number"),
            *(Cell("–", kind="number"),) * 3,
            Cell(_excluded(d)),
            verdict_cell(d.verdict),
        )
    chance = (
        say("spread.chance", median=words.times(d.null_median), high=words.times(d.null_high))
        if (d.null_median is not None and d.null_high is not None)
        else "–"
    )
    cross = d.debiased.get("cross_fit")
    note = "" if d.interval is None else words.ratio_bounds(d.interval)
    return (
        name,
        Cell(words.times(d.value), note, kind="number"),
        Cell(chance, kind="number"),
        Cell(words.p_value(d.null_p), kind="number"),
        Cell("–" if cross is None else words.times(cross), kind="number"),
        Cell(_worst_best(d), _excluded(d)),
        verdict_cell(d.verdict),
    )


def _worst_best(d: Differential) -> str:
    if d.groups.worst is None or d.groups.best is None:
        return "–"
    return say("spread.worst_best", worst=words.group_name(d.groups.worst), best=words.group_name(d.groups.best))


def _excluded(d: Differential) -> str:
    parts = []
    if d.excluded:
        parts.append(say("spread.excluded", n=len(d.excluded)))
    if d.zero_adjusted:
        parts.append(say("spread.zero_adjusted", n=len(d.zero_adjusted)))
    return " ".join(parts)


def excluded_lines(source: Source) -> tuple[str, ...]:
    """Who was left out of the spreads, and why, each once."""
    lines = {}
    for d in source.record.differentials:
        for row in d.excluded:
            group = row.get("group")
            if isinstance(group, dict) and not source.banded(group):
                name = words.group_name(group)
                lines[say("spread.excluded_line", group=name, reason=str(row.get("reason", "")))] = None
    return tuple(lines)


def contrast_table(source: Source, metric: str, attributes: tuple[str, ...]) -> Table | None:
    """Contrasts of one kind of error within one attribute set."""
    contrasts = source.contrasts(metric, attributes, source.headline)
    if not contrasts:
        return None
    names = ("group", "against", "ratio", "p", "verdict", "detectable")
    caption = say("contrast.caption", metric=say(f"metric.{metric}"), attributes=words.attributes_name(attributes))
    rows = tuple(_contrast_row(c) for c in contrasts[:MOST_ROWS])
    note = (
        say("contrast.note") if len(contrasts) <= MOST_ROWS else say("contrast.cut", n=MOST_ROWS, total=len(contrasts))
    )
    number = source.attribute_sets().index(attributes)
    columns = tuple(say(f"contrast.column_{name}") for name in names)
    return Table(f"contrasts-{metric.lower()}-{number}", caption, columns, rows, note)


def _contrast_row(c: Contrast) -> tuple[Cell, ...]:
    if c.ratio is None:
        ratio = Cell("–", c.reason or say("rate.unmeasured"), kind="number")
    else:
        text = say("contrast.at_least", ratio=words.times(c.ratio)) if c.at_least else words.times(c.ratio)
        ratio = Cell(text, words.ratio_bounds(c.interval), kind="number")
    against = say("word.rest") if c.against == "rest" else words.group_name(c.against)
    detectable = "–" if c.minimum_detectable_ratio is None else words.times(c.minimum_detectable_ratio)
    verdict = verdict_cell(c.verdict)
    if c.material:
        verdict = Cell(verdict.text, say("contrast.material"), mark=verdict.mark)
    return (
        Cell(words.group_name(c.group), kind="name"),
        Cell(against, kind="name"),
        ratio,
        Cell(words.p_value(c.p_adjusted), kind="number"),
        verdict,
        Cell(detectable, kind="number"),
    )
