"""The worked numbers of docs/statistics.md are those of the London record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from london_run import Run

from audit.metrics.cells import join, make_cells
from audit.metrics.differentials import MEASURES, evaluate
from audit.record import EvaluationRecord, read

PAGE = Path(__file__).resolve().parents[1] / "docs" / "statistics.md"
POINT = "global-fmr-0.001"


def rows(start: str) -> list[list[str]]:
    """Cells of the table whose header begins so."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith(f"| {start}"))
    found = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.replace("\\|", "¦").strip("|").split("|")])
    return found


def test_every_measure_is_explained_with_its_value_for_women_and_men() -> None:
    fmr = make_cells([11, 9], [4704, 5512], [49, 53], np.eye(2) * 1e-6)
    fnmr = make_cells([0, 0], [49, 53], [49, 53], np.eye(2) * 1e-6)
    table = {row[0].strip("*"): row for row in rows("measure")}
    assert list(table) == list(MEASURES)
    for name, measure in MEASURES.items():
        value = evaluate(measure, join(fmr, fnmr, np.eye(4) * 1e-6) if measure.composite else fmr).value
        shown = table[name][-1]
        assert shown == "undefined" if value is None else float(shown) == pytest.approx(value, rel=2e-3)


@pytest.fixture
def record(london_results: tuple[Path, Run]) -> EvaluationRecord:
    return next(read(Path(one["record"])) for one in london_results[1].evaluations if one["model"] == "dlib")


@pytest.mark.london
def test_rates_and_contrasts_are_those_of_the_record(record: EvaluationRecord) -> None:
    groups = {
        "everyone": {}, "Black": {"ethnicity": "black"}, "Black women": {"gender": "female", "ethnicity": "black"},
        "white men": {"gender": "male", "ethnicity": "white"},
    }  # fmt: skip
    for name, counts, people, value, interval, deff, effective in rows("group"):
        found = next(
            r for r in record.rates
            if (r.metric, r.group, r.operating_point, r.reference_group) == ("FMR", groups[name], POINT, None)
        )  # fmt: skip
        assert counts == f"{found.errors:,} of {found.trials:,}"
        assert int(people) == found.subjects
        assert float(value) == pytest.approx(found.value, rel=0.03)
        low, high = (float(x) for x in interval.partition(";")[0].split(" to "))
        assert (low, high) == pytest.approx((found.interval.low, found.interval.high), rel=0.05)
        assert (
            deff == "–" if found.design_effect is None else float(deff) == pytest.approx(found.design_effect, rel=0.03)
        )
        assert float(effective) == pytest.approx(found.effective_errors, abs=0.05)
    pairs = {
        "women against men": ({"gender": "female"}, {"gender": "male"}),
        "Black people against everybody else": ({"ethnicity": "black"}, "rest"),
        "Black women against white men": (groups["Black women"], groups["white men"]),
    }
    for name, ratio, interval, p, holm, max_z, verdict in rows("contrast"):
        found = next(
            c for c in record.contrasts
            if (c.metric, c.operating_point, c.group, c.against) == ("FMR", POINT, *pairs[name])
        )  # fmt: skip
        assert float(ratio.removeprefix("at least ")) == pytest.approx(found.ratio, rel=0.02)
        assert ratio.startswith("at least") == found.at_least
        low, high = (float(x.replace(",", "")) for x in interval.split(" to "))
        assert (low, high) == pytest.approx((found.interval.low, found.interval.high), rel=0.03)
        for shown, value in ((p, found.p), (holm, found.p_adjusted), (max_z, found.p_max_z)):
            assert float(shown) == pytest.approx(value, rel=0.06)
        assert verdict == found.verdict


@pytest.mark.london
def test_the_sentences_hold(record: EvaluationRecord) -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    women = next(s for s in record.score_shifts if s.group == {"gender": "female"} and s.mated and s.share == 0.25)
    assert f"lies {-women.shift:.2f} standard deviations below men's" in text
    assert f"(interval {-women.interval.high:.2f} to {-women.interval.low:.2f})" in text
    black = next(
        s for s in record.score_shifts if s.group == {"ethnicity": "black"} and not s.mated and s.share == 0.05
    )
    assert f"lie {black.shift:.1f} standard deviations above" in text
    assert not record.label_noise
    assert all(rate.support == "count-only" for rate in record.rates if rate.operating_point == POINT)
    assert all(d.value is None for d in record.differentials if d.operating_point == POINT)
    point = next(p for p in record.operating_points if p.id == POINT)
    assert f"t = {point.threshold:.4f}" in text
    assert f"achieved {point.achieved_fmr:.5f}" in text
    found = next(
        c for c in record.contrasts
        if (c.metric, c.operating_point, c.group, c.against)
        == ("FMR", POINT, {"gender": "female", "ethnicity": "black"}, {"gender": "male", "ethnicity": "white"})
    )  # fmt: skip
    assert f"below {found.minimum_detectable_ratio:.0f}" in text
