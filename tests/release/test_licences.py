"""Licences: what is installed here is held to the policy, and so is the list that is published."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path

import dependencies
import pytest

THREE = "Redistributions in binary form ... Neither the name of the copyright holder nor the names ... may be used"
TWO = "Redistribution and use in source and binary forms, with or without modification ... THIS SOFTWARE IS PROVIDED"


def test_nothing_is_wrong_with_the_list_or_with_what_is_installed() -> None:
    assert dependencies.complaints() == []


def installed(folder: Path, said: str, text: str = "", name: str = "thing") -> Distribution:
    place = folder / f"{name}-1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{said}")
    record = [f"{place.name}/METADATA,,"]
    if text:
        (place / "LICENSE").write_text(text)
        record.append(f"{place.name}/LICENSE,,")
    (place / "RECORD").write_text("\n".join(record))
    return Distribution.at(place)


@pytest.mark.parametrize(
    ("said", "text", "licence"),
    [
        ("License-Expression: MIT AND PSF-2.0\n", "", "MIT AND PSF-2.0"),
        ("License: Apache 2.0\n", "", "Apache-2.0"),
        ("License: BSD\n", THREE, "BSD-3-Clause"),
        ("License: BSD\n", TWO, "BSD-2-Clause"),
        ("License: BSD\n", "", "unknown"),
        ("Classifier: License :: OSI Approved :: BSD License\n", THREE, "BSD-3-Clause"),
        ("Classifier: License :: OSI Approved :: ISC License (ISCL)\n", "", "ISC"),
        ("License: GPL-3.0-only\n", THREE, "GPL-3.0-only"),
        ("License: Free for academic use\n", "", "unknown"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n", "", "MIT"),
        ("Summary: says nothing\n", THREE, "unknown"),
        ("License-Expression: BSD-3-Clause\nLicense: GPL\n", "", "BSD-3-Clause"),
    ],
)
def test_the_licence_is_the_one_that_the_package_states(tmp_path: Path, said: str, text: str, licence: str) -> None:
    assert dependencies.licence(installed(tmp_path, said, text))[0] == licence


@pytest.mark.parametrize(
    ("name", "licence", "allowed"),
    [
        ("a", "MIT", True),
        ("a", "MPL-2.0 AND MIT", True),
        ("a", "GPL-3.0-only OR MIT", True),
        ("a", "GPL-3.0-only AND MIT", False),
        ("a", "MIT AND GPL-2.0-only OR LGPL-2.1-only", False),
        ("a", "Apache-2.0 WITH LLVM-exception", True),
        ("a", "GPL-3.0-only WITH GCC-exception-3.1", False),
        ("a", "LGPL-3.0-or-later", False),
        ("a", "AGPL-3.0-only", False),
        ("a", "CC-BY-NC-4.0", False),
        ("a", "unknown", False),
        ("a", "MIT AND (GPL-2.0-only OR Zlib)", False),
        ("a", dependencies.VENDOR, False),
        ("nvidia-cublas", dependencies.VENDOR, True),
        ("nvidia-cublas", "GPL-2.0-only", False),
    ],
)
def test_the_policy(name: str, licence: str, allowed: bool) -> None:
    assert (dependencies.forbidden(name, licence) is None) is allowed


def test_a_change_of_the_list_without_its_page_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "dependencies.json"
    kept = dependencies.LIST.read_text(encoding="utf-8")
    other.write_text(kept.replace('"licence": "MPL-2.0"', '"licence": "GPL-2.0-only"', 1).replace("3.1.6", "3.1.5"))
    monkeypatch.setattr(dependencies, "LIST", other)
    said = "\n".join(dependencies.complaints())
    assert "certifi: GPL-2.0-only is not a licence that the policy allows" in said
    assert "jinja2 3.1.5 is listed, and not in the lock" in said
    assert "docs/licences.md is not what the list gives" in said


def test_nothing_of_ours_asks_for_what_only_tests_use() -> None:
    """The closure of a plain installation is far smaller than the test environment, and holds no test tool."""
    assert not dependencies.closure().keys() & {"pytest", "hypothesis", "ruff", "mypy", "playwright", "pip-audit"}
