"""A policy file is read strictly: a mistake is one line with place, value and way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit.errors import PlanError
from audit.policy.rules import make, read

RULE: dict[str, Any] = {"name": "r", "metric": "FMR", "target_fmr": 0.01, "maximum_rate": 0.1}


def test_defaults_hold_for_rules_that_say_nothing_else() -> None:
    policy = make(
        {"defaults": {"confidence": 0.9, "sides": "two"}, "rules": [RULE, {**RULE, "name": "s", "confidence": 0.99}]}
    )
    assert [rule.confidence for rule in policy.rules] == [0.9, 0.99]
    assert policy.rules[0].tail == pytest.approx(0.05)
    assert make({"rules": [RULE]}).rules[0].tail == pytest.approx(0.05)
    assert make({"rules": [RULE]}).rules[0].on_missing == "inconclusive"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ruls": []}, "Did you mean 'rules'"),
        ({"rules": [{**RULE, "maximum_rat": 2}]}, "rule 1: unknown setting 'maximum_rat'. Did you mean 'maximum_rat"),
        ({"rules": [{**RULE, "minimum_support": {"peple": 2}}]}, "Did you mean 'people'"),
        ({"record": {"consent_tier": "T1"}}, "Did you mean 'consent_tiers'"),
        ({"defaults": {"metric": "FMR"}}, "unknown setting 'metric'"),
        ({"rules": [{**RULE, "maximum_ratio": 2}]}, "found maximum_rate, maximum_ratio"),
        ({"rules": [{k: v for k, v in RULE.items() if k != "maximum_rate"}]}, "found none"),
        ({"rules": [{k: v for k, v in RULE.items() if k != "target_fmr"}]}, "names its threshold once"),
        ({"rules": [{**RULE, "operating_point": "x"}]}, "names its threshold once"),
        ({"rules": [{**RULE, "metric": "FTA"}]}, "depends on no threshold"),
        ({"rules": [{**RULE, "metric": "FPR"}]}, "rule 1: metric"),
        ({"rules": [{**RULE, "view": "generalised"}]}, "FMR is conditional"),
        ({"rules": [{**RULE, "confidence": 95}]}, "rule 1: confidence"),
        ({"rules": [{**RULE, "maximum_rate": 5}]}, "between 0 and 1"),
        ({"rules": [{**RULE, "to": "best"}]}, "belongs to maximum_ratio"),
        ({"rules": [{**RULE, "measure": "max/min"}]}, "measure and maximum go together"),
        ({"rules": [{"name": "m", "measure": "fdr", "maximum": 2, "target_fmr": 0.1}]}, "larger is better"),
        ({"rules": [{"name": "m", "measure": "garbe", "metric": "FMR", "maximum": 1, "target_fmr": 0.1}]}, "leave out"),
        ({"rules": [{"name": "m", "measure": "gini", "maximum": 1, "target_fmr": 0.1}]}, "metric is missing"),
        ({"rules": [{**RULE, "threshold": "per-group", "metric": "FRR"}]}, "FMR and FNMR only"),
        ({"rules": [RULE, RULE]}, "two rules are called 'r'"),
        ({"rules": [{**RULE, "groups": []}]}, "rule 1: groups"),
        ({"rules": "x"}, "expected tables"),
        ({"rules": ["x"]}, "expected a table"),
        ({}, "judges nothing"),
    ],
)
def test_mistakes_are_one_line(values: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError) as found:
        make(values, place="p.toml")
    assert said in str(found.value)
    assert str(found.value).startswith("p.toml")
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("content", "said"), [(b"[[rules", "not valid TOML"), (b"\xff", "not valid TOML"), (None, "no such policy")]
)
def test_unreadable_files_are_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "p.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PlanError, match=said):
        read(path)
    with pytest.raises(PlanError, match="cannot be read"):
        read(tmp_path)


def test_the_shipped_example_is_a_policy() -> None:
    policy = read(Path(__file__).resolve().parents[2] / "docs" / "examples" / "policy.toml")
    assert len(policy.rules) == 4
