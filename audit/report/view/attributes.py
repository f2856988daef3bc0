"""The page of a record of the task attributes: what a model says of faces, against labels as a data set has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table as Grid
from rich.text import Text

from audit.record import AgesPart, EvaluationRecord, LabelsPart, Rate
from audit.report.parts import Answer, Block, Cell, Fold, Listing, Opening, Paragraph, ReportView, Section, Table
from audit.report.strings import say, spoken
from audit.report.view import background, words
from audit.report.view.differences import verdict_cell
from audit.report.view.rates import of_counts, rate_cell, value_text
from audit.report.view.said import Decision, Said
from audit.report.view.said_tables import (
    age_figure,
    age_table,
    apart_table,
    both_ways,
    by_true_label,
    challenge_table,
    confusion,
    contrast_folds,
    parity_table,
    rate_figure,
)
from audit.report.view.source import Source, key
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
    told = [Text(line) for part, name in said.parts() for line in _counted(said, part, name)]
    sentence, evidence = headline(said)
    return Stack(
        *(Text(line, style="bold") for line in alerts(said.source)),
        grid,
        *told,
        Text(sentence, style="bold"),
        Text(evidence),
    )


def headline(said: Said) -> tuple[str, str]:
    """The one sentence that a reviewer takes home, and the counts under it."""
    lead = said.leading()
    if lead is None:
        kind = {"EQUIVALENT": "equivalent", "DISPARITY": "spread"}.get(said.overall(), "inconclusive")
        grouped = bool(said.source.attribute_sets())
        return say(f"attributes.headline_{kind}" if grouped else "attributes.headline_ungrouped"), ""
    decision, contrast = lead
    sentence = say(
        f"attributes.headline_{decision.metric}",
        what=decision.name,
        group=words.quoted(contrast.group),
        against=words.quoted(contrast.against),
    )
    sides = [said.rate(decision, contrast.group)]
    sides.append(said.rate(decision, {} if isinstance(contrast.against, str) else contrast.against))
    evidence = [
        say(
            "finding.side",
            group=words.group_name(rate.group),
            counts=_pictures(rate),
            people=words.people(rate.subjects),
        )
        for rate in sides
        if rate is not None
    ]
    if contrast.p_adjusted is None or contrast.p_adjusted >= float(said.source.record.plan.get("alpha", 0.05)):
        evidence.append(say("finding.chance", p=words.p_value(contrast.p_adjusted)))
    return sentence, " ".join(f"{line.removesuffix('.')}." for line in evidence)


def _pictures(rate: Rate) -> str:
    return say("attributes.pictures", counts=of_counts(rate))


def answers(said: Said) -> Iterator[Answer]:
    """The questions of a reviewer, in the order in which they are asked."""
    lines = list(_counted(said, {}, ""))
    yield Answer(say("attributes.question_often"), lines[0] if lines else say("rate.unmeasured"), tuple(lines[1:]))
    yield Answer(say("question.who"), *_who(said))
    lost = _lost(said)
    yield Answer(say("attributes.question_lost"), lost[0], tuple(lost[1:]))
    samples = said.source.record.samples
    groups = [count for count in samples.by_group if count.group]
    small = sum(count.subjects < 30 for count in groups)
    few = say("attributes.small", n=words.number(small), total=words.number(len(groups)))
    many = say("answer.many", people=words.people(samples.subjects), tried=words.tried(samples))
    yield Answer(say("question.many"), many, (few,) if groups else ())
    yield Answer(say("attributes.question_labels"), say("attributes.labels_are"), (say("attributes.labels_never"),))
    yield Answer(say("question.rely"), say(f"attributes.rely_{said.overall()}"), (say("answer.rely_not"),))
    yield Answer(say("question.untested"), say("attributes.untested"))


def _counted(said: Said, part: dict[str, str], name: str) -> Iterator[str]:
    """How often labels and ages are wrong, in sentences; `name` names the pictures."""
    before = f"{name}: " if name else ""
    for one in said.part.labels:
        decision = said.label(one, part)
        rate, counted = said.rate(decision, {}), said.rate(decision, {}, view="generalised")
        if rate is not None and counted is not None:
            yield before + say(
                "attributes.often_label",
                what=decision.name,
                counts=of_counts(rate),
                value=_sure(rate),
                counted=of_counts(counted),
            )
    errors = said.ages(part).get(key({}))
    if errors is not None and errors.mae.value is not None and errors.bias.value is not None:
        span = errors.mae.interval
        bounds = "–" if span is None else say("number.bounds", low=f"{span.low:.1f}", high=f"{span.high:.1f}")
        yield before + say(
            "attributes.often_age",
            mae=f"{errors.mae.value:.1f}",
            bounds=bounds,
            bias=f"{abs(errors.bias.value):.1f}",
            side=say("attributes.older" if errors.bias.value > 0 else "attributes.younger"),
            pictures=words.images(errors.pictures),
            people=words.people(errors.subjects),
        )


def _sure(rate: Rate) -> str:
    """A rate inside a sentence: of few people or errors a bound alone."""
    if rate.support != "count-only" or rate.value is None or rate.zero_errors or rate.interval is None:
        return value_text(rate)
    return say("attributes.at_most", bound=words.percent(rate.interval.high))


def _who(said: Said) -> tuple[str, tuple[str, ...]]:
    """Which groups are affected, by kind of decision."""
    lines = []
    for one in said.judged():
        firm = [words.quoted(c.group) for c in said.contrasts(one) if c.verdict == "DISPARITY" and (c.ratio or 0.0) > 1]
        names = list(dict.fromkeys(firm))
        kind = "some" if names else "none"
        lines.append(say(f"attributes.who_{kind}", what=one.name, groups=words.join(names, most=3)))
    return (lines[0], tuple(lines[1:])) if lines else (say("answer.who_nothing"), ())


def _lost(said: Said) -> list[str]:
    """What was not processed, and of whom nothing is known, in sentences."""
    made = []
    decisions = [(labels.truth, said.label(labels)) for labels in said.part.labels]
    decisions += [(said.part.ages.truth, one) for one in said.off()[:1] if said.part.ages is not None]
    for what, one in decisions:
        rate = said.rate(one, {}, metric="NPR")
        if rate is not None:
            made.append(say("attributes.lost", what=words.plain(what), counts=of_counts(rate)))
    for labels in said.part.labels:
        what = words.plain(labels.truth)
        for label in labels.unsayable:
            people = say("group.fewer_people", n=said.source.min_subjects)
            people = people if label.people is None else words.people(label.people)
            made.append(say("attributes.unsayable", what=what, value=words.plain(label.value), people=people))
        if labels.foreign:
            foreign = words.join((words.plain(word) for word in labels.foreign), most=9)
            made.append(say("attributes.foreign", what=what, foreign=foreign))
    for part in (*said.part.labels, *([said.part.ages] if said.part.ages else [])):
        made += [
            say("attributes.without", what=words.plain(part.truth), people=words.people(people), why=why)
            for why, people in part.without_truth.items()
        ]
    made += [say("attributes.left_out", what=words.plain(what), why=why) for what, why in said.part.left_out.items()]
    return made or [say("attributes.nothing_lost")]


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
    return Section("not-processed", say("attributes.lost_title"), lead, (Listing(tuple(_lost(said))), *made.blocks))
