"""One face against a list: false alarms, misses, in whose group wrong candidates lie; counts only, nobody named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.record import Confusion, Contrast, Group, Identification, ListThresholdPart, OperatingPoint
from audit.report.parts import Answer, Block, Cell, Fold, Listing, Paragraph, Section, Table, Term
from audit.report.strings import say
from audit.report.view import background, words
from audit.report.view.differences import contrast_table
from audit.report.view.identification_pictures import figures, first_word, list_rate
from audit.report.view.rates import every_group, name_cell, of_counts, rate_cell, value_text, withheld
from audit.report.view.source import Source, key

RANK_ONLY = "rank-only"
ALARMS = 10
"""The strictest target FPIR that allows so many false alarms is the one that pictures are drawn at."""


def identification_section(source: Source) -> Section:
    """Everything about the list, if the task measured it."""
    part = source.record.identification
    blocks: tuple[Block, ...] = ()
    terms: tuple[Term, ...] = ()
    if part is not None:
        point = headline_point(part)
        blocks = (
            Listing(tuple(_sentences(source, part, point))),
            *figures(source, part, point),
            *_tables(source, part, point),
        )
        terms = background.terms("list", "fpir", "fnir", "cmc")
    return Section("identification", say("section.identification"), say("section.identification_lead"), blocks, terms)


def listed(source: Source) -> tuple[Answer, ...]:
    """The first page's answer; none where nothing was compared with a list."""
    lines = told(source)
    return (Answer(say("question.identification"), lines[1], (lines[0], *lines[2:])),) if lines else ()


def told(source: Source) -> list[str]:
    """What was done and what it showed, in sentences; none where nothing was compared with a list."""
    part = source.record.identification
    return [] if part is None else list(_sentences(source, part, headline_point(part)))


def headline_point(part: Identification) -> ListThresholdPart | None:
    """The strictest target that allows ten false alarms; none such: the loosest that could be set."""
    usable = [point for point in part.operating_points if point.threshold is not None]
    enough = [point for point in usable if point.target_fpir * part.nonmated >= ALARMS]
    return min(enough, key=lambda p: p.target_fpir) if enough else (usable[0] if usable else None)


def _sentences(source: Source, part: Identification, point: ListThresholdPart | None) -> Iterator[str]:
    """What was done, then false alarms, misses, and whose the wrong candidates are."""
    rank = part.ranks[0]
    yield say(
        "list.done",
        people=words.people(part.people),
        images=words.images(part.images),
        mated=words.images(part.mated),
        nonmated=words.images(part.nonmated),
    )
    if point is None:
        yield say("list.no_alarms_nobody" if not part.nonmated else "list.no_alarms_target")
    else:
        alarms = list_rate(source, "FPIR", {}, point.id)
        if alarms is not None:
            told = value_text(alarms, often=True)
            yield say("list.alarms", target=words.tick(point.target_fpir), counts=of_counts(alarms), value=told)
        yield from _disparity(source, "FPIR", point.id)
        missed = list_rate(source, "FNIR", {}, point.id, rank)
        if missed is not None and missed.value is not None:
            yield say("list.missed", rank=first_word(rank), counts=of_counts(missed), value=value_text(missed))
            yield from _disparity(source, "FNIR", point.id)
    order = list_rate(source, "FNIR", {}, RANK_ONLY, rank)
    if order is not None and order.value is not None:
        yield say("list.order", rank=first_word(rank), counts=of_counts(order), value=value_text(order))
    yield from _whose(source, part)


def _as_point(source: Source, name: str) -> OperatingPoint:
    """A threshold of the list, where a threshold for comparisons is asked for."""
    known = next((point for point in source.shared if point.id == name), None)
    return known or OperatingPoint(
        id=name, policy="global", group={}, target_fmr=None, achieved_fmr=None, threshold=None, set_on=""
    )


def _disparity(source: Source, metric: str, name: str) -> Iterator[str]:
    """The most pronounced disparity of one kind of error at a threshold of the list, or that none could be told."""
    contrasts = [c for a in source.attribute_sets() for c in source.contrasts(metric, a, _as_point(source, name))]
    clear = [c for c in contrasts if c.verdict == "DISPARITY" and c.ratio is not None]
    lead = next((c for c in clear if (c.ratio or 0.0) > 1), clear[0] if clear else None)
    if lead is None:
        if contrasts:
            yield say(f"list.{metric}_untold")
        return
    kind = "more" if (lead.ratio or 0.0) >= 1 else "less"
    named = {"group": words.quoted(lead.group), "against": words.quoted(lead.against)}
    rank = None if metric == "FPIR" else source.record.plan.get("ranks", [1])[0]
    sides = [
        list_rate(source, metric, group, name, rank)
        for group in (lead.group, *(() if isinstance(lead.against, str) else (lead.against,)))
    ]
    if any(rate is None or rate.support == "count-only" for rate in sides):
        counts = ["–" if rate is None else of_counts(rate) for rate in sides]
        told_as = f"list.{kind}_counts" if len(counts) > 1 else f"list.{kind}_rest"
        yield say(told_as, first=counts[0], second=counts[-1], **named)
    else:
        yield say(f"list.{kind}", ratio=_times(lead), bounds=words.ratio_bounds(lead.interval), **named)


def _times(c: Contrast) -> str:
    text = words.times(c.ratio or 0.0)
    return say("contrast.at_least", ratio=text) if c.at_least else text


def _whose(source: Source, part: Identification) -> Iterator[str]:
    """How often a wrong first candidate is of the group of the person who was tested."""
    for attributes in (names for names in source.attribute_sets() if len(names) == 1):
        rows = _rows(part, attributes, RANK_ONLY)
        own = [row for row in rows if key(row.group) == key(row.candidate) and row.errors is not None]
        wrong, of = sum(row.errors or 0 for row in own), sum(row.of or 0 for row in own)
        if of:
            chance = sum((row.of or 0) * (row.share or 0.0) for row in own) / of
            yield say(
                "list.whose",
                attributes=words.attributes_name(attributes),
                counts=say("rate.counts", errors=words.number(wrong), trials=words.number(of)),
                chance=words.percent(chance),
            )


def _rows(part: Identification, attributes: Sequence[str], name: str) -> list[Confusion]:
    return [row for row in part.confusion if set(row.attributes) == set(attributes) and row.operating_point == name]


def _tables(source: Source, part: Identification, point: ListThresholdPart | None) -> Iterator[Block]:
    known = {one.id: say("list.point_fpir", target=words.tick(one.target_fpir)) for one in part.operating_points}
    unset = [one for one in part.operating_points if one.threshold is None]
    yield Fold(say("list.people_fold"), (_people_table(source, part),))
    for number, name in enumerate([one.id for one in part.operating_points if one.threshold is not None]):
        yield Fold(known[name], (_rate_table(source, part, name, f"list-{number}", known[name]),))
    for number, shared in enumerate(p for p in source.shared if p.threshold is not None):
        title = say("list.point_fmr", target=words.target(shared.target_fmr))
        yield Fold(title, (_rate_table(source, part, shared.id, f"list-fmr-{number}", title),))
    yield from _ratio_folds(source, point)
    for number, attributes in enumerate(names for names in source.attribute_sets() if len(names) == 1):
        yield from _confusion_fold(source, part, attributes, number, point)
    if point is not None:
        yield Fold(say("list.growth_fold"), (_growth_table(part, point),))
    if unset:
        yield Paragraph(say("list.unset", targets=words.join(words.tick(one.target_fpir) for one in unset)), "note")


def _people_table(source: Source, part: Identification) -> Table:
    names = ("group", "listed", "share", "mated", "nonmated")
    rows = []
    for row in part.groups:
        if source.banded(row.group) or row.people is None:
            rows.append((name_cell(row.group), *withheld(source, len(names) - 1)))
            continue
        rows.append(
            (
                name_cell(row.group),
                Cell(words.number(row.people), kind="number"),
                Cell(words.percent(row.share or 0.0), kind="number"),
                Cell(words.number(row.mated or 0), words.people(row.mated_people or 0), kind="number"),
                Cell(words.number(row.nonmated or 0), words.people(row.nonmated_people or 0), kind="number"),
            )
        )
    columns = tuple(say("groups.column_group") if n == "group" else say(f"list.column_{n}") for n in names)
    return Table("list-people", say("list.people_caption"), columns, tuple(rows), say("list.people_note"))


def _rate_table(source: Source, part: Identification, name: str, table: str, caption: str) -> Table:
    """Every rate at a threshold, by group, beside what the order of candidates alone gives."""
    columns = (
        say("groups.column_group"),
        say("metric.FPIR"),
        *(say("list.column_missed", first=first_word(rank)) for rank in part.ranks),
        *(say("list.column_order", first=first_word(rank)) for rank in part.ranks),
    )
    rows = []
    for group in every_group(source):
        if source.banded(group):
            rows.append((name_cell(group), *withheld(source, len(columns) - 1)))
            continue
        rows.append(
            (
                name_cell(group),
                rate_cell(list_rate(source, "FPIR", group, name)),
                *(rate_cell(list_rate(source, "FNIR", group, name, rank)) for rank in part.ranks),
                *(rate_cell(list_rate(source, "FNIR", group, RANK_ONLY, rank)) for rank in part.ranks),
            )
        )
    return Table(table, caption, columns, tuple(rows), say("list.rates_note"))


def _ratio_folds(source: Source, point: ListThresholdPart | None) -> Iterator[Block]:
    for metric in ("FPIR", "FNIR"):
        at = RANK_ONLY if point is None else point.id
        for attributes in source.attribute_sets():
            table = contrast_table(source, metric, attributes, _as_point(source, at))
            if table is not None:
                name = words.attributes_name(attributes)
                title = say("contrast.fold", metric=say(f"metric.{metric}"), attributes=name)
                yield Fold(title, (table,))


def _confusion_fold(
    source: Source, part: Identification, attributes: tuple[str, ...], number: int, point: ListThresholdPart | None
) -> Iterator[Block]:
    """Whose the wrong candidates are: of the person's own group, and the group that comes next."""
    tables: list[Block] = []
    for kind, name in (("first", RANK_ONLY), ("alarm", None if point is None else point.id)):
        rows = (
            []
            if name is None
            else [_confusion_row(source, part, attributes, name, g) for g in source.groups(attributes)]
        )
        if rows:
            columns = tuple(
                say(f"list.column_{n}") for n in (f"{kind}_group", f"{kind}_wrong", "own", "chance", "next")
            )
            caption = say(f"list.{kind}_caption", attributes=words.attributes_name(attributes))
            tables.append(Table(f"list-{kind}-{number}", caption, columns, tuple(rows), say("list.confusion_note")))
    if tables:
        yield Fold(say("list.confusion_fold", attributes=words.attributes_name(attributes)), tuple(tables))


def _confusion_row(
    source: Source, part: Identification, attributes: tuple[str, ...], name: str, group: Group
) -> tuple[Cell, ...]:
    row = [one for one in _rows(part, attributes, name) if key(one.group) == key(group)]
    own = next((one for one in row if key(one.candidate) == key(group)), None)
    if own is None or own.of is None or source.banded(group):
        return (name_cell(group), *withheld(source, 4))
    others = [one for one in row if one is not own and one.errors]
    most = max(others, key=lambda one: one.errors or 0, default=None)
    after = "–" if most is None else words.group_name(most.candidate)
    return (
        name_cell(group),
        Cell(words.number(own.of), kind="number"),
        Cell(words.number(own.errors or 0), kind="number"),
        Cell(words.percent(own.share or 0.0), kind="number"),
        Cell(after, "" if most is None else words.number(most.errors or 0)),
    )


def _growth_table(part: Identification, point: ListThresholdPart) -> Table:
    """False alarms of everyone as the list grows, at one threshold."""
    rows = tuple(
        (
            Cell(words.people(row.people), kind="name"),
            Cell(say("rate.counts", errors=words.number(row.errors), trials=words.number(row.trials)), kind="number"),
            Cell("–" if row.value is None else words.percent(row.value), words.bounds(row.interval), kind="rate"),
        )
        for row in part.growth
        if row.operating_point == point.id
    )
    columns = tuple(say(f"list.column_{name}") for name in ("size", "alarms", "rate"))
    return Table("list-growth", say("list.growth_caption"), columns, rows, say("list.growth_note"))
