"""The product's own road, comparisons -> counts -> tallies -> covariance, against the values of cis-matching-tasks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit.compare import halves
from audit.compare.pairs import ListedPairs
from audit.domain import DemographicGroup
from audit.metrics.rates import Cell, Tally, by_subject, error_rates, joint_covariance, nonmated
from audit.stats import clustered

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def expected(oracles: Path) -> dict:
    return json.loads((oracles / "cimat" / "cimat_expected.json").read_text())


@pytest.fixture(scope="module")
def comparisons(oracles: Path) -> tuple[ListedPairs, np.ndarray]:
    frame = pd.read_csv(oracles / "cimat" / "pairs.csv", dtype={"id1": np.int64, "id2": np.int64, "score": np.float64})
    atom_of = np.arange(40, dtype=np.int64) % 3
    return ListedPairs(frame.id1.to_numpy(), frame.id2.to_numpy(), frame.score.to_numpy(), atom_of, 3), atom_of


def uncorrected(paired: Tally, own: Tally) -> np.ndarray:
    return clustered.joint_covariance(
        paired.residuals,
        paired.cross,
        own.residuals,
        np.r_[paired.trials, own.trials],
        np.r_[paired.rates, own.rates],
        np.r_[paired.subjects, own.subjects],
        small_sample=False,
    )


def test_variances_and_intervals_of_everyone(expected: dict, comparisons: tuple[ListedPairs, np.ndarray]) -> None:
    pairs, atom_of = comparisons
    thresholds = np.array([row["threshold"] for row in expected["rows"]])
    counts = pairs.at(thresholds, halves(atom_of, 2, np.random.default_rng(0)), 2)
    everyone = np.ones((1, 3, 3), dtype=bool)
    for t, row in enumerate(expected["rows"]):
        fmr = nonmated(counts, atom_of, everyone, row["threshold"])
        fnmr = by_subject(counts.mated_errors[t], counts.mated, np.ones((1, 40), dtype=bool))
        assert fmr.trials.tolist() == [expected["n_impostor"]]
        assert fnmr.trials.tolist() == [expected["n_genuine"]]
        assert fmr.rates[0] == pytest.approx(row["fmr"], rel=1e-12)
        assert fnmr.rates[0] == pytest.approx(row["fnmr"], rel=1e-12)
        variance = np.diag(uncorrected(fmr, fnmr))
        assert variance[0] == pytest.approx(row["var_fmr"], rel=1e-9)
        assert variance[1] == pytest.approx(row["var_fnmr"], rel=1e-9)
        name = [Cell(DemographicGroup())]
        shape = {"operating_point": "x", "level": 0.95, "min_subjects": 2}
        shown = error_rates("FMR", fmr, name, variance[:1], **shape)[0]
        assert (shown.interval.low, shown.interval.high) == pytest.approx(row["ci_fmr"], abs=1e-12)


def test_overlapping_cells_add_up(comparisons: tuple[ListedPairs, np.ndarray]) -> None:
    """Everyone is the sum of all disjoint cells, so its variance is a quadratic form in their covariance."""
    pairs, atom_of = comparisons
    counts = pairs.at(np.array([0.35]), np.zeros(40, dtype=np.int64), 0)
    masks = [np.ones((3, 3), dtype=bool)]
    for a in range(3):
        for b in range(a, 3):
            mask = np.zeros((3, 3), dtype=bool)
            mask[a, b] = mask[b, a] = True
            masks.append(mask)
    tally = nonmated(counts, atom_of, np.array(masks), 0.35)
    v = tally.residuals.T @ tally.residuals - tally.cross
    share = tally.trials[1:] / tally.trials[0]
    assert tally.errors[0] == tally.errors[1:].sum()
    pooled = tally.rates[0]
    recentred = tally.residuals[:, 1:] + (tally.rates[1:] - pooled) * _made(counts, atom_of, masks[1:])
    np.testing.assert_allclose(recentred.sum(axis=1), tally.residuals[:, 0], atol=1e-9)
    assert share.sum() == pytest.approx(1)
    assert v[0, 0] > 0
    joint = joint_covariance(tally)
    assert np.linalg.eigvalsh(joint).min() > -1e-12


def _made(counts: object, atom_of: np.ndarray, masks: list[np.ndarray]) -> np.ndarray:
    made = np.zeros((len(atom_of), len(masks)))
    for i, atom in enumerate(atom_of):
        for k, mask in enumerate(masks):
            made[i, k] = counts.comparisons[i][mask[atom]].sum()
    return made
