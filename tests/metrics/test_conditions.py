"""Gaps at equal capture conditions: by hand, planted effects, and every reason why one cannot be formed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from planted_conditions import Planted

from audit.metrics import conditions
from audit.metrics.conditions import Trials, gaps, of_pairs, of_samples


def people(group: np.ndarray, outcome: np.ndarray) -> Trials:
    """One trial a person."""
    return Trials(np.asarray(outcome, dtype=float), np.asarray(group, dtype=np.int64), np.arange(len(group)))


def test_a_table_by_hand() -> None:
    """Blurred pictures fail 1 in 2, sharp ones 1 in 10, in both groups; group 1 is blurred 3 times as often.

    Group 0: 20 blurred (10 errors), 60 sharp (6): 16 of 80. Group 1: 60 blurred (30), 20 sharp (2): 32 of 80. The
    ratio is 2; at equal conditions both fail in 80/160 x 1/2 + 80/160 x 1/10, so it is 1 and the change 1/2.
    """
    cells = [(0, 1, 10, 20), (0, 0, 6, 60), (1, 1, 30, 60), (1, 0, 2, 20)]
    group = np.concatenate([np.full(n, g) for g, _, _, n in cells])
    blur = np.concatenate([np.full(n, float(b)) for _, b, _, n in cells])
    outcome = np.concatenate([np.arange(n) < e for _, _, e, n in cells])
    found = gaps(people(group, outcome), of_samples({"blur": blur}), 2, 0, "rate")
    (gap,) = found.gaps
    assert (gap.errors, gap.trials, gap.people, gap.missing) == ((32, 16), (80, 80), (80, 80), 0)
    assert gap.before == pytest.approx(2)
    assert gap.after == pytest.approx(1)
    assert gap.change == pytest.approx(0.5)
    # Independent trials: Var ln(p1/p0) = (1-p1)/e1 + (1-p0)/e0, with the factor n/(n-1) and t of 79 degrees.
    half = 1.9904502 * np.sqrt((0.6 / 32 + 0.8 / 16) * 80 / 79)
    assert gap.before_interval is not None
    assert gap.before_interval.high == pytest.approx(2 * np.exp(half), rel=1e-6)
    (effect,) = found.effects
    assert (effect.measure, effect.column, effect.deviation) == ("blur", "value", 0.5)
    assert effect.value == pytest.approx(9**0.5)  # the odds are 1 and 1/9; half a unit is a deviation


def test_scores_by_hand() -> None:
    """score = 2 blur + 1 for group 1: the difference of means is 1 + 2 x 0.5, of which 1 is left."""
    group = np.repeat([0, 1], 40)
    blur = np.r_[np.tile([0.0, 0, 0, 1], 10), np.tile([0.0, 1, 1, 1], 10)]
    (gap,) = gaps(people(group, 2 * blur + group), of_samples({"blur": blur}), 2, 0, "score").gaps
    assert gap.before_interval is not None
    assert gap.errors is None
    assert (gap.before, gap.after, gap.change) == pytest.approx((2.0, 1.0, -1.0))


@pytest.mark.parametrize("kind", ["samples", "mated", "nonmated"])
def test_units_and_order_do_not_matter(kind: str) -> None:
    trials, columns = Planted(kind, 40, 2, -1.5, 0.8, 0.3, 0.5).trials(np.random.default_rng(2))
    (gap,) = gaps(trials, columns, 2, 0, "rate").gaps
    order = np.random.default_rng(3).permutation(len(trials.outcome))
    second = None if trials.second is None else trials.first[order]
    first = trials.first[order] if trials.second is None else trials.second[order]
    turned = Trials(trials.outcome[order], trials.group[order], first, second)
    (other,) = gaps(turned, {key: 7 - 3 * x[order] for key, x in columns.items()}, 2, 0, "rate").gaps
    assert other.after == pytest.approx(gap.after)
    assert other.change_interval is not None
    assert gap.change_interval is not None
    assert other.change_interval.high == pytest.approx(gap.change_interval.high)
    (back,) = gaps(trials, columns, 2, 1, "rate").gaps
    assert back.change == pytest.approx(1 / gap.change if gap.change else None)


def test_a_column_that_has_nothing_to_do_with_errors_leaves_the_ratio() -> None:
    """What odds ratios do not have: here the ratio moves by noise alone, and the interval of the change is narrow."""
    rng = np.random.default_rng(8)
    group = np.repeat([0, 1], 3000)
    outcome = rng.random(6000) < np.where(group == 1, 0.6, 0.3)
    (gap,) = gaps(people(group, outcome), of_samples({"yaw": rng.normal(size=6000)}), 2, 0, "rate").gaps
    assert gap.change == pytest.approx(1, abs=0.01)
    assert gap.support == "sufficient"


def test_columns_of_comparisons_are_mean_and_difference() -> None:
    made = of_pairs({"size": np.array([1.0, 3.0, np.nan])}, np.array([0, 0]), np.array([1, 2]))
    assert made["size", "mean"][0] == 2
    assert made["size", "difference"][0] == 2
    assert np.isnan(made["size", "mean"][1])


def reason(trials: Trials, columns: dict[tuple[str, str], np.ndarray], groups: int = 2) -> list[str | None]:
    found = gaps(trials, columns, groups, 0, "rate")
    for gap in found.gaps:
        assert (gap.after is None) == (gap.before is None) == (gap.reason is not None)
    return [gap.reason for gap in found.gaps]


def test_every_reason_is_said_and_nothing_is_infinite() -> None:
    rng = np.random.default_rng(4)
    group = np.repeat([0, 1], 100)
    outcome = rng.random(200) < 0.4
    blur = rng.normal(size=200)
    one = of_samples({"blur": blur})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert reason(people(group, outcome), one) == [None]
        assert reason(people(group, outcome & (group == 0)), one) == ["no error in one of the two groups"]
        assert reason(people(group, outcome | (group == 0)), one) == ["nothing but errors in one of the two groups"]
        (said,) = reason(people(group, outcome), of_samples({"blur": blur, "contrast": 3 - 2 * blur}))
        assert said == "contrast says the same as blur: leave one of them out"
        light = group + 0.01 * blur
        (said,) = reason(people(group, outcome), of_samples({"brightness": light}))
        assert said is not None
        assert said.startswith("group and capture conditions go together")
        assert reason(people(group, outcome), of_samples({"size": np.full(200, 40.0)})) == [
            "no capture condition varies"
        ]
        nothing = of_samples({"blur": np.full(200, np.nan)})
        assert reason(people(group, outcome), nothing) == ["no trial whose capture conditions are known"]
        few = of_samples({"blur": np.where((group == 1) & (np.arange(200) > 108), np.nan, blur)})
        assert reason(people(group, outcome), few) == ["fewer than 10 people whose capture conditions are known"]
        rare = np.isin(np.arange(200), [3, 9, 120, 130])
        assert reason(people(group, rare), one) == ["4 errors for 2 columns of the model, fewer than 5 each"]
        (said,) = reason(people(group, blur > 0), one)
        assert said is not None
        assert said.startswith("the model has no finite estimate")
        assert reason(people(group, outcome), {}) == ["no capture condition was asked for"]


def test_one_group_that_cannot_be_compared_leaves_the_others() -> None:
    """Also a measure that never varies: it is left out by name, and the others stay."""
    rng = np.random.default_rng(6)
    group = np.repeat([0, 1, 2, 3], 100)
    outcome = (rng.random(400) < 0.4) & (group != 2)
    blur = np.where(group == 3, 9.0, 0.0) + rng.normal(size=400)
    trials = people(group, outcome)
    found = gaps(trials, of_samples({"blur": blur, "roll": np.zeros(400)}), 4, 0, "rate")
    one, two, three = found.gaps
    assert one.after is not None
    assert two.reason == "no error in one of the two groups"
    assert three.overlap is not None
    assert three.overlap > conditions.APART
    assert found.left_out == {"roll": "the same in every trial"}
    missing = np.where(np.arange(400) % 10 == 0, np.nan, blur)
    (gap, *_) = gaps(trials, of_samples({"blur": missing}), 4, 0, "rate").gaps
    assert (gap.missing, gap.trials) == (20, (90, 90))


def test_a_column_that_varies_with_a_group_left_out_alone_goes_with_it() -> None:
    """Light is on in group 2 alone: without it light is the same for all, and the others are compared without it."""
    rng = np.random.default_rng(9)
    group = np.repeat([0, 1, 2], 100)
    trials = people(group, rng.random(300) < 0.4)
    measures = {"light": (group == 2).astype(float), "blur": 5 * rng.normal(size=300)}
    one, two = (found := gaps(trials, of_samples(measures), 3, 0, "rate")).gaps
    assert two.overlap == pytest.approx(1)
    assert found.left_out == {"light": "the same in every trial"}
    (alone,) = gaps(trials.part(group < 2), of_samples({"blur": measures["blur"][group < 2]}), 2, 0, "rate").gaps
    assert one.after == pytest.approx(alone.after)
    assert [(e.measure, e.deviation) for e in found.effects] == [("blur", pytest.approx(measures["blur"][:200].std()))]


@pytest.mark.parametrize(
    "planted",
    [
        Planted("samples", 60, 4, -2.2, 1.0, 0.0, 0.8),
        Planted("samples", 60, 4, -2.2, 0.6, 0.8, 0.0),
        Planted("nonmated", 30, 1, -2.5, 1.0, 0.0, 0.7),
    ],
    ids=["explained", "not explained", "explained, comparisons"],
)
def test_planted_gaps_are_found(planted: Planted) -> None:
    """Short form of `tests/coverage/test_conditions_coverage.py`: of 40 intervals of 95 %, at least 33 cover."""
    rng, repeats = np.random.default_rng(31), 40
    before, after = planted.truth()
    covered = np.zeros(3)
    for _ in range(repeats):
        (gap,) = gaps(*planted.trials(rng), 2, 0, "rate").gaps
        assert gap.before_interval is not None
        assert gap.after_interval is not None
        assert gap.change_interval is not None
        bounds = [(gap.before_interval, before), (gap.after_interval, after), (gap.change_interval, after / before)]
        covered += [inside.low <= truth <= inside.high for inside, truth in bounds]
    assert (covered >= 33).all()


def test_a_sample_of_non_errors_with_weights_says_what_all_of_them_say() -> None:
    """Errors in full and one in eight of the others: point and interval are near those of the full fit."""
    rng = np.random.default_rng(12)
    trials, columns = Planted("nonmated", 80, 2, -4.0, 0.8, 0.5, 0.6).trials(rng)
    (full,) = gaps(trials, columns, 2, 0, "rate").gaps
    weight = np.where(trials.outcome > 0, 1.0, 8.0)
    logs, widths = [], []
    for _ in range(20):
        keep = (trials.outcome > 0) | (rng.random(len(trials.outcome)) < 1 / 8)
        second = None if trials.second is None else trials.second[keep]
        drawn = Trials(trials.outcome[keep], trials.group[keep], trials.first[keep], second, weight[keep])
        (gap,) = gaps(drawn, {key: x[keep] for key, x in columns.items()}, 2, 0, "rate").gaps
        assert gap.after is not None
        assert gap.after_interval is not None
        logs.append(np.log(gap.after))
        widths.append(np.log(gap.after_interval.high / gap.after_interval.low))
    assert full.after is not None
    assert full.after_interval is not None
    width = np.log(full.after_interval.high / full.after_interval.low)
    assert abs(np.mean(logs) - np.log(full.after)) < 0.1 * width
    assert 0.95 * width < np.mean(widths) < 1.25 * width
