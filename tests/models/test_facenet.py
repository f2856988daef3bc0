"""facenet-pytorch's network: only with a checked file of tensors, and then with the library's own numbers."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import stand_in_weights
import torch
from facenet_pytorch import InceptionResnetV1, extract_face, fixed_image_standardization
from london_run import faceaudit
from PIL import Image
from stand_in_weights import inception

from audit import models
from audit.domain import Picture, Template
from audit.errors import ModelError
from audit.models import align
from audit.models.detect import Face
from audit.plan import make
from audit.record import read

PLAN = make({"benchmark": "b", "model": "facenet-vggface2"})


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("evidence-that-code-ran",)


@pytest.fixture(scope="module")
def network() -> InceptionResnetV1:
    return inception()


def place(folder: Path, content: bytes, *, suffix: str = ".pt", sha256: str | None = None) -> str:
    """A file of weights and a user's own card of it."""
    (folder / f"own{suffix}").write_bytes(content)
    card = stand_in_weights.card(folder, "own", f"own{suffix}", "facenet-vggface2")
    if sha256:
        card.write_text(card.read_text().replace(hashlib.sha256(content).hexdigest(), sha256))
    return f"card:{card}"


def saved(network: InceptionResnetV1, path: Path) -> bytes:
    logits = {"logits.weight": torch.zeros(3, 512), "logits.bias": torch.zeros(3)}
    torch.save({**network.state_dict(), **logits}, path)
    return path.read_bytes()


def as_safetensors(network: InceptionResnetV1) -> bytes:
    header, body, end = {"__metadata__": {"format": "pt"}}, [], 0
    for key, value in network.state_dict().items():
        raw = value.numpy().tobytes()
        kind = {"float32": "F32", "int64": "I64"}[str(value.numpy().dtype)]
        header[key] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [end, end + len(raw)]}
        body.append(raw)
        end += len(raw)
    text = json.dumps(header).encode()
    return b"".join((len(text).to_bytes(8, "little"), text, *body))


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_templates_are_the_librarys_own(tmp_path: Path, shared: Path, network: InceptionResnetV1, suffix: str) -> None:
    content = saved(network, tmp_path / "any.pt") if suffix == ".pt" else as_safetensors(network)
    card = models.describe(place(tmp_path, content, suffix=suffix), plan=PLAN)
    assert (card.name, card.self_declared, card.digest_source) == ("own", True, "stated in own.toml")
    model = models.load(card)
    picture = Image.open(shared / "benchmarks/cc0_fixture/lisa_lisa2.jpg").convert("RGB")
    image = np.asarray(picture)
    outcome = model.extract([image])[0]
    assert isinstance(outcome, Template)
    face = model._detector.find(Picture(image))
    crop = fixed_image_standardization(extract_face(picture, face.box, 160, 0) * 1.0)
    with torch.no_grad():
        wanted = network(crop.unsqueeze(0)).numpy()[0]
    assert np.abs(outcome.vector - wanted).max() < 1e-5


def test_bfloat16_is_declared_and_gives_nearly_the_same_templates(
    tmp_path: Path, shared: Path, network: InceptionResnetV1
) -> None:
    own = place(tmp_path, saved(network, tmp_path / "any.pt"))
    image = np.asarray(Image.open(shared / "benchmarks/cc0_fixture/lisa_lisa2.jpg").convert("RGB"))
    cards = [
        models.describe(own, plan=PLAN.model_copy(update={"arithmetic": precision}))
        for precision in ("float32", "bfloat16")
    ]
    one, other = (models.load(card).extract([image])[0].vector for card in cards)
    assert cards[0].preprocessing != cards[1].preprocessing
    assert "in bfloat16" in cards[1].preprocessing_text
    assert other.dtype == np.float32
    assert 0 < np.abs(one - other).max() < 0.01
    assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.999


def test_other_models_refuse_bfloat16() -> None:
    with pytest.raises(ModelError, match="dlib computes in float32 alone"):
        models.describe("dlib", plan=make({"benchmark": "b", "model": "dlib", "arithmetic": "bfloat16"}))


@pytest.mark.parametrize("name", ["facenet-vggface2", "facenet-casia-webface"])
def test_the_published_names_do_not_run_as_nobody_published_a_digest(tmp_path: Path, name: str) -> None:
    place(tmp_path, b"anything")
    for stem in ("20180402-114759-vggface2", "20180408-102900-casia-webface"):
        (tmp_path / f"{stem}.pt").write_bytes(b"anything")
    with pytest.raises(ModelError, match=r"no digest of its weights .* is published.*card:FILE\.toml"):
        models.describe(name, data=[tmp_path], plan=PLAN)


def test_a_wrong_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="SHA-256 is"):
        models.describe(place(tmp_path, b"anything", sha256="0" * 64), plan=PLAN)


def refused(folder: Path, content: bytes, suffix: str = ".pt") -> str:
    card = models.describe(place(folder, content, suffix=suffix), plan=PLAN)
    with pytest.raises(ModelError) as error:
        models.load(card)
    return str(error.value)


def test_a_truncated_file_is_refused(tmp_path: Path, network: InceptionResnetV1) -> None:
    assert "damaged" in refused(tmp_path, saved(network, tmp_path / "any.pt")[:-1000])


def test_truncated_safetensors_are_refused(tmp_path: Path, network: InceptionResnetV1) -> None:
    assert "damaged" in refused(tmp_path, as_safetensors(network)[:-1000], ".safetensors")


def test_a_file_with_code_is_refused_and_the_code_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": _Code()}, tmp_path / "any.pt")
    assert "more than tensors" in refused(tmp_path, (tmp_path / "any.pt").read_bytes())
    for protocol in (2, 4):
        assert "more than tensors" in refused(tmp_path, pickle.dumps({"weight": _Code()}, protocol=protocol))
    assert not Path("evidence-that-code-ran").exists()


@pytest.mark.parametrize(
    ("content", "suffix", "said"),
    [
        (b"<!DOCTYPE html><html>", ".pt", "it is a web page"),
        (b"", ".pt", "it is empty"),
        (b"\x02" + bytes(7) + b"[]", ".safetensors", "damaged"),
    ],
)
def test_what_is_no_file_of_tensors_is_refused(tmp_path: Path, content: bytes, suffix: str, said: str) -> None:
    assert said in refused(tmp_path, content, suffix)


def test_tensors_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "any.pt")
    assert "InceptionResnetV1" in refused(tmp_path, (tmp_path / "any.pt").read_bytes())


def test_a_file_that_changed_after_its_card_was_made_is_refused(tmp_path: Path) -> None:
    card = models.describe(place(tmp_path, b"anything"), plan=PLAN)
    card.weights.write_bytes(b"something else")
    with pytest.raises(ModelError, match="has changed"):
        models.load(card)


def test_a_box_outside_the_image_gives_no_crop() -> None:
    face = Face(np.array([-50.0, -50, -10, -10]), np.zeros((5, 2)), 1.0, 1)
    with pytest.raises(ValueError, match="outside"):
        align.box_crop(np.zeros((20, 20, 3), np.uint8), face.box, 160)


@pytest.mark.london
def test_the_whole_audit_of_a_users_own_card(tmp_path: Path, london_env: dict[str, str], london: Path) -> None:
    """What these weights score says nothing; that the audit says whose word they are is the point."""
    own = stand_in_weights.facenet(tmp_path)
    arguments = ("--benchmark", "london", "--model", f"card:{own.name}", "--by", "gender", "--limit", "6")
    run = faceaudit("run", *arguments, "--fmr", "0.1", "--json", env=london_env, cwd=tmp_path)
    assert run.code == 0, run.stderr
    (one,) = run.evaluations
    record = read(tmp_path / one["record"])
    assert record.model.name == one["model"] == "own-facenet-vggface2"
    assert (record.model.self_declared, record.model.digest_source) == (True, f"stated in {own.name}")
    assert record.plan["model"] == "card:own-facenet-vggface2"
    assert record.samples.total == 12
    assert "Self-declared weights" in (tmp_path / one["report"]).read_text(encoding="utf-8")
