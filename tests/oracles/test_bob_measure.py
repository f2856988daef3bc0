"""Values of bob.measure on its own test data: FNMR at FMR, AUC, ROCCH-EER, DET."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from audit.metrics.det import auc, d_prime, eer_rocch, error_curve, probit
from audit.metrics.thresholds import threshold_at_fmr

pytestmark = pytest.mark.oracle
Floats = NDArray[np.float64]


def array(path: Path) -> Floats:
    with h5py.File(path) as file:
        return np.asarray(file["array"][()], dtype=np.float64)


def counted(mated: Floats, nonmated: Floats) -> tuple[Floats, Floats, Floats]:
    scores, place = np.unique(np.concatenate([mated, nonmated]), return_inverse=True)
    weights = np.bincount(place, minlength=scores.size)
    first = np.bincount(place[: mated.size], minlength=scores.size)
    return scores, first.astype(np.float64), (weights - first).astype(np.float64)


@pytest.fixture(scope="module")
def expected(oracles: Path) -> dict[str, Any]:
    return dict(json.loads((oracles / "expected_values.json").read_text())["bob_measure"])


@pytest.fixture(scope="module")
def inseparable(oracles: Path) -> tuple[Floats, Floats, Floats]:
    folder = oracles / "bob_measure"
    return counted(array(folder / "nonsep-positives.hdf5"), array(folder / "nonsep-negatives.hdf5"))


@pytest.mark.parametrize("target", ["0.01", "0.1", "1.0"])
def test_fnmr_at_fmr_is_exact(
    inseparable: tuple[Floats, Floats, Floats], expected: dict[str, Any], target: str
) -> None:
    scores, mated, nonmated = inseparable
    found = threshold_at_fmr(scores, nonmated, float(target))
    fnmr = mated[scores < found.value].sum() / mated.sum()
    for fmr_expected, fnmr_expected in expected[f"fnmr@fmr{target}"]:
        assert (found.achieved, fnmr) == (fmr_expected, fnmr_expected)


def test_summary_values(inseparable: tuple[Floats, Floats, Floats], expected: dict[str, Any]) -> None:
    curve = error_curve(*inseparable)
    assert curve is not None
    assert auc(*inseparable) == pytest.approx(expected["auc"], abs=1e-12)
    assert eer_rocch(curve) == pytest.approx(expected["eer_hull"], abs=1e-12)
    assert d_prime(*inseparable) == pytest.approx(expected["dprime_ddof0"], abs=1e-12)


def test_separable_scores_have_no_error(oracles: Path) -> None:
    folder = oracles / "bob_measure"
    scores = counted(array(folder / "linsep-positives.hdf5"), array(folder / "linsep-negatives.hdf5"))
    curve = error_curve(*scores)
    assert curve is not None
    assert (eer_rocch(curve), auc(*scores)) == (0.0, 1.0)


def test_det_arrays(oracles: Path, inseparable: tuple[Floats, Floats, Floats]) -> None:
    """Every point of bob's ROC is one of our operating points, and its DET is our probit of that point."""
    folder = oracles / "bob_measure"
    roc, det = array(folder / "nonsep-roc.hdf5"), array(folder / "nonsep-det.hdf5")
    curve = error_curve(*inseparable)
    assert curve is not None
    away = np.abs(curve.fmr[:, None] - roc[0]) + np.abs(curve.fnmr[:, None] - roc[1])
    nearest = away.argmin(axis=0)
    assert away.min(axis=0).max() < 1e-12
    ours = np.array([probit(curve.fmr[nearest]), probit(curve.fnmr[nearest])])
    np.testing.assert_allclose(ours, det, rtol=0, atol=1e-6)
    assert {-8.12636, 8.12636} <= set(ours.round(5).ravel())


def test_places_of_zero_and_one(expected: dict[str, Any]) -> None:
    ends = [expected["det_value_for_rate0"], expected["det_value_for_rate1"]]
    np.testing.assert_allclose(probit([0.0, 1.0]), ends, rtol=0, atol=1e-6)
