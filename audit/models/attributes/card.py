"""The card of an attribute model: what it says, what its labels mean, and on whom it was trained.

Its labels are assigned by the model. They are compared with what a benchmark's own labels mean, and never become
labels of a benchmark.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit.models.card import Detection, InputSpec, Prepared
from audit.models.card_file import Told, ToldFile, WeightFile

ASSIGNED = "assigned by the model"
"""Who says the labels, wherever they are shown."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Says(_Part):
    """One thing that a model says of a face: a label with its probability, or years."""

    attribute: str = Field(min_length=1, description="gender, race, ...; or age")
    labels: tuple[str, ...] = Field((), description="In the network's order; none: a number of years")
    meaning: str = Field(min_length=1, description="What the labels or the years mean, and who gave them in training")
    words: dict[str, str] = Field(
        default_factory=dict, description="Label to the word that benchmarks have for it, where it is another"
    )
    output: int = Field(0, ge=0, description="Which output of an ONNX file says it")
    first: int = Field(0, ge=0, description="Its first column there")
    scale: Literal["probabilities", "logits"] = Field("probabilities", description="What these columns hold")
    times: float = Field(1.0, gt=0, allow_inf_nan=False, description="Years in a unit of that column")

    @property
    def width(self) -> int:
        """Numbers that it takes: one for years, one for each label."""
        return max(1, len(self.labels))

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Says:
        if not self.labels and self.attribute != "age":
            raise ValueError("only age is said in years: every other attribute has labels")
        if len(self.labels) == 1 or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels are two at least, and each is another")
        if not set(self.words) <= set(self.labels):
            others = ", ".join(sorted(set(self.words) - set(self.labels)))
            raise ValueError(f"words is about labels, and these are none: {others}")
        return self


class _Said(Told):
    """What a file and a resolved card have in common."""

    says: tuple[Says, ...] = Field(min_length=1)
    input: InputSpec
    preparation: str = Field("", description="In words, where the model has a way of its own from image to network")
    options: dict[str, str] = Field(default_factory=dict, description="What an adapter needs to know besides")

    @model_validator(mode="after")
    def _each_once(self) -> _Said:
        if len({one.attribute for one in self.says}) != len(self.says):
            raise ValueError("an attribute is said once")
        return self


class AttributeCardFile(_Said, ToldFile):
    """A card as it stands in a TOML file."""

    weights: WeightFile

    @property
    def own_revision(self) -> str:
        """What a card of one's own is told apart by: its weights, and what it says that they say."""
        told = [self.weights.sha256, self.model_dump(mode="json", include={"says", "input", "options"})]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


class AttributeCard(Prepared, _Said):
    """The card with its weights found and checked, and a plan's settings; paths stay out of what is serialised."""

    revision: str = Field(min_length=1)
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    digest_source: str = Field(description="Who says that this is the digest of the weights")
    self_declared: bool = Field(False, description="The digest, and all that the card says, are the user's own word")
    detection: Detection
    device: Literal["cpu", "cuda"] = Field("cpu", exclude=True, description="Where the networks run")
    precision: Literal["float32", "bfloat16"] = Field("float32", exclude=True)
    packages: tuple[str, ...] = Field(description="Distributions whose version decides a number")
    loader: str = Field(exclude=True, repr=False, description="module:function that makes the model from this card")
    weights: Path = Field(exclude=True, repr=False)
    parts: dict[str, Path] = Field(default_factory=dict, exclude=True, repr=False)
    part_digests: dict[str, str] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def dimension(self) -> int:
        """Numbers in the vector of an image."""
        return sum(one.width for one in self.says)

    @property
    def preprocessing(self) -> str:
        """Id of everything between the image file and the numbers that are kept: 16 hexadecimal digits."""
        columns = [one.model_dump(exclude={"attribute", "meaning", "words"}) for one in self.says]
        own = {"columns": columns, "packages": self.versions(), **self.own_parts()}
        own["before"] = self.preparation_text if self.preparation else super().preprocessing
        return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def preprocessing_text(self) -> str:
        """The same in words."""
        if not self.preparation:
            return super().preprocessing_text
        versions = ", ".join(f"{name} {number}" for name, number in self.versions().items())
        return f"{self.preparation_text} Computed with {versions}."

    @property
    def preparation_text(self) -> str:
        """The model's own way, with the plan's choice among several faces."""
        return f"{self.preparation} Of several faces the {self.detection.several_faces.replace('-', ' ')} is taken."
