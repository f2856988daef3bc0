"""The locks: complete, without an address, and what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from dependencies import listed, locked
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / ".ci" / "locks"
NAMES = ("tests", "runtime", "release", "lowest", "lowest-base")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def asked(extra: str | None) -> Iterator[Requirement]:
    """What pyproject.toml asks for with an extra, those extras included that it names itself."""
    yield from (Requirement(line) for line in PROJECT["dependencies"])
    left, seen = [extra] if extra else [], set()
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            for wanted in map(Requirement, PROJECT["optional-dependencies"][name]):
                if wanted.name == PROJECT["name"]:
                    left += wanted.extras
                else:
                    yield wanted


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_a_version_with_digests_and_none_an_address(name: str) -> None:
    text = (LOCKS / f"{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|index-url|find-links|--trusted|(?<![\w.-])/\w|@ ", text)
    for line in text.splitlines():
        entry = re.fullmatch(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+( ; .+)? \\", line)
        digest = re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)
        assert entry or digest or re.match(r" *#", line), line
    found = locked(LOCKS / f"{name}.txt")
    assert len(found) >= 30
    assert all(hashes for versions in found.values() for _, hashes in versions)


@pytest.mark.parametrize(("name", "extra"), [("tests", "test"), ("runtime", "quickstart"), ("lowest-base", None)])
def test_it_holds_what_pyproject_asks_for(name: str, extra: str | None) -> None:
    found = locked(LOCKS / f"{name}.txt")
    for wanted in asked(extra):
        versions = found.get(canonicalize_name(wanted.name))
        assert versions, f"{wanted} is not in {name}.txt: run .ci/lock"
        assert all(wanted.specifier.contains(version) for version, _ in versions), f"{wanted}: run .ci/lock"


@pytest.mark.parametrize("name", ["runtime", "release"])
def test_the_smaller_locks_hold_the_versions_of_the_tests(name: str) -> None:
    whole = locked(LOCKS / "tests.txt")
    for package, versions in locked(LOCKS / f"{name}.txt").items():
        assert versions == whole[package], package


def test_the_lowest_versions_are_the_bounds_themselves() -> None:
    """Without an extra each direct dependency stands at its bound; extras ask for more of some, never for less."""
    base, every = locked(LOCKS / "lowest-base.txt"), locked(LOCKS / "lowest.txt")
    for wanted in asked(None):
        (bound,) = [s.version for s in wanted.specifier if s.operator in {">=", "=="}]
        ((version, _),) = base[canonicalize_name(wanted.name)]
        assert Version(version).release[:2] == (*Version(bound).release, 0)[:2], f"{wanted}: {version}"
        ((with_extras, _),) = every[canonicalize_name(wanted.name)]
        assert Version(with_extras) >= Version(version)


def test_the_resolver_and_the_installed_packages_agree_on_what_the_quickstart_brings_along() -> None:
    """uv's answer, from the index, against the list, from metadata of what was installed."""
    here = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux",
            "platform_system": "Linux", "platform_machine": "x86_64", "implementation_name": "cpython",
            "platform_python_implementation": "CPython", "os_name": "posix"}  # fmt: skip
    text = (LOCKS / "runtime.txt").read_text(encoding="utf-8")
    lines = [Requirement(line.removesuffix(" \\")) for line in text.splitlines() if re.match(r"\w", line)]
    resolved = {
        canonicalize_name(r.name): str(r.specifier)[2:] for r in lines if not r.marker or r.marker.evaluate(here)
    }
    assert {d.name: d.version for d in listed() if not d.extras or "dlib" in d.extras} == resolved
