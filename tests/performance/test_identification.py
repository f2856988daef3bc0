"""What one against many costs beside the matrix products that it is made of, and the memory that it takes.

FACEAUDIT_LONG=1 measures at the size that the figures are promised for; otherwise a smaller one, whose fixed costs
weigh more and whose limit is wider.
"""

from __future__ import annotations

import os

import list_ratios as measured
import pytest

pytestmark = pytest.mark.performance
LONG = os.environ.get("FACEAUDIT_LONG") == "1"
SIZE = (20_000, 10_000, 512) if LONG else (6_000, 3_000, 512)


def test_everything_beside_the_products_alone(capsys: pytest.CaptureFixture[str]) -> None:
    found = measured.against_products(*SIZE, repeats=5 if LONG else 3)
    with capsys.disabled():
        print(f"\n{SIZE[0]:,} probes, {SIZE[1]:,} references: {found['ratio']:.2f} x the products ({found['side']})")
    assert found["ratio"] <= (1.3 if LONG else 3.5)


def test_memory_stays_small(capsys: pytest.CaptureFixture[str]) -> None:
    megabytes = measured.memory(*SIZE)
    with capsys.disabled():
        print(f"\n{SIZE[0]:,} probes, {SIZE[1]:,} references: {megabytes:.0f} MB beyond the templates")
    assert megabytes <= 500
