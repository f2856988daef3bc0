"""From pictures to the record, where people are compared."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from audit import (
    assemble,
    assemble_scenario,
    cluster,
    extract_on_cluster,
    models,
    remarks,
    sending,
)
from audit.compare import Comparisons
from audit.counted import Look
from audit.domain import Sample
from audit.extract import Extraction, extract
from audit.inputs import Inputs, Progress, acquired
from audit.models import DetectorCard, ModelCard
from audit.plan import RunOptions
from audit.recipe import from_scores
from audit.recipe.from_scores import Scored
from audit.recipe.from_templates import of_templates, say
from audit.recipe.publishing import Made, card_text
from audit.record import EvaluationRecord, Movement
from audit.store import TemplateStore

if TYPE_CHECKING:
    from audit.models.capture_meter import MeterCard
    from audit.watch_list import WatchList


def measure(inputs: Inputs, options: RunOptions, progress: Progress) -> Made:
    """Templates, comparisons, counts, rates, differentials, record."""
    with cluster.connected(options.cluster) if options.cluster else contextlib.nullcontext():
        return _measured(inputs, options, progress)


def _measured(inputs: Inputs, options: RunOptions, progress: Progress) -> Made:
    began = time.perf_counter()
    sent = sending.said(inputs.card, len({*inputs.judged.subjects, *inputs.setters.subjects}), yet=False)
    if sent is not None:
        say(sent)
    if inputs.card.service is not None and inputs.card.service.compares:
        return from_scores.record_of(_answered(inputs, options, progress), options.cache)
    everything = _extract(
        (*inputs.samples, *inputs.pictures), inputs.card, inputs, options, progress, _noting(inputs, options)
    )
    extraction = everything.part(inputs.samples, 0)
    found = _found(inputs, options, progress)
    extracted = time.perf_counter()
    judged, sampling, lossy = of_templates(inputs, inputs.judged, extraction, options, progress)
    same = inputs.setters is inputs.judged
    setters = judged if same else of_templates(inputs, inputs.setters, extraction, options, progress)[0]
    scored = Scored(
        inputs.plan,
        inputs.benchmark,
        assemble.model_part(inputs.card),
        inputs.digests,
        inputs.judged,
        inputs.setters,
        judged,
        setters,
        acquired(inputs.judged, extraction.failures),
        inputs.card.similarity,
        extraction.several_faces,
        tuple(remarks.of_extraction(inputs, extraction)),
        options.device,
        sampling,
        lossy,
        card_text(inputs.card),
    )
    made = from_scores.record_of(scored, options.cache)
    record, looks = made.record, list[Look]()
    if inputs.plan.covariates:
        record = _with_conditions(inputs, extraction, judged, record, options, progress)
    if inputs.series:
        of_series = everything.part(inputs.pictures, len(inputs.samples))
        moved = _moved(inputs, extraction, of_series, found, record)
        record = record.model_copy(update={"counterfactuals": moved})
    if inputs.watch_list is not None:
        record, looks = _with_list(inputs, inputs.watch_list, extraction, record, progress)
    timing = {"extraction": extracted - began, "measurement": time.perf_counter() - extracted, **everything.timing}
    timed = record.model_copy(update={"timing": {name: round(value, 3) for name, value in timing.items()}})
    return made.but(timed, looks)


def _answered(inputs: Inputs, options: RunOptions, progress: Progress) -> Scored:
    """Scores of a service that compares; from the comparisons on, the code is that of templates."""
    from audit import answered  # noqa: PLC0415 - of this kind of model alone

    found = answered.compared(inputs, options, progress)
    return Scored(
        inputs.plan,
        inputs.benchmark,
        assemble.model_part(inputs.card),
        inputs.digests,
        inputs.judged,
        inputs.judged,
        found.comparisons,
        found.comparisons,
        found.acquired,
        inputs.card.similarity,
        remarks=found.noticed,
        device="none",
        sampling=found.sampling,
        card=card_text(inputs.card),
    )


def _extract(
    samples: Sequence[Sample],
    card: ModelCard | DetectorCard,
    inputs: Inputs,
    options: RunOptions,
    progress: Progress,
    noting: MeterCard | None = None,
) -> Extraction:
    def load() -> Any:
        model = models.load(card, workers=options.workers, device=options.device)
        if noting is not None:
            from audit.models import capture_meter  # noqa: PLC0415 - of plans with covariates alone

            capture_meter.attach(model)
        return model

    return extract(
        samples,
        card,
        load,
        TemplateStore(options.cache),
        digests=inputs.files,
        workers=options.workers,
        fresh=options.fresh,
        max_failures=options.max_failures,
        progress=progress,
        elsewhere=extract_on_cluster.on(options.cluster, card, options.device)
        if options.cluster and isinstance(card, ModelCard) and card.service is None
        else None,
        noting=noting,
    )


def _noting(inputs: Inputs, options: RunOptions) -> MeterCard | None:
    """The meter of capture conditions, where the model looks for faces as it does: they are measured on the way."""
    from audit import captured  # noqa: PLC0415 - of plans with covariates alone

    here = options.device == "cpu" and not options.cluster and inputs.card.detection.detector == "mtcnn"
    return captured.meter(inputs.plan) if here else None


def _found(inputs: Inputs, options: RunOptions, progress: Progress) -> dict[str, Extraction]:
    """What each detector finds in the pictures of the series."""
    if not inputs.series:
        return {}
    return {
        card.name: _extract(inputs.pictures, card, inputs, replace(options, max_failures=None), progress)
        for card in models.detectors(inputs.card.detection)
    }


def _moved(
    inputs: Inputs,
    extraction: Extraction,
    of_series: Extraction,
    found: Mapping[str, Extraction],
    record: EvaluationRecord,
) -> list[Movement]:
    """The counterfactual part: what changes with the one factor that is changed, at the global operating points."""
    from audit import assemble_series  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    points = [point for point in record.operating_points if point.policy != "per-group"]
    seen = assemble_series.outcomes(
        inputs.pictures,
        of_series,
        inputs.samples,
        extraction,
        found,
        next((card.name for card in models.detectors(inputs.card.detection) if card.landmarks), None),
        {point.id: point.threshold for point in points if point.threshold is not None},
        inputs.card.similarity,
    )
    plan = inputs.plan
    return assemble_series.parts(inputs.series, seen, level=plan.level, min_subjects=plan.min_subjects)


def _with_conditions(
    inputs: Inputs,
    extraction: Extraction,
    comparisons: Comparisons,
    record: EvaluationRecord,
    options: RunOptions,
    progress: Progress,
) -> EvaluationRecord:
    """The capture conditions of the judged people's samples, and what of the gaps between groups goes with them."""
    from audit import assemble_conditions, captured  # noqa: PLC0415 - load the compiler, and a detector
    from audit.compare.all_pairs import AllPairs  # noqa: PLC0415
    from audit.compare.blocks import ArrayRows, stored  # noqa: PLC0415

    people, plan = inputs.judged, inputs.plan
    noted = _noting(inputs, options) is not None
    found = captured.measure(people.samples, inputs.files, plan, replace(options, progress=progress), noted=noted)
    subjects = {subject: index for index, subject in enumerate(people.subjects)}
    place = {sample.sample_id: index for index, sample in enumerate(people.samples)}
    names = [inputs.samples[index].sample_id for index in extraction.template_index]
    own = [k for k, name in enumerate(names) if name in place]
    every = stored(ArrayRows(extraction.templates[own]), plan.storage), inputs.card.similarity
    compared = assemble_conditions.Compared(
        comparisons,
        np.array([place[names[k]] for k in own], dtype=np.int64),
        np.array([subjects[sample.subject_id] for sample in people.samples], dtype=np.int64),
        every if isinstance(comparisons, AllPairs) else None,
    )
    part = assemble_conditions.part(found, compared, people.grouping, record.operating_points, plan)
    return record.model_copy(update={"conditions": part})


def _with_list(
    inputs: Inputs, drawn: WatchList, extraction: Extraction, record: EvaluationRecord, progress: Progress
) -> tuple[EvaluationRecord, list[Look]]:
    """The identification part, and its cells: the judged people's templates against those of people on the list."""
    from audit import assemble_identification  # noqa: PLC0415 - loads the compiler, which a finished run does not need
    from audit.compare.blocks import ArrayRows, stored  # noqa: PLC0415

    people = inputs.judged
    place = {subject: index for index, subject in enumerate(people.subjects)}
    row_of = {inputs.samples[index].sample_id: row for row, index in enumerate(extraction.template_index)}
    tested = assemble_identification.ListInputs(
        inputs.plan,
        people.grouping,
        inputs.card.similarity,
        inputs.benchmark.name,
        drawn,
        np.array([place[sample.subject_id] for sample in people.samples], dtype=np.int64),
        np.array([row_of.get(sample.sample_id, -1) for sample in people.samples], dtype=np.int64),
        stored(ArrayRows(extraction.templates), inputs.plan.storage),
    )
    made, looks = assemble_identification.added(record, tested, lambda done, total: progress("compare", done, total))
    return assemble_scenario.with_growth(made), looks
