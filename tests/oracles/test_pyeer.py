"""Values of pyeer on its example files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audit.metrics.det import auc, d_prime, eer_rocch, error_curve
from audit.metrics.thresholds import threshold_at_fmr

pytestmark = pytest.mark.oracle
Floats = NDArray[np.float64]
Experiment = tuple[Floats, Floats, Floats, dict[str, Any]]


@pytest.fixture(scope="module", params=["exp1", "exp2", "exp3"])
def experiment(oracles: Path, request: pytest.FixtureRequest) -> Experiment:
    folder = oracles / "pyeer"
    mated = np.loadtxt(folder / f"{request.param}_true.txt")
    nonmated = np.loadtxt(folder / f"{request.param}_false.txt")
    expected = json.loads((oracles / "expected_values.json").read_text())["pyeer"][request.param]
    assert (mated.size, nonmated.size) == (expected["n_gen"], expected["n_imp"])
    scores = np.unique(np.concatenate([mated, nonmated]))
    counts = [np.bincount(np.searchsorted(scores, x), minlength=scores.size) for x in (mated, nonmated)]
    return scores, counts[0].astype(np.float64), counts[1].astype(np.float64), expected


def test_auc_and_d_prime(experiment: Experiment) -> None:
    scores, mated, nonmated, expected = experiment
    assert auc(scores, mated, nonmated) == pytest.approx(expected["pyeer"]["auc"], abs=1e-12)
    assert d_prime(scores, mated, nonmated) == pytest.approx(expected["pyeer"]["decidability"], abs=1e-12)


def test_eer_of_the_hull(experiment: Experiment) -> None:
    scores, mated, nonmated, expected = experiment
    curve = error_curve(scores, mated, nonmated)
    assert curve is not None
    assert eer_rocch(curve) == pytest.approx(expected["reference"]["eer_hull"], abs=1e-12)


@pytest.mark.parametrize(("target", "key"), [(1e-2, "1e2"), (1e-3, "1e3"), (0.0, "0")])
def test_fnmr_at_fmr_is_exact(experiment: Experiment, target: float, key: str) -> None:
    scores, mated, nonmated, expected = experiment
    found = threshold_at_fmr(scores, nonmated, target)
    assert found.achieved is not None
    assert found.achieved <= target
    fnmr = mated[scores < found.value].sum() / mated.sum()
    assert fnmr == expected["reference"][f"fnmr_at_fmr{key}"]
    if target == 0:
        assert fnmr == expected["pyeer"]["fmr0"]
