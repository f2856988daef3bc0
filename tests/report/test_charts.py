"""Pictures: valid specifications, zeros marked, labels inside."""

from __future__ import annotations

import math
import re
from types import ModuleType
from typing import Any

import large_record
import pytest
import vl_convert

from audit.record import EvaluationRecord
from audit.report import charts, parts
from audit.report.charts.canvas import BAND, BLUE, GRID, INK, MUTED, PAPER, VERMILION, Canvas
from audit.report.charts.heat import HEAT
from audit.report.charts.lettering import drawn as drawn_by_us
from audit.report.view import make

COLOURS = {INK, MUTED, GRID, PAPER, BLUE, VERMILION, BAND, *HEAT, "#101114", "#fdfdfd"}


def figures(blocks: tuple[Any, ...]) -> list[parts.Figure]:
    found = []
    for block in blocks:
        if isinstance(block, parts.Figure):
            found.append(block)
        elif isinstance(block, parts.Fold):
            found += figures(block.blocks)
    return found


def all_figures(record: EvaluationRecord) -> list[parts.Figure]:
    return [f for section in make(record).sections for f in figures(section.blocks)]


@pytest.fixture(scope="module")
def drawn(builder: ModuleType) -> list[parts.Figure]:
    return all_figures(builder.crossing())


def layers(spec: dict[str, Any], kind: str, **style: Any) -> list[dict[str, Any]]:
    chosen = [x for x in spec["layer"] if x["mark"]["type"] == kind and style.items() <= x["mark"].items()]
    return [row for x in chosen for row in x["data"]["values"]]


def test_all_kinds_of_picture_are_drawn(drawn: list[parts.Figure]) -> None:
    kinds = {type(f.picture) for f in drawn}
    assert kinds == {
        parts.RowPicture, parts.HeatPicture, parts.CurvePicture, parts.RidgePicture, parts.BandPicture,
        parts.HistogramPicture,
    }  # fmt: skip


def test_altair_accepts_every_specification(drawn: list[parts.Figure]) -> None:
    for kind in {type(f.picture): f for f in drawn}.values():
        chart = charts.altair_chart(kind.picture)
        assert chart.to_dict()["layer"]


def test_only_colours_that_the_dark_page_knows(drawn: list[parts.Figure]) -> None:
    for figure in drawn:
        for svg in charts.svgs(figure.picture, figure.id):
            assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= COLOURS, figure.id
            assert not re.search(r"rgb\(|currentColor|\bstyle=", svg)


def test_marks_stay_inside_the_picture(drawn: list[parts.Figure]) -> None:
    for figure in drawn:
        for width in (charts.WIDE, charts.NARROW):
            spec = charts.draw(figure.picture, width)
            for layer in spec["layer"]:
                for row in layer["data"]["values"]:
                    assert 0 <= row["x"] <= spec["width"], (figure.id, row)
                    assert 0 <= row["y"] <= spec["height"], (figure.id, row)


def test_rates_without_errors_are_an_arrow_and_a_bound(london_like: EvaluationRecord) -> None:
    figure = next(f for f in all_figures(london_like) if f.id == "fmr")
    assert isinstance(figure.picture, parts.RowPicture)
    spec = charts.draw(figure.picture)
    bounds = [r for r in figure.picture.rows if r.marker == "bound"]
    circles = [r for r in figure.picture.rows if r.marker in {"solid", "half", "hollow"}]
    assert len(bounds) == 3
    assert len(layers(spec, "point", shape="triangle-left")) == len(bounds)
    assert len(layers(spec, "point", shape="circle")) == len(circles)


def test_zeros_of_a_trade_off_stand_in_the_marked_strip(drawn: list[parts.Figure]) -> None:
    picture = next(f.picture for f in drawn if isinstance(f.picture, parts.CurvePicture))
    assert isinstance(picture, parts.CurvePicture)
    assert any(0.0 in point for panel in picture.panels for point in panel.points)
    spec = charts.draw(picture)
    strips = layers(spec, "rect", fill=BAND)
    for point in layers(spec, "point", shape="circle"):
        assert any(s["x"] <= point["x"] <= s["x2"] and s["y"] <= point["y"] <= s["y2"] for s in strips)
    assert picture.zero in {row["text"] for row in layers(spec, "text")}


def test_the_ratio_stands_before_its_draws_under_equal_rates(drawn: list[parts.Figure]) -> None:
    """The areas of the bars are the counts; the measured value and the 95 % point stand where they belong."""
    figure = next(f for f in drawn if f.id == "spread-fmr")
    assert isinstance(figure.picture, parts.HistogramPicture)
    row = figure.picture.rows[0]
    areas = [height * math.log(right / left) for left, right, height in row.bins]
    builder_counts = [round(4000 * a / sum(areas)) for a in areas]
    assert sum(builder_counts) == pytest.approx(4000, abs=20)
    assert max(height for _, _, height in row.bins) == 1.0
    assert (row.x, row.low, row.high, row.line) == (1.9, 1.0, 3.6, 2.1)
    spec = charts.draw(figure.picture)
    circle = layers(spec, "point", shape="circle", size=80)[0]
    bars = [bar for bar in layers(spec, "rect", fill=GRID) if bar["x2"] - bar["x"] < 50 and bar["x"] > 20]
    inside = [bar for bar in bars if bar["x"] <= circle["x"] <= bar["x2"]]
    assert len(inside) == 1
    assert "half of the draws lie below 1.3 and 95 in 100 below 2.1" in figure.alt


def test_power_is_drawn_against_the_margin(drawn: list[parts.Figure]) -> None:
    figure = next(f for f in drawn if f.id == "power-fmr")
    assert isinstance(figure.picture, parts.RowPicture)
    assert [line.x for line in figure.picture.lines] == [2.0]
    for mark in figure.picture.rows:
        assert mark.heading or mark.x is None or mark.x >= 1


def test_a_long_list_of_rows_is_drawn_once() -> None:
    rows = tuple(parts.RowMark(f"g{k}", "d", "solid", 0.01, 0.005, 0.02) for k in range(charts.MOST_NARROW + 1))
    picture = parts.RowPicture(rows, (parts.Line(0.01, "1%"),), (0.001, 1.0), "axis")
    wide, narrow = charts.svgs(picture, "x")
    assert wide == narrow


def test_counts_stand_in_every_cell_of_the_heat_map(london_like: EvaluationRecord) -> None:
    figure = next(f for f in all_figures(london_like) if f.id == "heat-2")
    written = {row["text"] for row in layers(charts.draw(figure.picture), "text")}
    assert {"9 / 40", "0 / 2,244", "3 / 160"} <= written


def test_of_many_groups_those_with_the_highest_pairs_are_drawn() -> None:
    record = large_record.large()
    figure = next(f for f in all_figures(record) if f.id == "heat-2")
    assert isinstance(figure.picture, parts.HeatPicture)
    assert len(figure.picture.labels) == 16
    assert figure.caption.startswith("The 16 of 64 groups")
    point = "global-fmr-0.001"
    inside = [x for x in record.rates if x.metric == "FMR" and x.operating_point == point and len(x.group) == 2]
    highest = max(inside, key=lambda x: x.value or 0.0)
    assert ", ".join(v if k == "region" else f"age {v}" for k, v in highest.group.items()) in figure.picture.labels


def test_darker_cells_are_higher_rates() -> None:
    def light(colour: str) -> float:
        r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    assert [light(c) for c in HEAT] == sorted((light(c) for c in HEAT), reverse=True)
    assert min(a - b for a, b in zip(map(light, HEAT), map(light, HEAT[1:]), strict=False)) > 12


def test_ids_are_those_of_the_figure_whatever_was_drawn_before(drawn: list[parts.Figure]) -> None:
    first = charts.svgs(drawn[0].picture, "one")
    assert charts.svgs(drawn[0].picture, "one") == first
    assert all(name.startswith("one-") for svg in first for name in re.findall(r'id="([^"]+)"', svg))


def test_labels_keep_their_digits() -> None:
    """Positions are rounded in the drawing; what a reader reads is not."""
    rows = (parts.RowMark("group", "0.0135 differs", "solid", 0.0135, 0.01, 0.02),)
    picture = parts.RowPicture(rows, (parts.Line(0.003, "0.003"),), (0.001, 1.0), "axis")
    for svg in charts.svgs(picture, "x"):
        assert "0.0135 differs" in svg
        assert ">0.003<" in svg
        assert not re.search(r"<[^>]*\d\.\d{3}[^>]*>", svg)


@pytest.mark.parametrize("name", ["crossing", "hostile", "beside"])
def test_words_are_written_as_vega_writes_them(builder: ModuleType, name: str) -> None:
    """The drawing with our words is the drawing that Vega would have made, letter by letter."""
    figures = {type(f.picture): f for f in all_figures(getattr(builder, name)())}
    assert figures
    for figure in figures.values():
        for width in (charts.WIDE, charts.NARROW):
            spec = charts.draw(figure.picture, width)
            assert drawn_by_us(spec) == vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 5 ",
        "a<b & \"c\" 'd' é",
        "two\nlines",
        "three\n\nlines ",
        "\nbelow",
        "<script>",
        "{{x}}",
        "\u2068م\u2069",
        "👩🏽‍🦱",
    ],
)
@pytest.mark.parametrize("size", [9, 12, 13])
def test_any_word_is_written_as_vega_writes_it(text: str, size: int) -> None:
    canvas = Canvas(200, 100)
    canvas.rules([{"x": 1, "x2": 5, "y": 2, "y2": 2}], INK)
    canvas.texts([{"x": 10, "y": 20.5, "text": text}, {"x": 50, "y": 60, "text": "after"}], size=size, align="center")
    assert drawn_by_us(canvas.spec()) == vl_convert.vegalite_to_svg(canvas.spec(), allowed_base_urls=[])
