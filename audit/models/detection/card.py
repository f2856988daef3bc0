"""The card of a face detector: what it finds, what its confidence means, and on what it was trained."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit.models.card import DECODING
from audit.models.card_file import Told, ToldFile, WeightFile

_Side = Annotated[int, Field(ge=16, le=4096)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class DetectorInput(_Part):
    """What a network is fed with: the picture at its size, as (pixel - mean) / deviation, pixel in 0..255."""

    size: tuple[_Side, _Side] = Field(description="Width and height in pixels")
    fit: Literal["stretch", "pad"] = Field("pad", description="How a picture of another shape becomes that size")
    colour: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = Field((0.0, 0.0, 0.0), description="In the order of `colour`")
    deviation: tuple[float, float, float] = Field((1.0, 1.0, 1.0), description="In the order of `colour`; never 0")
    layout: Literal["NCHW", "NHWC"] = "NCHW"

    @model_validator(mode="after")
    def _divisible(self) -> DetectorInput:
        if 0 in self.deviation:
            raise ValueError("a deviation of 0 cannot be divided by")
        return self


class DetectorOutput(_Part):
    """Which outputs of an ONNX file hold what: n boxes of four numbers, n confidences, perhaps n times five points."""

    boxes: _Name
    scores: _Name
    points: str = Field("", description="Five of x and y, in the order of `audit.models.detect.Face`; empty: none")
    column: int = Field(0, ge=0, description="Of `scores`, where a box has several classes: the one that is a face")
    form: Literal["corners", "corner-size", "centre-size"] = "corners"
    unit: Literal["pixels", "share"] = Field("share", description="Of the network's input; share: of its sides")
    suppress: float = Field(
        0.3, ge=0, lt=1, description="Of two boxes that share more (IoU), the surer one is kept; 0: they stay"
    )


class _Said(Told):
    """What a file and a resolved card have in common."""

    confidence: float = Field(allow_inf_nan=False, description="From which its authors count a face as found")
    lowest: float = Field(allow_inf_nan=False, description="Below it the detector reports nothing")
    meaning: str = Field(min_length=1, description="What its confidence is")
    landmarks: bool = Field(False, description="Whether it says where eyes, nose and mouth are")
    box: str = Field(min_length=1, description="What its box is drawn round: boxes of two detectors differ in this")
    preparation: str = Field("", description="In words, how the picture gets to the network")
    input: DetectorInput | None = None
    output: DetectorOutput | None = None

    @model_validator(mode="after")
    def _reachable(self) -> _Said:
        if self.confidence < self.lowest:
            raise ValueError(f"confidence {self.confidence:g} lies below lowest {self.lowest:g}")
        return self


class DetectorCardFile(_Said, ToldFile):
    """A card as it stands in a TOML file."""

    weights: WeightFile | None = Field(None, description="None: they are built into a package")


class DetectorSettings(_Part):
    """What a plan decides about looking."""

    working_size: int
    smallest_face: int


class FaceDetectorCard(_Said):
    """The card with its weights found and checked, and a plan's settings; paths stay out of what is serialised."""

    revision: str = Field(min_length=1)
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    digest_source: str = Field(description="Who says that this is the digest of the weights")
    self_declared: bool = Field(False, description="The digest, and all that the card says, are the user's own word")
    settings: DetectorSettings
    packages: tuple[str, ...] = Field(description="Distributions whose version decides a number")
    loader: str = Field(exclude=True, repr=False, description="module:function that makes the detector from this card")
    weights: Path | None = Field(None, exclude=True, repr=False)
    parts: dict[str, Path] = Field(default_factory=dict, exclude=True, repr=False)
    part_digests: dict[str, str] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def preprocessing(self) -> str:
        """Id of everything between the image file and the network: 16 hexadecimal digits."""
        own = {
            "decoding": DECODING,
            "reduction": "box",
            "settings": self.settings.model_dump(),
            "preparation": self.preparation,
            "input": self.input and self.input.model_dump(),
            "output": self.output and self.output.model_dump(),
            "lowest": self.lowest,
            "parts": self.part_digests,
            "packages": self.versions(),
        }
        return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def preprocessing_text(self) -> str:
        """The same in words."""
        seek = self.settings
        versions = ", ".join(f"{name} {number}" for name, number in self.versions().items())
        fed = ""
        if self.input is not None:
            width, height = self.input.size
            fed = f" The network sees {width} x {height} pixels ({self.input.fit}), {self.input.colour}."
        return (
            f"Image decoded ({DECODING}), reduced to at most {seek.working_size} pixels by averaging; smallest face "
            f"{seek.smallest_face} pixels there. {self.preparation}{fed} Confidence: {self.meaning}. "
            f"The box: {self.box}. Computed with {versions}."
        )

    def versions(self) -> dict[str, str]:
        """Versions of the distributions that decide a number."""
        return {name: version(name) for name in self.packages}
