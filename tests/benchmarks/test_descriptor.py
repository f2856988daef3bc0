"""The strict validator: what Croissant's own tools let pass is an error here, with path and key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.benchmarks import descriptor, load
from audit.errors import DataError

Make = Callable[..., Path]
FILE = {"@type": "cr:FileObject", "@id": "a.png", "name": "a", "contentUrl": "a.png", "encodingFormat": "image/png"}
GENDER = {
    "@type": "faceaudit:Attribute",
    "faceaudit:name": "gender",
    "faceaudit:provenance": "self-reported",
    "faceaudit:kind": "categorical",
}


def _renamed(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        raw[new] = raw.pop(old)

    return change


def _set(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw.__setitem__(key, value)


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw.pop(key)


NEEDED = [
    "license",
    "citeAs",
    "version",
    "isLiveDataset",
    "conformsTo",
    "rai:dataLimitations",
    "rai:dataBiases",
    "rai:personalSensitiveInformation",
    "rai:dataCollection",
    "faceaudit:consentTier",
    "faceaudit:consentStatement",
    "faceaudit:consentStatementSource",
    "faceaudit:evaluationUse",
    "faceaudit:biometricUse",
    "faceaudit:commercialUse",
    "faceaudit:minors",
    "faceaudit:withdrawalMechanism",
    "faceaudit:attribute",
    "faceaudit:defaultBy",
    "faceaudit:layout",
]
WRONG = [
    (_renamed("rai:dataLimitations", "rai:dataLimitation"), "#/rai:dataLimitation", "mean 'rai:dataLimitations'?"),
    (_renamed("rai:dataBiases", "rai:databiases"), "#/rai:databiases", "Did you mean 'rai:dataBiases'?"),
    (_renamed("license", "licence"), "#/licence", "Did you mean 'license'?"),
    (_set("faceaudit:consentTeir", "T1"), "#/faceaudit:consentTeir", "Did you mean 'faceaudit:consentTier'?"),
    (_set("faceaudit:consentStatement", "  "), "#/faceaudit:consentStatement", "verbatim"),
    (_set("faceaudit:biometricUse", "maybe"), "#/faceaudit:biometricUse", "'maybe'"),
    (_set("faceaudit:attribute", [{k: v for k, v in GENDER.items() if "provenance" not in k}]),
     "#/faceaudit:attribute/0/faceaudit:provenance", "is missing"),
    (_set("faceaudit:attribute", [GENDER | {"faceaudit:provenance": "guessed"}]),
     "#/faceaudit:attribute/0/faceaudit:provenance", "'guessed'"),
    (_set("faceaudit:attribute", [GENDER | {"faceaudit:kind": "numeric"}]),
     "#/faceaudit:attribute/0/faceaudit:edges", "needs increasing bin edges"),
    (_set("faceaudit:attribute", [GENDER | {"faceaudit:kind": "numeric", "faceaudit:edges": [40, 30]}]),
     "#/faceaudit:attribute/0/faceaudit:edges", "needs increasing bin edges"),
    (_set("faceaudit:attribute", [GENDER | {"faceaudit:edges": [30]}]),
     "#/faceaudit:attribute/0/faceaudit:edges", "is categorical"),
    (_set("faceaudit:attribute", [GENDER, GENDER]), "#/faceaudit:attribute", "described twice"),
    (_set("faceaudit:defaultBy", ["gendre"]), "#/faceaudit:defaultBy", "'gendre' is not described"),
    (_set("distribution", [FILE]), "#/distribution/0/sha256", "'a.png' has no SHA-256"),
    (_set("distribution", [FILE | {"sha256": "ABC"}]), "#/distribution/0/sha256", "64 hexadecimal digits"),
    (_set("distribution", [FILE | {"sha256": "0" * 64}] * 2), "#/distribution", "listed twice"),
    (_set("distribution", [FILE | {"sha256": "0" * 64, "@id": "../a.png"}]), "#/distribution/0/@id", "does not stay"),
    (_set("distribution", [FILE | {"sha265": "0" * 64}]), "#/distribution/0/sha265", "Did you mean 'sha256'?"),
    (_set("distribution", []), "#/distribution", ""),
    (_set("isLiveDataset", True), "#/faceaudit:maximumAgeDays", "is missing"),
    (_set("faceaudit:attribute", [GENDER | {"faceaudit:words": ["no"]}]), "#/faceaudit:attribute/0/faceaudit:words",
     "all its values are words"),
    (_without("faceaudit:signedOffBy"), "#/faceaudit:signedOffBy", "names who signed"),
    (_without("faceaudit:signedOffOn"), "#/faceaudit:signedOffOn", "says when"),
    (_set("conformsTo", "http://mlcommons.org/croissant/1.1"), "#/conformsTo", "must name http:"),
    (_set("faceaudit:deleteTemplates", "yes"), "#/faceaudit:deleteTemplates", "valid boolean"),
    (_set("faceaudit:name", "../x"), "#/faceaudit:name", "'../x'"),
    (lambda raw: raw["@context"].pop("rai"), "#/@context", "prefix 'rai' must mean"),
    (lambda raw: raw["@context"].__setitem__("faceaudit", "urn:x:"), "#/@context", "prefix 'faceaudit' must mean"),
]  # fmt: skip


def _edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    path = folder / "croissant.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw)
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def test_an_own_descriptor_is_read(collection: Make) -> None:
    read = descriptor.read(collection() / "croissant.json")
    assert read.dataset.tier == "own"
    assert set(read.files) == {f"images/{name}.png" for name in ("a1", "a2", "b1", "b2", "c1")}
    assert read.declared("images/none.png") is None


def test_half_a_character_is_named(collection: Make) -> None:
    path = _edit(collection(), lambda raw: raw.update(publisher="\ud800"))
    with pytest.raises(DataError, match=r"croissant\.json: holds half a character, '\\ud800'"):
        descriptor.read(path)


@pytest.mark.parametrize("said", [None, False, True])
def test_templates_are_deleted_only_where_the_descriptor_says_so(collection: Make, said: bool | None) -> None:
    folder = collection(**({} if said is None else {"faceaudit__deleteTemplates": said}))
    assert load(str(folder)).delete_templates is bool(said)


@pytest.mark.parametrize("key", NEEDED)
def test_a_missing_key_is_named(collection: Make, key: str) -> None:
    path = _edit(collection(), _without(key))
    with pytest.raises(DataError) as caught:
        descriptor.read(path)
    assert str(caught.value).startswith(f"{path}#/{key}: is missing")


@pytest.mark.parametrize(("change", "place", "text"), WRONG)
def test_what_is_wrong_is_named_by_path_and_key(
    collection: Make, change: Callable[[dict[str, Any]], Any], place: str, text: str
) -> None:
    path = _edit(collection(), change)
    with pytest.raises(DataError) as caught:
        descriptor.read(path)
    assert caught.value.place == f"{path}{place}"
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b'{"name": "\xff"}', "is not UTF-8"),
        (b"[" * 100_000, "is nested too deeply|is not JSON"),
        (b'{"version": ' + b"1" * 5000 + b"}", "a number of thousands of digits"),
        (
            b'{"faceaudit:consentTier": "T6", "faceaudit:consentTier": "T1"}',
            "faceaudit:consentTier: this key stands twice",
        ),
    ],
)
def test_files_that_are_no_descriptor(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "croissant.json").write_bytes(content)
    with pytest.raises(DataError, match=text):
        descriptor.read(tmp_path / "croissant.json")
    with pytest.raises(DataError, match="cannot be read"):
        descriptor.read(tmp_path / "none.json")


def test_the_digest_depends_on_content_not_on_layout(collection: Make) -> None:
    path = collection() / "croissant.json"
    first = descriptor.read(path).digest
    raw = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(dict(reversed(raw.items())), indent=4), encoding="utf-8")
    assert descriptor.read(path).digest == first
    raw["faceaudit:minorsNote"] = "None"
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert descriptor.read(path).digest != first
