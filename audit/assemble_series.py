"""Counterfactual series: from outcomes of their pictures to the parts of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from audit import record as r
from audit.compare.blocks import Similarity
from audit.compare.counts import Floats, Ints
from audit.compare.pairs import scores_of
from audit.domain import Sample, SeriesLevel
from audit.extract import Extraction
from audit.metrics import counterfactual
from audit.metrics.counterfactual import Movement, Outcomes

MODEL = "model"
"""Name of the model's own way to a template among the detectors."""


def parts(series: Sequence[SeriesLevel], outcomes: Outcomes, *, level: float, min_subjects: int) -> list[r.Movement]:
    """Measure all factors; `outcomes` are of the pictures in the order in which they first stand in `series`."""
    places = {name: index for index, name in enumerate(dict.fromkeys(row.sample.sample_id for row in series))}
    return [
        _part(moved)
        for factor in counterfactual.factors(series, places)
        for moved in counterfactual.movements(factor, outcomes, level=level, min_subjects=min_subjects)
    ]


def outcomes(
    pictures: Sequence[Sample],
    extraction: Extraction,
    samples: Sequence[Sample],
    gallery: Extraction,
    found: Mapping[str, Extraction],
    landmarks: str | None,
    thresholds: Mapping[str, float],
    similarity: Similarity,
) -> Outcomes:
    """Compare every picture of the series with the person's own other samples.

    Parameters
    ----------
    pictures, extraction : of the series
    samples, gallery : the other samples and what was extracted of them
    found : detector to what it found in `pictures`
    landmarks : the detector whose numbers are five points, or None
    thresholds : operating point to the score from which on a comparison is accepted
    """
    own: dict[str, list[int]] = {}
    for k, index in enumerate(gallery.template_index):
        own.setdefault(samples[index].subject_id, []).append(k)
    probe, reference, picture = _pairs(pictures, extraction.template_index, own)
    vectors = np.concatenate([extraction.templates, gallery.templates])
    scores = scores_of(vectors, probe, reference + len(extraction.templates), similarity)
    count = len(pictures)
    trials = np.bincount(picture, minlength=count)
    total = np.bincount(picture, weights=scores, minlength=count)
    return Outcomes(
        scores=np.where(trials > 0, total / np.maximum(trials, 1), np.nan),
        errors={point: np.bincount(picture[scores < value], minlength=count) for point, value in thresholds.items()},
        trials=trials,
        templates=_has(count, extraction),
        gallery=np.array([len(own.get(sample.subject_id, ())) for sample in pictures], dtype=np.int64),
        missed={
            **{name: ~_has(count, one) for name, one in found.items()},
            MODEL: ~_has(count, extraction),
        },
        points=_points(count, found[landmarks] if landmarks else None),
    )


def _pairs(pictures: Sequence[Sample], index: Ints, own: Mapping[str, list[int]]) -> tuple[Ints, Ints, Ints]:
    """Every template of the series with every template of its person: template, reference, picture."""
    rows = [(k, reference, int(at)) for k, at in enumerate(index) for reference in own.get(pictures[at].subject_id, ())]
    probe, reference, picture = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return probe, reference, picture


def _has(count: int, extraction: Extraction) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    made = np.zeros(count, dtype=bool)
    made[extraction.template_index] = True
    return made


def _points(count: int, extraction: Extraction | None) -> Floats:
    made = np.full((count, 5, 2), np.nan)
    if extraction is not None:
        made[extraction.template_index] = extraction.templates.reshape(-1, 5, 2)
    return made


def _part(moved: Movement) -> r.Movement:
    change = moved.change
    return r.Movement(
        factor=moved.factor,
        level=moved.level,
        position=moved.position,
        against=moved.against,
        quantity=moved.quantity,
        operating_point=moved.operating_point,
        detector=moved.detector,
        people=moved.people,
        before=change.before if change else None,
        after=change.after if change else None,
        change=change.change if change else None,
        interval=r.IntervalPart(low=change.low, high=change.high, level=change.level, method=change.method)
        if change
        else None,
        errors=list(moved.errors) if moved.errors else None,
        trials=list(moved.trials) if moved.trials else None,
        reason=moved.reason,
    )
