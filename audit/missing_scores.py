"""Comparisons without a score, as failures of the samples or of the people behind them."""

from __future__ import annotations

import numpy as np

from audit.metrics.evaluation import Acquired
from audit.score_table import Codes, ScoreTable


def acquired(table: ScoreTable, place: Codes, size: int) -> Acquired:
    """Failures of every subject: by sample where samples explain every missing score, else by side of a comparison."""
    missing = table.missing
    if table.samples is not None:
        total = len(table.samples)
        tried = np.bincount(table.probe_sample, minlength=total) + np.bincount(table.reference_sample, minlength=total)
        scored = np.bincount(table.probe_sample[~missing], minlength=total)
        scored += np.bincount(table.reference_sample[~missing], minlength=total)
        failed = scored == 0
        if (failed[table.probe_sample] | failed[table.reference_sample])[missing].all():
            who = place[table.owner]
            reasons = {
                ("score", "none of its comparisons has a score"): np.bincount(
                    who[failed & (tried > 0)], minlength=size
                ),
                ("score", "stands in no comparison"): np.bincount(who[failed & (tried == 0)], minlength=size),
            }
            return Acquired(
                np.bincount(who[failed], minlength=size),
                np.bincount(who, minlength=size),
                {reason: row for reason, row in reasons.items() if row.any()},
                unit="sample",
            )
    sides = [place[table.probe], place[table.reference]]
    wrong = sum(np.bincount(side[missing], minlength=size) for side in sides)
    every = sum(np.bincount(side, minlength=size) for side in sides)
    reasons = {("score", "no score"): np.asarray(wrong)} if missing.any() else {}
    return Acquired(np.asarray(wrong), np.asarray(every), reasons, unit="side")
