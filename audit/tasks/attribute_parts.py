"""The part of a record that is about attributes: tables, balanced accuracy, parity, errors of ages."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from audit import assemble
from audit import record as r
from audit.groups import Grouping
from audit.metrics import ages as age_metrics
from audit.metrics import attributes, parity
from audit.metrics.ages import AgeErrors, AgeOutcomes, Summary
from audit.metrics.attributes import LabelOutcomes
from audit.metrics.parity import PARITY, Parity
from audit.plan import AuditPlan
from audit.tasks.attribute_truth import AgeTruth, LabelTruth

Parted = Sequence[tuple[Mapping[str, str], LabelOutcomes]]


def labels(truth: LabelTruth, outcomes: Parted, plan: AuditPlan) -> r.LabelsPart:
    """An attribute of labels; `outcomes` of all pictures first, then by condition."""
    grouping = truth.grouping
    name = truth.attribute.name
    rng = np.random.default_rng([plan.seed, zlib.crc32(f"parity|{name}".encode())])
    whole = outcomes[0][1]
    return r.LabelsPart(
        attribute=truth.says.attribute,
        truth=name,
        provenance=truth.attribute.provenance,
        meaning=truth.says.meaning,
        operating_point=truth.says.attribute,
        values=list(truth.vocabulary.values),
        words=list(truth.vocabulary.words),
        labels=list(truth.says.labels),
        unsayable=[_unsayable(whole, value, plan.min_subjects) for value in truth.vocabulary.unsayable],
        foreign=list(truth.vocabulary.foreign),
        without_truth=dict(truth.without),
        tables=[table for part, said in outcomes for table in _tables(part, said, grouping, plan.min_subjects)],
        balanced=[
            r.BalancedAccuracy(
                part=dict(part),
                group=one.group.as_dict(),
                value=one.value,
                interval=assemble.interval(one.interval),
                pictures=one.pictures,
                subjects=one.subjects,
                reason=one.reason,
            )
            for part, said in outcomes
            for one in attributes.balanced_accuracies(said, grouping, level=plan.level, min_subjects=plan.min_subjects)
        ],
        parity=[
            _parity(one) for one in parity.parities(whole, grouping, name, rng=rng, draws=plan.draws, level=plan.level)
        ],
    )


def _unsayable(said: LabelOutcomes, value: str, few: int) -> r.UnsayableLabel:
    mine = said.truth == said.vocabulary.values.index(value)
    pictures = int((said.said.sum(axis=1) + said.lost)[mine].sum())
    if mine.sum() < few:
        return r.UnsayableLabel(value=value, people=None, pictures=None, reason=f"fewer than {few} people")
    return r.UnsayableLabel(value=value, people=int(mine.sum()), pictures=pictures)


def _tables(part: Mapping[str, str], said: LabelOutcomes, grouping: Grouping, few: int) -> list[r.LabelTable]:
    """Confusion of every group; nothing of fewer people than the plan's, in a group or in a row of it."""
    made = []
    seen = (said.said.sum(axis=1) + said.lost > 0) & (said.truth >= 0)
    for group, row in zip(grouping.groups, grouping.member[:, grouping.atom_of], strict=True):
        people = int((row & seen).sum())
        if people < few:
            why = "nobody with a true label" if not people else f"fewer than {few} people"
            made.append(r.LabelTable(part=dict(part), group=group.as_dict(), counts=None, people=people, reason=why))
            continue
        of = [int((row & seen & (said.truth == k)).sum()) for k in range(len(said.vocabulary.values))]
        counts = [
            line.tolist() if not number or number >= few else None
            for line, number in zip(said.confusion(row), of, strict=True)
        ]
        made.append(r.LabelTable(part=dict(part), group=group.as_dict(), counts=counts, people=people))
    return made


def _parity(one: Parity) -> r.ParityPart:
    return r.ParityPart(
        measure=one.measure,
        formula=PARITY[one.measure].formula,
        word=one.word,
        attributes=list(one.attributes),
        value=one.value,
        interval=assemble.interval(one.interval),
        null_p=one.null_p,
        null_median=one.null_median,
        null_far=one.null_far,
        included=[group.as_dict() for group in one.included],
        excluded=[{"group": group.as_dict(), "reason": why} for group, why in one.excluded],
        reason=one.reason,
    )


def ages(
    truth: AgeTruth,
    outcomes: Sequence[tuple[Mapping[str, str], AgeOutcomes]],
    plan: AuditPlan,
) -> r.AgesPart:
    """Age in years; `outcomes` of all pictures first, then by condition."""
    return r.AgesPart(
        truth=truth.attribute.name,
        provenance=truth.attribute.provenance,
        meaning=truth.says.meaning,
        band=truth.attribute.name if truth.edges else None,
        edges=list(truth.edges),
        off=list(plan.age_off),
        challenge=plan.challenge_age,
        limits=list(plan.age_limits),
        without_truth=dict(truth.without),
        errors=[
            _errors(part, one)
            for part, said in outcomes
            for one in age_metrics.errors(said, truth.grouping, level=plan.level, min_subjects=plan.min_subjects)
        ],
    )


def _errors(part: Mapping[str, str], one: AgeErrors) -> r.AgeErrorsPart:
    return r.AgeErrorsPart(
        part=dict(part),
        group=one.group.as_dict(),
        pictures=one.pictures,
        subjects=one.subjects,
        lost=one.lost,
        mae=_years(one.mae),
        bias=_years(one.bias),
        p90=_years(one.p90),
        support=one.support,
        reason=one.reason,
    )


def _years(found: Summary) -> r.YearsPart:
    return r.YearsPart(value=found.value, interval=assemble.interval(found.interval))
