"""What a notebook shows of a record: a card in its own markup, and the report's pictures as Altair charts.

A notebook keeps its own style and may be dark, so the card takes over its colours and fonts, and says in words what
colour says elsewhere. Names from outside are cleaned and escaped as in the report.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audit.record import EvaluationRecord
from audit.report import parts
from audit.report.view import make, opening, summary, words
from audit.report.view.differences import VERDICT_SIGNS
from audit.report.view.source import Source

if TYPE_CHECKING:
    import altair as alt


def card(record: EvaluationRecord) -> str:
    """Verdict, first sentence, counts behind it, and the table of groups, as an HTML fragment."""
    from audit.report import html  # noqa: PLC0415 - loads the drawing library

    source = Source.of(record)
    first = opening(source)
    verdict = first.verdict
    shown, samples = source.record, source.record.samples
    return (
        html.environment()
        .get_template("notebook.html.j2")
        .render(
            model=shown.model.name,
            benchmark=shown.benchmark.title or shown.benchmark.name,
            tier=shown.benchmark.consent_tier,
            tier_text=words.key_word("tier", shown.benchmark.consent_tier),
            people=words.people(samples.subjects),
            tried=words.tried(samples),
            day=shown.created[:10],
            verdict=verdict,
            sign=VERDICT_SIGNS[verdict],
            headline=first.headline,
            evidence=first.evidence,
            alerts=summary.alerts(source),
            table=first.groups,
        )
    )


def figures(record: EvaluationRecord) -> dict[str, parts.Figure]:
    """Every picture of the report by its name, in the order of the report."""
    return {figure.id: figure for section in make(record).sections for figure in _inside(section.blocks)}


def chart(figure: parts.Figure) -> alt.LayerChart:
    """Give a picture as an Altair chart that carries its alternative text."""
    from audit.report import charts  # noqa: PLC0415 - loads the drawing library

    made = charts.altair_chart(figure.picture)
    made.description = figure.alt
    return made


def attribute_sets(record: EvaluationRecord) -> list[tuple[str, ...]]:
    """Attributes and intersections in the order in which the report draws them, named as in the record."""
    return sorted(dict.fromkeys(tuple(count.group) for count in record.samples.by_group if count.group), key=len)


def _inside(blocks: Iterable[parts.Block]) -> Iterable[parts.Figure]:
    for block in blocks:
        if isinstance(block, parts.Figure):
            yield block
        elif isinstance(block, parts.Fold):
            yield from _inside(block.blocks)
