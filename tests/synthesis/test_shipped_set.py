"""The shipped set: its size, its groups, its tones, and that its pictures can be made again."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import pytest
from PIL import Image

from audit import benchmarks
from audit.domain import Benchmark
from audit.synthesis import picture, write

ROOT = Path(__file__).resolve().parents[2] / "benchmarks" / "synthetic"


@pytest.fixture(scope="module")
def shipped() -> Benchmark:
    return benchmarks.load("synthetic")


def test_it_is_found_without_data_entries_and_whole(shipped: Benchmark) -> None:
    assert shipped.root.resolve() == ROOT
    assert shipped.notes == ()
    for sample in (*shipped.samples, *(row.sample for row in shipped.series)):
        assert hashlib.sha256(sample.path.read_bytes()).hexdigest() == sample.sha256


def test_it_is_at_most_12_megabytes_and_large_enough_for_a_verdict(shipped: Benchmark) -> None:
    pictures = list(ROOT.rglob("*.webp"))
    assert sum(path.stat().st_size for path in pictures) <= 12e6
    assert len(shipped.subjects) >= 300
    assert set(Counter(sample.subject_id for sample in shipped.samples).values()) == {4}
    groups = Counter((s.attributes["morph"], s.attributes["tone_band"]) for s in shipped.subjects)
    assert len(groups) == 6
    assert min(groups.values()) >= 50
    assert len({row.sample.subject_id for row in shipped.series}) == 60
    levels = Counter((row.factor, row.level) for row in shipped.series)
    assert Counter(factor for factor, _ in levels) == {"tone": 6, "light": 4, "hair": 4, "morph": 3}
    assert set(levels.values()) == {60}
    for path in pictures[:: len(pictures) // 40]:
        with Image.open(path) as image:
            assert (image.size, image.format) == ((224, 224), "WEBP")


def test_twelve_pictures_made_again_differ_by_at_most_two_grey_levels() -> None:
    """From the recorded parameters: eight views and four pictures of series."""
    lines = write.read(ROOT)
    rng = np.random.default_rng(8)
    names = sorted(lines)
    with_series = [name for name in names if lines[name].series is not None]
    chosen = [(str(name), f"{name}-{view}") for name, view in zip(
        rng.choice(names, 8, replace=False), ["studio", "indoors", "turned", "outdoors"] * 2, strict=True
    )]  # fmt: skip
    for name, factor in zip(rng.choice(with_series, 4, replace=False), ("tone", "light", "hair", "morph"), strict=True):
        made = next(s for s in write.shots(lines[str(name)].cast) if s.change and s.change[0] == factor)
        chosen.append((str(name), made.sample_id))
    for name, sample in chosen:
        path = next(ROOT / path for path in lines[name].files if Path(path).stem == sample)
        again = picture.decode(picture.encode(write.again(lines[name], sample), write.QUALITY))
        with Image.open(path) as image:
            stored = np.asarray(image.convert("RGB")).astype(int)
        assert np.abs(again.astype(int) - stored).max() <= 2, sample


def srgb_to_lab(pixels: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1 and CIE 15, written out here a second time."""
    v = pixels / 255.0
    light = np.where(v > 0.04045, ((v + 0.055) / 1.055) ** 2.4, v / 12.92)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = light @ matrix.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def test_the_tone_measured_in_studio_light_is_the_chosen_one(shipped: Benchmark) -> None:
    """Median of two patches of the cheeks below the eyes, found by dlib's landmarks: what a reader could do."""
    find = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())
    chosen = {s.subject_id: float(s.attributes["ita"][0]) for s in shipped.subjects}
    pairs = []
    for sample in shipped.samples:
        if sample.conditions["view"] != "studio":
            continue
        image = np.asarray(Image.open(sample.path).convert("RGB"))
        box = max(find(image, 1), key=lambda one: one.area())
        shape = landmarks(image, box)
        points = np.array([(shape.part(k).x, shape.part(k).y) for k in range(5)], float)
        eyes, nose = ((points[0] + points[1]) / 2, (points[2] + points[3]) / 2), points[4]
        patches = []
        for eye in eyes:
            x, y = (eye + 0.75 * (nose - (eyes[0] + eyes[1]) / 2)).astype(int)
            patches.append(image[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3))
        lab = np.median(srgb_to_lab(np.concatenate(patches)), axis=0)
        pairs.append((chosen[sample.subject_id], np.degrees(np.arctan2(lab[0] - 50, lab[2]))))
    wanted, measured = np.array(pairs).T
    error = measured - wanted
    print(
        f"ITA in studio light: correlation {np.corrcoef(wanted, measured)[0, 1]:.4f}, mean error {error.mean():+.2f}, "
        f"mean absolute {np.abs(error).mean():.2f}, within 5 degrees {np.mean(np.abs(error) <= 5):.3f}, "
        f"largest {np.abs(error).max():.1f}"
    )
    assert np.corrcoef(wanted, measured)[0, 1] >= 0.95
    assert abs(error.mean()) <= 2
    assert np.mean(np.abs(error) <= 5) >= 0.95
