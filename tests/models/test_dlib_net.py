"""The network in torch against dlib's own, on real chips and on noise, and against files that are something else."""

from __future__ import annotations

from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import pytest
import torch
from PIL import Image

from audit import models
from audit.domain import Picture
from audit.errors import ModelError
from audit.models import dlib_net
from audit.plan import make

WEIGHTS = Path(face_recognition_models.face_recognition_model_location())


@pytest.fixture(scope="module")
def net() -> dlib_net.DlibNet:
    return dlib_net.read(WEIGHTS.read_bytes(), WEIGHTS)


@pytest.fixture(scope="module")
def own() -> dlib.face_recognition_model_v1:
    return dlib.face_recognition_model_v1(str(WEIGHTS))


def descriptors(net: dlib_net.DlibNet, chips: list[np.ndarray]) -> np.ndarray:
    planes = torch.from_numpy(np.stack(chips).astype(np.float32).transpose(0, 3, 1, 2))
    with torch.inference_mode():
        return net(planes).numpy()


def test_noise_and_flat_pictures_give_dlibs_numbers(net: dlib_net.DlibNet, own: dlib.face_recognition_model_v1) -> None:
    rng = np.random.default_rng(5)
    chips = [rng.integers(0, 256, (150, 150, 3), dtype=np.uint8) for _ in range(3)]
    chips += [np.full((150, 150, 3), value, dtype=np.uint8) for value in (0, 128, 255)]
    expected = np.array([own.compute_face_descriptor(chip) for chip in chips])
    assert np.abs(descriptors(net, chips) - expected).max() <= 1e-5


@pytest.mark.london
def test_real_faces_give_dlibs_numbers(
    net: dlib_net.DlibNet, own: dlib.face_recognition_model_v1, london: Path
) -> None:
    """Through the product's own chips: every tenth image of the London Set."""
    model = models.load(models.describe("dlib", plan=make({"benchmark": "london", "model": "dlib"})))
    images = [np.asarray(Image.open(path)) for path in sorted(london.rglob("*.jpg"))[::10]]
    chips = [model.crop(Picture(image))[0] for image in images]
    expected = np.array([own.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips])
    assert len(chips) == 21
    assert np.abs(descriptors(net, chips) - expected).max() <= 1e-5
    templates = np.array([outcome.vector for outcome in model.extract(images)])
    assert np.abs(templates - expected).max() <= 1e-5


@pytest.mark.parametrize(
    "content",
    [b"", b"\x05con_4", WEIGHTS.read_bytes()[:1_000_000], WEIGHTS.read_bytes().replace(b"con_4", b"con_9", 1)],
    ids=["empty", "name only", "cut", "another layer"],
)
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match="does not hold dlib's face network"):
        dlib_net.read(content, Path("weights.dat"))
