"""The report of a large audit beside that of a small one: it takes little longer, and its page stays small."""

from __future__ import annotations

import time
from pathlib import Path

import large_record
import pytest
import site_results

from audit import record as records
from audit.record import EvaluationRecord
from audit.report import render

pytestmark = pytest.mark.performance


def timed(record: EvaluationRecord, out: Path) -> tuple[float, int]:
    """Seconds of the quickest of two runs, and bytes of the page."""
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        page = render(record, out)[0]
        seconds.append(time.perf_counter() - began)
    return min(seconds), page.stat().st_size


def test_the_report_of_sixty_four_groups_takes_at_most_five_small_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = large_record.large()
    assert len([c for c in large.samples.by_group if len(c.group) == 2]) == 64
    assert len(large.operating_points) == 5
    small = site_results.builder().beside()
    timed(small, tmp_path)
    (little, _), (much, size) = timed(small, tmp_path), timed(large, tmp_path)
    times = len(records.dumps(large)) / len(records.dumps(small))
    with capsys.disabled():
        print(f"\n64 groups x 5: {much:.1f} s, {size / 1e6:.1f} MB; small record: {little:.1f} s, {times:.0f}x smaller")
    assert size <= 3_000_000
    assert times > 10
    assert much <= 5 * little
