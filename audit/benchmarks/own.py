"""The descriptor of an organisation's own collection: a template, and what fills it.

What nobody has said stays in it as `<write ...>`. The strict validator refuses every such place by its key, so that a
collection cannot be measured on before somebody has answered for its consent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from audit.benchmarks.schema import is_placeholder

ASK_PROVENANCE = "<write who assigned it: self-reported, annotated, measured, derived-by-model or assigned-by-design>"
_KEYS = {
    "description": "description",
    "version": "version",
    "published": "datePublished",
    "url": "url",
    "licence": "license",
    "citation": "citeAs",
    "collection": "rai:dataCollection",
    "sensitive": "rai:personalSensitiveInformation",
    "biases": "rai:dataBiases",
    "limitations": "rai:dataLimitations",
    "consent": "faceaudit:consentStatement",
    "consent_source": "faceaudit:consentStatementSource",
    "signed_off_by": "faceaudit:signedOffBy",
    "signed_off_on": "faceaudit:signedOffOn",
    "evaluation": "faceaudit:evaluationUse",
    "biometric": "faceaudit:biometricUse",
    "commercial": "faceaudit:commercialUse",
    "minors": "faceaudit:minors",
    "withdrawal": "faceaudit:withdrawalMechanism",
}
ANSWERS = tuple(_KEYS)
"""What `own_descriptor` can be told beside name, title, attributes and files; each is a text."""
_LISTS = ("sensitive", "biases", "limitations")


@dataclass(frozen=True, slots=True)
class OwnAttribute:
    """A column of `subjects.csv`; fields as in `schema.AttributeSpec`. Without provenance the template asks for it."""

    name: str
    provenance: str | None = None
    kind: Literal["categorical", "numeric"] = "categorical"
    column: str | None = None
    values: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    missing_values: tuple[str, ...] = ()
    unit: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write it as an attribute of a descriptor; what is empty is left out."""
        optional = {
            "column": self.column,
            "values": list(self.values),
            "edges": list(self.edges),
            "missingValues": list(self.missing_values),
            "unit": self.unit,
            "note": self.note,
        }
        return {
            "@type": "faceaudit:Attribute",
            "faceaudit:name": self.name,
            "faceaudit:provenance": self.provenance or ASK_PROVENANCE,
            "faceaudit:kind": self.kind,
        } | {f"faceaudit:{key}": value for key, value in optional.items() if value}


def template() -> dict[str, Any]:
    """Read the template, as a new object."""
    text = resources.files("audit.benchmarks").joinpath("own_template.json").read_text(encoding="utf-8")
    made: dict[str, Any] = json.loads(text)
    return made


def own_descriptor(
    *,
    name: str,
    attributes: Sequence[OwnAttribute],
    files: Mapping[str, str],
    title: str | None = None,
    organisation: str | None = None,
    default_by: Sequence[str] = (),
    **answers: str,
) -> dict[str, Any]:
    """Fill the template for a collection in the general layout.

    Parameters
    ----------
    name : str
        Short name, as in results/NAME: small letters, digits, '_' and '-'.
    attributes : sequence of OwnAttribute, at least one
    files : mapping of path in the folder to SHA-256
        Tables and pictures.
    title, organisation : str, optional
    default_by : sequence of str, optional
        Attributes that an audit groups by; default: the first two categorical ones.
    **answers : str
        Any of `ANSWERS`; what is not given stays as the template's `<write ...>`.

    Returns
    -------
    dict
        To be written as `croissant.json`; see `unfilled` for what is left to write.

    Raises
    ------
    TypeError
        For an answer that is none of `ANSWERS`.
    """
    wrong = sorted(set(answers) - set(_KEYS))
    if wrong:
        raise TypeError(f"own_descriptor() has no answer {wrong[0]!r}; answers are {', '.join(_KEYS)}")
    made = template()
    made["faceaudit:name"] = name
    made["name"] = title or made["name"]
    if organisation:
        made["creator"]["name"] = organisation
    for answer, text in answers.items():
        made[_KEYS[answer]] = [text] if answer in _LISTS else text
    grouped = [attribute.name for attribute in attributes if attribute.kind == "categorical"][:2]
    made["faceaudit:defaultBy"] = list(default_by) or grouped or [attribute.name for attribute in attributes][:1]
    made["faceaudit:attribute"] = [attribute.to_json() for attribute in attributes]
    made["distribution"] = [file_object(path, digest) for path, digest in files.items()]
    return made


def unfilled(described: Mapping[str, Any]) -> list[str]:
    """List the keys whose text is still the template's, as `path/to/key`."""
    return list(_unfilled(described, ""))


def _unfilled(part: object, place: str) -> Iterator[str]:
    if isinstance(part, str) and is_placeholder(part):
        yield place
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _unfilled(value, f"{place}/{key}" if place else str(key))
    elif isinstance(part, list):
        for k, value in enumerate(part):
            yield from _unfilled(value, f"{place}/{k}")


_MEDIA = {
    "csv": "text/csv",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "webp": "image/webp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "ppm": "image/x-portable-pixmap",
    "pgm": "image/x-portable-graymap",
}


def file_object(path: str, digest: str) -> dict[str, Any]:
    """Describe a file of the folder."""
    suffix = path.rpartition(".")[2].lower()
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": _MEDIA.get(suffix, "application/octet-stream"),
        "sha256": digest,
    }
