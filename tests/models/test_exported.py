"""Networks exported by torch as models: their cards, their templates, and what is refused before an image is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile_archives import Small, exported, pickled, script, scripted

from audit import models
from audit.decode import decode
from audit.domain import FailureToAcquire, Template
from audit.errors import ModelError
from audit.models import exported as adapter
from audit.models.card import ModelCard
from audit.models.detect import finder
from audit.models.guard import outcomes
from audit.models.pipeline import Pipeline, cutter, feed
from audit.plan import make
from audit.sandbox import seal

pytestmark = pytest.mark.skipif(seal.missing() is not None, reason=f"no sandbox here: {seal.missing()}")

CARD = """licence = "Apache-2.0"
training_data = "nothing: fixed random numbers"
training_consent = "nobody is in it"
similarity = "cosine"
dimension = 16

[input]
size = 112
mean = [127.5, 127.5, 127.5]
deviation = [128, 128, 128]
"""


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., str]:
    """Write an archive and its card; how it is named."""

    def made(content: bytes, name: str = "small.pt2", card: str = CARD) -> str:
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).with_suffix(".toml").write_text(card)
        return f"exported:{tmp_path / name}"

    return made


def described(spec: str) -> ModelCard:
    return models.describe(spec, plan=make({"benchmark": "b", "model": spec}))


@pytest.fixture(scope="module")
def faces(shared: Path) -> list[np.ndarray]:
    folder = shared / "benchmarks" / "cc0_fixture"
    found = [decode((folder / f"{name}.jpg").read_bytes()) for name in ("lisa_lisa1", "zoom_60cm")]
    return [image for image in found if isinstance(image, np.ndarray)]


@pytest.mark.parametrize("kind", ["small.pt", "small.pt2"])
def test_templates_are_those_of_the_network(kind: str, place: Callable[..., str], faces: list[np.ndarray]) -> None:
    network = Small().eval()
    card = described(place(exported(network, 112) if kind.endswith("2") else scripted(network), kind))
    assert (card.name, card.self_declared) == ("small", True)
    assert "ran in a sandbox" in card.preprocessing_text

    def embed(crops: list[np.ndarray]) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(feed(crops, card.input))).numpy()

    here = Pipeline(card, finder(card, "cpu"), cutter(card), embed, workers=1)
    there = models.load(card, workers=1)
    for one, other in zip(here.extract(faces), there.extract(faces), strict=True):
        assert isinstance(one, Template)
        assert isinstance(other, Template)
        np.testing.assert_allclose(one.vector, other.vector, rtol=0, atol=1e-6)


def test_a_network_that_fails_on_an_image_is_a_counted_failure(
    place: Callable[..., str], faces: list[np.ndarray], tmp_path: Path
) -> None:
    """The face of the black picture that is tried at the start passes, any other raises."""
    body = """
        if bool((x > 0).any()):
            raise ValueError("not this one")
        return torch.ones([1, 16])
    """
    card = described(place(script(body, tmp_path), "small.pt"))
    model = models.load(card, workers=1)
    expected = FailureToAcquire("template", "the model failed in its sandbox")
    assert model.extract(faces) == [expected, expected]


def test_a_model_that_says_that_it_cannot_go_on_ends_the_run() -> None:
    class Gone:
        def extract(self, _: object) -> list[Template | FailureToAcquire]:
            raise ModelError("model.pt2", "stopped 5 times in its sandbox")

    with pytest.raises(ModelError, match="stopped 5 times"):
        outcomes(Gone(), [], 4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>please log in</html>", "is no archive of torch, but a web page"),
        (b"\x80\x04\x95", "is no archive of torch, but pickled objects, which run code when they are read"),
        (b"", "is no archive of torch, but empty"),
    ],
)
def test_what_is_no_archive_is_refused_before_any_image(place: Callable[..., str], content: bytes, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        described(place(content))


def test_another_file_than_the_card_says_is_refused(place: Callable[..., str], tmp_path: Path) -> None:
    content = exported(Small())
    wrong = hashlib.sha256(b"another").hexdigest()
    with pytest.raises(ModelError, match=r"SHA-256 is .*, but .* says"):
        described(place(content, card=f'sha256 = "{wrong}"\n{CARD}'))
    card = described(place(content))
    (tmp_path / "small.pt2").write_bytes(pickled("raise SystemExit"))
    with pytest.raises(ModelError, match="has changed since its digest was checked"):
        models.load(card)


def test_a_card_that_does_not_fit_says_what_to_mend(place: Callable[..., str], tmp_path: Path) -> None:
    content = exported(Small(), 32)
    with pytest.raises(
        ModelError, match=r"does not take 112 x 112 NCHW input as its card says .* Mend the card's \[in"
    ):
        models.load(described(place(content)))
    with pytest.raises(ModelError, match=r"gives 16 numbers, its card says 17\. Mend the card's dimension"):
        models.load(described(place(scripted(Small()), "small.pt", CARD.replace("= 16", "= 17"))))


def test_it_runs_on_no_device_and_on_no_machine_without_a_sandbox(
    place: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = place(exported(Small()))
    with pytest.raises(ModelError, match="computes on the CPU alone"):
        adapter.load(described(spec), device="cuda")
    monkeypatch.setattr(seal, "missing", lambda: "this kernel has no Landlock")
    with pytest.raises(ModelError, match=r"runs only in a sandbox: this kernel has no Landlock\. Run on Linux .* ONNX"):
        described(spec)
