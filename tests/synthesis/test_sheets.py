"""Contact sheets of every default group and of the series: pictures that CI keeps, to be looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit import benchmarks
from audit.domain import Benchmark
from audit.synthesis import design

FOLDER = Path(__file__).resolve().parents[2] / "artifacts" / "sheets"
SIDE = 112


@pytest.fixture(scope="module")
def shipped() -> Benchmark:
    return benchmarks.load("synthetic")


def sheet(name: str, rows: list[list[Path]]) -> np.ndarray:
    """Pictures in rows; kept as a file, and returned as an array of rows x columns x SIDE x SIDE x 3."""
    tiles = np.full((len(rows), max(map(len, rows)), SIDE, SIDE, 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, path in enumerate(row):
            with Image.open(path) as image:
                tiles[i, j] = np.asarray(image.convert("RGB").resize((SIDE, SIDE)))
    FOLDER.mkdir(parents=True, exist_ok=True)
    whole = tiles.transpose(0, 2, 1, 3, 4).reshape(len(rows) * SIDE, -1, 3)
    Image.fromarray(whole).save(FOLDER / f"{name}.png")
    return tiles


@pytest.mark.parametrize("band", ["darker", "lighter"])
@pytest.mark.parametrize("morph", ["A", "B", "C"])
def test_a_sheet_of_every_group_shows_54_people_four_times(shipped: Benchmark, morph: str, band: str) -> None:
    wanted = {
        s.subject_id for s in shipped.subjects
        if (s.attributes["morph"], s.attributes["tone_band"]) == ((morph,), (band,))
    }  # fmt: skip
    people: dict[str, list[Path]] = {}
    for sample in shipped.samples:
        if sample.subject_id in wanted:
            people.setdefault(sample.subject_id, []).append(sample.path)
    rows = list(people.values())
    tiles = sheet(f"morph-{morph}-{band}", [a + b for a, b in zip(rows[::2], rows[1::2], strict=True)])
    assert tiles.shape[:2] == (27, 8)
    spread = tiles.reshape(27, 8, -1).astype(float).std(axis=2)
    assert spread.min() > 15  # grey levels: no picture is empty


def test_a_sheet_of_every_factor_shows_one_change_a_row(shipped: Benchmark) -> None:
    for factor, levels in {"tone": 6, "light": 4, "hair": 4, "morph": 3}.items():
        rows: dict[str, dict[int, Path]] = {}
        for row in shipped.series:
            if row.factor == factor:
                rows.setdefault(row.sample.subject_id, {})[row.position] = row.sample.path
        assert all(len(row) == levels for row in rows.values())
        tiles = sheet(f"series-{factor}", [[row[k] for k in sorted(row)] for row in list(rows.values())[::4]])
        means = tiles.mean(axis=(2, 3, 4))
        if factor in {"tone", "light"}:
            steps = np.diff(means.mean(axis=0))
            assert (steps > 0).all() or (steps < 0).all(), means.mean(axis=0)
    assert set(design.HAIR_STEPS) == {row.level for row in shipped.series if row.factor == "hair"}
