"""Pictures made worse: nothing at severity 0, more at each step, the same again from the same seed."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from audit.degradations import AS_TAKEN, DEGRADATIONS, GREY, NAMES, SEVERITIES, Condition, conditions, degrade

DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A smooth picture with edges, of an odd shape."""
    y, x = np.mgrid[:93, :121]
    waves = 120 + 80 * np.sin(x / 9) * np.cos(y / 7) + 40 * ((x // 17 + y // 13) % 2)
    return np.clip(np.stack([waves, waves * 0.8, 255 - waves], axis=2), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_severity_0_is_the_picture_itself(picture: np.ndarray, name: str) -> None:
    assert degrade(picture, Condition(name, 0), 1, DIGEST) is picture  # type: ignore[arg-type]
    assert degrade(picture, AS_TAKEN, 1, DIGEST) is picture


@pytest.mark.parametrize("name", NAMES)
def test_every_step_takes_a_picture_further_from_what_it_was(picture: np.ndarray, name: str) -> None:
    before = picture.copy()
    made = [degrade(picture, Condition(name, s), 1, DIGEST) for s in SEVERITIES]  # type: ignore[arg-type]
    away = [float(np.square(m.astype(float) - picture).mean()) for m in made]
    assert all(m.shape == picture.shape and m.dtype == np.uint8 for m in made)
    # the last steps of a small picture leave next to nothing of it, and one nothing may be nearer than another
    assert all(further >= 0.99 * near for near, further in itertools.pairwise(away))
    assert away[0] > 0
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_and_picture_give_the_same_and_another_picture_another_draw(
    picture: np.ndarray, name: str
) -> None:
    worse = Condition(name, 3)  # type: ignore[arg-type]
    again = [degrade(picture, worse, 1, DIGEST) for _ in range(2)]
    assert np.array_equal(*again)
    for seed, digest in ((2, DIGEST), (1, "cd" * 32)):
        drawn = not np.array_equal(again[0], degrade(picture, worse, seed, digest))
        assert drawn == DEGRADATIONS[name].drawn  # type: ignore[index]


def test_covered_places_of_a_severity_are_covered_at_the_next(picture: np.ndarray) -> None:
    covered = [
        (degrade(picture, Condition("occlusion", s), 1, DIGEST) == GREY).all(axis=2) for s in SEVERITIES
    ]  # fmt: skip
    for less, more in itertools.pairwise(covered):
        assert (more | ~less).all()
    shares = [float(one.mean()) for one in covered]
    assert shares == pytest.approx(list(DEGRADATIONS["occlusion"].values), abs=0.06)


def test_numbers_are_what_the_table_says(picture: np.ndarray) -> None:
    dark = degrade(picture, Condition("brightness", 1), 1, DIGEST)
    assert np.array_equal(dark, np.rint(picture * 0.5).astype(np.uint8))
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=8, subsampling="4:2:0")
    assert np.array_equal(degrade(picture, Condition("jpeg", 3), 1, DIGEST), np.asarray(Image.open(held)))
    grey = np.full((200, 200, 3), 128, np.uint8)
    noisy = degrade(grey, Condition("noise", 1), 1, DIGEST).astype(float)
    assert noisy.std() == pytest.approx(255 * 0.1, rel=0.02)
    few = degrade(picture, Condition("resolution", 1), 1, DIGEST)
    small = np.asarray(Image.fromarray(few).resize((15, 12), Image.Resampling.BOX)).astype(float)
    assert np.abs(small - np.asarray(Image.fromarray(picture).resize((15, 12), Image.Resampling.BOX))).mean() < 8


def test_conditions_and_the_names_under_which_outcomes_are_kept() -> None:
    assert [c.id for c in conditions(("blur", "jpeg"), (5, 1))] == ["as-taken", "blur-1", "blur-5", "jpeg-1", "jpeg-5"]
    every = conditions(NAMES, SEVERITIES)
    assert len({c.key(1) for c in every}) == 31
    changed = {c.degradation for c in every if c.key(1) != c.key(2)}
    assert changed == {name for name, how in DEGRADATIONS.items() if how.drawn}


def test_a_picture_of_one_pixel_survives() -> None:
    dot = np.full((1, 1, 3), 200, np.uint8)
    for condition in conditions(NAMES, SEVERITIES):
        assert degrade(dot, condition, 1, DIGEST).shape == (1, 1, 3)
