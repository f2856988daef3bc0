"""Whether the counts of a record are those of the scores in its tables. Every check gives what is wrong, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit import record as r
from audit.bundle.expected import verification
from audit.bundle.rates_again import acquired
from audit.bundle.rebuild import Rebuilt
from audit.cell_table import ACROSS, COMPARED, OWN
from audit.counted import COUNTS, Role, named

Wrong = Iterator[str]


def errors_of_scores(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Counts of the cells of comparisons at every operating point, from the scores between edges."""
    values = {point.id: point.threshold for point in record.operating_points}
    for (point, setting), look in rebuilt.looks.items():
        value = values.get(point)
        if setting not in {COMPARED, ACROSS, OWN} or value is None:
            continue
        for metric, counts in zip(look.metrics, look.counts.tolist(), strict=True):
            for name, (errors, trials, _) in zip(look.names, counts, strict=True):
                if metric not in {"FMR", "FNMR"}:
                    continue
                found = _counted(rebuilt, (name.role, name.group, name.against, metric == "FNMR"), value)
                if found != (errors, trials):
                    said = f"{errors:,} of {trials:,} in the cells"
                    yield f"{metric} of {name.role} {name.group} at {point}: {said}, scores say {_said(found)}"


def _counted(rebuilt: Rebuilt, key: tuple[Role, str, str | None, bool], value: float) -> tuple[int, int] | None:
    """Errors and comparisons of a cell at a threshold; None where the tables do not tell."""
    binned = rebuilt.scores.get(key)
    below = None if binned is None else binned.below(value)
    if binned is None or below is None:
        return None
    total = int(binned.counts.sum())
    return (below if key[3] else total - below), total


def _said(found: tuple[int, int] | None) -> str:
    return "nothing" if found is None else f"{found[0]:,} of {found[1]:,}"


def samples(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """People, images and comparisons of every group."""
    for row in record.samples.by_group:
        for mated, said in ((True, row.mated), (False, row.nonmated)) if verification(record) else ():
            binned = rebuilt.scores.get(("group", named(row.group), None, mated))
            if binned is None or int(binned.counts.sum()) != said:
                yield f"{r.group_text(row.group)}: {said:,} comparisons in the record, not so in {COUNTS}"
    tally = acquired(rebuilt)[0]
    if tally is not None:
        for k, row in enumerate(record.samples.by_group):
            if (int(tally.trials[k]), int(tally.subjects[k])) != (row.samples, row.subjects):
                tried = f"{row.samples:,} {record.samples.unit}s of {row.subjects:,} people"
                yield f"{r.group_text(row.group)}: {tried} in the record, not so in the cells"
    everyone = record.samples.by_group[0]
    whole = (record.samples.total, record.samples.subjects, record.samples.mated, record.samples.nonmated)
    if whole != (everyone.samples, everyone.subjects, everyone.mated, everyone.nonmated):
        yield "totals are not those of everyone"


def achieved(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """The FMR at a threshold, and that it does not exceed its target."""
    for point in record.operating_points:
        if point.threshold is None or point.achieved_fmr is None:
            continue
        found = _counted(rebuilt, ("group", named(point.group), None, False), point.threshold)
        if found is None or not found[1] or abs(found[0] / found[1] - point.achieved_fmr) > 1e-12:
            yield f"{point.id}: achieved FMR {point.achieved_fmr:.6g}, scores say {_said(found)}"
        elif point.target_fmr is not None and point.achieved_fmr > point.target_fmr * (1 + 1e-9):
            yield f"{point.id}: achieved FMR {point.achieved_fmr:.6g} exceeds its target"


def distributions(record: r.EvaluationRecord, rebuilt: Rebuilt) -> Wrong:
    """Each bin of the record against the finer bins of the tables, as far as edges meet."""
    for said in record.distributions:
        name = f"scores of {r.group_text(said.group)}, {'mated' if said.mated else 'non-mated'}"
        binned = rebuilt.scores.get(("group", named(said.group), None, said.mated))
        if binned is None:
            yield f"{name}: not in {COUNTS}"
            continue
        if not said.edges:
            continue
        below = [binned.below(edge) for edge in said.edges]
        counted = np.cumsum([0, *said.counts])
        total = int(binned.counts.sum())
        inside = [(k, found) for k, found in enumerate(below) if found is not None and 0 < k < len(below) - 1]
        if counted[-1] != total or any(int(counted[k]) != found for k, found in inside):
            yield f"{name}: bins of the record are not those of {COUNTS}"
