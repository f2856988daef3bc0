"""Extraction beside the documented loop, beside dlib's own network, and beside the sum of its own stages."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN, InceptionResnetV1
from PIL import Image

from audit import benchmarks, decode, models
from audit.domain import Picture, Sample
from audit.extract import extract, hash_samples
from audit.models import dlib_net
from audit.models.card import ModelCard
from audit.models.pipeline import Pipeline, one_thread_an_image
from audit.plan import make
from audit.store import TemplateStore

pytestmark = [pytest.mark.performance, pytest.mark.london]
STEM = "20180402-114759-vggface2"


@pytest.fixture(scope="module")
def samples(london: Path, shared: Path) -> tuple[Sample, ...]:
    """Every sixth picture of the London Set."""
    return benchmarks.load("london", data=[shared / "benchmarks"]).samples[::6]


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def extracted(card: ModelCard, model: Pipeline, samples: tuple[Sample, ...], cache: Path) -> tuple[np.ndarray, float]:
    found = extract(samples, card, lambda: model, TemplateStore(cache), digests=hash_samples(samples))
    assert not found.failures
    return found.templates, found.timing["extract"]


def test_facenet_beside_the_documented_loop(
    samples: tuple[Sample, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fixed weights; the loop is MTCNN on the full picture, its crop of 160 pixels, and the network."""
    torch.manual_seed(0)
    network = InceptionResnetV1(pretrained=None, classify=False).eval()
    torch.save(network.state_dict(), tmp_path / f"{STEM}.pt")
    digest = hashlib.sha256((tmp_path / f"{STEM}.pt").read_bytes()).hexdigest()
    (tmp_path / f"{STEM}.toml").write_text(f'sha256 = "{digest}"\n')
    card = models.describe(
        "facenet-vggface2", data=[tmp_path], plan=make({"benchmark": "b", "model": "facenet-vggface2"})
    )
    ours, mine = extracted(card, models.load(card), samples, tmp_path / "cache")
    detector = MTCNN(margin=0, select_largest=True)
    theirs = []

    def loop() -> None:
        for sample in samples:
            face = detector(Image.open(sample.path).convert("RGB"))
            with torch.inference_mode():
                theirs.append(network(face[None]).numpy()[0])

    whole = seconds(loop)
    other = np.array(theirs)
    cosine = (ours * other).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(other, axis=1)
    with capsys.disabled():
        print(
            f"\nfacenet: loop {whole:.1f} s, ours {mine:.1f} s ({whole / mine:.1f} x); cosine {np.median(cosine):.4f}"
        )
    assert np.median(cosine) >= 0.99
    assert whole >= 3 * mine


def test_dlibs_network_beside_dlibs_own(samples: tuple[Sample, ...], capsys: pytest.CaptureFixture[str]) -> None:
    card = models.describe("dlib", plan=make({"benchmark": "london", "model": "dlib"}))
    model = models.load(card)
    chips = [model.crop(Picture(np.asarray(Image.open(sample.path))))[0] for sample in samples[:24]]
    own = dlib.face_recognition_model_v1(face_recognition_models.face_recognition_model_location())
    theirs: list[np.ndarray] = []
    slow = seconds(lambda: theirs.extend(np.array(own.compute_face_descriptor(chip)) for chip in chips))
    network = dlib_net.read(card.weights.read_bytes(), card.weights)
    batches = [torch.from_numpy(np.stack(chips[k : k + 8]).transpose(0, 3, 1, 2).copy()).float() for k in (0, 8, 16)]
    ours: list[np.ndarray] = []
    with torch.inference_mode(), one_thread_an_image():
        network(batches[0])
        fast = seconds(lambda: ours.extend(row for batch in batches for row in network(batch).numpy()))
    apart = np.abs(np.array(ours) - np.array(theirs)).max()
    with capsys.disabled():
        print(f"\ndlib's network: {slow / fast:.1f} x on one core; largest difference {apart:.1e}")
    assert apart <= 1e-4
    assert slow >= 4 * fast


def test_the_whole_takes_little_more_than_its_stages(
    samples: tuple[Sample, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Decode, detect, align and template one after the other on one core, divided by the cores."""
    card = models.describe("dlib", plan=make({"benchmark": "london", "model": "dlib"}))
    model = models.load(card)
    extracted(card, model, samples[:8], tmp_path / "warm")
    contents = [sample.path.read_bytes() for sample in samples]
    single = models.load(card, workers=1)
    with one_thread_an_image():
        pictures: list[Picture] = []
        stages = seconds(lambda: pictures.extend(decode.decode_for(content, 682) for content in contents))
        stages += seconds(lambda: single.extract_pictures(pictures))
    whole = min(extracted(card, model, samples, tmp_path / f"cache{turn}")[1] for turn in range(3))
    ideal = stages / (os.cpu_count() or 1)
    with capsys.disabled():
        print(f"\nstages {stages:.2f} s, over the cores {ideal:.2f} s; whole {whole:.2f} s ({whole / ideal:.2f} of it)")
    assert whole <= 1.6 * ideal
