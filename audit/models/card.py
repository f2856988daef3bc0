"""The card of a model: what it is, what it was trained on, and exactly how an image becomes its template.

`card_file` is what stands in a file; here it is resolved: with weights that were found and checked, and with the
settings of a plan.

Preprocessing decides numbers as much as weights do. It is therefore described once, in a canonical form, whose
digest is the preprocessing id: part of the record, and part of the key under which templates are cached.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit.models.service import Service
from audit.plan import AuditPlan

Similarity = Literal["cosine", "dot", "euclidean"]
Alignment = Literal["arcface", "dlib", "box", "deepface"]
BY_LANDMARKS: tuple[Alignment, ...] = ("arcface", "deepface")
"""Alignments that need a face's landmarks from whatever found it."""
ThresholdUnit = Literal["cosine", "cosine distance", "dot", "euclidean"]

DECODING = "first frame, upright by EXIF, alpha over white, CMYK without profile, 16-bit grey by 1/257"
"""What `audit.decode` does; the text is part of the preprocessing id, so a change of it changes the id."""
SCALED = (
    "a JPEG at 1/2, 1/4 or 1/8 of its size where that leaves nine tenths of the working size; the face is cut out of "
    "that if it is at least as wide there as the network's input, and otherwise out of the full size"
)
"""Images for models; detectors on their own look at the full size."""

_ALIGNMENTS: dict[Alignment, str] = {
    "arcface": "similarity transform of MTCNN's five points to the ArcFace template (Umeyama 1991), bilinear after a "
    "box reduction by the whole part of the scale",
    "dlib": "dlib's own five landmarks inside MTCNN's box, dlib's chip with padding 0.25, no jitter",
    "box": "MTCNN's box with its margin, resized with antialiased bilinear interpolation",
    "deepface": "MTCNN's box, cut out by deepface after turning what is around it until the eyes are level (bicubic), "
    "its aspect kept, resized by OpenCV (bilinear), black around it; without margin",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


_DETECTORS: dict[str, tuple[str, dict[str, Any]]] = {
    "mtcnn": (
        "MTCNN of facenet-pytorch",
        {"name": "MTCNN", "thresholds": [0.6, 0.7, 0.7], "factor": 0.709, "reduction": "box", "averages": "exact"},
    ),
    "dlib-hog": (
        "dlib's frontal detector (image doubled if the smallest face is below 80 pixels), five of dlib's 68 landmarks,",
        {"name": "dlib-hog", "points": "five of 68", "reduction": "box"},
    ),
    "truth": ("nobody: what the benchmark has marked is taken; sizes are without effect", {"name": "truth"}),
}
"""In words, and as it stands in the preprocessing id."""


_Side = Annotated[int, Field(ge=16, le=1024)]


class InputSpec(_Part):
    """What the network is fed with: (pixel - mean) / deviation, pixel in 0..255."""

    size: _Side | tuple[_Side, _Side] = Field(description="Side of the square crop in pixels, or its width and height")
    colour: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = Field(description="In the order of `colour`")
    deviation: tuple[float, float, float] = Field(description="In the order of `colour`; never 0")
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    alignment: Alignment = "arcface"

    @model_validator(mode="after")
    def _divisible(self) -> InputSpec:
        if 0 in self.deviation:
            raise ValueError("a deviation of 0 cannot be divided by")
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """Width and height of the crop in pixels."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size


class VendorThreshold(_Part):
    """The threshold that a vendor or a library delivers with its model."""

    value: float = Field(allow_inf_nan=False)
    unit: ThresholdUnit = Field(description="A cosine distance is 1 - cosine; euclidean is a distance")
    meaning: str = Field(min_length=1, description="What it is said to be for, in its source's sense")
    source: str = Field(min_length=1, description="Where it is stated")

    def in_units_of(self, similarity: Similarity) -> float | None:
        """Give the threshold in a model's own unit (a distance for euclidean); None: it is not one of its scores.

        >>> said = VendorThreshold(value=0.75, unit="cosine distance", meaning="any", source="any")
        >>> said.in_units_of("cosine"), said.in_units_of("euclidean")
        (0.25, None)
        """
        if self.unit == "cosine distance" and similarity == "cosine":
            return 1 - self.value
        return self.value if self.unit == similarity else None


class Paper(_Part):
    """Where the model is described."""

    title: str = Field(min_length=1)
    year: int = Field(ge=1900, le=2100)
    link: str = Field(pattern=r"^https://")


class Detection(_Part):
    """How faces are found: the settings of the plan that decide it."""

    working_size: int
    smallest_face: int
    several_faces: Literal["largest", "most-central", "most-confident"]
    margin: float = 0.0
    detector: Literal["mtcnn", "dlib-hog", "truth"] = "mtcnn"

    @classmethod
    def of(cls, plan: AuditPlan) -> Detection:
        """Take them from the plan."""
        return cls(
            working_size=plan.working_size,
            smallest_face=plan.smallest_face,
            several_faces=plan.several_faces,
            margin=plan.margin,
            detector=plan.detector,
        )


class Prepared:
    """What has a preprocessing: the card of anything that is fed with faces."""

    if TYPE_CHECKING:
        name: str
        revision: str
        input: InputSpec
        detection: Detection
        device: Literal["cpu", "cuda"]
        precision: Literal["float32", "bfloat16"]
        packages: tuple[str, ...]
        parts: dict[str, Path]
        part_digests: dict[str, str]
        self_declared: bool

    @property
    def preprocessing(self) -> str:
        """Id of everything between the image file and the network: 16 hexadecimal digits."""
        text = json.dumps(self._description(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def preprocessing_text(self) -> str:
        """The same in words."""
        seek, feed = self.detection, self.input
        width, height = feed.shape
        precision = "" if self.precision == "float32" else f"in {self.precision} "
        channels = ", ".join(
            f"({c} - {m:g}) / {d:g}" for c, m, d in zip(feed.colour, feed.mean, feed.deviation, strict=True)
        )
        return (
            f"Image decoded ({DECODING}; {SCALED}). Faces found by {_DETECTORS[seek.detector][0]} on the image "
            f"reduced to at most {seek.working_size} pixels, smallest face {seek.smallest_face} pixels there; "
            f"of several faces the {seek.several_faces.replace('-', ' ')} is taken. Alignment: {self._alignment} "
            f"(margin {seek.margin:g}); "
            f"{width} x {height} pixels, {feed.colour}; channels {channels}. "
            f"Computed {precision}with {', '.join(f'{name} {number}' for name, number in self.versions().items())}."
        )

    @property
    def _alignment(self) -> str:
        text = _ALIGNMENTS[self.input.alignment]
        return text if self.detection.detector == "mtcnn" else text.replace("MTCNN", "the detector")

    def versions(self) -> dict[str, str]:
        """Versions of the distributions that decide a number."""
        return {name: version(name) for name in self.packages}

    def own_parts(self) -> dict[str, Any]:
        """Digests of what a user's own card reads beside its weights; in a published card they follow from these."""
        return {"parts": self.part_digests} if self.self_declared and self.part_digests else {}

    def _description(self) -> dict[str, Any]:
        return {
            "decoding": f"{DECODING}; {SCALED}",
            "detector": _DETECTORS[self.detection.detector][1],
            "detection": self.detection.model_dump(exclude={"detector"}),
            "alignment": self._alignment,
            "input": self.input.model_dump(),
            "packages": self.versions(),
            **self.own_parts(),
            **({} if self.device == "cpu" else {"device": self.device}),
            **({} if self.precision == "float32" else {"precision": self.precision}),
        }


class ModelCard(Prepared, _Part):
    """Everything about a model that a reader of its evaluation must know; file paths stay out of what is serialised."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Also a folder of results")
    revision: str = Field(min_length=1)
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    digest_source: str = Field(description="Who says that this is the digest of the weights")
    self_declared: bool = Field(False, description="The digest, and all that the card says, are the user's own word")
    licence: str = Field(min_length=1, description="Of the code")
    weights_licence: str = Field("", description="Of the weights, where it is stated")
    research_only: bool = Field(False, description="The weights may be used for research alone")
    training_sets: tuple[str, ...] = Field((), description="Names of the data sets, to be looked up in the catalogue")
    training_data: str = Field("", description="What they were trained on, beside the named sets or in place of them")
    training_consent: str = Field("", description="What is known of the consent of the people, where no set is named")
    vendor_threshold: VendorThreshold | None = None
    paper: Paper | None = None
    source: str = ""
    similarity: Similarity = Field(description="euclidean: the distance, negated")
    dimension: int = Field(ge=1, le=65536)
    input: InputSpec
    detection: Detection
    device: Literal["cpu", "cuda"] = Field("cpu", exclude=True, description="Where the networks run")
    precision: Literal["float32", "bfloat16"] = Field("float32", exclude=True, description="In which they compute")
    precisions: tuple[str, ...] = Field(("float32",), exclude=True, description="In which they can compute")
    packages: tuple[str, ...] = Field(description="Distributions whose version decides a number")
    loader: str = Field(exclude=True, repr=False, description="module:function that makes the model from this card")
    options: dict[str, str] = Field(default_factory=dict, exclude=True, description="Of the adapter")
    weights: Path = Field(exclude=True, repr=False)
    parts: dict[str, Path] = Field(default_factory=dict, exclude=True, repr=False)
    check: str = Field("", exclude=True, repr=False, description="module:function that refuses what cannot run here")
    ran: str = Field("", exclude=True, description="Where the network runs, if not in this process")
    service: Service | None = Field(None, description="Where images are sent, for a model behind an address")
    may_send_to: tuple[str, ...] = Field((), exclude=True, description="Hosts that images may go to in this run")
    part_digests: dict[str, str] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def preprocessing_text(self) -> str:
        """Everything between the image file and the network, in words; and where the network is, if not here."""
        if self.service is not None and self.service.picture == "whole":
            return f"Image decoded ({DECODING}).{self._sent}"
        return f"{super().preprocessing_text}{self._sent}{f' {self.ran}' if self.ran else ''}"

    @property
    def _sent(self) -> str:
        """What is known of a service: nearly nothing."""
        if self.service is None:
            return ""
        what = "The whole picture" if self.service.picture == "whole" else "The crop"
        return (
            f" {what} was sent as {self.service.format.upper()} to {self.service.host}, which answered with a "
            "template. What it does with a picture is not known."
        )

    def _description(self) -> dict[str, Any]:
        if self.service is None:
            return super()._description()
        service = {"service": self.service.deciding()}
        if self.service.picture == "whole":
            return {**service, "decoding": DECODING, "packages": self.versions()}
        return {**service, **super()._description()}
