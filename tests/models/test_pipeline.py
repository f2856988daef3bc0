"""Detect, align, embed: out of which image a face is cut, and that a template is its crop's alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from audit import models
from audit.domain import FailureToAcquire, Picture, Template
from audit.models.card import ModelCard
from audit.models.detect import Face
from audit.models.pipeline import Pipeline, one_thread_an_image
from audit.plan import make

SIDE = 150


class Finder:
    """Finds one face, `side` pixels wide in the whole picture."""

    def __init__(self, side: float) -> None:
        self.side = side

    def find(self, picture: Picture) -> Face:  # noqa: ARG002 - a stand-in for the detector
        box = np.array([8.0, 16.0, 8 + self.side, 16 + self.side])
        return Face(box, np.tile(box[:2], (5, 1)), 0.9, 1)


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return models.describe("dlib", plan=make({"benchmark": "b", "model": "dlib"}))


def cut(image: np.ndarray, face: Face) -> np.ndarray:
    """A crop that tells which image and which box it was cut with."""
    return np.full((SIDE, SIDE, 3), image.shape[0] // 10 + int(face.box[0]), np.uint8)


def means(crops: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([np.full(128, 1 + crop.mean()) for crop in crops])


@pytest.mark.parametrize(("side", "from_whole"), [(299, True), (300, False)])
def test_a_small_face_is_cut_out_of_the_whole_picture(card: ModelCard, side: int, from_whole: bool) -> None:
    picture = Picture(np.zeros((500, 400, 3), np.uint8), 2, lambda: np.zeros((1000, 800, 3), np.uint8))
    found = Pipeline(card, Finder(side), cut, means).crop(picture)
    assert not isinstance(found, FailureToAcquire)
    assert found[0].max() == (100 + 8 if from_whole else 50 + 4)
    assert found[1].box[0] == 8


def test_a_whole_that_cannot_be_decoded_is_the_failure(card: ModelCard) -> None:
    failure = FailureToAcquire("decode", "damaged image")
    picture = Picture(np.zeros((500, 400, 3), np.uint8), 2, lambda: failure)
    assert Pipeline(card, Finder(100), cut, means).extract_pictures([picture]) == [failure]


def test_crops_go_together_and_come_back_in_order(card: ModelCard) -> None:
    asked: list[int] = []

    def embed(crops: Sequence[np.ndarray]) -> np.ndarray:
        asked.append(len(crops))
        return means(crops)

    pipeline = Pipeline(card, Finder(300), cut, embed, workers=2, together=4)
    assert pipeline.together == 4
    asked.clear()
    images = [np.zeros((100 * (k + 1), 700, 3), np.uint8) for k in range(6)]
    found = pipeline.extract(images)
    assert asked == [4, 4]
    assert [outcome.vector[0] for outcome in found if isinstance(outcome, Template)] == [19, 29, 39, 49, 59, 69]
    assert pipeline.extract(images[2:3])[0].vector.tobytes() == found[2].vector.tobytes()
    assert set(pipeline.seconds) == {"detect", "align", "template"}


def test_where_neighbours_change_a_bit_crops_go_one_by_one(card: ModelCard) -> None:
    def leaky(crops: Sequence[np.ndarray]) -> np.ndarray:
        return means(crops) + 1e-4 * np.mean(crops)

    def placed(crops: Sequence[np.ndarray]) -> np.ndarray:
        return means(crops) + 1e-4 * np.arange(len(crops))[:, np.newaxis]

    assert Pipeline(card, Finder(300), cut, leaky, together=8).together == 1
    assert Pipeline(card, Finder(300), cut, placed, together=8).together == 1


def test_the_device_is_part_of_what_decides_a_template(card: ModelCard) -> None:
    assert card.model_copy(update={"device": "cuda"}).preprocessing != card.preprocessing
    assert card.model_copy(update={"device": "cpu"}).preprocessing == card.preprocessing


@pytest.mark.parametrize(("name", "value"), [("alignment", "box"), ("alignment", "arcface"), ("margin", 0.2)])
def test_alignment_and_margin_of_the_plan_are_part_of_the_preprocessing(card: ModelCard, name: str, value: str) -> None:
    other = models.describe("dlib", plan=make({"benchmark": "b", "model": "dlib", name: value}))
    assert other.preprocessing != card.preprocessing
    assert other.preprocessing_text != card.preprocessing_text


def test_an_alignment_of_the_plan_cuts_by_it(shared: Path) -> None:
    """Dlib's own chip, five landmarks, and the box: three crops of one face, and three templates of one person."""
    image = np.asarray(Image.open(shared / "benchmarks/cc0_fixture/lisa_lisa1.jpg").convert("RGB"))
    crops, vectors = [], []
    for alignment in ("model", "arcface", "box"):
        plan = make({"benchmark": "b", "model": "dlib", "alignment": alignment})
        model = models.load(models.describe("dlib", plan=plan), workers=1)
        found = model.crop(Picture(image))
        assert not isinstance(found, FailureToAcquire)
        crops.append(found[0].astype(int))
        vectors.append(model.extract([image])[0].vector)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(crops[one] - crops[other]).mean() > 5
        assert 0 < np.linalg.norm(vectors[one] - vectors[other]) < 0.6  # dlib's own threshold for one person


def test_torch_has_one_thread_until_the_last_has_left() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        first, second = one_thread_an_image(), one_thread_an_image()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert torch.get_num_threads() == 1
        second.__exit__(None, None, None)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
