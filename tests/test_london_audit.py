"""The first audit, whole: two real models on the real London Set, through the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from as_text import as_text
from jsonschema import Draft202012Validator
from london_run import LONDON, Run, faceaudit
from scipy.spatial.distance import cdist

from audit import benchmarks, models
from audit.domain import Template
from audit.extract import hash_samples
from audit.plan import make
from audit.record import EvaluationRecord, read, schema
from audit.store import Key, TemplateStore

pytestmark = pytest.mark.london

POINT = "global-fmr-0.001"
BLACK_WOMEN = {"gender": "female", "ethnicity": "black"}
WHITE_MEN = {"gender": "male", "ethnicity": "white"}


@pytest.fixture(scope="module")
def records(london_results: tuple[Path, Run]) -> dict[str, EvaluationRecord]:
    return {one["model"]: read(Path(one["record"])) for one in london_results[1].evaluations}


def rate(record: EvaluationRecord, group: dict[str, str], metric: str = "FMR", point: str | None = POINT):
    return next(
        r for r in record.rates
        if r.metric == metric and r.group == group and r.operating_point == point and r.reference_group is None
    )  # fmt: skip


def test_it_measures_every_comparison(records: dict[str, EvaluationRecord]) -> None:
    assert set(records) == {"dlib", "mobilefacenet"}
    for record in records.values():
        counts = record.samples
        assert (counts.total, counts.subjects, counts.mated, counts.nonmated) == (204, 102, 102, 20604)
        assert rate(record, {}).trials == 20604
        assert rate(record, {}, "FNMR").trials == 102
        assert {row.failures for row in record.acquisition} == {0}


def test_both_models_separate_all_pairs(records: dict[str, EvaluationRecord]) -> None:
    for record in records.values():
        assert record.summary.eer_rocch == 0
        assert record.summary.auc == 1
        assert record.summary.exact


def test_the_contrast_is_shown_with_counts_interval_and_support(records: dict[str, EvaluationRecord]) -> None:
    for record in records.values():
        worst, best = rate(record, BLACK_WOMEN), rate(record, WHITE_MEN)
        assert (worst.trials, worst.subjects, best.trials, best.subjects) == (40, 5, 2244, 34)
        assert worst.value >= 10 * best.value
        assert worst.interval.low < worst.value < worst.interval.high
        assert worst.support == "count-only"


def test_small_groups_are_count_only_and_single_people_have_no_rate(records: dict[str, EvaluationRecord]) -> None:
    for record in records.values():
        for r in record.rates:
            if r.subjects < 30:
                assert r.support == "count-only"
            if r.subjects < 2:
                assert r.value is None
                assert r.interval is None
                assert r.reason
        alone = rate(record, {"ethnicity": "east_asian/white"}, "FNMR")
        assert (alone.subjects, alone.value) == (1, None)


def test_thresholds_never_exceed_their_target(records: dict[str, EvaluationRecord]) -> None:
    for record in records.values():
        for point in record.operating_points:
            if point.threshold is None:
                assert "not estimable" in point.reason
            elif point.policy != "given":
                assert point.achieved_fmr <= point.target_fmr
    few = [p for p in records["dlib"].operating_points if p.group == BLACK_WOMEN]
    assert [p.threshold for p in few] == [None, None]  # 40 comparisons cannot show an FMR of 1e-2


def test_counts_equal_an_independent_computation(
    records: dict[str, EvaluationRecord], shared: Path, london_env: dict[str, str]
) -> None:
    """Templates from the cache, SciPy's distances in double precision, a plain sort, and a loop over pairs."""
    benchmark = benchmarks.load("london", data=[shared / "benchmarks"])
    card = models.describe("dlib", plan=make({"benchmark": "london", "model": "dlib"}))
    files = hash_samples(benchmark.samples)
    store = TemplateStore(Path(london_env["FACEAUDIT_CACHE"]))
    found = [store.get(Key(files[s.sample_id], card.weights_sha256, card.preprocessing)) for s in benchmark.samples]
    assert all(isinstance(one, Template) for one in found)
    vectors = np.array([one.vector for one in found], dtype=np.float64)
    scores = -cdist(vectors, vectors)
    people = {s.subject_id: s.attributes for s in benchmark.subjects}
    who = [s.subject_id for s in benchmark.samples]
    pairs = [(i, j) for i in range(204) for j in range(i + 1, 204) if who[i] != who[j]]
    ordered = sorted((scores[i, j] for i, j in pairs), reverse=True)
    threshold = ordered[int(0.001 * len(pairs)) - 1]
    errors: Counter[tuple[str, str]] = Counter()
    for i, j in pairs:
        if scores[i, j] >= threshold:
            mine, yours = ((p["gender"][0], p["ethnicity"][0]) for p in (people[who[i]], people[who[j]]))
            if mine == yours:
                errors[mine] += 1
    record = records["dlib"]
    at = {p.id: p for p in record.operating_points}["vendor-0.6"]
    passing = sum(scores[i, j] >= -0.6 for i, j in pairs)
    everyone = rate(record, {}, point="vendor-0.6")
    assert (at.policy, at.threshold, everyone.errors, everyone.trials) == ("given", -0.6, passing, len(pairs))
    assert record.model.vendor_threshold.operating_point == "vendor-0.6"
    assert record.operating_points[0].policy == "global"
    at = next(p for p in record.operating_points if p.id == POINT)
    assert at.threshold == pytest.approx(threshold, abs=1e-6)
    for r in record.rates:
        if r.metric == "FMR" and r.operating_point == POINT and len(r.group) == 2 and r.reference_group is None:
            assert r.errors == errors[(r.group["gender"], r.group["ethnicity"])], r.group


def test_distributions_hold_every_comparison_and_give_back_the_rates(records: dict[str, EvaluationRecord]) -> None:
    for record in records.values():
        threshold = next(p.threshold for p in record.operating_points if p.id == POINT)
        for cell in record.distributions:
            assert len(cell.counts) <= 1024
            if cell.mated or cell.reason:
                continue
            accepted = sum(n for low, n in zip(cell.edges, cell.counts, strict=False) if low >= threshold)
            r = rate(record, cell.group)
            assert (sum(cell.counts), accepted) == (r.trials, r.errors)


def test_cross_group_matrix_adds_up(records: dict[str, EvaluationRecord]) -> None:
    """Within and across groups of one attribute, every comparison is counted once."""
    for record in records.values():
        for family in ({"gender"}, {"ethnicity"}, {"gender", "ethnicity"}):
            cells = [
                r for r in record.rates
                if r.metric == "FMR" and r.operating_point == POINT and set(r.group) == family
            ]  # fmt: skip
            assert sum(r.trials for r in cells) == 20604
            assert sum(r.errors for r in cells) == rate(record, {}).errors


def test_records_are_valid_under_the_schema(london_results: tuple[Path, Run]) -> None:
    validator = Draft202012Validator(schema())
    for one in london_results[1].evaluations:
        validator.validate(json.loads(Path(one["record"]).read_text()))


def test_nothing_published_names_a_person_a_file_or_this_machine(
    london_results: tuple[Path, Run], london: Path, shared: Path
) -> None:
    folder, run = london_results
    ids = {path.stem for path in london.rglob("*.jpg")}
    for path in folder.rglob("*"):
        if path.is_dir():
            continue
        assert path.suffix in {".json", ".html", ".parquet"}
        text = as_text(path)
        assert not [name for name in ids if name in text]
        for private in (str(shared), str(Path.home()), str(folder), "neutral_front", "_03.jpg"):
            assert private not in text
    assert len(run.evaluations) == 2


def test_peak_memory_is_under_two_gigabytes(london_results: tuple[Path, Run]) -> None:
    assert london_results[1].peak_mib < 2000


def test_the_same_command_again_recomputes_nothing(
    london_results: tuple[Path, Run], london_env: dict[str, str], tmp_path: Path
) -> None:
    folder, first = london_results
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    second = faceaudit(*LONDON, "--out", folder, env=london_env, cwd=tmp_path, new=True)
    assert second.code == 0, second.stderr
    assert all(one["reused"] for one in second.evaluations)
    assert second.seconds < first.seconds / 5
    assert {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()} == before


SAYS_WHAT_IT_LOADS = """
import sys
from audit.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(end.code, sorted({"torch", "facenet_pytorch", "dlib", "onnxruntime"} & set(sys.modules)), file=sys.stderr)
"""


def without_times(path: Path) -> dict:
    record = json.loads(path.read_text())
    for name in ("created", "timing"):
        del record[name]
    return record


def test_from_the_cache_the_numbers_are_the_same_and_no_model_is_loaded(
    london_results: tuple[Path, Run], london_env: dict[str, str], tmp_path: Path
) -> None:
    folder, _ = london_results
    said = []
    for _ in ("templates are known, comparisons are products of torch", "all is known"):
        done = subprocess.run(
            [sys.executable, "-c", SAYS_WHAT_IT_LOADS, *LONDON, "--out", str(tmp_path / "again")],
            env={**os.environ, **london_env}, cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        said.append(done.stderr.strip().splitlines()[-1])
    assert said == ["0 ['torch']", "0 []"]
    found = {path.relative_to(folder): without_times(path) for path in folder.rglob("record.json")}
    again = {
        path.relative_to(tmp_path / "again"): without_times(path) for path in (tmp_path / "again").rglob("record.json")
    }
    assert found == again
    assert len(found) == 2


def test_interrupted_it_keeps_what_it_has_and_ends_in_the_same_record(
    london_results: tuple[Path, Run], london_env: dict[str, str], tmp_path: Path
) -> None:
    """A fresh cache, Ctrl-C in the middle, the same command again: the record of an uninterrupted run."""
    folder, _ = london_results
    cache = tmp_path / "cache"
    env = {**london_env, "FACEAUDIT_CACHE": str(cache)}
    command = ["run", "--benchmark", "london", "--model", "dlib", "--by", "gender,ethnicity", "--json"]
    out = tmp_path / "results"
    process = subprocess.Popen(
        [sys.executable, "-m", "audit", *command, "--out", str(out)],
        env={**os.environ, **env}, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while len(list(cache.rglob("*.outcome"))) < 20 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=300)
    kept = len(list(cache.rglob("*.outcome")))
    assert process.returncode == 130, stderr
    assert re.fullmatch(r"faceaudit: interrupted: .*\n", stderr)
    assert 20 <= kept < 204
    assert not list(out.rglob("record.json"))
    again = faceaudit(*command, "--out", out, env=env, cwd=tmp_path)
    assert again.code == 0, again.stderr
    record = Path(again.evaluations[0]["record"])
    assert without_times(record) == without_times(folder / record.relative_to(out))
    shutil.rmtree(cache)


def test_report_is_rendered_again_without_measuring(london_results: tuple[Path, Run], tmp_path: Path) -> None:
    record = Path(london_results[1].evaluations[0]["record"])
    done = faceaudit("report", record, "--out", tmp_path / "r", env={"FACEAUDIT_DATA": ""}, cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert (tmp_path / "r" / "report.html").read_bytes() == record.with_name("report.html").read_bytes()


def test_thresholds_from_other_people_and_a_vendors_own(
    london_results: tuple[Path, Run], london_env: dict[str, str], tmp_path: Path
) -> None:
    """Half of every group sets the threshold, the other half is judged; dlib's own 0.6 is judged as given."""
    (tmp_path / "plan.toml").write_text(
        'benchmark = "london"\nmodel = "dlib"\nby = ["gender"]\ncalibration = 0.5\nthresholds = [0.6]\nfmr = [0.01]\n'
    )
    run = faceaudit("run", "plan.toml", "--json", env=london_env, cwd=tmp_path)
    assert run.code == 0, run.stderr
    record = read(tmp_path / run.evaluations[0]["record"])
    assert record.model.vendor_threshold.operating_point == "given-0.6"
    assert record.samples.subjects in (50, 51, 52)
    at = {point.id: point for point in record.operating_points}
    assert "people set aside for calibration" in at["global-fmr-0.01"].set_on
    assert any("not among the judged" in limit for limit in record.limits)
    given = at["given-0.6"]
    assert (given.policy, given.threshold, given.target_fmr) == ("given", -0.6, None)
    judged = rate(record, {}, point="given-0.6")
    assert judged.value == given.achieved_fmr
    whole = read(Path(london_results[1].evaluations[0]["record"]))
    assert judged.trials < rate(whole, {}).trials
    everyone = next(d for d in record.distributions if not d.group and not d.mated)
    assert sum(n for low, n in zip(everyone.edges, everyone.counts, strict=False) if low >= -0.6) == judged.errors


def test_impostors_can_be_limited_to_people_alike(london_env: dict[str, str], tmp_path: Path) -> None:
    """Same sex and ethnicity: every non-mated comparison lies within an intersection, counted by hand."""
    (tmp_path / "plan.toml").write_text(
        'benchmark = "london"\nmodel = "dlib"\nby = ["gender"]\nimpostors = ["gender", "ethnicity"]\nfmr = [0.01]\n'
    )
    run = faceaudit("run", "plan.toml", "--json", env=london_env, cwd=tmp_path)
    assert run.code == 0, run.stderr
    record = read(tmp_path / run.evaluations[0]["record"])
    people = (35, 5, 5, 4, 34, 8, 5, 5, 1)
    assert record.samples.nonmated == sum(2 * n * 2 * (n - 1) // 2 for n in people)
    assert rate(record, {}, point="global-fmr-0.01").trials == record.samples.nonmated
    assert {tuple(r.group.items()) for r in record.rates} == {(), (("gender", "female"),), (("gender", "male"),)}
