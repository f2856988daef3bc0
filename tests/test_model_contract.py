"""Every model of the table that can be had here goes through the same contract."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from own_ways import WAYS
from PIL import Image
from stand_in_weights import deepface, facenet, onnx_file

from audit import models
from audit.decode import decode
from audit.domain import FaceModel, FailureToAcquire, Template
from audit.models.card import ModelCard
from audit.plan import make

LONG = {"vgg-face"}
"""A second for each picture: with FACEAUDIT_LONG=1 alone; its templates equal deepface's own in a test of their own."""
READY = ("dlib", "mobilefacenet", "faceplugin_feature")
"""Models of the table whose weights are here."""
STAND_INS: dict[str, Callable[[Path, str], Path]] = {"facenet": facenet, "onnx": onnx_file, "deepface": deepface}
"""Adapter to what writes weights of its format with fixed random numbers, and a user's own card of them."""


def _no_network(*_: object, **__: object) -> None:
    raise AssertionError("a model reached for the network")


def adapter_of(name: str) -> str:
    return models.described(name).adapter


@pytest.fixture(scope="module")
def images(shared: Path) -> list[np.ndarray]:
    """Seven: six of one person in unequal sizes, and one without a face in the middle."""
    folder = shared / "benchmarks" / "cc0_fixture"
    names = ["lisa_lisa1", "lisa_lisa2", "lisa_lisa3", "zoom_30cm", "zoom_60cm"]
    found = [decode((folder / f"{name}.jpg").read_bytes()) for name in names]
    out = [image for image in found if isinstance(image, np.ndarray)]
    assert len(out) == 5
    small = np.asarray(Image.fromarray(out[0]).reduce(2))
    return [*out[:3], np.full((300, 200, 3), 128, np.uint8), *out[3:], small]


MADE = {"os.mkdir", "os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile"}


class Writes:
    """Files that Python opens for writing, makes or moves while it is watched."""

    def __init__(self) -> None:
        self.watched = False
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.watched:
            return
        flags = arguments[2] if event == "open" else 0
        opened = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if opened or event in MADE:
            self.seen.append(str(arguments[0]))

    def files(self, own: Path) -> list[str]:
        """What was written to outside the folder of this run: no device, no open file, no compiled module of Python.

        Nor is the folder of a sandbox, which is gone when it is.
        """
        left_out = ("/dev/", "/proc/", str(own))
        kept = (path for path in self.seen if not path.startswith(left_out) and not path.isdecimal())
        return [path for path in kept if "__pycache__" not in path and "/faceaudit-sandbox-" not in path]


@pytest.fixture(scope="module")
def writes() -> Writes:
    return Writes()


@pytest.fixture(scope="module", params=[*models.MODELS, *WAYS])
def loaded(
    request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory, writes: Writes
) -> Iterator[tuple[ModelCard, FaceModel]]:
    name = str(request.param)
    if name in WAYS:  # what they reach, and what not, is tested beside the sandbox and the client
        with WAYS[name](tmp_path_factory.mktemp(name)) as made:
            yield made
        return
    if name in LONG and os.environ.get("FACEAUDIT_LONG", "") != "1":
        pytest.skip("long: set FACEAUDIT_LONG=1")
    spec = name
    if name not in READY:
        own = STAND_INS[adapter_of(name)](tmp_path_factory.mktemp(name), name)
        spec = f"card:{own}"
    with pytest.MonkeyPatch.context() as patch:
        for way in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, way, _no_network)
        patch.setattr(socket, "getaddrinfo", _no_network)
        card = models.describe(spec, data=[shared / "models"], plan=make({"benchmark": "b", "model": spec}))
        assert (card.name, card.self_declared) == ((name, False) if name in READY else (f"own-{name}", True))
        writes.seen, writes.watched = [], True
        try:
            yield card, models.load(card, workers=2)
        finally:
            writes.watched = False
        assert writes.files(tmp_path_factory.getbasetemp().parent) == []


def test_a_file_that_is_written_elsewhere_is_seen(writes: Writes, tmp_path: Path) -> None:
    before = writes.seen, writes.watched
    writes.seen, writes.watched = [], True
    (tmp_path / "inside").write_text("")
    with tempfile.TemporaryDirectory(prefix="faceaudit-test-") as folder:
        Path(folder, "outside").write_text("")
        (tmp_path / "inside").rename(Path(folder, "moved"))
    seen = writes.files(tmp_path)
    writes.seen, writes.watched = before
    assert seen == [folder, str(Path(folder, "outside"))]


def vectors(outcomes: list[Template | FailureToAcquire]) -> list[bytes]:
    return [outcome.vector.tobytes() for outcome in outcomes if isinstance(outcome, Template)]


def test_it_is_what_its_card_says(loaded: tuple[ModelCard, FaceModel], images: list[np.ndarray]) -> None:
    card, model = loaded
    assert isinstance(model, FaceModel)
    assert (model.name, model.revision, model.card) == (card.name, card.revision, card)
    (outcome,) = model.extract(images[:1])
    assert isinstance(outcome, Template)
    assert (outcome.vector.dtype, outcome.vector.shape, outcome.faces) == (np.float32, (card.dimension,), 1)
    assert np.isfinite(outcome.vector).all()
    assert outcome.vector.any()


def test_batches_of_none_one_and_seven(loaded: tuple[ModelCard, FaceModel], images: list[np.ndarray]) -> None:
    _, model = loaded
    assert model.extract([]) == []
    together = model.extract(images)
    assert together[3] == FailureToAcquire("detect", "no face")
    assert sum(isinstance(outcome, Template) for outcome in together) == 6
    one_by_one = [model.extract([image])[0] for image in images]
    assert vectors(one_by_one) == vectors(together)


def test_the_same_face_twice_is_the_same_template(
    loaded: tuple[ModelCard, FaceModel], images: list[np.ndarray]
) -> None:
    _, model = loaded
    first, second = vectors(model.extract([images[1], images[1].copy()]))
    (later,) = vectors(model.extract([images[1]]))
    assert first == second == later


def test_extraction_leaves_image_and_settings_alone(
    loaded: tuple[ModelCard, FaceModel], images: list[np.ndarray]
) -> None:
    _, model = loaded
    before, threads = images[0].copy(), torch.get_num_threads()
    model.extract(images[:1])
    assert np.array_equal(images[0], before)
    assert torch.get_num_threads() == threads
