"""`faceaudit run` without arguments, everything included, beside the plain loop that only extracts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from london_run import faceaudit
from plain_loop import Loop

from audit import benchmarks

pytestmark = pytest.mark.performance

EVERY = 16
"""The loop runs on every sixteenth picture; it takes the same time for each."""


def test_the_audit_without_arguments_takes_at_most_two_thirds_of_the_loops_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = {"FACEAUDIT_DATA": "", "FACEAUDIT_CACHE": str(tmp_path / "cache")}
    run = faceaudit("run", "--json", "--out", tmp_path / "results", env=env, cwd=tmp_path, new=True)
    assert run.code == 0, run.stderr
    samples = benchmarks.load("synthetic").samples
    loop = Loop()
    loop.template(samples[0].path)
    started = time.perf_counter()
    loop.run(samples[1::EVERY])
    whole = (time.perf_counter() - started) * EVERY
    with capsys.disabled():
        print(
            f"\nloop {whole:.1f} s; audit {run.seconds:.1f} s ({run.seconds / whole:.2f} of it); {run.peak_mib:.0f} MiB"
        )
    assert run.seconds <= whole * 2 / 3
    assert run.peak_mib < 2000
