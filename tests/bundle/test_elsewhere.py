"""A bundle is checked on another machine, from the documented list of packages, without torch and within seconds."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bundle_kept import Kept

from audit import record as records
from audit import report
from audit.bundle import keys, seal

ROOT = Path(__file__).resolve().parents[2]
LONDON = next(iter(sorted(ROOT.glob("results/london/dlib@*/*/"))), None)
BLOCK = """
import importlib.abc, importlib.metadata, sys, json
listed = set(json.loads(sys.argv[1]))
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in listed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
sys.argv = ["faceaudit", *sys.argv[2:]]
from audit.cli import main
main()
"""
"""The command in a process in which everything but the listed distributions (and what they need) is missing."""


def documented() -> list[str]:
    text = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^pip install (numpy .*)$", text, re.M)
    return line.split()


def needed(names: list[str]) -> set[str]:
    """Distributions with what they ask for, extras left out."""
    from importlib import metadata  # noqa: PLC0415

    found: set[str] = set()
    todo = list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        found.add(name)
        try:
            asked = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        todo += [re.split(r"[^A-Za-z0-9._-]", text)[0] for text in asked if "extra ==" not in text]
    return found


def forbidden() -> list[str]:
    """Modules of everything else that is installed here."""
    from importlib import metadata  # noqa: PLC0415

    kept = needed(documented()) | {"faceaudit", "setuptools", "pip"}
    owners = metadata.packages_distributions()
    return sorted(
        module
        for module, names in owners.items()
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in names} & kept and module != "audit"
    )


def verified(folder: Path, public: Path, home: Path) -> tuple[dict[str, Any], float]:
    """What `verify` says with nothing but the documented packages, and the processor time that it took, in seconds."""
    blocked = forbidden()
    assert {"torch", "pandas", "numba", "PIL", "altair"} <= set(blocked)
    arguments = [json.dumps(blocked), "verify", str(folder), "--public-key", str(public), "--json"]
    command = [sys.executable, "-c", BLOCK, *arguments]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), "LANG": "C.UTF-8"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env, cwd=home)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr + done.stdout
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"verify: {seconds:.1f} s of processor time")
    return json.loads(done.stdout), seconds


def test_torch_and_its_like_are_not_needed(kept: Kept, tmp_path: Path) -> None:
    said, _ = verified(kept.signed, kept.public, tmp_path)
    assert said["verified"]
    assert said["signed"]
    reports = [x for x in said["findings"] if x["question"].startswith("report (")]
    assert len(reports) == 4
    assert {one["outcome"] for one in reports} == {"established"}


@pytest.mark.skipif(LONDON is None, reason="no evaluation of the London Set is published in results/")
def test_the_published_audit_of_london_is_checked_within_five_seconds(tmp_path: Path) -> None:
    """With page and PDF; processor time, which other work on the machine hardly lengthens, the better of two."""
    assert LONDON is not None
    folder = tmp_path / "london"
    shutil.copytree(LONDON, folder)
    report.render(records.read(folder / "record.json"), folder, ["html", "pdf"])
    key, public = keys.make(tmp_path / "key.pem", None)
    seal(folder, key)
    took = []
    for _ in range(2):
        said, seconds = verified(folder, public, tmp_path)
        assert said["verified"]
        outcomes = {one["question"]: one["outcome"] for one in said["findings"]}
        for name in ("html", "pdf"):
            assert outcomes[f"report ({name}) is what the record says"] == "established"
        assert outcomes["differentials, intervals, nulls and verdicts"] == "established"
        assert outcomes["descriptor"] == "established"
        took.append(seconds)
    assert min(took) <= 5.0, took


def test_it_writes_nothing_and_asks_no_network(kept: Kept) -> None:
    """Where a place without a network can be made, it runs there."""
    before = {path: path.stat().st_mtime_ns for path in kept.signed.rglob("*")}
    offline = ["unshare", "--net", "--map-root-user"]
    can = subprocess.run([*offline, "true"], check=False, capture_output=True).returncode == 0
    command = [*(offline if can else []), sys.executable, "-m", "audit", "verify", str(kept.signed), "--quiet"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in kept.signed.rglob("*")} == before
