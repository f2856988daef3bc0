"""The template of an own benchmark: what is filled loads, what is not is refused by its key."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from made_up import SAMPLES, SUBJECTS

from audit.benchmarks import descriptor, load
from audit.benchmarks.own import ANSWERS, OwnAttribute, own_descriptor, template, unfilled
from audit.errors import DataError

TOLD = dict.fromkeys(ANSWERS, "said by the owner") | {
    "consent": "I agree that my photographs are used to test face models.",
    "signed_off_on": "2026-01-05",
    "evaluation": "allowed",
    "biometric": "allowed",
    "commercial": "not-named",
    "minors": "no",
    "published": "2026-01",
    "version": "1.0.0",
}
ATTRIBUTES = (
    OwnAttribute("gender", "self-reported", values=("female", "male")),
    OwnAttribute("origin", "self-reported", missing_values=("NA",)),
    OwnAttribute("age", "self-reported", kind="numeric", edges=(40,), missing_values=("NA",), unit="years"),
)


def write(folder: Path, **changes: Any) -> Path:
    (folder / "images").mkdir(parents=True)
    for image in ("a1", "a2", "b1", "b2", "c1"):
        (folder / "images" / f"{image}.png").write_bytes(f"bytes of {image}".encode())
    (folder / "subjects.csv").write_text(SUBJECTS, encoding="utf-8")
    (folder / "samples.csv").write_text(SAMPLES, encoding="utf-8")
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.*"))
    }
    said: dict[str, Any] = {"title": "Our faces", "organisation": "We", "attributes": ATTRIBUTES, **TOLD, **changes}
    made = own_descriptor(name="ours", files=files, **{key: value for key, value in said.items() if value is not None})
    (folder / "croissant.json").write_text(json.dumps(made), encoding="utf-8")
    return folder


def test_a_filled_one_loads_and_says_who_signed(tmp_path: Path) -> None:
    made = load(str(write(tmp_path / "ours")))
    assert (made.name, made.title, made.consent.tier, len(made.samples)) == ("ours", "Our faces", "own", 5)
    assert made.default_by == ("gender", "origin")
    assert "Self-declared: signed off by said by the owner on 2026-01-05." in made.consent.notices
    assert f"Consent wording: {TOLD['consent']} (Source: said by the owner.)" in made.consent.notices
    assert {attribute.provenance for attribute in made.attributes.values()} == {"self-reported"}
    assert not made.delete_templates


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_a_filled_one_is_valid_croissant(tmp_path: Path) -> None:
    import mlcroissant  # noqa: PLC0415 - slow to load

    issues = mlcroissant.Dataset(write(tmp_path / "ours") / "croissant.json").metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings


@pytest.mark.parametrize("answer", [*(each for each in ANSWERS if each != "version"), "title", "organisation"])
def test_what_nobody_said_is_refused_by_its_key(tmp_path: Path, answer: str) -> None:
    folder = write(tmp_path / "ours", **{answer: None})
    (key,) = unfilled(json.loads((folder / "croissant.json").read_text(encoding="utf-8")))
    with pytest.raises(DataError) as caught:
        descriptor.read(folder / "croissant.json")
    place = f"{folder / 'croissant.json'}#/{key}"
    assert caught.value.place.removesuffix("/0") == place.removesuffix("/0").removesuffix("creator/name") + (
        "creator" if answer == "organisation" else ""
    )
    assert "<write " in str(caught.value)


def test_an_attribute_without_provenance_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "ours", attributes=(OwnAttribute("gender"),))
    with pytest.raises(DataError) as caught:
        descriptor.read(folder / "croissant.json")
    assert caught.value.place.endswith("#/faceaudit:attribute/0/faceaudit:provenance")


def test_the_template_asks_for_every_answer_once() -> None:
    asked = unfilled(template())
    assert len(asked) == len(ANSWERS) - 1 + 2  # all but the version, with title and organisation
    assert "faceaudit:consentStatement" in asked
    with pytest.raises(TypeError, match="no answer 'consnet'"):
        own_descriptor(name="ours", attributes=ATTRIBUTES, files={}, consnet="yes")
