"""Odds ratios with clustered errors, against statsmodels' recorded values, and by hand."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit.metrics.odds import NotEstimableError, Trials, compare, logit

ORACLES = Path(__file__).resolve().parents[2].parent / "shared" / "oracles" / "fairlearn"


def oracle() -> tuple[pd.DataFrame, dict[str, object]]:
    if not ORACLES.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{ORACLES} is absent")
        pytest.skip(f"{ORACLES} is absent")
    return pd.read_csv(ORACLES / "detection.csv"), json.loads((ORACLES / "fairlearn_expected.json").read_text())


@pytest.mark.oracle
def test_coefficients_and_clustered_errors_are_those_of_statsmodels() -> None:
    table, expected = oracle()
    wanted = expected["logit"]
    design = np.column_stack([np.ones(len(table)), table["group"], table["blur"]])
    found = logit(table["miss"], design, table["id"])
    assert found.coefficients.tolist() == pytest.approx(wanted["coef"], rel=1e-9)  # type: ignore[index]
    assert found.errors.tolist() == pytest.approx(wanted["se_cluster"], rel=1e-9)  # type: ignore[index]
    assert math.exp(found.coefficients[1]) == pytest.approx(wanted["or_group"], rel=1e-9)  # type: ignore[index]


@pytest.mark.oracle
def test_the_table_of_two_groups_gives_its_odds_ratio() -> None:
    _, expected = oracle()
    good, bad, well, ill = expected["odds_ratio_2x2"]["table"]  # type: ignore[index]
    failed = np.repeat([0, 1, 0, 1], [good, bad, well, ill])
    second = np.repeat([0, 0, 1, 1], [good, bad, well, ill])
    found = logit(failed, np.column_stack([np.ones(200), second]), np.arange(200))
    assert math.exp(found.coefficients[1]) == pytest.approx(expected["odds_ratio_2x2"]["miss_OR"], rel=1e-9)  # type: ignore[index]
    # of one trial a person, clustered errors are those of a sandwich with n/(n - 1): close to Woolf's, not equal
    assert found.errors[1] == pytest.approx(expected["odds_ratio_2x2"]["log_se"], rel=0.02)  # type: ignore[index]


def trials(rates: list[list[float]], people: int = 60) -> Trials:
    """Each of two groups with its share of misses at severities 0, 1, 2; 10 pictures a person."""
    rng = np.random.default_rng(5)
    member = np.repeat(np.eye(2, dtype=bool), people, axis=1)
    made = np.full((3, 2 * people), 10)
    share = np.repeat(np.array(rates).T, people, axis=1)
    return Trials(rng.binomial(made, share), made, (0, 1, 2), member)


def test_an_odds_ratio_is_that_of_the_counts_where_severity_changes_nothing() -> None:
    found, interaction = compare(trials([[0.2] * 3, [0.4] * 3]), 0, 0.95)
    assert found[0].ratio == pytest.approx((0.4 / 0.6) / (0.2 / 0.8), rel=0.15)
    assert found[0].interval is not None
    assert found[0].interval.low < 0.4 / 0.6 / 0.25 < found[0].interval.high
    assert interaction.freedom == 1
    assert interaction.p is not None
    assert interaction.p > 0.01


def test_a_group_that_loses_faster_shows_as_an_interaction() -> None:
    _, interaction = compare(trials([[0.1, 0.12, 0.14], [0.1, 0.3, 0.7]]), 0, 0.95)
    assert interaction.p is not None
    assert interaction.p < 1e-6
    ((ratio, interval),) = interaction.steps
    assert ratio > 2
    assert interval.low > 1


def test_interaction_p_values_are_uniform_where_groups_lose_alike() -> None:
    rng = np.random.default_rng(11)
    member = np.repeat(np.eye(2, dtype=bool), 60, axis=1)
    made = np.full((4, 120), 2)
    below = 0
    for _ in range(300):
        prone = rng.normal(size=120)  # some people's faces are harder, at every severity
        share = 1 / (1 + np.exp(1.5 - prone - 0.6 * np.arange(4)[:, None]))
        _, found = compare(Trials(rng.binomial(made, share), made, (0, 1, 2, 3), member), 0, 0.95)
        assert found.p is not None
        below += found.p < 0.05
    assert 3 <= below <= 33  # 15 expected; clustered tests of 120 people reject a little too often


def test_a_group_without_a_miss_has_no_odds_and_says_so() -> None:
    made = trials([[0.2] * 3, [0.0] * 3])
    found, interaction = compare(made, 0, 0.95)
    assert found[0].ratio is None
    assert found[0].reason == "nothing failed in 1800 trials"
    assert interaction.p is None
    found, interaction = compare(made, 1, 0.95)
    assert found[0].ratio is None
    assert "compared with" in (interaction.reason or "")


def test_complete_separation_is_named() -> None:
    failed = np.repeat([0, 1], 20)
    with pytest.raises(NotEstimableError):
        logit(failed, np.column_stack([np.ones(40), failed * 3.0]), np.arange(40))
    with pytest.raises(NotEstimableError, match="depend"):
        logit(failed, np.ones((40, 2)), np.arange(40))
