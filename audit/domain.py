"""The nouns of an audit, and the rules they keep.

This module and `audit.stats` import nothing of ours but errors. Every noun is frozen: what has been measured is not
edited. Words are those of ISO/IEC 2382-37 and ISO/IEC 19795-1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import total_ordering
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "unknown"
"""The value of a missing label: a group of its own, never imputed."""

Provenance = Literal["self-reported", "annotated", "measured", "derived-by-model", "assigned-by-design", "undocumented"]
Support = Literal["count-only", "low-precision", "sufficient"]
Verdict = Literal["DISPARITY", "EQUIVALENT", "INCONCLUSIVE"]
Policy = Literal["global", "per-group", "given"]
Stage = Literal["read", "decode", "detect", "align", "template", "score"]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Points = tuple[tuple[float, float], ...]
"""Five of x and y: left eye, right eye, nose, left and right corner of the mouth as seen in the picture."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class DemographicGroup:
    """A set of attribute values; the empty one is everyone.

    Equality and hash ignore the order of attributes; printing keeps it.

    >>> print(DemographicGroup.of(gender="female", ethnicity="black"))
    gender=female & ethnicity=black
    >>> DemographicGroup.of(a="1", b="2") == DemographicGroup.of(b="2", a="1")
    True
    >>> print(DemographicGroup())
    everyone
    """

    items: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if len({name for name, _ in self.items}) != len(self.items):
            raise ValueError(f"an attribute stands twice in {self.items!r}")

    @classmethod
    def of(cls, values: Mapping[str, str] | None = None, /, **more: str) -> DemographicGroup:
        """Make a group from attribute values, in the order given."""
        return cls(tuple({**(values or {}), **more}.items()))

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes that define the group."""
        return tuple(name for name, _ in self.items)

    def as_dict(self) -> dict[str, str]:
        """Attribute to value."""
        return dict(self.items)

    def __str__(self) -> str:
        return " & ".join(f"{name}={value}" for name, value in self.items) or "everyone"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DemographicGroup) and frozenset(self.items) == frozenset(other.items)

    def __hash__(self) -> int:
        return hash(frozenset(self.items))

    def __lt__(self, other: DemographicGroup) -> bool:
        return (len(self.items), self.items) < (len(other.items), other.items)


@dataclass(frozen=True, slots=True)
class Sample:
    """One biometric sample (an image file).

    `sha256` is the digest that the benchmark's descriptor declares, or None where it declares none.
    """

    sample_id: str
    subject_id: str
    path: Path
    sha256: str | None = None
    session: str | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)
    box: Box | None = None
    """Where the benchmark says that the face is, in pixels of the upright picture."""
    points: Points | None = None
    """Where it says that eyes, nose and mouth are, in the same pixels."""


@dataclass(frozen=True, slots=True)
class SeriesLevel:
    """A picture of a person with one factor changed: `level` of `factor`, at `position` in the order of levels.

    Exactly one level of a person's factor is her `own`: there nothing is changed. Samples of a series are compared
    with the person's other samples by the counterfactual task alone.
    """

    sample: Sample
    factor: str
    level: str
    position: int
    own: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """One consenting person; each attribute holds zero (missing), one or several raw values as text."""

    subject_id: str
    attributes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Measurement:
    """How sure a measured attribute is: medians in the attribute's unit, over people; None where nobody has one.

    `pixel_spread` is within a picture, `sides` between a face's two sides, `image_spread` the standard deviation
    between a person's pictures; `several_bands` counts people whose own pictures fall into more than one group.
    """

    people: int
    without: int
    images: int
    pixel_spread: float | None
    sides: float | None
    image_spread: float | None
    several_bands: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """A demographic attribute of a benchmark: who assigned it, and what its values mean.

    For `kind="numeric"`, `edges` are the declared inner bin edges: a value v falls in the bin [edge, next edge).
    There is no default binning.
    """

    name: str
    provenance: Provenance
    kind: Literal["categorical", "numeric"] = "categorical"
    values: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    unit: str = ""
    note: str = ""
    annotators: tuple[str, ...] = ()
    """Names under which subjects carry what each single annotator said; empty where that is not known."""
    measurement: Measurement | None = None
    """Of an attribute that was measured in the pictures by this program."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What was agreed to, by whom it is known, and what the terms allow.

    Fields are never inferred from each other: a licence of a picture is not consent of the person.
    """

    tier: str
    statement: str
    statement_source: str
    licence: str
    purposes: Mapping[Literal["evaluation", "biometric", "commercial"], Literal["allowed", "not-named", "forbidden"]]
    minors: Literal["no", "yes", "unknown"]
    live: bool
    withdrawal: str
    notices: tuple[str, ...] = ()
    """What the gate demands to be printed in every report."""
    acknowledged: tuple[str, ...] = ()
    sending: str = ""
    """Why pictures may not be sent to a service elsewhere; empty where they may."""


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """People who took their consent back, and what of theirs lies here; a record holds counts, day and digest alone.

    `listed` is how many are on the list, `date` the latest day on it, `digest` its SHA-256. `subjects` are those whom
    the tables still name, and `samples` the pictures that went with them.
    """

    listed: int
    date: str
    digest: str
    subjects: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Descriptor, subjects with demographic labels and who assigned them, samples, comparison protocol."""

    name: str
    title: str
    version: str
    root: Path
    consent: Consent
    citation: str
    attributes: Mapping[str, Attribute]
    default_by: tuple[str, ...]
    subjects: tuple[Subject, ...]
    samples: tuple[Sample, ...]
    digest: str
    """SHA-256 of the canonical descriptor."""
    pairs: tuple[tuple[str, str], ...] | None = None
    """(probe, reference) sample ids; None compares every sample with every other."""
    folds: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Fold of every pair of `pairs`; empty where the protocol has none."""
    series: tuple[SeriesLevel, ...] = ()
    """Pictures with one factor changed; empty where the benchmark has none."""
    limits: tuple[str, ...] = ()
    """What the descriptor says this set cannot show."""
    notes: tuple[str, ...] = ()
    """What was noticed while loading (files without a row, undocumented values, ...), in counts, without ids."""
    withdrawn: Withdrawals | None = None
    """Whom the list of withdrawals took out of everything above; None where there is no list."""
    delete_templates: bool = False
    """Templates of this set are to be deleted once the run is done."""
    descriptor: str = ""
    """The canonical descriptor as it is published: without files of single people. Empty where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image as it was decoded, RGB and upright: perhaps at a half of its size or less, and whole on demand."""

    pixels: NDArray[np.uint8]
    reduction: int = 1
    """Pixels of the whole image along the side of one of `pixels`."""
    whole: Callable[[], NDArray[np.uint8] | FailureToAcquire] | None = None
    """Decodes it at full size; None where `pixels` are that."""
    box: Box | None = None
    """Where the benchmark says that the face is, in pixels of the whole image."""
    points: Points | None = None
    """Where it says that eyes, nose and mouth are, in the same pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A biometric template: float32 vector of the model's dimension. It never leaves the cache."""

    vector: NDArray[np.float32]
    faces: int = 1
    """How many faces the detector saw; above 1, the declared several-faces policy chose."""
    noted: NDArray[np.float32] | None = None
    """What a meter measured of the same face on the way, where one was asked for; it is filed apart."""


DURING = "during the run"
"""How the reason of a failure ends that lies with the machine: no record that counts one is a finished one."""


@dataclass(frozen=True, slots=True)
class FailureToAcquire:
    """The other outcome of extraction: a value with stage and reason, never an exception."""

    stage: Stage
    reason: str

    @property
    def passing(self) -> bool:
        """Whether it lies with the machine, and not with the image: the next run may not meet it."""
        return self.reason.endswith(DURING)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """All faces that a detector found in a picture, in pixels of the picture that it was given.

    `boxes` is n x 5: left, top, right, bottom, confidence. `points`, n x 5 x 2, are left eye, right eye, nose, left and
    right corner of the mouth as seen in the picture; None: the detector gives boxes alone.
    """

    boxes: NDArray[np.float64]
    points: NDArray[np.float64] | None = None

    def scaled(self, factor: NDArray[np.float64]) -> Detections:
        """The same in pixels of a picture that is `factor` (x, y) times as large."""
        boxes = self.boxes * np.r_[np.tile(factor, 2), 1.0]
        return Detections(boxes, None if self.points is None else self.points * factor)


@dataclass(frozen=True, slots=True)
class AttributeEstimate:
    """What an attribute model says about the face of a picture: assigned by the model, never a label of the person.

    Nothing turns it into an attribute of a `Subject`: such models are audited against the labels of a benchmark, and
    label none.
    """

    age: float | None = None
    """Years; None where the model says nothing about age."""
    probabilities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Attribute to the model's labels, and each label's probability in [0, 1]."""
    faces: int = 1
    """How many faces the detector saw; above 1, the declared several-faces policy chose."""

    def most_probable(self, attribute: str) -> str:
        """Label with the highest probability, of equal ones the first; KeyError where the model says nothing of it.

        >>> AttributeEstimate(probabilities={"gender": {"female": 0.25, "male": 0.75}}).most_probable("gender")
        'male'
        """
        of = self.probabilities[attribute]
        return max(of, key=lambda label: of[label])


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a rate or ratio."""

    low: float
    high: float
    level: float
    method: str

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"interval is empty or not a number: [{self.low}, {self.high}]")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A decision threshold that knows where it was set: accept iff score >= value.

    `value` is None where the target cannot be estimated, and `reason` says why. Where a protocol has folds, those of
    `by_fold` decide, one a fold, each set on the other folds; `value` is then their mean, a name for them.
    """

    id: str
    policy: Policy
    group: DemographicGroup
    target_fmr: float | None
    value: float | None
    achieved_fmr: float | None
    set_on: str
    reason: str | None = None
    by_fold: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """A rate that is a count first.

    `value` is None at 0 trials, and where fewer than the plan's `min_subjects` people stand behind it; `reason` then
    says why.
    """

    metric: str
    group: DemographicGroup
    errors: int
    trials: int
    subjects: int
    interval: Interval | None = None
    view: Literal["conditional", "generalised"] = "conditional"
    reference_group: DemographicGroup | None = None
    operating_point: str | None = None
    variance: float | None = None
    design_effect: float | None = None
    effective_errors: float | None = None
    support: Support = "count-only"
    suppressed: bool = False
    reason: str | None = None
    point: float | None = None
    """For generalised rates, which are composed of two: the composed value. None elsewhere."""

    @property
    def value(self) -> float | None:
        """Errors per trial, in [0, 1], or None."""
        if self.trials == 0 or self.suppressed:
            return None
        return self.point if self.point is not None else self.errors / self.trials


@runtime_checkable
class FaceModel(Protocol):
    """What turns images into templates."""

    name: str
    revision: str
    card: Any

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> list[Template | FailureToAcquire]:
        """Extract a template or a failure from every image, in order.

        Parameters
        ----------
        images : sequence of uint8 arrays, height x width x 3, RGB, upright

        Returns
        -------
        list, one outcome an image
        """
        ...


@runtime_checkable
class AttributeModel(Protocol):
    """What says something about the face of an image: years, or the probabilities of labels."""

    name: str
    revision: str
    card: Any

    def assess(self, images: Sequence[NDArray[np.uint8]]) -> list[AttributeEstimate | FailureToAcquire]:
        """Say it of every image, or why nothing can be said, in order.

        Parameters
        ----------
        images : sequence of uint8 arrays, height x width x 3, RGB, upright

        Returns
        -------
        list, one outcome an image
        """
        ...


@runtime_checkable
class FaceDetector(Protocol):
    """What finds the faces of an image."""

    name: str
    revision: str
    card: Any

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Find all faces of an image; safe to call from several threads.

        Parameters
        ----------
        image : uint8, height x width x 3, RGB, upright
        """
        ...
