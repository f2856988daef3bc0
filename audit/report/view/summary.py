"""The first page: what a reviewer asks, answered in the order in which it is asked."""

from __future__ import annotations

from audit.domain import Verdict
from audit.record import Contrast, EvaluationRecord, Rate
from audit.report.parts import Answer
from audit.report.strings import say
from audit.report.view import locked, words
from audit.report.view.by_attribute import not_tested
from audit.report.view.findings import (
    METRICS,
    chance_text,
    detectable_text,
    disparity_text,
    one_side,
    other_side,
    side_text,
    size_text,
    spread,
    verdict,
    weakest,
)
from audit.report.view.identification import listed
from audit.report.view.rates import of_counts, support_of
from audit.report.view.scenario import placed
from audit.report.view.series import moved
from audit.report.view.source import Source, pronounced

SYNTHETIC = ("S1", "S2")


def leading(source: Source, metric: str = "FMR") -> Contrast | None:
    """The disparity that the headline speaks of."""
    found = [
        c
        for attributes in source.attribute_sets()
        for c in source.contrasts(metric, attributes, source.headline)
        if c.verdict == "DISPARITY"
    ]
    return max(found, key=pronounced, default=None)


def overall(source: Source) -> Verdict:
    """One verdict for the page: a disparity anywhere shows; equivalence needs every attribute and both errors."""
    verdicts = {verdict(source, metric, a) for metric in METRICS for a in source.attribute_sets()}
    if "DISPARITY" in verdicts:
        return "DISPARITY"
    return "EQUIVALENT" if verdicts == {"EQUIVALENT"} else "INCONCLUSIVE"


def title(source: Source, model: str, benchmark: str) -> str:
    """Name an evaluation by what was measured on what."""
    return say(naming(source), model=model, benchmark=benchmark)


def naming(source: Source) -> str:
    """The sentence of the catalogue that names an evaluation."""
    kind = "page.title_series" if changes_a_thing(source.record) else "page.title"
    return "page.title_list" if source.record.plan.get("task") == "identification" else kind


def changes_a_thing(record: EvaluationRecord) -> bool:
    """Whether faces were shown again with one thing changed: by the plan, as a site holds no series."""
    return record.plan.get("task") == "counterfactual" or bool(record.counterfactuals)


def headline(source: Source) -> tuple[str, str]:
    """The one sentence that a reviewer takes home, and the counts under it."""
    if source.headline is None:
        return say("headline.nothing"), ""
    how = "headline.threshold" if source.record.folds is None else "headline.threshold_in_folds"
    threshold = say(how, target=words.target(source.headline.target_fmr))
    if not source.attribute_sets():
        return say("headline.ungrouped"), threshold
    for metric in METRICS:
        lead = leading(source, metric)
        if lead is not None:
            return disparity_text(source, lead), f"{side_text(source, lead)} {threshold}"
    if any(verdict(source, metric, a) == "DISPARITY" for metric in METRICS for a in source.attribute_sets()):
        return say("headline.spread"), threshold
    if overall(source) == "EQUIVALENT":
        return say("headline.equivalent"), threshold
    return say("headline.inconclusive"), " ".join([*_range(source), threshold])


def answers(source: Source) -> tuple[Answer, ...]:
    """The questions of a reviewer, in the order in which they are asked."""
    asked = (_who, _how_large, _how_sure, _how_many, _unknown, _rely, not_tested)
    return (*placed(source), *listed(source), *moved(source), *(answer(source) for answer in asked))


def _disparities(source: Source, metric: str) -> list[Contrast]:
    found = [
        c
        for attributes in source.attribute_sets()
        for c in source.contrasts(metric, attributes, source.headline)
        if c.verdict == "DISPARITY" and c.ratio is not None and c.ratio > 1
    ]
    return sorted(found, key=pronounced, reverse=True)


def _who(source: Source) -> Answer:
    if source.headline is None or not source.attribute_sets():
        return Answer(say("question.who"), say("answer.who_nothing"))
    lines, doubtful = [], []
    for metric in METRICS:
        found = _disparities(source, metric)
        firm = list(dict.fromkeys(words.quoted(c.group) for c in found if not chance_text(source, c)))
        every = list(dict.fromkeys(words.quoted(c.group) for c in found))
        names = firm or every
        equivalent = {verdict(source, metric, a) for a in source.attribute_sets()} == {"EQUIVALENT"}
        key = "some" if names else "equivalent" if equivalent else "none"
        lines.append(say(f"answer.who_{metric}_{key}", groups=words.join(names, most=3)))
        rest = [name for name in every if name not in names]
        if rest:
            doubtful.append(say("answer.who_doubtful", groups=words.join(rest, most=3)))
    if overall(source) == "DISPARITY" and not any(_disparities(source, metric) for metric in METRICS):
        return Answer(say("question.who"), say("answer.who_spread"), tuple(_range(source)))
    return Answer(
        say("question.who"),
        lines[0],
        (*doubtful, *(_range(source) if overall(source) != "INCONCLUSIVE" else ()), *lines[1:]),
    )


def _range(source: Source) -> list[str]:
    """Counts at both ends of the finest attribute set: the highest rate, and the lowest that rests on enough.

    None seen among few is no low rate: only groups with as many comparisons as that of the lowest upper bound count.
    """
    for attributes in reversed(source.attribute_sets()):
        measured = []
        for group in source.groups(attributes):
            rate = source.rate("FMR", group, source.headline)
            if rate is not None and rate.value is not None:
                measured.append(rate)
        if len(measured) > 1 and measured[0].errors:
            surest = min(measured, key=_upper)
            least = min((r for r in measured if r.trials >= surest.trials), key=lambda r: (r.value, -r.trials))
            if least is measured[0]:  # no other group was looked at closely enough for a second end
                continue
            ends = (one_side(source, "FMR", measured[0].group), one_side(source, "FMR", least.group))
            return [say("answer.range", attributes=words.attributes_name(attributes), most=ends[0], least=ends[1])]
    return []


def _upper(rate: Rate) -> float:
    if rate.upper_bound is not None:
        return rate.upper_bound
    return rate.interval.high if rate.interval else 1.0


def _how_large(source: Source) -> Answer:
    lead = leading(source) or leading(source, "FNMR")
    if lead is None:
        margin = source.record.plan.get("margin_fmr", 2.0)
        contrasts = [c for a in source.attribute_sets() for c in source.contrasts("FMR", a, source.headline)]
        none = say("answer.large_none", margin=words.exact(float(margin)))
        return Answer(say("question.large"), none, tuple(detectable_text(contrasts)))
    size = size_text(source, lead)
    if weakest(source, lead) != "count-only":
        return Answer(say("question.large"), size, (side_text(source, lead),))
    sides = [
        source.rate(lead.metric, g, source.headline) for g in (lead.group, other_side(source, lead)) if g is not None
    ]
    counts = [
        say(f"metric.{rate.metric}_counts", counts=of_counts(rate))
        for rate in sides
        if rate is not None and rate.value is not None
    ]
    if len(counts) < 2:
        return Answer(say("question.large"), size, (side_text(source, lead),))
    return Answer(say("question.large"), say("answer.large_counts", first=counts[0], second=counts[1]), (size,))


def _how_sure(source: Source) -> Answer:
    contrasts = [c for m in METRICS for a in source.attribute_sets() for c in source.contrasts(m, a, source.headline)]
    n = {v: words.number(sum(c.verdict == v for c in contrasts)) for v in ("DISPARITY", "EQUIVALENT", "INCONCLUSIVE")}
    if not contrasts:
        return Answer(say("question.sure"), say("finding.no_contrasts"), (say("answer.sure_method"),))
    text = say("answer.sure", total=words.number(len(contrasts)), **{k.lower(): v for k, v in n.items()})
    lead = leading(source) or leading(source, "FNMR")
    if lead is None or lead.p_adjusted is None:
        return Answer(say("question.sure"), text, (say("answer.sure_method"),))
    doubt = chance_text(source, lead)
    first = doubt or say("answer.sure_firm", p=words.p_value(lead.p_adjusted))
    return Answer(say("question.sure"), first, (text, say("answer.sure_method")))


def _how_many(source: Source) -> Answer:
    samples = source.record.samples
    text = say("answer.many", people=words.people(samples.subjects), tried=words.tried(samples))
    pairs = say("answer.many_pairs", mated=words.number(samples.mated), nonmated=words.number(samples.nonmated))
    groups = [c for c in source.record.samples.by_group if c.group]
    small = [c for c in groups if c.subjects < 30]
    details = [pairs]
    if groups:
        largest = max(groups, key=lambda c: c.subjects)
        key = "answer.many_small" if small else "answer.many_all"
        details.append(
            say(
                key,
                n=words.number(len(small)),
                total=words.number(len(groups)),
                group=words.group_name(largest.group),
                people=words.people(largest.subjects),
            )
        )
    return Answer(say("question.many"), text, tuple(details))


def _unknown(source: Source) -> Answer:
    items = [say("answer.unknown_nothing")] if source.headline is None else []
    for metric in METRICS:
        dark = [a for a in source.attribute_sets() if verdict(source, metric, a) == "INCONCLUSIVE"]
        if dark:
            names = words.join((words.attributes_name(a) for a in dark), most=3)
            items.append(say(f"answer.unknown_{metric}", attributes=names))
    thin = [
        c.group
        for c in source.record.samples.by_group
        if c.group and (source.banded(c.group) or support_of(source, c.group, source.headline) == "count-only")
    ]
    if thin:
        items.append(say("answer.unknown_groups", n=words.number(len(thin)), total=words.number(_groups(source))))
    items.append(say("answer.unknown_always"))
    return Answer(say("question.unknown"), items[0], tuple(items[1:]))


def _groups(source: Source) -> int:
    return sum(bool(c.group) for c in source.record.samples.by_group)


def _rely(source: Source) -> Answer:
    tier = source.record.benchmark.consent_tier
    lead = leading(source) or leading(source, "FNMR")
    lines = [say(f"answer.rely_{_reliance(source, lead)}")]
    if tier == "undocumented":
        lines.insert(0, say("answer.rely_undocumented"))
    if tier in SYNTHETIC:
        lines.insert(0, say("answer.rely_synthetic"))
    if any(spread(source, "FMR", a) is None for a in source.attribute_sets()):
        lines.append(say("answer.rely_no_spread"))
    if lead is not None and weakest(source, lead) == "count-only":
        lines.append(say("answer.rely_count_only"))
    return Answer(say("question.rely"), lines[0], (*lines[1:], say("answer.rely_not")))


def _reliance(source: Source, lead: Contrast | None) -> str:
    if source.headline is None:
        return "nothing"
    if not source.attribute_sets():
        return "ungrouped"
    state = overall(source)
    doubtful = state == "DISPARITY" and lead is not None and chance_text(source, lead)
    return "doubtful" if doubtful else state.lower()


def alerts(source: Source) -> tuple[str, ...]:
    """What has to be said before anything else: doubtful consent, synthetic people, the gate's notices."""
    benchmark = source.record.benchmark
    made = []
    if benchmark.consent_tier == "undocumented":
        made.append(say("alert.undocumented"))
    if benchmark.consent_tier in SYNTHETIC:
        made.append(say(f"alert.synthetic_{benchmark.consent_tier}"))
    if source.record.plan.get("limit") is not None:
        made.append(say("alert.limit"))
    if source.record.model.self_declared:
        made.append(say("alert.self_declared"))
    return (*made, *locked.lock_alerts(source.record), *_silent_groups(source))


def _silent_groups(source: Source) -> list[str]:
    """Groups of which every sample failed: no error rate of theirs stands below, and that is no good news."""
    return [
        say("alert.group_failed", group=words.group_name(row.group), samples=words.number(row.samples))
        for row in source.record.acquisition
        if row.stage is None and row.samples and row.failures == row.samples and not source.banded(row.group)
    ]
