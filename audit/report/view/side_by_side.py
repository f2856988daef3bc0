"""Records side by side, as they are shown: order, rounding and wording of a comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Group as RichGroup
from rich.console import RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from audit.comparison import Comparison, Difference, DisparityChange, Remark
from audit.record import Group, IntervalPart, making_sense
from audit.report.parts import (
    Answer,
    Block,
    Cell,
    Figure,
    Fold,
    Line,
    Listing,
    Paragraph,
    ReportView,
    RowMark,
    RowPicture,
    Section,
    Table,
)
from audit.report.strings import say, spoken
from audit.report.view import words
from audit.report.view.clean import scrub_comparison
from audit.report.view.rates import MARKERS
from audit.report.view.split import split_blocks, split_rows
from audit.report.view.trade_off import front_blocks

MOST_ROWS = 40


def make_comparison(comparison: Comparison) -> ReportView:
    """Turn a comparison into what is shown."""
    shown = scrub_comparison(comparison)
    tested = [d for d in shown.differences if d.p_adjusted is not None]
    differ = sorted((d for d in tested if d.verdict == "differs"), key=lambda d: d.p_adjusted or 0.0)
    key = "nothing" if not tested else "some" if differ else "none"
    first = shown.records[0].label
    sections = (
        _section("comparable", _comparable(shown)),
        _section("split", split_blocks(shown.splits, _point)),
        _section("rates", _rates(shown), label=first),
        _section("disparity", _disparities(shown)),
        _section("front", front_blocks(shown.front)),
        _section("how", (Listing(_methods(shown)),)),
    )
    return ReportView(
        language=spoken(),
        title=say("side.title", n=len(shown.records)),
        subtitle=say("side.subtitle", labels="; ".join(one.label for one in shown.records)),
        consent=say("side.baseline", label=first),
        verdict="DISPARITY" if differ else "INCONCLUSIVE",
        verdict_label=say("side.label_some" if differ else "side.label_none"),
        headline=say(f"side.{key}", n=len(differ), total=len(tested)),
        evidence=say("side.behind"),
        alerts=(),
        answers=_answers(shown, tested, differ),
        sections=tuple(section for section in sections if section.blocks),
        footer=say("side.footer", schema=shown.schema_),
    )


def _section(name: str, blocks: tuple[Block, ...], **values: object) -> Section:
    lead = "" if name == "how" else say(f"side.{name}_lead", **values)
    return Section(f"side-{name}", say(f"side.{name}"), lead, blocks)


def _answers(shown: Comparison, tested: list[Difference], differ: list[Difference]) -> tuple[Answer, ...]:
    which = say("side.answer_which_some", n=len(differ)) if differ else say("side.answer_which_none")
    hows = Counter(d.how for d in tested)
    said = " ".join(say("side.how_line", n=n, how=words.key_word("side", how)) for how, n in hows.items())
    people = tuple(remark.text for remark in shown.remarks if remark.about == "people")
    left = len(shown.differences) - len(tested)
    return (
        Answer(say("side.question_which"), which, tuple(_in_words(d) for d in differ[:5])),
        _disparity_answer(shown),
        Answer(say("side.question_share"), _unshared(shown.remarks), tuple(dict.fromkeys(people))),
        Answer(say("side.question_sure"), say("side.answer_sure", hows=said)),
        Answer(
            say("side.question_unknown"), say("side.answer_unknown", n=left, total=len(shown.differences))
        ),
    )  # fmt: skip


def _disparity_answer(shown: Comparison) -> Answer:
    tested = [d for d in shown.disparities if d.p_adjusted is not None]
    differ = sorted((d for d in tested if d.verdict == "differs"), key=lambda d: d.p_adjusted or 0.0)
    key = "some" if differ else "none" if tested else "nothing"
    details = tuple(
        say(
            "side.answer_disparity", what=_what(d), where=_where(d), other=d.b, label=d.a, first=_times(d.first),
            second=_times(d.second), change=_times(d.change), bounds=words.ratio_bounds(d.interval),
        )
        for d in differ[:5]
    )  # fmt: skip
    return Answer(say("side.question_disparity"), say(f"side.answer_disparity_{key}", n=len(differ)), details)


def _times(value: float | None) -> str:
    return "–" if value is None else words.times(value)


def _unshared(remarks: Iterable[Remark]) -> str:
    return words.join(dict.fromkeys(r.text for r in remarks if r.about in {"benchmark", "samples", "plan"}), most=9)


def _in_words(d: Difference) -> str:
    return say(
        "side.answer_which", other=d.b, metric=words.key_word("metric", d.metric), group=words.group_name(d.group),
        point=_point(d.operating_point), ratio=_ratio(d), label=d.a, bounds=words.ratio_bounds(d.ratio_interval),
        support=words.key_word("support", d.support),
    )  # fmt: skip


def _point(name: str | None) -> str:
    """Name a threshold in words; one that was given keeps its name."""
    if name is None:
        return say("side.no_threshold")
    for policy, key in (("global-fmr-", "side.point_global"), ("per-group-fmr-", "side.point_own")):
        if name.startswith(policy):
            return say(key, target=words.target(float(name.removeprefix(policy))))
    return name


def _ratio(d: Difference) -> str:
    return say("side.ratio_to_zero") if d.ratio is None else words.times(d.ratio)


def _bounded(value: str, interval: IntervalPart | None) -> Cell:
    return Cell(value, words.ratio_bounds(interval) if interval else "", kind="number")


def _pairs(shown: Comparison) -> list[tuple[str, str]]:
    return list(dict.fromkeys((r.a, r.b) for r in shown.remarks))


def _comparable(shown: Comparison) -> tuple[Block, ...]:
    columns = tuple(say(f"side.column_{name}") for name in ("about", "same", "text"))
    return tuple(
        Table(
            f"comparable-{k}", say("side.caption_comparable", a=a, b=b), columns,
            tuple(
                (Cell(words.key_word("about", r.about), kind="name"), Cell(say("side.yes" if r.same else "side.no")),
                 Cell(r.text))
                for r in shown.remarks if (r.a, r.b) == (a, b)
            ),
        )
        for k, (a, b) in enumerate(_pairs(shown))
    )  # fmt: skip


def _rates(shown: Comparison) -> tuple[Block, ...]:
    families: dict[str, list[Difference]] = {}
    for d in shown.differences:
        families.setdefault(d.family, []).append(d)
    blocks: list[Block] = []
    for k, rows in enumerate(families.values()):
        if all(d.p is None for d in rows) and all(d.difference_interval is None for d in rows):
            continue
        figure = _rate_figure(rows, k)
        blocks += [figure] if figure is not None else []
        table = _rate_table(rows, k)
        told = any(d.p is not None for d in rows)
        blocks.append(table if told else Fold(say("side.fold_rates", caption=table.caption), (table,)))
    return tuple(blocks)


def _rate_table(rows: list[Difference], k: int) -> Table:
    one = rows[0]
    names = ("group", "first", "second", "ratio", "difference", "p", "verdict", "detectable")
    caption = say(
        "side.caption_rates", metric=words.key_word("metric", one.metric), point=_point(one.operating_point), a=one.a,
        b=one.b,
    )  # fmt: skip
    return Table(f"rates-{k}", caption, tuple(say(f"side.column_{n}") for n in names), tuple(map(_rate_row, rows)))


def _rate_row(d: Difference) -> tuple[Cell, ...]:
    def counted(errors: int, trials: int, value: float | None) -> Cell:
        shown = "–" if value is None else words.percent(value)
        return Cell(shown, f"{words.number(errors)} / {words.number(trials)}", kind="number")

    difference = "–" if d.difference is None else f"{words.signed(100 * d.difference)}%"
    bounds = "" if d.difference_interval is None else say(
        "number.bounds", low=f"{words.signed(100 * d.difference_interval.low)}%",
        high=f"{words.signed(100 * d.difference_interval.high)}%",
    )  # fmt: skip
    return (
        Cell(words.group_name(d.group), words.key_word("support", d.support), kind="name"),
        counted(d.first.errors, d.first.trials, d.first.value),
        counted(d.second.errors, d.second.trials, d.second.value),
        _bounded("–" if d.ratio_interval is None else _ratio(d), d.ratio_interval),
        Cell(difference, bounds, kind="number"),
        Cell(words.p_value(d.p_adjusted), kind="number"),
        Cell(words.key_word("said", d.verdict), d.reason or "", mark="disparity" if d.verdict == "differs" else ""),
        Cell("–" if d.minimum_detectable_ratio is None else words.times(d.minimum_detectable_ratio), kind="number"),
    )


def _rate_figure(rows: list[Difference], k: int) -> Figure | None:
    drawn = [d for d in rows if d.ratio and d.ratio_interval and d.ratio_interval.low > 0]
    if not drawn:
        return None
    one, cut = drawn[0], drawn[:MOST_ROWS]
    marks = tuple(
        RowMark(
            words.group_name(d.group), f"{_ratio(d)} {words.key_word('said', d.verdict)}", MARKERS[d.support], d.ratio,
            *((d.ratio_interval.low, d.ratio_interval.high) if d.ratio_interval else (None, None)),
        )
        for d in cut
    )  # fmt: skip
    values = [x for m in marks for x in (m.x, m.low, m.high) if x]
    domain = (max(min(0.5, *values) / 1.15, 1e-3), min(max(2.0, *values) * 1.15, 1e3))
    title = say(
        "side.figure_rates", metric=words.key_word("metric", one.metric), point=_point(one.operating_point), a=one.a,
        b=one.b,
    )  # fmt: skip
    columns = (say("side.column_group"), say("side.column_ratio"), say("side.column_verdict"))
    body = tuple(
        (Cell(m.label, kind="name"), _bounded(_ratio(d), d.ratio_interval), Cell(words.key_word("said", d.verdict)))
        for m, d in zip(marks, cut, strict=True)
    )
    note = say("side.cut", n=MOST_ROWS, total=len(drawn)) if len(drawn) > MOST_ROWS else ""
    return Figure(
        id=f"rates-{k}",
        title=title,
        caption=say("side.figure_caption"),
        alt=say("figure.rows_alt", what=title, rows="; ".join(f"{m.label}: {m.detail}" for m in marks)),
        picture=RowPicture(
            marks, _ticks(domain), domain, say("side.figure_axis"), (Line(1.0, say("side.figure_equal")),)
        ),
        table=Table(f"rates-data-{k}", title, columns, body, note),
    )


def _ticks(domain: tuple[float, float]) -> tuple[Line, ...]:
    steps = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    return tuple(Line(x, words.exact(x)) for x in steps if domain[0] <= x <= domain[1])


def _disparities(shown: Comparison) -> tuple[Block, ...]:
    names = ("disparity", "first", "second", "change", "p", "verdict")
    columns = tuple(say(f"side.column_{name}") for name in names)
    blocks: list[Block] = []
    for k, (a, b) in enumerate(_pairs(shown)):
        every = [d for d in shown.disparities if (d.a, d.b) == (a, b)]
        rows = [d for d in every if d.change is not None]
        if rows:
            body = tuple(_disparity_row(d) for d in rows)
            blocks.append(Table(f"disparity-{k}", say("side.caption_disparity", a=a, b=b), columns, body))
        if len(rows) < len(every):
            blocks.append(Paragraph(say("side.unformed", n=len(every) - len(rows)), "note"))
    return tuple(blocks)


def _disparity_row(d: DisparityChange) -> tuple[Cell, ...]:
    return (
        Cell(_what(d), _where(d), kind="name"),
        Cell(_times(d.first), kind="number"),
        Cell(_times(d.second), kind="number"),
        _bounded(_times(d.change), d.interval),
        Cell(words.p_value(d.p_adjusted), kind="number"),
        Cell(
            words.key_word("said", d.verdict) if d.p_adjusted is not None or d.change is None else "–",
            d.reason or "", mark="disparity" if d.verdict == "differs" else "",
        ),
    )  # fmt: skip


def _what(d: DisparityChange) -> str:
    if d.group is None:
        return d.measure
    return say("side.ratio_of", group=words.group_name(d.group), against=words.group_name(_some(d.against)))


def _where(d: DisparityChange) -> str:
    where = f"{words.key_word('metric', d.metric)}, {_point(d.operating_point)}"
    return f"{where}, {words.attributes_name(d.attributes)}" if d.group is None else where


def _some(group: Group | None) -> Group:
    return group or {}


def _methods(shown: Comparison) -> tuple[str, ...]:
    used = [how for how in ("paired", "independent", "bounded") if any(d.how == how for d in shown.differences)]
    return (*(say(f"side.method_{how}") for how in used), say("side.method_test"), say("side.method_target"))


@making_sense("comparison")
def comparison_table(comparison: Comparison) -> RenderableType:
    """Table for a terminal: what is not the same, then every rate that could be compared."""
    shown = scrub_comparison(comparison)
    table = RichTable(title=Text(say("side.baseline", label=shown.records[0].label)), title_justify="left")
    for name in ("group", "first", "second"):
        table.add_column(Text(say(f"side.column_{name}")), justify="left" if name == "group" else "right")
    for name in ("ratio", "p"):
        table.add_column(Text(say(f"side.column_{name}")), justify="right")
    table.add_column(Text(say("side.column_verdict")))
    before = ""
    for d in shown.differences:
        if d.ratio_interval is None:
            continue
        if d.family != before:
            table.add_section()
            heading = say("side.terminal", a=d.a, b=d.b)
            where = f"{words.key_word('metric', d.metric)}, {_point(d.operating_point)}"
            table.add_row(Text(f"{heading}: {where}", style="bold"))
            before = d.family
        first, second = (f"{v.errors:,} / {v.trials:,}" for v in (d.first, d.second))
        ratio = f"{_ratio(d)} ({words.ratio_bounds(d.ratio_interval)})"
        verdict = Text(words.key_word("said", d.verdict), style="bold" if d.verdict == "differs" else "")
        table.add_row(Text(words.group_name(d.group)), first, second, ratio, words.p_value(d.p_adjusted), verdict)
    one_threshold = [row for row in shown.splits if row.operating_point.startswith("global")]
    splits = split_rows(one_threshold, shown.differences, _point)
    return RichGroup(table, splits) if splits is not None else table


def remark_lines(comparison: Comparison) -> list[str]:
    """What is not the same, and what is known of the people, a line each."""
    shown = scrub_comparison(comparison)
    return [f"{r.b}: {r.text}" for r in shown.remarks if not r.same or r.about == "people"]
