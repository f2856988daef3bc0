"""From what stands beside the rates (tails of scores) to the parts of the record; nothing is computed here."""

from __future__ import annotations

from audit import record as r
from audit.assemble import interval
from audit.metrics.score_shift import ScoreShift


def score_shift(found: ScoreShift) -> r.ScoreShift:
    """A tail against the rest's, also where it could not be estimated."""
    return r.ScoreShift(
        attributes=list(found.attributes),
        group=found.group.as_dict(),
        mated=found.mated,
        share=found.share,
        value=found.value,
        rest=found.rest,
        deviation=found.deviation,
        shift=found.shift,
        interval=interval(found.interval),
        subjects=found.subjects,
        rest_subjects=found.rest_subjects,
        trials=found.trials,
        support=found.support,
        reason=found.reason,
    )
