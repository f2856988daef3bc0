"""Tables and pictures of what an attribute model said: errors by true label, both ways, confusion, parity, ages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from audit.domain import UNKNOWN
from audit.record import AgeErrorsPart, AgesPart, Group, LabelsPart, LabelTable, Rate, YearsPart
from audit.report.parts import Block, Cell, Figure, Fold, Line, Paragraph, RowMark, RowPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.differences import contrast_table
from audit.report.view.pictures import rate_domain, rate_mark, rate_ticks, spoken
from audit.report.view.rates import MARKERS, SIGNS, name_cell, rate_cell, support_cell, withheld
from audit.report.view.said import Decision, Said
from audit.report.view.source import key

Row = tuple[Cell, ...]


def by_true_label(said: Said, labels: LabelsPart, number: int) -> Table:
    """Errors by group and true label, the way Gender Shades shows them: a row a group, a column a true label."""
    decision = said.label(labels)
    balanced = {key(one.group): one for one in labels.balanced if not one.part}
    values = [value for value in labels.values if value in labels.words]
    columns = (
        say("groups.column_group"),
        say("attributes.column_all"),
        *(say("attributes.column_true", value=words.plain(value)) for value in values),
        say("attributes.column_balanced"),
    )

    def row(group: Group) -> Row:
        if said.hidden(group):
            return (name_cell(group), *withheld(said.source, len(columns) - 1))
        of = [rate_cell(_found(said, decision, {**group, labels.truth: value})) for value in values]
        one = balanced.get(key(group))
        mean = (
            Cell("–", (one.reason if one else None) or say("rate.not_recorded"), kind="number")
            if one is None or one.value is None
            else Cell(words.percent(one.value), words.bounds(one.interval), kind="rate")
        )
        return (name_cell(group), rate_cell(said.rate(decision, group)), *of, mean)

    rows = _rows(said, decision, row, without=labels.truth)
    caption = say("attributes.labels_caption", attribute=words.plain(labels.truth))
    return Table(f"said-labels-{number}", caption, columns, rows, say("attributes.labels_note"))


def _found(said: Said, decision: Decision, group: Group) -> Rate | None:
    return None if said.hidden(group) else said.rate(decision, group)


def _rows(
    said: Said, decision: Decision, row: Callable[[Group], Row], *, without: str = "", known: str | None = None
) -> tuple[Row, ...]:
    """Everyone, then every family under its heading; `without` an attribute, and where `known` is not unknown."""
    made: list[Row] = [row({})]
    for attributes in said.families(decision):
        if without in attributes:
            continue
        made.append((Cell(words.attributes_name(attributes), kind="name"),))
        told = (g for g in said.groups(decision, attributes) if known is None or g.get(known) != UNKNOWN)
        made += [row(group) for group in told]
    return tuple(made)


def both_ways(said: Said, decision: Decision, table: str) -> Table:
    """Every rate with what was not processed left out, and counted as an error."""
    columns = tuple(
        say(f"attributes.column_{name}") for name in ("group", "left_out", "counted", "not_processed", "support")
    )

    def row(group: Group) -> Row:
        if said.hidden(group):
            return (name_cell(group), *withheld(said.source, len(columns) - 1))
        rate = said.rate(decision, group)
        counted = said.rate(decision, group, view="generalised")
        plain = None if counted is None else counted.model_copy(update={"view": "conditional"})
        return (
            name_cell(group),
            rate_cell(rate),
            rate_cell(plain),
            rate_cell(said.rate(decision, group, metric="NPR")),
            support_cell(rate.support) if rate else Cell("–"),
        )

    return Table(
        table,
        say("attributes.both_caption", what=decision.name),
        columns,
        _rows(said, decision, row),
        say("attributes.both_note"),
    )


def rate_figure(said: Said, decision: Decision, name: str) -> Figure:
    """Draw the rate of every group with its interval."""
    marks: list[RowMark] = []
    rows: list[Row] = []
    for attributes in [(), *said.families(decision)]:
        if attributes:
            marks.append(RowMark(words.attributes_name(attributes), "", "none", heading=True))
        for group in said.groups(decision, attributes) if attributes else [{}]:
            label = words.group_name(group)
            if said.hidden(group):
                marks.append(RowMark(label, say("group.fewer_people", n=said.source.min_subjects), "none"))
                continue
            rate = said.rate(decision, group)
            marks.append(_mark(said, rate, label))
            rows.append((name_cell(group), rate_cell(rate), support_cell(rate.support) if rate else Cell("–")))
    title = say(f"attributes.figure_{decision.metric}", what=decision.name)
    domain = rate_domain(marks, [], ceiling=1.0)
    columns = (say("groups.column_group"), say(f"metric.{decision.metric}"), say("groups.column_support"))
    return Figure(
        id=name,
        title=title,
        caption=say("attributes.figure_caption"),
        alt=say("figure.rows_alt", what=title, rows=spoken(marks)),
        picture=RowPicture(tuple(marks), rate_ticks(domain), domain, say("attributes.figure_axis")),
        table=Table(f"{name}-data", title, columns, tuple(rows)),
    )


def _mark(said: Said, rate: Rate | None, label: str) -> RowMark:
    """As of other rates, with the people behind this one."""
    made = rate_mark(said.source, rate, label)
    if rate is None or rate.value is None:
        return made
    counts = say("rate.counts", errors=words.number(rate.errors), trials=words.number(rate.trials))
    detail = say("figure.detail", counts=counts, people=words.people(rate.subjects), sign=SIGNS[rate.support])
    return RowMark(made.label, detail, made.marker, x=made.x, low=made.low, high=made.high)


def confusion(said: Said, labels: LabelsPart, number: int) -> Iterator[Block]:
    """True labels against what was said: of everyone, and of each group in a fold."""
    mine = [one for one in labels.tables if not one.part]
    whole = next((one for one in mine if not one.group), None)
    if whole is not None:
        yield _confusion(said, labels, whole, f"said-confusion-{number}")
    groups = [one for one in mine if one.group and labels.truth not in one.group and not said.hidden(one.group)]
    tables = tuple(_confusion(said, labels, one, f"said-confusion-{number}-{k}") for k, one in enumerate(groups))
    if tables:
        yield Fold(say("attributes.confusion_fold", attribute=words.plain(labels.truth)), tables)


def _confusion(said: Said, labels: LabelsPart, one: LabelTable, name: str) -> Block:
    caption = say("attributes.confusion_caption", group=words.group_name(one.group), people=words.people(one.people))
    if one.counts is None:
        return Paragraph(f"{words.group_name(one.group)}: {one.reason or say('rate.unmeasured')}", "note")
    columns = (
        say("attributes.column_as_labelled"),
        *(say("attributes.column_said", word=words.plain(word)) for word in labels.words),
        say("attributes.column_nothing_said"),
    )
    rows = []
    for value, counts in zip(labels.values, one.counts, strict=False):
        if counts is None:
            rows.append((Cell(words.plain(value), kind="name"), *withheld(said.source, len(columns) - 1)))
        else:
            rows.append(
                (Cell(words.plain(value), kind="name"), *(Cell(words.number(n), kind="number") for n in counts))
            )
    return Table(name, caption, columns, tuple(rows))


def parity_table(labels: LabelsPart, number: int) -> Block:
    """Demographic parity and equalised odds, each beside what chance alone gives."""
    columns = tuple(
        say(f"attributes.column_{name}") for name in ("measure", "word", "attributes", "value", "chance", "p")
    )
    rows = tuple(
        (
            Cell(words.key_word("parity", one.measure), one.formula, kind="name"),
            Cell(words.plain(one.word)),
            Cell(words.attributes_name(one.attributes), _parity_groups(len(one.included), len(one.excluded))),
            Cell(f"{one.value:.2f}", _two(one.interval.low, one.interval.high) if one.interval else "", kind="number"),
            Cell("–" if one.null_far is None else f"{one.null_far:.2f}", kind="number"),
            Cell(words.p_value(one.null_p), kind="number"),
        )
        for one in labels.parity
        if one.value is not None
    )
    unformed = dict.fromkeys(
        f"{words.attributes_name(one.attributes)}: {one.reason}" for one in labels.parity if one.value is None
    )
    why = say("attributes.parity_unformed", why=words.join(unformed, most=9)) if unformed else ""
    if not rows:
        return Paragraph(why or say("attributes.parity_none"), "note")
    note = f"{say('said.parity_note')} {why}".strip()
    caption = say("attributes.parity_caption", attribute=words.plain(labels.truth))
    return Table(f"said-parity-{number}", caption, columns, rows, note)


def _parity_groups(included: int, excluded: int) -> str:
    return say("attributes.parity_groups", n=included, out=excluded)


def _two(low: float, high: float) -> str:
    return say("number.bounds", low=f"{low:.2f}", high=f"{high:.2f}")


def contrast_folds(said: Said, decision: Decision, name: str) -> Iterator[Block]:
    """Ratios of one group's errors to another's, a fold a family."""
    for k, attributes in enumerate(said.families(decision)):
        if not said.of_family(decision, attributes):
            continue
        table = contrast_table(said.source, decision.metric, attributes, decision.point, f"{name}-{k}")
        if table is not None:
            title = say("attributes.contrast_fold", what=decision.name, attributes=words.attributes_name(attributes))
            yield Fold(title, (table,))


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

    rows = _rows(said, decisions[0], row, known=ages.truth) if decisions else (row({}),)
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

    rows = _rows(said, decisions[-1], row)
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
