"""What comparisons cost beside the matrix products that they are made of, beside peers, and as they grow.

FACEAUDIT_LONG=1 measures at the sizes that the figures are promised for (minutes); otherwise smaller ones, whose fixed
costs weigh more and whose limits are wider.
"""

from __future__ import annotations

import os

import comparison_ratios as measured
import pytest

pytestmark = pytest.mark.performance
LONG = os.environ.get("FACEAUDIT_LONG") == "1"


def said(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}")


@pytest.mark.parametrize(("dimension", "most", "most_short"), [(512, 1.20, 2.2), (128, 1.6, 3.7)])
def test_everything_beside_the_products_alone(
    capsys: pytest.CaptureFixture[str], dimension: int, most: float, most_short: float
) -> None:
    found = measured.against_products(20_000 if LONG else 8_000, dimension, repeats=5 if LONG else 3)
    said(
        capsys,
        f"{found['templates']:,} templates of {dimension}: {found['ratio']:.2f} x the products at {found['side']}",
    )
    assert found["ratio"] <= (most if LONG else most_short)


def test_memory_stays_small(capsys: pytest.CaptureFixture[str]) -> None:
    found = measured.memory("ours", 20_000, 128 if not LONG else 512)
    said(capsys, f"20,000 templates: {found['megabytes']:.0f} MB beyond the templates")
    assert found["megabytes"] <= 300


def test_a_peer_that_holds_every_score(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn", reason="pip install scikit-learn")
    templates = 8_000 if LONG else 4_000
    one, two = measured.memory("ours", templates, 128), measured.memory("roc", templates, 128)
    three = measured.memory("pandas", templates, 128)
    faster, smaller = two["seconds"] / one["seconds"], two["megabytes"] / one["megabytes"]
    said(
        capsys,
        f"{templates:,} templates: roc_curve {faster:.0f} x the time and {smaller:.0f} x the memory; a pandas group-by "
        f"{three['seconds'] / one['seconds']:.0f} x and {three['megabytes'] / one['megabytes']:.0f} x",
    )
    assert faster >= (30 if LONG else 15)
    assert smaller >= (10 if LONG else 4)


def test_a_comparison_costs_the_same_among_many(capsys: pytest.CaptureFixture[str]) -> None:
    few, many = (10_000, 80_000) if LONG else (6_000, 16_000)
    found = measured.growth(few, many, 512 if LONG else 64, repeats=5 if LONG else 3)
    said(capsys, f"time of a comparison among {many:,} over that among {few:,}: {found['ratio']:.2f}")
    assert found["ratio"] <= 1.15


def test_groups_cost_little(capsys: pytest.CaptureFixture[str]) -> None:
    found = measured.many_groups(20_000 if LONG else 8_000, 512, repeats=5 if LONG else 3)
    said(capsys, f"64 groups over one: {found['ratio']:.2f}")
    assert found["ratio"] <= (1.15 if LONG else 2.0)


if LONG:

    def test_five_thousand_million_comparisons(capsys: pytest.CaptureFixture[str]) -> None:
        few, many = (measured.many_comparisons(100_000, 128, tones) for tones in (8, 64))
        said(
            capsys,
            f"100,000 templates of 128: {few['ratio']:.2f} x the products, {few['megabytes']:.0f} MB; "
            f"64 groups {many['ratio']:.2f} x, {many['megabytes']:.0f} MB",
        )
        assert few["ratio"] <= 1.6
        assert max(few["megabytes"], many["megabytes"]) <= 1536

    @pytest.mark.filterwarnings("ignore")
    def test_two_ray_workers_over_one(capsys: pytest.CaptureFixture[str]) -> None:
        pytest.importorskip("ray", reason="pip install 'faceaudit[ray]'")
        found = measured.ray_workers(50_000, 512)
        said(capsys, f"50,000 templates of 512: two workers {found['ratio']:.2f} x one")
        assert found["ratio"] >= 1.6
