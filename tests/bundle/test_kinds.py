"""Audits of every shape can be sealed and computed again: what they lack is named, and nothing is called false."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_bundle import write_tables

from audit import scoring, templates
from audit.bundle import Finding, seal, verify
from audit.plan import RunOptions, make

DECIDED = {
    "errors and comparisons are those of the scores",
    "rates and intervals within groups",
    "rates and intervals across groups",
    "rates at the groups' own thresholds",
    "contrasts, with both adjusted p-values",
    "differentials, intervals, nulls and verdicts",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_tables(tmp_path_factory.mktemp("tables"), 70, 2, 9)


def checked(folder: Path) -> list[Finding]:
    """Sealed and verified, without the report: other tests draw it."""
    (folder / "report.html").unlink()
    seal(folder)
    findings = verify(folder)
    assert [one for one in findings if one.outcome == "failed"] == []
    return findings


def established(findings: list[Finding]) -> set[str]:
    return {one.question for one in findings if one.outcome == "established"}


@pytest.mark.parametrize(
    "more",
    [
        {"by": ()},
        {"by": ("tone",), "impostors": ("sex",)},
        {"by": ("sex",), "thresholds": (0.2, 0.9), "fmr": (0.05,)},
        {"by": ("tone", "sex"), "min_subjects": 5, "reference": {"tone": "light"}, "bootstrap": 200},
        {"by": ("sex",), "experimental": True, "level": 0.9, "alpha": 0.1, "margin_fmr": 1.5, "label_noise": (0.1,)},
    ],
    ids=["everyone", "impostors", "thresholds", "few", "settings"],
)
def test_scores_with_every_kind_of_plan(tables: tuple[Path, Path], tmp_path: Path, more: dict[str, object]) -> None:
    settings = {"fmr": (0.01,), "draws": 200, **more}
    made = scoring.evaluate(scoring.Given(*tables), settings, RunOptions(out=tmp_path))
    assert established(checked(made.folder)) >= DECIDED


def test_distances(tables: tuple[Path, Path], tmp_path: Path) -> None:
    settings = {"fmr": (0.01,), "draws": 200, "by": ("sex",)}
    made = scoring.evaluate(scoring.Given(*tables, distance=True), settings, RunOptions(out=tmp_path))
    assert established(checked(made.folder)) >= DECIDED


@pytest.mark.parametrize(
    "more", [{}, {"sample_nonmated": 900}, {"storage": "float16"}], ids=["all", "sampled", "float16"]
)
def test_templates(tmp_path: Path, more: dict[str, object]) -> None:
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(80), 2)
    values = (rng.normal(size=(80, 16))[who] + 0.6 * rng.normal(size=(160, 16))).astype(np.float32)
    names = {"sample_id": [f"img{k:05d}" for k in range(160)], "subject_id": [f"u{k:04d}" for k in who]}
    pq.write_table(pa.table(names | {f"t{k}": values[:, k] for k in range(16)}), tmp_path / "net.parquet")
    people = tmp_path / "people.csv"
    people.write_text("subject_id,g\n" + "".join(f"u{k:04d},{'ab'[k % 2]}\n" for k in range(80)))
    asked = make(
        {
            "benchmark": templates.UNDESCRIBED,
            "model": f"templates:{tmp_path / 'net.parquet'}",
            "by": ("g",),
            "fmr": (0.01,),
            "draws": 200,
            **more,
        }
    )
    made = templates.evaluate(asked, people, RunOptions(out=tmp_path / "out"))
    assert established(checked(made.folder)) >= DECIDED
