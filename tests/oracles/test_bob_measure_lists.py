"""Values of bob.measure on its own test data: CMC, and open-set detection and identification rate with FPIR."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from list_scores import GivenScores, Probe

pytestmark = pytest.mark.oracle
THRESHOLD = 0.5


@pytest.fixture(scope="module")
def expected(oracles: Path) -> dict[str, Any]:
    return dict(json.loads((oracles / "expected_values.json").read_text())["bob_measure"])


def test_cumulative_match_characteristic(oracles: Path, expected: dict[str, Any]) -> None:
    with h5py.File(oracles / "bob_measure" / "test-cmc.hdf5") as file:
        others, mates = file["data-neg"][()], file["data-pos"][()]
    counts = GivenScores([(row.tolist(), float(mate[0])) for row, mate in zip(others, mates, strict=True)]).at(
        np.zeros(0), (1, 5)
    )
    found = (counts.mated.sum() - counts.beyond.sum(axis=1)) / counts.mated.sum()
    assert found[: len(expected["cmc"])].tolist() == expected["cmc"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_open_set(oracles: Path, expected: dict[str, Any], number: int) -> None:
    counts = GivenScores(open_set(oracles / "bob_measure" / f"test{number}-open-set.hdf5")).at(
        np.array([THRESHOLD]), (1,)
    )
    wanted = expected["openset"][number]
    assert (counts.mated.sum(), counts.nonmated.sum()) == (wanted["n_mated"], wanted["n_nonmated"])
    assert (counts.mated.sum() - counts.misses[0, 0].sum()) / counts.mated.sum() == wanted["DIR"]
    assert counts.false_positives[-1, 0].sum() / counts.nonmated.sum() == wanted["FPIR"]


def open_set(path: Path) -> list[Probe]:
    with h5py.File(path) as file:
        number = len([name for name in file if name.startswith("data-neg")])
        probes: list[Probe] = []
        for k in range(number):
            mate = file[f"data-pos-{k}"][()]
            probes.append((file[f"data-neg-{k}"][()].tolist(), None if mate.dtype.kind == "S" else float(mate[0])))
    return probes
