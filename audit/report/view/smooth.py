"""Error rates and scores along a number that people carry: smooth curves with bands, and their points as tables."""

from __future__ import annotations

from collections.abc import Sequence

from audit.record import Curve
from audit.report.parts import BandPanel, BandPicture, Block, Cell, Figure, Line, Paragraph, Section, Table
from audit.report.strings import has, say
from audit.report.view import words
from audit.report.view.scores import even_ticks
from audit.report.view.source import Source

QUANTITIES = ("FMR", "FNMR", "non-mated score", "mated score")
MOST_ROWS, MOST_SPOKEN = 12, 5


def curves_section(source: Source) -> Section:
    """One picture a number; curves that could not be formed say why."""
    point = None if source.headline is None else source.headline.id
    wanted = [c for c in source.record.curves if c.operating_point is None or c.operating_point == point]
    blocks: list[Block] = []
    for number, attribute in enumerate(dict.fromkeys(curve.attribute for curve in wanted)):
        curves = sorted((c for c in wanted if c.attribute == attribute), key=_rank)
        drawn = [curve for curve in curves if curve.x]
        if drawn:
            blocks.append(_figure(source, number, drawn))
            blocks += [Paragraph(say("smooth.cut"), "note")] if any(_top(c) < max(c.high) for c in drawn) else []
        blocks += _unformed(curves)
    return Section("curves", say("section.curves"), say("section.curves_lead"), tuple(blocks))


def _rank(curve: Curve) -> int:
    return QUANTITIES.index(curve.quantity) if curve.quantity in QUANTITIES else len(QUANTITIES)


def _unformed(curves: Sequence[Curve]) -> list[Block]:
    by_reason: dict[str, list[str]] = {}
    for curve in curves:
        if not curve.x:
            by_reason.setdefault(curve.reason or say("rate.unmeasured"), []).append(_quantity(curve))
    name = _said(curves[0])
    return [
        Paragraph(say("smooth.unformed", attribute=name, quantities=words.join(named, most=99), reason=reason), "note")
        for reason, named in by_reason.items()
    ]


def _said(curve: Curve) -> str:
    """The number in words: a well-known abbreviation is said in full."""
    key = f"along.{curve.attribute}"
    return say(key) if has(key) else words.attributes_name((curve.attribute,))


def _quantity(curve: Curve) -> str:
    return words.key_word("quantity", curve.quantity.replace(" ", "_"))


def _figure(source: Source, number: int, curves: Sequence[Curve]) -> Figure:
    first = curves[0]
    name = _said(first)
    title = say("smooth.title", attribute=name)
    low, high = min(min(c.x) for c in curves), max(max(c.x) for c in curves)
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    spoken = "; ".join(
        say("smooth.spoken", quantity=_quantity(c), points=words.join(_points(c), most=MOST_SPOKEN)) for c in curves
    )
    caption = say(
        "smooth.caption",
        level=words.tick(first.level),
        target=words.target(None if source.headline is None else source.headline.target_fmr),
        people=words.people(first.subjects),
        missing=_missing(source, first.missing),
        by=words.key_word("provenance", first.provenance),
    )
    return Figure(
        id=f"curves-{number}",
        title=title,
        caption=caption,
        alt=say("figure.rows_alt", what=title, rows=spoken),
        picture=BandPicture(
            tuple(_panel(curve) for curve in curves),
            even_ticks(low, high),
            (low, high),
            say("smooth.axis", attribute=name, unit=first.unit) if first.unit else name,
        ),
        table=_table(number, title, curves),
    )


def _missing(source: Source, n: int) -> str:
    """How many have no number; too few are given as a band."""
    if n == 0:
        return say("smooth.missing_none")
    shown = say("group.fewer_people", n=source.min_subjects) if n < source.min_subjects else words.people(n)
    return say("smooth.missing", people=shown)


def _panel(curve: Curve) -> BandPanel:
    low = 0.0 if curve.operating_point is not None else min(curve.low)
    high = _top(curve)
    room = 0.04 * (high - low) or 0.5
    domain = (low if curve.operating_point is not None else low - room, high + room)
    ticks = even_ticks(*domain)
    if curve.operating_point is not None:
        ticks = tuple(Line(t.x, words.tick(t.x)) for t in ticks)
    return BandPanel(
        _quantity(curve),
        _reach(curve),
        tuple(curve.x),
        tuple(curve.value),
        tuple(curve.low),
        tuple(curve.high),
        ticks,
        domain,
    )


def _top(curve: Curve) -> float:
    """How far up a panel reaches: bounds of a rate that is about 0 may lie beyond, where another rate is not."""
    known = [high for value, high in zip(curve.value, curve.high, strict=True) if value > 0]
    return max(known if known and curve.operating_point is not None else curve.high)


def _reach(curve: Curve) -> str:
    """Over how wide a stretch of people each point averages."""
    if curve.bandwidth is None:
        return ""
    return say("smooth.bandwidth", width=_along(curve, curve.bandwidth), people=words.people(curve.subjects))


def _along(curve: Curve, x: float) -> str:
    return say("smooth.unit", x=f"{x:.3g}", unit=curve.unit) if curve.unit else f"{x:.3g}"


def _thinned(curve: Curve, most: int) -> list[int]:
    """Which points are told: the ends and evenly many between."""
    last = len(curve.x) - 1
    return (
        list(dict.fromkeys(round(k * last / (most - 1)) for k in range(most))) if last >= most else [*range(last + 1)]
    )


def _points(curve: Curve) -> list[str]:
    return [
        say("smooth.point", x=_along(curve, curve.x[k]), value=_value(curve, k).text)
        for k in _thinned(curve, MOST_SPOKEN)
    ]


def _value(curve: Curve, k: int) -> Cell:
    value, low, high = curve.value[k], curve.low[k], curve.high[k]
    if curve.operating_point is None:
        bounds = say("number.bounds", low=_score(low), high=_score(high))
        return Cell(_score(value), bounds, kind="rate")
    if value == 0:
        return Cell(say("smooth.zero"), say("smooth.at_most", high=words.percent(high)), kind="rate")
    bounds = say("number.bounds", low=words.percent(low), high=words.percent(high))
    return Cell(words.percent(value), bounds, kind="rate")


def _score(x: float) -> str:
    return f"{x:#.3g}".removesuffix(".")


def _table(number: int, title: str, curves: Sequence[Curve]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for curve in curves:
        rows.append((Cell(_quantity(curve), _reach(curve)),))
        for k in _thinned(curve, MOST_ROWS):
            x = Cell(_along(curve, curve.x[k]), kind="name")
            rows.append((x, _value(curve, k), Cell(words.number(round(curve.people[k])), kind="number")))
    columns = (_said(curves[0]), say("smooth.column_value"), say("smooth.column_people"))
    return Table(f"curves-data-{number}", title, columns, tuple(rows), say("smooth.note"))
