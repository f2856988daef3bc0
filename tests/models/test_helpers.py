"""Helper processes: the same numbers as dlib in this process, and no death that an image is blamed for."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dlib
import numpy as np
import pytest

from audit import models
from audit.models.helpers import Helpers
from audit.plan import make


@pytest.fixture(scope="module")
def weights() -> Path:
    return models.describe("dlib", plan=make({"benchmark": "b", "model": "dlib"})).weights


@pytest.fixture(scope="module")
def chips() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (150, 150, 3), dtype=np.uint8) for _ in range(3)]


def test_descriptors_are_dlibs_own_in_any_thread(weights: Path, chips: list[np.ndarray]) -> None:
    network = dlib.face_recognition_model_v1(str(weights))
    helpers = Helpers(weights, 2, chip=150, dimension=128)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(helpers.descriptor, chips))
    for chip, descriptor in zip(chips, found, strict=True):
        assert descriptor.tolist() == list(network.compute_face_descriptor(chip))
    processes = list(helpers._all)
    helpers.close()
    assert {process.returncode for process in processes} == {0}


def test_a_process_that_died_is_replaced(weights: Path, chips: list[np.ndarray]) -> None:
    helpers = Helpers(weights, 1, chip=150, dimension=128)
    before = helpers.descriptor(chips[0])
    helpers._all[0].kill()
    assert helpers.descriptor(chips[0]).tolist() == before.tolist()
    helpers.close()


def test_ctrl_c_does_not_end_a_process(weights: Path, chips: list[np.ndarray]) -> None:
    helpers = Helpers(weights, 1, chip=150, dimension=128)
    helpers.descriptor(chips[0])
    process = helpers._all[0]
    process.send_signal(signal.SIGINT)
    helpers.descriptor(chips[1])
    assert helpers._all == [process]
    helpers.close()


def test_dying_again_and_again_is_an_error_and_not_a_wait(tmp_path: Path, chips: list[np.ndarray]) -> None:
    nonsense = tmp_path / "weights.dat"
    nonsense.write_bytes(b"no network")
    helpers = Helpers(nonsense, 1, chip=150, dimension=128)
    with pytest.raises(RuntimeError, match="ended twice"):
        helpers.descriptor(chips[0])
    helpers.close()
