"""Monte-Carlo: do the intervals of a gap, of what is left at equal conditions, and of the change cover?

Planted in `planted_conditions`: a gap that blur explains entirely, one that it does not, and one of each half; for
samples of one subject, mated comparisons and non-mated ones, whose trials share subjects.
"""

from __future__ import annotations

import numpy as np
import pytest
from planted_conditions import Planted

from audit.metrics import conditions

pytestmark = pytest.mark.coverage_mc


@pytest.mark.parametrize(
    "planted",
    [
        Planted("samples", 60, 4, -2.2, 1.0, 0.0, 0.8),
        Planted("samples", 60, 4, -2.2, 0.6, 0.8, 0.0),
        Planted("mated", 60, 4, -2.2, 1.0, 0.0, 0.8),
        Planted("mated", 60, 3, -2.0, 0.7, 0.4, 0.5),
        Planted("nonmated", 50, 2, -4.0, 1.0, 0.0, 0.7),
        Planted("nonmated", 50, 2, -4.0, 0.5, 0.7, 0.0),
        Planted("nonmated", 100, 1, -4.5, 0.8, 0.4, 0.5),
        Planted("nonmated", 30, 1, -3.0, 1.0, 0.0, 0.7),
    ],
    ids=str,
)
def test_gaps_and_changes_cover(planted: Planted) -> None:
    rng, repeats = np.random.default_rng(77), 1000
    before, after = planted.truth()
    covered, formed = np.zeros(3), 0
    for _ in range(repeats):
        (gap,) = conditions.gaps(*planted.trials(rng), 2, 0, "rate").gaps
        if gap.before_interval is None or gap.after_interval is None or gap.change_interval is None:
            continue
        formed += 1
        bounds = [(gap.before_interval, before), (gap.after_interval, after), (gap.change_interval, after / before)]
        covered += [inside.low <= truth <= inside.high for inside, truth in bounds]
    print(f"{planted}: formed {formed} of {repeats}, covered {covered / formed}")
    assert formed > 0.98 * repeats
    # 95 %, not below .92 and not above .99, widened by three standard errors of 1,000 repeats.
    noise = 3 * (0.95 * 0.05 / repeats) ** 0.5
    assert (covered / formed >= 0.92 - noise).all()
    assert (covered / formed <= 0.99 + noise).all()
