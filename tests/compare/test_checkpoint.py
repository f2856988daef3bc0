"""Parts of comparisons: a monoid, kept on disk, and the same result whoever counted what, and when."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.compare import counts as limits
from audit.compare import halves, parts
from audit.compare.all_pairs import AllPairs
from audit.compare.counts import OperatingCounts, Reach, ScoreCounts
from audit.compare.parts import Checkpoint, Part, pack, unpack
from audit.compare.tiles import Held


def people(seed: int = 0, subjects: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), rng.integers(1, 5, subjects))
    own = rng.normal(size=(subjects, 12))
    vectors = own[subject] + 0.7 * rng.normal(size=(len(subject), 12))
    return vectors.astype(np.float32), subject, np.arange(subjects) % 3


EVERYONE = [Reach(np.ones((3, 3), dtype=bool), 0.05)]


def counted(**how: object) -> tuple[ScoreCounts, OperatingCounts, AllPairs]:
    vectors, subject, atom_of = people()
    pairs = AllPairs(vectors, subject, atom_of, 3, "cosine", **how)
    scores = pairs.scores(None, EVERYONE)
    return scores, pairs.at(np.array([0.2, 0.6]), halves(atom_of, 5, np.random.default_rng(1)), 5), pairs


def assert_same(one: tuple, two: tuple) -> None:
    np.testing.assert_array_equal(one[0].histogram, two[0].histogram)
    np.testing.assert_array_equal(one[0].score, two[0].score)
    for name in ("errors", "comparisons", "see", "sec", "scc", "mated_errors", "mated", "half_errors"):
        np.testing.assert_array_equal(getattr(one[1], name), getattr(two[1], name), err_msg=name)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 16)
    monkeypatch.setattr(limits, "EXACT_ROWS", 100)


def test_threads_change_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = counted(workers=1)
    assert_same(alone, counted(workers=4))


def part(seed: int, tiles: list[int]) -> Part:
    rng = np.random.default_rng(seed)
    held = [
        Held(
            (tile, tile),
            rng.integers(0, 9, 3).astype(np.uint32),
            rng.random(3).astype(np.float32),
            rng.integers(0, 9, tile % 2).astype(np.uint32),
            rng.random(tile % 2).astype(np.float32),
        )
        for tile in sorted(tiles)
        if tile % 3
    ]
    return Part(
        np.array([[t, t] for t in sorted(tiles)], dtype=np.int64).reshape(-1, 2),
        rng.integers(0, 9, (2, 4)),
        tuple(held),
    )


def same_part(one: Part, two: Part) -> None:
    np.testing.assert_array_equal(one.tiles, two.tiles)
    np.testing.assert_array_equal(one.histogram, two.histogram)
    assert [held.tile for held in one.held] == [held.tile for held in two.held]
    for a, b in zip(one.held, two.held, strict=True):
        for name in ("place", "score", "own_place", "own_score"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(9)), st.integers(0, 9), st.integers(0, 9), st.integers(0, 10**6))
def test_parts_are_a_commutative_monoid(tiles: list[int], first: int, second: int, seed: int) -> None:
    low, high = sorted((first, second))
    a, b, c = part(seed, tiles[:low]), part(seed + 1, tiles[low:high]), part(seed + 2, tiles[high:])
    same_part(a.merge(b).merge(c), a.merge(b.merge(c)))
    same_part(a.merge(b), b.merge(a))
    same_part(Part.empty((2, 4)).merge(a), a.merge(Part.empty((2, 4))))
    same_part(unpack(pack(b)), Part.empty((2, 4)).merge(b))


def test_a_tile_never_counts_twice() -> None:
    with pytest.raises(ValueError, match="in both parts"):
        part(0, [1, 2]).merge(part(1, [2, 3]))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(0, 3))
def test_operating_counts_are_a_commutative_monoid(seed: int, limits_: int, splits: int) -> None:
    rng = np.random.default_rng(seed)
    empty = OperatingCounts.empty(np.arange(limits_, dtype=np.float64), 5, 2, splits)

    def some() -> OperatingCounts:
        made = OperatingCounts.empty(empty.thresholds, 5, 2, splits)
        for name in ("errors", "comparisons", "see", "sec", "scc", "mated_errors", "mated", "half_errors"):
            array = getattr(made, name)
            array[...] = rng.integers(0, 9, array.shape)
        return made

    a, b, c = some(), some(), some()
    for one, two in ((a.merge(b).merge(c), a.merge(b.merge(c))), (a.merge(b), b.merge(a)), (a.merge(empty), a)):
        for name in ("errors", "comparisons", "see", "sec", "scc", "mated_errors", "mated", "half_errors"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_a_run_that_is_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = counted()
    monkeypatch.setattr(parts, "INTERVAL", 0.0)
    calls = 0

    def stop(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        counted(progress=stop, workers=1, checkpoint=Checkpoint(tmp_path, pytest.fail))
    files = list(tmp_path.rglob("*.npz"))
    assert len(files) == 20
    files[3].write_bytes(b"damaged")
    seen: list[int] = []
    again = counted(progress=lambda done, _: seen.append(done), checkpoint=Checkpoint(tmp_path, pytest.fail))
    assert seen[0] == 20
    assert_same(whole, again)
    Checkpoint(tmp_path, pytest.fail).clear()
    assert not tmp_path.exists()


def test_a_full_disk_costs_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "INTERVAL", 0.0)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    said: list[str] = []
    made = counted(checkpoint=Checkpoint(tmp_path, said.append), workers=2)
    assert len(said) == 1
    assert "No space left on device" in said[0]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert_same(counted(), made)


KILLED = """
import sys, time
from pathlib import Path
from audit.compare import blocks, counts, parts
sys.path.insert(0, sys.argv[2])
import test_checkpoint
blocks.BLOCK, counts.EXACT_ROWS, parts.INTERVAL = 16, 100, 0.0
kept = parts.Checkpoint(Path(sys.argv[1]), print)
test_checkpoint.counted(progress=lambda d, t: time.sleep(0.02), checkpoint=kept)
"""
"""The same comparisons as `counted`, slowly."""


def test_a_process_that_is_killed_loses_no_finished_tile(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "kept"), str(Path(__file__).parent)]
    killed = subprocess.Popen(command)
    until = time.monotonic() + 60
    while time.monotonic() < until and len(list(tmp_path.rglob("*.npz"))) < 10:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    seen: list[tuple[int, int]] = []
    kept = Checkpoint(tmp_path / "kept", pytest.fail)
    again = counted(progress=lambda *at: seen.append(at), checkpoint=kept)
    assert 10 < seen[0][0] < seen[0][1]
    assert_same(counted(), again)


def test_one_thread_alone_leaves_tiles_in_the_same_order() -> None:
    alone, several = (counted(workers=workers)[2]._pass.held for workers in (1, 3))
    assert [one.tile for one in alone] == [one.tile for one in several]
    assert len(alone) > 10
