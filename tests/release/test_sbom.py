"""The bill of materials: valid, complete, the same again, and of no particular machine."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from dependencies import LOCK, listed, locked
from releases import MOMENT

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = LOCK.with_name("runtime.txt")


@pytest.fixture(scope="module")
def text(released: Path) -> str:
    (place,) = released.glob("*.cdx.json")
    return place.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bill(text: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(text)
    return made


def test_it_follows_the_schema_and_the_schema_is_looked_at(text: str) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    for good, bad in (
        ('"bomFormat": "CycloneDX"', '"bomFormat": "other"'),
        ('"scope": "optional"', '"scope": "perhaps"'),
        ('"id": "MIT"', '"id": "MYT"'),
        ('"alg": "SHA-256"', '"alg": "SHA-255"'),
        ('"serialNumber": "urn:uuid:', '"serialNumber": "'),
    ):
        assert good in text
        assert validator.validate_str(text.replace(good, bad, 1)) is not None, bad


def test_it_names_the_wheel_and_everything_that_may_come_along(bill: dict[str, Any], released: Path) -> None:
    (wheel,) = released.glob("*.whl")
    ours = bill["metadata"]["component"]
    assert ours["name"] == "faceaudit"
    assert wheel.name.split("-")[1] == ours["version"]
    assert ours["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
    parts = {(c["name"], c["version"]): c for c in bill["components"]}
    assert set(parts) == {(d.name, d.version) for d in listed()}
    for d in listed():
        part = parts[d.name, d.version]
        (said,) = part["licenses"]
        assert said.get("expression") or said["license"].get("id") or said["license"]["name"]
        assert part["scope"] == ("optional" if d.extras else "required")
        (archives,) = part["externalReferences"]
        assert {h["content"] for h in archives["hashes"]} == dict(locked()[d.name])[d.version]


def test_every_part_is_reached_from_the_product(bill: dict[str, Any]) -> None:
    needs = {edge["ref"]: edge.get("dependsOn", []) for edge in bill["dependencies"]}
    reached, left = set(), [bill["metadata"]["component"]["bom-ref"]]
    while left:
        ref = left.pop()
        if ref not in reached:
            reached.add(ref)
            left += needs[ref]
    assert reached == {c["bom-ref"] for c in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}


def test_another_tool_reads_the_same_packages_and_digests_from_the_lock(bill: dict[str, Any], tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(re.sub(r" ; .*(?= \\)", "", RUNTIME.read_text(encoding="utf-8")), encoding="utf-8")
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "--no-validate", lock]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    theirs = {
        c["purl"]: {h["content"] for e in c["externalReferences"] for h in e["hashes"]}
        for c in json.loads(run.stdout)["components"]
    }
    ours = {c["purl"]: {h["content"] for e in c["externalReferences"] for h in e["hashes"]} for c in bill["components"]}
    both = ours.keys() & theirs.keys()
    assert both == {f"pkg:pypi/{d.name}@{d.version}" for d in listed() if not d.extras or "dlib" in d.extras}
    assert {purl: theirs[purl] for purl in both} == {purl: ours[purl] for purl in both}


def test_nothing_in_it_tells_of_the_machine(text: str, bill: dict[str, Any]) -> None:
    assert not re.search(r"file:|/home|/root|/tmp|/usr|/opt|site-packages|simple/", text)
    assert set(re.findall(r"https?://[^\"]*", text)) <= {"http://cyclonedx.org/schema/bom-1.6.schema.json"}
    assert bill["metadata"]["timestamp"] == dt.datetime.fromtimestamp(MOMENT, tz=dt.UTC).isoformat()
