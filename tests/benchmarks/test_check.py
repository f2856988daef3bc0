"""`faceaudit benchmarks check`: the command, the real set, the gate before it, and masses of copies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import sound

from audit.benchmarks import checks
from audit.benchmarks.checks import CHECKS, duplicates
from audit.errors import Refused

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "audit", "benchmarks", "check", *map(str, arguments)]
    return subprocess.run(line, check=False, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.london
def test_defects_of_the_london_set_are_the_three_known_ones(london: Path) -> None:
    found = [finding for finding in checks.check(str(london)).findings if finding.severity == "defect"]
    assert {(each.check, each.file, each.row, each.column, each.value) for each in found} == {
        ("missing-label", "london_info.csv", 29, "face_age", "NA"),
        ("missing-label", "london_info.csv", 92, "face_age", "NA"),
        ("undocumented-label", "london_info.csv", 33, "face_eth", "east_asian/white"),
    }
    assert len(found) == 3
    assert "zero-padded-ids" in {each.check for each in checks.check(str(london)).findings}


def test_the_bundled_set_has_no_defect() -> None:
    outcome = checks.check(str(ROOT / "benchmarks" / "synthetic"))
    assert (outcome.people, outcome.images, outcome.defects) == (324, 2136, 0)


def test_exit_code_and_summaries(tmp_path: Path) -> None:
    copy = sound(tmp_path / "made")
    copy.subjects[3][2] = "17"
    root = copy.write()
    bad = command(root, "--json")
    assert (bad.returncode, bad.stderr) == (1, "")
    made = json.loads(bad.stdout)
    assert (made["defects"], made["findings"][0]["check"], made["findings"][0]["row"]) == (1, "minor", 4)
    written = command(root, "--format", "md", "--out", tmp_path / "summary.md")
    assert (written.returncode, written.stdout) == (1, "")
    assert "subjects.csv, row 4, column 'age'" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    good = command(sound(tmp_path / "sound").write())
    assert (good.returncode, good.stdout.splitlines()[0]) == (0, "# made_up: 0 defects, 0 notes")


@pytest.mark.parametrize("how", ["name", "layout", "descriptor", "broken descriptor", "link"])
def test_a_refused_set_is_refused_before_an_image_is_read(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = sound(tmp_path / ("lfw" if how in ("name", "link") else "made"))
    if how == "layout":
        copy.samples[1][1] = "Ann_Other/Ann_Other_0001.jpg"
        (copy.root / "Ann_Other").mkdir()
        for number in (1, 2):
            (copy.root / "Ann_Other" / f"Ann_Other_000{number}.jpg").write_bytes(b"x")
    if "descriptor" in how:
        copy.changes["faceaudit__consentTier"] = "T6"
    if how == "broken descriptor":
        copy.changes["rai__dataBiases"] = None
    root = copy.write()
    if how == "link":
        root = tmp_path / "harmless"
        root.symlink_to(copy.root)
    monkeypatch.setattr(checks.pictures, "look_at", lambda _: pytest.fail("an image was read"))
    with pytest.raises(Refused):
        checks.check(str(root))


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_the_nearest_earlier_image_of_another_is_that_of_a_plain_loop(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.random((3, 255)) < 0.5
    hashes = base[rng.integers(3, size=count)] ^ (rng.random((count, 255)) < 0.04)
    people = [f"p{k}" for k in rng.integers(4, size=count)]
    expected = {}
    for late in range(count):
        near = [
            (int((hashes[late] != hashes[early]).sum()), early)
            for early in range(late)
            if people[late] != people[early]
        ]
        if near and min(near)[0] <= duplicates.NEAR:
            expected[late] = min(near)
    found = {late: (distance, early) for late, early, distance in duplicates.nearest_earlier(hashes, people)}
    assert found == expected


def test_the_page_of_checks_is_made_of_the_table() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{name}` | {c.severity} | {c.what} | {c.why} | {c.way_out} |" for name, c in CHECKS.items()]
