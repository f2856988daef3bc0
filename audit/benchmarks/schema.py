"""The strict schema of a descriptor: Croissant 1.1, RAI 1.0, and the project's own namespace for consent.

Croissant has no property for consent, and its tools accept misspelt `rai:` keys. So the descriptor is Croissant, and
these classes say what else it must hold. Unknown keys are errors. `rai:` keys: table of the RAI 1.0 specification.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from audit.domain import Provenance

CROISSANT = "http://mlcommons.org/croissant/1.1"
RAI = "http://mlcommons.org/croissant/RAI/1.0"
NAMESPACES = {
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "faceaudit": "urn:faceaudit:descriptor-1:",
}
Answer = Literal["allowed", "not-named", "forbidden"]


def _listed(value: Any) -> Any:
    """JSON-LD writes a list of one as the value itself."""
    return [value] if isinstance(value, str | dict) else value


def is_placeholder(text: str) -> bool:
    """Say whether a text is still the template's `<write ...>`.

    >>> is_placeholder("<write the title>"), is_placeholder("<https://example.org>")
    (True, False)
    """
    return text.strip().startswith("<write ") and text.strip().endswith(">")


def _written(text: str) -> str:
    if is_placeholder(text):
        raise ValueError(f"still holds the text of the template, {text.strip()!r}")
    return text


Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S"), AfterValidator(_written)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64}|unknown)$")]
ShortName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _wrong(key: str, text: str) -> PydanticCustomError:
    """Make an error that names a key of the part it is raised in."""
    return PydanticCustomError("faceaudit", "{text}", {"key": key, "text": text})


_LONGEST_NAME, _LONGEST_PATH = 255, 1024
"""Bytes of a name, as file systems have them, and of a path below a folder; with the folder's own, Linux has 4,096."""


def safe_path(text: str) -> str:
    """Check that a relative path stays inside the folder.

    Raises
    ------
    ValueError
        If it is absolute, climbs with "..", or is not written with "/" alone.
    """
    path = PurePosixPath(text)
    if not text or "\\" in text or "\0" in text or path.is_absolute() or ".." in path.parts or text[1:2] == ":":
        raise ValueError(f"{text!r} does not stay inside the folder: give a relative path without '..'")
    return text


def file_path(text: str) -> str:
    """Check that a relative path stays inside the folder, and that a file can have it: else the first look raises.

    Raises
    ------
    ValueError
        As `safe_path`, or if it is longer than names of files are.
    """
    names = [len(part.encode(errors="replace")) for part in PurePosixPath(safe_path(text)).parts]
    if max(names, default=0) > _LONGEST_NAME or sum(names) + len(names) > _LONGEST_PATH:
        raise ValueError(f"{text[:40]!r}... is too long: a name has at most {_LONGEST_NAME} bytes")
    return text


def _creator_written(creator: Any) -> Any:
    """Creators are of many forms; that of the template is an organisation with a name."""
    if isinstance(creator, dict) and isinstance(creator.get("name"), str):
        _written(creator["name"])
    return creator


class Licence(_Part):
    """A licence with the name that people know it by."""

    type_: Literal["sc:CreativeWork", "CreativeWork"] = Field(alias="@type")
    name: Text
    url: Text

    def __str__(self) -> str:
        return f"{self.name} ({self.url})"


class FileObject(_Part):
    """One file: `@id` is its path inside the folder."""

    type_: Literal["cr:FileObject"] = Field(alias="@type")
    path: Annotated[str, AfterValidator(file_path)] = Field(alias="@id", description="path inside the folder")
    name: Text
    description: Text | None = None
    url: Text = Field(alias="contentUrl", description="public address, or the path itself where there is none")
    size: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18} B$")] | None = Field(None, alias="contentSize")
    encoding: Texts = Field(alias="encodingFormat")
    sha256: Sha256 | None = Field(None, description="64 hexadecimal digits, or 'unknown'")
    contained_in: Any = Field(None, alias="containedIn")

    @property
    def bytes(self) -> int | None:
        """Declared size in bytes."""
        return int(self.size.removesuffix(" B")) if self.size else None


class FileSet(_Part):
    """Files by pattern, for live data sets."""

    type_: Literal["cr:FileSet"] = Field(alias="@type")
    id_: Text = Field(alias="@id")
    name: Text
    description: Text | None = None
    encoding: Texts = Field(alias="encodingFormat")
    includes: Texts
    excludes: Texts | None = None
    contained_in: Any = Field(None, alias="containedIn")


class AttributeSpec(_Part):
    """A demographic attribute: where it is read, who assigned it, what its values mean."""

    type_: Literal["faceaudit:Attribute"] = Field(alias="@type")
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] = Field(alias="faceaudit:name")
    column: Text | None = Field(None, alias="faceaudit:column", description="column of the table; default: the name")
    provenance: Provenance = Field(alias="faceaudit:provenance", description="who assigned the label")
    kind: Literal["categorical", "numeric"] = Field(alias="faceaudit:kind")
    documented: tuple[Text, ...] = Field((), alias="faceaudit:values", description="documented values")
    edges: tuple[float, ...] = Field((), alias="faceaudit:edges", description="inner bin edges of a numeric attribute")
    words: tuple[Text, ...] = Field(
        (), alias="faceaudit:words", description="values of a numeric attribute that are words: 'prefer not to say'"
    )
    missing_values: tuple[str, ...] = Field((), alias="faceaudit:missingValues", description="spellings of 'missing'")
    annotators: tuple[Text, ...] = Field(
        (), alias="faceaudit:annotators", description="columns of the labels that each annotator gave, two or more"
    )
    unit: str = Field("", alias="faceaudit:unit")
    note: str = Field("", alias="faceaudit:note")

    @model_validator(mode="after")
    def _kind_fits(self) -> AttributeSpec:
        if self.kind == "numeric" and (not self.edges or list(self.edges) != sorted(set(self.edges))):
            raise _wrong(
                "faceaudit:edges", f"{self.name!r} is numeric and needs increasing bin edges; none are assumed"
            )
        if self.annotators and (self.kind != "categorical" or len(set(self.annotators)) < 2):
            raise _wrong(
                "faceaudit:annotators",
                f"{self.name!r} names annotators: that takes categories, and two columns or more",
            )
        if self.kind == "categorical" and self.words:
            raise _wrong("faceaudit:words", f"{self.name!r} is categorical: all its values are words")
        if self.kind == "categorical" and self.edges:
            raise _wrong("faceaudit:edges", f"{self.name!r} is categorical and has no bin edges")
        return self


class _Croissant(_Part):
    """Dataset-level properties of schema.org and Croissant 1.1."""

    context: dict[str, Any] = Field(alias="@context")
    type_: Literal["sc:Dataset", "Dataset"] = Field(alias="@type")
    title: Text = Field(alias="name", description="title of the data set")
    description: Text
    conforms_to: Texts = Field(alias="conformsTo", description=f"{CROISSANT} and {RAI}")
    version: Text = Field(description="version of the data, as text")
    published: Annotated[Text, StringConstraints(pattern=r"^\d{4}(-\d\d){0,2}$")] = Field(
        alias="datePublished", description="year, or date as 2026-01-31"
    )
    licences: Annotated[tuple[Text | Licence, ...], BeforeValidator(_listed), Field(min_length=1)] = Field(
        alias="license", description="address of the licence, or name and address; not the consent of people"
    )
    url: Text
    citation: Text = Field(alias="citeAs", description="how the authors ask to be cited")
    creator: Annotated[Any, AfterValidator(_creator_written)]
    live: bool = Field(alias="isLiveDataset", description="true where people may be removed from later releases")
    distribution: tuple[Annotated[FileObject | FileSet, Field(discriminator="type_")], ...] = Field(min_length=1)
    alternate_names: Texts = Field((), alias="alternateName")
    record_set: Any = Field(None, alias="recordSet")
    usage_info: Any = Field(None, alias="usageInfo")
    publisher: Any = None
    maintainer: Any = None
    funder: Any = None
    keywords: Texts | None = None
    language: Texts | None = Field(None, alias="inLanguage")
    same_as: Texts | None = Field(None, alias="sameAs")
    created: Text | None = Field(None, alias="dateCreated")
    modified: Text | None = Field(None, alias="dateModified")
    descriptor_version: Text | None = Field(None, alias="sdVersion")
    descriptor_licence: Any = Field(None, alias="sdLicense")


class _Rai(_Part):
    """Properties of the RAI 1.0 vocabulary."""

    collection: Text = Field(alias="rai:dataCollection")
    collection_type: Texts | None = Field(None, alias="rai:dataCollectionType")
    missing_data: Text | None = Field(None, alias="rai:dataCollectionMissingData")
    raw_data: Text | None = Field(None, alias="rai:dataCollectionRawData")
    timeframe: Texts | None = Field(None, alias="rai:dataCollectionTimeframe")
    imputation: Text | None = Field(None, alias="rai:dataImputationProtocol")
    manipulation: Text | None = Field(None, alias="rai:dataManipulationProtocol")
    preprocessing: Texts | None = Field(None, alias="rai:dataPreprocessingProtocol")
    annotation: Texts | None = Field(None, alias="rai:dataAnnotationProtocol")
    annotation_platform: Texts | None = Field(None, alias="rai:dataAnnotationPlatform")
    annotation_analysis: Texts | None = Field(None, alias="rai:dataAnnotationAnalysis")
    maintenance: Texts | None = Field(None, alias="rai:dataReleaseMaintenancePlan")
    sensitive: Texts = Field(alias="rai:personalSensitiveInformation", description="demographics of the people")
    social_impact: Text | None = Field(None, alias="rai:dataSocialImpact")
    biases: Texts = Field(alias="rai:dataBiases", description="how the composition is uneven")
    limitations: Texts = Field(alias="rai:dataLimitations", description="what the set cannot show")
    use_cases: Texts | None = Field(None, alias="rai:dataUseCases")
    annotations_per_item: Text | None = Field(None, alias="rai:annotationsPerItem")
    annotator_demographics: Texts | None = Field(None, alias="rai:annotatorDemographics")
    annotation_tools: Texts | None = Field(None, alias="rai:machineAnnotationTools")


class Dataset(_Croissant, _Rai):
    """A whole descriptor, with the project's own properties."""

    name: ShortName = Field(alias="faceaudit:name", description="short name, as in results/NAME")
    layout: Text = Field(alias="faceaudit:layout", description="how files are arranged: a key of the table of layouts")
    recognised_by: tuple[str, ...] = Field(
        (),
        alias="faceaudit:recognisedBy",
        description="paths that tell a folder without a descriptor: '*' within a part, '|' between alternatives",
    )
    tier: Text = Field(alias="faceaudit:consentTier", description="consent tier; mixed tiers count as the strictest")
    statement: Text = Field(alias="faceaudit:consentStatement", description="the consent wording, verbatim")
    statement_source: Text = Field(alias="faceaudit:consentStatementSource", description="where that wording stands")
    evaluation: Answer = Field(alias="faceaudit:evaluationUse")
    biometric: Answer = Field(alias="faceaudit:biometricUse")
    commercial: Answer = Field(alias="faceaudit:commercialUse")
    minors: Literal["no", "yes", "unknown"] = Field(alias="faceaudit:minors", description="people under 18 in the set")
    minors_note: str = Field("", alias="faceaudit:minorsNote")
    withdrawal: Text = Field(alias="faceaudit:withdrawalMechanism", description="how a person may withdraw")
    delete_templates: bool = Field(
        False,
        strict=True,
        alias="faceaudit:deleteTemplates",
        description="true where the terms ask to delete what was derived from faces once the evaluation is done",
    )
    default_by: tuple[str, ...] = Field(alias="faceaudit:defaultBy", min_length=1)
    attributes: tuple[AttributeSpec, ...] = Field(alias="faceaudit:attribute", min_length=1)
    last_checked: dt.date | None = Field(
        None,
        alias="faceaudit:lastChecked",
        description="day on which this copy of a live set was last compared with the latest release",
    )
    maximum_age_days: int | None = Field(None, ge=1, alias="faceaudit:maximumAgeDays")
    signed_off_by: Text | None = Field(None, alias="faceaudit:signedOffBy")
    signed_off_on: dt.date | None = Field(None, alias="faceaudit:signedOffOn")

    @property
    def licence(self) -> str:
        """All licences as one text."""
        return ", ".join(str(licence) for licence in self.licences)

    @property
    def purposes(self) -> dict[Literal["evaluation", "biometric", "commercial"], Answer]:
        """What the terms say of each purpose."""
        return {"evaluation": self.evaluation, "biometric": self.biometric, "commercial": self.commercial}

    @field_validator("context")
    @classmethod
    def _prefixes(cls, value: dict[str, Any]) -> dict[str, Any]:
        for prefix, iri in NAMESPACES.items():
            if value.get(prefix) != iri:
                raise ValueError(f"prefix {prefix!r} must mean {iri}, found {value.get(prefix)!r}")
        return value

    @field_validator("conforms_to")
    @classmethod
    def _conforms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for needed in (CROISSANT, RAI):
            if needed not in value:
                raise ValueError(f"must name {needed}")
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> Dataset:
        names = [attribute.name for attribute in self.attributes]
        for name in self.default_by:
            if name not in names:
                raise _wrong("faceaudit:defaultBy", f"{name!r} is not described; attributes are {', '.join(names)}")
        if len(set(names)) != len(names):
            raise _wrong("faceaudit:attribute", "an attribute is described twice")
        paths = [file.path for file in self.distribution if isinstance(file, FileObject)]
        if len(set(paths)) != len(paths):
            twice = Counter(paths).most_common(1)[0][0]
            raise _wrong("distribution", f"the file {twice!r} is listed twice")
        if self.live:
            self._need(
                "maximumAgeDays", self.maximum_age_days, "a live data set says after how many days it is too old"
            )
        else:
            for k, file in enumerate(self.distribution):
                if isinstance(file, FileObject) and file.sha256 is None:
                    raise _wrong(
                        f"distribution/{k}/sha256", f"the file {file.path!r} has no SHA-256, and the set is not live"
                    )
        if self.tier == "own":
            self._need("signedOffBy", self.signed_off_by, "tier 'own' names who signed the consent statement off")
            self._need("signedOffOn", self.signed_off_on, "tier 'own' says when the consent statement was signed off")
        return self

    def _need(self, key: str, value: object, why: str) -> None:
        if value is None:
            raise _wrong(f"faceaudit:{key}", f"is missing: {why}")
