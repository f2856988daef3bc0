"""Capture conditions of a benchmark's own pictures, for a plan that names `covariates`.

Outcomes lie in the store under the picture's digest like those of any model: they are measured once for all models, and
go with the person who withdraws. What cannot be measured is missing, with the reason counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit import capture, models
from audit.domain import FailureToAcquire, Sample
from audit.extract import Extraction, extract
from audit.models import tone
from audit.models.card import Detection
from audit.models.detectors import DetectorCard
from audit.plan import AuditPlan, RunOptions
from audit.store import TemplateStore

if TYPE_CHECKING:
    from audit.models.capture_meter import MeterCard

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Captured:
    """What was measured.

    Parameters
    ----------
    values : measure to a number for every sample in its own unit, NaN where it is missing
    failures : measure to the reasons why it is missing, and how often
    found : in words, whose faces were measured
    """

    values: Mapping[str, Floats]
    failures: Mapping[str, Mapping[str, int]]
    found: str


def require(plan: AuditPlan) -> None:
    """Refuse what is not installed, before an image is read.

    Raises
    ------
    ModelError
        Naming the extra.
    """
    meter(plan)
    if capture.SKIN in plan.covariates:
        tone.meter(Detection.of(plan))


def meter(plan: AuditPlan) -> MeterCard | None:
    """The card of the meter, if the plan asks for anything that it measures."""
    if not set(plan.covariates) - {capture.SKIN}:
        return None
    from audit.models import capture_meter  # noqa: PLC0415 - loads the detector, which few plans need here

    return capture_meter.card(Detection.of(plan))


def measure(
    samples: Sequence[Sample],
    files: Mapping[str, str | FailureToAcquire],
    plan: AuditPlan,
    options: RunOptions,
    *,
    noted: bool = False,
) -> Captured:
    """Measure every sample for `plan.covariates`; `noted`: a model has just measured what it found faces in.

    Raises
    ------
    ModelError
        If what measures is not installed.
    """
    card, tones = meter(plan), None
    values: dict[str, Floats] = {}
    failures: dict[str, Mapping[str, int]] = {}
    fields = [name for name in plan.covariates if name != capture.SKIN]
    if card is not None:
        found = _extracted(samples, card, files, replace(options, fresh=options.fresh and not noted))
        for name in fields:
            values[name] = _column(found, len(samples), capture.FIELDS.index(name))
            failures[name] = _reasons(found)
    if capture.SKIN in plan.covariates:
        tones = tone.meter(Detection.of(plan))
        found = _extracted(samples, tones, files, options)
        values[capture.SKIN] = _column(found, len(samples), tone.FIELDS.index("degrees"))
        failures[capture.SKIN] = _reasons(found)
    words = card.words if card is not None else tones.words if tones is not None else ""
    return Captured({name: values[name] for name in plan.covariates}, failures, words)


def _extracted(
    samples: Sequence[Sample], card: DetectorCard, files: Mapping[str, str | FailureToAcquire], options: RunOptions
) -> Extraction:
    from audit.models import capture_meter  # noqa: PLC0415 - as above

    progress = options.progress
    return extract(
        samples,
        card,
        lambda: (
            capture_meter.CaptureMeter(card.settings, workers=options.workers)
            if isinstance(card, capture_meter.MeterCard)
            else models.load(card, workers=options.workers)
        ),
        TemplateStore(options.cache),
        digests=files,
        workers=options.workers,
        fresh=options.fresh,
        progress=None if progress is None else lambda _, done, total: progress("measure", done, total),
    )


def _column(found: Extraction, size: int, field: int) -> Floats:
    column = np.full(size, np.nan)
    column[found.template_index] = found.templates[:, field]
    return column


def _reasons(found: Extraction) -> dict[str, int]:
    return dict(Counter(f"{failure.stage}: {failure.reason}" for failure in found.failures.values()))
