"""What an attribute model said, in sentences: the headline, a reviewer's questions, and who is not in the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from audit.record import AgesPart, LabelsPart, Rate
from audit.report.parts import Answer
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.rates import of_counts, value_text
from audit.report.view.said import Said
from audit.report.view.source import key


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
    lines = list(counted(said, {}, ""))
    yield Answer(say("attributes.question_often"), lines[0] if lines else say("rate.unmeasured"), tuple(lines[1:]))
    yield Answer(say("question.who"), *_who(said))
    missing = lost(said)
    yield Answer(say("attributes.question_lost"), missing[0], tuple(missing[1:]))
    samples = said.source.record.samples
    groups = [count for count in samples.by_group if count.group]
    small = sum(count.subjects < 30 for count in groups)
    few = say("attributes.small", n=words.number(small), total=words.number(len(groups)))
    many = say("answer.many", people=words.people(samples.subjects), tried=words.tried(samples))
    yield Answer(say("question.many"), many, (few,) if groups else ())
    yield Answer(say("attributes.question_labels"), say("attributes.labels_are"), (say("attributes.labels_never"),))
    yield Answer(say("question.rely"), say(f"attributes.rely_{said.overall()}"), (say("answer.rely_not"),))
    yield Answer(say("question.untested"), say("attributes.untested"))


def counted(said: Said, part: dict[str, str], name: str) -> Iterator[str]:
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


def lost(said: Said) -> list[str]:
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
    judged: list[LabelsPart | AgesPart] = [*said.part.labels, *([said.part.ages] if said.part.ages else [])]
    for part in judged:
        made += [
            say("attributes.without", what=words.plain(part.truth), people=words.people(people), why=why)
            for why, people in part.without_truth.items()
        ]
    made += [say("attributes.left_out", what=words.plain(what), why=why) for what, why in said.part.left_out.items()]
    return made or [say("attributes.nothing_lost")]
