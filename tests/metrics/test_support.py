from __future__ import annotations

import pytest

from audit.metrics.support import excluded, expected_effective_errors, support


@pytest.mark.parametrize(
    ("subjects", "errors", "expected"),
    [
        (29, 1000.0, "count-only"),
        (1000, 9.99, "count-only"),
        (1000, None, "count-only"),
        (30, 10.0, "low-precision"),
        (99, 1000.0, "low-precision"),
        (1000, 29.9, "low-precision"),
        (100, 30.0, "sufficient"),
    ],
)
def test_support_policy(subjects: int, errors: float | None, expected: str) -> None:
    assert support(subjects, errors) == expected


def test_exclusion_goes_by_what_is_expected() -> None:
    assert excluded(30, 10.0) is None
    assert excluded(29, 99.0) == "29 subjects, fewer than 30"
    assert excluded(60, 9.94) == "9.9 effective errors expected at the pooled rate, fewer than 10"
    assert expected_effective_errors(1e-3, 40_000, 4.0) == pytest.approx(10)
