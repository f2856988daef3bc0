"""Tables and pictures of ages: how far off they are, the challenge age, and pictures measured apart."""

from __future__ import annotations

import math

from audit.domain import UNKNOWN
from audit.record import AgeErrorsPart, AgesPart, Group, YearsPart
from audit.report.parts import Cell, Figure, Line, RowMark, RowPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.pictures import spoken
from audit.report.view.rates import MARKERS, SIGNS, name_cell, rate_cell, withheld
from audit.report.view.said import Said
from audit.report.view.said_tables import Row, rows_of
from audit.report.view.source import key


def age_table(said: Said, ages: AgesPart | None) -> Table:
    """How far off ages are, by group and by true age; a record without ages gives a table without rows."""
    if ages is None:
        return Table("said-ages", say("attributes.ages_caption"), (say("groups.column_group"),), ())
    decisions = said.off()
    errors = said.ages()
    columns = (
        say("groups.column_group"),
        say("attributes.column_judged"),
        *(say(f"attributes.column_{name}") for name in ("mae", "bias", "p90")),
        *(say("attributes.column_off", years=words.exact(years)) for years in ages.off),
    )

    def row(group: Group) -> Row:
        one = errors.get(key(group))
        if said.hidden(group) or one is None:
            return (name_cell(group), *withheld(said.source, len(columns) - 1))
        return (
            name_cell(group),
            Cell(words.number(one.pictures), f"{words.people(one.subjects)} {SIGNS[one.support]}", kind="number"),
            _years(one.mae, one),
            _years(one.bias, one, signed=True),
            _years(one.p90, one),
            *(rate_cell(said.rate(decision, group)) for decision in decisions),
        )

    rows = rows_of(said, decisions[0], row, known=ages.truth) if decisions else (row({}),)
    return Table("said-ages", say("attributes.ages_caption"), columns, rows, say("attributes.ages_note"))


def _years(one: YearsPart, of: AgeErrorsPart, *, signed: bool = False) -> Cell:
    if one.value is None:
        return Cell("–", of.reason or say("attributes.too_few"), kind="number")
    text = _signed(one.value) if signed else f"{one.value:.1f}"
    if one.interval is None:
        return Cell(text, kind="number")
    show = _signed if signed else "{:.1f}".format
    return Cell(text, say("number.bounds", low=show(one.interval.low), high=show(one.interval.high)), kind="rate")


def _signed(x: float) -> str:
    return f"{'+' if x > 0 else '−' if x < 0 else ''}{abs(x):.1f}"


def age_figure(said: Said, ages: AgesPart) -> Figure | None:
    """Draw by how much people are taken for older or younger, within bands of true age."""
    errors = said.ages()
    decisions = said.off()
    families = said.families(decisions[0]) if decisions else []
    marks: list[RowMark] = []
    for attributes in [(), *(family for family in families if len(family) == 1 or ages.band in family)]:
        if attributes:
            marks.append(RowMark(words.attributes_name(attributes), "", "none", heading=True))
        for group in said.groups(decisions[0], attributes) if attributes else [{}]:
            one = errors.get(key(group))
            if group.get(ages.truth) == UNKNOWN:
                continue
            if one is None or said.hidden(group) or one.bias.value is None:
                marks.append(RowMark(words.group_name(group), say("figure.not_measured"), "none"))
                continue
            span = one.bias.interval
            value = say("attributes.bias_detail", value=_signed(one.bias.value), people=words.people(one.subjects))
            low, high = (span.low, span.high) if span else (None, None)
            detail = f"{value} {SIGNS[one.support]}"
            marks.append(
                RowMark(words.group_name(group), detail, MARKERS[one.support], x=one.bias.value, low=low, high=high)
            )
    points = [m.x for m in marks if m.x is not None]
    if not points:
        return None
    reach = max(10.0, 5 * math.ceil(max(abs(x) for x in points) / 5 + 0.6))
    shown = tuple(_within(m, reach) for m in marks)
    step = 5 if reach <= 20 else 10
    ticks = tuple(
        Line(float(x), _signed(float(x)).removesuffix(".0")) for x in range(-int(reach), int(reach) + 1, step)
    )
    title = say("attributes.figure_bias")
    rows = tuple((Cell(m.label, kind="name"), Cell(m.detail)) for m in marks if not m.heading)
    return Figure(
        id="said-bias",
        title=title,
        caption=say("attributes.figure_bias_caption"),
        alt=say("figure.rows_alt", what=title, rows=spoken(marks)),
        picture=RowPicture(
            shown,
            ticks,
            (-reach, reach),
            say("attributes.figure_bias_axis"),
            (Line(0.0, say("attributes.figure_zero")),),
            linear=True,
        ),
        table=Table("said-bias-data", title, (say("groups.column_group"), say("attributes.column_bias")), rows),
    )


def _within(mark: RowMark, reach: float) -> RowMark:
    """Cut an interval at the edge of the picture."""
    if mark.low is None or mark.high is None:
        return mark
    low, high = max(mark.low, -reach), min(mark.high, reach)
    return RowMark(mark.label, mark.detail, mark.marker, x=mark.x, low=low, high=high)


def challenge_table(said: Said) -> Table | None:
    """Who passes the challenge age though under a limit, and who is stopped though of that age."""
    decisions = said.challenge()
    if not decisions:
        return None
    columns = (say("groups.column_group"), *(decision.name for decision in decisions))

    def row(group: Group) -> Row:
        if said.hidden(group):
            return (name_cell(group), *withheld(said.source, len(columns) - 1))
        return (name_cell(group), *(rate_cell(said.rate(decision, group)) for decision in decisions))

    rows = rows_of(said, decisions[-1], row)
    return Table("said-challenge", say("attributes.challenge_caption"), columns, rows, say("attributes.challenge_note"))


def apart_table(said: Said) -> Table | None:
    """All pictures beside those of each condition, everyone together and by single attribute."""
    if not said.part.parts:
        return None
    columns = [say("attributes.column_pictures")]
    columns += [say("attributes.column_wrong", what=words.plain(one.truth)) for one in said.part.labels]
    if said.part.ages is not None:
        columns += [say("attributes.column_mae"), say("attributes.column_bias")]
        columns += [say("attributes.column_off", years=words.exact(years)) for years in said.part.ages.off]
    rows: list[Row] = []
    for part, name in said.parts():
        errors = said.ages(part)
        judged = [said.label(one, part) for one in said.part.labels]
        off = said.off(part)
        rows.append((Cell(name, kind="name"),))
        told = [
            {},
            *(g for family in said.source.attribute_sets() if len(family) == 1 for g in said.source.groups(family)),
        ]
        for group in told:
            if said.hidden(group):
                continue
            cells = [rate_cell(said.rate(one, group)) for one in judged]
            one = errors.get(key(group))
            if said.part.ages is not None:
                cells += [_years(one.mae, one), _years(one.bias, one, signed=True)] if one else [Cell("–"), Cell("–")]
                cells += [rate_cell(said.rate(decision, group)) for decision in off]
            rows.append((name_cell(group), *cells))
    return Table(
        "said-apart", say("attributes.apart_caption"), tuple(columns), tuple(rows), say("attributes.apart_note")
    )
