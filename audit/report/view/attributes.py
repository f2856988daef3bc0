"""The page of a record of the task attributes: what a model says of faces, against labels as a data set has them."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table as Grid
from rich.text import Text

from audit.record import AgesPart, EvaluationRecord, LabelsPart
from audit.report.parts import Block, Cell, Fold, Listing, Opening, Paragraph, ReportView, Section, Table
from audit.report.strings import say, spoken
from audit.report.view import background, conditions, words
from audit.report.view.differences import verdict_cell
from audit.report.view.rates import rate_cell
from audit.report.view.said import Decision, Said
from audit.report.view.said_ages import age_figure, age_table, apart_table, challenge_table
from audit.report.view.said_answers import answers, counted, headline, lost
from audit.report.view.said_tables import (
    both_ways,
    by_true_label,
    confusion,
    contrast_folds,
    parity_table,
    rate_figure,
)
from audit.report.view.source import Source
from audit.report.view.summary import alerts


def make(record: EvaluationRecord) -> ReportView:
    """Turn a record into what is shown."""
    said = Said.of(Source.of(record))
    source = said.source
    benchmark, model, samples = source.record.benchmark, source.record.model, source.record.samples
    found = said.overall()
    sentence, evidence = headline(said)
    return ReportView(
        language=spoken(),
        title=say("attributes.title", model=model.name, benchmark=benchmark.title or benchmark.name),
        subtitle=say(
            "page.subtitle" if benchmark.version else "page.subtitle_unversioned",
            version=benchmark.version,
            people=words.people(samples.subjects),
            tried=words.tried(samples),
            day=source.record.created[:10],
        ),
        consent=say("page.consent", tier=benchmark.consent_tier, text=words.key_word("tier", benchmark.consent_tier)),
        verdict=found,
        verdict_label=say(f"verdict.{found}"),
        headline=sentence,
        evidence=evidence,
        alerts=alerts(source),
        answers=tuple(answers(said)),
        sections=_sections(said),
        footer=say("page.footer", schema=source.record.schema_, digest=source.record.digests.plan[:12]),
        verdicts=_verdicts(said),
    )


def opening(source: Source) -> Opening:
    """What stands first, wherever many records are listed."""
    said = Said.of(source)
    sentence, evidence = headline(said)
    table = by_true_label(said, said.part.labels[0], 0) if said.part.labels else age_table(said, said.part.ages)
    target = say("publish.task", task=say("attributes.task"))
    return Opening("attributes.title", said.overall(), sentence, evidence, (), target, table, _verdicts(said))


def terminal_table(record: EvaluationRecord) -> RenderableType:
    """Groups with their errors, and what they show, for a terminal; names are plain text."""
    said = Said.of(Source.of(record))
    title = say("attributes.title", model=said.source.record.model.name, benchmark=said.source.record.benchmark.title)
    grid = Grid(title=Text(title), title_justify="left")
    judged = said.judged()
    for name in (say("groups.column_group"), *(one.name for one in judged)):
        grid.add_column(Text(name))
    for attributes in [(), *said.source.attribute_sets()]:
        if attributes:
            grid.add_section()
        for group in said.source.groups(attributes) if attributes else [{}]:
            cells = (
                [Cell("–")] * len(judged) if said.hidden(group) else [rate_cell(said.rate(d, group)) for d in judged]
            )
            shown = [Text(cell.text).append(f"\n{cell.note}" if cell.note else "", style="dim") for cell in cells]
            grid.add_row(Text(words.group_name(group)), *shown)
    told = [Text(line) for part, name in said.parts() for line in counted(said, part, name)]
    sentence, evidence = headline(said)
    return Stack(
        *(Text(line, style="bold") for line in alerts(said.source)),
        grid,
        *told,
        Text(sentence, style="bold"),
        Text(evidence),
    )


def _verdicts(said: Said) -> Table | None:
    """The verdict of every kind of decision, by attribute."""
    judged = said.judged()
    families = dict.fromkeys(family for one in judged for family in said.families(one))
    if not families:
        return None
    columns = (say("attributes.column_attributes"), *(one.name for one in judged))
    rows = tuple(
        (
            Cell(words.attributes_name(family), kind="name"),
            *(verdict_cell(said.verdict(one, family)) if family in said.families(one) else Cell("–") for one in judged),
        )
        for family in sorted(families, key=len)
    )
    return Table("verdicts", say("attributes.verdicts_caption"), columns, rows, say("first.note"))


def _sections(said: Said) -> tuple[Section, ...]:
    source = said.source
    parts = {
        "evidence": (
            *(_label_section(said, one, k) for k, one in enumerate(said.part.labels)),
            *([_age_section(said, said.part.ages)] if said.part.ages else []),
            _apart_section(said),
            conditions.conditions_section(source),
            _lost_section(said),
        ),
        "method": (
            background.limits_section(source),
            background.consent_section(source),
            background.model_section(source),
        ),
        "appendix": (
            background.provenance_section(source),
            background.glossary_section(),
        ),
    }
    return tuple(
        replace(section, part=say(f"part.{part}"))
        for part, sections in parts.items()
        for section in sections
        if section.blocks or section.id == "glossary"
    )


def _label_section(said: Said, labels: LabelsPart, number: int) -> Section:
    decision = said.label(labels)
    what = words.plain(labels.truth)
    blocks: list[Block] = [
        Paragraph(
            say(
                "attributes.compared",
                what=what,
                by=words.key_word("provenance", labels.provenance),
                meaning=labels.meaning,
            )
        ),
        by_true_label(said, labels, number),
        rate_figure(said, decision, f"said-rates-{number}"),
        *confusion(said, labels, number),
        both_ways(said, decision, f"said-both-{number}"),
        Fold(say("attributes.parity_fold"), (parity_table(labels, number),)),
        *contrast_folds(said, decision, f"said-contrasts-{number}"),
    ]
    return Section(
        f"labels-{number}",
        say("attributes.labels_title", what=what),
        say("attributes.labels_lead"),
        tuple(blocks),
        background.terms("classification", "balanced", "interval", "support"),
    )


def _age_section(said: Said, ages: AgesPart) -> Section:
    by = words.key_word("provenance", ages.provenance)
    blocks: list[Block] = [
        Paragraph(say("attributes.compared", what=words.plain(ages.truth), by=by, meaning=ages.meaning)),
        age_table(said, ages),
    ]
    if not ages.band:
        blocks.append(Paragraph(say("attributes.no_bands"), "note"))
    figure = age_figure(said, ages)
    blocks += [figure] if figure else []
    challenge = challenge_table(said)
    blocks += [challenge] if challenge else []
    decisions: list[Decision] = [*said.off(), *said.challenge()]
    blocks += [
        Fold(say("attributes.both_fold", what=one.name), (both_ways(said, one, f"said-both-age-{k}"),))
        for k, one in enumerate(decisions)
    ]
    for k, one in enumerate(decisions):
        blocks += contrast_folds(said, one, f"said-contrasts-age-{k}")
    return Section(
        "ages",
        say("attributes.ages_title"),
        say("attributes.ages_lead"),
        tuple(blocks),
        background.terms("age_error", "support"),
    )


def _apart_section(said: Said) -> Section:
    table = apart_table(said)
    return Section("apart", say("attributes.apart_title"), say("attributes.apart_lead"), (table,) if table else ())


def _lost_section(said: Said) -> Section:
    made = background.failure_section(said.source)
    lead = say("attributes.lost_lead")
    return Section("not-processed", say("attributes.lost_title"), lead, (Listing(tuple(lost(said))), *made.blocks))
