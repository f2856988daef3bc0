"""Monte-Carlo: do intervals of FPIR cover when other strangers *and* another list are drawn each time?

A template is a direction that all share, the person's own, and noise; few people on the list and many strangers, so
that a person on the list who resembles many raises alarms together.
"""

from __future__ import annotations

import numpy as np
import pytest

from audit.compare.blocks import ArrayRows
from audit.compare.identify import AgainstList
from audit.domain import DemographicGroup
from audit.groups import Grouping
from audit.metrics import identification
from audit.metrics.rates import Cell, error_rates, joint_covariance

pytestmark = pytest.mark.coverage_mc
DIMENSION, IMAGES = 12, 2


def against(listed: int, strangers: int, rng: np.random.Generator) -> AgainstList:
    people = listed + strangers
    own = rng.standard_normal((people, DIMENSION)) + 2 / np.sqrt(DIMENSION)
    subject = np.r_[np.arange(listed), np.repeat(np.arange(listed, people), IMAGES)]
    vectors = (own[subject] + 0.5 * rng.standard_normal((len(subject), DIMENSION))).astype(np.float32)
    probes = np.arange(listed, len(subject))
    atoms = np.zeros(people, dtype=np.int64)
    return AgainstList(ArrayRows(vectors), subject, probes, np.arange(listed), atoms, 1, "cosine")


@pytest.mark.parametrize(("listed", "strangers"), [(50, 200), (100, 100)])
def test_false_alarm_rates_cover(listed: int, strangers: int) -> None:
    rng, repeats = np.random.default_rng(6), 400
    highest = [against(listed, strangers, rng).highest() for _ in range(20)]
    threshold = float(np.quantile(np.concatenate([np.repeat(s, n) for s, n in highest]), 0.9))
    grouping = Grouping((), (DemographicGroup(),), np.zeros(listed + strangers, dtype=np.int64), np.ones((1, 1), bool))
    found = []
    for _ in range(repeats):
        counts = against(listed, strangers, rng).at(np.array([threshold]), (1,))
        tally = identification.false_positives(counts, 0, grouping, counts.nonmated)
        found += error_rates(
            "FPIR", tally, [Cell(DemographicGroup())], np.diag(joint_covariance(tally)), operating_point=None,
            level=0.95, min_subjects=2,
        )  # fmt: skip
    truth = np.mean([rate.value for rate in found])
    covered = np.mean([rate.interval.low <= truth <= rate.interval.high for rate in found])
    # 95 %, not below .92 and not above .98, widened by three standard errors of 400 repeats.
    noise = 3 * (0.95 * 0.05 / repeats) ** 0.5
    assert 0.92 - noise <= covered <= 0.98 + noise
