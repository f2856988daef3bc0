"""What is shown: order, rounding, and wording that follows the verdicts."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from audit import record as records
from audit.record import EvaluationRecord, WithdrawnPart
from audit.report import parts, walk
from audit.report.view import findings, make, scores
from audit.report.view.source import Source


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if dataclasses.is_dataclass(value):
        return [t for field in dataclasses.fields(value) for t in texts(getattr(value, field.name))]
    return [t for item in value for t in texts(item)] if isinstance(value, tuple) else []


def section(view: parts.ReportView, name: str) -> parts.Section:
    return next(s for s in view.sections if s.id == name)


def tables(blocks: tuple[Any, ...]) -> list[parts.Table]:
    found = []
    for block in blocks:
        if isinstance(block, parts.Table):
            found.append(block)
        elif isinstance(block, parts.Fold):
            found += tables(block.blocks)
    return found


def rows(table: parts.Table) -> dict[str, tuple[parts.Cell, ...]]:
    return {row[0].text: row for row in table.rows}


@pytest.fixture(scope="module")
def crossing(builder: ModuleType) -> EvaluationRecord:
    return builder.crossing()


@pytest.fixture(scope="module")
def fixed() -> EvaluationRecord:
    """The record of the snapshots: two genders, a disparity."""
    return records.read(Path(__file__).with_name("snapshots") / "record.json")


def test_the_headline_names_the_groups_with_their_counts(london_like: EvaluationRecord) -> None:
    view = make(london_like)
    assert view.verdict == "DISPARITY"
    assert "“female, black”" in view.headline
    assert "“male, white”" in view.headline
    assert "9 of 40 comparisons (5 people)" in view.evidence
    assert "0 of 2,244 comparisons (34 people)" in view.evidence
    assert "1 in 1,000" in view.evidence


def test_prose_about_count_only_groups_gives_counts_and_the_upper_bound(london_like: EvaluationRecord) -> None:
    view = make(london_like)
    large = view.answers[1]
    assert large.answer == "9 of 40 comparisons against 0 of 2,244 comparisons."
    assert re.search(r"Too few people or errors .* may be as high as \d+%", " ".join(large.details))
    prose = texts(view.answers) + texts(section(view, "findings").blocks)
    assert not [t for t in prose if "23%" in t or re.search(r"95% interval \d", t)]


def test_the_table_holds_value_and_interval_whatever_the_support(london_like: EvaluationRecord) -> None:
    row = rows(tables(section(make(london_like), "groups").blocks)[0])["female, black"]
    assert (row[1].text, row[2].text) == ("5", "10")
    assert (row[3].text, row[3].mark) == ("9 of 40", "count-only")
    assert re.fullmatch(r"23% \([\d.]+% to \d+%\)", row[3].note)
    assert row[6].text == "○ counts only"


def test_no_error_seen_is_a_bound_and_never_zero_per_cent(london_like: EvaluationRecord) -> None:
    row = rows(tables(section(make(london_like), "groups").blocks)[0])["male, white"]
    assert row[3].text == "0 of 2,244"
    assert re.fullmatch(r"none seen; at most [\d.]+%", row[3].note)
    figure = next(b for b in section(make(london_like), "groups").blocks if isinstance(b, parts.Figure))
    assert isinstance(figure.picture, parts.RowPicture)
    mark = next(m for m in figure.picture.rows if m.label == "male, white")
    assert mark.marker == "bound"
    assert mark.low is None
    assert mark.x == mark.high
    assert mark.x is not None
    assert mark.x > 0


def test_groups_stand_with_the_highest_rate_first(london_like: EvaluationRecord) -> None:
    names = [row[0].text for row in tables(section(make(london_like), "groups").blocks)[0].rows]
    assert names[0] == "everyone"
    assert names.index("female, black") < names.index("male, black") < names.index("male, white")
    assert names[-1] == "male, east asian/white"


def test_a_group_of_one_person_is_banded_everywhere(london_like: EvaluationRecord) -> None:
    view = make(london_like)
    row = rows(tables(section(view, "groups").blocks)[0])["male, east asian/white"]
    assert row[1].text == "< 2"
    assert [cell.text for cell in row[2:]] == ["–"] * 5
    for s in view.sections:
        for table in tables(s.blocks):
            if table.id in {"groups", "labels"} or table.id.startswith("rates-"):
                continue
            assert "east asian/white" not in " ".join(texts(table)), table.id


def test_a_threshold_that_could_not_be_set_says_why(london_like: EvaluationRecord) -> None:
    table = tables(section(make(london_like), "thresholds").blocks)[0]
    row = rows(table)["1 in 1,000,000"]
    assert (row[1].text, row[1].note) == ("–", "not estimable: 20,604 comparisons")
    untested = make(london_like).answers[6]
    assert "1 in 1,000,000" in " ".join(untested.details)


def test_a_claim_needs_its_verdict(builder: ModuleType) -> None:
    quiet = make(builder.equivalent())
    assert quiet.verdict == "EQUIVALENT"
    assert "within the declared margin" in quiet.headline
    loud = " ".join(texts(make(builder.london_like())))
    assert "lie within 2 times of each other" not in loud
    assert "lie within 2 times of each other" in " ".join(texts(quiet))


@pytest.mark.parametrize("flipped", ["contrast", "spread"])
def test_equivalence_needs_every_verdict(builder: ModuleType, flipped: str) -> None:
    record = builder.equivalent()
    point = "global-fmr-0.001"
    if flipped == "contrast":
        made = list(record.contrasts)
        i = next(i for i, c in enumerate(made) if c.operating_point == point and c.metric == "FNMR")
        made[i] = made[i].model_copy(update={"verdict": "INCONCLUSIVE"})
        record = record.model_copy(update={"contrasts": made})
    else:
        changed = [d.model_copy(update={"verdict": "INCONCLUSIVE"}) for d in record.differentials]
        record = record.model_copy(update={"differentials": changed})
    view = make(record)
    assert view.verdict == "INCONCLUSIVE"
    assert view.headline == "These data cannot tell whether error rates differ between the groups."


def test_a_disparity_that_does_not_survive_its_correction_is_not_called_sure(london_like: EvaluationRecord) -> None:
    weak = [c.model_copy(update={"p_adjusted": 0.4}) for c in london_like.contrasts]
    view = make(london_like.model_copy(update={"contrasts": weak}))
    assert view.answers[2].answer == "So many ratios were looked at that this one could be chance (adjusted p 0.40)."
    assert view.answers[5].answer.startswith("With caution")


def test_supported_groups_may_be_quoted_with_their_ratio(builder: ModuleType) -> None:
    view = make(builder.crossing())
    assert re.search(r"times \(95% interval", view.answers[1].answer)
    row = rows(tables(section(view, "groups").blocks)[0])["female, black"]
    assert "about 1 in 4.4" in row[3].note


def test_margins_are_printed_as_declared(london_like: EvaluationRecord) -> None:
    assert "1.25 times or more" in " ".join(texts(section(make(london_like), "findings")))


def test_a_group_that_failed_shows_stage_and_reason(builder: ModuleType) -> None:
    table = tables(section(make(builder.failing()), "failures").blocks)[0]
    row = rows(table)["female, black"]
    assert [c.text for c in row[1:]] == ["finding the face", "no face found", "3 of 10"]


def test_trade_offs_are_drawn_only_where_both_errors_were_seen(
    builder: ModuleType, london_like: EvaluationRecord
) -> None:
    def curves(record: EvaluationRecord) -> list[parts.Figure]:
        blocks = section(make(record), "scores-section").blocks
        return [b for b in blocks if isinstance(b, parts.Figure) and isinstance(b.picture, parts.CurvePicture)]

    assert not curves(london_like)
    assert "no trade-off to draw" in " ".join(texts(section(make(london_like), "scores-section")))
    drawn = curves(builder.crossing())[0].picture
    assert isinstance(drawn, parts.CurvePicture)
    assert all(any(x > 0 and y > 0 for x, y in panel.points) for panel in drawn.panels)
    assert any(y == 0 for panel in drawn.panels for _, y in panel.points)


def test_score_pictures_keep_every_comparison(london_like: EvaluationRecord) -> None:
    d = next(d for d in london_like.distributions if not d.mated and not d.group)
    low, high = scores._occupied(d)
    heights = [0.0] * scores.BINS
    width = (high - low) / scores.BINS
    for left, right, n in zip(d.edges, d.edges[1:], d.counts, strict=False):
        if n:
            scores._spill(heights, (left - low) / width, (right - low) / width, n)
    assert sum(heights) == pytest.approx(sum(d.counts))


def test_nothing_measured_is_said_and_not_filled_in(builder: ModuleType) -> None:
    view = make(builder.empty())
    assert view.verdict == "INCONCLUSIVE"
    assert view.headline.startswith("Nothing could be measured")
    assert view.answers[5].answer == "No. Nothing was measured."
    assert "findings" not in {s.id for s in view.sections}


def test_a_view_is_frozen(london_like: EvaluationRecord) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make(london_like).title = "other"  # type: ignore[misc]


@pytest.mark.parametrize(("listed", "shown"), [(2, "2 (list of 2026-03-01); nothing of theirs was used"), (0, "0")])
def test_people_who_withdrew_are_said_beside_the_consent(
    london_like: EvaluationRecord, listed: int, shown: str
) -> None:
    out = WithdrawnPart(listed=listed, people=listed, date="2026-03-01" if listed else "", digest="d" * 64)
    benchmark = london_like.benchmark.model_copy(update={"withdrawn": out})
    said = texts(section(make(london_like.model_copy(update={"benchmark": benchmark})), "consent").blocks)
    assert shown == said[said.index("People who withdrew") + 1]
    assert "Whoever is on the list of withdrawals beside the data is left out." in said
    before = texts(section(make(london_like), "consent").blocks)
    assert "People who withdrew" not in before
    assert "The benchmark is a fixed publication; later removals do not reach it." in before


def test_a_group_of_which_every_image_failed_is_said_before_anything_else(london_like: EvaluationRecord) -> None:
    rows = [
        row.model_copy(update={"failures": row.samples, "value": 1.0, "interval": None})
        if row.group == {"ethnicity": "black"} and row.stage is None
        else row
        for row in london_like.acquisition
    ]
    before = make(london_like).alerts
    after = make(london_like.model_copy(update={"acquisition": rows})).alerts
    (said,) = [alert for alert in after if alert not in before]
    assert re.fullmatch(r"All \d+ images of .*black.* failed: nothing of this group was compared.*", said)


def test_a_ratio_to_all_other_groups_names_them_beside_the_counts_of_one(crossing: EvaluationRecord) -> None:
    """Counts of one other group do not give the ratio to all of them together: the words tell the two apart."""
    source = Source.of(crossing)
    sizes, sides = [], []
    for metric in ("FMR", "FNMR"):
        for c in source.contrasts(metric, ("ethnicity",), source.headline):
            if c.against == "rest":
                continue
            rest = c.model_copy(update={"against": "rest"})
            sizes.append((findings.size_text(source, c), findings.size_text(source, rest)))
            sides.append((findings.side_text(source, c), findings.side_text(source, rest)))
    assert [rest for _, rest in sizes if "times the rate of all other groups together" in rest]
    assert all("all other groups" not in one for one, _ in sizes)
    assert all("of the other groups alone, " in rest for _, rest in sides)
    assert all("of the other groups" not in one for one, _ in sides)


def test_the_rest_of_two_groups_is_named(fixed: EvaluationRecord) -> None:
    view = make(fixed)
    assert view.headline.endswith("more often than those in “male”.")
    assert "other groups" not in view.evidence
    assert "other groups" not in " ".join(texts(view.answers[1]))


def test_groups_that_overlap_are_not_set_against_each_other_as_if_they_were_apart(fixed: EvaluationRecord) -> None:
    """Where people count in several groups, one group may lie inside the other."""
    samples = fixed.samples.model_copy(update={"subjects": fixed.samples.subjects - 1})
    view = make(fixed.model_copy(update={"samples": samples}))
    assert view.headline.endswith("more often than people in “male” as a whole; the two may share people.")
    told = " ".join(texts(section(view, "findings").blocks))
    assert "Groups by gender overlap: some people count in several" in told
    assert "overlap" not in " ".join(texts(section(make(fixed), "findings").blocks))


def test_the_lowest_rate_named_first_is_not_undercut_by_a_group_as_large(builder: ModuleType) -> None:
    """Only a group with fewer comparisons may have a lower rate: none seen among few is no low rate."""
    for record in (builder.london_like(), builder.crossing(), builder.beside()):
        told = [line for line in texts(make(record).answers[0]) if " down to " in line]
        for line in told:
            errors, trials = (
                int(x.replace(",", "")) for x in re.findall(r"([\d,]+) of ([\d,]+)", line.split(" down to ")[1])[0]
            )
            point = [p for p in record.operating_points if p.policy != "per-group" and p.threshold is not None][-1].id
            peers = [
                r for r in record.rates
                if r.metric == "FMR" and r.view == "conditional" and len(r.group) == 2 and r.operating_point == point
                and r.reference_group is None and r.value is not None and r.trials >= trials
            ]  # fmt: skip
            assert min(r.errors / r.trials for r in peers) == errors / trials


def test_a_group_is_not_set_against_itself_where_the_other_was_hardly_looked_at(fixed: EvaluationRecord) -> None:
    few = {"errors": 0, "trials": 12, "value": 0.0, "zero_errors": True, "upper_bound": 0.45}
    assert " from female: " in " ".join(texts(make(fixed)))
    for rate in fixed.rates:
        if rate.metric == "FMR" and rate.group == {"gender": "male"} and rate.reference_group is None:
            fixed = fixed.model_copy(
                update={"rates": [rate.model_copy(update=few) if one is rate else one for one in fixed.rates]}
            )
    assert " down to " not in " ".join(texts(make(fixed)))


def test_a_disparity_that_could_be_chance_says_so_in_the_table_of_verdicts(london_like: EvaluationRecord) -> None:
    def told(record: EvaluationRecord) -> list[str]:
        table = make(record).verdicts
        assert table is not None
        return [cell.note for row in table.rows for cell in row if cell.mark == "disparity"]

    contrasts = [c.model_copy(update={"p_adjusted": 0.4}) for c in london_like.contrasts]
    doubted = told(london_like.model_copy(update={"contrasts": contrasts}))
    assert [text for text in doubted if text.endswith("this one could be chance (adjusted p 0.40).")]
    assert not [text for text in told(london_like) if "could be chance" in text]


def test_groups_that_are_counted_between_thresholds_only_are_named_and_not_drawn(london_like: EvaluationRecord) -> None:
    """They would be drawn as flat blocks, which no scores are."""

    def scores_of(record: EvaluationRecord) -> parts.Figure:
        return next(figure for figure in walk.figures(make(record)) if figure.id == "scores")

    whole = scores_of(london_like)
    black = {"gender": "female", "ethnicity": "black"}
    made = [
        d.model_copy(update={"edges": [d.edges[0], d.edges[-1]], "counts": [sum(d.counts)]}) if d.group == black else d
        for d in london_like.distributions
    ]
    found = scores_of(london_like.model_copy(update={"distributions": made}))
    assert "Not drawn" not in whole.caption
    assert "fewer than ten people: female, black." in found.caption
    labels = [row.label for row in whole.picture.rows]
    assert [row.label for row in found.picture.rows] == [label for label in labels if label != "female, black"]
