"""Extraction beside the documented loop, beside dlib's own network, and beside the sum of its own stages."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import pytest
import stand_in_weights
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


def cpu_seconds(work: Callable[[], object]) -> float:
    """Of all threads: other work on the machine, and how many cores it has, do not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


def spent(card: ModelCard, model: Pipeline, samples: tuple[Sample, ...], cache: Path) -> tuple[np.ndarray, float]:
    """Templates, and CPU seconds of everything from the files to the templates in the cache."""
    found: list[np.ndarray] = []
    used = cpu_seconds(lambda: found.append(extracted(card, model, samples, cache)[0]))
    return found[0], used


def extracted(card: ModelCard, model: Pipeline, samples: tuple[Sample, ...], cache: Path) -> tuple[np.ndarray, float]:
    found = extract(samples, card, lambda: model, TemplateStore(cache), digests=hash_samples(samples))
    assert not found.failures
    return found.templates, found.timing["extract"]


def test_facenet_beside_the_documented_loop(
    samples: tuple[Sample, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fixed weights; the loop is MTCNN on the full picture, its crop of 160 pixels, and the network, on one core."""
    torch.manual_seed(0)
    network = InceptionResnetV1(pretrained=None, classify=False).eval()
    torch.save(network.state_dict(), tmp_path / f"{STEM}.pt")
    digest = hashlib.sha256((tmp_path / f"{STEM}.pt").read_bytes()).hexdigest()
    (tmp_path / f"{STEM}.toml").write_text(f'sha256 = "{digest}"\n')
    ours, mine = {}, {}
    for precision in ("float32", "bfloat16"):
        plan = make({"benchmark": "b", "model": "facenet-vggface2", "arithmetic": precision})
        card = models.describe("facenet-vggface2", data=[tmp_path], plan=plan)
        model = models.load(card, workers=1)
        extracted(card, model, samples[:8], tmp_path / f"warm-{precision}")
        ours[precision], mine[precision] = spent(card, model, samples, tmp_path / precision)
    detector = MTCNN(margin=0, select_largest=True)
    theirs = []

    def loop() -> None:
        for sample in samples:
            face = detector(Image.open(sample.path).convert("RGB"))
            with torch.inference_mode():
                theirs.append(network(face[None]).numpy()[0])

    with one_thread_an_image():
        whole = cpu_seconds(loop)
    other = np.array(theirs)
    least = {"float32": 4.2, "bfloat16": 6}
    for precision, found in ours.items():
        cosine = (found * other).sum(axis=1) / np.linalg.norm(found, axis=1) / np.linalg.norm(other, axis=1)
        ratio = whole / mine[precision]
        with capsys.disabled():
            print(
                f"\nfacenet in {precision}: CPU seconds a picture: loop {whole / len(samples):.3f}, "
                f"ours {mine[precision] / len(samples):.3f} ({ratio:.1f} x); cosine {np.median(cosine):.4f}"
            )
        assert np.median(cosine) >= 0.99
        if precision == "float32" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
            assert ratio >= least[precision]


def test_deepfaces_model_beside_its_own_represent(
    samples: tuple[Sample, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file of weights, the same network, the same detector (facenet-pytorch's), on one core.

    Its default detector fetches a file, so the one of its detectors is taken whose weights are installed.
    """
    some = samples[::8]
    own = stand_in_weights.deepface(tmp_path, "facenet512")
    home = tmp_path / "home" / ".deepface" / "weights"
    home.mkdir(parents=True)
    (home / "facenet512_weights.pth").symlink_to(tmp_path / "own-facenet512.pth")
    script = Path(__file__).parents[1] / "support" / "deepface_timed.py"
    out = tmp_path / "theirs.npz"
    asked = [script, tmp_path / "home", "Facenet512", "fastmtcnn", out, *(sample.path for sample in some)]
    subprocess.run([sys.executable, *map(str, asked)], check=True, capture_output=True)
    with np.load(out) as said:
        theirs, whole = said["templates"], float(said["seconds"])
    spec = f"card:{own}"
    card = models.describe(spec, data=[tmp_path], plan=make({"benchmark": "b", "model": spec}))
    card = card.model_copy(update={"input": card.input.model_copy(update={"alignment": "deepface"})})
    model = models.load(card, workers=1)
    extracted(card, model, some, tmp_path / "warm")
    ours, mine = spent(card, model, some, tmp_path / "cache")
    cosine = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    with capsys.disabled():
        print(
            f"\ndeepface's Facenet512: CPU seconds a picture: represent {whole / len(some):.2f}, "
            f"ours {mine / len(some):.3f} ({whole / mine:.1f} x); cosine {np.median(cosine):.4f}"
        )
    assert np.median(cosine) >= 0.99
    assert whole >= 5 * mine


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
