"""From what was measured to the parts of the record. Nothing is computed here that decides a number."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from audit import record as r
from audit.compare.counts import ScoreCounts
from audit.domain import Attribute, Benchmark, DemographicGroup, ErrorRate, Interval, Threshold
from audit.groups import Grouping
from audit.metrics import det, experimental
from audit.metrics.disclosure import told_finely
from audit.metrics.disparities import Contrasted, Equality, Spreaded
from audit.metrics.evaluation import METRICS, Acquired, Measured, Metric
from audit.metrics.spreads import Spread
from audit.stats.intervals import zero_upper_bound

if TYPE_CHECKING:
    from audit.compare.lossy import Lossy
    from audit.metrics.folds import Folds

HISTOGRAM_BINS = 256
HEADLINE = "max/geomean"


def interval(found: Interval | None) -> r.IntervalPart | None:
    """Interval of the record; bounds that are not finite make it None."""
    if found is None or not np.isfinite([found.low, found.high]).all():
        return None
    return r.IntervalPart(low=found.low, high=found.high, level=found.level, method=found.method)


def benchmark_part(benchmark: Benchmark, grouping: Grouping) -> r.BenchmarkPart:
    """What it was measured on; of the attributes those that were used, with the values that occur."""
    consent, out = benchmark.consent, benchmark.withdrawn
    values: dict[str, list[str]] = {name: [] for name in grouping.attributes}
    for group in grouping.groups:
        for name, value in group.items:
            if value not in values[name]:
                values[name].append(value)
    return r.BenchmarkPart(
        name=benchmark.name,
        title=benchmark.title,
        version=benchmark.version,
        consent_tier=consent.tier,
        consent_statement=consent.statement,
        consent_source=consent.statement_source,
        licence=consent.licence,
        purposes={str(purpose): str(word) for purpose, word in consent.purposes.items()},
        citation=benchmark.citation,
        live=consent.live,
        notices=list(consent.notices),
        acknowledged=list(consent.acknowledged),
        withdrawn=out
        and r.WithdrawnPart(listed=out.listed, people=len(out.subjects), date=out.date, digest=out.digest),
        attributes={
            name: r.AttributePart(
                provenance=benchmark.attributes[name].provenance,
                values=found,
                note=benchmark.attributes[name].note,
                measurement=_measurement(benchmark.attributes[name]),
            )
            for name, found in values.items()
        },
    )


def _measurement(attribute: Attribute) -> r.MeasurementPart | None:
    found = attribute.measurement
    return None if found is None else r.MeasurementPart(**dataclasses.asdict(found))


def similarity_of(card: Any) -> str:
    """How templates are compared, or which way the scores of a service point."""
    if card.service is None or not card.service.compares:
        return str(card.similarity)
    return f"given as {'distance, negated' if card.service.distance else 'similarity'}"


def model_part(card: Any) -> r.ModelPart:
    """What was measured, from the card of a face model."""
    stated = card.vendor_threshold
    own_unit = stated and stated.in_units_of(card.similarity)
    return described(
        card,
        weights_sha256=card.weights_sha256 if card.service is None else "unknown",
        vendor_threshold=stated and r.VendorThresholdPart(**stated.model_dump(), threshold=own_unit),
        similarity=similarity_of(card),
        dimension=0 if card.service is not None and card.service.compares else card.dimension,
    )


def described(card: Any, **more: Any) -> r.ModelPart:
    """What the card of any kind of model says; `more` is what only some kinds have."""
    from audit import trained_on  # noqa: PLC0415 - the catalogue's rooms, which whoever checks a record does without

    return r.ModelPart(
        name=card.name,
        revision=card.revision,
        digest_source=card.digest_source,
        self_declared=card.self_declared,
        licence=card.licence,
        weights_licence=card.weights_licence,
        research_only=card.research_only,
        training_data=trained_on.data(card),
        training_consent=trained_on.people(card),
        training_sets=trained_on.sets(card.training_sets),
        paper=card.paper and r.PaperPart(**card.paper.model_dump()),
        source=card.source,
        preprocessing=card.preprocessing,
        preprocessing_text=card.preprocessing_text,
        **more,
    )


def samples_part(acquired: Acquired, grouping: Grouping, counts: ScoreCounts, several_faces: int) -> r.SamplesPart:
    """People, images (or sides of comparisons) and comparisons of every group."""
    sizes = acquired.samples
    per_atom = np.bincount(grouping.atom_of, weights=sizes, minlength=grouping.atoms).astype(np.int64)
    rows = []
    for position, group in enumerate(grouping.groups):
        row = grouping.member[position]
        rows.append(
            r.GroupCount(
                group=group.as_dict(),
                subjects=int(grouping.subjects[position]),
                samples=int(per_atom[row].sum()),
                mated=counts.total(counts.chosen(row, mated=True)),
                nonmated=counts.total(counts.chosen(grouping.within(position), mated=False)),
            )
        )
    return r.SamplesPart(
        total=int(sizes.sum()),
        unit=acquired.unit,
        subjects=len(grouping.atom_of),
        mated=rows[0].mated,
        nonmated=rows[0].nonmated,
        by_group=rows,
        several_faces=several_faces,
    )


def acquisition(rates: Sequence[ErrorRate], acquired: Acquired, grouping: Grouping) -> list[r.Acquisition]:
    """Failures to acquire of every group: all of them, then by stage and reason where there are any."""
    made = []
    for position, rate in enumerate(rates):
        inside = grouping.member[position, grouping.atom_of]
        shape = {"group": rate.group.as_dict(), "samples": rate.trials, "subjects": rate.subjects}
        whole = {"value": rate.value, "interval": interval(rate.interval), "support": rate.support}
        made.append(r.Acquisition(**shape, **whole, stage=None, reason=None, failures=rate.errors))
        for (stage, reason), failed in sorted(acquired.reasons.items()):
            number = int(failed[inside].sum())
            if not number:
                continue
            value = None if rate.value is None else number / rate.trials
            part = {"value": value, "interval": None, "support": rate.support}
            made.append(r.Acquisition(**shape, **part, stage=stage, reason=reason, failures=number))
    return made


def operating_point(point: Threshold) -> r.OperatingPoint:
    """An operating point, estimable or not."""
    return r.OperatingPoint(
        id=point.id,
        policy=point.policy,
        group=point.group.as_dict(),
        target_fmr=point.target_fmr,
        achieved_fmr=point.achieved_fmr,
        threshold=point.value,
        set_on=point.set_on,
        reason=point.reason,
        by_fold=list(point.by_fold),
    )


def folds(found: Folds) -> r.FoldsPart:
    """The folds of a protocol."""
    accuracy = found.accuracy
    return r.FoldsPart(
        number=len(found.comparisons),
        comparisons=found.comparisons.tolist(),
        people=found.people,
        several=found.several,
        right=found.right.tolist(),
        accuracy=None if accuracy is None else accuracy[0],
        standard_error=None if accuracy is None else accuracy[1],
    )


def rate(found: ErrorRate, zero_size: float | None) -> r.Rate:
    """A rate; where no error was seen, with its one-sided 95 % bound at the effective size N0."""
    none_seen = found.errors == 0 and found.value == 0
    return r.Rate(
        metric=found.metric,
        view=found.view,
        group=found.group.as_dict(),
        reference_group=None if found.reference_group is None else found.reference_group.as_dict(),
        operating_point=found.operating_point,
        errors=found.errors,
        trials=found.trials,
        subjects=found.subjects,
        value=found.value,
        interval=interval(found.interval),
        variance=found.variance,
        design_effect=found.design_effect,
        effective_errors=found.effective_errors,
        support=found.support,
        zero_errors=none_seen,
        upper_bound=zero_upper_bound(zero_size) if none_seen and zero_size else None,
        reason=found.reason,
    )


def storage(lossy: Lossy | None, points: Sequence[Threshold]) -> list[r.StorageEffect]:
    """Decisions at the global and the given thresholds that differ from those on float32."""
    known = {p.id: p.value for p in points if p.policy != "per-group" and p.value is not None}
    if lossy is None:
        return []
    return [
        r.StorageEffect(
            operating_point=name,
            kept_in=lossy.storage,
            nonmated=found.nonmated,
            nonmated_of=found.nonmated_of,
            mated=found.mated,
            mated_of=found.mated_of,
        )
        for name, found in zip(known, lossy.differing(list(known.values())), strict=True)
    ]


def measured_rates(measured: Measured, grouping: Grouping) -> list[r.Rate]:
    """All rates of a global operating point."""
    made = []
    for found in measured.rates:
        base = {"FAR": "FMR", "FRR": "FNMR"}.get(found.metric, found.metric)
        sizes = measured.zero_sizes[base]  # type: ignore[index]
        size = None
        if found.reference_group is None:
            size = float(sizes[grouping.index(found.group)])
        elif found.trials:
            tally = measured.tallies["FMR"]
            size = float(found.trials * sizes[0] / tally.trials[0]) if tally.trials[0] else None
        made.append(rate(found, size))
    return made


def contrast(found: Contrasted, margin: float) -> r.Contrast:
    """A contrast, also where it could not be formed."""
    result = found.result
    shape: dict[str, Any] = {
        "metric": found.metric,
        "operating_point": None if found.metric == "FTA" else found.family.split(" | ")[1],
        "group": found.group.as_dict(),
        "against": "rest" if found.against is None else found.against.as_dict(),
        "p_adjusted": found.p_adjusted,
        "p_max_z": found.p_max_z,
        "family": found.family,
        "margin": margin,
        "reason": found.reason,
    }
    if result is None:
        empty = dict.fromkeys(("ratio", "interval", "p", "minimum_detectable_ratio"))
        return r.Contrast(**shape, **empty, verdict="INCONCLUSIVE")
    return r.Contrast(
        **shape,
        ratio=result.ratio,
        at_least=result.at_least,
        interval=interval(result.interval),
        p=result.p,
        verdict=result.verdict,
        material=result.material,
        minimum_detectable_ratio=_finite(result.minimum_detectable_ratio),
        difference=result.difference,
        difference_interval=interval(result.difference_interval),
    )


def global_test(found: Equality, point: Threshold) -> r.GlobalTest:
    """The test of equal rates of a family."""
    return r.GlobalTest(
        metric=found.metric,
        attributes=list(found.attributes),
        operating_point=None if found.metric == "FTA" else point.id,
        included=[group.as_dict() for group in found.included],
        freedom=found.freedom,
        p=found.p,
        reason=found.reason,
    )


def differential(found: Spreaded, point: Threshold) -> r.Differential:
    """A disparity measure, also where it could not be formed."""
    result = found.result
    at = dict(enumerate(found.included))
    return r.Differential(
        measure=result.measure,
        metric=found.metric,
        attributes=list(found.attributes),
        operating_point=point.id,
        value=_finite(result.value),
        interval=interval(result.interval),
        null_p=result.null_p,
        null_median=_finite(result.null_median),
        null_high=_finite(result.null_high),
        null_histogram=_null(result),
        debiased={"cross_fit": _finite(result.cross_fit), "tau": _finite(result.tau)},
        components={name: _finite(value) for name, value in result.components.items()},
        groups=r.GroupsPart(worst=_group(at, result.worst), best=_group(at, result.best)),
        zero_adjusted=[at[k % len(at)].as_dict() for k in result.zero_adjusted],
        excluded=[{"group": group.as_dict(), "reason": why} for group, why in found.excluded],
        included=[group.as_dict() for group in found.included],
        verdict=result.verdict,
        margin=result.margin,
        minimum_detectable_ratio=_finite(result.minimum_detectable_ratio),
        reason=result.reason,
    )


def _null(result: Spread) -> r.Histogram | None:
    """Draws of the headline measure under equal rates, which a report draws; of the others the quantiles say enough."""
    if result.measure != HEADLINE or result.null_histogram is None:
        return None
    edges, counts = result.null_histogram
    return r.Histogram(edges=list(edges), counts=list(counts))


def _group(at: Mapping[int, DemographicGroup], index: int | None) -> dict[str, str] | None:
    return None if index is None else at[index % len(at)].as_dict()


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def distributions(
    counts: ScoreCounts, grouping: Grouping, placed: Sequence[Threshold], min_subjects: int
) -> list[r.Distribution]:
    """Histograms of everyone and of every group, mated and non-mated; of small groups between thresholds alone.

    Every threshold is an edge; of small groups, and beyond what can be kept exactly, every global one and their own.
    """
    known = [point for point in placed if point.value is not None]
    fine = told_finely(grouping)
    made = []
    for position, group in enumerate(grouping.groups):
        cells = [
            counts.chosen(grouping.member[position] if mated else grouping.within(position), mated=mated)
            for mated in (False, True)
        ]
        meant = [p.value for p in known if fine[position] or p.policy != "per-group" or p.group == group]
        every = np.unique(np.array(meant, dtype=np.float64))
        exact = every[counts.exact_at(cells[0] | cells[1], every)]
        edges = edges_of(counts, exact.tolist(), HISTOGRAM_BINS if fine[position] else 1)
        for mated, chosen in zip((False, True), cells, strict=True):
            shape: dict[str, Any] = {"group": group.as_dict(), "reference_group": None, "mated": mated}
            if grouping.subjects[position] < min_subjects:
                made.append(r.Distribution(**shape, edges=[], counts=[], reason=f"fewer than {min_subjects} people"))
                continue
            binned = counts.binned(chosen, edges)
            made.append(r.Distribution(**shape, edges=edges.tolist(), counts=binned.tolist()))
    return made


def edges_of(counts: ScoreCounts, thresholds: Sequence[float], bins: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Edges on the fine grid over the scores that occur, so that they never cut a fine bin, and the thresholds.

    Parameters
    ----------
    bins : the most, thresholds aside
    """
    used = np.flatnonzero(counts.histogram.sum(axis=0))
    grid = counts.grid.edges()
    if not len(used):
        return np.array([grid[0], grid[-1]])
    first, last = int(used[0]), int(used[-1]) + 1
    step = max(1, -(-(last - first) // bins))
    chosen = np.unique(np.r_[np.arange(first, last, step), last])
    return np.unique(np.r_[grid[chosen], [t for t in thresholds if grid[0] <= t <= grid[-1]]])


def covariance(measured: Measured, offset: int, metrics: Sequence[Metric] = METRICS[:2]) -> r.Covariance:
    """Joint covariance of the conditional rates of the groups; cells are positions in the record's rates.

    `offset` is where the rates of this operating point begin: those of the first metric for every group, then the next.
    """
    total = measured.groups
    columns = [measured.column(metric, k) for metric in metrics for k in range(total)]
    keep = [
        k for k, column in enumerate(columns)
        if np.isfinite(measured.covariance[column, column]) and measured.rates[k].value is not None
    ]  # fmt: skip
    index = [columns[k] for k in keep]
    matrix = measured.covariance[np.ix_(index, index)]
    return r.Covariance(
        operating_point=measured.point.id,
        cells=[offset + k for k in keep],
        matrix=[[float(f"{value:.12g}") for value in row] for row in matrix.tolist()],
    )


def experimental_index(found: experimental.Index) -> r.ExperimentalIndex:
    """An index with its formula and source."""
    formula, source = experimental.FORMULAS[found.measure]
    return r.ExperimentalIndex(
        measure=found.measure,
        attributes=list(found.attributes),
        operating_point=found.operating_point,
        value=_finite(found.value),
        formula=formula,
        source=source,
        reason=found.reason,
    )


def summary(counts: ScoreCounts, grouping: Grouping, measured: Sequence[Measured]) -> r.Summary:
    """How well mated and non-mated comparisons are apart, over everyone."""
    scores, mated, nonmated = _both(counts, grouping, 0)
    curve = det.error_curve(scores, mated, nonmated)
    at = []
    for one in measured:
        found = next(rate for rate in one.rates if rate.metric == "FNMR" and not rate.group.items)
        target, achieved = one.point.target_fmr, one.point.achieved_fmr
        if found.value is not None and target is not None and achieved is not None:
            at.append(r.FnmrAtFmr(target_fmr=target, achieved_fmr=achieved, fnmr=found.value))
    return r.Summary(
        eer_rocch=None if curve is None else det.eer_rocch(curve),
        auc=det.auc(scores, mated, nonmated),
        d_prime=det.d_prime(scores, mated, nonmated),
        fnmr_at_fmr=at,
        exact=counts.exact,
    )


def det_curves(counts: ScoreCounts, grouping: Grouping, min_subjects: int) -> list[r.DetCurve]:
    """DET of everyone and of every group that has both kinds of comparisons and enough people."""
    made = []
    for position, group in enumerate(grouping.groups):
        curve = det.error_curve(*_both(counts, grouping, position))
        if curve is not None and grouping.subjects[position] >= min_subjects:
            fmr, fnmr = det.thin(curve)
            made.append(r.DetCurve(group=group.as_dict(), fmr=fmr.tolist(), fnmr=fnmr.tolist()))
    return made


def _both(counts: ScoreCounts, grouping: Grouping, position: int) -> tuple[Any, Any, Any]:
    """Distinct scores of a group with their mated and non-mated counts."""
    mated = counts.distribution(counts.chosen(grouping.member[position], mated=True))
    nonmated = counts.distribution(counts.chosen(grouping.within(position), mated=False))
    scores = np.union1d(mated[0], nonmated[0])
    columns = []
    for values, numbers in (mated, nonmated):
        column = np.zeros(len(scores), dtype=np.int64)
        column[np.searchsorted(scores, values)] = numbers
        columns.append(column)
    return scores, columns[0], columns[1]
