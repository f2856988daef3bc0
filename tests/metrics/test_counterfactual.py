"""Counterfactual changes, counted by hand on a series of four people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audit.domain import Sample, SeriesLevel
from audit.metrics.counterfactual import Movement, Outcomes, factors, movements

LEVELS = ("full", "half", "dark")


def row(person: str, level: str, *, own: bool) -> SeriesLevel:
    name = f"{person}-{level}"
    return SeriesLevel(Sample(name, person, Path(name)), "light", level, LEVELS.index(level), own)


SERIES = [
    *(row(person, level, own=level == "full") for person in "abc" for level in LEVELS),
    row("d", "full", own=False), row("d", "half", own=True),
]  # fmt: skip
PICTURES = {item.sample.sample_id: k for k, item in enumerate(SERIES)}
"""a: 0 1 2, b: 3 4 5, c: 6 7 8 (full, half, dark), d: 9 10 (full, half)."""


def outcomes() -> Outcomes:
    """Person c has no template in the dark; gallery of a, b, c: two samples each, of d: one."""
    scores = np.array([0.9, 0.7, 0.2, 0.8, 0.8, 0.4, 0.7, 0.6, np.nan, 0.5, 0.9])
    errors = np.array([0, 0, 2, 0, 1, 1, 0, 0, 0, 1, 0])
    trials = np.array([2, 2, 2, 2, 2, 2, 2, 2, 0, 1, 1])
    templates = np.arange(11) != 8
    points = np.zeros((11, 5, 2))
    points[:, 1, 0] = 10.0  # the eyes are 10 pixels apart
    points[1, :, 1] += 1.0  # all five points of a move by 1 pixel at half the light: 10 percent
    points[8] = np.nan
    return Outcomes(
        scores=scores,
        errors={"global-fmr-0.01": errors},
        trials=trials,
        templates=templates,
        gallery=np.array([2] * 9 + [1] * 2),
        missed={"mtcnn": ~templates, "model": ~templates},
        points=points,
    )


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str, str, str | None], Movement]:
    (factor,) = factors(SERIES, PICTURES)
    rows = movements(factor, outcomes(), level=0.95, min_subjects=2)
    return {(m.against, m.level, m.quantity, m.detector): m for m in rows}


def test_series_are_arranged_by_person_and_level() -> None:
    (factor,) = factors(list(reversed(SERIES)), PICTURES)
    assert (factor.name, factor.levels) == ("light", LEVELS)
    assert sorted(map(tuple, factor.picture.tolist())) == [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, -1)]
    assert sorted(factor.own.tolist()) == [0, 0, 0, 1]


def test_scores_move_by_the_mean_of_the_differences(found: dict[tuple[str, str, str, str | None], Movement]) -> None:
    half = found["own", "half", "score", None]
    assert half.people == 3  # d's own level is half: nothing is changed in it
    assert half.change is not None
    assert half.change.change == pytest.approx((-0.2 + 0.0 - 0.1) / 3)
    dark = found["own", "dark", "score", None]
    assert dark.people == 2  # c has no template in the dark, d has no such picture
    full = found["own", "full", "score", None]
    assert (full.people, full.change) == (1, None)
    assert "1 person" in str(full.reason)
    first = found["full", "half", "score", None]
    assert first.people == 4
    assert first.change is not None
    assert first.change.change == pytest.approx((-0.2 + 0.0 - 0.1 + 0.4) / 4)


def test_errors_are_counted_before_and_after(found: dict[tuple[str, str, str, str | None], Movement]) -> None:
    dark = found["own", "dark", "FNMR", None]
    assert (dark.people, dark.errors, dark.trials) == (2, (0, 3), (4, 4))
    rejected = found["own", "dark", "FRR", None]
    assert (rejected.people, rejected.errors, rejected.trials) == (3, (0, 5), (6, 6))  # c is rejected twice
    half = found["full", "half", "FNMR", None]
    assert (half.errors, half.trials) == ((1, 1), (7, 7))


def test_misses_and_landmarks(found: dict[tuple[str, str, str, str | None], Movement]) -> None:
    missed = found["own", "dark", "miss", "mtcnn"]
    assert (missed.people, missed.errors, missed.trials) == (3, (0, 1), (3, 3))
    moved = found["own", "half", "landmarks", None]
    assert moved.change is not None
    assert (moved.people, moved.change.change) == (3, pytest.approx(10 / 3))  # 10 percent down in one person of three
    assert moved.change.low < 0 < moved.change.high
    assert found["own", "dark", "landmarks", None].people == 2


def test_the_first_level_is_not_compared_with_itself(found: dict[tuple[str, str, str, str | None], Movement]) -> None:
    assert not [key for key in found if key[:2] == ("full", "full")]


def test_fewer_people_than_the_plan_allows_get_a_reason() -> None:
    (factor,) = factors(SERIES, PICTURES)
    rows = list(movements(factor, outcomes(), level=0.95, min_subjects=4))
    assert all(m.change is None and m.reason for m in rows if m.people < 4)
    assert any(m.change is not None for m in rows)
