"""One against many: from templates and a drawn list to the parts of the record. Nothing of a single probe gets here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit import assemble, assemble_cells
from audit import record as r
from audit.cell_table import among, listed, ranked
from audit.compare import halves
from audit.compare.counts import Floats, Ints
from audit.counted import Look
from audit.domain import ErrorRate, Threshold
from audit.errors import NothingMeasured
from audit.groups import Grouping
from audit.metrics import disparities, identification
from audit.metrics.evaluation import Measured
from audit.metrics.identification import NO_THRESHOLD, Failed, ListEvidence, ListThreshold
from audit.plan import AuditPlan

if TYPE_CHECKING:
    from audit.compare.blocks import Rows, Similarity
    from audit.compare.identify import AgainstList, ListCounts
    from audit.watch_list import WatchList

TRADEOFF_POINTS = 32
Groups = dict[str, str]
ByRank = Sequence[Sequence[ErrorRate]]
"""FNIR without a threshold at ranks 1, 2, ..., each over the groups."""
Grown = Mapping[str, Sequence[ErrorRate]]
"""Operating point to FPIR of everyone, by how many people are on the list."""


@dataclass(frozen=True, eq=False)
class ListInputs:
    """Samples that were drawn for both sides, and their templates.

    Parameters
    ----------
    plan, grouping, similarity : of the run
    place : the benchmark, for messages
    drawn : who is on the list
    owner : (samples,) subject of each sample
    row : (samples,) template of each sample; -1: it has none
    rows : the templates
    """

    plan: AuditPlan
    grouping: Grouping
    similarity: Similarity
    place: str
    drawn: WatchList
    owner: Ints
    row: Ints
    rows: Rows


def added(
    record: r.EvaluationRecord, tested: ListInputs, progress: Callable[[int, int], None] | None = None
) -> tuple[r.EvaluationRecord, list[Look]]:
    """Add to the record of the same templates, compared one with one, what a list gives; and the cells of its rates.

    FPIR and FNIR are measured at thresholds set at target FPIRs, without a threshold, and at the record's own global
    and given thresholds.

    Raises
    ------
    NothingMeasured
        If the list has no templates of two people, or no probe has one.
    """
    against, failed, counted = _against(tested, progress)
    scores, numbers = against.highest()
    placed = identification.thresholds_at(scores, numbers, tested.plan.fpir)
    shared = _shared(record)
    known = [*(one.point.value for one in placed), *(point.value for point in shared)]
    thresholds = np.unique([value for value in known if value is not None])
    counts = against.at(thresholds, tested.plan.ranks)
    found = _Found([], [], [], [], [])
    for point in [one.point for one in placed] + [NO_THRESHOLD]:
        if point.value is not None or point is NO_THRESHOLD:
            _measure(found, counts, failed, tested, point, compared=True)
    for point in shared:
        _measure(found, counts, failed, tested, point, compared=False)
    plan, grouping = tested.plan, tested.grouping
    by_rank = identification.found_by_rank(counts, grouping, level=plan.level, min_subjects=plan.min_subjects)
    grown = _grown(counts, grouping, [*(one.point for one in placed), *shared], plan)
    part = _part(tested, counts, counted, placed, against, by_rank, grown)
    warnings = [*record.warnings, *_warnings(tested, part, placed)]
    looks = [*found.looks, *_of_curves(counts, grouping, by_rank, grown)]
    more = record.model_copy(
        update={
            "identification": part,
            "rates": [*record.rates, *found.rates],
            "contrasts": [*record.contrasts, *found.contrasts],
            "differentials": [*record.differentials, *found.differentials],
            "global_tests": [*record.global_tests, *found.global_tests],
            "warnings": warnings,
        }
    )
    return more, looks


def _of_curves(counts: ListCounts, grouping: Grouping, by_rank: ByRank, grown: Grown) -> Iterator[Look]:
    """Cells of the curves: by rank without a threshold, and by how many people are on the list.

    Only those that the record draws: of a few people, misses rank by rank would say where each one's mate came.
    """
    for number, rates in enumerate(by_rank, start=1):
        drawn = [rate for rate in rates if rate.value is not None]
        if drawn:
            yield assemble_cells.of_rates(drawn, NO_THRESHOLD.id, among(number), grouping)
    for point, of_sizes in grown.items():
        for size, rate in zip(counts.sizes.tolist(), of_sizes, strict=True):
            yield assemble_cells.of_rates([rate], point, listed(size), grouping)


def _shared(record: r.EvaluationRecord) -> list[Threshold]:
    """The record's thresholds for everyone."""
    return [
        Threshold(p.id, p.policy, NO_THRESHOLD.group, p.target_fmr, p.threshold, p.achieved_fmr, p.set_on)
        for p in record.operating_points
        if p.policy != "per-group" and p.threshold is not None
    ]


def _against(
    tested: ListInputs, progress: Callable[[int, int], None] | None
) -> tuple[AgainstList, Failed, dict[str, int]]:
    """Probes and references that have templates; what has none is counted by the person tested."""
    from audit.compare.identify import AgainstList  # noqa: PLC0415 - loads the compiler

    drawn, owner, row = tested.drawn, tested.owner, tested.row
    size = len(drawn.listed)
    references = drawn.references[row[drawn.references] >= 0]
    there = np.zeros(size, dtype=bool)
    there[owner[references]] = True
    probes = drawn.probes
    usable = (row[probes] >= 0) & (there[owner[probes]] | ~drawn.listed[owner[probes]])
    if there.sum() < 2 or not usable.any():
        what = f"{there.sum()} people on the list and {usable.sum()} of {len(probes)} probes have a template"
        raise NothingMeasured(tested.place, what, "Look at the failures to acquire: faceaudit run --task verification")
    lost = owner[probes[~usable]]
    mated = drawn.listed[lost]
    failed = Failed(np.bincount(lost[~mated], minlength=size), np.bincount(lost[mated], minlength=size))
    subject = np.zeros(tested.rows.shape[0], dtype=np.int64)
    subject[row[row >= 0]] = owner[row >= 0]
    against = AgainstList(
        tested.rows, subject, row[probes[usable]], row[references], tested.grouping.atom_of, tested.grouping.atoms,
        tested.similarity, progress,
    )  # fmt: skip
    numbers = {"references": len(references), "without_reference": int(drawn.listed.sum() - there.sum())}
    return against, failed, numbers


@dataclass(frozen=True, eq=False)
class _Found:
    rates: list[r.Rate]
    contrasts: list[r.Contrast]
    differentials: list[r.Differential]
    global_tests: list[r.GlobalTest]
    looks: list[Look]


def _measure(
    found: _Found, counts: ListCounts, failed: Failed, tested: ListInputs, point: Threshold, *, compared: bool
) -> None:
    """Rates at all ranks; contrasts, spreads and tests at the first of them."""
    plan, grouping = tested.plan, tested.grouping
    for rank in plan.ranks:
        one = identification.measure(
            counts, failed, grouping, point, rank, level=plan.level, min_subjects=plan.min_subjects
        )
        first = rank == plan.ranks[0]
        found.rates.extend(_rates(one, grouping, rank, first=first))
        look = assemble_cells.compared if compared and first else assemble_cells.alone
        found.looks.append(look(one, grouping, ranked(rank)))
        whole = [rate for rate in one.rates if rate.view == "generalised"]
        found.looks.append(assemble_cells.of_rates(whole, point.id, ranked(rank, generalised=True), grouping))
        if not compared or not first:
            continue
        margins = {"FPIR": plan.margin_fmr, "FNIR": plan.margin_fnmr}
        settings = disparities.Settings(
            plan.level, plan.alpha, margins, plan.min_subjects, plan.reference, plan.seed, plan.draws
        )
        half = halves(grouping.atom_of, plan.splits, np.random.default_rng(plan.seed))
        evidence = ListEvidence(counts, rank, half, plan.splits)
        found.contrasts.extend(
            assemble.contrast(c, margins[c.metric]) for c in disparities.contrasts(one, grouping, settings)
        )
        found.differentials.extend(
            assemble.differential(s, point) for s in disparities.spreads(one, evidence, grouping, settings)
        )
        found.global_tests.extend(assemble.global_test(t, point) for t in disparities.equalities(one, grouping))


def _rates(one: Measured, grouping: Grouping, rank: int, *, first: bool) -> list[r.Rate]:
    """Rates of the record; FPIR knows no rank and stands once."""
    made = []
    for rate in one.rates:
        if rate.metric == "FPIR" and not first:
            continue
        size = float(one.zero_sizes[rate.metric][grouping.index(rate.group)])  # type: ignore[index]
        update = {"rank": rank} if rate.metric == "FNIR" else {}
        made.append(assemble.rate(rate, size).model_copy(update=update))
    return made


def _part(
    tested: ListInputs,
    counts: ListCounts,
    counted: dict[str, int],
    placed: Sequence[ListThreshold],
    against: AgainstList,
    by_rank: ByRank,
    grown: Grown,
) -> r.Identification:
    plan, grouping, drawn = tested.plan, tested.grouping, tested.drawn
    on_list = np.zeros(len(drawn.listed), dtype=bool)
    on_list[against.people] = True
    return r.Identification(
        people=len(against.people),
        references=counted["references"],
        images=plan.list_images,
        composed_by=plan.list_by,
        mated=int(counts.mated.sum()),
        nonmated=int(counts.nonmated.sum()),
        unlistable=drawn.unlistable,
        untested=drawn.untested,
        without_reference=counted["without_reference"],
        ranks=list(plan.ranks),
        groups=_groups(counts, grouping, on_list, plan.min_subjects),
        operating_points=[
            r.ListThresholdPart(
                id=one.point.id,
                target_fpir=one.target,
                achieved_fpir=one.achieved,
                threshold=one.point.value,
                set_on=one.point.set_on,
                reason=one.point.reason,
            )
            for one in placed
        ],
        cmc=_cmc(by_rank, grouping),
        tradeoff=_tradeoff(against, grouping, plan.min_subjects),
        confusion=_confusion(counts, grouping, on_list, placed, plan.min_subjects),
        growth=_growth(counts, grown),
    )


def _groups(counts: ListCounts, grouping: Grouping, on_list: Ints, few: int) -> list[r.ListGroup]:
    """How many people of each group were where; of groups with too few people nothing is said."""
    inside = grouping.member[:, grouping.atom_of]
    made = []
    for group, row in zip(grouping.groups, inside, strict=True):
        numbers = {
            "people": int(on_list[row].sum()),
            "mated_people": int((counts.mated[row] > 0).sum()),
            "mated": int(counts.mated[row].sum()),
            "nonmated_people": int((counts.nonmated[row] > 0).sum()),
            "nonmated": int(counts.nonmated[row].sum()),
        }
        if row.sum() < few:
            hidden = dict.fromkeys([*numbers, "share"])
            made.append(r.ListGroup(group=group.as_dict(), **hidden, reason=f"fewer than {few} people"))
            continue
        made.append(r.ListGroup(group=group.as_dict(), share=float(on_list[row].sum() / on_list.sum()), **numbers))
    return made


def _cmc(by_rank: ByRank, grouping: Grouping) -> list[r.CmcCurve]:
    made = []
    for position, group in enumerate(grouping.groups):
        column = [rates[position] for rates in by_rank]
        known = [rate for rate in column if rate.value is not None and rate.interval is not None]
        if not known:
            made.append(r.CmcCurve(group=group.as_dict(), found=[], low=[], high=[], reason=column[0].reason))
            continue
        made.append(
            r.CmcCurve(
                group=group.as_dict(),
                found=[1 - (rate.value or 0.0) for rate in known],
                low=[1 - rate.interval.high for rate in known if rate.interval],
                high=[1 - rate.interval.low for rate in known if rate.interval],
            )
        )
    return made


def _tradeoff(against: AgainstList, grouping: Grouping, few: int) -> list[r.ListTradeoff]:
    """Both rates of every group at thresholds spread over the highest scores of everyone who is not on the list."""
    scores, numbers = against.highest()
    if not len(scores):
        why = "nobody was tested who is not on the list"
        return [r.ListTradeoff(group=group.as_dict(), fpir=[], dir=[], reason=why) for group in grouping.groups]
    counts = against.at(_spread(scores, numbers), (1,))
    inside = grouping.member[:, grouping.atom_of].astype(np.int64)
    made = []
    for group, row in zip(grouping.groups, inside, strict=True):
        people = [int(((tried > 0) & (row > 0)).sum()) for tried in (counts.nonmated, counts.mated)]
        if min(people) < few:
            why = f"fewer than {few} people on the list and beside it"
            made.append(r.ListTradeoff(group=group.as_dict(), fpir=[], dir=[], reason=why))
            continue
        fpir = counts.false_positives[-1] @ row / (counts.nonmated @ row)
        found = 1 - counts.misses[:, 0] @ row / (counts.mated @ row)
        made.append(r.ListTradeoff(group=group.as_dict(), fpir=fpir.tolist(), dir=found.tolist()))
    return made


def _spread(scores: Floats, numbers: Ints) -> Floats:
    """Thresholds at FPIRs from one probe to all of them, evenly on a logarithmic scale."""
    total = int(numbers.sum())
    accepted = np.cumsum(numbers[::-1])[::-1]
    wanted = np.unique(np.geomspace(1, total, TRADEOFF_POINTS).round())
    return np.unique(scores[np.searchsorted(-accepted, -wanted, side="left").clip(0, len(scores) - 1)])


def _confusion(
    counts: ListCounts, grouping: Grouping, on_list: Ints, placed: Sequence[ListThreshold], few: int
) -> list[r.Confusion]:
    """Wrong first candidates of mated probes, and first candidates of false alarms, by group of both."""
    tables = [(NO_THRESHOLD.id, counts.wrong_first)]
    usable = [one.point for one in placed if one.point.value is not None]
    places = np.searchsorted(counts.thresholds, [point.value or 0.0 for point in usable])
    tables += [(point.id, counts.alerts[place]) for point, place in zip(usable, places, strict=True)]
    inside, people = grouping.member[:, grouping.atom_of], grouping.subjects
    made = []
    for attributes, family in grouping.families().items():
        if len(attributes) > 1:
            continue
        for name, numbers in tables:
            errors = identification.between_groups(numbers, grouping, attributes)
            totals = grouping.member[family].astype(np.int64) @ numbers.sum(axis=1)
            for i, one_of in enumerate(family):
                for j, other in enumerate(family):
                    told = min(people[one_of], people[other]) >= few
                    share = float(on_list[inside[other]].sum() / on_list.sum())
                    made.append(
                        r.Confusion(
                            attributes=list(attributes),
                            group=grouping.groups[one_of].as_dict(),
                            candidate=grouping.groups[other].as_dict(),
                            operating_point=name,
                            errors=int(errors[i, j]) if told else None,
                            of=int(totals[i]) if told else None,
                            share=share if told else None,
                            reason=None if told else f"fewer than {few} people",
                        )
                    )
    return made


def _grown(
    counts: ListCounts, grouping: Grouping, points: Sequence[Threshold], plan: AuditPlan
) -> dict[str, list[ErrorRate]]:
    """False alarms of everyone at each threshold, by how many people are on the list."""
    made = {}
    for point in points:
        if point.value is not None:
            t = int(np.searchsorted(counts.thresholds, point.value))
            made[point.id] = identification.growth(
                counts, t, grouping, level=plan.level, min_subjects=plan.min_subjects
            )
    return made


def _growth(counts: ListCounts, grown: Grown) -> list[r.ListGrowth]:
    made = []
    for point, rates in grown.items():
        for size, rate in zip(counts.sizes, rates, strict=True):
            made.append(
                r.ListGrowth(
                    operating_point=point,
                    people=int(size),
                    errors=rate.errors,
                    trials=rate.trials,
                    value=rate.value,
                    interval=assemble.interval(rate.interval),
                )
            )
    return made


def _warnings(tested: ListInputs, part: r.Identification, placed: Sequence[ListThreshold]) -> list[str]:
    """What a reader must know of the list before its numbers."""
    grouping, drawn = tested.grouping, tested.drawn
    made = [f"Target FPIR {one.target:g} is {one.point.reason}." for one in placed if one.point.reason]
    if part.unlistable:
        where = "left out" if part.untested else "tested as people who are not on it"
        made.append(
            f"{part.unlistable} people have no more than {part.images} picture(s) and cannot be on the list; they are "
            f"{where}."
        )
    if part.nonmated == 0:
        made.append("Everybody tested is on the list: how often a stranger raises an alarm (FPIR) is not measured.")
    if part.without_reference:
        made.append(
            f"{part.without_reference} people were to be on the list, but no picture of theirs for it gave a template; "
            "their probes count as missed in the generalised rates."
        )
    for attributes, family in grouping.families().items():
        on_it = [k for k in family if drawn.listed[grouping.member[k][grouping.atom_of]].any()]
        if len(attributes) == 1 and len(on_it) == 1:
            made.append(
                f"Everybody on the list is of one group ({grouping.groups[on_it[0]]}): in whose group wrong candidates "
                "lie says nothing there."
            )
    return made
