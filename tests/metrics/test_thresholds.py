from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.metrics.thresholds import threshold_at_fmr


def test_by_hand() -> None:
    """Ten comparisons: 2 at .1, 5 at .2, 2 at .5, 1 at .9."""
    scores, counts = [0.1, 0.2, 0.5, 0.9], [2, 5, 2, 1]
    found = {x: threshold_at_fmr(scores, counts, x) for x in (1.0, 0.79, 0.3, 0.29, 0.1, 0.0)}
    assert {x: (t.value, t.errors) for x, t in found.items()} == {
        1.0: (0.1, 10),
        0.79: (0.5, 3),
        0.3: (0.5, 3),
        0.29: (0.9, 1),
        0.1: (0.9, 1),
        0.0: (np.nextafter(0.9, 1), 0),
    }
    assert found[0.3].achieved == 0.3
    assert found[0.79].achieved == 0.3


def test_ties_at_the_top_push_the_threshold_above_them() -> None:
    found = threshold_at_fmr([0.1, 0.9], [990, 10], 0.005)
    assert found.value == np.nextafter(0.9, np.inf)
    assert (found.errors, found.achieved, found.estimable) == (0, 0.0, True)


@pytest.mark.parametrize(("target", "trials"), [(0.29, 100), (0.07, 100), (1e-3, 1000), (1e-6, 3_000_000), (0.57, 100)])
def test_products_that_floating_point_rounds_down_are_whole(target: float, trials: int) -> None:
    allowed = round(target * trials)
    found = threshold_at_fmr([0.0, 1.0], [trials - allowed, allowed], target)
    assert (found.value, found.errors) == (1.0, allowed)


@pytest.mark.parametrize(("trials", "estimable"), [(999, False), (1000, True)])
def test_fewer_than_one_expected_error_is_not_estimable(trials: int, estimable: bool) -> None:
    found = threshold_at_fmr([0.5], [trials], 1e-3)
    assert found.estimable is estimable
    assert (found.reason is None) is estimable
    if not estimable:
        assert "999 comparisons" in (found.reason or "")


def test_no_comparison_gives_no_threshold() -> None:
    for scores, counts in (([], []), ([0.3], [0])):
        found = threshold_at_fmr(scores, counts, 0.01)
        assert (found.value, found.achieved, found.estimable) == (None, None, False)


def test_scores_that_nobody_had_are_not_observed() -> None:
    assert threshold_at_fmr([0.1, 0.2, 0.3], [5, 0, 1], 1 / 6).value == 0.3
    assert threshold_at_fmr([0.1, 0.2, 0.3], [5, 1, 0], 0.0).value == np.nextafter(0.2, 1)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=200), st.floats(0, 1))
def test_target_is_never_exceeded_and_no_lower_score_would_do(sample: list[int], target: float) -> None:
    x = np.array(sample) / 7
    scores, counts = np.unique(x, return_counts=True)
    found = threshold_at_fmr(scores, counts, target)
    assert found.value is not None
    assert np.count_nonzero(x >= found.value) == found.errors
    assert found.errors <= target * x.size + 1e-9
    lower = scores[scores < found.value]
    if lower.size:
        assert np.count_nonzero(x >= lower[-1]) > target * x.size


@pytest.mark.parametrize(
    ("scores", "counts", "match"),
    [
        ([0.2, 0.1], [1, 1], "ascend"),
        ([0.1, 0.1], [1, 1], "ascend"),
        ([np.nan], [1], "finite"),
        ([0.1], [-1], "whole"),
        ([0.1], [0.5], "whole"),
        ([0.1, 0.2], [1], "one length"),
    ],
)
def test_what_is_no_table_of_scores_is_refused(scores: list[float], counts: list[float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        threshold_at_fmr(scores, counts, 0.1)


def test_target_is_a_probability() -> None:
    with pytest.raises(ValueError, match="target FMR"):
        threshold_at_fmr([0.1], [1], 1.5)
