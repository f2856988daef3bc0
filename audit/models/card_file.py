"""A card as it stands in a TOML file: what is known of a model before anything of it is on this machine.

The same keys serve a published model (`audit/models/cards`) and a user's own. A digest that nobody computed or
published is "unknown": such a model is described, and never runs under its published name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from audit import toml_text
from audit.errors import ModelError
from audit.models.card import InputSpec, Paper, Similarity, VendorThreshold

UNKNOWN = "unknown"
KEYS = (
    "A card has the keys licence, similarity (cosine, dot or euclidean), dimension, training_sets (names of data sets) "
    "or else training_data and training_consent, and a table [input] with size, colour (RGB or BGR), mean, deviation, "
    "layout (NCHW or NHWC) and alignment (arcface or box); optionally name, adapter, revision, weights_licence, "
    "research_only, source, [paper] and [vendor_threshold]; card:FILE.toml also has a table [weights] with file and "
    "sha256, and may say like = NAME; docs/models.md explains them"
)
Kind = TypeVar("Kind", bound=BaseModel)
_FOLDER = resources.files("audit.models").joinpath("cards")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class WeightFile(_Part):
    """A file that a model is read from."""

    file: str = Field(min_length=1, description="Its name; in a user's own card also a path, from the card's folder")
    sha256: str = Field(pattern=r"^([0-9a-f]{64}|unknown)$")
    digest_source: str = Field("", description="Who computed or published the digest")
    bytes: int | None = Field(None, ge=1)
    url: str = Field("", pattern=r"^(https://.+|http://127\.0\.0\.1(:\d+)?/.*)?$", description="Of the file itself")
    hosts: tuple[str, ...] = Field((), description="Hosts that the address may send a download on to")
    package: str = Field("", description="Installed package that carries it, with the folder: package/folder")

    @model_validator(mode="after")
    def _said_by_somebody(self) -> WeightFile:
        if self.sha256 != UNKNOWN and not self.digest_source:
            raise ValueError("digest_source says who computed or published the sha256")
        return self


class Files(Protocol):
    """A card, of whatever kind of model, as far as its files go."""

    @property
    def name(self) -> str:
        """What the model is called."""
        ...

    @property
    def weights(self) -> WeightFile:
        """The file that holds most of it."""
        ...

    @property
    def parts(self) -> dict[str, WeightFile]:
        """What else belongs to it."""
        ...


class Told(_Part):
    """What any card says of a model, before what is peculiar to its kind."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    licence: str = Field(min_length=1, description="Of the code")
    weights_licence: str = Field("", description="Of the weights, where it is stated")
    research_only: bool = Field(False, description="The weights may be used for research alone")
    training_sets: tuple[str, ...] = Field((), description="Names of the data sets, to be looked up in the catalogue")
    training_data: str = Field("", description="What it was trained on, beside the named sets or in place of them")
    training_consent: str = Field("", description="What is known of the consent of the people, where no set is named")
    source: str = ""
    paper: Paper | None = None


class ToldFile(Told):
    """The same as it stands in a TOML file: with what runs the model, and on whom it was trained."""

    adapter: str = "onnx"
    revision: str = Field("", description="What its publisher calls this version; default: the digest's first digits")
    parts: dict[str, WeightFile] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _disclosed(self) -> Self:
        if not self.training_sets and not (self.training_data and self.training_consent):
            raise ValueError("training_sets is missing, and so is training_data with training_consent")
        return self


class CardFile(ToldFile):
    """Everything that a card can say; see `audit.models.card.ModelCard` for what becomes of it."""

    similarity: Similarity
    dimension: int = Field(ge=1, le=65536)
    input: InputSpec
    weights: WeightFile
    options: dict[str, str] = Field(default_factory=dict, description="What an adapter needs to know besides")
    vendor_threshold: VendorThreshold | None = None


@cache
def published(file: str) -> CardFile:
    """Read a card that comes with the package, by its file name.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    return validate(tomllib.loads(_FOLDER.joinpath(file).read_text(encoding="utf-8")), f"shipped card {file}")


def own(path: Path, known: Mapping[str, str]) -> CardFile:
    """Read a user's own card.

    Parameters
    ----------
    path : Path
    known : mapping
        The table of published models, name to file: `like = NAME` takes over what the card does not say, and no card
        has their names.

    Raises
    ------
    ModelError
        If it is not readable, not valid, without a digest, or under a published name.
    """
    values = read(path)
    like = values.pop("like", None)
    if like is not None:
        if like not in known:
            raise ModelError(f"{path}: like", f"{like!r} is no published model", f"Those are {', '.join(known)}")
        values = {**_taken_over(published(known[like])), **values}
    credit(values, path)
    card = validate(values, str(path))
    require_own(card, path, known)
    return card


def credit(values: dict[str, Any], path: Path) -> None:
    """Note in a user's own card that its digests are its own word, whatever it says of them."""
    for table in (values.get("weights"), *_tables(values.get("parts"))):
        if isinstance(table, dict):
            table["digest_source"] = f"stated in {path.name}"


def _tables(parts: object) -> list[object]:
    return list(parts.values()) if isinstance(parts, dict) else []


def _taken_over(card: CardFile) -> dict[str, Any]:
    """What one card may take over from another: how the model is run and what is known of it, and never its weights."""
    return card.model_dump(exclude={"name", "revision", "weights", "parts"})


def require_name(name: str, path: Path, known: Mapping[str, str]) -> None:
    """Refuse a published name, however it is spelt: a reader takes DLIB for dlib, and so do some file systems.

    Raises
    ------
    ModelError
        Naming the key.
    """
    if name.casefold() in {one.casefold() for one in known}:
        raise ModelError(
            f"{path}: name", f"{name!r} is the name of a published model", "Give your own card a name of its own"
        )


def require_own(card: Files, path: Path, known: Mapping[str, str]) -> None:
    """Refuse a user's own card under a published name, or without a digest.

    Raises
    ------
    ModelError
        Naming the key.
    """
    require_name(card.name, path, known)
    for file in (card.weights, *card.parts.values()):
        if file.sha256 == UNKNOWN:
            raise ModelError(
                f"{path}: sha256",
                f"the digest of {file.file} is unknown",
                f"Make sure where the file comes from, then state what sha256sum {Path(file.file).name} prints",
            )


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ModelError
        If it cannot be read, or is not valid TOML.
    """
    try:
        return toml_text.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(str(path), "there is no such card", "Give the path of a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(str(path), f"not valid TOML: {error}", "Mend that line") from None
    except OSError as error:
        raise ModelError(str(path), f"cannot be read: {error.strerror}", "Give a readable card") from None


def validate(values: dict[str, Any], place: str) -> CardFile:
    """Hold the contents of a face model's card against its keys; see `hold`."""
    return hold(CardFile, values, place, KEYS)


def hold(kind: type[Kind], values: dict[str, Any], place: str, keys: str) -> Kind:
    """Hold the contents of a card against the keys of its kind.

    Raises
    ------
    ModelError
        Naming the first key that does not fit.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = error.errors()
        first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
        key = ".".join(str(part) for part in first["loc"]) or "(card)"
        message = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        text = f"{message[:1].lower()}{message[1:]} ({error.error_count()} key(s) do not fit)"
        raise ModelError(f"{place}: {key}", text, keys) from None
