"""One fixed record and what is shown of it, word for word.

A change of wording, order or rounding shows here as a difference to read. Where it is meant, run this file with
`FACEAUDIT_SNAPSHOTS=update` and commit the new text.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
from plain_view import text_of

from audit import record as records
from audit.record import EvaluationRecord
from audit.report import charts, parts
from audit.report.view import make

HERE = Path(__file__).with_name("snapshots")
UPDATE = os.environ.get("FACEAUDIT_SNAPSHOTS") == "update"


@pytest.fixture(scope="module")
def fixed() -> EvaluationRecord:
    return records.read(HERE / "record.json")


def held(name: str, text: str) -> None:
    """Compare with the committed text, or write it."""
    path = HERE / name
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    if text != before:
        lines = difflib.unified_diff(before.splitlines(), text.splitlines(), name, "now", lineterm="", n=1)
        pytest.fail("\n".join([*list(lines)[:60], "If this is meant: FACEAUDIT_SNAPSHOTS=update, and commit it"]))


def test_what_is_shown_of_the_fixed_record(fixed: EvaluationRecord) -> None:
    held("view.txt", text_of(make(fixed)))


def test_how_its_pictures_are_drawn(fixed: EvaluationRecord) -> None:
    """Kinds of marks and how many of each, for both widths: a mark that is lost or doubled shows."""
    lines = []
    for figure in figures(tuple(block for section in make(fixed).sections for block in section.blocks)):
        for width in (charts.WIDE, charts.NARROW):
            spec = charts.draw(figure.picture, width)
            marks = " ".join(f"{x['mark']['type']}:{len(x['data']['values'])}" for x in spec["layer"])
            lines.append(f"{figure.id} {spec['width']:g}x{spec['height']:g} {marks}")
    held("pictures.txt", "\n".join(lines) + "\n")


def figures(blocks: tuple[parts.Block, ...]) -> list[parts.Figure]:
    found = [block for block in blocks if isinstance(block, parts.Figure)]
    return found + [f for block in blocks if isinstance(block, parts.Fold) for f in figures(block.blocks)]
