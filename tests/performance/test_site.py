"""A site of a thousand evaluations, beside one of a hundred: the time grows with their number, no faster,
and a site that is there already takes less.

FACEAUDIT_LONG=1 takes so many; otherwise 300 and 30.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import site_results as given

from audit.record import dumps
from audit.report import html, stamp
from audit.report.site import publish
from audit.report.view import make

pytestmark = pytest.mark.performance
FEW, MANY = (100, 1000) if os.environ.get("FACEAUDIT_LONG") == "1" else (30, 300)


def fill(results: Path, n: int) -> None:
    """Evaluations of a real size with their reports beside them: ten revisions of every model, two dates of each."""
    base = given.builder().beside()
    page = html.page(make(base), "MARK")
    date = "1999-09-09T12:00:00+00:00"
    record = dumps(given.changed(base, model={"name": "NAME", "revision": "REVISION"}, created=date))
    assert record.count('"NAME"') == record.count('"REVISION"') == record.count(date) == 1
    for k in range(n):
        own = record.replace('"NAME"', f'"net {k // 20}"').replace('"REVISION"', f'"r{k % 10}"')
        own = own.replace(date, f"2026-{1 + k % 12:02}-{1 + k % 28:02}T12:00:00+00:00")
        folder = results / f"b/m{k}/p"
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(own, encoding="utf-8")
        mark = stamp.stamp(own.encode())
        (folder / "report.html").write_text(page.replace('"MARK"', f'"{mark}"', 1), encoding="utf-8")


def test_ten_times_the_evaluations_take_ten_times_as_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seconds = {}
    for n in (FEW, MANY):
        fill(tmp_path / f"results-{n}", n)
        started = time.perf_counter()
        done = publish(tmp_path / f"results-{n}", tmp_path / f"site-{n}")
        seconds[n] = time.perf_counter() - started
        assert done.evaluations == n
        assert done.drawn == 0
    started = time.perf_counter()
    again = publish(tmp_path / f"results-{MANY}", tmp_path / f"site-{MANY}")
    repeated = time.perf_counter() - started
    assert again.written == ()
    size = sum(p.stat().st_size for p in (tmp_path / f"site-{MANY}").rglob("*") if p.is_file()) / 2**20
    with capsys.disabled():
        print(
            f"\n{FEW}: {seconds[FEW]:.1f} s; {MANY:,}: {seconds[MANY]:.1f} s ({size:.0f} MiB); again {repeated:.1f} s"
        )
    assert seconds[MANY] <= 13 * seconds[FEW]
    assert repeated <= seconds[MANY], "unchanged pages are kept: nothing is filled in or drawn again"
