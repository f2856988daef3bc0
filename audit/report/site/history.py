"""How a model's evaluations moved: the headline spread of false match rates, evaluation by evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from audit.record import Differential
from audit.report.parts import Cell, Figure, Line, RowMark, RowPicture, Table
from audit.report.site.gather import Evaluation
from audit.report.site.names import shown
from audit.report.site.status import Status
from audit.report.strings import say
from audit.report.view import opening, words
from audit.report.view.findings import spread
from audit.report.view.pictures import rate_domain, rate_mark, rate_ticks, spoken
from audit.report.view.rates import rate_cell, support_cell

MOST = 60
"""Rows of one picture; the table has them all."""
STEPS = (1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0)
Row = tuple[Evaluation, Differential | None]


def history_figure(evaluations: Sequence[Evaluation], states: dict[str, Status]) -> Figure | None:
    """Draw the spread over each attribute with its interval, oldest first; like is put beside like only.

    Evaluations of one benchmark, attribute, target and number of people asked for stand under one heading. None, if
    no evaluation has a spread to draw.
    """
    marks: list[RowMark] = []
    rows: list[tuple[Cell, ...]] = []
    for title, members in _series(evaluations).items():
        rows.append((Cell(title),))
        drawn: list[RowMark] = []
        for e, d in members:
            label = _label(e)
            state = states[e.place].state
            mark, value = _mark(label, d)
            if mark is not None:
                drawn.append(mark)
            reason = "" if d is None else d.reason or ""
            rows.append((
                Cell(label, "" if state == "current" else say(f"publish_state.{state}"), kind="name"),
                Cell(value, reason if mark is None else "", kind="number"),
                Cell(words.p_value(None if d is None else d.null_p), kind="number"),
                Cell(words.people(e.record.samples.subjects), kind="number"),
            ))  # fmt: skip
        if drawn and len(marks) + len(drawn) < MOST:
            marks += [RowMark(title, "", "none", heading=True), *drawn]
    if not marks:
        return None
    tops = [x for m in marks for x in (m.high, m.x, m.band[1] if m.band else None) if x]
    domain = (0.95, min(max(1.5, *tops) * 1.15, 1e4))
    ticks = tuple(Line(x, say("figure.factor", ratio=words.exact(x))) for x in STEPS if x <= domain[1])
    title = say("publish.history_title")
    columns = tuple(say(f"publish.history_{name}") for name in ("evaluation", "value", "chance", "people"))
    spoken = "; ".join(f"{m.label}: {m.detail}" if m.detail else m.label for m in marks)
    return Figure(
        id="history",
        title=title,
        caption=say("publish.history_caption"),
        alt=say("figure.rows_alt", what=title, rows=spoken),
        picture=RowPicture(tuple(marks), ticks, domain, say("figure.spread_axis")),
        table=Table("history-data", title, columns, tuple(rows)),
    )


def rates_figure(evaluations: Sequence[Evaluation], chief: Evaluation, number: int) -> Figure | None:
    """Draw the false match rate of each group of one attribute, evaluation by evaluation, oldest first.

    Of the evaluations that are like the chief one: the same benchmark, target and number of people. None, if it has no
    threshold, or compared nobody.
    """
    point = chief.source.headline
    if point is None or not _compares(chief):
        return None
    like = [e for e in evaluations if _kind(e) == _kind(chief) and _compares(e)]
    like = sorted(like, key=lambda e: (e.created, e.place))[-MOST // 3 :]
    marks: list[RowMark] = []
    rows: list[tuple[Cell, ...]] = []
    for group in [{}, *(g for a in chief.source.attribute_sets() if len(a) == 1 for g in chief.source.groups(a))]:
        if chief.source.banded(group) or len(marks) + len(like) + 1 > MOST:
            continue
        name = words.group_name(group)
        marks.append(RowMark(name, "", "none", heading=True))
        rows.append((Cell(name),))
        for e in like:
            rate = None if e.source.banded(group) else e.source.rate("FMR", group, e.source.headline)
            marks.append(rate_mark(e.source, rate, _label(e)))
            support = Cell("–") if rate is None else support_cell(rate.support)
            rows.append((Cell(_label(e), kind="name"), rate_cell(rate), support))
    title = say(
        "publish.rates_title",
        benchmark=shown(chief.source.record.benchmark.title or chief.record.benchmark.name),
        target=words.target(point.target_fmr),
    )
    lines = () if point.target_fmr is None else (Line(point.target_fmr, say("figure.target_line")),)
    domain = rate_domain(marks, [line.x for line in lines], ceiling=1.0)
    columns = (say("publish.history_evaluation"), say("metric.FMR"), say("groups.column_support"))
    return Figure(
        id=f"rates-{number}",
        title=title,
        caption=say("publish.rates_caption", n=len(like), people=words.people(chief.record.samples.subjects)),
        alt=say("figure.rows_alt", what=title, rows=spoken(marks)),
        picture=RowPicture(tuple(marks), rate_ticks(domain), domain, say("figure.fmr_axis"), lines),
        table=Table(f"rates-data-{number}", title, columns, tuple(rows)),
    )


def most_repeated(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The newest evaluation of every series that is alike, the longest series first."""
    kinds: dict[tuple[str, float | None, int], list[Evaluation]] = {}
    for e in sorted(evaluations, key=lambda e: (e.created, e.place), reverse=True):
        kinds.setdefault(_kind(e), []).append(e)
    return [members[0] for members in sorted(kinds.values(), key=len, reverse=True)]


def _kind(e: Evaluation) -> tuple[str, float | None, int]:
    point = e.source.headline
    target = -1.0 if point is None else point.target_fmr
    return e.record.benchmark.name, target, e.record.samples.subjects


def _compares(e: Evaluation) -> bool:
    """Whether it is about comparisons of people."""
    return "FMR" in opening(e.source).metrics


def _label(e: Evaluation) -> str:
    return say("publish.history_row", day=e.created.strftime("%Y-%m-%d"), revision=shown(e.record.model.revision))


def _series(evaluations: Sequence[Evaluation]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for e in sorted(evaluations, key=lambda e: (e.record.benchmark.name, e.created, e.place)):
        point = e.source.headline
        if point is None or not _compares(e):
            continue
        for attributes in e.source.attribute_sets():
            title = say(
                "publish.history_series",
                benchmark=shown(e.source.record.benchmark.title or e.record.benchmark.name),
                attributes=words.attributes_name(attributes),
                target=words.target(point.target_fmr),
                people=words.people(e.record.samples.subjects),
            )
            found.setdefault(title, []).append((e, spread(e.source, "FMR", attributes)))
    return found


def _mark(label: str, d: Differential | None) -> tuple[RowMark | None, str]:
    if d is None or d.value is None or d.value <= 0:
        return None, say("publish.not_formed")
    low, high = (d.interval.low, d.interval.high) if d.interval else (None, None)
    band = (1.0, d.null_high) if d.null_high is not None else None
    marker = "hollow" if d.verdict == "INCONCLUSIVE" else "solid"
    detail = say("figure.spread_detail", value=words.times(d.value), p=words.p_value(d.null_p))
    value = say("rate.value", value=words.times(d.value), bounds=words.ratio_bounds(d.interval))
    return RowMark(label, detail, marker, d.value, low, high, band=band), value  # type: ignore[arg-type]
