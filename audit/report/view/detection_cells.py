"""Figures and tables of a detector's conditions: a line a group, a panel a degradation."""

from __future__ import annotations

from collections.abc import Sequence

from audit.record import DetectionCell, DetectionPart, Group, StepPart
from audit.report.parts import Block, Cell, Figure, Fold, Line, SeverityLine, SeverityPanel, SeverityPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.rates import name_cell
from audit.report.view.source import Source, key

MOST_LINES = 6
HALF = 0.5


def breaking(part: DetectionPart) -> list[str]:
    """From which severity half of all faces are missed, for each degradation; and where nothing is."""
    everyone = [cell for cell in part.cells if not cell.group]
    firm, none = [], []
    for one in part.degradations:
        cells = [c for c in everyone if c.degradation == one.name and c.value is not None]
        worst = next((c for c in sorted(cells, key=lambda c: c.severity) if (c.value or 0.0) >= HALF), None)
        name = words.key_word("degradation", one.name)
        if worst is not None:
            firm.append(say("detection.breaks_at", name=name, severity=worst.severity))
        elif cells and not any(c.misses for c in cells):
            none.append(name)
    lines = [say("detection.breaks_half", where=words.join(firm, most=9)) if firm else say("detection.breaks_never")]
    if none:
        lines.append(say("detection.breaks_none", names=words.join(none, most=9)))
    return lines


def truth_lines(part: DetectionPart) -> tuple[str, ...]:
    """By what the faces of how many pictures are known."""
    counts = part.truth.model_dump()
    return tuple(
        say(f"detection.truth_{kind}", images=words.images(number)) for kind, number in counts.items() if number
    )


def landmark_sentence(part: DetectionPart) -> str:
    """The mean error of everyone in pictures as they were taken."""
    found = next((one for one in part.landmarks if not one.group and one.severity == 0), None)
    if found is None or found.mean is None or found.interval is None:
        return say("detection.landmarks_none")
    return say(
        "detection.landmarks_mean",
        value=words.percent(found.mean),
        bounds=words.bounds(found.interval),
        faces=words.number(found.faces),
    )


def landmark_cell(part: DetectionPart, group: Group) -> Cell:
    """A group's mean error in pictures as they were taken."""
    found = next((one for one in part.landmarks if key(one.group) == key(group) and one.severity == 0), None)
    if found is None or found.mean is None:
        return Cell("–", "" if found is None else found.reason or "", kind="number")
    return Cell(words.percent(found.mean), words.bounds(found.interval), kind="rate")


def figure(source: Source, part: DetectionPart, attributes: tuple[str, ...]) -> Figure | None:
    """Where it breaks, and for whom; None where there are more groups than lines can be told apart."""
    groups = _groups(source, attributes)
    if not groups or len(groups) > MOST_LINES:
        return None
    panels = tuple(
        SeverityPanel(
            words.key_word("degradation", one.name),
            say(
                "detection.panel",
                first=f"{one.values[0]:.3g}",
                last=f"{one.values[-1]:.3g}",
                parameter=words.key_word("degradation_number", one.name),
            ),
            tuple(_line(part, group, one.name) for group in groups),
        )
        for one in part.degradations
    )
    severities = sorted({0, *(severity for one in part.degradations for severity in one.severities)})
    name = words.attributes_name(attributes) if attributes else say("detection.everyone")
    title = say("detection.figure", attributes=name)
    spoken = " ".join(breaking(part))
    return Figure(
        id=f"breaks-{source.attribute_sets().index(attributes)}" if attributes else "breaks-everyone",
        title=title,
        caption=say("detection.figure_caption"),
        alt=say("figure.rows_alt", what=title, rows=spoken),
        picture=SeverityPicture(
            panels,
            tuple(words.group_name(group) for group in groups),
            tuple(Line(float(s), str(s)) for s in severities),
            tuple(Line(x, words.tick(x)) for x in (0.0, 0.25, 0.5, 0.75, 1.0)),
            say("detection.x_axis"),
            say("detection.y_axis"),
        ),
        table=_table(source, part, attributes),
    )


def fold(source: Source, part: DetectionPart, attributes: tuple[str, ...]) -> Block:
    """The numbers of more groups than a picture shows."""
    title = say("detection.cells_fold", attributes=words.attributes_name(attributes))
    return Fold(title, (_table(source, part, attributes),))


def _groups(source: Source, attributes: tuple[str, ...]) -> list[Group]:
    return [g for g in source.groups(attributes) if not source.banded(g)] if attributes else [{}]


def _cells(part: DetectionPart, group: Group, degradation: str) -> list[DetectionCell]:
    """A group's cells from the picture as it was taken on."""
    mine = [c for c in part.cells if key(c.group) == key(group)]
    chosen = [c for c in mine if c.severity == 0 or c.degradation == degradation]
    return sorted(chosen, key=lambda c: c.severity)


def _line(part: DetectionPart, group: Group, degradation: str) -> SeverityLine:
    cells = [c for c in _cells(part, group, degradation) if c.value is not None and c.interval is not None]
    return SeverityLine(
        words.group_name(group),
        tuple(float(c.severity) for c in cells),
        tuple(c.value or 0.0 for c in cells),
        tuple(c.interval.low if c.interval else 0.0 for c in cells),
        tuple(c.interval.high if c.interval else 1.0 for c in cells),
    )


def _table(source: Source, part: DetectionPart, attributes: tuple[str, ...]) -> Table:
    severities = sorted({0, *(severity for one in part.degradations for severity in one.severities)})
    rows: list[tuple[Cell, ...]] = []
    for one in part.degradations:
        rows.append((Cell(words.key_word("degradation", one.name), kind="name"),))
        for group in _groups(source, attributes):
            found = {c.severity: c for c in _cells(part, group, one.name)}
            rows.append((name_cell(group), *(_cell(found.get(severity)) for severity in severities)))
    number = source.attribute_sets().index(attributes) if attributes else "everyone"
    columns = (say("groups.column_group"), *(say("detection.column_severity", n=s) for s in severities))
    name = words.attributes_name(attributes) if attributes else say("detection.everyone")
    caption = say("detection.cells_caption", attributes=name)
    return Table(f"cells-{number}", caption, columns, tuple(rows), say("detection.cells_note"))


def _cell(found: DetectionCell | None) -> Cell:
    if found is None or found.value is None:
        return Cell("–", "" if found is None else found.reason or "", kind="number")
    counts = say("rate.counts", errors=words.number(found.misses), trials=words.number(found.pictures))
    if found.misses == 0 and found.upper_bound is not None:
        return Cell(
            counts, say("rate.at_most", bound=words.percent(found.upper_bound)), kind="rate", mark=found.support
        )
    value = say("rate.value", value=words.percent(found.value), often="", bounds=words.bounds(found.interval))
    return Cell(counts, value, kind="rate", mark=found.support)


def odds_table(source: Source, part: DetectionPart, attributes: tuple[str, ...]) -> Table | None:
    """Odds ratios of one attribute set, a row a group and degradation, where one could be formed."""
    found = [
        one for one in part.odds
        if frozenset(one.group) == frozenset(attributes) and one.ratio is not None and not source.banded(one.group)
    ]  # fmt: skip
    if not found:
        return None
    rows = tuple(
        (
            Cell(words.group_name(one.group), kind="name"),
            Cell(words.group_name(one.against)),
            Cell(words.key_word("degradation", one.degradation)),
            Cell(words.times(one.ratio or 0.0), words.ratio_bounds(one.interval), kind="number"),
            Cell(words.p_value(one.p), kind="number"),
        )
        for one in found
    )
    columns = tuple(say(f"detection.odds_{name}") for name in ("group", "against", "degradation", "ratio", "p"))
    number = source.attribute_sets().index(attributes)
    caption = say("detection.odds_caption", attributes=words.attributes_name(attributes))
    return Table(f"odds-{number}", caption, columns, rows, say("detection.odds_note"))


def interaction_table(source: Source, part: DetectionPart, attributes: tuple[str, ...]) -> Table | None:
    """Whether the groups of an attribute set lose alike as pictures get worse."""
    found = [
        one for one in part.interactions if frozenset(one.attributes) == frozenset(attributes) and one.p is not None
    ]
    if not found:
        return None
    rows = tuple(
        (
            Cell(words.key_word("degradation", one.degradation), kind="name"),
            Cell(words.p_value(one.p), kind="number"),
            Cell(words.p_value(one.p_adjusted), kind="number"),
            Cell(_steps(source, one.steps)),
        )
        for one in found
    )
    columns = tuple(say(f"detection.interaction_{name}") for name in ("degradation", "p", "adjusted", "steps"))
    number = source.attribute_sets().index(attributes)
    caption = say("detection.interaction_caption", attributes=words.attributes_name(attributes))
    return Table(f"interaction-{number}", caption, columns, rows, say("detection.interaction_note"))


def _steps(source: Source, steps: Sequence[StepPart]) -> str:
    shown = [step for step in steps if not source.banded(step.group)]
    return "; ".join(
        f"{words.group_name(step.group)} {words.times(step.ratio)} ({words.ratio_bounds(step.interval)})"
        for step in shown
    )


def unformed(source: Source, part: DetectionPart) -> tuple[str, ...]:
    """Which odds ratios and tests could not be formed, by reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for one in part.odds:
        if one.ratio is None and not source.banded(one.group):
            where = (words.key_word("degradation", one.degradation), one.reason or say("rate.unmeasured"))
            by_reason.setdefault(where, []).append(words.group_name(one.group))
    return tuple(
        say("detection.unformed", degradation=name, reason=reason, groups=words.join(groups, most=9))
        for (name, reason), groups in by_reason.items()
    )
