"""Rates as cells: the count first, then the rate with its interval, then what may be claimed from it."""

from __future__ import annotations

from audit.record import Group, OperatingPoint, Rate
from audit.report.parts import Block, Cell, Marker, Paragraph, Table
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.source import Source, key

MARKERS: dict[str, Marker] = {"sufficient": "solid", "low-precision": "half", "count-only": "hollow"}
SIGNS = {"sufficient": "●", "low-precision": "◐", "count-only": "○"}


def support_cell(support: str) -> Cell:
    """Say what a group's size lets prose claim."""
    return Cell(f"{SIGNS[support]} {say('support.' + support)}", mark=support)


def of_counts(rate: Rate) -> str:
    """Print `errors of trials`; a generalised rate has no single count."""
    return say("rate.counts", errors=words.number(rate.errors), trials=words.number(rate.trials))


def value_text(rate: Rate, *, often: bool = False) -> str:
    """Print a rate with its interval, and `often` as a frequency too; no error seen gives the upper bound."""
    if rate.value is None:
        return rate.reason or say("rate.unmeasured")
    if rate.zero_errors:
        bound = rate.upper_bound if rate.upper_bound is not None else (rate.interval.high if rate.interval else None)
        return say("rate.none_seen") if bound is None else say("rate.at_most", bound=words.percent(bound))
    frequency = words.one_in(rate.value) if often and rate.support != "count-only" else ""
    name = "rate.value_often" if frequency else "rate.value"
    return say(name, value=words.percent(rate.value), often=frequency, bounds=words.bounds(rate.interval))


def rate_cell(rate: Rate | None, *, often: bool = False) -> Cell:
    """One rate in a table: counts above, rate and interval below."""
    if rate is None:
        return Cell("–", say("rate.not_recorded"), kind="number")
    if rate.value is None:
        return Cell("–", rate.reason or say("rate.unmeasured"), kind="number")
    if rate.view == "generalised" and rate.zero_errors:
        return Cell(value_text(rate), kind="rate", mark=rate.support)
    if rate.view == "generalised":
        return Cell(words.percent(rate.value), words.bounds(rate.interval), kind="rate", mark=rate.support)
    return Cell(of_counts(rate), value_text(rate, often=often), kind="rate", mark=rate.support)


def name_cell(group: Group, note: str = "") -> Cell:
    """Name a group in a table."""
    return Cell(words.group_name(group), note, kind="name")


def people_cell(source: Source, group: Group) -> Cell:
    """How many people a group has; too few are given as a band."""
    if source.banded(group):
        return Cell(say("group.fewer", n=source.min_subjects), kind="number")
    return Cell(words.number(source.subjects(group)), kind="number")


def withheld(source: Source, columns: int) -> tuple[Cell, ...]:
    """Cells of a group that is too small to describe; the first says so."""
    return (Cell("–", say("group.withheld", n=source.min_subjects)), *(Cell("–") for _ in range(columns - 1)))


def support_of(source: Source, group: Group, point: OperatingPoint | None) -> str:
    """Support of a group's false match rate: what prose may claim about it."""
    rate = source.rate("FMR", group, point)
    return rate.support if rate else "count-only"


def failure_rate(source: Source, group: Group) -> Rate | None:
    """Failure to acquire of a group, as a rate."""
    rate = source.rate("FTA", group, None)
    if rate is not None:
        return rate
    for row in source.record.acquisition:
        if row.stage is None and row.group == group:
            return Rate(
                metric="FTA",
                view="conditional",
                group=group,
                operating_point=None,
                errors=row.failures,
                trials=row.samples,
                subjects=row.subjects,
                value=row.value,
                interval=row.interval,
                support=row.support,
                zero_errors=row.failures == 0,
            )
    return None


def group_table(source: Source) -> Table:
    """The main table: every group with its people and its three error rates at the headline threshold."""
    point, unit = source.headline, source.record.samples.unit
    columns = tuple(
        say(f"groups.column_{name}")
        for name in ("group", "people", f"tried_{unit}", "fmr", "fnmr", f"fta_{unit}", "support")
    )
    rows: list[tuple[Cell, ...]] = [_group_row(source, {}, point)]
    for attributes in source.attribute_sets():
        rows.append((Cell(words.attributes_name(attributes), _labels(source, attributes), kind="name"),))
        rows += [_group_row(source, group, point) for group in source.groups(attributes)]
    return Table("groups", say("groups.caption"), columns, tuple(rows), say("groups.note"))


def _group_row(source: Source, group: Group, point: OperatingPoint | None) -> tuple[Cell, ...]:
    if source.banded(group):
        return (name_cell(group), people_cell(source, group), Cell("–"), *withheld(source, 3), Cell("–"))
    count = source.counts.get(key(group))
    images = count.samples if count else (source.record.samples.total if not group else 0)
    people = source.record.samples.subjects if not group else source.subjects(group)
    return (
        name_cell(group, say("groups.everyone") if not group else ""),
        Cell(words.number(people), kind="number"),
        Cell(words.number(images), kind="number"),
        rate_cell(source.rate("FMR", group, point), often=True),
        rate_cell(source.rate("FNMR", group, point), often=True),
        rate_cell(failure_rate(source, group)),
        support_cell(support_of(source, group, point)),
    )


def _labels(source: Source, attributes: tuple[str, ...]) -> str:
    known = source.record.benchmark.attributes
    kinds = dict.fromkeys(known[name].provenance for name in attributes if name in known)
    return "; ".join(words.key_word("provenance", kind) for kind in kinds)


def point_blocks(source: Source, point: OperatingPoint) -> tuple[Block, ...]:
    """All rates of every group at one shared threshold, with what stands behind the intervals."""
    failed = any(row.failures for row in source.record.acquisition)
    names = ("group", "fmr", "fnmr", *(("far", "frr") if failed else ()), "effective", "design")
    rows = tuple(
        (name_cell(group), *withheld(source, len(names) - 1))
        if source.banded(group)
        else _point_row(source, group, point, failed=failed)
        for group in every_group(source)
    )
    caption = say("points.caption", target=words.target(point.target_fmr))
    columns = tuple(say(f"points.column_{name}") for name in names)
    table = Table(f"rates-{source.shared.index(point)}", caption, columns, rows)
    return (Paragraph(say("points.lead")), Paragraph(say(f"points.{'failures' if failed else 'no_failures'}")), table)


def _point_row(source: Source, group: Group, point: OperatingPoint, *, failed: bool) -> tuple[Cell, ...]:
    fmr = source.rate("FMR", group, point)
    cells = [fmr, source.rate("FNMR", group, point)]
    if failed:
        cells += [source.rate(metric, group, point, view="generalised") for metric in ("FAR", "FRR")]
    return (
        name_cell(group),
        *(rate_cell(rate) for rate in cells),
        _optional(fmr.effective_errors if fmr else None),
        _optional(fmr.design_effect if fmr else None),
    )


def _optional(x: float | None) -> Cell:
    return Cell("–" if x is None else words.significant(x), kind="number")


def _threshold_cell(point: OperatingPoint) -> Cell:
    """One threshold, or the span of those of the folds."""
    if point.threshold is None:
        return Cell("–", point.reason or "", kind="number")
    if not point.by_fold:
        return Cell(f"{point.threshold:.4g}", point.reason or "", kind="number")
    low, high = (f"{value:.4g}" for value in (min(point.by_fold), max(point.by_fold)))
    return Cell(say("number.bounds", low=low, high=high), say("thresholds.by_fold"), kind="number")


def fold_lines(source: Source) -> tuple[str, ...]:
    """How a protocol in folds was judged, and the accuracy that such protocols are known by."""
    found = source.record.folds
    if found is None:
        return ()
    lines = [say("thresholds.folds", n=found.number, others=found.number - 1)]
    shared = say("thresholds.several", several=words.number(found.several), people=words.number(found.people))
    lines.append(shared if found.several else say("thresholds.nobody_in_several"))
    if found.accuracy is not None and found.standard_error is not None:
        shown = {"accuracy": f"{found.accuracy:.4f}", "error": f"{found.standard_error:.4f}"}
        lines.append(say("thresholds.accuracy", **shown))
    return tuple(lines)


def threshold_table(source: Source) -> Table:
    """Every shared threshold, where it was set, and those that could not be."""
    names = ("target", "threshold", "achieved", "set_on")
    rows = tuple(
        (
            Cell(words.target(point.target_fmr), kind="name"),
            _threshold_cell(point),
            Cell("–" if point.achieved_fmr is None else words.percent(point.achieved_fmr), kind="number"),
            Cell(point.set_on),
        )
        for point in source.shared
    )
    return Table("thresholds", say("thresholds.caption"), tuple(say(f"thresholds.column_{n}") for n in names), rows)


def own_thresholds(source: Source) -> tuple[Table | None, tuple[str, ...]]:
    """What each group would see had it a threshold of its own, and for which groups none could be set."""
    names = ("group", "target", "threshold", "achieved", "fnmr")
    order = {key(g): i for i, g in enumerate(every_group(source))}
    points = [p for p in source.own if not source.banded(p.group)]
    points.sort(key=lambda p: (order.get(key(p.group), 0), -(p.target_fmr or 0)))
    rows = tuple(_own_row(source, point) for point in points if point.threshold is not None)
    unset: dict[float | None, list[str]] = {}
    for point in points:
        if point.threshold is None:
            unset.setdefault(point.target_fmr, []).append(words.group_name(point.group))
    lines = tuple(
        say("thresholds.unset", target=words.target(target), groups=words.join(groups, most=99))
        for target, groups in unset.items()
    )
    columns = tuple(say(f"thresholds.column_{name}") for name in names)
    return (Table("own-thresholds", say("thresholds.own_caption"), columns, rows) if rows else None), lines


def every_group(source: Source) -> list[Group]:
    """Everyone, then the groups of every attribute set, in the order of the report."""
    return [{}, *(group for attributes in source.attribute_sets() for group in source.groups(attributes))]


def _own_row(source: Source, point: OperatingPoint) -> tuple[Cell, ...]:
    achieved = "–" if point.achieved_fmr is None else words.percent(point.achieved_fmr)
    return (
        name_cell(point.group),
        Cell(words.target(point.target_fmr)),
        _threshold_cell(point),
        Cell(achieved, kind="number"),
        rate_cell(source.rate("FNMR", point.group, point)),
    )
