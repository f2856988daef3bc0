"""Everything behind the numbers: consent, failures, limits, the model, and how to repeat it."""

from __future__ import annotations

from collections.abc import Iterator

from audit.record import Acquisition, BenchmarkPart, MeasurementPart, ModelPart
from audit.report.parts import Block, Cell, Facts, Fold, Listing, Notices, Paragraph, Quote, Section, Table, Term
from audit.report.strings import catalogue, say
from audit.report.view import locked, vendor, words
from audit.report.view.rates import every_group, name_cell
from audit.report.view.source import Source, key


def terms(*names: str) -> tuple[Term, ...]:
    """Explanations of words, by their names in the catalogue."""
    return tuple(Term(say(f"term.{name}"), say(f"explain.{name}")) for name in names)


def consent_section(source: Source) -> Section:
    """On whom it was tested, and what these people agreed to."""
    benchmark = source.record.benchmark
    tier = benchmark.consent_tier
    blocks: list[Block] = [Notices(tuple(benchmark.notices))] if benchmark.notices else []
    if benchmark.consent_statement.strip():
        blocks.append(Quote(benchmark.consent_statement, benchmark.consent_source or say("consent.no_source")))
    else:
        blocks.append(Paragraph(say("consent.no_statement"), "warning"))
    purposes = "; ".join(f"{words.plain(k)}: {words.key_word('purpose', v)}" for k, v in benchmark.purposes.items())
    facts = [
        (say("consent.tier"), f"{tier}: {words.key_word('tier', tier)}"),
        (say("consent.purposes"), purposes or say("word.unknown")),
        (say("consent.licence"), benchmark.licence or say("word.unknown")),
        (say("consent.live"), say(f"consent.live_{_withdrawal(benchmark)}")),
        *_withdrawn(benchmark),
        (say("consent.citation"), benchmark.citation or say("word.unknown")),
    ]
    if benchmark.acknowledged:
        facts.append((say("consent.acknowledged"), "; ".join(benchmark.acknowledged)))
    blocks.append(Facts(tuple(facts)))
    if benchmark.attributes:
        rows = tuple(
            (
                Cell(words.plain(name), kind="name"),
                Cell(words.key_word("provenance", part.provenance)),
                Cell(words.join((words.plain(v) for v in part.values), most=12)),
                Cell(f"{part.note} {_measured(part.measurement)}".strip()),
            )
            for name, part in benchmark.attributes.items()
        )
        columns = tuple(say(f"labels.column_{n}") for n in ("attribute", "by", "values", "note"))
        blocks.append(Table("labels", say("labels.caption"), columns, rows))
    return Section("consent", say("consent.title"), say("consent.lead"), tuple(blocks), terms("tier", "label"))


def _measured(part: MeasurementPart | None) -> str:
    """How sure a measured attribute is."""
    if part is None:
        return ""
    shown = {
        name: say("word.unknown") if value is None else f"{value:.1f}"
        for name, value in (("pixels", part.pixel_spread), ("sides", part.sides), ("between", part.image_spread))
    }
    told = say("labels.measured", people=part.people, images=part.images, several=part.several_bands, **shown)
    return f"{told} {say('labels.not_measured', without=part.without)}" if part.without else told


def _withdrawn(benchmark: BenchmarkPart) -> Iterator[tuple[str, str]]:
    out = benchmark.withdrawn
    if out is not None:
        shown = say("consent.withdrawn_some", listed=out.listed, date=out.date) if out.listed else "0"
        yield say("consent.withdrawn"), shown


def _withdrawal(benchmark: BenchmarkPart) -> str:
    if benchmark.consent_tier == "undocumented":
        return "unknown"
    if benchmark.withdrawn is not None and not benchmark.live:
        return "listed"
    return "yes" if benchmark.live else "no"


def failure_section(source: Source) -> Section:
    """Images from which nothing could be measured, by stage and reason."""
    rows = [row for row in source.record.acquisition if not source.banded(row.group)]
    order = {key(g): i for i, g in enumerate(every_group(source))}
    reasons = sorted((r for r in rows if r.stage is not None and r.failures), key=lambda r: order.get(key(r.group), 0))
    unit = source.record.samples.unit
    blocks: list[Block] = []
    if not reasons:
        blocks.append(Paragraph(say(f"failures.none_{unit}", tried=words.tried(source.record.samples))))
    else:
        columns = tuple(say(f"failures.column_{n}") for n in ("group", "stage", "reason", f"failures_{unit}"))
        made = tuple(_failure_row(row) for row in reasons)
        blocks.append(Table("failures", say("failures.caption"), columns, made))
    if source.record.samples.several_faces:
        blocks.append(Paragraph(say("failures.several", images=words.images(source.record.samples.several_faces))))
    title, lead = say(f"failures.title_{unit}"), say(f"failures.lead_{unit}")
    return Section("failures", title, lead, tuple(blocks), terms("fta"))


def _failure_row(row: Acquisition) -> tuple[Cell, ...]:
    counts = say("rate.counts", errors=words.number(row.failures), trials=words.number(row.samples))
    stage = words.key_word("stage", row.stage or "")
    return (name_cell(row.group), Cell(stage), Cell(row.reason or "–"), Cell(counts, kind="number"))


def limits_section(source: Source) -> Section:
    """What this evaluation cannot say."""
    record = source.record
    own = [say(f"limit.{name}") for name in ("population", "conditions", "cause", "margin")]
    unlocked = locked.unlocked(record)
    blocks: list[Block] = [Listing((*record.limits, *own, *([unlocked] if unlocked else [])))]
    if record.warnings:
        blocks.append(Fold(say("limits.warnings", n=len(record.warnings)), (Listing(tuple(record.warnings)),)))
    return Section("limits", say("limits.title"), say("limits.lead"), tuple(blocks))


def model_section(source: Source) -> Section:
    """The model, and on whom it was trained."""
    model, unknown = source.record.model, say("word.unknown")
    paper = model.paper
    facts = (
        (say("model.name"), model.name),
        (say("model.revision"), model.revision or unknown),
        (say("model.licence"), model.licence or unknown),
        (say("model.weights_licence"), _weights_licence(model)),
        (say("model.training_data"), model.training_data or unknown),
        (say("model.training_consent"), model.training_consent or unknown),
        *vendor.facts(source),
        (say("model.source"), model.source or unknown),
        *(((say("model.paper"), f"{paper.title} ({paper.year}), {paper.link}"),) if paper else ()),
        (say("model.preprocessing"), model.preprocessing_text or model.preprocessing),
        (say("model.similarity"), _similarity(model)),
        (say("model.weights"), model.weights_sha256),
        *(((say("model.digest_source"), model.digest_source),) if model.digest_source else ()),
    )
    blocks: list[Block] = [Paragraph(say("model.self_declared"), "note")] if model.self_declared else []
    blocks.append(Facts(facts))
    if model.training_sets:
        blocks.append(_training_sets(model))
    return Section("model", say("model.title"), say("model.lead"), tuple(blocks))


def _weights_licence(model: ModelPart) -> str:
    said = model.weights_licence or say("model.weights_licence_none")
    return f"{said} {say('model.research_only')}" if model.research_only else said


def _training_sets(model: ModelPart) -> Table:
    """The sets that the model was trained on, each with its consent as the catalogue knows it."""
    rows = tuple(
        (
            Cell(one.name, kind="name"),
            Cell(one.meaning or "–", one.tier),
            Cell(one.consent or "–"),
            Cell(one.status),
        )
        for one in model.training_sets
    )
    columns = tuple(say(f"model.sets_{name}") for name in ("name", "tier", "consent", "status"))
    return Table("training-sets", say("model.sets_caption"), columns, rows, say("model.sets_note"))


def _similarity(model: ModelPart) -> str:
    if not model.dimension:
        return model.similarity
    return say("model.similarity_text", similarity=model.similarity, dimension=model.dimension)


def provenance_section(source: Source) -> Section:
    """How to repeat it, and how to doubt it."""
    record = source.record
    digests = tuple((say(f"digest.{name}"), value) for name, value in record.digests.model_dump().items())
    software = tuple(record.software.items())
    hardware = tuple((words.plain(name), value) for name, value in record.hardware.items())
    plan = tuple((name, words.setting(value)) for name, value in record.plan.items())
    summary = record.summary
    exact = say("provenance.exact" if summary.exact else "provenance.approximate")
    separation = (
        (say("provenance.eer"), _eer(summary.eer_rocch)),
        (say("provenance.auc"), "–" if summary.auc is None else f"{summary.auc:.4f}"),
        (say("provenance.d_prime"), "–" if summary.d_prime is None else words.significant(summary.d_prime)),
        (say("provenance.scores"), exact),
    )
    blocks: tuple[Block, ...] = (
        Facts(((say("provenance.created"), record.created), (say("provenance.seed"), str(record.seed)))),
        *locked.lock_blocks(record),
        Fold(say("provenance.digests"), (Facts(digests),)),
        Fold(say("provenance.plan"), (Facts(plan),)),
        Fold(say("provenance.software"), (Facts(software),)),
        Fold(say("provenance.hardware"), (Facts(hardware),)),
        Fold(say("provenance.separation"), (Paragraph(say("provenance.separation_lead")), Facts(separation))),
    )
    return Section("provenance", say("provenance.title"), say("provenance.lead"), blocks)


def _eer(rate: float | None) -> str:
    if rate is None:
        return "–"
    return words.percent(rate) if rate else say("provenance.zero")


def glossary_section() -> Section:
    """Every word that is explained anywhere."""
    names = [name.removeprefix("term.") for name in catalogue() if name.startswith("term.")]
    return Section("glossary", say("glossary.title"), say("glossary.lead"), (), terms(*names))
