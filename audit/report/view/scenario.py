"""What the measured rates would do in the place that the plan describes: in words, a picture and a table."""

from __future__ import annotations

import math
from collections.abc import Iterator

from audit.record import ScenarioPart, ScenarioRow
from audit.report.parts import (
    Answer,
    Block,
    Cell,
    Figure,
    Line,
    Listing,
    Paragraph,
    RowMark,
    RowPicture,
    Section,
    Table,
)
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.source import Source

CERTAIN = 3.0
"""Expected false candidates a face from which on an alarm is as good as certain (1 - exp(-3) = 0.95)."""


def scenario_section(source: Source) -> Section:
    """The place that the plan describes, if it describes one."""
    part = source.record.scenario
    blocks: tuple[Block, ...] = ()
    if part is not None:
        figure = _figure(source, part)
        blocks = (
            Listing(tuple(_sentences(source, part))),
            *(() if figure is None else (figure,)),
            _table(source, part),
        )
    elif source.record.plan.get("scenario"):
        blocks = (Paragraph(say("scenario.no_threshold"), "warning"),)
    return Section("scenario", say("section.scenario"), say("section.scenario_lead"), blocks)


def placed(source: Source) -> tuple[Answer, ...]:
    """The first page's answer; none without a scenario."""
    part, lines = source.record.scenario, told(source)
    if part is None:
        return ()
    return (Answer(say("question.scenario", people=words.people(part.list_size)), lines[1], (lines[0], *lines[2:])),)


def told(source: Source) -> list[str]:
    """The place and what would happen there, in sentences; none without a scenario."""
    part = source.record.scenario
    return [] if part is None else list(_sentences(source, part))


def _sentences(source: Source, part: ScenarioPart) -> Iterator[str]:
    point = next((p for p in source.shared if p.id == part.operating_point), None)
    yield say(
        "scenario.place",
        faces=f"{part.searches_per_day:,.10g}",
        people=words.people(part.list_size),
        listed=words.tick(part.listed),
        target=words.target(None if point is None else point.target_fmr),
    )
    whole, rows = part.rows[0], [row for row in _shown(source, part) if row.share > 0]
    if whole.false_alarms is None:
        yield say("scenario.unknown", reason=whole.reason or say("rate.unmeasured"))
    elif all(_certain(row, part) for row in rows):
        yield say("scenario.certain", candidates=words.significant(whole.candidates or 0.0))
    else:
        low, high = whole.false_interval or (0.0, 0.0)
        yield say(
            "scenario.alarms",
            alarms=words.significant(whole.false_alarms),
            low=words.significant(low),
            high=words.significant(high),
        )
    yield from _groups(part, rows)
    yield from _wrong(part, whole)
    yield from _doubts(part, whole)


def _shown(source: Source, part: ScenarioPart) -> list[ScenarioRow]:
    return [row for row in part.rows[1:] if not source.banded(row.group)]


def _certain(row: ScenarioRow, part: ScenarioPart) -> bool:
    """Whether a false candidate is as good as certain even at the lower bound of the rate, and if faces differ."""
    if row.interval is None or row.band is None:
        return False
    return row.interval.low * part.list_size >= CERTAIN and row.band[0] >= -math.expm1(-CERTAIN)


def _groups(part: ScenarioPart, rows: list[ScenarioRow]) -> Iterator[str]:
    """Groups at both ends, and those of which no false match was seen."""
    unseen = [row for row in rows if row.errors == 0 and row.trials]
    for row in unseen:
        most = (row.upper_bound or 0.0) * part.list_size
        yield say(
            "scenario.unseen" if most >= 1 else "scenario.unseen_few",
            group=words.quoted(row.group),
            trials=words.comparisons(row.trials or 0),
            bound=words.percent(row.upper_bound or 0.0),
            most=words.significant(most),
        )
    seen = sorted((row for row in rows if row.alarm is not None and row.errors), key=lambda row: row.alarm or 0.0)
    if len(seen) > 1 and not all(_certain(row, part) for row in seen):
        ends = [
            say(
                "scenario.group",
                group=words.quoted(row.group),
                alarm=words.percent(row.alarm or 0.0),
                bounds=words.bounds(row.alarm_interval),
                counts=say("rate.counts", errors=words.number(row.errors or 0), trials=words.number(row.trials or 0)),
            )
            for row in (seen[-1], seen[0])
        ]
        yield say("scenario.ends", most=ends[0], least=ends[1])


def _wrong(part: ScenarioPart, whole: ScenarioRow) -> Iterator[str]:
    """How many alarms are wrong."""
    if part.listed == 0:
        yield say("scenario.all_wrong")
        return
    if whole.wrong_share is None or whole.wrong_interval is None or whole.right_alarms is None:
        yield say("scenario.wrong_unknown")
        return
    low, high = whole.wrong_interval
    yield say(
        "scenario.wrong",
        wrong=_most(whole.wrong_share),
        low=_most(low),
        high=_most(high),
        right=words.significant(whole.right_alarms),
    )


def _most(share: float) -> str:
    """A share that is nearly all: as one of how many that is not.

    >>> _most(0.5), _most(0.9998)
    ('50%', 'all but about 1 in 5,000')
    """
    if share < 0.995:
        return words.percent(share)
    return say("scenario.all_but", n=words.significant(1 / (1 - share))) if share < 1 else words.percent(1.0)


def _doubts(part: ScenarioPart, whole: ScenarioRow) -> Iterator[str]:
    """What the numbers assume, and how far they reach beyond what was seen."""
    if whole.false_band is not None:
        low, high = (words.significant(x) for x in whole.false_band)
        key = "scenario.band_growth" if part.band_method == "measured-growth" else "scenario.band_people"
        share = "" if part.effective_share is None else words.percent(part.effective_share)
        tried = "" if part.tried_size is None else words.people(part.tried_size)
        made = say("scenario.band_same" if low == high else "scenario.band_some", low=low, high=high)
        yield say(key, made=made, share=share, tried=tried)
    if part.extrapolated:
        yield say(
            "scenario.extrapolated",
            compared=words.people(part.compared),
            times=words.significant(part.list_size / max(part.compared, 1)),
        )


def _figure(source: Source, part: ScenarioPart) -> Figure | None:
    """False alarms a day by group, with the interval of the rate and the band of the assumption."""
    rows = [
        row for row in _shown(source, part) if row.false_alarms is not None and row.false_interval and row.share > 0
    ]
    tops = [row.false_interval[1] for row in rows if row.false_interval]
    if not rows or max(tops) <= 0:
        return None
    marks = tuple(_mark(row) for row in rows)
    points = [mark.x for mark in marks if mark.x]
    low = 10.0 ** math.floor(math.log10(min(points)) - 1e-9)
    high = max(10.0 ** math.ceil(math.log10(max(tops)) - 1e-9), 10 * low)
    ticks = tuple(Line(10.0**k, f"{10.0**k:,.10g}") for k in range(round(math.log10(low)), round(math.log10(high)) + 1))
    title = say("scenario.title")
    columns = (say("groups.column_group"), say("scenario.column_false"))
    cells = tuple((Cell(mark.label, kind="name"), Cell(mark.detail)) for mark in marks)
    return Figure(
        id="scenario",
        title=title,
        caption=say("scenario.caption"),
        alt=say("figure.rows_alt", what=title, rows="; ".join(f"{mark.label}: {mark.detail}" for mark in marks)),
        picture=RowPicture(marks, ticks, (low, high), say("scenario.axis")),
        table=Table("scenario-data", title, columns, cells),
    )


def _mark(row: ScenarioRow) -> RowMark:
    low, high = row.false_interval or (0.0, 0.0)
    name, share = words.group_name(row.group), say("scenario.share", share=words.percent(row.share))
    if row.errors == 0:
        return RowMark(
            name, say("scenario.at_most", most=words.significant(high), share=share), "bound", x=high, high=high
        )
    detail = say("scenario.detail", alarms=words.significant(row.false_alarms or 0.0), share=share)
    return RowMark(name, detail, "solid", x=row.false_alarms, low=low, high=high, band=row.false_band)


def _table(source: Source, part: ScenarioPart) -> Table:
    names = ("faces", "list", "rate", "candidates", "alarm", "false", "right", "wrong")
    columns = (say("groups.column_group"), *(say(f"scenario.column_{name}") for name in names))
    rows = tuple(_row(source, row) for row in part.rows)
    return Table("scenario-rows", say("scenario.table"), columns, rows, say("scenario.note"))


def _row(source: Source, row: ScenarioRow) -> tuple[Cell, ...]:
    name = Cell(words.group_name(row.group), kind="name")
    shares = (
        (Cell("–"), Cell("–"))
        if not row.group
        else (Cell(words.percent(row.share), kind="number"), Cell(words.percent(row.on_list), kind="number"))
    )
    if row.false_alarms is None or source.banded(row.group):
        reason = say("group.withheld", n=source.min_subjects) if source.banded(row.group) else row.reason or ""
        return (name, *shares, Cell("–", reason), *(Cell("–") for _ in range(5)))
    counts = say("rate.counts", errors=words.number(row.errors or 0), trials=words.number(row.trials or 0))
    low, high = row.false_interval or (0.0, 0.0)
    band = (
        ""
        if row.band is None
        else say("scenario.band", low=words.percent(row.band[0]), high=words.percent(row.band[1]))
    )
    bounds = words.bounds(row.alarm_interval) if row.alarm_interval else ""
    rates = f"{words.percent(row.rate or 0.0)} ({words.bounds(row.interval)})" if row.interval else ""
    wrong = "–" if row.wrong_share is None else _most(row.wrong_share)
    return (
        name,
        *shares,
        Cell(counts, rates, kind="rate"),
        Cell(words.significant(row.candidates or 0.0), kind="number"),
        Cell(words.percent(row.alarm or 0.0), "; ".join(filter(None, (bounds, band))), kind="rate"),
        Cell(
            words.significant(row.false_alarms),
            say("number.bounds", low=words.significant(low), high=words.significant(high)),
            kind="number",
        ),
        Cell("–" if row.right_alarms is None else words.significant(row.right_alarms), kind="number"),
        Cell(wrong, kind="number"),
    )
