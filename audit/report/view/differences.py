"""Differences between groups as tables: spreads with what chance alone gives, and contrasts with their verdicts."""

from __future__ import annotations

from audit.record import Contrast, Differential, OperatingPoint
from audit.report.parts import Block, Cell, Listing, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.findings import HEADLINE_MEASURE
from audit.report.view.source import Source

VERDICT_SIGNS = {"DISPARITY": "▲", "EQUIVALENT": "=", "INCONCLUSIVE": "?"}
MOST_ROWS = 400


def verdict_cell(verdict: str) -> Cell:
    """Print a verdict with its sign."""
    return Cell(f"{VERDICT_SIGNS[verdict]} {say('verdict.' + verdict)}", mark=verdict.lower())


def spread_blocks(source: Source) -> tuple[Block, ...]:
    """One table of disparity measures per attribute set, and those that could not be formed."""
    made: list[Block] = []
    unformed: dict[tuple[str, str], dict[str, list[str]]] = {}
    metrics = dict.fromkeys(d.metric for d in source.record.differentials)
    names = ("measure", "value", "chance", "p", "cross_fit", "groups", "verdict")
    for number, attributes in enumerate(source.attribute_sets()):
        name = words.attributes_name(attributes)
        found = [d for metric in metrics for d in source.spreads(metric, attributes, source.headline)]
        rows = tuple(_spread_row(d) for d in found if d.value is not None)
        if rows:
            columns = tuple(say(f"spread.column_{column}") for column in names)
            made.append(Table(f"spread-{number}", say("spread.caption", attributes=name), columns, rows))
        for d in found:
            if d.value is None:
                by_attribute = unformed.setdefault((d.metric, d.reason or say("rate.unmeasured")), {})
                by_attribute.setdefault(name, []).append(words.key_word("measure", d.measure.replace("/", "_")))
    return (*made, *((_unformed_measures(unformed),) if unformed else ()))


def _unformed_measures(unformed: dict[tuple[str, str], dict[str, list[str]]]) -> Listing:
    """Measures that could not be formed, a line for each kind of error and reason."""
    return Listing(
        tuple(
            say(
                "spread.unformed",
                metric=words.key_word("metric", metric),
                attributes=words.join(by_attribute, most=99),
                reason=reason,
                measures=words.join(dict.fromkeys(m for ms in by_attribute.values() for m in ms), most=99),
            )
            for (metric, reason), by_attribute in unformed.items()
        )
    )


def _spread_row(d: Differential) -> tuple[Cell, ...]:
    name = Cell(words.key_word("measure", d.measure.replace("/", "_")), words.key_word("metric", d.metric), kind="name")
    chance = (
        say("spread.chance", median=words.times(d.null_median), high=words.times(d.null_high))
        if (d.null_median is not None and d.null_high is not None)
        else "–"
    )
    cross = d.debiased.get("cross_fit")
    note = "" if d.interval is None else words.ratio_bounds(d.interval)
    return (
        name,
        Cell(words.times(d.value or 0.0), note, kind="number"),
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
    """Who was left out of the headline spread, and why: a line for each kind of error."""
    found: dict[str, dict[str, None]] = {}
    for d in source.record.differentials:
        if source.headline is None or d.operating_point != source.headline.id or d.measure != HEADLINE_MEASURE:
            continue
        for row in d.excluded:
            group = row.get("group")
            if isinstance(group, dict) and not source.banded(group):
                line = say("spread.excluded_group", group=words.group_name(group), reason=str(row.get("reason", "")))
                found.setdefault(words.key_word("metric", d.metric), {})[line] = None
    return tuple(
        say("spread.excluded_line", metric=metric, groups=words.join(groups, most=999))
        for metric, groups in found.items()
    )


def contrast_table(
    source: Source, metric: str, attributes: tuple[str, ...], point: OperatingPoint | None = None, name: str = ""
) -> Table | None:
    """Contrasts of one kind of error within one attribute set, where a ratio could be formed; `name` is the table's."""
    found = source.contrasts(metric, attributes, point or source.headline)
    contrasts = [c for c in found if c.ratio is not None]
    if not contrasts:
        return None
    names = ("group", "against", "ratio", "p", "verdict", "detectable")
    caption = say("contrast.caption", metric=say(f"metric.{metric}"), attributes=words.attributes_name(attributes))
    rows = tuple(_contrast_row(c) for c in contrasts[:MOST_ROWS])
    cut = say("contrast.cut", n=MOST_ROWS, total=len(contrasts))
    columns = tuple(say(f"contrast.column_{column}") for column in names)
    note = say("contrast.note") if len(contrasts) <= MOST_ROWS else cut
    name = name or f"contrasts-{metric.lower()}-{source.attribute_sets().index(attributes)}"
    return Table(name, caption, columns, rows, note)


def unformed_ratios(source: Source, metric: str, attributes: tuple[str, ...]) -> tuple[str, ...]:
    """Pairs of groups of which no ratio could be formed, by reason."""
    by_reason: dict[str, list[str]] = {}
    for c in source.contrasts(metric, attributes, source.headline):
        if c.ratio is None:
            against = words.side_name(c.against)
            pair = say("figure.versus", group=words.group_name(c.group), against=against)
            by_reason.setdefault(c.reason or say("rate.unmeasured"), []).append(pair)
    return tuple(
        say(
            "contrast.unformed",
            metric=say(f"metric.{metric}"),
            attributes=words.attributes_name(attributes),
            n=len(pairs),
            reason=reason,
            pairs=words.join(pairs, most=6),
        )
        for reason, pairs in by_reason.items()
    )


def _contrast_row(c: Contrast) -> tuple[Cell, ...]:
    shown = words.times(c.ratio or 0.0)
    text = say("contrast.at_least", ratio=shown) if c.at_least else shown
    ratio = Cell(text, words.ratio_bounds(c.interval), kind="rate")
    against = words.side_name(c.against)
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
