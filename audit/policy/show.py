"""Findings for a reader: a table for a terminal, a line each for a log, annotations for GitHub, XML for test tools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from audit.policy.outcome import Finding, Outcome

if TYPE_CHECKING:
    from rich.table import Table

_STYLE = {"PASSED": "green", "VIOLATED": "bold red", "INCONCLUSIVE": "yellow", "IGNORED": "dim"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f]")
_LONGEST = 200


def number(value: float | None) -> str:
    """Three significant digits, or a dash."""
    return "–" if value is None else f"{value:.3g}"


def plain(text: str) -> str:
    """One line without control characters or marks of direction, cut at a bearable length."""
    clean = _HIDDEN.sub("�", text)
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 1]}…"


def bounds(finding: Finding) -> str:
    """The bounds in brackets, or a dash."""
    return "–" if finding.low is None else f"{number(finding.low)} to {number(finding.high)}"


def line(finding: Finding) -> str:
    """One line of a log."""
    text = f"{finding.verdict}: {plain(finding.rule)}: {plain(finding.group)}: {plain(finding.quantity)}"
    if finding.value is not None:
        text += f" {number(finding.value)}"
    if finding.low is not None:
        text += f" (bounds {bounds(finding)})"
    if finding.limit is not None:
        text += f", limit {number(finding.limit)}"
    if finding.confidence is not None:
        text += f", confidence {finding.confidence:g}"
    if finding.people is not None:
        text += f", {finding.people:,} people, {finding.trials or 0:,} trials"
    return f"{text}; {plain(finding.reason)}" if finding.reason else text


def lines(outcome: Outcome) -> Iterator[str]:
    """Every finding and the verdict, for a log."""
    for finding in outcome.findings:
        yield line(finding)
    yield f"{outcome.verdict}: policy {plain(outcome.policy)}: {plain(outcome.model)} on {plain(outcome.benchmark)}"


def github(outcome: Outcome) -> Iterator[str]:
    """Workflow commands that GitHub shows beside a run: errors for violations, warnings for open questions."""
    for finding in outcome.findings:
        kind = {"VIOLATED": "error", "INCONCLUSIVE": "warning"}.get(finding.verdict)
        if kind is not None:
            yield f"::{kind} title={_property(f'faceaudit gate: {plain(finding.rule)}')}::{_data(line(finding))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def table(outcome: Outcome) -> Table:
    """Table for a terminal; names are plain text, so markup or escapes in them do nothing."""
    from rich.table import Table  # noqa: PLC0415 - not needed for machine output
    from rich.text import Text  # noqa: PLC0415

    title = f"{plain(outcome.policy)}: {plain(outcome.model)} on {plain(outcome.benchmark)}: {outcome.verdict}"
    made = Table(title=Text(title), title_justify="left")
    for name in ("Verdict", "Rule", "Group"):
        made.add_column(name)
    for name in ("Value", "Bounds", "Limit", "People"):
        made.add_column(name, justify="right")
    made.add_column("Why")
    before = None
    for finding in outcome.findings:
        if before is not None and finding.rule != before:
            made.add_section()
        made.add_row(
            Text(finding.verdict, style=_STYLE[finding.verdict]),
            Text(plain(finding.rule) if finding.rule != before else ""),
            Text(plain(finding.group)),
            number(finding.value),
            bounds(finding),
            number(finding.limit),
            "–" if finding.people is None else f"{finding.people:,}",
            Text(plain(finding.reason)),
        )
        before = finding.rule
    return made


def junit(outcome: Outcome) -> str:
    """JUnit XML: a test suite a rule, a test case a group.

    A violation is a `failure`. An open question is an `error`, not `skipped`: tools show skipped cases as harmless, and
    a policy that the data cannot judge has not been kept. What the policy ignores is `skipped`.
    """
    suites: dict[str, list[Finding]] = {}
    for finding in outcome.findings:
        suites.setdefault(finding.rule, []).append(finding)
    root = ET.Element("testsuites", {"name": _xml(f"faceaudit gate: {outcome.policy}"), **_totals(outcome.findings)})
    for name, findings in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": _xml(name), **_totals(findings)})
        for finding in findings:
            case = ET.SubElement(
                suite, "testcase", {"classname": _xml(name), "name": _xml(finding.group), "time": "0"}
            )  # fmt: skip
            tag = {"VIOLATED": "failure", "INCONCLUSIVE": "error", "IGNORED": "skipped"}.get(finding.verdict)
            if tag is not None:
                said = ET.SubElement(case, tag, {"message": _xml(line(finding))})
                if tag != "skipped":
                    said.set("type", finding.verdict)
                    said.text = _xml(finding.method or finding.reason)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _totals(findings: list[Finding]) -> dict[str, str]:
    words = [finding.verdict for finding in findings]
    return {
        "tests": str(len(words)),
        "failures": str(words.count("VIOLATED")),
        "errors": str(words.count("INCONCLUSIVE")),
        "skipped": str(words.count("IGNORED")),
        "time": "0",
    }


def _xml(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold; the library escapes the rest."""
    return _NOT_XML.sub("�", text)
