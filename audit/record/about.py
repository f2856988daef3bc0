"""What an evaluation is of: benchmark, model, digests."""

from __future__ import annotations

from pydantic import Field

from audit.domain import Provenance
from audit.record.part import Part


class Digests(Part):
    """SHA-256 digests, hexadecimal."""

    benchmark: str = Field(description="canonical descriptor")
    samples: str = Field(description="all image files with their sample rows")
    weights: str
    plan: str
    code: str = Field(description="the package's own source files")


class MeasurementPart(Part):
    """How sure a measured attribute is; medians over people, in the attribute's unit."""

    people: int
    without: int = Field(description="people of whom nothing could be measured: they have no label")
    images: int
    pixel_spread: float | None = Field(description="within a picture: robust standard deviation over pixels")
    sides: float | None = Field(description="between the two sides of a face: what uneven light does")
    image_spread: float | None = Field(description="between a person's pictures: standard deviation")
    several_bands: int = Field(description="people whose own pictures fall into more than one group")


class AttributePart(Part):
    """An attribute, who assigned it, and its values."""

    provenance: Provenance
    values: list[str]
    note: str = ""
    measurement: MeasurementPart | None = None


class WithdrawnPart(Part):
    """People who were left out because they withdrew: what a comparison of before and after needs, naming nobody."""

    listed: int = Field(ge=0, description="people on the list")
    people: int = Field(ge=0, description="of them, those whom the benchmark's tables still hold")
    date: str = Field(description="latest day on the list")
    digest: str = Field(description="SHA-256 of the list")


class BenchmarkPart(Part):
    """What it was measured on."""

    name: str
    title: str
    version: str
    consent_tier: str
    consent_statement: str
    consent_source: str
    licence: str
    purposes: dict[str, str]
    citation: str
    live: bool
    notices: list[str] = Field(description="what the consent gate demands to be said")
    acknowledged: list[str] = Field([])
    withdrawn: WithdrawnPart | None = Field(None, description="null: there is no list of withdrawals")
    attributes: dict[str, AttributePart]


class TrainingSet(Part):
    """A data set that a model was trained on, as the catalogue knows it."""

    name: str
    tier: str = Field("", description="consent tier; empty: the catalogue does not have it")
    meaning: str = Field("", description="of the tier")
    consent: str = Field("", description="what is known of the people's consent, and how far that was checked")
    status: str


class VendorThresholdPart(Part):
    """The threshold that a vendor or a library delivers with its model."""

    value: float
    unit: str
    meaning: str = Field(description="what it is said to be for")
    source: str
    threshold: float | None = Field(
        None, description="the same in the model's own unit; null: it is none of its scores"
    )
    operating_point: str | None = Field(None, description="where it was judged as given; null: it was not")


class PaperPart(Part):
    """Where the model is described."""

    title: str
    year: int
    link: str


class ModelPart(Part):
    """What was measured."""

    name: str
    revision: str
    weights_sha256: str
    digest_source: str = Field("", description="who says that this is the digest of the weights")
    self_declared: bool = Field(False, description="weights and card are the user's own word, not a published model's")
    licence: str
    weights_licence: str = Field("", description="empty: not stated apart from that of the code")
    research_only: bool = Field(False, description="the weights may be used for research alone")
    training_data: str
    training_consent: str = Field(description="what is known of the consent of the people it was trained on")
    training_sets: list[TrainingSet] = Field([])
    vendor_threshold: VendorThresholdPart | None = Field(None, description="null: none is stated")
    paper: PaperPart | None = None
    source: str = ""
    similarity: str
    dimension: int
    preprocessing: str = Field(description="id of detector, alignment and their settings")
    preprocessing_text: str = Field(description="the same in words")
