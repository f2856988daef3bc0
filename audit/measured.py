"""Attributes that are measured in a benchmark's own pictures, for a plan that groups by them.

So far one, the angle of skin tone (`audit.skin`). A measurement of pictures is an attribute with provenance "measured",
its spread beside it; nothing of it says who somebody is. Outcomes lie in the store under the picture's digest like
those of any model, so that they are computed once, and go with the person who withdraws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit import forgetting, influence, models
from audit.domain import Attribute, Benchmark, FailureToAcquire, Measurement, Subject
from audit.extract import extract, hash_samples
from audit.models.card import Detection
from audit.models.tone import FIELDS, meter
from audit.plan import AuditPlan, RunOptions
from audit.skin import ita
from audit.store import TemplateStore

NAME = "measured_ita"
UNIT = "degrees"
_EDGES = [f"{edge:g}" for edge in ita.EDGES]
_NAMED = [
    f"under {_EDGES[0]} {ita.BANDS[0]}",
    *(f"from {low} {name}" for low, name in zip(_EDGES, ita.BANDS[1:], strict=True)),
]
NOTE = (
    "Individual typology angle, arctan((L* - 50) / b*), of cheeks and forehead in the pictures (CIELAB, D65). "
    f"Bands of Chardon (1991) and Del Bino and Bernerd (2013): {', '.join(_NAMED)}. "
    "It is the colour of skin in these pictures, under their light, camera and processing: other light moves it. "
    "It is not a person's race or ethnicity, and nobody's own statement."
)

LIMIT = (
    "Groups by measured skin tone are groups of colours in pictures: light, camera and processing decide them too, and "
    "other pictures of the same people may fall into other groups."
)


@dataclass(frozen=True, slots=True)
class PersonTone:
    """What a person's pictures say: `degrees` is the median over them, `spread` their standard deviation (n - 1)."""

    subject_id: str
    degrees: float
    images: int
    spread: float | None
    pixel_spread: float
    sides: float
    several_bands: bool


@dataclass(frozen=True, slots=True)
class Tones:
    """Everybody's, and how it went."""

    people: tuple[PersonTone, ...]
    without: int
    failures: Mapping[str, FailureToAcquire]
    images: int

    def summary(self) -> Measurement:
        """Reduce to what a record says beside the attribute: no person stands out in it."""
        between = [one.spread for one in self.people if one.spread is not None]
        return Measurement(
            people=len(self.people),
            without=self.without,
            images=self.images,
            pixel_spread=_median([one.pixel_spread for one in self.people]),
            sides=_median([one.sides for one in self.people]),
            image_spread=_median(between),
            several_bands=sum(one.several_bands for one in self.people),
        )


def wanted(benchmark: Benchmark, names: Sequence[str]) -> bool:
    """Say whether a plan asks for the measured attribute, and the benchmark does not bring one of its name."""
    return NAME in names and NAME not in benchmark.attributes


def with_tone(benchmark: Benchmark, subjects: Sequence[Subject], plan: AuditPlan, options: RunOptions) -> Benchmark:
    """Add the measured attribute to a benchmark; people of whom nothing could be measured have no label.

    Raises
    ------
    ModelError
        If what measures is not installed.
    """
    tones = measure(benchmark, subjects, Detection.of(plan), options)
    values = {one.subject_id: (f"{one.degrees:.2f}",) for one in tones.people}
    attribute = Attribute(
        NAME, "measured", "numeric", edges=ita.EDGES, unit=UNIT, note=NOTE, measurement=tones.summary()
    )
    return replace(
        benchmark,
        limits=(*benchmark.limits, LIMIT),
        attributes={**benchmark.attributes, NAME: attribute},
        subjects=tuple(
            replace(one, attributes={**one.attributes, NAME: values.get(one.subject_id, ())})
            for one in benchmark.subjects
        ),
    )


def measure(
    benchmark: Benchmark,
    subjects: Sequence[Subject],
    detection: Detection,
    options: RunOptions,
    *,
    last: bool = False,
) -> Tones:
    """Measure every picture of some people, on faces found as `detection` says.

    What the cache keeps of a picture is a measurement of somebody: so whoever withdrew is cleared out of it first, and
    whose pictures these are is remembered, as in any run. Where nothing follows (`last`) and the terms ask for it, what
    was derived from the faces is deleted again.

    Raises
    ------
    ModelError
        If what measures is not installed.
    Refused, DataError
        See `forgetting.clear`.
    """
    card = meter(detection)
    kept = {subject.subject_id for subject in subjects}
    samples = [sample for sample in benchmark.samples if sample.subject_id in kept]
    files = hash_samples(samples, workers=options.workers)
    domain = influence.domain(benchmark.consent.tier, benchmark.name, benchmark.digest)
    forgetting.clear(benchmark, samples, files, domain, options.cache)
    found = extract(
        samples,
        card,
        lambda: models.load(card, workers=options.workers),
        TemplateStore(options.cache),
        digests=files,
        workers=options.workers,
        progress=_renamed(options.progress),
    )
    if last and benchmark.delete_templates:
        TemplateStore(options.cache).forget(file for file in files.values() if isinstance(file, str))
    rows: dict[str, list[NDArray[np.float32]]] = {subject.subject_id: [] for subject in subjects}
    for index, vector in zip(found.template_index, found.templates, strict=True):
        rows[samples[index].subject_id].append(vector)
    people = tuple(_person(name, np.array(vectors, np.float64)) for name, vectors in rows.items() if vectors)
    return Tones(people, len(rows) - len(people), found.failures, len(found.templates))


def _person(name: str, vectors: NDArray[np.float64]) -> PersonTone:
    """Reduce a person's pictures, n x fields."""
    column = {field: vectors[:, k] for k, field in enumerate(FIELDS)}
    degrees = column["degrees"]
    return PersonTone(
        subject_id=name,
        degrees=float(np.median(degrees)),
        images=len(degrees),
        spread=float(np.std(degrees, ddof=1)) if len(degrees) > 1 else None,
        pixel_spread=float(np.median(column["spread"])),
        sides=float(np.median(np.abs(column["sides"]))),
        several_bands=len({ita.band(one) for one in degrees}) > 1,
    )


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _renamed(progress: Callable[[str, int, int], None] | None) -> Callable[[str, int, int], None] | None:
    if progress is None:
        return None
    return lambda _, done, total: progress("measure", done, total)
