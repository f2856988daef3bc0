"""Tables and pictures of what an attribute model said: errors by true label, both ways, confusion, parity."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from audit.domain import UNKNOWN
from audit.record import Group, LabelsPart, LabelTable, Rate
from audit.report.parts import Block, Cell, Figure, Fold, Paragraph, RowMark, RowPicture, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.differences import contrast_table
from audit.report.view.pictures import rate_domain, rate_mark, rate_ticks, spoken
from audit.report.view.rates import SIGNS, name_cell, rate_cell, support_cell, withheld
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

    rows = rows_of(said, decision, row, without=labels.truth)
    caption = say("attributes.labels_caption", attribute=words.plain(labels.truth))
    return Table(f"said-labels-{number}", caption, columns, rows, say("attributes.labels_note"))


def _found(said: Said, decision: Decision, group: Group) -> Rate | None:
    return None if said.hidden(group) else said.rate(decision, group)


def rows_of(
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
        rows_of(said, decision, row),
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
