"""What each attribute showed. A claim is worded only as its verdict allows, and sized only as its support allows."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from audit.domain import Verdict
from audit.record import Contrast, Differential, Group, Rate
from audit.report.parts import Finding, Findings
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.rates import of_counts
from audit.report.view.source import Source

HEADLINE_MEASURE = "max/geomean"
METRICS = ("FMR", "FNMR")


def all_findings(source: Source) -> tuple[Findings, ...]:
    """Findings about false matches, then about false non-matches."""
    made = []
    sets = source.attribute_sets()
    for metric in METRICS if sets and source.headline is not None else ():
        items = tuple(finding(source, metric, attributes) for attributes in sets)
        if len(sets) > 1 and not _seen(source, metric) and {item.verdict for item in items} == {"INCONCLUSIVE"}:
            items = (replace(items[-1], title=words.join(map(words.attributes_name, sets), most=9)),)
        made.append(Findings(say(f"metric.{metric}_title"), say(f"metric.{metric}_plain"), items))
    return tuple(made)


def _seen(source: Source, metric: str) -> bool:
    """Whether any error was seen in any group."""
    rates = [source.rate(metric, group, source.headline) for group in (count.group for count in source.counts.values())]
    return any(rate.errors for rate in rates if rate is not None)


def spread(source: Source, metric: str, attributes: tuple[str, ...]) -> Differential | None:
    """The headline disparity measure of an attribute set."""
    spreads = source.spreads(metric, attributes, source.headline)
    return next((d for d in spreads if d.measure == HEADLINE_MEASURE), None)


def verdict(source: Source, metric: str, attributes: tuple[str, ...]) -> Verdict:
    """Join the verdicts of the spread and of the contrasts: one disparity is enough, equivalence needs them all."""
    one = spread(source, metric, attributes)
    contrasts = source.contrasts(metric, attributes, source.headline)
    verdicts = [c.verdict for c in contrasts] + ([one.verdict] if one else [])
    if "DISPARITY" in verdicts:
        return "DISPARITY"
    return "EQUIVALENT" if verdicts and set(verdicts) == {"EQUIVALENT"} else "INCONCLUSIVE"


def finding(source: Source, metric: str, attributes: tuple[str, ...]) -> Finding:
    """What one attribute set showed for one metric at the headline threshold."""
    found = verdict(source, metric, attributes)
    contrasts = source.contrasts(metric, attributes, source.headline)
    one = spread(source, metric, attributes)
    evidence: list[str] = []
    if found == "DISPARITY":
        leading = [c for c in contrasts if c.verdict == "DISPARITY"]
        text = disparity_text(source, leading[0]) if leading else spread_text(one)
        if leading:
            evidence += [side_text(source, leading[0]), size_text(source, leading[0]), chance_text(source, leading[0])]
        if source.shares(attributes):
            evidence.append(say("finding.shared", attributes=words.attributes_name(attributes)))
    elif found == "EQUIVALENT":
        margin = next((c.margin for c in contrasts), one.margin if one else None)
        text = say("finding.equivalent", margin=words.exact(margin or 1.0))
    else:
        text, evidence = _inconclusive(source, metric, attributes, contrasts, one)
    evidence += _tally(contrasts)
    return Finding(
        found, say(f"verdict.{found}"), words.attributes_name(attributes), text, tuple(filter(None, evidence))
    )


def disparity_text(source: Source, contrast: Contrast) -> str:
    """Say who is affected more than whom; where groups overlap, one may lie inside the other."""
    direction = "more" if (contrast.ratio or 1.0) >= 1 else "less"
    shared = "_shared" if source.shares(tuple(contrast.group)) else ""
    key = f"finding.{contrast.metric}_{direction}{shared}"
    return say(key, group=words.quoted(contrast.group), against=words.quoted(opposite(source, contrast)))


def opposite(source: Source, contrast: Contrast) -> Group | Literal["rest"]:
    """What a group was compared with: where the rest is one group, that group by its name."""
    others = [g for g in source.groups(tuple(contrast.group)) if g != contrast.group]
    return others[0] if contrast.against == "rest" and len(others) == 1 else contrast.against


def side_text(source: Source, contrast: Contrast) -> str:
    """Print the counts on both sides of a contrast."""
    sides = [one_side(source, contrast.metric, contrast.group)]
    other = other_side(source, contrast)
    if other is None:
        return f"{sides[0]}."
    key = "finding.sides"
    if opposite(source, contrast) == "rest":
        as_large = [g for g in _others(source, contrast) if source.subjects(g) == source.subjects(other)]
        key = "finding.sides_rest" if len(as_large) == 1 else "finding.sides_rest_alike"
    return say(key, first=sides[0], second=one_side(source, contrast.metric, other))


def other_side(source: Source, contrast: Contrast) -> Group | None:
    """The group compared with; for the rest, the largest of the other groups, whose counts stand for them."""
    if contrast.against != "rest":
        return contrast.against
    return max(_others(source, contrast), key=source.subjects, default=None)


def _others(source: Source, contrast: Contrast) -> list[Group]:
    return [g for g in source.groups(tuple(contrast.group)) if g != contrast.group and not source.banded(g)]


def one_side(source: Source, metric: str, group: Group) -> str:
    """Print a group with its counts and people."""
    rate = source.rate(metric, group, source.headline)
    name = words.group_name(group)
    if rate is None or rate.value is None:
        return say("finding.side_unknown", group=name)
    return say("finding.side", group=name, counts=counted(rate), people=words.people(source.subjects(group)))


def counted(rate: Rate) -> str:
    """Print `9 of 40 comparisons`, and how often that is where the group may be quoted with a rate."""
    text = say(f"metric.{rate.metric}_counts", counts=of_counts(rate))
    often = words.one_in(rate.value) if rate.support != "count-only" else ""
    return say("finding.often", counts=text, often=often) if often else text


def weakest(source: Source, contrast: Contrast) -> str:
    """The smaller support of the two sides of a contrast."""
    groups = [contrast.group] + ([] if contrast.against == "rest" else [contrast.against])
    rates = [source.rate(contrast.metric, group, source.headline) for group in groups]
    supports = [rate.support if rate else "count-only" for rate in rates]
    return min(supports, key=["count-only", "low-precision", "sufficient"].index)


def size_text(source: Source, contrast: Contrast) -> str:
    """Say how large the difference is, as far as the number of people allows."""
    if contrast.ratio is None:
        return contrast.reason or ""
    support = weakest(source, contrast)
    if support == "count-only":
        rate = source.rate(contrast.metric, contrast.group, source.headline)
        if rate is None or rate.interval is None:
            return say("finding.size_unknown")
        return say(
            "finding.size_counts", group=words.group_name(contrast.group), high=words.percent(rate.interval.high)
        )
    against = "rest_" if opposite(source, contrast) == "rest" else ""
    key = f"finding.size_{against}{'at_least' if contrast.at_least else support}"
    return say(key, ratio=words.times(contrast.ratio), bounds=words.ratio_bounds(contrast.interval))


def chance_text(source: Source, contrast: Contrast) -> str:
    """Say so where a disparity does not survive the number of ratios that were looked at."""
    alpha = source.record.plan.get("alpha", 0.05)
    if contrast.p_adjusted is None or contrast.p_adjusted < float(alpha):
        return ""
    return say("finding.chance", p=words.p_value(contrast.p_adjusted))


def spread_text(one: Differential | None) -> str:
    """Word a disparity that shows only over all groups together."""
    if one is None or one.groups.worst is None:
        return say("finding.spread")
    return say("finding.spread_worst", group=words.quoted(one.groups.worst))


def _inconclusive(
    source: Source, metric: str, attributes: tuple[str, ...], contrasts: list[Contrast], one: Differential | None
) -> tuple[str, list[str]]:
    margin = next(
        (c.margin for c in contrasts),
        (one.margin if one else None) or source.record.plan.get(f"margin_{metric.lower()}"),
    )
    text = (
        say("finding.inconclusive", margin=words.exact(float(margin))) if margin else say("finding.inconclusive_bare")
    )
    rates = [
        source.rate(metric, group, source.headline) for group in source.groups(attributes) if not source.banded(group)
    ]
    measured = [rate for rate in rates if rate is not None and rate.value is not None]
    evidence = []
    if not measured:
        evidence.append(say("finding.nothing_measured"))
    elif all(rate.errors == 0 for rate in measured):
        trials = [rate.trials for rate in measured]
        evidence.append(say(f"finding.{metric}_none", least=words.number(min(trials)), most=words.number(max(trials))))
    else:
        worst = max(measured, key=lambda rate: rate.value or 0.0)
        people = words.people(source.subjects(worst.group))
        evidence.append(
            say("finding.highest", group=words.group_name(worst.group), counts=counted(worst), people=people)
        )
    return text, evidence


def _tally(contrasts: list[Contrast]) -> list[str]:
    if not contrasts:
        return [say("finding.no_contrasts")]
    n = {v: sum(c.verdict == v for c in contrasts) for v in ("DISPARITY", "EQUIVALENT", "INCONCLUSIVE")}
    made = [
        say("finding.tally", total=words.number(len(contrasts)), **{v.lower(): words.number(k) for v, k in n.items()})
    ]
    return [*made, *detectable_text(contrasts)]


def detectable_text(contrasts: list[Contrast]) -> list[str]:
    """Say how large an undecided difference would have had to be to be seen."""
    ratios = [c.minimum_detectable_ratio for c in contrasts if c.verdict == "INCONCLUSIVE"]
    found = [ratio for ratio in ratios if ratio is not None]
    if not found:
        return []
    low, high = words.times(min(found)), words.times(max(found))
    both = low if low == high else say("number.bounds", low=low, high=high)
    return [say("finding.detectable", ratio=both)]
