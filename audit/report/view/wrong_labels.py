"""What a difference would look like if labels were wrong: a small table an attribute, the groups folded beneath."""

from __future__ import annotations

from audit.record import AnnotatorRatio, Group, LabelNoise
from audit.report.parts import Block, Cell, Fold, Paragraph, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.findings import HEADLINE_MEASURE
from audit.report.view.source import Key, Source, key

OWN_WORD = frozenset({"self-reported", "assigned-by-design"})
"""Labels that are taken as right."""
COLUMNS = ("share", "observed", "seen", "behind")
_Rows = dict[tuple[Key | None, str], list[LabelNoise]]


def label_blocks(source: Source) -> tuple[Block, ...]:
    """One table an attribute whose labels may be wrong, at the headline operating point; nothing where none was."""
    point = source.headline
    found = [row for row in source.record.label_noise if point is not None and row.operating_point == point.id]
    made: list[Block] = []
    for number, attribute in enumerate(dict.fromkeys(row.attribute for row in found)):
        made += _attribute(source, number, attribute, [row for row in found if row.attribute == attribute])
    said = _annotators(source)
    trusted = _trusted(source, {row.attribute for row in found} | {row.attribute for row in source.record.annotators})
    return (*((Paragraph(say("wrong_labels.lead")),) if made or said else ()), *made, *said, *trusted)


def _annotators(source: Source) -> list[Block]:
    """A table an attribute of which each annotator's labels are known: the ratios that each would have given."""
    point = source.headline
    rows = [row for row in source.record.annotators if point is not None and row.operating_point == point.id]
    made: list[Block] = []
    for number, attribute in enumerate(dict.fromkeys(row.attribute for row in rows)):
        own = [row for row in rows if row.attribute == attribute]
        name = words.attributes_name((attribute,))
        cells: list[tuple[Cell, ...]] = []
        for group in (None, *source.groups((attribute,))):
            if group is not None and source.banded(group):
                continue
            for metric in dict.fromkeys(row.metric for row in own):
                chosen = [
                    row for row in own
                    if row.metric == metric and (row.group is None if group is None else row.group == group)
                ]  # fmt: skip
                if not any(row.ratio is not None for row in chosen):
                    continue
                who = say("wrong_labels.spread") if group is None else words.group_name(group)
                cells.append((Cell(say("wrong_labels.group_heading", group=who, metric=say(f"metric.{metric}"))),))
                cells += [_annotator(row) for row in chosen]
        columns = tuple(say(f"wrong_labels.column_{c}") for c in ("annotator", "observed", "annotated", "agreeing"))
        if cells:
            caption = say("wrong_labels.annotators_caption", attribute=name)
            table = Table(f"annotators-{number}", caption, columns, tuple(cells), say("wrong_labels.annotators_note"))
            made.append(Fold(say("wrong_labels.annotators_fold", attribute=name), (table,)))
    return made


def _annotator(row: AnnotatorRatio) -> tuple[Cell, ...]:
    return (
        Cell(say("wrong_labels.annotator", n=row.annotator), kind="name"),
        Cell("–" if row.used is None else words.times(row.used), kind="number"),
        Cell("–" if row.ratio is None else words.times(row.ratio), kind="number"),
        Cell(
            say("rate.counts", errors=words.number(row.agreeing), trials=words.number(row.people)), kind="number"
        ),
    )  # fmt: skip


def _trusted(source: Source, shown: set[str]) -> tuple[Block, ...]:
    """Name the compared attributes whose labels were not doubted."""
    compared = dict.fromkeys(name for names in source.attribute_sets() for name in names)
    parts = source.record.benchmark.attributes
    left = [n for n in compared if n not in shown and n in parts and parts[n].provenance in OWN_WORD]
    if not left:
        return ()
    named = (
        say(
            "wrong_labels.by",
            attribute=words.attributes_name((n,)),
            by=words.key_word("provenance", parts[n].provenance),
        )
        for n in left
    )
    return (Paragraph(say("wrong_labels.trusted", attributes=words.join(named, most=99)), "note"),)


def _attribute(source: Source, number: int, attribute: str, rows: list[LabelNoise]) -> list[Block]:
    by: _Rows = {}
    for row in rows:
        by.setdefault((None if row.group is None else key(row.group), row.metric), []).append(row)
    metrics = list(dict.fromkeys(row.metric for row in rows))
    name = words.attributes_name((attribute,))
    together = [line for m in metrics for line in _together(source, attribute, m, by.get((None, m), []))]
    groups: list[tuple[Cell, ...]] = []
    for group in source.groups((attribute,)):
        groups += _group(source, group, metrics, by)
    made: list[Block] = []
    columns = tuple(say(f"wrong_labels.column_{column}") for column in COLUMNS)
    by_whom = words.key_word("provenance", rows[0].provenance)
    if any(len(line) > 1 for line in together):
        caption = say("wrong_labels.caption", attribute=name, by=by_whom)
        made.append(Table(f"wrong-labels-{number}", caption, columns, tuple(together), say("wrong_labels.note")))
    elif together:
        made.append(_unformed(name, by_whom, together))
    if groups:
        caption = say("wrong_labels.groups_caption", attribute=name)
        table = Table(f"wrong-labels-groups-{number}", caption, columns, tuple(groups), say("wrong_labels.note"))
        made.append(Fold(say("wrong_labels.groups_fold", attribute=name), (table,)))
    return made


def _unformed(name: str, by_whom: str, lines: list[tuple[Cell, ...]]) -> Paragraph:
    """A sentence for an attribute of which no spread could be formed."""
    by_reason: dict[str, list[str]] = {}
    for (cell,) in lines:
        by_reason.setdefault(cell.note, []).append(cell.text)
    reasons = words.join((say("wrong_labels.because", why=why, what=", ".join(of)) for why, of in by_reason.items()))
    return Paragraph(say("wrong_labels.unformed", attribute=name, by=by_whom, reasons=reasons), "note")


def _together(source: Source, attribute: str, metric: str, rows: list[LabelNoise]) -> list[tuple[Cell, ...]]:
    """The spread over all groups that enter it, which are named with their people; a reason if it has none."""
    spreads = [d for d in source.spreads(metric, (attribute,), source.headline) if d.measure == HEADLINE_MEASURE]
    named = (
        say("wrong_labels.group", group=words.group_name(group), people=words.people(source.subjects(group)))
        for d in spreads
        for group in d.included
        if not source.banded(group)
    )
    reason = next((d.reason for d in spreads if d.reason), None)
    return _lines(rows, say(f"metric.{metric}"), words.join(named, most=8), reason)


def _group(source: Source, group: Group, metrics: list[str], by: _Rows) -> list[tuple[Cell, ...]]:
    made: list[tuple[Cell, ...]] = []
    name = words.group_name(group)
    if source.banded(group):
        return [(Cell(name, say("group.withheld", n=source.min_subjects)),)]
    for metric in metrics:
        title = say("wrong_labels.group_heading", group=name, metric=say(f"metric.{metric}"))
        made += _lines(by.get((key(group), metric), []), title, words.people(source.subjects(group)))
    return made


def _lines(rows: list[LabelNoise], title: str, note: str, reason: str | None = None) -> list[tuple[Cell, ...]]:
    """A heading and a row a share; where no share has a ratio the heading says why."""
    if not rows:
        return []
    if not any(row.observed for row in rows):
        none_seen = rows[0].observed == 0
        why = say("wrong_labels.none_seen") if none_seen else reason or rows[0].reason or say("rate.unmeasured")
        return [(Cell(title, f"{note}; {why}" if note else why),)]
    rows = sorted(rows, key=lambda row: row.share)
    reasons = [say("wrong_labels.reason", share=words.tick(row.share), reason=row.reason) for row in rows if row.reason]
    notes = "; ".join(part for part in (note, *reasons) if part)
    return [(Cell(title, notes),), *(_line(row) for row in rows)]


def _line(row: LabelNoise) -> tuple[Cell, ...]:
    median = "–" if row.median is None else words.times(row.median)
    seen = Cell(median, "" if row.median is None else words.ratio_bounds(row.interval), kind="rate")
    behind = Cell("–" if row.corrected is None else words.times(row.corrected), kind="number")
    observed = Cell("–" if row.observed is None else words.times(row.observed), kind="number")
    return (Cell(words.tick(row.share), kind="name"), observed, seen, behind)
