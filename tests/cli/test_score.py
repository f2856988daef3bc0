"""`faceaudit score`: the record of a run, counted failures, consent said first, hard cases that stay finite."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from london_run import Run, faceaudit

from audit import models
from audit.compare.all_pairs import AllPairs
from audit.domain import Template
from audit.extract import hash_samples
from audit.inputs import prepare
from audit.plan import RunOptions, make
from audit.record import EvaluationRecord, read
from audit.store import Key, TemplateStore

ENV = {"FACEAUDIT_DATA": ""}


def table(path: Path, header: str, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def scored(folder: Path, *arguments: str | Path, code: int = 0) -> EvaluationRecord:
    run = faceaudit("score", *arguments, "--json", "--out", folder / "out", env=ENV, cwd=folder)
    assert run.code == code, run.stderr
    return read(Path(run.evaluations[0]["record"]))


def refused(folder: Path, *arguments: str | Path, code: int = 2) -> str:
    run: Run = faceaudit("score", *arguments, "--out", folder / "out", env=ENV, cwd=folder)
    assert run.code == code, run.stdout + run.stderr
    assert run.stderr.count("\n") == 1
    return run.stderr


def people_of(folder: Path, groups: Sequence[str]) -> Path:
    return table(folder / "people.csv", "subject_id,g", [(f"s{k}", g) for k, g in enumerate(groups)])


def comparisons(people: int, images: int, rng: np.random.Generator) -> list[list[Any]]:
    """Every pair of samples of made-up people: subjects, samples, score."""
    own = rng.normal(size=(people, 12))
    who = np.repeat(np.arange(people), images)
    vectors = own[who] + rng.normal(0, 0.6, (people * images, 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    one, two = np.triu_indices(people * images, 1)
    values = np.einsum("ij,ij->i", vectors[one], vectors[two])
    return [[f"s{who[i]}", f"s{who[j]}", f"x{i}", f"x{j}", float(v)] for i, j, v in zip(one, two, values, strict=True)]


HEAD, IDS = "probe_subject,reference_subject,score", "probe_subject,reference_subject,probe,reference,score"


def without_ids(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[row[0], row[1], row[4]] for row in rows]


def everything_finite(record: EvaluationRecord) -> None:
    """Never NaN, never inf, and every rate with trials has its value or says why not."""

    def numbers(part: Any) -> Iterator[float]:
        if isinstance(part, float):
            yield part
        elif isinstance(part, dict):
            for value in part.values():
                yield from numbers(value)
        elif isinstance(part, list):
            for value in part:
                yield from numbers(value)

    assert all(math.isfinite(x) for x in numbers(record.model_dump(mode="json")))
    for rate in record.rates:
        assert rate.value is not None or rate.reason


@pytest.mark.london
def test_scores_of_london_give_the_record_of_the_run(
    london_results: tuple[Path, Run], london_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dlib's distances, written down and scored with London's card, in shuffled order and turned round at random."""
    ran = next(read(Path(one["record"])) for one in london_results[1].evaluations if one["model"] == "dlib")
    for name, value in london_env.items():
        monkeypatch.setenv(name, value)
    plan = make({"benchmark": "london", "model": "dlib", "by": ("gender", "ethnicity")})
    inputs = prepare(plan, RunOptions(out=tmp_path / "none"), lambda *_: None)
    found = hash_samples(inputs.samples)
    store = TemplateStore()
    vectors, who = [], []
    names = {subject: index for index, subject in enumerate(inputs.judged.subjects)}
    for sample in inputs.samples:
        card = inputs.card
        template = store.get(Key(str(found[sample.sample_id]), card.weights_sha256, card.preprocessing))
        assert isinstance(template, Template)
        vectors.append(template.vector)
        who.append(names[sample.subject_id])
    pairs = AllPairs(
        np.array(vectors), np.array(who), inputs.judged.grouping.atom_of, inputs.judged.grouping.atoms, "euclidean"
    )
    rng = np.random.default_rng(3)
    subjects = inputs.judged.subjects
    rows = []
    for first, second, scores in pairs.chunks():
        for i, j, score in zip(first, second, scores, strict=True):
            pair = [subjects[i], subjects[j]]
            rows.append([*(pair if rng.integers(2) else pair[::-1]), repr(-float(score))])
    rng.shuffle(rows)
    by_name = {subject.subject_id: subject for subject in inputs.benchmark.subjects}
    labels = [[name, *(by_name[name].attributes[a][0] if by_name[name].attributes[a] else "" for a in ("gender", "ethnicity", "age"))] for name in subjects]  # fmt: skip  # noqa: E501
    files = (
        table(tmp_path / "distances.csv", HEAD, rows), "--distance",
        "--subjects", table(tmp_path / "people.csv", "subject_id,gender,ethnicity,age", labels),
        "--benchmark-card", Path(models.__file__).parents[2] / "benchmarks" / "london" / "croissant.json",
        "--by", "gender,ethnicity", "--model-name", "dlib",
    )  # fmt: skip
    record = scored(tmp_path, *files)
    ran = without(ran, "vendor-0.6")  # scores come without the card of a model
    assert record.benchmark.consent_tier == ran.benchmark.consent_tier == "T2"
    assert [p.model_dump(exclude={"set_on"}) for p in record.operating_points] == [
        p.model_dump(exclude={"set_on"}) for p in ran.operating_points
    ]
    conditional = [[rate for rate in one.rates if rate.metric in ("FMR", "FNMR")] for one in (record, ran)]
    assert conditional[0] == conditional[1]
    assert len(conditional[0]) > 100
    for mine, run in zip(record.contrasts, ran.contrasts, strict=True):
        assert mine == run
    for mine, run in zip(record.differentials, ran.differentials, strict=True):
        assert mine == run
    assert record.score_shifts == ran.score_shifts
    assert record.label_noise == ran.label_noise
    black_women = [
        r for r in record.rates if r.group == {"gender": "female", "ethnicity": "black"} and r.metric == "FMR"
    ]
    assert (10, 40) in {(r.errors, r.trials) for r in black_women if r.operating_point == "global-fmr-0.001"}


def without(record: EvaluationRecord, point: str) -> EvaluationRecord:
    """The record as if nothing had been judged at an operating point."""
    parts = ("rates", "contrasts", "differentials", "label_noise")
    kept = {part: [one for one in getattr(record, part) if one.operating_point != point] for part in parts}
    points = [one for one in record.operating_points if one.id != point]
    return record.model_copy(update={**kept, "operating_points": points})


def test_without_a_card_consent_is_undocumented_and_said_first(tmp_path: Path) -> None:
    rows = comparisons(40, 3, np.random.default_rng(1))
    arguments = (
        table(tmp_path / "scores.csv", IDS, rows), "--subjects", people_of(tmp_path, ["a", "b"] * 20),
    )  # fmt: skip
    run = faceaudit("score", *arguments, "--out", tmp_path / "out", env=ENV, cwd=tmp_path)
    assert run.code == 0, run.stderr
    assert run.stdout.startswith("Nothing is documented about the consent of the people")
    record = read(next((tmp_path / "out").rglob("record.json")))
    assert record.benchmark.consent_tier == "undocumented"
    assert record.warnings[0] == "Nothing is documented about consent."
    assert (record.samples.unit, record.samples.total, record.samples.subjects) == ("sample", 120, 40)
    page = next((tmp_path / "out").rglob("report.html")).read_text()
    assert page.index("Nothing is documented about the consent") < page.index("<h1")
    assert not any(f'"{name}"' in dumped for dumped in [record.model_dump_json()] for name in ("s0", "x0", "s39"))
    again = faceaudit("score", *arguments, "--json", "--out", tmp_path / "out", env=ENV, cwd=tmp_path)
    assert again.evaluations[0]["reused"] is True
    other = faceaudit("score", *arguments, "--distance", "--json", "--out", tmp_path / "out", env=ENV, cwd=tmp_path)
    assert other.evaluations[0]["reused"] is False


def test_a_sample_without_any_score_failed_and_is_counted(tmp_path: Path) -> None:
    rows = comparisons(40, 3, np.random.default_rng(2))
    failed = {"x4", "x5", "x9"}  # of s1, s1 (group b) and s3 (group b)
    for row in rows:
        if failed & {row[2], row[3]}:
            row[4] = ""
    listed = [(f"x{k}", f"s{k // 3}") for k in range(120)] + [("y0", "s0")]
    record = scored(
        tmp_path, table(tmp_path / "scores.csv", IDS, rows), "--subjects", people_of(tmp_path, ["a", "b"] * 20),
        "--samples", table(tmp_path / "samples.csv", "sample_id,subject_id", listed), "--by", "g",
    )  # fmt: skip
    counted = {(tuple(a.group.values()), a.reason): (a.failures, a.samples) for a in record.acquisition}
    assert counted[(), None] == (4, 121)
    assert counted[("b",), None] == (3, 60)
    assert counted[("b",), "none of its comparisons has a score"] == (3, 60)
    assert counted[("a",), "stands in no comparison"] == (1, 61)
    assert record.samples.mated + record.samples.nonmated == 117 * 116 // 2
    frr = next(r for r in record.rates if r.metric == "FRR" and r.group == {"g": "b"})
    fnmr = next(r for r in record.rates if r.metric == "FNMR" and r.group == {"g": "b"})
    assert frr.value == pytest.approx(3 / 60 + fnmr.value * (1 - 3 / 60))


def test_missing_scores_that_no_sample_explains_count_by_side(tmp_path: Path) -> None:
    rows = without_ids(comparisons(40, 3, np.random.default_rng(3)))
    gone = [k for k, row in enumerate(rows) if row[0] == "s0" and row[1] == "s2"][:4]
    for k in gone:
        rows[k][2] = "NA"
    record = scored(tmp_path, table(tmp_path / "s.csv", HEAD, rows), "--subjects", people_of(tmp_path, ["a", "b"] * 20))
    everyone = next(a for a in record.acquisition if not a.group and a.stage is None)
    assert (record.samples.unit, everyone.failures, everyone.samples) == ("side", 8, 2 * len(rows))
    assert next(a for a in record.acquisition if a.group == {"g": "b"} and a.stage is None).failures == 0
    assert any(w.startswith("4 of 7,140 comparisons have no score") for w in record.warnings)
    assert any("comparison that stands in it twice cannot be told" in w for w in record.warnings)


def test_a_vendors_own_threshold_is_judged_as_given(tmp_path: Path) -> None:
    rows = without_ids(comparisons(40, 3, np.random.default_rng(4)))
    files = table(tmp_path / "s.csv", HEAD, rows), "--subjects", people_of(tmp_path, ["a"] * 40)
    record = scored(tmp_path, *files, "--threshold", "0.5")
    by_hand = sum(float(row[2]) >= 0.5 for row in rows if row[0] != row[1])
    rate = next(r for r in record.rates if r.operating_point == "given-0.5" and r.metric == "FMR" and not r.group)
    assert (rate.errors, rate.trials) == (by_hand, sum(row[0] != row[1] for row in rows))
    turned = [[row[0], row[1], 1 - float(row[2])] for row in rows]
    files = table(tmp_path / "d.csv", HEAD, turned), "--distance", "--subjects", tmp_path / "people.csv"
    record = scored(tmp_path, *files, "--threshold", "0.5")
    far = next(r for r in record.rates if r.operating_point == "given-0.5" and r.metric == "FMR" and not r.group)
    assert abs(far.errors - by_hand) <= 1  # 1 - x is rounded


def hard_cases() -> dict[str, tuple[list[list[Any]], list[str]]]:
    rng = np.random.default_rng(5)
    base = without_ids(comparisons(40, 2, rng))
    mixed = ["a", "b"] * 20
    apart = [[r[0], r[1], 2.0 + k / 1e4 if r[0] == r[1] else -k / 1e4] for k, r in enumerate(base)]
    upside = [[r[0], r[1], -1.0 - k / 1e4 if r[0] == r[1] else k / 1e4] for k, r in enumerate(base)]
    no_mated = [r for r in base if not (r[0] == r[1] and int(r[0][1:]) % 2)]
    no_nonmated_b = [r for r in base if r[0] == r[1] or not (int(r[0][1:]) % 2 and int(r[1][1:]) % 2)]
    few = [[r[0], r[1], round(float(r[2]), 1)] for r in base]
    lonely = ["a"] * 39 + ["b"]
    return {
        "no errors": (apart, mixed),
        "all errors": (upside, mixed),
        "a group without a mated pair": (no_mated, mixed),
        "a group without a non-mated pair": (no_nonmated_b, mixed),
        "many ties": (few, mixed),
        "one group": (base, ["a"] * 40),
        "a group of one person": (base, lonely),
        "huge scores": ([[r[0], r[1], float(r[2]) * 1e99] for r in base], mixed),
        "tiny scores": ([[r[0], r[1], float(r[2]) * 1e-300] for r in base], mixed),
    }


@pytest.mark.parametrize("case", hard_cases())
def test_hard_cases_stay_finite(case: str, tmp_path: Path) -> None:
    rows, groups = hard_cases()[case]
    record = scored(
        tmp_path, table(tmp_path / "s.csv", HEAD, rows), "--subjects", people_of(tmp_path, groups), "--fmr", "1e-2"
    )
    everything_finite(record)
    assert sum(count.subjects for count in record.samples.by_group if count.group) == 40
    for found in record.differentials:
        assert found.value is None or found.measure not in ("max/min", "max/geomean") or found.value >= 1
        assert found.verdict != "EQUIVALENT" or len(found.included) > 1
    if case == "one group":
        assert all(found.value is None and found.reason for found in record.differentials)


def test_what_cannot_be_measured_says_so(tmp_path: Path) -> None:
    rows = without_ids(comparisons(12, 2, np.random.default_rng(6)))
    people = people_of(tmp_path, ["a", "b"] * 6)
    constant = table(tmp_path / "c.csv", HEAD, [[r[0], r[1], 0.5] for r in rows])
    assert "every score is 0.5" in refused(tmp_path, constant, "--subjects", people, code=4)
    nothing = table(tmp_path / "n.csv", HEAD, [[r[0], r[1], ""] for r in rows])
    assert "none of 276 comparisons has a score" in refused(tmp_path, nothing, "--subjects", people, code=4)
    alone = table(tmp_path / "o.csv", HEAD, [["s0", "s0", 0.1], ["s0", "s0", 0.3]])
    assert "no target FMR is estimable" in refused(tmp_path, alone, "--subjects", people, code=4)
    low = refused(tmp_path, table(tmp_path / "l.csv", HEAD, rows), "--subjects", people, "--fmr", "1e-6", code=4)
    assert "not estimable: 264 comparisons" in low
    kept = scored(tmp_path, tmp_path / "l.csv", "--subjects", people, "--fmr", "1e-1,1e-6")
    skipped = next(p for p in kept.operating_points if p.target_fmr == 1e-6)
    assert skipped.threshold is None
    assert "264 comparisons" in (skipped.reason or "")


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    rows = without_ids(comparisons(12, 2, np.random.default_rng(7)))
    scores, people = table(tmp_path / "s.csv", HEAD, rows), people_of(tmp_path, ["a", "b"] * 6)
    assert "'s11' is not in the table of --subjects" in refused(
        tmp_path, scores, "--subjects", table(tmp_path / "p.csv", "subject_id,g", [(f"s{k}", "a") for k in range(11)])
    )
    assert "Did you mean 'g'?" in refused(tmp_path, scores, "--subjects", people, "--by", "gg")
    card = Path(models.__file__).parents[2] / "benchmarks" / "london" / "croissant.json"
    assert "without --subjects" in refused(tmp_path, scores, "--benchmark-card", card)
    assert "the column 'gender' is missing" in refused(tmp_path, scores, "--benchmark-card", card, "--subjects", people)
    other = table(tmp_path / "m.csv", "sample_id,subject_id", [("x", "s1")])
    assert "has no columns 'probe' and 'reference'" in refused(
        tmp_path, scores, "--subjects", people, "--samples", other
    )
    stolen = table(tmp_path / "lfw_scores.csv", HEAD, rows)
    assert "refused" in refused(tmp_path, stolen, "--subjects", people, code=3)
