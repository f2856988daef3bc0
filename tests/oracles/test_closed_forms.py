"""Disparity measures and bounds that were computed by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit.metrics.differentials import MEASURES
from audit.stats.intervals import clopper_pearson, zero_upper_bound

pytestmark = pytest.mark.oracle
KEYS = {
    "gini_corr": "gini",
    "maxmin": "max/min",
    "maxgeo": "max/geomean",
    "maxmean": "max/mean",
    "logspread": "mean_abs_log10",
}


@pytest.fixture(scope="module")
def expected(oracles: Path) -> dict[str, Any]:
    return dict(json.loads((oracles / "expected_values.json").read_text()))


@pytest.mark.parametrize("key", sorted(KEYS))
def test_measures(expected: dict[str, Any], key: str) -> None:
    seen = 0
    for text, values in expected["closed_forms"].items():
        rates = np.array(json.loads(text), dtype=np.float64)
        if values[key] is not None:
            seen += 1
            assert MEASURES[KEYS[key]](rates, rates) == pytest.approx(values[key], rel=1e-12)
    assert seen >= 5


def test_gini_without_its_factor(expected: dict[str, Any]) -> None:
    for text, values in expected["closed_forms"].items():
        rates = np.array(json.loads(text), dtype=np.float64)
        corrected = float(MEASURES["gini"](rates, rates))
        assert corrected * (rates.size - 1) / rates.size == pytest.approx(values["gini_raw"], abs=1e-12)


def test_upper_bounds(expected: dict[str, Any]) -> None:
    """One-sided 95 % Clopper-Pearson bounds; without errors they are `1 - .05^(1/n)`."""
    for text, bound in expected["zero_adjust"].items():
        errors, trials = (int(part[1:]) for part in text.split("_"))
        assert clopper_pearson(errors, trials, 0.90)[1] == pytest.approx(bound, rel=1e-9)
        if errors == 0:
            assert zero_upper_bound(trials) == pytest.approx(bound, rel=1e-12)
