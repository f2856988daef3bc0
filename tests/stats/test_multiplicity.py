from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.stats.multiplicity import holm


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.02, 0.03, 0.04]).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_never_lowers(values: list[float]) -> None:
    p = np.array(values)
    adjusted = holm(p)
    assert np.all(adjusted >= p)
    assert np.all(adjusted <= np.minimum(1, p * p.size))
    shuffled = np.random.default_rng(1).permutation(p.size)
    np.testing.assert_array_equal(holm(p[shuffled]), adjusted[shuffled])
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)


def test_holm_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match="p-values"):
        holm([0.1, float("nan")])
