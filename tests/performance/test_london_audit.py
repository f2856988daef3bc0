"""The whole London audit with dlib beside the plain documented loop, in one run: at most a quarter of its time.

The audit is the command, everything included: start, digests, loading, extraction, comparison, statistics, report. The
loop only extracts. Group error counts agree within one.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from london_run import Run, faceaudit
from plain_loop import Loop, side_by_side

from audit import benchmarks
from audit.domain import Sample
from audit.record import read

pytestmark = [pytest.mark.performance, pytest.mark.london]

EVERY = 4
"""The loop is timed on every fourth picture; it takes the same time for each."""


def group_errors(templates: np.ndarray, samples: Sequence[Sample], info: Path) -> dict[tuple[str, str], int]:
    """Within-group false matches at a global FMR of 1e-3, counted in the plainest way."""
    with info.open(encoding="utf-8", newline="") as stream:
        group = {row["face_id"]: (row["face_gender"], row["face_eth"]) for row in csv.DictReader(stream)}
    score = -np.linalg.norm(templates[:, None].astype(float) - templates[None].astype(float), axis=2)
    pairs = [
        (score[i, j], group[a.subject_id], group[b.subject_id])
        for i, a in enumerate(samples)
        for j, b in enumerate(samples[:i])
        if a.subject_id != b.subject_id
    ]
    allowed = int(1e-3 * len(pairs) + 1e-9)
    threshold = sorted((s for s, _, _ in pairs), reverse=True)[allowed - 1]
    counts = dict.fromkeys(group.values(), 0)
    for s, one, other in pairs:
        counts[one] += int(one == other and s >= threshold)
    return counts


@pytest.fixture(scope="module")
def plain_templates(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    """dlib's and MobileFaceNet's templates of all pictures, in the documented way; the slow part, detection, once."""
    samples = benchmarks.load("london", data=[shared / "benchmarks"]).samples
    return side_by_side([sample.path for sample in samples], shared / "models" / "mobilefacenet.onnx")


def test_the_audit_takes_at_most_a_quarter_of_the_loops_time(
    london: Path,
    shared: Path,
    plain_templates: tuple[np.ndarray, np.ndarray],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env = {"FACEAUDIT_DATA": str(shared / "benchmarks"), "FACEAUDIT_CACHE": str(tmp_path / "cache")}
    command = ["run", "--benchmark", "london", "--model", "dlib", "--json", "--out", tmp_path / "results"]
    first = faceaudit(*command, env=env, cwd=tmp_path, new=True)
    again = faceaudit(*command, env=env, cwd=tmp_path, new=True)
    assert (first.code, again.code) == (0, 0), first.stderr
    samples = benchmarks.load("london", data=[shared / "benchmarks"]).samples
    loop_itself = Loop()
    loop_itself.template(samples[0].path)
    started = time.perf_counter()
    timed = loop_itself.run(samples[::EVERY])
    loop = (time.perf_counter() - started) * len(samples) / len(timed)
    with capsys.disabled():
        print(
            f"\nloop {loop:.1f} s; audit {first.seconds:.1f} s ({first.seconds / loop:.2f} of it); again "
            f"{again.seconds:.1f} s ({again.seconds / first.seconds:.2f} of the first); {first.peak_mib:.0f} MiB"
        )
    assert first.seconds <= loop / 4
    assert again.seconds <= first.seconds / 3
    assert first.peak_mib < 2000
    plain = plain_templates[0].copy()
    plain[::EVERY] = timed
    agree_within_one(first, group_errors(plain, samples, london / "london_info.csv"))


def agree_within_one(run: Run, expected: dict[tuple[str, str], int]) -> None:
    found = {
        (r.group["gender"], r.group["ethnicity"]): r.errors for r in read(Path(run.evaluations[0]["record"])).rates
        if r.metric == "FMR" and r.operating_point == "global-fmr-0.001" and len(r.group) == 2 and not r.reference_group
    }  # fmt: skip
    assert set(found) == set(expected)
    assert {group: found[group] for group in found if abs(found[group] - expected[group]) > 1} == {}


def test_mobilefacenets_errors_are_those_of_its_loop_on_full_size_images(
    london: Path, shared: Path, plain_templates: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    weights = shared / "models" / "mobilefacenet.onnx"
    env = {"FACEAUDIT_DATA": str(shared / "benchmarks"), "FACEAUDIT_CACHE": str(tmp_path / "cache")}
    run = faceaudit(
        "run", "--benchmark", "london", "--model", f"onnx:{weights}", "--json", "--out", tmp_path / "results",
        env=env, cwd=tmp_path,
    )  # fmt: skip
    samples = benchmarks.load("london", data=[shared / "benchmarks"]).samples
    plain = plain_templates[1] / np.linalg.norm(
        plain_templates[1], axis=1, keepdims=True
    )  # so that distances are in the order of cosines
    agree_within_one(run, group_errors(plain, samples, london / "london_info.csv"))
