"""Findings in a log, on GitHub and as JUnit XML, also with hostile names."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import overclaims
import pytest

from audit.policy import show
from audit.policy.outcome import Finding, Outcome, overall

HOSTILE = 'x]]><failure message="&amp;"/>\x00\x1b[31m\u202e\n::error::gone %0A,' + "y" * 10_000


def outcome(*findings: Finding) -> Outcome:
    made = list(findings)
    return Outcome(policy=HOSTILE, model="m@1", benchmark="b", plan="0", verdict=overall(made), findings=made)


def finding(verdict: str, rule: str = "r", group: str = "grp=a") -> Finding:
    return Finding(
        rule=rule, group=group, quantity="FMR", verdict=verdict, value=0.02, low=0.01, high=0.03, limit=0.05,
        confidence=0.95, people=1234, trials=5678, method="Wilson", reason="why",
    )  # fmt: skip


def test_a_line_says_everything() -> None:
    assert show.line(finding("PASSED")) == (
        "PASSED: r: grp=a: FMR 0.02 (bounds 0.01 to 0.03), limit 0.05, confidence 0.95, 1,234 people, 5,678 trials; why"
    )


@pytest.mark.parametrize("verdict", ["PASSED", "VIOLATED", "INCONCLUSIVE", "IGNORED"])
def test_no_verdict_of_a_gate_says_more_than_it_may(verdict: str) -> None:
    made = outcome(finding(verdict))
    for text in (show.line(finding(verdict)), show.junit(made), *show.github(made)):
        assert overclaims.found(text) == []


def test_junit_has_a_suite_a_rule_and_a_case_a_group() -> None:
    text = show.junit(outcome(
        finding("PASSED"), finding("VIOLATED", group="grp=b"), finding("INCONCLUSIVE", "s"), finding("IGNORED", "s")
    ))  # fmt: skip
    root = ET.fromstring(text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>\n'))  # noqa: S314 - our own text
    assert root.tag == "testsuites"
    assert [(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped")) for s in root] == [
        ("r", "2", "1", "0", "0"), ("s", "2", "0", "1", "1"),
    ]  # fmt: skip
    for suite in root:
        cases = suite.findall("testcase")
        assert len(cases) == len(suite) == int(suite.get("tests"))
        for tag, total in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{tag}")) == int(suite.get(total))
        for case in cases:
            assert {"name", "classname", "time"} == set(case.attrib)
            assert len(case) <= 1
    assert root.find("testsuite/testcase/failure").get("type") == "VIOLATED"


@pytest.mark.parametrize("verdict", ["PASSED", "VIOLATED", "INCONCLUSIVE", "IGNORED"])
def test_hostile_names_are_harmless(verdict: str) -> None:
    bad = outcome(finding(verdict, HOSTILE, HOSTILE))
    root = ET.fromstring(show.junit(bad).removeprefix('<?xml version="1.0" encoding="UTF-8"?>\n'))  # noqa: S314
    assert len(root.findall(".//testcase")) == 1
    assert len(root.findall(".//failure")) == (verdict == "VIOLATED")
    for text in (*show.lines(bad), *show.github(bad)):
        assert "\n" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert len(text) < 1500
    for text in show.github(bad):
        assert text.startswith("::error title=" if verdict == "VIOLATED" else "::warning title=")
        title, _, body = text.partition(" title=")[2].partition("::")
        assert ":" not in title
        assert "," not in title
        assert body.startswith(verdict)
        assert "%250A" in body


@pytest.mark.parametrize(
    ("words", "whole", "code"),
    [
        (["PASSED", "IGNORED"], "PASSED", 0),
        (["PASSED", "INCONCLUSIVE"], "INCONCLUSIVE", 5),
        (["PASSED", "INCONCLUSIVE", "VIOLATED"], "VIOLATED", 1),
        (["IGNORED"], "INCONCLUSIVE", 5),
        ([], "INCONCLUSIVE", 5),
    ],
)
def test_the_whole_of_a_policy(words: list[str], whole: str, code: int) -> None:
    made = outcome(*(finding(word) for word in words))
    assert (made.verdict, made.exit_code) == (whole, code)
