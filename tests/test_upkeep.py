"""The cache is looked at and cleared: the longest unused first, never more than asked."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from audit import upkeep
from audit.cli import main
from audit.domain import FailureToAcquire, Template
from audit.errors import DataError, PlanError
from audit.store import Key, TemplateStore

DAY = 86_400


def key(number: int) -> Key:
    return Key(hashlib.sha256(str(number).encode()).hexdigest(), "ab" * 32, "0" * 16)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Ten outcomes: number k was used k days ago; one unfinished write of last week, one of this minute."""
    store = TemplateStore(tmp_path / "cache")
    for number in range(10):
        store.put(key(number), Template(np.ones(128, np.float32)))
        path = store._path(key(number))
        os.utime(path, (time.time() - number * DAY - 1,) * 2)
    (store.root / ".new-old").write_bytes(b"half")
    os.utime(store.root / ".new-old", (time.time() - 7 * DAY,) * 2)
    (store.root / ".new-now").write_bytes(b"half")
    return tmp_path / "cache"


def left(root: Path) -> list[int]:
    return [number for number in range(10) if TemplateStore(root)._path(key(number)).exists()]


def test_looking_counts_and_changes_nothing(root: Path) -> None:
    (root / "influence").mkdir()
    (root / "influence" / "key").write_bytes(bytes(32))
    held = upkeep.look(root)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    assert (held.outcomes, held.others, held.settings, held.total_bytes) == (10, 3, 1, size)
    assert held.oldest == pytest.approx(time.time() - 9 * DAY, abs=60)
    assert left(root) == list(range(10))


def test_what_was_not_used_for_long_goes(root: Path) -> None:
    gone = upkeep.clear(root, older_than=6.5 * DAY)
    assert left(root) == [0, 1, 2, 3, 4, 5, 6]
    assert gone.files == 4  # three outcomes and the litter of last week
    assert not (root / "templates" / ".new-old").exists()
    assert (root / "templates" / ".new-now").exists()


def test_the_longest_unused_goes_first_until_the_size_is_held(root: Path) -> None:
    each = TemplateStore(root)._path(key(0)).stat().st_size
    upkeep.clear(root, max_size=4 * each + 10)
    assert left(root) == [0, 1, 2, 3]
    upkeep.clear(root, max_size=4 * each + 10)
    assert left(root) == [0, 1, 2, 3]


def test_using_an_outcome_keeps_it(root: Path) -> None:
    each = TemplateStore(root)._path(key(0)).stat().st_size
    assert TemplateStore(root).get(key(9)) is not None
    upkeep.clear(root, max_size=2 * each + 10)
    assert left(root) == [0, 9]


def test_all_goes_but_not_what_is_no_template(root: Path) -> None:
    (root / "influence").mkdir()
    (root / "influence" / "key").write_bytes(bytes(32))
    upkeep.clear(root)
    assert left(root) == []
    assert (root / "influence" / "key").exists()
    assert [path.name for path in (root / "templates").rglob("*") if path.is_file()] == [".new-now"]


def test_clearing_beside_a_writer_breaks_neither(tmp_path: Path) -> None:
    program = (
        "import sys, hashlib, numpy as np\nfrom pathlib import Path\nfrom audit.store import *\n"
        "from audit.domain import *\nstore = TemplateStore(Path(sys.argv[1]))\n"
        "for turn in range(1500):\n"
        "  k = Key(hashlib.sha256(str(turn % 40).encode()).hexdigest(), 'ab' * 32, '0' * 16)\n"
        "  store.put(k, Template(np.full(128, 7, np.float32)))\n"
        "  found = store.get(k)\n"
        "  assert found is None or (found.vector == 7).all()\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    while writer.poll() is None:
        upkeep.clear(tmp_path)
    assert writer.returncode == 0


def test_a_file_that_cannot_be_deleted_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(DataError, match=r"outcome: cannot be deleted: Permission denied"):
        upkeep.clear(root)


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("500M", 500 * 2**20), ("20 GB", 20 * 2**30), ("1.5KiB", 1536)])
def test_sizes(text: str, size: int) -> None:
    assert upkeep.size_of(text, "x") == size


@pytest.mark.parametrize("text", ["", "-1", "much", "1X", "1e3"])
def test_what_is_no_size_or_time_is_said(text: str) -> None:
    with pytest.raises(PlanError, match="Give a size"):
        upkeep.size_of(text, "--max-size")
    with pytest.raises(PlanError, match="Give a time"):
        upkeep.span_of(text, "--older-than")


def test_the_command_shows_and_clears(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACEAUDIT_CACHE", str(root))

    def cache(*arguments: str) -> str:
        with pytest.raises(SystemExit) as end:
            main(["cache", *arguments])
        assert end.value.code == 0
        return capsys.readouterr().out

    assert "10 templates and failures of 1 combinations" in cache()
    told = json.loads(cache("--older-than", "6d", "--json"))
    assert (told["outcomes"], told["deleted"]["files"]) == (6, 5)
    assert "Deleted 6 files" in cache("--clear")
    assert left(root) == []
    TemplateStore(root).put(key(1), FailureToAcquire("detect", "no face"))
    assert json.loads(cache("--json"))["outcomes"] == 1
