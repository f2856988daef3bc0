"""The catalogue: complete, used, and saying nothing that a verdict does not allow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import audit.report
from audit.domain import Provenance, Stage, Support, Verdict
from audit.report.strings import catalogue

ROOM = Path(audit.report.__file__).parent


def sources() -> str:
    return "\n".join(p.read_text(encoding="utf-8") for p in [*ROOM.rglob("*.py"), *ROOM.rglob("*.j2")])


def test_every_key_that_is_asked_for_exists() -> None:
    sections = {key.split(".")[0] for key in catalogue()}
    asked = set(re.findall(r"""(?<!f)["']([a-z_]+\.[A-Za-z_+-]+)["']""", sources()))
    missing = {key for key in asked if key.split(".")[0] in sections and key not in catalogue()}
    assert not missing - {"report.css", "report.html"}, "names of files look like keys"


def test_every_sentence_is_used() -> None:
    text = sources()
    asked = set(re.findall(r"""["']([a-z_]+\.[A-Za-z_+-]+)["']""", text))
    open_ended = tuple(set(re.findall(r"""f["']([a-z_]+\.[A-Za-z_]*)\{""", text)))
    listed = (*(f"{name}." for name in re.findall(r"""key_word\(["']([a-z_]+)["']""", text)), "support.", "verdict.")
    unused = [key for key in catalogue() if key not in asked and not key.startswith(open_ended + listed)]
    assert not unused


def test_closed_lists_are_worded() -> None:
    for section, kind in (("provenance", Provenance), ("stage", Stage), ("support", Support), ("verdict", Verdict)):
        assert {f"{section}.{value}" for value in get_args(kind)} <= set(catalogue())
    terms = {key.split(".")[1] for key in catalogue() if key.startswith("term.")}
    assert terms == {key.split(".")[1] for key in catalogue() if key.startswith("explain.")}


def test_no_sentence_overclaims() -> None:
    everything = " ".join(catalogue().values())
    assert not re.search(r"unbiased|bias-free|no bias|is fair|genuine|impostor", everything, re.IGNORECASE)
    denials = [
        key for key, text in catalogue().items() if re.search(r"\bno (difference|disparity|disparities)\b", text, re.I)
    ]
    assert denials == ["answer.large_none"]
    assert "could be shown" in catalogue()["answer.large_none"]
