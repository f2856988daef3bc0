"""The threshold that comes with a model, judged as it is: its error rates for everyone and by group."""

from __future__ import annotations

from audit.record import Rate, VendorThresholdPart
from audit.report.parts import Block, Facts, Section, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.rates import every_group, name_cell, of_counts, people_cell, rate_cell, value_text, withheld
from audit.report.view.source import Source


def vendor_section(source: Source) -> Section:
    """What the vendor's threshold does on these people; without content if it was not judged."""
    stated = source.record.model.vendor_threshold
    point = None if stated is None else next((p for p in source.shared if p.id == stated.operating_point), None)
    if stated is None or point is None:
        return Section("vendor", say("vendor.title"), "", ())
    names = ("group", "people", "fmr", "fnmr")
    rows = tuple(
        (name_cell(group), people_cell(source, group), *withheld(source, 2))
        if source.banded(group)
        else (
            name_cell(group),
            people_cell(source, group),
            rate_cell(source.rate("FMR", group, point), often=True),
            rate_cell(source.rate("FNMR", group, point), often=True),
        )
        for group in every_group(source)
    )
    columns = tuple(say(f"groups.column_{name}") for name in names)
    caption = say("vendor.caption", value=f"{stated.value:g}")
    block: Block = Table("vendor-threshold", caption, columns, rows, say("vendor.note"))
    facts = Facts(((say("vendor.meaning"), stated.meaning), (say("vendor.source"), stated.source)))
    return Section("vendor", say("vendor.title"), _sentence(source, stated), (facts, block))


def _sentence(source: Source, stated: VendorThresholdPart) -> str:
    """What it really does to everyone, and between which groups its false match rate lies."""
    point = next(p for p in source.shared if p.id == stated.operating_point)
    said = {"model": source.record.model.name, "value": f"{stated.value:g}", "unit": unit(stated.unit)}
    rates = [source.rate(metric, {}, point) for metric in ("FMR", "FNMR")]
    told = [_rate(rate) for rate in rates if rate is not None and rate.value is not None]
    rest = [*told, *_between(source, stated)] if told else [say("vendor.unmeasured")]
    return " ".join([say("vendor.lead", **said), *rest])


def _rate(rate: Rate) -> str:
    """One error rate in a sentence; where no error was seen, by how much it is bounded."""
    if rate.zero_errors and rate.upper_bound is not None:
        return say(f"vendor.{rate.metric}_none", counts=of_counts(rate), bound=words.percent(rate.upper_bound))
    return say(f"vendor.{rate.metric}", rate=value_text(rate, often=True), counts=of_counts(rate))


def _between(source: Source, stated: VendorThresholdPart) -> list[str]:
    """The groups at both ends of the finest attribute set, among those that have a rate."""
    point = next(p for p in source.shared if p.id == stated.operating_point)
    for attributes in reversed(source.attribute_sets()):
        found = [(source.rate("FMR", g, point), g) for g in source.groups(attributes) if not source.banded(g)]
        told = [(rate.value, rate, group) for rate, group in found if rate is not None and rate.value is not None]
        if len({value for value, _, _ in told}) > 1:
            ends = (max(told, key=lambda one: one[0]), min(told, key=lambda one: (one[0], -one[1].trials)))
            most, least = (
                say("vendor.end", group=words.quoted(group), rate=value_text(rate), counts=of_counts(rate))
                for _, rate, group in ends
            )
            return [say("vendor.range", most=most, least=least)]
    return []


def unit(name: str) -> str:
    """The unit of a threshold in words."""
    return words.key_word("unit", name)


def facts(source: Source) -> tuple[tuple[str, str], ...]:
    """What a model's card says of the threshold that comes with it, whether or not it was judged."""
    stated = source.record.model.vendor_threshold
    if stated is None:
        return ((say("model.vendor_threshold"), say("vendor.none")),)
    told = say("vendor.stated", value=f"{stated.value:g}", unit=unit(stated.unit), meaning=stated.meaning)
    if stated.threshold is None:
        told = f"{told} {say('vendor.other_unit')}"
    elif stated.operating_point is None:
        told = f"{told} {say('vendor.left_out')}"
    return ((say("model.vendor_threshold"), told),)
