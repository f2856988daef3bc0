"""The descriptor of a rendered set: fixed statements from `descriptor.json`, counts and digests from the set."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from audit.synthesis import design
from audit.synthesis.people import Person

_WHAT = {
    "people.jsonl": "What every picture was made from: seed, shape, skin, hair, views, with licences and digests",
    "subjects.csv": "People and their factors",
    "samples.csv": "Pictures, the conditions of each, and its SHA-256",
    "series.csv": "Pictures of the same person with one factor changed, and the SHA-256 of each",
}
_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv"}


def descriptor(
    files: Mapping[str, tuple[int, str]],
    *,
    people: Sequence[Person],
    pictures: int,
    series: int,
    shared: Sequence[str],
) -> dict[str, Any]:
    """Describe a set.

    Parameters
    ----------
    files : name to (size in bytes, SHA-256)
    people : of the set
    pictures : number of image files
    series : number of people of whom series are made
    shared : what all people share
    """
    made: dict[str, Any] = json.loads(
        resources.files("audit.synthesis").joinpath("descriptor.json").read_text(encoding="utf-8")
    )
    made["description"] = made["description"].format(
        people=len(people), pictures=pictures, series=series, shared=_shared(shared)
    )
    made["distribution"] = [
        *(_file(name, size, sha256) for name, (size, sha256) in files.items()),
        _images("images", "Four pictures a person"),
        *([_images("series", "Pictures with one factor changed")] if series else []),
    ]
    made["rai:personalSensitiveInformation"] = [
        "None: no picture shows a real person. The factors are assigned by design:",
        *(f"{name}: {_counts(values)}" for name, values in _factors(people).items()),
    ]
    return made


def _shared(shared: Sequence[str]) -> str:
    return f" All people share: {', '.join(shared)}." if shared else ""


def _factors(people: Sequence[Person]) -> dict[str, list[str]]:
    return {
        "Morph": [person.morph for person in people],
        "Tone band": [design.tone_band(person.skin.ita) for person in people],
        "Age in years": [design.age_band(person.age) for person in people],
        "Gender": [person.gender for person in people],
        "Hair style": [person.hair.style for person in people],
    }


def _counts(values: Sequence[str]) -> str:
    return ", ".join(f"{count} {value}" for value, count in sorted(Counter(values).items()))


def _file(name: str, size: int, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": _WHAT[name],
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": _TYPES[name.rpartition(".")[2]],
        "sha256": sha256,
    }


def _images(folder: str, what: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{folder}-set",
        "name": folder,
        "description": f"{what}; the SHA-256 of each is in the tables",
        "encodingFormat": "image/webp",
        "includes": f"{folder}/*.webp",
    }
