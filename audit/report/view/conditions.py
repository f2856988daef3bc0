"""Gaps between groups as they are and at equal capture conditions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from audit.record import ConditionEffect, ConditionGap, Conditions, IntervalPart, LeftOutMeasure
from audit.report.parts import (
    Block,
    Cell,
    Figure,
    Fold,
    Line,
    Listing,
    Paragraph,
    RowMark,
    RowPicture,
    Section,
    Table,
)
from audit.report.strings import say
from audit.report.view import capture, words
from audit.report.view.pictures import ratio_ticks, spoken
from audit.report.view.rates import MARKERS, SIGNS, support_cell
from audit.report.view.source import Source

METRICS = ("FMR", "FNMR")
SCORES = ("mated score", "non-mated score")
MUCH = 0.5
"""Share of the variance of a group's membership that conditions explain, from which on the reader is told."""
FARTHEST = (1e-3, 1e4)
"""Ratios beyond are drawn at the edge."""


def conditions_section(source: Source) -> Section:
    """What goes with capture conditions, if the plan asked for them."""
    part = source.record.conditions
    blocks: tuple[Block, ...] = ()
    if part is not None:
        blocks = (
            Paragraph(say("conditions.caution")),
            *(block for metric in _metrics(part) for block in _of_metric(source, part, metric)),
            *_several(part),
            *_scores(source, part),
            *_effects(source, part),
            *capture.distributions(source, part),
            capture.definitions(part),
        )
    return Section("conditions", say("section.conditions"), say("section.conditions_lead"), blocks)


def _metrics(part: Conditions) -> list[str]:
    """Kinds of errors, those of comparisons first."""
    asked = dict.fromkeys(gap.quantity for gap in part.gaps if gap.quantity not in SCORES)
    return sorted(asked, key=lambda name: METRICS.index(name) if name in METRICS else len(METRICS))


def _metric(name: str) -> str:
    return words.key_word("metric", name)


def _several(part: Conditions) -> list[Block]:
    """People who are in several groups, and so in none of these comparisons."""
    return [
        Paragraph(
            say("conditions.several", people=words.people(people), attribute=words.attributes_name((name,))), "note"
        )
        for name, people in part.several.items()
    ]


def _shown(source: Source, gaps: Iterable[ConditionGap]) -> list[ConditionGap]:
    return [gap for gap in gaps if not source.banded(gap.group) and not source.banded(gap.against)]


def _of_metric(source: Source, part: Conditions, metric: str) -> list[Block]:
    """Sentences, a picture and what could not be formed, at the strictest threshold where something could."""
    mine = _shown(source, [gap for gap in part.gaps if gap.quantity == metric])
    formed = [gap for gap in mine if gap.before is not None]
    asked = [[gap.operating_point for gap in some] for some in (formed, mine)]
    point = next((p for points in asked for p in (*_strictest(source), None) if p in points), None)
    here = [gap for gap in mine if gap.operating_point == point]
    drawn = [gap for gap in here if gap.before is not None]
    blocks: list[Block] = []
    if drawn:
        blocks += [Listing(tuple(_sentence(gap) for gap in drawn)), _figure(source, metric, drawn, point)]
    left = [one for one in part.left_out if one.quantity == metric and one.operating_point == point]
    return blocks + _unformed(here, metric) + _left_out(left, metric)


def _left_out(left: Iterable[LeftOutMeasure], metric: str) -> list[Block]:
    """Measures that could not enter, and why."""
    by_reason: dict[str, list[str]] = {}
    for one in left:
        by_reason.setdefault(one.reason, []).append(words.key_word("capture", one.measure))
    return [
        Paragraph(
            say(
                "conditions.left_out",
                metric=_metric(metric),
                measures=words.join(dict.fromkeys(measures), most=11),
                reason=reason,
            ),
            "note",
        )
        for reason, measures in by_reason.items()
    ]


def _strictest(source: Source) -> list[str]:
    """Thresholds that hold for everyone, the strictest first; those that were given come last."""
    strict = [(p.id, p.policy == "global") for p in source.shared[::-1]]
    return [*(name for name, own in strict if own), *(name for name, own in strict if not own)]


def _sentence(gap: ConditionGap) -> str:
    """What may be said of a gap: no more than its counts bear."""
    change = gap.change_interval
    if gap.support == "count-only":
        name = "conditions.counts_only"
    elif change is None or change.low <= 1 <= change.high:
        name = "conditions.untold"
    elif gap.before_interval is None or gap.before_interval.low <= 1 <= gap.before_interval.high:
        name = "conditions.moved"
    elif abs(math.log(gap.after or 1.0)) < abs(math.log(gap.before or 1.0)):
        name = "conditions.smaller"
    else:
        name = "conditions.larger"
    text = say(
        name,
        metric=_metric(gap.quantity),
        group=words.quoted(gap.group),
        against=words.quoted(gap.against),
        people=words.number(gap.people[0]),
        others=words.number(gap.people[1]),
        before=_ratio(gap.before, gap.before_interval),
        after=_ratio(gap.after, gap.after_interval),
        change=_ratio(gap.change, gap.change_interval),
    )
    if gap.overlap is not None and gap.overlap >= MUCH:
        text += " " + say("conditions.overlap", share=words.percent(gap.overlap))
    return text


def _ratio(value: float | None, interval: IntervalPart | None) -> str:
    if value is None:
        return "–"
    return say("rate.value", value=_times(value), bounds=_bounds(interval))


def _times(x: float) -> str:
    """Beyond what is drawn no number is told."""
    if x > FARTHEST[1]:
        return say("conditions.above", x=words.times(FARTHEST[1]))
    return say("conditions.below", x=words.times(FARTHEST[0])) if x < FARTHEST[0] else words.times(x)


def _bounds(interval: IntervalPart | None) -> str:
    if interval is None:
        return say("number.no_interval")
    return say("number.bounds", low=_times(interval.low), high=_times(interval.high))


def _figure(source: Source, metric: str, gaps: Sequence[ConditionGap], point: str | None) -> Figure:
    marks: list[RowMark] = []
    for attribute in dict.fromkeys(gap.attribute for gap in gaps):
        marks.append(RowMark(words.attributes_name((attribute,)), "", "none", heading=True))
        for gap in (g for g in gaps if g.attribute == attribute):
            versus = say("figure.versus", group=words.group_name(gap.group), against=words.group_name(gap.against))
            marks.append(_mark(say("conditions.row_before", versus=versus), gap, gap.before, gap.before_interval))
            marks.append(_mark(say("conditions.row_after", versus=versus), gap, gap.after, gap.after_interval))
    values = [x for mark in marks for x in (mark.x, mark.low, mark.high) if x]
    domain = (min(0.5, *values) / 1.15, max(2.0, *values) * 1.15)
    title = say("conditions.title", metric=_metric(metric))
    target = next((p.target_fmr for p in source.shared if p.id == point), None)
    return Figure(
        id=f"conditions-{_slug(metric)}",
        title=title,
        caption=_caption(gaps[0], point, target),
        alt=say("figure.rows_alt", what=title, rows=spoken(marks)),
        picture=RowPicture(
            tuple(marks), ratio_ticks(domain), domain, say("figure.contrast_axis"), (Line(1.0, say("figure.equal")),)
        ),
        table=_table(f"conditions-{_slug(metric)}-data", title, gaps),
    )


def _slug(metric: str) -> str:
    """Part of an id."""
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in metric.lower())


def _caption(gap: ConditionGap, point: str | None, target: float | None) -> str:
    level = words.tick(gap.before_interval.level if gap.before_interval else 0.95)
    if point is None:
        return say("conditions.caption_samples", level=level)
    return say("conditions.caption", target=words.target(target), level=level)


def _mark(label: str, gap: ConditionGap, value: float | None, interval: IntervalPart | None) -> RowMark:
    if value is None or interval is None:
        return RowMark(label, say("figure.not_measured"), "none")
    low, x, high = (min(max(v, FARTHEST[0]), FARTHEST[1]) for v in (interval.low, value, interval.high))
    detail = say("figure.ratio_detail", ratio=say("figure.factor", ratio=_times(value)), sign=SIGNS[gap.support])
    return RowMark(label, detail, MARKERS[gap.support], x=x, low=low, high=high)


def _table(name: str, title: str, gaps: Sequence[ConditionGap]) -> Table:
    rows = []
    for gap in gaps:
        score = gap.errors is None
        texts = [
            _difference(value, interval) if score else _ratio(value, interval)
            for value, interval in (
                (gap.before, gap.before_interval), (gap.after, gap.after_interval), (gap.change, gap.change_interval)
            )
        ]  # fmt: skip
        versus = say("figure.versus", group=words.group_name(gap.group), against=words.group_name(gap.against))
        rows.append((Cell(versus, kind="name"), Cell(_counts(gap)), *map(Cell, texts), support_cell(gap.support)))
    columns = tuple(say(f"conditions.column_{c}") for c in ("group", "counts", "before", "after", "change", "support"))
    return Table(name, title, columns, tuple(rows), say("conditions.table_note"))


def _counts(gap: ConditionGap) -> str:
    errors = gap.errors or (None, None)
    sides = [
        words.comparisons(made)
        if wrong is None
        else say("rate.counts", errors=words.number(wrong), trials=words.number(made))
        for wrong, made in zip(errors, gap.comparisons, strict=True)
    ]
    text = say("conditions.counts", one=sides[0], two=sides[1])
    return f"{text}; {say('conditions.missing', n=words.number(gap.missing))}" if gap.missing else text


def _difference(value: float | None, interval: IntervalPart | None) -> str:
    if value is None:
        return "–"
    if interval is None:
        return words.signed(value)
    bounds = say("number.bounds", low=words.signed(interval.low), high=words.signed(interval.high))
    return say("rate.value", value=words.signed(value), bounds=bounds)


def _unformed(gaps: Iterable[ConditionGap], metric: str) -> list[Block]:
    by_reason: dict[str, list[str]] = {}
    for gap in gaps:
        if gap.before is None:
            named = say("figure.versus", group=words.group_name(gap.group), against=words.group_name(gap.against))
            by_reason.setdefault(gap.reason or say("rate.unmeasured"), []).append(named)
    lines = tuple(
        say("conditions.unformed", metric=_metric(metric), pairs=words.join(pairs, most=6), reason=reason)
        for reason, pairs in by_reason.items()
    )
    return [Listing(lines)] if lines else []


def _scores(source: Source, part: Conditions) -> list[Block]:
    """Differences of mean scores, which need no error to be seen."""
    blocks: list[Block] = []
    for quantity in SCORES:
        gaps = _shown(source, [gap for gap in part.gaps if gap.quantity == quantity and gap.before is not None])
        if gaps:
            name = words.key_word("quantity", quantity.replace(" ", "_"))
            title = say("conditions.scores_title", quantity=name)
            blocks.append(_table(f"conditions-{quantity.replace(' ', '-')}", title, gaps))
    return [Fold(say("conditions.scores_fold"), tuple(blocks))] if blocks else []


def _effects(source: Source, part: Conditions) -> list[Block]:
    """Odds ratios of the columns, at the strictest threshold of every attribute and kind of error."""
    strict = _strictest(source)
    rows: list[tuple[Cell, ...]] = []
    for attribute in dict.fromkeys(effect.attribute for effect in part.effects):
        for metric in _metrics(part):
            mine = [e for e in part.effects if e.attribute == attribute and e.quantity == metric]
            point = next((p for p in (*strict, None) if any(e.operating_point == p for e in mine)), None)
            chosen = [e for e in mine if e.operating_point == point]
            if chosen:
                head = say(
                    "conditions.effects_head",
                    metric=_metric(metric),
                    attribute=words.attributes_name((attribute,)),
                )
                rows += [(Cell(head),), *(_effect(effect) for effect in chosen)]
    if not rows:
        return []
    title = say("conditions.effects_title")
    columns = tuple(say(f"conditions.effects_{c}") for c in ("column_measure", "column_deviation", "column_value"))
    table = Table("conditions-effects", title, columns, tuple(rows), say("conditions.effects_note"))
    return [Fold(say("conditions.effects_fold"), (table,))]


def _effect(effect: ConditionEffect) -> tuple[Cell, ...]:
    name = say(f"conditions.column_is_{effect.column}", measure=words.key_word("capture", effect.measure))
    return (
        Cell(name, kind="name"),
        Cell(words.significant(effect.deviation), kind="number"),
        Cell(_ratio(effect.value, effect.interval)),
    )
