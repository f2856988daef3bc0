from __future__ import annotations

import math

import numpy as np
import pytest

from audit.stats.power import minimum_detectable_ratio


def test_minimum_detectable_ratio_is_found_four_times_in_five() -> None:
    ratio = minimum_detectable_ratio(0.09)
    z = np.random.default_rng(1).normal(math.log(ratio), 0.3, 100_000) / 0.3
    assert np.mean(np.abs(z) > 1.959964) == pytest.approx(0.8, abs=0.01)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        minimum_detectable_ratio(-1)
