"""The comparison page: sound, self-contained, harmless, and saying no more than its numbers."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import overclaims
import pytest
from jsonschema import Draft202012Validator
from policy_records import made_record

from audit import comparison as nouns
from audit import environment, preregistration, reproduction
from audit.comparison import Comparison
from audit.policy import outcome
from audit.report import charts, comparison_table, parts, render_comparison
from audit.report.charts.canvas import BAND, BLUE, GRID, INK, MUTED, PAPER, VERMILION
from audit.report.view.side_by_side import make_comparison
from audit.side_by_side import compare

HOSTILE = '<script>alert(1)</script>\u202e=cmd|"x"\x1b[31m is fair ' + "y" * 10_000


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    root = tmp_path_factory.mktemp("side")
    shifts = ({"a": 0.0, "b": 0.05, "c": 0.6}, {"a": 0.0, "b": 0.05, "c": 0.4})
    records = [
        made_record(root / str(k), root / "cache", seed=k + 1, people=70, shift=s)[1] for k, s in enumerate(shifts)
    ]
    return compare(records, root / "cache")


def figures(blocks: tuple[parts.Block, ...]) -> list[parts.Figure]:
    return [block for block in blocks if isinstance(block, parts.Figure)]


def test_the_page_is_self_contained_and_under_its_policy(two: Comparison, tmp_path: Path) -> None:
    data, page = render_comparison(two, tmp_path / "out")
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert not re.search(r'(src|href)="(?!#|data:)', text)
    assert page.stat().st_size < 1_500_000
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert Comparison.model_validate_json(data.read_text()) == two
    again = render_comparison(two, tmp_path / "again")[1]
    assert again.read_bytes() == page.read_bytes()


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("compare-1", nouns.make_schema()),
        ("gate-1", outcome.make_schema()),
        ("environment-1", environment.make_schema()),
        ("plan-lock-1", preregistration.make_schema()),
        ("reproduction-1", reproduction.make_schema()),
    ],
)
def test_schemas_are_those_of_the_classes(name: str, made: dict) -> None:
    shipped = json.loads(resources.files("audit").joinpath(f"schemas/{name}.json").read_text())
    assert shipped == made


def test_compare_json_is_valid_under_its_schema(two: Comparison) -> None:
    Draft202012Validator(nouns.make_schema()).validate(json.loads(two.model_dump_json(by_alias=True)))


def test_the_front_is_drawn_with_intervals_words_and_a_table(two: Comparison) -> None:
    section = next(s for s in make_comparison(two).sections if s.id == "side-front")
    (figure,) = figures(section.blocks)
    assert isinstance(figure.picture, parts.ScatterPicture)
    assert len(figure.picture.marks) == len(figure.table.rows) == 2
    for mark, point in zip(figure.picture.marks, two.front, strict=True):
        assert (mark.x, mark.y) == (point.fnmr, point.disparity)
        assert mark.x_bounds == (point.fnmr_interval.low, point.fnmr_interval.high)
        assert mark.label in figure.alt
    assert charts.altair_chart(figure.picture).to_dict()["layer"]
    for svg in charts.svgs(figure.picture, figure.id):
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {INK, MUTED, GRID, PAPER, BLUE, VERMILION, BAND}


def test_every_number_that_is_shown_is_in_the_tables(two: Comparison) -> None:
    sections = {s.id: s for s in make_comparison(two).sections}
    tables = [b for b in sections["side-rates"].blocks if isinstance(b, parts.Table)]
    assert sum(len(t.rows) for t in tables) >= sum(d.p is not None for d in two.differences)
    drawn = [f for f in figures(sections["side-rates"].blocks) if isinstance(f.picture, parts.RowPicture)]
    assert drawn
    for figure in drawn:
        assert len(figure.picture.rows) == len(figure.table.rows)


def test_what_differs_is_said_first_and_nothing_is_called_equal(two: Comparison) -> None:
    view = make_comparison(two)
    differ = sum(d.verdict == "differs" for d in two.differences)
    tested = sum(d.p_adjusted is not None for d in two.differences)
    assert differ
    assert view.headline == f"{differ} of {tested} rates that could be compared differ between the audits."
    calm = two.model_copy(update={"differences": [
        d.model_copy(update={"verdict": "no evidence that it differs" if d.p_adjusted is not None else d.verdict})
        for d in two.differences
    ]})  # fmt: skip
    view = make_comparison(calm)
    assert view.verdict == "INCONCLUSIVE"
    assert "cannot rule one out" in view.headline
    nothing = make_comparison(two.model_copy(update={"differences": [], "disparities": [], "front": []}))
    assert "no rate in common" in nothing.headline


def test_nothing_is_said_that_a_difference_does_not_allow(two: Comparison, tmp_path: Path) -> None:
    data, page = render_comparison(two, tmp_path)
    assert overclaims.found(page.read_text(encoding="utf-8")) == []
    assert overclaims.found_in_json(data.read_text(encoding="utf-8")) == []


def test_hostile_names_are_harmless(two: Comparison, tmp_path: Path) -> None:
    hostile = Comparison.model_validate(rename(json.loads(two.model_dump_json(by_alias=True))))
    page = render_comparison(hostile, tmp_path)[1].read_text(encoding="utf-8")
    assert "<script" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "is fair" not in page
    assert "y" * 100 not in page
    assert comparison_table(hostile) is not None


def rename(value: object) -> object:
    """Groups, attributes and models that were named by somebody with bad intentions."""
    if isinstance(value, dict):
        return {HOSTILE if key == "grp" else key: rename(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rename(item) for item in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) and value in {"a", "b", "c", "grp"} else value


def test_an_audit_without_a_place_in_the_picture_is_named_beside_it(two: Comparison) -> None:
    points = [p for p in two.front if p.fnmr is not None and p.disparity]
    assert points
    gone = points[0].model_copy(
        update={"label": "left out", "disparity": None, "dominated": None, "reason": "too few groups"}
    )
    one = [p for p in two.front if (p.target_fmr, p.attributes) == (gone.target_fmr, gone.attributes)]
    more = two.model_copy(update={"front": [*one, one[0].model_copy(update={"label": "third"}), gone]})
    front = next(s for s in make_comparison(more).sections if s.id == "side-front")
    drawn = [f for f in figures(front.blocks) if isinstance(f.picture, parts.ScatterPicture)]
    assert [f for f in drawn if "left out (too few groups)" in f.caption]
    same = next(s for s in make_comparison(two).sections if s.id == "side-front")
    assert not [f for f in figures(same.blocks) if "Not drawn" in f.caption and "too few groups" in f.caption]


def test_the_first_page_says_whose_disparity_is_larger(two: Comparison) -> None:
    answer = make_comparison(two).answers[1]
    assert answer.question == "Is one audit's disparity larger?"
    differ = [d for d in two.disparities if d.verdict == "differs" and d.p_adjusted is not None]
    assert len(answer.details) == min(5, len(differ))
    tested = [d for d in two.disparities if d.p_adjusted is not None]
    assert tested
    forced = [d.model_copy(update={"verdict": "differs"}) for d in tested[:1]]
    told = make_comparison(two.model_copy(update={"disparities": forced})).answers[1]
    assert told.answer == "Disparities that differ: 1, the clearest first."
    assert forced[0].b in told.details[0]
    none = make_comparison(two.model_copy(update={"disparities": []})).answers[1]
    assert none.answer == "Disparities could not be compared."


def test_tables_in_which_nothing_could_be_told_are_folded(two: Comparison) -> None:
    dark = two.model_copy(
        update={"differences": [d.model_copy(update={"p": None, "p_adjusted": None}) for d in two.differences]}
    )
    rates = next(s for s in make_comparison(dark).sections if s.id == "side-rates")
    assert not [b for b in rates.blocks if isinstance(b, parts.Table)]
    assert [b for b in rates.blocks if isinstance(b, parts.Fold)]
