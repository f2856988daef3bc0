"""Comparisons on a Ray of this machine: the counts of this process, whoever dies on the way."""

from __future__ import annotations

import os
import signal
import socket
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit import cluster
from audit.compare import bfloat16, distributed, halves
from audit.compare import counts as limits
from audit.compare.all_pairs import AllPairs
from audit.compare.counts import Reach
from audit.compare.parts import Checkpoint
from audit.errors import PlanError

WITHOUT = "pip install 'faceaudit[ray]'"


@pytest.fixture
def local():
    """One Ray for the tests here: a worker of one thread each on two cores."""
    ray = pytest.importorskip("ray", reason=WITHOUT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Ray's own start-up says is not ours to mend
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
        yield ray
        ray.shutdown()


def counted(**how: object) -> tuple:
    rng = np.random.default_rng(3)
    vectors, subject = rng.normal(size=(420, 8)).astype(np.float32), np.arange(420) // 3
    atom_of = np.arange(140) % 3
    pairs = AllPairs(vectors, subject, atom_of, 3, "cosine", **how)
    scores = pairs.scores(None, [Reach(np.ones((3, 3), dtype=bool), 0.05)])
    held = pairs._pass.held
    made = pairs.at(np.array([0.1, 0.7]), halves(atom_of, 3, np.random.default_rng(1)), 3)
    return scores.histogram, [one.tile for one in held], [one.place for one in held], [one.score for one in held], made


def assert_same(one: tuple, two: tuple) -> None:
    np.testing.assert_array_equal(one[0], two[0])
    assert one[1] == two[1]
    for mine, theirs in zip(one[2] + one[3], two[2] + two[3], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for name in ("errors", "see", "sec", "mated_errors", "half_errors"):
        np.testing.assert_array_equal(getattr(one[4], name), getattr(two[4], name))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("by_terms", [False, True])
def test_ray_counts_the_same_and_a_worker_that_dies_changes_nothing(
    local: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_terms: bool
) -> None:
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 32 if by_terms else 16)
    monkeypatch.setattr(limits, "EXACT_ROWS", 100)
    here = counted(by_terms=by_terms)
    original, died = distributed.count_square, tmp_path / "died"

    def dying(job: distributed.Job, pairs: list, starts: list, *sent: np.ndarray) -> bytes:
        if (0, 5) in pairs and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return original(job, pairs, starts, *sent)

    monkeypatch.setattr(distributed, "count_square", dying)
    kept = Checkpoint(tmp_path / "kept", pytest.fail)
    assert_same(here, counted(cluster="ray", checkpoint=kept, by_terms=by_terms))
    assert died.exists()
    # All branches are kept: the same again counts nothing.
    monkeypatch.setattr(distributed, "sweep", lambda *_: [])
    assert_same(here, counted(cluster="ray", checkpoint=kept, by_terms=by_terms))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ray://127.0.0.1:1", r"no Ray at ray://127.0.0.1:1: Connection refused"),
        ("rays", "Give a number, ray, or ray://HOST:PORT"),
        ("ray://nowhere", "Give a number, ray, or ray://HOST:PORT"),
    ],
)
def test_an_address_without_ray_is_one_line(address: str, message: str) -> None:
    pytest.importorskip("ray", reason=WITHOUT)
    with pytest.raises(PlanError, match=message), cluster.connected(address):
        pass


def test_a_port_at_which_something_else_answers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason=WITHOUT)

    def init(*_: object, **__: object) -> None:
        warnings.warn("Ray Client connection timed out.", stacklevel=1)
        raise ConnectionError("ray client connection timeout")

    monkeypatch.setattr(ray, "init", init)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"ray://127.0.0.1:{server.getsockname()[1]}"
        message = f"^--workers: no Ray at {address}: ray client connection timeout. Start one with: ray start --head"
        with pytest.raises(PlanError, match=message), cluster.connected(address):
            pass


def test_a_node_that_does_not_start_in_time_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a plain Exception of Ray's: on a busy machine the run ended in a traceback."""
    ray = pytest.importorskip("ray", reason=WITHOUT)

    def init(*_: object, **__: object) -> None:
        raise Exception("The current node timed out during startup.")  # noqa: TRY002 - as Ray does

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(PlanError, match=r"^--workers: no Ray at ray: The current node"), cluster.connected("ray"):
        pass


def test_squares_hold_every_tile_once() -> None:
    done = {(0, 0), (2, 7)}
    found = [pair for square in distributed.squares(9, done) for pair in square]
    assert sorted(found) == sorted({(a, b) for a in range(9) for b in range(a, 9)} - done)


@pytest.mark.filterwarnings("ignore")
def test_every_machine_of_a_cluster_is_asked_for_its_matrix_unit(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert distributed.on_every_machine(local, bfloat16.available) == [bfloat16.available()]
    assert distributed.on_every_machine(local, lambda: False) == [False]
    assert distributed.have_matrix_units("ray") == bfloat16.available()
    # One that is elsewhere is asked.
    monkeypatch.setattr(cluster, "require", lambda _: None)
    for answers, expected in (([True, True], True), ([True, False], False)):
        monkeypatch.setattr(distributed, "on_every_machine", lambda *_, answers=answers: answers)
        assert distributed.have_matrix_units("ray://there:10001") == expected
