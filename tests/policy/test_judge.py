"""Verdicts of a policy, each bound with a second witness."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm, t

from audit.errors import PlanError
from audit.policy import Finding, judge
from audit.policy.rules import make
from audit.record import EvaluationRecord, Rate, write

BASE: dict[str, Any] = {"name": "r", "metric": "FMR", "target_fmr": 0.01, "groups": [{"grp": "c"}]}
C, A, B = {"grp": "c"}, {"grp": "a"}, {"grp": "b"}


def findings(record: EvaluationRecord, against: EvaluationRecord | None = None, **rule: Any) -> list[Finding]:
    values = {k: v for k, v in {**BASE, **rule}.items() if v is not None}
    return judge(make({"rules": [values]}), record, against).findings


def one(record: EvaluationRecord, against: EvaluationRecord | None = None, **rule: Any) -> Finding:
    found = findings(record, against, **rule)
    assert len(found) == 1
    return found[0]


def rate(record: EvaluationRecord, group: dict[str, str], metric: str = "FMR") -> Rate:
    point = None if metric == "FTA" else "global-fmr-0.01"
    return next(
        r for r in record.rates
        if (r.metric, r.group, r.operating_point, r.reference_group) == (metric, group, point, None)
    )  # fmt: skip


def test_bounds_of_a_rate_solve_wilsons_quadratic(record: EvaluationRecord) -> None:
    r = rate(record, C)
    size = r.value * (1 - r.value) / r.variance
    for confidence, sides in ((0.95, "one"), (0.9, "two"), (0.999, "one")):
        z = norm.isf((1 - confidence) / (1 if sides == "one" else 2))

        def off(x: float, z: float = z) -> float:
            return (r.value - x) ** 2 - z * z * x * (1 - x) / size

        found = one(record, maximum_rate=0.5, confidence=confidence, sides=sides)
        assert found.low == pytest.approx(brentq(off, 0, r.value), abs=1e-9)
        assert found.high == pytest.approx(brentq(off, r.value, 1), abs=1e-9)


@pytest.mark.parametrize("metric", ["FMR", "FNMR", "FRR", "FAR"])
def test_at_the_records_own_level_the_recorded_intervals_come_back(record: EvaluationRecord, metric: str) -> None:
    for found in findings(record, metric=metric, groups=["grp", "everyone"], maximum_rate=0.9, sides="two"):
        group = {} if found.group == "everyone" else {"grp": found.group[-1]}
        interval = rate(record, group, metric).interval
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_p_is_the_risk_at_which_the_bound_meets_the_limit(record: EvaluationRecord) -> None:
    for metric in ("FMR", "FNMR"):
        low = one(record, metric=metric, maximum_rate=0.9, confidence=0.97).low
        assert one(record, metric=metric, maximum_rate=low).p == pytest.approx(0.03, abs=1e-6)
    low = one(record, maximum_ratio=1.5, to=A, confidence=0.97).low
    assert one(record, maximum_ratio=low, to=A).p == pytest.approx(0.03, abs=1e-9)


def test_a_rate_without_errors_has_the_recorded_bound_and_its_kin(record: EvaluationRecord) -> None:
    r = rate(record, C, "FTA")
    assert (r.errors, r.value) == (0, 0)
    shape = {"metric": "FTA", "target_fmr": None}
    assert one(record, **shape, maximum_rate=0.5).high == pytest.approx(r.upper_bound, rel=1e-12)
    trials = math.log(0.05) / math.log(1 - r.upper_bound)
    at_99 = one(record, **shape, maximum_rate=0.5, confidence=0.99).high
    assert (1 - at_99) ** trials == pytest.approx(0.01, rel=1e-9)


def test_a_ratio_has_the_bounds_of_the_records_contrast(record: EvaluationRecord) -> None:
    checked = 0
    for contrast in record.contrasts:
        if isinstance(contrast.against, dict) and contrast.operating_point == "global-fmr-0.01" and contrast.interval:
            found = one(
                record, metric=contrast.metric, groups=[contrast.group], maximum_ratio=9, to=contrast.against,
                sides="two",
            )  # fmt: skip
            interval = contrast.interval
            assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6)
            assert found.value == pytest.approx(contrast.ratio, rel=1e-9)
            checked += 1
    assert checked == 4


def test_without_a_recorded_covariance_standard_errors_are_added(record: EvaluationRecord) -> None:
    a, c = rate(record, A, "FRR"), rate(record, C, "FRR")
    found = one(record, metric="FRR", maximum_ratio=3, to=A)
    error = math.sqrt(a.variance) / a.value + math.sqrt(c.variance) / c.value
    assert math.log(found.high / found.value) == pytest.approx(error * t.isf(0.05, 39), rel=1e-9)
    assert "standard errors added" in found.method


def test_verdicts_need_the_whole_interval_on_one_side(record: EvaluationRecord) -> None:
    r = one(record, maximum_rate=0.5)
    assert r.verdict == "PASSED"
    assert one(record, maximum_rate=r.high).verdict == "PASSED"
    assert one(record, maximum_rate=r.high * 0.999).verdict == "INCONCLUSIVE"
    assert one(record, maximum_rate=r.low * 1.001).verdict == "INCONCLUSIVE"
    assert one(record, maximum_rate=r.low * 0.999).verdict == "VIOLATED"


@given(limits=st.lists(st.floats(0.001, 0.9), min_size=2, max_size=2), kind=st.sampled_from(["rate", "ratio"]))
def test_a_milder_limit_is_never_judged_more_harshly(record: EvaluationRecord, limits: list[float], kind: str) -> None:
    order = {"VIOLATED": 0, "INCONCLUSIVE": 1, "PASSED": 2}
    small, large = sorted(limits)
    make_rule = (lambda x: {"maximum_rate": x}) if kind == "rate" else (lambda x: {"maximum_ratio": 1 + 60 * x})
    strict, mild = (findings(record, groups=["grp"], **make_rule(x)) for x in (small, large))
    for one_strict, one_mild in zip(strict, mild, strict=True):
        assert order[one_strict.verdict] <= order[one_mild.verdict]


def test_violations_are_adjusted_by_holm_over_the_groups_and_passes_are_not(record: EvaluationRecord) -> None:
    limit = one(record, maximum_rate=0.5, confidence=0.97).low
    alone = one(record, maximum_rate=limit)
    assert (alone.verdict, alone.p_adjusted) == ("VIOLATED", alone.p)
    together = findings(record, maximum_rate=limit, groups=["grp"])
    mine = next(f for f in together if f.group == "grp=c")
    assert mine.p_adjusted == pytest.approx(3 * mine.p)
    assert mine.verdict == "INCONCLUSIVE"
    assert "Holm" in mine.reason
    for found in together:
        single = one(record, maximum_rate=limit, groups=[{"grp": found.group[-1]}])
        assert (found.high, found.verdict == "PASSED") == (single.high, single.verdict == "PASSED")


def test_the_best_group_is_not_named_by_the_data(record: EvaluationRecord) -> None:
    """Pass: all ratios are small enough. Violation: some is too large, at the risk shared by two ratios."""
    pairs = [one(record, maximum_ratio=3, to=other) for other in (A, B)]
    best = one(record, maximum_ratio=3, to="best")
    assert best.high == pytest.approx(max(p.high for p in pairs))
    assert best.p == pytest.approx(2 * min(p.p for p in pairs))
    assert best.low == pytest.approx(max(one(record, maximum_ratio=3, to=o, confidence=0.975).low for o in (A, B)))
    assert best.verdict == "VIOLATED"
    assert one(record, groups=[A], maximum_ratio=40).verdict == "PASSED"


def test_everyone_overlaps_the_group_and_its_covariance_counts(record: EvaluationRecord) -> None:
    found = one(record, maximum_ratio=3, to="everyone")
    c, everyone = rate(record, C), rate(record, {})
    added = math.sqrt(c.variance) / c.value + math.sqrt(everyone.variance) / everyone.value
    assert math.log(found.high / found.value) < added * t.isf(0.05, 39)
    assert found.verdict == "VIOLATED"


def test_measures_are_taken_as_recorded_and_no_surer(record: EvaluationRecord) -> None:
    rule = {"measure": "max/min", "groups": ["grp"]}
    recorded = next(d for d in record.differentials if (d.measure, d.metric) == ("max/min", "FMR"))
    found = one(record, **rule, maximum=3)
    assert (found.value, found.low, found.high) == (recorded.value, recorded.interval.low, recorded.interval.high)
    assert (found.verdict, found.p, found.people) == ("VIOLATED", pytest.approx(0.025), 40)
    assert one(record, **rule, maximum=10).verdict == "INCONCLUSIVE"
    assert one(record, **rule, maximum=60).verdict == "PASSED"
    with pytest.raises(PlanError, match=r"taken as recorded.*0\.975 \(one-sided\) at most"):
        one(record, **rule, maximum=3, confidence=0.99)
    with pytest.raises(PlanError, match=r"0\.95 \(two-sided\)"):
        one(record, **rule, maximum=3, confidence=0.96, sides="two")
    unformed = one(record, **rule, metric="FNMR", maximum=3)
    assert unformed.verdict == "INCONCLUSIVE"
    assert "large enough" in unformed.reason


def test_an_increase_is_over_the_earlier_record(record: EvaluationRecord) -> None:
    shape = {"metric": "FNMR", "groups": ["everyone"]}
    same = one(record, record, **shape, maximum_increase=1.2)
    assert same.value == pytest.approx(1)
    assert same.verdict == "INCONCLUSIVE"
    earlier = [r.model_copy(update={"value": r.value / 50, "errors": 1, "variance": r.variance / 2500})
               if r.metric == "FNMR" and r.value else r for r in record.rates]  # fmt: skip
    before = record.model_copy(update={"rates": earlier})
    worse = one(record, before, **shape, maximum_increase=1.2)
    assert worse.value == pytest.approx(50)
    assert worse.verdict == "VIOLATED"
    assert one(before, record, **shape, maximum_increase=1.2).verdict == "PASSED"
    with pytest.raises(PlanError, match="--against RECORD"):
        one(record, **shape, maximum_increase=1.2)
    other = record.model_copy(update={"benchmark": record.benchmark.model_copy(update={"name": "elsewhere"})})
    with pytest.raises(PlanError, match="one benchmark"):
        one(record, other, **shape, maximum_increase=1.2)


def test_support_below_the_minimum_is_inconclusive_with_the_reason(record: EvaluationRecord) -> None:
    for least, said in (({"people": 41}, "40 people; the policy asks for 41"), ({"trials": 1000}, "780 trials")):
        found = one(record, maximum_rate=0.0001, minimum_support=least)
        assert found.verdict == "INCONCLUSIVE"
        assert said in found.reason
    assert one(record, measure="max/min", groups=["grp"], maximum=3, minimum_support={"people": 41}).people == 40


@pytest.mark.parametrize(
    ("word", "verdict"), [(None, "INCONCLUSIVE"), ("violated", "VIOLATED"), ("ignored", "IGNORED")]
)
def test_a_group_without_a_number(record: EvaluationRecord, word: str | None, verdict: str) -> None:
    found = one(record, groups=[{"grp": "nobody"}], maximum_rate=0.1, on_missing=word)
    assert found.verdict == verdict
    assert found.reason
    outcome = judge(
        make({"rules": [{**BASE, "groups": [{"grp": "z"}], "maximum_rate": 0.1, "on_missing": "ignored"}]}), record
    )
    assert (outcome.verdict, outcome.exit_code) == ("INCONCLUSIVE", 5)  # a policy that judged nothing is no pass


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"groups": ["gpr"]}, "Did you mean 'grp'"),
        ({"groups": [{"gender": "x"}]}, "no attribute 'gender'. It has: grp"),
        ({"target_fmr": 1e-4}, "RECORD was not audited at 0.0001. It has: 0.01"),
        ({"target_fmr": None, "operating_point": "global-fmr-0.1"}, "Did you mean 'global-fmr-0.01'"),
    ],
)
def test_what_the_record_cannot_have_is_a_mistake(record: EvaluationRecord, rule: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError) as found:
        one(record, **rule, maximum_rate=0.1)
    assert said in str(found.value)


def test_per_group_thresholds_judge_each_group_at_its_own(record: EvaluationRecord) -> None:
    for found in findings(record, metric="FNMR", groups=["grp"], threshold="per-group", maximum_rate=0.9):
        point = f"per-group-fmr-0.01:{found.group}"
        recorded = next(r for r in record.rates if r.operating_point == point and r.metric == "FNMR")
        assert found.value == recorded.value


def test_an_interval_that_does_not_follow_from_its_variance_is_not_recomputed(record: EvaluationRecord) -> None:
    odd = [r.model_copy(update={"variance": r.variance * 4}) if r.variance else r for r in record.rates]
    strange = record.model_copy(update={"rates": odd})
    found = one(strange, maximum_rate=0.5)
    assert "as recorded" in found.method
    assert found.high == rate(record, C).interval.high
    with pytest.raises(PlanError, match=r"does not follow from its own variance"):
        one(strange, maximum_rate=0.5, confidence=0.99)


def about(record: EvaluationRecord, path: Path | None = None, days: float = 0, **rules: Any) -> Finding:
    now = dt.datetime.fromisoformat(record.created) + dt.timedelta(days=days)
    found = judge(make({"record": rules}), record, path=path, now=now).findings
    assert len(found) == 1
    return found[0]


def test_rules_about_the_record_itself(record: EvaluationRecord) -> None:
    tier = record.benchmark.consent_tier
    assert about(record, consent_tiers=["T1", tier]).verdict == "PASSED"
    assert about(record, consent_tiers=["T1"]).verdict == "VIOLATED"
    assert about(record, benchmarks=[record.benchmark.name]).verdict == "PASSED"
    assert about(record, benchmarks=["london"]).verdict == "VIOLATED"
    assert about(record, days=29, maximum_age_days=30).verdict == "PASSED"
    assert about(record, days=31, maximum_age_days=30).verdict == "VIOLATED"
    assert about(record, days=-5, maximum_age_days=30).verdict == "INCONCLUSIVE"
    undated = record.model_copy(update={"created": "long ago"})
    assert judge(make({"record": {"maximum_age_days": 3}}), undated).exit_code == 5


def test_a_later_record_of_the_same_model_supersedes(record: EvaluationRecord, tmp_path: Path) -> None:
    mine = tmp_path / "bench" / "m@1" / "p" / "record.json"
    write(record, mine)
    assert about(record, mine, refuse_superseded=True).verdict == "PASSED"
    later = dt.datetime.fromisoformat(record.created) + dt.timedelta(days=3)
    changed = record.model_copy(update={"created": later.isoformat()})
    write(
        changed.model_copy(update={"plan": {**record.plan, "seed": 5}}),
        tmp_path / "bench" / "m@2" / "q" / "record.json",
    )
    (tmp_path / "bench" / "m@3" / "p").mkdir(parents=True)
    (tmp_path / "bench" / "m@3" / "p" / "record.json").write_text("{")
    assert about(record, mine, refuse_superseded=True).verdict == "PASSED"
    write(changed, tmp_path / "bench" / "m@2" / "p" / "record.json")
    assert about(record, mine, refuse_superseded=True).verdict == "VIOLATED"
    assert about(record, None, refuse_superseded=True).verdict == "INCONCLUSIVE"
