"""The page of a detector: its pictures, its words, and hostile records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import squares

from audit import recipe
from audit.inputs import silent
from audit.plan import RunOptions, make
from audit.record import EvaluationRecord
from audit.report import charts, parts, walk
from audit.report.charts.canvas import BLUE, GREEN, GRID, INK, MUTED, OCHRE, PAPER, PURPLE, VERMILION
from audit.report.charts.severities import MOST_LINES, STYLES
from audit.report.view import make as view
from audit.report.view import opening, terminal_table
from audit.report.view.source import Source


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> EvaluationRecord:
    folder: Path = tmp_path_factory.mktemp("view")
    plan = make({
        "task": "detection", "benchmark": str(squares.benchmark(folder / "set", people=8)),
        "model": squares.card(folder / "model"), "working_size": 160, "smallest_face": 12, "by": ["gender", "age"],
        "splits": 2, "draws": 200,
    })  # fmt: skip
    options = RunOptions(out=folder / "out", cache=folder / "cache")
    return recipe._job(plan, options, silent).measure()


def layers(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [row for layer in spec["layer"] if layer["mark"]["type"] == kind for row in layer["data"]["values"]]


def test_a_panel_a_degradation_and_a_line_a_group(record: EvaluationRecord) -> None:
    figures = {figure.id: figure for figure in walk.figures(view(record))}
    picture = figures["breaks-0"].picture
    assert isinstance(picture, parts.SeverityPicture)
    assert len(picture.panels) == 6
    assert set(picture.labels) == {"female", "male"}
    dark = next(panel for panel in picture.panels if panel.label == "too dark")
    lines = {line.label: line.value for line in dark.lines}
    assert lines["female"] == (0.0, 0.0, 1.0, 1.0, 1.0, 1.0)  # as the counts of tests/tasks/test_detection_run.py
    assert lines["male"] == (0.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    for line in dark.lines:
        assert all(low <= x <= high for low, x, high in zip(line.low, line.value, line.high, strict=True))


def test_pictures_stay_inside_have_known_colours_and_are_accepted(record: EvaluationRecord) -> None:
    known = {BLUE, GREEN, GRID, INK, MUTED, OCHRE, PAPER, PURPLE, VERMILION}
    figure = next(f for f in walk.figures(view(record)) if f.id == "breaks-0")
    for width in (charts.WIDE, charts.NARROW):
        spec = charts.draw(figure.picture, width)
        for kind in ("line", "area", "point", "text", "rule"):
            for row in layers(spec, kind):
                assert 0 <= row["x"] <= spec["width"], row
                assert 0 <= row["y"] <= spec["height"], row
    for svg in charts.svgs(figure.picture, "x"):
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= known
    assert charts.altair_chart(figure.picture).to_dict()["layer"]
    assert len({(colour, dash, shape) for colour, dash, shape in STYLES}) == MOST_LINES
    assert len({colour for colour, _, _ in STYLES}) == len({shape for _, _, shape in STYLES}) == MOST_LINES


def test_the_front_says_what_it_is_about(record: EvaluationRecord) -> None:
    first = opening(Source.of(record))
    assert first.metrics == ("MISS",)
    assert first.verdict == view(record).verdict
    assert terminal_table(record)


def test_a_record_that_lacks_its_part_or_names_what_nobody_knows_is_shown(record: EvaluationRecord) -> None:
    assert view(record.model_copy(update={"detection": None})).sections
    part = record.detection
    assert part is not None
    odd = part.degradations[0].model_copy(update={"name": "{fog}<b>"})
    strange = record.model_copy(update={"detection": part.model_copy(update={"degradations": [odd]})})
    assert view(strange).sections
    assert view(record.model_copy(update={"plan": {**record.plan, "task": ["detection"]}})).sections
