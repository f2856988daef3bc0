"""The same face with one thing changed: what moved, in words, in pictures and in a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit.record import IntervalPart, Movement
from audit.report.parts import Answer, Block, Cell, Figure, Fold, Line, Listing, RowMark, RowPicture, Section, Table
from audit.report.strings import has, say
from audit.report.view import words
from audit.report.view.source import Source

OWN = "own"
SCORE, REJECTED, MISSED, LANDMARKS = "score", "FRR", "miss", "landmarks"


def series_section(source: Source) -> Section:
    """Counterfactual series, if the task measured them."""
    rows = source.record.counterfactuals
    blocks: tuple[Block, ...] = ()
    if rows and source.headline is not None:
        point = source.headline.id
        factors = list(dict.fromkeys(row.factor for row in rows))
        blocks = (
            Listing(tuple(line for factor in factors for line in _sentences(rows, factor, point))),
            *_figures(rows, factors, point),
            Fold(say("series.fold"), (_table(rows, factors, point, OWN),)),
            Fold(say("series.fold_first"), (_table(rows, factors, point, None),)),
        )
    return Section("series", say("section.series"), say("section.series_lead"), blocks)


def moved(source: Source) -> tuple[Answer, ...]:
    """The first page's answer: the largest clear move of every factor, the largest first; none without series."""
    rows = source.record.counterfactuals
    if not rows or source.headline is None:
        return ()
    factors = list(dict.fromkeys(row.factor for row in rows))
    clear, rest = [], []
    for factor in factors:
        moves = _of(rows, factor, REJECTED, point=source.headline.id)
        worst = _largest([row for row in moves if _excludes_zero(row.interval)])
        if worst is None:
            rest.append(_factor(factor))
        else:
            clear.append(worst)
    clear.sort(key=lambda row: -abs(row.change or 0.0))
    lines = [say("series.brief", **_numbers(row)) for row in clear] or [say("series.brief_none")]
    if rest and clear:
        lines.append(say("series.brief_rest", factors=words.join(rest)))
    return (Answer(say("question.moved"), lines[0], tuple(lines[1:])),)


def _numbers(row: Movement) -> dict[str, str]:
    """What a sentence on a move names."""
    bounds = row.interval
    return {
        "factor": _factor(row.factor),
        "level": _level(row),
        "before": words.percent(row.before or 0.0),
        "after": words.percent(row.after or 0.0),
        "change": _points(row.change or 0.0),
        "low": _points(bounds.low if bounds else 0.0),
        "high": _points(bounds.high if bounds else 0.0),
    }


def _of(
    rows: Iterable[Movement],
    factor: str,
    quantity: str,
    *,
    against: str | None = OWN,
    point: str | None = None,
    detector: str | None = None,
) -> list[Movement]:
    """Rows of one factor and quantity; `against` None means the first level."""
    return [
        row
        for row in rows
        if row.factor == factor
        and row.quantity == quantity
        and (row.against == OWN) == (against == OWN)
        and (point is None or row.operating_point == point)
        and (detector is None or row.detector == detector)
    ]


def _largest(rows: Sequence[Movement]) -> Movement | None:
    return max((row for row in rows if row.change is not None), key=lambda row: abs(row.change or 0.0), default=None)


def _sentences(rows: Sequence[Movement], factor: str, point: str) -> list[str]:
    """What moved most when a factor changed: non-matches, then detection where a face was missed."""
    made = []
    moves = _of(rows, factor, REJECTED, point=point)
    worst = _largest([row for row in moves if _excludes_zero(row.interval)]) or _largest(moves)
    if worst is None or worst.before is None or worst.after is None or worst.change is None:
        return [say("series.unknown", factor=_factor(factor))]
    told = _excludes_zero(worst.interval)
    key = "series.moved" if told else "series.unmoved"
    made.append(say(key, people=words.people(worst.people), **_numbers(worst)))
    missed = [row for row in _of(rows, factor, MISSED) if row.errors and row.errors[1] and row.trials]
    if missed:
        most = max(missed, key=lambda row: row.after or 0.0)
        wrong, made_of = (most.errors or [0, 0])[1], (most.trials or [0, 0])[1]
        made.append(
            say(
                "series.missed",
                factor=_factor(factor),
                level=_level(most),
                detector=_detector(most),
                counts=say("rate.counts", errors=words.number(wrong), trials=words.number(made_of)),
            )
        )
    return made


def _figures(rows: Sequence[Movement], factors: Sequence[str], point: str) -> tuple[Figure, ...]:
    found = (
        _figure("series-score", SCORE, [_of(rows, factor, SCORE) for factor in factors]),
        _figure("series-rejected", REJECTED, [_of(rows, factor, REJECTED, point=point) for factor in factors]),
    )
    return tuple(figure for figure in found if figure is not None)


def _figure(name: str, quantity: str, by_factor: Sequence[Sequence[Movement]]) -> Figure | None:
    """Changes against the own level, one row a level."""
    marks: list[RowMark] = []
    cells: list[tuple[Cell, ...]] = []
    for rows in by_factor:
        known = [row for row in rows if row.change is not None and row.interval is not None]
        if known:
            marks.append(RowMark(_factor(known[0].factor), "", "none", heading=True))
            cells.append((Cell(_factor(known[0].factor)),))
        for row in known:
            low, high = (row.interval.low, row.interval.high) if row.interval else (None, None)
            marks.append(RowMark(_level(row), words.people(row.people), "solid", x=row.change, low=low, high=high))
            cells.append((Cell(_level(row), kind="name"), _change_cell(row), Cell(words.people(row.people))))
    values = [v for mark in marks for v in (mark.x, mark.low, mark.high) if v is not None]
    if not values:
        return None
    reach = 1.05 * max(*map(abs, values), 1e-9)
    title = say(f"series.{quantity}_title")
    columns = (say("series.column_level"), say("series.column_change"), say("series.column_people"))
    spoken = "; ".join(f"{row[0].text}: {row[1].text}" for row in cells if len(row) > 1)
    ticks = tuple(Line(x, _signed(quantity, x)) for x in _even(reach))
    return Figure(
        id=name,
        title=title,
        caption=say(f"series.{quantity}_caption"),
        alt=say("figure.rows_alt", what=title, rows=spoken),
        picture=RowPicture(
            tuple(marks),
            ticks,
            (-reach, reach),
            say(f"series.{quantity}_axis"),
            (Line(0.0, say("series.own")),),
            linear=True,
        ),
        table=Table(f"{name}-data", title, columns, tuple(cells)),
    )


def _even(reach: float) -> list[float]:
    """Round ticks on both sides of zero, at most nine."""
    step = next(unit * 10.0**power for power in range(-9, 9) for unit in (1, 2, 5) if reach / (unit * 10.0**power) <= 4)
    last = int(reach / step)
    return [k * step for k in range(-last, last + 1)]


def _table(rows: Sequence[Movement], factors: Sequence[str], point: str, against: str | None) -> Table:
    """Everything by level, against the own level, or against the first one."""
    detectors = list(dict.fromkeys(row.detector for row in rows if row.quantity == MISSED))
    columns = (
        say("series.column_level"),
        say("series.column_people"),
        say("series.column_score"),
        say("series.column_rejected"),
        *(say("series.column_missed", detector=_detector_name(name)) for name in detectors),
        say("series.column_landmarks"),
    )
    cells: list[tuple[Cell, ...]] = []
    for factor in factors:
        cells.append((Cell(_factor(factor)),))
        for score in _of(rows, factor, SCORE, against=against):
            same = [row for row in rows if (row.factor, row.level, row.against) == (factor, score.level, score.against)]
            rejected = [row for row in same if row.quantity == REJECTED and row.operating_point == point]
            missed = [row for name in detectors for row in same if row.quantity == MISSED and row.detector == name]
            moved = [row for row in same if row.quantity == LANDMARKS]
            cells.append(
                (
                    Cell(_level(score), kind="name"),
                    Cell(words.number(max(row.people for row in same)), kind="number"),
                    _change_cell(score),
                    *(_rate_cell(row) for row in (*rejected, *missed)),
                    *(_change_cell(row) for row in moved),
                )
            )
    key = "series.table" if against == OWN else "series.table_first"
    return Table(f"series-{'own' if against == OWN else 'first'}", say(key), columns, tuple(cells), say("series.note"))


def _rate_cell(row: Movement) -> Cell:
    """Counts before and after, and the change with its interval."""
    if row.errors is None or row.trials is None or row.change is None:
        return Cell("–", note=row.reason or "", kind="number")
    counts = [
        say("rate.counts", errors=words.number(e), trials=words.number(t))
        for e, t in zip(row.errors, row.trials, strict=True)
    ]
    return Cell(say("series.from_to", before=counts[0], after=counts[1]), note=_change_text(row), kind="number")


def _change_cell(row: Movement) -> Cell:
    if row.change is None:
        return Cell("–", note=row.reason or "", kind="number")
    return Cell(_change_text(row), kind="number")


def _change_text(row: Movement) -> str:
    if row.change is None or row.interval is None:
        return "–"
    low, high = _signed(row.quantity, row.interval.low), _signed(row.quantity, row.interval.high)
    return say("series.change", change=_signed(row.quantity, row.change), low=low, high=high)


def _signed(quantity: str, x: float) -> str:
    """A change with its sign: points for shares, plain numbers for scores, percent of the eyes' distance for ways."""
    if quantity in (REJECTED, MISSED, "FNMR"):
        return _points(x)
    return words.signed(x) + ("%" if quantity == LANDMARKS else "")


def _points(x: float) -> str:
    """A difference of two shares in percentage points.

    >>> _points(0.125), _points(-0.03), _points(0.0)
    ('+13', '−3.0', '0')
    """
    return words.signed(100 * x)


def _excludes_zero(interval: IntervalPart | None) -> bool:
    return interval is not None and (interval.low > 0 or interval.high < 0)


def _factor(name: str) -> str:
    return words.key_word("factor", name)


def _level(row: Movement) -> str:
    key = f"series.level_{row.factor}"
    level = words.plain(row.level).replace("-", "−") if row.factor == "tone" else words.plain(row.level)
    return say(key, level=level) if has(key) else level


def _detector(row: Movement) -> str:
    return _detector_name(row.detector)


def _detector_name(name: str | None) -> str:
    return words.key_word("detector", name or "")
