"""How a forecast is shown: a table for a terminal, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from audit.report.charts import svgs
from audit.report.parts import Line, Marker, RowMark, RowPicture
from audit.report.strings import say
from audit.report.view import words

WIDEST = 1000.0
"""Larger ratios are drawn at the edge."""


class Row(Protocol):
    """What is shown of a group; see `audit.forecast.Outlook`."""

    @property
    def metric(self) -> str: ...  # noqa: D102 - named alike there
    @property
    def group(self) -> dict[str, str]: ...  # noqa: D102 - named alike there
    @property
    def rate(self) -> float: ...  # noqa: D102 - named alike there
    @property
    def subjects(self) -> int: ...  # noqa: D102 - named alike there
    @property
    def trials(self) -> int: ...  # noqa: D102 - named alike there
    @property
    def expected_errors(self) -> float: ...  # noqa: D102 - named alike there
    @property
    def expected_effective_errors(self) -> float: ...  # noqa: D102 - named alike there
    @property
    def support(self) -> str: ...  # noqa: D102 - named alike there
    @property
    def detectable_ratio(self) -> float | None: ...  # noqa: D102 - named alike there
    @property
    def more_subjects(self) -> int | None: ...  # noqa: D102 - named alike there
    @property
    def growth(self) -> float | None: ...  # noqa: D102 - named alike there


def power_table(name: str, rows: Sequence[Row], margins: dict[str, float]) -> RenderableType:
    """One table a rate: people, comparisons, errors to expect, the smallest ratio, and people to add."""
    return Stack(
        *(
            _table(name, [row for row in rows if (row.metric, row.rate) == case], margins)
            for case in dict.fromkeys((row.metric, row.rate) for row in rows)
        ),
        Text(say("power.note"), style="dim"),
    )


def _table(name: str, rows: Sequence[Row], margins: dict[str, float]) -> Table:
    first = rows[0]
    table = Table(title=Text(f"{name}: {_rate_name(first)}"), title_justify="left")
    table.add_column(Text(say("groups.column_group")))
    for column in ("people", "comparisons", "errors", "effective", "ratio"):
        table.add_column(Text(say(f"power.column_{column}")), justify="right")
    margin = words.exact(margins[first.metric])
    table.add_column(Text(say("power.column_more", margin=margin)), justify="right")
    for row in rows:
        table.add_row(
            Text(words.group_name(row.group)),
            words.number(row.subjects),
            words.number(row.trials),
            words.significant(row.expected_errors),
            words.significant(row.expected_effective_errors),
            Text(_ratio(row)),
            Text(_more(row)),
        )
    return table


def power_picture(rows: Sequence[Row], margins: dict[str, float]) -> RowPicture:
    """Smallest detectable ratios, one row a group under a heading a rate; an arrow where no ratio could be told."""
    marks: list[RowMark] = []
    for case in dict.fromkeys((row.metric, row.rate) for row in rows):
        of_case = [row for row in rows if (row.metric, row.rate) == case and row.group]
        if not of_case:
            continue
        marks.append(RowMark(_rate_name(of_case[0]), "", "none", heading=True))
        for row in of_case:
            ratio = row.detectable_ratio
            marker: Marker = "none" if ratio is None else "solid" if row.support == "sufficient" else "hollow"
            detail = f"{words.people(row.subjects)}; {_ratio(row)}"
            marks.append(RowMark(words.group_name(row.group), detail, marker, x=ratio and min(ratio, WIDEST)))
    most = max((mark.x for mark in marks if mark.x is not None), default=10.0)
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if t <= 1.3 * most]
    return RowPicture(
        tuple(marks),
        tuple(Line(float(t), say("power.times", n=f"{t:g}")) for t in ticks),
        (1.0, max(2.5, 1.2 * most)),
        say("power.axis"),
        tuple(Line(m, say("power.margin", metric=key)) for key, m in list(margins.items())[:1]),
    )


def write_power_picture(rows: Sequence[Row], margins: dict[str, float], path: Path) -> None:
    """Write the picture as SVG."""
    path.write_text(svgs(power_picture(rows, margins), "power")[0], encoding="utf-8")


def _rate_name(row: Row) -> str:
    key = "power.at_fmr" if row.metric == "FMR" else "power.at_fnmr"
    return say(key, rate=words.target(row.rate) if row.metric == "FMR" else words.percent(row.rate))


def _ratio(row: Row) -> str:
    if row.detectable_ratio is not None:
        return say("power.times", n=words.times(row.detectable_ratio))
    return "–" if not row.group else say("power.never")


def _more(row: Row) -> str:
    if not row.group:
        return "–"
    if row.more_subjects is None:
        return say("power.no_number") if row.growth is None else say("power.all", n=f"{row.growth:g}")
    return say("power.enough") if row.more_subjects == 0 else f"+{words.number(row.more_subjects)}"
